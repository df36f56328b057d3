"""Told against done: what an agent's processes do, explained by what its calls said. Pure but for what it remembers.

One :class:`Deeds` follows one agent that ``outrider run`` started, or that the sensor hears. It is fed its
calls as they are recorded and the deeds as they are heard, and keeps a tree of programs: each knows what explains it.
What is *undeclared* is defined in ``docs/confinement.md``; the order of the questions in :meth:`Deeds._explained` is
that definition.
"""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from outrider.confine.heard import Dialled, Started
from outrider.confine.upkeep import is_login, starts_up, upkeep
from outrider.events.call import Effect, Finding
from outrider.events.deeds import Basis, Ran, Reached
from outrider.events.deeds import Deeds as Span
from outrider.events.record import CallDecided

EXEC: Final = "undeclared-exec"
CONNECT: Final = "undeclared-connect"
EGRESS: Final = "egress"
"""The name of a call that our own proxy makes of a connection: it is done, not told."""

_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox"})
_NETWORK: Final = frozenset({"install", "push", "deploy", "call", "spawn"})
_MOST_CALLS: Final = 256
_MOST_PROGRAMS: Final = 20_000
_MOST_ROWS: Final = 32
_MOST_FINDINGS: Final = 6
_MOST_SEEN: Final = 200
"""Findings of one agent; what is undeclared beyond them is listed and counted, so that nobody floods the record."""
_PROXY_WAIT_US: Final = 5_000_000
"""A connection to the proxy that asked for no host within this time asked for none."""


class Told(msgspec.Struct, kw_only=True):
    """A call, as far as it explains deeds.

    Attributes:
        n: Its index.
        ts: When it was decided; no deed before it is its own.
        over: When its result came, or 0.
        shell: Whether a shell runs it.
        names: Base names of the programs that it names.
        blind: Base names of those that nobody sees into.
        all: Whether some of it could not be read, so that it may start anything.
        hosts: Hosts that it names.
        anywhere: Whether it reaches hosts that it does not name: it installs, pushes, deploys or calls a server.
    """

    n: int
    ts: int
    over: int
    shell: bool
    names: frozenset[str]
    blind: frozenset[str]
    all: bool
    hosts: frozenset[str]
    anywhere: bool


class Program(msgspec.Struct, kw_only=True):
    """A program that runs or ran in the tree.

    Attributes:
        name: Its base name.
        basis: What explains it.
        told: The call that does.
        blind: Whether it is one of that call's that nobody sees into, or below one.
        carries: The calls whose text this shell may be running.
        login: Whether it is a login shell, which starts programs on its way up.
        top: Whether nothing stands above it but the launcher.
    """

    name: str
    basis: Basis
    told: Told | None = None
    blind: bool = False
    carries: tuple[Told, ...] = ()
    login: bool = False
    top: bool = False


