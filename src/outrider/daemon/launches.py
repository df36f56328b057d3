"""``outrider run`` on a running daemon: looks, plans, lets the agent be born, and tells the launcher what to apply.

The connection stays open while the command runs: its end comes over it, and a launcher that is killed is noticed by
the chores, as any host process is.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import difflib
import logging
import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

import outrider
from outrider.confine import told
from outrider.confine.ambient import Environment, keys_of, scrub
from outrider.confine.look import look
from outrider.confine.plan import Host, Places, Plan, plan, reaches
from outrider.confine.programs import file_alone, program_files
from outrider.confine.reaches import login_of, state_of
from outrider.daemon.watches import Watches
from outrider.daemon.ways_out import SOCKET, WaysOut, lent_to
from outrider.detect.secrets import find
from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.events.held import Held
from outrider.gate.launching import Launch, Launching
from outrider.gate.lending import OURS
from outrider.hook.find import NATIVE, client
from outrider.identity import place, process

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.charter.model import Charter
    from outrider.daemon.deeds import Watch
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.events.record import AgentBorn
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

_MOST_PLANS = 256
_MOST_NAMED = 60
_WIDE = 70
"""Names of a kind that a birth holds; an environment with more of them is cut, and says so."""


class Launches:
    """Answers launchers."""

    def __init__(self, parts: Parts, serve: Callable[[], asyncio.Protocol]) -> None:
        """Wire it.

        Args:
            parts: What the daemon holds.
            serve: Makes the protocol of an agent's own hook socket.
        """
        self._parts = parts
        self._serve = serve
        self._plans: dict[tuple[tuple[str, ...], Host, bytes], Plan] = {}
        self._sockets: dict[str, asyncio.Server] = {}
        self.ways_out = WaysOut(parts)
        self.watches = Watches(parts)
        self._launching = Launching(
            scribe=parts.scribe,
            state=parts.state,
            enrolment=parts.enrolment,
            people=parts.people,
            gate=parts.gate,
            results=parts.results,
            sponsor=parts.config.sponsor.name,
        )

    async def launch(self, fields: dict[str, list[str]], peer: Peer) -> tuple[bytes, asyncio.Protocol | None]:
        """Return the answer to a launcher, and what listens to it from now on; None if nothing was started."""
        try:
            answer, talk = await self._launch(fields, peer)
        except OutriderError as error:
            said = [("error", str(error)), ("fix", error.fix), ("code", str(error.exit_code))]
            return told.pack(told.ANSWERED, said), None
        return told.pack(told.ANSWERED, answer), talk

    async def _launch(self, fields: dict[str, list[str]], peer: Peer) -> tuple[list[tuple[str, str]], asyncio.Protocol]:
        launch = self._read(fields, peer)
        line = self._line(launch.charter)
        parent = self._launching.parent_of(launch)
        host = _host(fields, closed=self.ways_out.closed_in(parent))
        person = parent is None
        made, environment = await asyncio.to_thread(self._plan, launch, line, host, fields, person=person)
        lent = lent_to(fields, launch.command, line, person=person, leads_out=made.leads_out)
        born = await self._launching.bear(launch, parent, held_of(made, environment, lent))
        agent = self._parts.state.registry.by_id(born.agent)
        assert agent is not None
        socket = await self._own_socket(agent)
        sockets = [(str(socket), str(self._parts.home.socket))]
        if line[0].may.get("spawn"):  # What it starts as an agent of its own hands the socket of a proxy over as well.
            sockets.append((str(self._parts.home.run / SOCKET),) * 2)
        answer = [("agent", agent.id), *told.told(made, cwd=launch.cwd, sockets=sockets)]
        ours = [one.partition("=")[0] for one in fields.get("env", []) if one.startswith("OUTRIDER_")]
        answer += [("drop", name) for name in (*environment.scrubbed, *ours)]
        answer += [("set", f"{name}={text}") for name, text in self._variables(agent)]
        port = _one(fields, "port") if made.leads_out else ""
        answer += self.ways_out.told(agent, made, lent, port) if port else []
        answer += [("say", text) for text in _said(born, made, environment)]
        answer += [("warn", text) for text in _about_login(launch, made, environment)]
        if not reaches(made, "read", "/usr/lib/x"):
            answer.append(("hint", f'Charter {agent.charter} lets no library be read: add "@system" to [may] read.'))
        watch = self._watch(agent, launch.command, f"127.0.0.1:{port}" if port else "", seen=made.seen)
        return answer, Talk(self._launching, agent, self._over, watch)

    def _watch(self, agent: Agent, command: str, proxy: str, *, seen: bool) -> Watch | None:
        """Follow what the launcher tells; None where somebody above hears the tree, so that nothing is told twice."""
        known = self.watches.of(agent.id)
        if known is None or known.agent.id != agent.id:
            return self.watches.launched(agent, command, proxy) if seen else None
        if proxy:
            known.deeds.through(proxy)
        return None

    def _read(self, fields: dict[str, list[str]], peer: Peer) -> Launch:
        here = process.describe(peer.pid) if peer.pid else None
        cwd = _one(fields, "cwd")
        if here is None:
            raise RefusedError("the process that asks cannot be seen")
        if not cwd.startswith("/"):
            raise BadInputError("the directory to start in is not absolute")
        given = next((one[5:] for one in fields.get("env", []) if one.startswith("HOME=")), "")
        home = os.path.normpath(given) if given.startswith("/") else place.os_home(peer.uid)
        program = _one(fields, "program")
        return Launch(
            charter=_one(fields, "charter"),
            cwd=os.path.realpath(cwd),
            home=os.path.realpath(home),
            program=program if program.startswith("/") else "",
            command=os.path.basename((fields.get("arg") or [""])[0])[:60],  # noqa: PTH119 - of any text
            host=here,
            above=process.ancestors(here.pid),
            uid=peer.uid,
            sponsor=" ".join(_one(fields, "sponsor").split())[:200],
            purpose=_one(fields, "purpose"),
        )

    def _line(self, name: str) -> tuple[Charter, ...]:
        if self._parts.enrolment.terms(name) is None:
            near = difflib.get_close_matches(name, self._parts.charters.names, 1)
            fix = f"Did you mean {near[0]}?" if near else "`outrider charter list` lists them."
            raise BadInputError(f"there is no charter {name[:60]!r} in force", fix=fix)
        return self._parts.charters.line(name)

    def _plan(
        self, launch: Launch, line: tuple[Charter, ...], host: Host, fields: dict[str, list[str]], *, person: bool
    ) -> tuple[Plan, Environment]:
        repo = place.repository(launch.cwd, home=launch.home).root or launch.cwd
        pairs = [(name, text) for name, _, text in (one.partition("=") for one in fields.get("env", [])) if name]
        program = file_alone(launch.program)
        state: tuple[str, ...] = ()
        search = dict(pairs).get("PATH", "") if person else ""
        if person:
            program = program_files(launch.program, home=launch.home, search=search)
            state = state_of(launch.command, launch.home)
            _make_room(state)
        places = Places(
            home=launch.home,
            repo=os.path.realpath(repo),
            outrider=os.path.realpath(self._parts.home.root),
            package=str(Path(outrider.__file__).resolve().parent),
            program=tuple(dict.fromkeys((*program, *_hook_files(), *_tool_files(line, launch.home, search)))),
            own=(*place.shared_git(repo), *state),
        )
        made = self._planned(line, host, look(line, places, beside=not host.namespaces))
        lent = [one[4:] for one in fields.get("lend", []) if one.startswith("env:")]
        return made, scrub(pairs, line, launch.command, _secrets_in(pairs), lent)

    def _planned(self, line: tuple[Charter, ...], host: Host, places: Places) -> Plan:
        """Return the plan, which is a pure function: of the same charters and places it is made once."""
        key = (tuple(charter.digest for charter in line), host, msgspec.msgpack.encode(places))
        made = self._plans.get(key)
        if made is None:
            made = self._plans[key] = plan(line, host, places)
            if len(self._plans) > _MOST_PLANS:
                del self._plans[next(iter(self._plans))]
        return made

    async def _own_socket(self, agent: Agent) -> Path:
        """Return the agent's own hook socket: hooks are asked on it, and nothing else."""
        path = self._parts.home.run / f"{agent.id[-8:]}.sock"
        old = os.umask(0o177)
        try:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            self._sockets[agent.id] = await asyncio.get_running_loop().create_unix_server(self._serve, str(path))
        except OSError as error:
            log.warning("agent %s gets no socket of its own: %s", agent.id, error)
            return self._parts.home.socket
        finally:
            os.umask(old)
        return path

    def _variables(self, agent: Agent) -> list[tuple[str, str]]:
        return [
            ("OUTRIDER_AGENT", agent.id),
            ("OUTRIDER_CHARTER", agent.charter),
            ("OUTRIDER_HOME", str(self._parts.home.root)),
            ("OUTRIDER_SOCKET", str(self._parts.home.socket)),
        ]

    def _over(self, agent: Agent) -> None:
        """Take an agent's socket away, and follow it no more."""
        known = self.watches.of(agent.id)
        if known is not None and known.agent.id == agent.id and not known.top:
            self.watches.over(agent)
        self.ways_out.forget(agent.id)
        server = self._sockets.pop(agent.id, None)
        if server is not None:
            server.close()
            with contextlib.suppress(OSError):
                (self._parts.home.run / f"{agent.id[-8:]}.sock").unlink()


