"""What a shell remembers from one command to the next, and what flows between commands."""

from __future__ import annotations

from typing import Protocol

import msgspec

from outrider.effects.place import Place, normal
from outrider.effects.shell.tree import Arg, Node
from outrider.events.call import Effect, ResourceKind, Verb


class Flow(msgspec.Struct, frozen=True):
    """What comes through a pipe, or is given on standard input, as far as it can be known.

    Attributes:
        text: The text itself.
        paths: Patterns that every line of it falls in (what ``find`` or ``ls`` prints).
        origin: ``network`` or ``decoded`` if that is where it comes from, ``file`` for a file's content.
        slashless: True if it can hold no ``/``: a number, a date.
        some: True if there is anything at all.
    """

    text: str | None = None
    paths: tuple[Arg, ...] | None = None
    origin: str = ""
    slashless: bool = False
    some: bool = True


NOTHING = Flow(some=False)
UNKNOWN = Flow()


class State:
    """Directory, variables, functions and aliases of one shell process. A fork does not touch its parent.

    Attributes:
        disk: What the call changed that outlives a process; forks share it.
        is_child: Whether it is a process of its own, whose end the shell that the call began in does not notice.
    """

    __slots__ = ("aliases", "cwd", "disk", "funcs", "is_child", "vars")

    def __init__(
        self,
        cwd: str | None,
        variables: dict[str, tuple[Arg, ...]],
        funcs: dict[str, Node],
        aliases: dict[str, str],
        disk: dict[str, str] | None = None,
    ) -> None:
        self.cwd, self.vars, self.funcs, self.aliases = cwd, variables, funcs, aliases
        self.disk = {} if disk is None else disk
        self.is_child = False

    def fork(self) -> State:
        """Return a copy for a process of its own."""
        other = self.aside()
        other.is_child = True
        return other

    def aside(self) -> State:
        """Return a copy for what the same shell may do, or may not."""
        other = State(self.cwd, dict(self.vars), dict(self.funcs), dict(self.aliases), self.disk)
        other.is_child = self.is_child
        return other

    def join(self, others: list[State]) -> None:
        """Take over what all ``others`` agree on: one of them is how it went on, and nobody knows which."""
        cwds = {other.cwd for other in others}
        self.cwd = cwds.pop() if len(cwds) == 1 else None
        for name in {name for other in others for name in other.vars}:
            values = [other.vars.get(name) for other in others]
            first = values[0]
            if first is not None and all(value == first for value in values):
                self.vars[name] = first
            else:
                self.vars[name] = (Arg(f"${name}", exact=False),)
        for other in others:
            self.funcs.update(other.funcs)
            self.aliases.update(other.aliases)


MAX_LINKS = 8
"""Links that one path is followed through, and so the most that one text's loop of links can cost."""

MAX_WRITTEN = 64
"""Files whose new content is kept for looking at; a loop can name many more."""

Key = tuple[str, str, str, tuple[str, ...]]
"""What makes two effects the same: verb, kind, value, flags."""


class Sink:
    """Where effects are gathered, each once, in the order in which they first happen.

    ``links`` are those that the text itself makes, by absolute path: nobody who looks before it runs finds them.
    ``drafts`` are those whose names are known as patterns alone too (``mktemp``): what the call itself runs later.
    ``written`` are the texts that it puts into files, by absolute path, at most :data:`MAX_WRITTEN` of them.
    """

    __slots__ = ("drafts", "effects", "links", "snippet", "steps", "wrapped", "written")

    def __init__(self, source: str) -> None:
        self.effects: dict[Key, Effect] = {}
        self.links: dict[str, str] = {}
        self.written: dict[str, str] = {}
        self.drafts: dict[str, str] = {}
        self.steps = 0
        self.wrapped = 0
        self.snippet = source

    def leads(self, path: str) -> str:
        """Return where a path leads through the links that the text makes; empty if through none of them."""
        led = path
        for _ in range(MAX_LINKS):
            link = next((link for link in self.links if led == link or led.startswith(f"{link}/")), "")
            if not link:
                break
            led = normal(self.links[link] + led[len(link) :])
        return led if led != path else ""


class Runner(Protocol):
    """What a command's reader may ask of the walker that met it."""

    place: Place

    @property
    def source(self) -> str:
        """The call's whole text."""
        ...

    def behind(self, at: Arg) -> str:
        """Return what stands behind ``at`` in the call's text; empty where that is not known."""
        ...

    def emit(
        self, verb: Verb, kind: ResourceKind, value: str, at: Arg, flags: tuple[str, ...] = (), note: str = ""
    ) -> None:
        """Note an effect."""

    def path(self, verb: Verb, arg: Arg, state: State, flags: tuple[str, ...] = (), note: str = "") -> None:
        """Note an effect on a path, read against the state's directory."""

    def linked(self, link: str, target: str, state: State) -> None:
        """Remember a link that the text makes; both paths are read against the state's directory."""

    def drafted(self, arg: Arg, state: State) -> str | None:
        """Return the text that the call itself put into a file, or None."""
        ...

    def drafts_of(self, words: list[Arg], state: State) -> list[str]:
        """Return the texts of what the call wrote and a program with these arguments may find."""
        ...

    def program(self, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Run a command given as its fields."""
        ...

    def text(self, text: str, at: Arg, state: State, stdin: Flow) -> Flow:
        """Run shell text found inside the command at ``at``."""
        ...

    def with_flag(self, flag: str) -> Runner:
        """Return a runner whose effects all carry ``flag`` as well."""
        ...
