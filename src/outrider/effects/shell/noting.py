"""Noting: how what a walk comes upon becomes an effect, each once."""

from __future__ import annotations

import copy
import posixpath
from typing import Self

from outrider.effects.place import INTO, Place, from_windows, is_ignored, normal
from outrider.effects.shell.state import MAX_WRITTEN, Flow, Sink, State
from outrider.effects.shell.tree import Arg
from outrider.events.call import Effect, ResourceKind, Verb

MAX_DRAFT = 64 * 1024
"""Longest text that is remembered of a file that the call writes and may run later, in characters."""
MAX_EFFECTS = 1000
"""Effects that one call may have; one more says that there were others."""


class Noting:
    """Notes effects.

    Attributes:
        place: Where the call is made from.
        sink: Where effects go.
        flags: Flags that every effect carries here (``elevated``, ``remote``).
        kept: Those of them that are not about starting agents alone.
        depth: How many shells, evals and functions this is inside.
        inside: The argument that the text being walked stands in, or None for the call's own text.
    """

    def __init__(self, place: Place, sink: Sink) -> None:
        self.place, self.sink = place, sink
        self.flags: tuple[str, ...] = ()
        self.kept: tuple[str, ...] = ()
        self.depth = 0
        self.inside: Arg | None = None

    @property
    def source(self) -> str:
        """The call's whole text."""
        return self.sink.snippet

    def behind(self, at: Arg) -> str:
        """Return what stands behind ``at`` in the call's text; empty within text that a string held."""
        if self.inside is not None:
            return ""
        return self.sink.snippet.encode(errors="replace")[at.end :].decode(errors="replace")

    def emit(
        self, verb: Verb, kind: ResourceKind, value: str, at: Arg, flags: tuple[str, ...] = (), note: str = "",
        resolved: str = "",
    ) -> None:  # fmt: skip
        """Note an effect, unless it was noted before."""
        if self.inside is not None:
            at = self.inside
        if self.flags:
            flags = (*flags, *(self.flags if verb == "spawn" else self.kept))
        if len(flags) > 1:
            flags = tuple(sorted(set(flags)))
        key = (verb, kind, value, flags)
        effects = self.sink.effects
        known = effects.get(key)
        if known is not None and (known.note != INTO or note == INTO):
            return
        if known is None and len(effects) >= MAX_EFFECTS:
            late = ("unparsed", "text", "", ())
            note = f"more than {MAX_EFFECTS} effects"
            effects.setdefault(late, Effect(verb="unparsed", kind="text", value="", note=note))
            return
        effects[key] = Effect(
            verb=verb, kind=kind, value=value, resolved=resolved, start=at.start, end=at.end, flags=flags, note=note
        )

    def path(self, verb: Verb, arg: Arg, state: State, flags: tuple[str, ...] = (), note: str = "") -> None:
        """Note an effect on a path, read against the state's directory."""
        text = arg.text if arg.text[1:2] != ":" and arg.text[:1] != "\\" else from_windows(arg.text)
        if is_ignored(text):
            return
        if not arg.exact:
            self.emit(verb, "path", text, arg, ("inexact", *flags, *(("pattern",) if arg.glob else ())), note)
            return
        if arg.glob:
            flags = ("pattern", *flags)
        if text.startswith("~/"):  # Quoted, the shell leaves it alone; most programs that are given it do not.
            text = self.place.home + text[1:]
        if text[0] != "/":
            if state.cwd is None or "remote" in self.flags:
                self.adrift(verb, Arg(text, arg.start, arg.end), flags, note)
                return
            text = f"{state.cwd}/{text}" if text != "." else state.cwd
        elif text.startswith(("/dev/tcp/", "/dev/udp/")):
            host, _, port = text[9:].partition("/")
            upload = ("upload",) if verb == "write" else ()
            self.emit("connect", "host", f"{host.lower()}:{port}" if port else host.lower(), arg, upload)
            return
        plain = normal(text)
        if not is_ignored(plain):
            self.emit(verb, "path", plain, arg, flags, note, text if plain != text and ".." in text else "")
            led = self.sink.leads(plain) if self.sink.links and verb != "delete" else ""
            if led:
                self.emit(verb, "path", led, arg, flags, note)

    def adrift(self, verb: Verb, arg: Arg, flags: tuple[str, ...], note: str) -> None:
        """Note an effect on a path that is read against a directory which nobody knows here."""
        is_remote = "remote" in self.flags
        if not (is_remote and arg.text == "." and verb == "read"):  # The folder that a program elsewhere starts in.
            self.emit(verb, "path", arg.text, arg, flags if is_remote else ("inexact", *flags), note)

    def linked(self, link: str, target: str, state: State) -> None:
        """Remember a link that the text makes; both paths are read against the state's directory."""
        if state.cwd is not None and len(self.sink.links) < MAX_EFFECTS:
            self.sink.links[normal(posixpath.join(state.cwd, link))] = normal(posixpath.join(state.cwd, target))

    def note_written(self, arg: Arg, flow: Flow, state: State) -> None:
        """Remember the text that lands in a file, where both are known; it is appended to what landed there before."""
        if flow.text is not None and arg.exact and len(self.sink.drafts) < MAX_WRITTEN:
            at = self.draft_path(arg, state)
            self.sink.drafts[at] = (self.sink.drafts.get(at, "") + flow.text)[:MAX_DRAFT]
        if flow.text is None or not arg.exact or arg.glob or "remote" in self.flags or state.cwd is None:
            return
        path = normal(posixpath.join(state.cwd, arg.text))
        known = self.sink.written.get(path)
        if known is not None or len(self.sink.written) < MAX_WRITTEN:
            self.sink.written[path] = (known or "") + flow.text

    def draft_path(self, arg: Arg, state: State) -> str:
        """Return the name under which a text that the call writes is remembered."""
        return normal(posixpath.join(state.cwd or "/", arg.text))

    def drafted(self, arg: Arg, state: State) -> str | None:
        """Return the text that the call itself put into a file, or None."""
        return self.sink.drafts.get(self.draft_path(arg, state)) if self.sink.drafts else None

    def drafts_of(self, words: list[Arg], state: State) -> list[str]:
        """Return the texts of what the call wrote and a program with these arguments may find.

        That is what lies in its directory, or at or below a path that it is given, and all that lies in no repository.
        """
        if not self.sink.drafts:
            return []
        named = [word.text.partition("=")[2] or word.text.removeprefix("@") for word in words]
        places = [normal(posixpath.join(state.cwd or "/", name)) for name in ("", *named)]
        here = self.place.repo
        return [
            text
            for path, text in self.sink.drafts.items()
            if not path.startswith(f"{here}/")
            or any(path == place or posixpath.dirname(path) == place for place in places)
        ]

    def with_flag(self, flag: str) -> Self:
        """Return a walk into the same sink whose effects all carry ``flag``."""
        other = copy.copy(self)
        other.flags = tuple(sorted({*self.flags, flag}))
        other.kept = tuple(one for one in other.flags if one != "detached")
        return other