class Talk(asyncio.Protocol):
    """The connection to a launcher whose command runs: what its processes do comes over it, and at last the end."""

    def __init__(
        self, launching: Launching, agent: Agent, over: Callable[[Agent], None], watch: Watch | None = None
    ) -> None:
        self._launching = launching
        self._agent = agent
        self._over = over
        self._watch = watch
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take every frame that is whole."""
        self._data += data
        while self._work is None:
            try:
                size = told.length(self._data)
                if not size or len(self._data) < size:
                    return
                frame, self._data = self._data[:size], self._data[size:]
                fields = told.unpack(frame)
            except BadInputError as error:
                log.warning("a launcher's word could not be read: %s", error)
                frame, fields = told.ENDED, {}
            if frame[:4] == told.SEEN:
                self._hear(fields)
            else:
                fields = fields if frame[:4] == told.ENDED else {}
                self._work = asyncio.ensure_future(self._end(*how_it_ended(fields)))

    def eof_received(self) -> bool:
        """Keep our side open until the end is in the record: a launcher waits for that. A killed one says none."""
        if self._work is None:
            self._work = asyncio.ensure_future(self._end("killed", "its launcher was killed"))
        return not self._work.done()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Take the agent's socket away: nobody is above its tree any more."""
        try:
            self._over(self._agent)
        except OutriderError:
            log.exception("the last of what agent %s did could not be recorded", self._agent.id)

    def _hear(self, fields: dict[str, list[str]]) -> None:
        try:
            if self._watch is not None:
                self._watch.hear(fields)
        except OutriderError:
            log.exception("what agent %s did could not be recorded", self._agent.id)

    async def _end(self, how: str, detail: str) -> None:
        try:
            if self._watch is not None:
                self._watch.end()
            await self._launching.end(self._agent, how, detail)
        except OutriderError:
            log.exception("the end of agent %s could not be recorded", self._agent.id)
        if self._transport is not None:
            self._transport.close()


