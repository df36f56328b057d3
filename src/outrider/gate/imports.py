"""From the steps of a transcript to events of a record: what was told, studied as if it had come through a door.

Nothing is judged here, and nothing that comes of it was witnessed: every agent is born ``imported``, every call says
so. Labels are kept as a door would have kept them, so that charters can be replayed; the origins of a call's values are
not.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Self

import msgspec

from outrider.effects.place import Place
from outrider.events.call import Call, Effect, Finding, Label
from outrider.events.codec import commit
from outrider.events.content import Commitment
from outrider.events.entities import entities_of_effects
from outrider.events.event import Source
from outrider.events.imported import IMPORTED, NOT_JUDGED, TranscriptRead
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AnyEvent,
    Beside,
    CallDecided,
    CallResult,
    Entity,
    Prompted,
)
from outrider.flow.labels import brings, prompt_brings, result_brings
from outrider.gate.clean import cut
from outrider.gate.recorded import written
from outrider.gate.scribe import Scribe
from outrider.gate.sources import Sources
from outrider.gate.study import Reading, read, study
from outrider.identity.ids import agent_id

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.gate.scribe import Log
    from outrider.transcripts.step import Format, Step

CHUNK = 64
"""Steps that are studied together, so that a worker process is worth its messages."""

FEW = 2_000
"""Steps that are studied here; from then on workers help."""

_HOMES = re.compile(r"(/home/[^/]+|/Users/[^/]+|/root)(?=/|\Z)")
_MOST_REASONS = 3
_MOST_OPEN = 100_000


class Studied(msgspec.Struct, frozen=True):
    """A step with what its text says; its arguments and its text are gone."""

    step: Step
    beside: Beside
    content: Commitment
    adds: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    findings: tuple[Finding, ...] = ()


class Imported(msgspec.Struct):
    """What came of an import.

    Attributes:
        transcripts: Files read.
        known: Files that had been read before and have not changed.
        agents: Agents that came to be known.
        steps: Prompts, calls and results taken.
        unread: Lines that could not be read.
        doubts: Places that do not fit together.
        reasons: The first of both, with file and line.
    """

    transcripts: int = 0
    known: int = 0
    agents: int = 0
    steps: int = 0
    unread: int = 0
    doubts: int = 0
    reasons: list[str] = []


def home_of(cwd: str, otherwise: str) -> str:
    """Return the home folder that a working directory lies in, by its name, for it may be another machine's."""
    found = _HOMES.match(cwd)
    return found[1] if found else otherwise


def studied(steps: list[tuple[Step, str, bytes]], home: str, key: bytes) -> list[Studied]:
    """Study some steps, each with the tool that it answers and the salt of its content. May run in a process apart."""
    return [_study(step, tool, salt, home_of(step.cwd, home), key) for step, tool, salt in steps]


def _study(step: Step, tool: str, salt: bytes, home: str, key: bytes) -> Studied:
    bare = msgspec.structs.replace(step, args={}, text="")
    if step.what == "call":
        cwd = step.cwd or home
        call = Call(door="", session=step.session, call_id=step.id, tool=step.tool, name=step.name, args=step.args,
                    cwd=cwd)  # fmt: skip
        seen = study(call, Place(home=home, repo=cwd, cwd=cwd), key, salt)
        effects = seen.plan.effects
        things = (*entities_of_effects(effects, home=home, key=key), *_tools(step), *_models(step))
        beside = Beside(entities=things, prints=seen.prints, control=seen.control, said=seen.said, salt=salt)
        shown = tuple(written(effect, home, key) for effect in effects)
        return Studied(bare, beside, seen.content, tuple(sorted(brings(effects, seen.findings))), shown, seen.findings)
    said: Reading = read(step.text, key, home, who="tool" if step.what == "result" else "user")
    role = "read" if step.what == "result" else "mentioned"
    secrets = tuple(Entity(role, "secret", finding.print) for finding in said.findings if finding.print)
    brought = result_brings(tool, said.findings) if step.what == "result" else prompt_brings(said.findings)
    beside = Beside(entities=(*said.named, *secrets), prints=said.prints, said=said.said, salt=salt)
    return Studied(bare, beside, commit(step.text.encode("utf-8", "replace"), salt), tuple(sorted(brought)))