class Deeds:
    """Follows one agent.

    Attributes:
        since: Time of the first deed that waits to be recorded, 0 if none does.
        urgent: Whether a finding is among what waits.
        undeclared: How many findings there were.
        calls: How many calls were told.
    """

    def __init__(
        self,
        command: str,
        is_host: Callable[[str], bool],
        *,
        hook: Iterable[str],
        proxy: str,
        ours: str,
        tools: Iterable[str] = (),
        interpreter: str = "",
    ) -> None:
        """Begin.

        Args:
            command: Base name of the command.
            is_host: Tells whether a process is one that a session of the agent is bound to.
            hook: Paths of the hook client.
            proxy: ``address:port`` of the proxy as the tree sees it, or empty.
            ours: Where Outrider's own sockets lie; connections to them are left out.
            tools: Where Outrider's own tool and launcher lie, which agents are lent.
            interpreter: The Python that runs the tool as a module.
        """
        self._command, self._is_host = command, is_host
        self._hook = frozenset(hook)
        self._tools, self._interpreter = frozenset(tools), interpreter
        self._proxy, self._ours = proxy, f"unix:{ours}/"
        self._open: OrderedDict[int, Told] = OrderedDict()
        self._over: deque[Told] = deque(maxlen=_MOST_CALLS)
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._first = 0
        self._bound = False
        self._asking: deque[tuple[int, Program | None, Deeds]] = deque(maxlen=512)
        self._asked: deque[tuple[int, str]] = deque(maxlen=512)
        self._last: tuple[Program | None, Deeds] = (None, self)
        self._seen: set[tuple[str, str, str]] = set()
        self.calls = self.undeclared = 0
        self._clear()

    def _clear(self) -> None:
        self.since = self._until = 0
        self.urgent = False
        self._ran: dict[tuple[str, Basis, int], Ran] = {}
        self._reached: dict[tuple[str, str, Basis, int], Reached] = {}
        self._findings: list[Finding] = []

    def begin_with(self, process: str) -> None:
        """Take the process that everything begins with: it runs already, and nobody told of its start."""
        self._programs[process] = Program(name=self._command, basis="launch", top=True)

    def through(self, proxy: str) -> None:
        """Take the ``address:port`` of the proxy as the tree sees it, where it is known late."""
        self._proxy = proxy
        self._asking = deque(maxlen=512)

    def ask_with(self, other: Deeds) -> None:
        """Ask the same proxy as another tree: it speaks for that one, whichever program asks."""
        self._proxy, self._asking = other._proxy, other._asking

    # What is told.

    def told(self, event: CallDecided) -> None:
        """Take a call of the agent, or of one that lives in its tree."""
        if event.name == EGRESS:
            self._asked += [(event.ts, effect.value) for effect in event.effects if effect.verb == "connect"]
            return
        if event.permission:
            return
        self.calls += 1
        self._first = self._first or event.ts
        self._bound = self._bound or any(map(self._is_host, self._programs))
        if event.decision.enforced in {"deny", "error"}:
            return
        verbs = {effect.verb for effect in event.effects}
        self._open[event.n] = Told(
            n=event.n,
            ts=event.ts,
            over=0,
            shell=event.tool == "shell",
            names=frozenset(_base(one.value) for one in event.effects if one.kind == "command"),
            blind=frozenset(_base(one.value) for one in event.effects if one.verb == "opaque"),
            all="unparsed" in verbs or any(one.verb == "opaque" and one.kind != "command" for one in event.effects),
            hosts=frozenset(_host(one.value) for one in event.effects if one.verb == "connect"),
            anywhere=bool(verbs & _NETWORK) or event.cut > 0 or any(_vague(one) for one in event.effects),
        )
        if len(self._open) > _MOST_CALLS:
            self._over.append(self._open.popitem(last=False)[1])

    def returned(self, intent: int, ts: int) -> None:
        """Take the result of a call."""
        call = self._open.pop(intent, None)
        if call is not None:
            call.over = ts
            self._over.append(call)

    # What is done.

    def started(self, deed: Started) -> None:
        """Take a program that is started."""
        above = self._above(deed)
        name = _base(deed.path)
        program = self._explained(deed, above, {name, _base(deed.program)})
        self._programs[deed.process] = program
        self._programs.move_to_end(deed.process)
        if len(self._programs) > _MOST_PROGRAMS:
            self._programs.popitem(last=False)
        call = program.told.n if program.told else -1
        under = above.name if above else ""
        self._count(deed.ts)
        key = (deed.program, program.basis, call)
        old = self._ran.get(key)
        count = old.count + 1 if old else 1
        self._ran[key] = Ran(program=deed.program, count=count, basis=program.basis, call=call, under=under)
        if program.basis == "none" and not (above and above.basis == "none"):
            self._find(EXEC, deed.program, under, f"{deed.program} was started{_by(under)}, and no call told of it.")

    def dialled(self, deed: Dialled) -> None:
        """Take a connection that is asked for."""
        if deed.peer.startswith(self._ours):
            return
        program = self._programs.get(deed.process) or self._above(deed)
        if deed.peer == self._proxy:
            self._asking.append((deed.ts, program, self))
            return
        self._peer(deed.ts, deed.peer, program, judged=not _stays(deed.peer))

    def settle(self, now: int) -> None:
        """Join what the proxy was asked for with who had connected to it, by time; older than a moment, at ``now``."""
        while self._asked and self._asked[0][0] < now:
            ts, host = self._asked.popleft()
            before = [one for one in self._asking if ts - _PROXY_WAIT_US <= one[0] <= ts]
            if before:  # One that asks again on a connection that it has is the last that did.
                self._last = before[-1][1:]
                self._asking.remove(before[-1])
            program, asker = self._last
            asker._peer(ts, host, program, judged=True, by_proxy=True)  # noqa: SLF001 - one of its own kind
        while self._asking and self._asking[0][0] < now - _PROXY_WAIT_US:
            ts, program, asker = self._asking.popleft()
            asker._peer(ts, self._proxy, program, judged=False)  # noqa: SLF001 - one of its own kind

    @property
    def waits(self) -> bool:
        """Whether there is anything to record, now or once it is joined."""
        return bool(self.since or self._asking or self._asked)

    @property
    def full(self) -> bool:
        """Whether one event can hold no more rows."""
        most = max(len(self._ran), 2 * len(self._reached))
        return most >= _MOST_ROWS or len(self._findings) >= _MOST_FINDINGS

    def take(self) -> tuple[Span, tuple[Finding, ...]]:
        """Return what waits to be recorded, and begin anew."""
        span = Span(
            since=self.since,
            until=self._until,
            told=self.calls,
            ran=tuple(self._ran.values()),
            reached=tuple(self._reached.values()),
        )
        found = tuple(self._findings)
        self._clear()
        return span, found

    # What explains it.

    def _above(self, deed: Started | Dialled) -> Program | None:
        """Return the nearest program above a process: the one that it was itself before, if there was one."""
        for process in (deed.process, *deed.above):
            found = self._programs.get(process)
            if found is not None:
                self._programs.move_to_end(process)
                return found
        return None

    def _explained(self, deed: Started, above: Program | None, names: set[str]) -> Program:
        name = _base(deed.path)
        if above is None and not self._programs:
            return Program(name=name, basis="launch", top=True)
        if above is not None and above.told is not None:
            return Program(
                name=name, basis="call", told=above.told, blind=above.blind or bool(names & above.told.blind)
            )
        calls = self._calls(deed.ts, above)
        by_name = next((one for one in calls if one.all or names & one.names), None)
        if by_name is not None:
            return _named(name, names, by_name)
        if self._is_hook(deed) or self._is_tool(deed):
            return Program(name=name, basis="hook")
        if above is not None and above.basis == "launch" and not self._hosts(deed, above):
            return Program(name=name, basis="launch")
        if not self._first and above is None:
            return Program(name=name, basis="nothing")
        if not self._first or deed.ts < self._first:
            return Program(name=name, basis="launch")
        return self._by_host(deed, above, names, calls)

    def _by_host(self, deed: Started, above: Program | None, names: set[str], calls: list[Told]) -> Program:
        """Return a program that no call names: the shell of a call, the host's own, or one that nothing explains."""
        name = _base(deed.path)
        if above is not None and self._own(deed, above, names):
            return Program(name=name, basis="host")
        shell = tuple(one for one in calls if one.shell)
        if shell and names & _SHELLS and (above is None or above.basis in {"launch", "shell"}):
            return Program(name=name, basis="shell", carries=shell, login=is_login(deed.words))
        return Program(name=name, basis="none")

    def _own(self, deed: Started, above: Program, names: set[str]) -> bool:
        """Tell whether a program is its host's own upkeep, or starts as a login shell comes up."""
        if above.basis == "shell":
            return above.login and starts_up(names, deed.words)
        return above.basis == "host" or (above.basis == "launch" and upkeep(self._command, names, deed.words))

    def _calls(self, ts: int, above: Program | None) -> list[Told]:
        """Return the calls that may explain a deed, the latest first.

        Below a shell that carries calls those alone; where nobody knows what is above, any of the past.
        """
        if above is not None and above.carries:
            return list(above.carries[::-1])
        known = [*self._open.values(), *self._over]
        current = [one for one in known if one.ts <= ts and (above is None or not one.over or ts <= one.over)]
        return sorted(current, key=lambda one: -one.n)

    def _hosts(self, deed: Started, above: Program) -> bool:
        """Tell whether what is above is what the agent's calls come from, so that the launch explains no more."""
        if not self._first:
            return False
        if above.top and not self._bound:
            return True
        for process in (deed.process, *deed.above):
            if self._is_host(process):
                return True
            if process in self._programs:
                break
        return False

    def _is_hook(self, deed: Started) -> bool:
        return deed.program in self._hook or any(one in word for word in deed.words for one in self._hook)

    def _is_tool(self, deed: Started) -> bool:
        """Tell whether a program is Outrider's own tool, which says itself what it is asked to do, and is judged."""
        return deed.program in self._tools or (deed.program == self._interpreter and _runs_us(deed.words))

    def _peer(self, ts: int, peer: str, program: Program | None, *, judged: bool, by_proxy: bool = False) -> None:
        basis, told = self._reaching(ts, peer, program, judged=judged)
        name = program.name if program else ""
        self._count(ts)
        call = told.n if told else -1
        key = (peer, name, basis, call)
        old = self._reached.get(key)
        count, judged = (old.count + 1, by_proxy and old.judged) if old else (1, by_proxy)
        self._reached[key] = Reached(peer=peer, count=count, basis=basis, call=call, program=name, judged=judged)
        if basis == "none":
            self._find(CONNECT, peer, name, f"A connection to {peer} was asked for{_by(name)}, and no call told of it.")

    def _reaching(self, ts: int, peer: str, program: Program | None, *, judged: bool) -> tuple[Basis, Told | None]:
        """Return what explains a connection; of one within this machine (not ``judged``) its program's own basis."""
        if program is not None and (not judged or not (program.told or program.carries)):
            return program.basis, program.told
        if not self._first:
            return "nothing", None
        calls = self._calls(ts, program)
        if program is not None and program.told is not None:
            calls = [program.told]
        blind = program is not None and program.blind
        for one in calls:
            if not judged or blind or one.all or one.anywhere or _host(peer) in one.hosts:
                return "call", one
        return "none", None

    def _count(self, ts: int) -> None:
        self.since = min(self.since, ts) if self.since else ts
        self._until = max(self._until, ts)

    def _find(self, rule: str, what: str, under: str, message: str) -> None:
        self.undeclared += 1
        if (rule, what, under) in self._seen or len(self._seen) >= _MOST_SEEN:
            return
        self._seen.add((rule, what, under))
        self.urgent = True
        self._findings.append(
            Finding(
                rule=rule,
                severity="medium",
                confidence="medium",
                where="processes",
                message=message[:400],
                advice="Find out what started it: a tool of the host that asks no hook, or a process left by an earlier"
                " call.",
            )
        )


