"""What the five questions have in common on the command line: which record, as of when, and how it is answered."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from outrider.cli import elsewhere, reach, show
from outrider.cli.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outrider.investigate.coverage import Coverage
    from outrider.investigate.words import Line
    from outrider.store.view import View

HOW: Final = {
    "involved": (
        "The artefact is read as everything that it can be, each in its normal form, and looked up by value, "
        "digest, keyed print, or as a part of something. Of the agents found, who sent data out comes before who "
        "only connected, and that before who only read the name; what was refused or failed counts less. Without "
        "anybody found, 'no' is said only if the coverage allows it."
    ),
    "touched": (
        "Every thing that a call would touch was recorded with the call, before it ran; commits and names in "
        "outputs were recorded with results. They are counted once a role. 'tried' means that every such call was "
        "refused or never ran."
    ),
    "cause": (
        "What steers the call (where it goes, what it names), the act that it is, and its fingerprints are held "
        "against every prompt, result and hand-over before it. A value counts by where it stands (in an order "
        "most, in a tool's own field least), the more the fewer events hold it, and not at all where a result "
        "echoes its own call. Hand-overs are followed back to where the other agent had it from. Where the "
        "carried data came from is told apart."
    ),
    "blast": (
        "Forward from the event: labels that name it as their origin say who came under it; where there are none, "
        "its agent's context, children, reports and at most two files in a row do. Then the whole record is asked "
        "who else met the same content (by fingerprints) or place."
    ),
    "replay": (
        "The recorded input of every decision (effects, labels, findings, counters) is ruled on again with the "
        "draft in place of the charter of its name; everything else of each agent's chain stays as recorded. What "
        "an agent would have done after a call that the draft stops cannot be known."
    ),
    "rejudge": (
        "The arguments of each call are taken from its kept content and read by today's parsers and detectors. Where "
        "its paths led is taken from what was recorded; the call is read as made from its agent's first folder, and "
        "whatever else stood on the disk then is taken for absent. Labels, values, counters and sequences stay as "
        "recorded; so does what was found of secrets, where those were taken out before keeping."
    ),
}


def options(question: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that gives a command the options of a question."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--json", "as_json", is_flag=True, help="One object on stdout, versioned."),
            click.option("--explain", is_flag=True, help=f"Say how {question} is answered, with the answer."),
            click.option("--as-of", metavar="TIME", help="As the record stood then: 14:03, 7d, 2026-11-23T14:03Z."),
            click.option("--imported", is_flag=True, help="Ask what `outrider import` read; nobody witnessed that."),
        ):
            command = option(command)
        return elsewhere.options(command)

    return decorate


def view(*, imported: bool, as_of: str | None) -> View:
    """Return the view that is asked: of what was witnessed or imported, and of all of it or as it stood then.

    Raises:
        BadInputError: The moment cannot be read.
        UnavailableError: There is no such record.
    """
    if not as_of:
        return reach.view(imported=imported)
    from outrider.investigate.reach import record_of
    from outrider.store.follow import catch_up
    from outrider.store.view import View

    until = moment(as_of)
    home = reach.home()
    if imported:
        reach.has_imports(home)
        home = home.imported
    else:
        reach.sync(home)
    place = tempfile.mkdtemp(prefix="outrider-as-of-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    opened = View(Path(place) / "view.sqlite")
    reader = record_of(home)
    catch_up(opened, _Told(reader, until) if imported else _Until(reader, until))
    if imported:
        show.say(f"As of {show.when(until)} UTC, by the times that the transcripts themselves give.")
    else:
        show.say(f"As of {show.when(until)} UTC: {opened.size:,} events.")
    return opened


class _Until:
    """A record up to its first event after a moment; what came later is as if it had not happened yet."""

    def __init__(self, reader: Any, until: int) -> None:
        self._reader = reader
        self._until = until

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        from outrider.events.codec import decode

        for entry in self._reader.entries(start):
            if decode(entry.leaf).ts > self._until:
                return
            yield entry.leaf, entry.beside


class _Told:
    """What was imported, less what the transcripts date later than a moment. It stands in the order of reading.

    That a transcript was read, and what is wrong with it, is kept whenever that was: what it tells of then is no surer
    for that.
    """

    def __init__(self, reader: Any, until: int) -> None:
        self._reader = reader
        self._until = until

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        from outrider.events.codec import decode
        from outrider.events.imported import TranscriptRead
        from outrider.events.record import RecordOpened

        for entry in self._reader.entries(start):
            event = decode(entry.leaf)
            left_out = event.ts > self._until and not isinstance(event, TranscriptRead | RecordOpened)
            yield (b"", b"") if left_out else (entry.leaf, entry.beside)


def explain(question: str) -> None:
    """Say how a question is answered."""
    show.heading("\nHow this is answered")
    show.facts([("", HOW[question])], indent=0)


def covered(coverage: Coverage) -> None:
    """Say what could not be seen."""
    show.heading("\nCoverage")
    show.facts([("", coverage.statement)], indent=0)


def lines(title: str, found: Sequence[Line], most: int = 15) -> None:
    """Print events, one a line, under a heading."""
    if not found:
        return
    show.heading(f"\n{title}")
    show.table(["event", "time", "what"], [(str(one.n), show.when(one.ts), one.what) for one in found[:most]])
    left = len(found) - most
    if left > 0:
        click.echo(f"... and {left} more; --json lists them all.")
