"""From the steps of a transcript to events of a record: what was told, studied as if it had come through a door.

Nothing is judged here, and nothing that comes of it was witnessed: every agent is born ``imported``, every call says
so. Labels are kept as a door would have kept them, of a call's values too, so that charters can be replayed; which
arguments steer a tool is told by their names, since no charter was there to say it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Self

import msgspec

from outrider.events.call import Label
from outrider.events.event import Source
from outrider.events.imported import IMPORTED, NOT_JUDGED, TranscriptRead
from outrider.events.looking import looks_only
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
from outrider.flow.given import steering
from outrider.flow.origins import Known, labels_of
from outrider.gate.ahead import Ahead, Remembered, Studied, home_of, model_of
from outrider.gate.clean import cut
from outrider.gate.scribe import Scribe
from outrider.gate.sources import Sources
from outrider.identity.ids import agent_id

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.events.call import Effect
    from outrider.flow.given import Given
    from outrider.gate.scribe import Log
    from outrider.transcripts.step import Format, Step

_MOST_REASONS = 3
_MOST_OPEN = 100_000


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


class Session:
    """One session's files, which are read together.

    Attributes:
        form: The host's form.
        before: Per file, the last line that was taken when it was read before.
        otherwise: The time of steps for which the host wrote none.
        files: Per file, what is to be written down of it once it has been read.
        counts: Per file, the last line, steps taken, lines that could not be read, places that do not fit together.
        reasons: Per file, the first of both.
    """

    def __init__(
        self,
        form: Format,
        steps: Iterable[tuple[Path, Step]],
        before: dict[Path, int],
        otherwise: int,
        files: dict[Path, tuple[str, int, str]] | None = None,
    ) -> None:
        """Begin.

        Args:
            form: The host's form.
            steps: Steps with the file that they stand in.
            before: Per file, the last line that was taken when it was read before.
            otherwise: The time of steps for which the host wrote none.
            files: Per file, the SHA-256 (hex) of its bytes, how many they are, and what is no longer as it was when
                it was read before, or empty; what is to be written down of it once it has been read.
        """
        self.form = form
        self.before = before
        self.otherwise = otherwise
        self.files = files or {}
        self.counts = {path: [0, 0, 0, 0] for path in before}
        self.reasons: dict[Path, list[str]] = {path: [] for path in before}
        self._steps = steps

    @property
    def is_foreign(self) -> bool:
        """Whether the files held something, and nothing of it was understood."""
        counts = self.counts.values()
        return not any(steps for _, steps, _, _ in counts) and any(unread for _, _, unread, _ in counts)

    def fresh(self) -> Iterator[Step]:
        """Yield the steps that are new, counting; what cannot be read and what is doubtful is counted only."""
        for path, step in self._steps:
            count = self.counts[path]
            fresh = step.line > self.before[path]
            count[0] = max(count[0], step.line)
            if step.what in ("unread", "doubt"):
                count[2 if step.what == "unread" else 3] += 1
                if len(self.reasons[path]) < _MOST_REASONS:
                    self.reasons[path].append(f"line {step.line}: {step.text}")
            elif step.what in ("began", "ended"):
                yield msgspec.structs.replace(step, file=str(path))
            elif fresh:
                count[1] += 1
                yield msgspec.structs.replace(step, file=str(path))


class _Life:
    """What the importer remembers of an agent while it reads."""

    __slots__ = ("file", "id", "known", "labels", "last", "open", "source")

    def __init__(self, identifier: str, source: str, *, began: bool) -> None:
        """``began``: whether its life is told from here on; of one that goes on, what it was told before is unknown."""
        self.id = identifier
        self.file = ""
        self.source = source
        self.labels: dict[Label, None] = {}
        self.open: dict[str, tuple[int, str]] = {}
        self.last = 0
        self.known = Known(full=not began)

    def place(self, step: Step) -> dict[str, str]:
        """Return where a step stands: its line, and its file where its agent's birth does not name that."""
        line = {"line": str(step.line)}
        return line if step.file == self.file else {**line, "transcript": step.file}

    def values(self, given: tuple[Given, ...], effects: Iterable[Effect]) -> tuple[str, ...]:
        """Return the labels that a call's values bring, held against what the agent was told until then."""
        if not given or not (self.known.bits or self.known.full):
            return ()
        tool = next((effect.value for effect in effects if effect.verb == "call"), "")
        return tuple(sorted(labels_of(steering(given, looks=looks_only(tool)), self.known)))


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
        known: Remembered | None = None,
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
            known: What is remembered of texts from elsewhere, under the same key.
        """
        self._fold = _Fold()
        for source, (seq, leaf) in sources.items():
            self._fold.sources.apply(Source(id=source, seq=seq), leaf)
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
        self._ahead = Ahead(home, key, known)
        self.done = Imported()

    def __enter__(self) -> Self:
        self._ahead.__enter__()
        return self

    def __exit__(self, *told: object) -> None:
        self._ahead.__exit__(*told)

    def take(self, sessions: Iterable[Session]) -> Iterator[Session]:
        """Take the steps of many sessions, in order; yield each session once all of it is in the record."""
        now: Session | None = None
        for one in self._ahead.run(_items(sessions)):
            if isinstance(one, Session):
                if now is not None:
                    self._close(now)
                    yield now
                now = one
            elif now is not None:
                self._take(now.form, one, now.otherwise)
        if now is not None:
            self._close(now)
            yield now

    def _close(self, session: Session) -> None:
        """End the agents of a session, and write down that its files were read."""
        for life in self._lives.values():
            self._at = life.last or session.otherwise
            self._scribe.write(
                AgentEnded, agent=life.id, told_by=life.source, how="completed", detail="its transcript ends here"
            )
        self._lives.clear()  # Memory is for one session at a time, and for ids.
        for path, (digest, size, changed) in session.files.items():
            self._read(session, path, digest, size, changed)

    def _read(self, session: Session, path: Path, digest: str, size: int, changed: str) -> None:
        lines, steps, unread, doubts = session.counts[path]
        why = ([changed] if changed else []) + session.reasons[path]
        self._at = self._now()
        self._scribe.write(
            TranscriptRead,
            told_by="import",
            beside=Beside(private={"path": str(path.absolute())}),
            host=session.form.name,
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

    def _take(self, form: Format, one: Studied | Step, otherwise: int) -> None:
        step = one.step if isinstance(one, Studied) else one
        life = self._life(form, step, otherwise)
        life.last = self._at = step.ts or life.last or otherwise
        if not isinstance(one, Studied):
            return
        source = life.source
        beside = msgspec.structs.replace(one.beside, private=life.place(step))
        call = cut(step.id, 200, self._key)
        if step.what == "prompt":
            made: AnyEvent = self._scribe.write(
                Prompted, agent=life.id, told_by=source, beside=beside, content=one.content, adds=_labels(one.adds)
            )
        elif step.what == "call":
            made = self._scribe.write(
                CallDecided, agent=life.id, told_by=source, beside=beside, call=call, tool=step.tool,
                name=cut(step.name, 200, self._key), effects=one.effects, decision=NOT_JUDGED, chain=(),
                content=one.content, findings=one.findings, labels=tuple(life.labels), adds=_labels(one.adds),
                values=life.values(one.given, one.effects),
            )  # fmt: skip
            if len(life.open) < _MOST_OPEN:
                life.open[call] = (made.n, step.tool)
        else:
            n, _ = life.open.pop(call, (-1, ""))
            made = self._scribe.write(
                CallResult, agent=life.id, told_by=source, beside=beside, call=call,
                intent=n if n >= 0 else self._intent(life.id, call), ok=step.ok, content=one.content,
                adds=_labels(one.adds),
            )  # fmt: skip
        if step.what != "call":
            life.known.learn(one.beside.said)
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
                known or identity(form.door, *who, ts), f"import:{form.door}:{step.session}"[:200], began=not known
            )
            if not known:
                self._at = ts
                life.file = step.file
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
        places = {"home": home_of(cwd, self._home), "cwd": cwd, "repo": cwd} if cwd else {"home": self._home}
        self._scribe.write(
            AgentBorn,
            agent=identifier,
            told_by=f"import:{form.door}:{step.session}"[:200],
            beside=Beside(
                entities=(Entity("is", "session", step.session), *model_of(step)),
                private={**places, "transcript": step.file} if step.file else places,
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


def _items(sessions: Iterable[Session]) -> Iterator[Session | Step]:
    for session in sessions:
        yield session
        yield from session.fresh()
