"""Steps of transcripts studied ahead of their turn: each text once, and in worker processes once there are many.

Agents repeat themselves and one another: instructions, files, what commands print. What a text says depends on nothing
but the text and whose it is, so it is remembered by a digest of both, up to a bound; the commitment, whose salt is new
every time, is not. Whatever is remembered and whoever studies, the steps come out in the order in which they went in.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, Self, TypeVar

import msgspec

from outrider.effects.place import Place
from outrider.errors import OutriderError
from outrider.events.call import Call, Effect, Finding
from outrider.events.codec import commit
from outrider.events.content import Commitment
from outrider.events.entities import entities_of_effects
from outrider.events.record import Beside, Entity
from outrider.flow.given import Given
from outrider.flow.labels import brings, prompt_brings, result_brings
from outrider.gate.recorded import written
from outrider.gate.study import Reading, canonical_or_text, read, study
from outrider.transcripts.step import Step

T = TypeVar("T")

CHUNK: Final = 32
"""Steps that are studied together, so that a worker process is worth its messages."""

FEW: Final = 2_000
"""Steps that are studied here; from then on workers help."""

MOST_HELD: Final = 48 * 1024 * 1024
"""Bytes of what is remembered of texts."""

MOST_WAITING: Final = 16 * 1024 * 1024
"""Characters of texts that are under way at once, beside the one that is read."""

_MOST_OPEN: Final = 100_000
_HOMES = re.compile(r"(/home/[^/]+|/Users/[^/]+|/root)(?=/|\Z)")
_BYTES = 16


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What the text of a step says."""

    entities: tuple[Entity, ...]
    prints: bytes
    control: bytes
    said: dict[str, bytes]
    adds: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    findings: tuple[Finding, ...] = ()
    given: tuple[Given, ...] = ()


class Studied(msgspec.Struct, frozen=True):
    """A step with what its text says; its arguments and its text are gone."""

    step: Step
    beside: Beside
    content: Commitment
    adds: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    findings: tuple[Finding, ...] = ()
    given: tuple[Given, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Seen)


class Remembered:
    """What is known of texts, by their mark; what was not asked for longest is forgotten first."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._held = 0
        self._known: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, mark: bytes) -> bytes | None:
        """Return what is remembered, encoded, or None."""
        found = self._known.get(mark)
        if found is not None:
            self._known.move_to_end(mark)
        return found

    def put(self, mark: bytes, seen: bytes) -> None:
        """Remember something."""
        if mark in self._known:
            return
        self._known[mark] = seen
        self._held += len(seen) + 200
        while self._held > self._most:
            _, old = self._known.popitem(last=False)
            self._held -= len(old) + 200


class _Place:
    """A step's place in the row, and what is known of it so far."""

    __slots__ = ("content", "future", "mark", "salt", "same", "seen", "step", "tool", "weight")

    def __init__(self, step: Step, tool: str, salt: bytes, content: Commitment, mark: bytes) -> None:
        self.step = step
        self.tool = tool
        self.salt = salt
        self.content = content
        self.mark = mark
        self.seen: bytes | Seen | None = None
        self.same: _Place | None = None
        self.future: tuple[Future[list[bytes | Seen]], int] | None = None
        self.weight = 0


