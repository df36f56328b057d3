"""What is read out of a call or a result before it is judged: effects, findings, fingerprints, entities.

Pure functions of the text, and therefore the part that can be done in another process: inputs over
:data:`LARGE` bytes go to a worker in their agent's lane, so that nobody else waits for them.
"""

from __future__ import annotations

import datetime as dt
import os
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from outrider.detect.code.listing import MAX_TEXT, NAME, Listing, listing
from outrider.detect.code.vectors import silent
from outrider.detect.dependencies.known import SHIPPED, Facts
from outrider.detect.dependencies.look import dependencies
from outrider.detect.dependencies.marks import marked
from outrider.detect.excused import excused, open_ones
from outrider.detect.scan import scan_call, scan_text
from outrider.detect.smuggled import smuggled
from outrider.detect.written import WRITERS, Looked, look
from outrider.effects import plan
from outrider.events.call import Call, Effect, Finding, PathFact, Plan, Want
from outrider.events.codec import canonical, commit
from outrider.events.content import Commitment
from outrider.events.entities import mentions
from outrider.events.message import text_of
from outrider.events.record import Entity
from outrider.flow.acts import done
from outrider.flow.given import Given, given, steers
from outrider.flow.prints import control_text, fingerprints
from outrider.flow.values import asked, pack, printer, told

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping

    from outrider.detect.code.rule import Persona
    from outrider.effects.place import Place

T = TypeVar("T")
Who = Literal["user", "tool", "nobody"]

LARGE = 24 * 1024
"""Characters of a call or a result from which on it is studied in a worker process: about 2 ms of work."""

MOST_PRINTS = 64
MOST_CONTROL = 48
MOST_MENTIONS = 64
_PRINTED = 256 * 1024
_NOT_KEPT = Commitment(c="", size=0)


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """What a call's text says.

    Attributes:
        plan: Effects and the facts wanted.
        findings: What detectors saw.
        prints: Fingerprints of all its arguments.
        control: Fingerprints of its control arguments.
        content: Commitment to the canonical arguments.
        given: The values that it is given.
        said: Prints of those values and of the acts that the call is, as they lie beside its event.
        looked: What came of looking at the code that it writes.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    prints: bytes
    control: bytes
    content: Commitment
    given: tuple[Given, ...] = ()
    said: dict[str, bytes] = {}
    looked: Looked = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a result's text says.

    Attributes:
        findings: What detectors saw.
        prints: Fingerprints of it.
        named: Entities named in it.
        said: Prints of the values named in it, by where they stand.
    """

    findings: tuple[Finding, ...]
    prints: bytes
    named: tuple[Entity, ...]
    said: dict[str, bytes] = {}


def canonical_or_text(value: object) -> bytes:
    """Return canonical JSON of a host's arguments; text that has no UTF-8 form is replaced, so that it hashes."""
    try:
        return canonical(value)
    except (UnicodeEncodeError, msgspec.EncodeError, RecursionError):
        return repr(value).encode("utf-8", "replace")


def study(call: Call, place: Place, key: bytes, salt: bytes = b"", *, kept: bool = True) -> Study:
    """Return what a call's text says.

    Args:
        call: The call.
        place: Where it is made.
        key: Key of the prints.
        salt: That of the commitment to it, 32 random bytes.
        kept: False where nothing will be kept of it: fingerprints and commitment, which no decision reads, are empty.
    """
    planned = plan(call, place)
    prints = control = b""
    content = _NOT_KEPT
    of = printer(key)
    values = given(call, planned.effects, of)
    said: dict[str, bytes] = {}
    if kept:
        prints = fingerprints(text_of(call.args)[:_PRINTED], key, limit=MOST_PRINTS)
        control = fingerprints(control_text(call, planned.effects), key, limit=MOST_CONTROL)
        content = commit(canonical_or_text(call.args), salt)
        said = steers(values)
        said["acts"] = pack(of(one) for one in done(call.name, planned.effects))
    return Study(
        plan=planned,
        findings=(*scan_call(call, key), *smuggled(call)),
        prints=prints,
        control=control,
        content=content,
        given=values,
        said=said,
    )


def writes(call: Call, planned: Plan) -> bool:
    """Return whether a call puts text into files, as far as its own words tell."""
    return bool(planned.written) or call.tool in WRITERS


def inspect(
    call: Call, planned: Plan, facts: Mapping[str, PathFact], now: int = 0, persona: Persona = "everyday"
) -> tuple[tuple[Finding, ...], Looked]:
    """Return what the code that a call writes is found to hold, and what came of the look; see ``detect/written.py``.

    Args:
        call: The call.
        planned: Its plan.
        facts: What stands at the paths that it would write.
        now: Wall clock, microseconds since 1970 UTC, 0 where nobody says: suppressions may end.
        persona: Whose rules.
    """
    return look(call, planned, facts, day(now), persona)


def day(now: int) -> str:
    """Return the day, UTC, of a wall clock in microseconds since 1970; empty for 0."""
    return dt.datetime.fromtimestamp(now / 1_000_000, tz=dt.UTC).date().isoformat() if now else ""


def let_be(
    call: Call,
    planned: Plan,
    facts: Mapping[str, PathFact],
    findings: tuple[Finding, ...],
    *,
    repo: str,
    now: int,
    look_up: Callable[[Iterable[Want]], Mapping[str, PathFact]],
) -> tuple[Finding, ...]:
    """Return the findings, with the reasons of those that a comment or the repository's list lets be.

    Args:
        call: The call.
        planned: Its plan.
        facts: What stands at the paths that it would write.
        findings: What was found in it.
        repo: Its repository, or empty.
        now: Wall clock, microseconds since 1970 UTC.
        look_up: Says what stands at a path, for that list; it is only asked where something was found.
    """
    if not open_ones(findings):
        return findings
    return excused(call, planned, facts, findings, listed(repo, look_up), repo, day(now))


