"""Reading hosts' own transcripts into a record of their own, beside the one of what was witnessed."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.daemon.wiring import origin
from outrider.errors import BadInputError, UnavailableError
from outrider.events.codec import encode
from outrider.events.event import VERSION
from outrider.events.imported import TranscriptRead
from outrider.events.record import RecordOpened
from outrider.gate.imports import Imported, Importer, Session, mark
from outrider.investigate.reach import Pairs
from outrider.ledger.keys import log_key, print_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.store import reading
from outrider.store.follow import catch_up
from outrider.store.view import View
from outrider.transcripts.registry import files, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from outrider.config import Home
    from outrider.transcripts.step import Format

FLUSH = 4_096
"""Events after which what waits is put on disk, so that memory does not grow with a transcript."""

_PIECE = 1024 * 1024


class _Flushed:
    """A ledger that is flushed every so many events."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting = 0

    @property
    def size(self) -> int:
        return self._ledger.size

    def append(self, build: Callable[[int], tuple[bytes, bytes]], *, seal: bool = False) -> int:
        n = self._ledger.append(build, seal=seal)
        self._waiting += 1
        if self._waiting >= FLUSH:
            self._ledger.flush()
            self._waiting = 0
        return n

    async def durable(self, n: int) -> None:  # noqa: ARG002 - the protocol's
        self._ledger.flush()


def imports(home: Home, form: Format, paths: Iterable[Path], progress: Callable[[Imported], None]) -> Imported:
    """Read transcripts into the record of what was imported; return what came of it.

    What was read before and has not changed is passed over; of a transcript that has grown, only what is new is taken.

    Args:
        home: Outrider's home, whose keys are used.
        form: The host's form.
        paths: Files, or folders that are searched.
        progress: Called after each session with what came of it so far.

    Raises:
        BadInputError: A path does not exist, or nothing in a file is a transcript of this host.
        UnavailableError: A file cannot be read, or another import is running.
        RecordError: The disk refuses.
    """
    groups = [group for path in paths for group in files(form, path)]
    home.make()
    own = home.imported
    for directory in (own.root, own.record, own.view.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = print_key(home.keys / "print.key")
    ledger = Ledger.open(own.record, origin=f"{origin(home)}/imported", key=log_key(home.keys / "log.key"))
    with ledger, View(own.view) as view:
        if not ledger.size:
            _open(ledger)
        catch_up(view, Pairs(Reader(own.record)))
        before = _before(view)
        with Importer(
            _Flushed(ledger),
            key,
            home=str(Path.home()),
            sources={source: (seq, prev) for source, seq, prev in view.rows("SELECT id, seq, prev FROM sources")},
            born=lambda door, session, agent: _agent(view, door, session, agent),
            intent=lambda agent, call: _intent(view, agent, call),
            now=_now,
        ) as importer:
            done = importer.done
            for session in importer.take(_sessions(form, groups, before, key, done)):
                if session.is_foreign and not any(session.before.values()):
                    raise BadInputError(
                        f"{next(iter(session.before))}: nothing in it was understood as a transcript of {form.title}",
                        fix=f"Name the host that wrote it; {form.title} keeps transcripts in {form.where}.",
                    )
                progress(done)
        ledger.flush()
        catch_up(view, Pairs(Reader(own.record)))
    return done


def _open(ledger: Ledger) -> None:
    opened = RecordOpened(v=VERSION, n=0, ts=_now(), origin=ledger.origin, vkey=ledger.vkey)
    ledger.append(lambda _: (encode(opened), b""), seal=True)
    ledger.flush()


def _sessions(
    form: Format, groups: Iterable[tuple[Path, ...]], before: dict[str, TranscriptRead], key: bytes, done: Imported
) -> Iterator[Session]:
    """Yield the sessions that are to be read: all but those of which every file is known as it is."""
    for group in groups:
        last = {path: before.get(mark(path.absolute(), key)) for path in group}
        looked = {path: _digest(path, last[path]) for path in group}
        if all(not fresh for _, _, _, fresh in looked.values()):
            done.known += len(group)
            continue
        yield Session(
            form,
            steps(form, group),
            {path: known.lines if known else 0 for path, known in last.items()},
            min(int(path.stat().st_mtime * 1_000_000) for path in group),
            {path: (digest, size, changed) for path, (digest, size, changed, _) in looked.items()},
        )


def _digest(path: Path, last: TranscriptRead | None) -> tuple[str, int, str, bool]:
    """Return a file's SHA-256 and size, what is no longer as it was when it was read last, and whether it is new."""
    whole, part = hashlib.sha256(), hashlib.sha256()
    size = 0
    until = last.size if last else 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                whole.update(piece)
                part.update(piece[: max(0, until - size)])
                size += len(piece)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
    if last is None:
        return whole.hexdigest(), size, "", True
    changed = "" if part.hexdigest() == last.digest else "what was read before is no longer as it was"
    return whole.hexdigest(), size, changed, whole.hexdigest() != last.digest


def _before(view: View) -> dict[str, TranscriptRead]:
    """Return the last reading of each file, by the print of its path."""
    out: dict[str, TranscriptRead] = {}
    numbers = reading.of_kind(view, "transcript.read")
    for event in reading.leaves(view, numbers):
        if isinstance(event, TranscriptRead):
            out[event.file] = event
    return out


def _agent(view: View, door: str, session: str, agent: str) -> str:
    row = view.one("SELECT id FROM agents WHERE session = ? AND host_agent = ? AND door = ?", session, agent, door)
    return str(row[0]) if row else ""


def _intent(view: View, agent: str, call: str) -> int:
    row = view.one(
        "SELECT max(n) FROM events WHERE call = ? AND call != '' AND agent = ? AND kind = 'call.decided'", call, agent
    )
    return int(row[0]) if row and row[0] is not None else -1


def _now() -> int:
    return time.time_ns() // 1000