def how_it_ended(fields: dict[str, list[str]]) -> tuple[str, str]:
    """Return the record's word for an end, and the detail."""
    if "exit" in fields:
        return "completed", f"exit status {_one(fields, 'exit')[:12]}"
    if "signal" in fields:
        return "killed", f"signal {_one(fields, 'signal')[:12]}"
    return "killed", f"it was not started: {_one(fields, 'failed')}"[:200]


def _make_room(state: tuple[str, ...]) -> None:
    """Make the directories in which an agent host keeps its state: what is not there cannot be lent to it."""
    for path in state:
        if not path.endswith(".json"):
            with contextlib.suppress(OSError):
                Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)


def held_of(made: Plan, environment: Environment, reaches: tuple[str, ...]) -> Held:
    """Return what a birth says of a plan."""

    def some(names: tuple[str, ...]) -> tuple[str, ...]:
        more = len(names) - _MOST_NAMED
        return (*names[:_MOST_NAMED], f"and {more} more") if more > 0 else names

    lacks = tuple(f"{one.what} {' '.join(one.patterns[:6])}".strip()[:200] for one in made.lacks)
    return Held(
        files=f"landlock:{made.landlock}" if made.landlock else "",
        view=made.own_view,
        network=made.network,
        calls=made.seccomp,
        seen=made.seen,
        whole=made.held,
        lacks=lacks[:20],
        scrubbed=some(environment.scrubbed),
        kept=some(environment.kept),
        lent=some((*(f"env:{name}" for name in environment.lent), *made.lent)),
        reaches=some(reaches),
    )