class Ahead:
    """Studies steps ahead of their turn."""

    def __init__(self, home: str, key: bytes, known: Remembered | None = None) -> None:
        """Begin.

        Args:
            home: Home folder where a step does not tell of another.
            key: Key of this host's prints.
            known: What is remembered from elsewhere, under the same key.
        """
        self._home = home
        self._key = key
        self._known = known or Remembered()
        self._row: deque[object] = deque()
        self._chunk: list[_Place] = []
        self._pending: dict[bytes, _Place] = {}
        self._tools: dict[str, str] = {}
        self._waiting = 0
        self._new = 0
        self._pool: ProcessPoolExecutor | None = None
        self._most = 2 * CHUNK * (_cores() + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def run(self, items: Iterable[Step | T]) -> Iterator[Studied | Step | T]:
        """Yield steps studied, and whatever stands between them as it is, in order.

        A result belongs to a call since the last item that is no step. What ``items`` raises is raised once all that
        came before has been yielded.
        """
        rest = iter(items)
        failed: OutriderError | None = None
        while True:
            try:
                item = next(rest)
            except StopIteration:
                break
            except OutriderError as error:
                failed = error
                break
            if not isinstance(item, Step):
                self._tools.clear()
                self._row.append(item)
            elif item.what in ("prompt", "call", "result"):
                self._put(item)
            else:
                self._row.append(item)
            yield from self._ready(self._most)
        yield from self._ready(0)
        if failed is not None:
            raise failed

    def _put(self, step: Step) -> None:
        tool: str = step.tool
        if step.what == "call" and len(self._tools) < _MOST_OPEN:
            self._tools[step.id] = tool
        elif step.what == "result":
            tool = self._tools.pop(step.id, "other")
        home = home_of(step.cwd, self._home)
        raw = canonical_or_text(step.args) if step.what == "call" else step.text.encode("utf-8", "replace")
        salt = os.urandom(32)
        mark = _mark(step, home, raw)
        bare = msgspec.structs.replace(step, args={}, text="")
        place = _Place(bare, tool, salt, commit(raw, salt), mark)
        self._row.append(place)
        place.seen = self._known.get(mark) if mark else None
        place.same = self._pending.get(mark) if mark and place.seen is None else None
        if place.seen is not None or place.same is not None:
            return
        place.step, place.weight = step, len(raw)
        self._waiting += len(raw)
        if mark:
            self._pending[mark] = place
        self._chunk.append(place)
        self._new += 1
        if len(self._chunk) >= CHUNK:
            self._send()

    def _send(self) -> None:
        """Have the chunk studied."""
        chunk, self._chunk = self._chunk, []
        asked = [(place.step, home_of(place.step.cwd, self._home)) for place in chunk]
        if self._new <= FEW:
            for place, seen in zip(chunk, looked(asked, self._key), strict=True):
                self._known_now(place, seen)
            return
        future = self._workers().submit(looked, asked, self._key)
        for at, place in enumerate(chunk):
            place.future = (future, at)
            place.step = msgspec.structs.replace(place.step, args={}, text="")

    def _known_now(self, place: _Place, seen: bytes | Seen) -> None:
        place.seen = seen
        place.future = None
        place.step = msgspec.structs.replace(place.step, args={}, text="")
        self._waiting -= place.weight
        self._pending.pop(place.mark, None)
        if place.mark and isinstance(seen, bytes):
            self._known.put(place.mark, seen)

    def _ready(self, most: int) -> Iterator[Studied | Step | T]:
        """Yield what stands at the front: all that is known, and more while too much is under way."""
        row = self._row
        while row:
            first = row[0]
            if isinstance(first, _Place):
                if not self._settled(first) and len(row) <= most and self._waiting <= MOST_WAITING:
                    return
                row.popleft()
                yield self._studied(first)
            else:
                row.popleft()
                yield first  # type: ignore[misc]

    def _settled(self, place: _Place) -> bool:
        """Tell whether a place need not be waited for."""
        place = place.same or place
        return place.seen is not None or (place.future is not None and place.future[0].done())

    def _studied(self, place: _Place) -> Studied:
        origin = place.same or place
        if origin.seen is None:
            if origin.future is None:
                self._send()
            if origin.future is not None:
                future, at = origin.future
                self._known_now(origin, future.result()[at])
        seen = _decoder.decode(origin.seen) if isinstance(origin.seen, bytes) else origin.seen
        assert seen is not None
        step, adds, findings = place.step, seen.adds, seen.findings
        if step.what == "result":
            adds, findings = tuple(sorted(result_brings(place.tool, findings))), ()
        models = model_of(step) if step.what == "call" else ()
        beside = Beside(
            entities=(*seen.entities, *models),
            prints=seen.prints,
            control=seen.control,
            said=seen.said,
            salt=place.salt,
        )
        return Studied(step, beside, place.content, adds, seen.effects, findings, seen.given)

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(_cores(), mp_context=get_context("spawn"))
        return self._pool


def looked(steps: list[tuple[Step, str]], key: bytes) -> list[bytes | Seen]:
    """Return what some steps say, each read in its agent's home, encoded where that can be. Runs anywhere."""
    out: list[bytes | Seen] = []
    for step, home in steps:
        seen = look(step, home, key)
        try:
            out.append(_encoder.encode(seen))
        except UnicodeEncodeError:
            out.append(seen)
    return out


def look(step: Step, home: str, key: bytes) -> Seen:
    """Return what one step says.

    Args:
        step: A prompt, a call or a result.
        home: Its agent's home.
        key: Key of this host's prints.
    """
    if step.what == "call":
        return _call(step, home, key)
    said: Reading = read(step.text, key, home, who="tool" if step.what == "result" else "user")
    role = "read" if step.what == "result" else "mentioned"
    secrets = tuple(Entity(role, "secret", finding.print) for finding in said.findings if finding.print)
    brought = () if step.what == "result" else tuple(sorted(prompt_brings(said.findings)))
    return Seen((*said.named, *secrets), said.prints, b"", said.said, brought, (), said.findings)


def _call(step: Step, home: str, key: bytes) -> Seen:
    cwd = step.cwd or home
    call = Call(door="", session=step.session, call_id=step.id, tool=step.tool, name=step.name, args=step.args, cwd=cwd)
    seen = study(call, Place(home=home, repo=cwd, cwd=cwd), key)
    effects = seen.plan.effects
    server, _, tool = step.name.removeprefix("mcp__").partition("__")
    called = (Entity("called", "tool", server),) if step.tool == "mcp" and tool else ()
    return Seen(
        entities=(*entities_of_effects(effects, home=home, key=key), *called),
        prints=seen.prints,
        control=seen.control,
        said=seen.said,
        adds=tuple(sorted(brings(effects, seen.findings))),
        effects=tuple(written(effect, home, key) for effect in effects),
        findings=seen.findings,
        given=seen.given,
    )


def model_of(step: Step) -> tuple[Entity, ...]:
    """Return the model that a step names."""
    return (Entity("is", "model", step.model),) if step.model else ()


def home_of(cwd: str, otherwise: str) -> str:
    """Return the home folder that a working directory lies in, by its name, for it may be another machine's."""
    found = _HOMES.match(cwd)
    return found[1] if found else otherwise


def _mark(step: Step, home: str, raw: bytes) -> bytes:
    """Return a digest of all that decides what a step says; empty for what has no plain form and is not remembered."""
    if step.what != "call":
        if b"?" in raw and not _is_plain(step.text):
            return b""
        about = f"{step.what}\0{home}\0".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(about + raw, digest_size=_BYTES).digest()
    try:
        # The order of arguments decides which come first where there are too many, and canonical JSON has none.
        told = _encoder.encode((step.name, step.tool, step.cwd, home, step.args))
    except (UnicodeEncodeError, msgspec.EncodeError, OverflowError, TypeError, RecursionError):
        return b""
    return hashlib.blake2b(told, digest_size=_BYTES, person=b"call").digest()


def _is_plain(text: str) -> bool:
    """Tell whether a text has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cores() -> int:
    return max(1, min(4, os.cpu_count() or 1))