def _named(name: str, names: set[str], told: Told) -> Program:
    """Return a program that a call names. A shell whose text could be read explains only what that text names."""
    if names & _SHELLS and not told.all and not told.blind:
        return Program(name=name, basis="call", carries=(told,))
    return Program(name=name, basis="call", told=told, blind=bool(names & told.blind))


def _runs_us(words: Sequence[str]) -> bool:
    """Tell whether an interpreter's first arguments make it run Outrider: ``-P -m outrider``."""
    for at, word in enumerate(words):
        if word == "-m":
            return list(words[at + 1 : at + 2]) == ["outrider"]
        if not re.fullmatch(r"-[bBdEiIOPqsSuv]+", word):
            return False
    return False


def _vague(effect: Effect) -> bool:
    """Tell whether an effect reaches a host that could not be known."""
    return effect.verb == "connect" and not {"inexact", "pattern", "sweep"}.isdisjoint(effect.flags)


def _base(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or path


def _by(name: str) -> str:
    return f" by {name}" if name else " by a process that has cut itself off"


def _host(peer: str) -> str:
    """Return the host of ``host:port``, brackets and port left out."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    return peer.partition(":")[0] if peer.count(":") == 1 else peer


def _stays(peer: str) -> bool:
    """Tell whether a peer is this machine itself, or asks for names: what comes of the answer is seen apart."""
    host = _host(peer)
    inside = host.startswith(("127.", "unix")) or host in {"::1", "::", "0.0.0.0", "::ffff:127.0.0.1"}  # noqa: S104 - compared, not bound
    return peer.startswith("unix:") or inside or peer.endswith((":53", ":0"))