def _said(born: AgentBorn, made: Plan, environment: Environment) -> list[str]:
    """Return what ``--verbose`` prints."""
    held = born.held
    assert held is not None
    out = [f"agent {born.agent} born under charter {born.charter} (event {born.n})"]
    walls = [held.files, "a view of its own" if held.view else "", "filtered system calls" if held.calls else ""]
    out.append(f"held by: {', '.join(one for one in walls if one) or 'nothing'}; network: {held.network}")
    out += ["what its processes start and connect to is heard from the kernel"] if held.seen else []
    for title, names in (
        ("taken out of the environment", environment.scrubbed),
        ("kept, as the charter says", environment.kept),
        ("lent to the command", (*held.lent, *held.reaches)),
    ):
        if names:
            out.append(f"{title}: {', '.join(names)}")
    out += [f"not held: {one.what}: {one.why}" for one in made.lacks]
    out += [f"limited but not measured until a host tells: {name}" for name in born.unmeasured]
    return [line for one in out for line in _wrapped(one)]


def _about_login(launch: Launch, made: Plan, environment: Environment) -> list[str]:
    """Return what a person must know who starts an agent host that is logged in by a file, and by nothing else."""
    path = login_of(launch.command, launch.home)
    if not path or not os.path.exists(path) or reaches(made, "read", path) or environment.lent or environment.kept:  # noqa: PTH110 - of any text
        return []
    keys = keys_of(launch.command)
    fix = f"hand over {' or '.join(keys)}" if keys else "lend it the variable with its key (--lend env:NAME)"
    return _wrapped(f"the login in {path} stays closed to what runs here: {fix}")


def _wrapped(text: str) -> list[str]:
    """Return a text in lines that fit a terminal behind ``outrider: ``; a path is not broken."""
    return textwrap.wrap(text, _WIDE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _secrets_in(pairs: list[tuple[str, str]]) -> Callable[[str, str], bool]:
    """Return a test whether a variable's value holds a secret. All values are looked at in one pass."""
    lines = [f"{name}={redactable(text)}" for name, text in pairs]
    starts, at = [], 0
    for one in lines:
        starts.append(at)
        at += len(one) + 1
    found = {
        pairs[bisect.bisect_right(starts, hit.start) - 1][0]
        for hit in find("\n".join(lines))
        if hit.confidence != "low"
    }
    return lambda name, _text: name in found


def redactable(text: str) -> str:
    """Return a variable's value as one line of text."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\n", " ")


def _hook_files() -> tuple[str, ...]:
    """Return what the Python hook client needs; the native one needs nothing but itself."""
    return () if client() == [str(NATIVE)] else (sys.prefix, sys.base_prefix)


def _tool_files(line: tuple[Charter, ...], home: str, search: str) -> tuple[str, ...]:
    """Return what ``outrider credential`` and ``outrider spawn`` need, for agents that may use them; else nothing.

    Args:
        line: The agent's charters.
        home: The home of whoever starts it.
        search: Where they look for programs by name; empty if they are no person.
    """
    lent = any(text.startswith(OURS) for one in line for text in one.may.get("use_credential", ()))
    if not lent and not line[0].may.get("spawn"):
        return ()
    found = shutil.which("outrider", path=search) if search else None
    package = str(Path(outrider.__file__).resolve().parents[1])
    return (sys.prefix, sys.base_prefix, package, *program_files(found or "", home=home, search=search))


def _host(fields: dict[str, list[str]], *, closed: bool) -> Host:
    version = _one(fields, "landlock")
    return Host(
        landlock=int(version) if version.isdigit() and len(version) < 4 else 0,
        namespaces=_one(fields, "namespaces") == "1",
        seccomp=_one(fields, "seccomp") == "1",
        seen=_one(fields, "seen") == "1",
        closed=closed,
    )


def _one(fields: dict[str, list[str]], key: str) -> str:
    return (fields.get(key) or [""])[0]