def listed(repo: str, look_up: Callable[[Iterable[Want]], Mapping[str, PathFact]]) -> Listing:
    """Return a repository's list of findings that are let be; an empty one where there is none, or no repository."""
    if not repo:
        return Listing()
    path = f"{repo}/{NAME}"
    fact = look_up([Want(path=path, content_limit=MAX_TEXT)]).get(path)
    return listing(fact.content.decode("utf-8", "replace")) if fact is not None and fact.content else Listing()


def names(call: Call, planned: Plan, facts: Mapping[str, PathFact], known: Facts = SHIPPED) -> tuple[Finding, ...]:
    """Return what is to be said of the packages that a call adds; see ``detect/dependencies/look.py``."""
    return dependencies(call, planned, facts, known)


def settled(
    effects: tuple[Effect, ...], planned: Plan, facts: Mapping[str, PathFact], known: Facts = SHIPPED
) -> tuple[Effect, ...]:
    """Return effects whose packages say what is known of their names; see ``detect/dependencies/marks.py``."""
    return marked(effects, planned, facts, known)


def read(text: str, key: bytes, home: str, path: str = "", who: Who = "nobody") -> Reading:
    """Return what a text says.

    Args:
        text: A result, or a prompt.
        key: Key of the prints.
        home: The agent's home.
        path: The file that it came from, or empty.
        who: Whose values it names: the ``user``'s, a ``tool``'s, or ``nobody``'s that a later call could take over.
    """
    said = asked(text, key) if who == "user" else told(text, key) if who == "tool" else {}
    return Reading(
        findings=scan_text(text, "result", key, path=path),
        prints=fingerprints(text[:_PRINTED], key, limit=MOST_PRINTS),
        named=mentions(text[:_PRINTED], MOST_MENTIONS, key=key, home=home),
        said=said,
    )


def weight(value: Any) -> int:
    """Return how many characters of text a host's JSON value holds, without joining them."""
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if item.__class__ is str:
            total += len(item)
        elif item.__class__ is dict:
            stack.extend(item.values())
        elif item.__class__ is list:
            stack.extend(item)
        total += 8
    return total


def _end_with_parent() -> None:
    """In a worker: end when the daemon does, however it ends.

    A worker holds both ends of its own queue, and would wait there for ever.
    """
    os.nice(5)  # What is large may wait a little for what is small.
    daemon = parent_process()
    assert daemon is not None

    def watch() -> None:
        daemon.join()
        os._exit(0)

    Thread(target=watch, daemon=True).start()


class Workers:
    """One worker process for what is large, started when first needed.

    Attributes:
        blind: Languages in which the rules about code did not find what they must; None until that was looked at.
    """

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self.blind: tuple[str, ...] | None = None
        self._pool: ProcessPoolExecutor | None = None

    async def study(self, loop: asyncio.AbstractEventLoop, call: Call, place: Place, key: bytes, salt: bytes) -> Study:
        """As :func:`study`, elsewhere.

        Raises:
            concurrent.futures.process.BrokenProcessPool: The worker died twice over it; the next call gets a new one.
        """
        return await self._twice(loop, study, call, place, key, salt)

    async def inspect(self, loop: asyncio.AbstractEventLoop, *given: Any) -> tuple[tuple[Finding, ...], Looked]:
        """As :func:`inspect` with what is ``given``, elsewhere."""
        return await self._twice(loop, inspect, *given)

    async def read(self, loop: asyncio.AbstractEventLoop, *given: Any) -> Reading:
        """As :func:`read` with what is ``given``, elsewhere."""
        return await self._twice(loop, read, *given)

    async def elsewhere(self, loop: asyncio.AbstractEventLoop, do: Callable[..., T], *given: Any) -> T:
        """Return what a pure function makes of what is ``given``, in the worker."""
        return await self._twice(loop, do, *given)

    async def _twice(self, loop: asyncio.AbstractEventLoop, do: Callable[..., T], *given: Any) -> T:
        pool = self._ready()
        try:
            return await loop.run_in_executor(pool, do, *given)
        except BrokenProcessPool:
            self.broken(pool)
        pool = self._ready()
        try:
            return await loop.run_in_executor(pool, do, *given)
        except BrokenProcessPool:
            self.broken(pool)
            raise

    def warm(self) -> None:
        """Start the worker now, so that the first large call does not pay for it, and let it look for its canaries."""
        self._ready().submit(silent).add_done_callback(self._told)

    def _told(self, done: Future[list[str]]) -> None:
        if done.cancelled() or done.exception() is not None:
            return  # The pool broke or ended; whoever uses it next is told.
        self.blind = tuple(done.result())

    def broken(self, pool: ProcessPoolExecutor) -> None:
        """Forget a worker that died, unless somebody else has seen to it already."""
        pool.shutdown(wait=False, cancel_futures=True)
        if self._pool is pool:
            self._pool = None

    def stop(self) -> None:
        """End the worker and wait for it."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # "spawn": the daemon has threads, and a forked child of a threaded process can inherit a held lock.
            self._pool = ProcessPoolExecutor(self._count, mp_context=get_context("spawn"), initializer=_end_with_parent)
        return self._pool