def _tools(step: Step) -> tuple[Entity, ...]:
    server, _, tool = step.name.removeprefix("mcp__").partition("__")
    return (Entity("called", "tool", server),) if step.tool == "mcp" and tool else ()


def _models(step: Step) -> tuple[Entity, ...]:
    return (Entity("is", "model", step.model),) if step.model else ()


class _Life:
    """What the importer remembers of an agent while it reads."""

    __slots__ = ("id", "labels", "last", "open", "source")

    def __init__(self, identifier: str, source: str) -> None:
        self.id = identifier
        self.source = source
        self.labels: dict[Label, None] = {}
        self.open: dict[str, tuple[int, str]] = {}
        self.last = 0


class _Fold:
    """The sources' chains and the clock: all that the writer of a record without judging needs of the state."""

    def __init__(self) -> None:
        self.sources = Sources()
        self.last_ts = 0

    def apply(self, event: AnyEvent, beside: Beside, leaf_hash: str) -> None:  # noqa: ARG002 - the protocol's
        self.last_ts = event.ts
        if event.src is not None:
            self.sources.apply(event.src, leaf_hash)


class Importer:
    """Writes what transcripts tell into a record.

    Attributes:
        done: What came of it so far.
        is_foreign: Whether the last group held something, and nothing of it was understood.
    """

    def __init__(
        self,
        log: Log,
        key: bytes,
        *,
        home: str,
        sources: dict[str, tuple[int, str]],
        born: Callable[[str, str, str], str],
        intent: Callable[[str, str], int],
        now: Callable[[], int],
    ) -> None:
        """Begin.

        Args:
            log: The record of what was imported.
            key: Key of this host's prints.
            home: Home folder where a transcript does not tell of another.
            sources: Per source, the sequence number and leaf hash of its last event in that record.
            born: A door, a session and the host's id of a sub-agent to the agent that the record knows, or empty.
            intent: An agent and the host's id of a call to that call's event, or -1.
            now: Microseconds since 1970 UTC.
        """
        self._fold = _Fold()
        for known, (seq, leaf) in sources.items():
            self._fold.sources.apply(Source(id=known, seq=seq), leaf)
        self._at = 0
        self._now = now
        self._scribe = Scribe(log, self._fold, key, clock=lambda: self._at)
        self._key = key
        self._home = home
        self._known_birth = born
        self._intent = intent
        self._ids: dict[tuple[str, str, str], str] = {}
        self._lines: dict[str, tuple[str, int]] = {}
        self._lives: dict[tuple[str, str], _Life] = {}
        self._pool: ProcessPoolExecutor | None = None
        self.is_foreign = False
        self.done = Imported()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def group(self, form: Format, steps: Iterable[tuple[Path, Step]], before: dict[Path, int], otherwise: int) -> None:
        """Take the steps of one session's files, in order.

        Args:
            form: The host's form.
            steps: Steps with the file that they stand in.
            before: Per file, the last line that was taken when it was read before.
            otherwise: The time of steps for which the host wrote none.
        """
        counts = {path: [0, 0, 0, 0] for path in before}
        reasons: dict[Path, list[str]] = {path: [] for path in before}
        for one in self._studied(self._fresh(steps, before, counts, reasons)):
            self._take(form, one, otherwise)
        for life in self._lives.values():
            self._at = life.last or otherwise
            self._scribe.write(
                AgentEnded, agent=life.id, told_by=life.source, how="completed", detail="its transcript ends here"
            )
        self._lives.clear()  # Memory is for one session at a time, and for ids.
        self.is_foreign = not any(steps for _, steps, _, _ in counts.values()) and any(
            unread for _, _, unread, _ in counts.values()
        )
        self._told = counts
        self._reasons = reasons

    def read(self, form: Format, path: Path, digest: str, size: int, changed: str) -> None:
        """Write down that a file of the last group was read.

        Args:
            form: The host's form.
            path: The file.
            digest: SHA-256 (hex) of its bytes.
            size: How many bytes.
            changed: What is no longer as it was when it was read before, or empty.
        """
        lines, steps, unread, doubts = self._told[path]
        why = ([changed] if changed else []) + self._reasons[path]
        self._at = self._now()
        self._scribe.write(
            TranscriptRead,
            told_by="import",
            beside=Beside(private={"path": str(path.absolute())}),
            host=form.name,
            file=mark(path.absolute(), self._key),
            digest=digest,
            size=size,
            lines=lines,
            steps=steps,
            unread=unread,
            doubts=doubts + bool(changed),
            detail=cut("; ".join(why[:_MOST_REASONS]), 400, self._key),
        )
        done = self.done
        done.transcripts += 1
        done.steps += steps
        done.unread += unread
        done.doubts += doubts + bool(changed)
        done.reasons += [f"{path}: {reason}" for reason in why[:_MOST_REASONS]]

    def _fresh(
        self,
        steps: Iterable[tuple[Path, Step]],
        before: dict[Path, int],
        counts: dict[Path, list[int]],
        reasons: dict[Path, list[str]],
    ) -> Iterator[Step]:
        """Yield the steps that are new, counting; what cannot be read and what is doubtful is counted only."""
        for path, step in steps:
            count = counts[path]
            fresh = step.line > before[path]
            count[0] = max(count[0], step.line)
            if step.what in ("unread", "doubt"):
                count[2 if step.what == "unread" else 3] += 1
                if len(reasons[path]) < _MOST_REASONS:
                    reasons[path].append(f"line {step.line}: {step.text}")
            elif step.what in ("began", "ended"):
                yield step
            elif fresh:
                count[1] += 1
                yield step

    def _studied(self, steps: Iterable[Step]) -> Iterator[Studied | Step]:
        """Yield steps studied, in order; workers help once there are many."""
        tools: dict[str, str] = {}
        waiting: list[object] = []
        chunk: list[tuple[Step, str, bytes]] = []
        seen = 0
        for step in steps:
            if step.what in ("began", "ended"):
                yield from self._finish(waiting, chunk)
                yield step
                continue
            seen += 1
            if step.what == "call" and len(tools) < _MOST_OPEN:
                tools[step.id] = step.tool
            tool = tools.pop(step.id, "other") if step.what == "result" else step.tool
            chunk.append((step, tool, os.urandom(32)))
            if len(chunk) >= CHUNK:
                if seen <= FEW:
                    yield from self._finish(waiting, chunk)
                    continue
                waiting.append(self._workers().submit(studied, chunk, self._home, self._key))
                chunk = []
                if len(waiting) > 2 * _cores():
                    yield from waiting.pop(0).result()  # type: ignore[attr-defined]
        yield from self._finish(waiting, chunk)

    def _finish(self, waiting: list[object], chunk: list[tuple[Step, str, bytes]]) -> Iterator[Studied]:
        for one in waiting:
            yield from one.result()  # type: ignore[attr-defined]
        waiting.clear()
        yield from studied(chunk, self._home, self._key)
        chunk.clear()

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(_cores(), mp_context=get_context("spawn"))
        return self._pool

    def _take(self, form: Format, one: Studied | Step, otherwise: int) -> None:
        step = one.step if isinstance(one, Studied) else one
        life = self._life(form, step, otherwise)
        life.last = self._at = step.ts or life.last or otherwise
        if not isinstance(one, Studied):
            return
        source = life.source
        call = cut(step.id, 200, self._key)
        if step.what == "prompt":
            made: AnyEvent = self._scribe.write(
                Prompted, agent=life.id, told_by=source, beside=one.beside, content=one.content, adds=_labels(one.adds)
            )
        elif step.what == "call":
            made = self._scribe.write(
                CallDecided, agent=life.id, told_by=source, beside=one.beside, call=call, tool=step.tool,
                name=cut(step.name, 200, self._key), effects=one.effects, decision=NOT_JUDGED, chain=(),
                content=one.content, findings=one.findings, labels=tuple(life.labels), adds=_labels(one.adds),
            )  # fmt: skip
            if len(life.open) < _MOST_OPEN:
                life.open[call] = (made.n, step.tool)
        else:
            n, _ = life.open.pop(call, (-1, ""))
            made = self._scribe.write(
                CallResult, agent=life.id, told_by=source, beside=one.beside, call=call,
                intent=n if n >= 0 else self._intent(life.id, call), ok=step.ok, content=one.content,
                adds=_labels(one.adds),
            )  # fmt: skip
        for name in one.adds:
            life.labels[Label(name, made.n)] = None

    def _life(self, form: Format, step: Step, otherwise: int) -> _Life:
        """Return the agent of a step, born now if the record does not know it."""
        who = (step.session, step.agent)
        life = self._lives.get(who)
        if life is None:
            known = self._agent(form.door, *who)
            ts = step.ts or otherwise
            life = self._lives[who] = _Life(
                known or identity(form.door, *who, ts), f"import:{form.door}:{step.session}"[:200]
            )
            if not known:
                self._at = ts
                self._birth(form, step, life.id)
        return life

    def _agent(self, door: str, session: str, agent: str) -> str:
        """Return the agent that is known by a session, or empty."""
        who = (door, session, agent)
        known = self._ids.get(who)
        if known is None:
            known = self._known_birth(*who)
            if known:
                self._ids[who] = known
        return known

    def _birth(self, form: Format, step: Step, identifier: str) -> None:
        above = step.session if step.agent else step.parent
        parent = self._agent(form.door, above, "") if above else ""
        root, depth = self._lines.get(parent, (parent, 0))
        cwd = step.cwd
        self._scribe.write(
            AgentBorn,
            agent=identifier,
            told_by=f"import:{form.door}:{step.session}"[:200],
            beside=Beside(
                entities=(Entity("is", "session", step.session), *_models(step)),
                private={"home": home_of(cwd, self._home), "cwd": cwd, "repo": cwd} if cwd else {"home": self._home},
            ),
            charter=IMPORTED,
            digest="",
            chain=(),
            parent=parent,
            root=root or identifier,
            depth=depth + 1 if parent else 0,
            sponsor="",
            how=IMPORTED,
            door=form.door,
            session=cut(step.session, 200, self._key),
            host_agent=cut(step.agent, 200, self._key),
            expires=0,
            mode="observe",
        )
        self._ids[form.door, step.session, step.agent] = identifier
        self._lines[identifier] = (root or identifier, depth + 1 if parent else 0)
        self.done.agents += 1


def identity(door: str, session: str, agent: str, ts: int) -> str:
    """Return an imported agent's id: the same for the same session wherever and whenever its transcript is read."""
    seed = hashlib.sha256(f"{door}\0{session}\0{agent}".encode("utf-8", "replace")).digest()
    return agent_id(clock=lambda: ts * 1000, randomness=lambda count: seed[:count])


def mark(path: Path, key: bytes) -> str:
    """Return the keyed print by which a file is known again."""
    return hashlib.blake2b(os.fsencode(path), key=key[:64], digest_size=8).hexdigest()


def _labels(names: Iterable[str]) -> tuple[Label, ...]:
    return tuple(Label(name, -1) for name in names)


def _cores() -> int:
    return max(1, min(4, os.cpu_count() or 1))
