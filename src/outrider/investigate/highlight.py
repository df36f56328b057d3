"""The exact words of a kept content that made an agent act, beside the answer of :mod:`outrider.investigate.cause`.

Where the content is kept and its reader may open it, what the call acted on is marked where it stands. Where it is
not, the answer says which of the reasons it is, and is less sure: only fingerprints say so then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.errors import OutriderError, TamperedError
from outrider.events.imported import IMPORTED
from outrider.events.record import AgentBorn, Beside
from outrider.investigate.carriers import said, split, wanted
from outrider.investigate.cause import Cause, Source, call_of
from outrider.investigate.spans import Span, spans
from outrider.investigate.transcribed import place_of
from outrider.store import reading
from outrider.store.kept import stored

if TYPE_CHECKING:
    from outrider.investigate.carriers import Wanted
    from outrider.store.view import View

State = Literal["shown", "erased", "never kept", "not opened", "changed"]
"""``shown``: it was read. ``erased``: it was kept, and its keys are gone. ``never kept``: it never was. ``not opened``:
it is kept, and this reader may not open it, or nobody is there to record that it is read. ``changed``: what is kept is
not what the record says."""

Open = Callable[[int], bytes | None]
"""Gives the text that is kept of an event's content, and has it recorded that it is read; None where nothing is.

Raises:
    TamperedError: What is kept was changed.
    OutriderError: It may not be read here and now.
"""

MOST_SHOWN: Final = 3
"""Most causes whose content is opened: reading is recorded, and who asks for one cause need not read all."""
MOST_LINES: Final = 4
_ROOM: Final = 160
_BEFORE: Final = 40


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of one line.

    Attributes:
        line: The line, from 1.
        column: Its first character in that line, from 1.
        at: Its first character in the text.
        text: It. Written by an attacker: escape it.
        spans: What is marked in it.
    """

    line: int
    column: int
    at: int
    text: str
    spans: tuple[Span, ...] = ()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one event, as far as it can be shown.

    Attributes:
        event: Whose content it is.
        of: The event that the answer names; another one where an instruction lies in a parent's call.
        state: Whether it could be shown.
        why: Why not, or empty.
        size: Characters of the text as it is kept.
        spans: Where it holds what the call acted on: offsets in characters of the text as it is kept.
        excerpts: The lines that hold most of that, in order; of an instruction without any, its beginning.
    """

    event: int
    of: int
    state: State
    why: str = ""
    size: int = 0
    spans: tuple[Span, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()


class Highlighted(msgspec.Struct, frozen=True, kw_only=True):
    """A cause, and the words of it.

    Attributes:
        cause: The answer; less sure where its content could not be read any more.
        shown: The contents of its first causes, the likeliest first.
        instruction: The content of the last instruction before the call, or None if there was none.
    """

    cause: Cause
    shown: tuple[Shown, ...]
    instruction: Shown | None


def highlight(view: View, told: Cause, opened: Open, key: bytes) -> Highlighted:
    """Return a cause with the words that made the agent act.

    Args:
        view: The view that was asked.
        told: Its answer.
        opened: Opens contents.
        key: Key of this host's prints; without it no value can be marked.
    """
    with view.snapshot():
        call = call_of(view, reading.event(view, told.call.n))
        want = wanted(reading.beside(view, call.n)) if call is not None else None
        shown = [
            _show(view, source.event.n, want, opened, key)
            for source in told.ranked[:MOST_SHOWN]
            if source.confidence not in {"time", "label"}
        ]
        prompt = told.in_force.prompt if told.in_force is not None else None
        instruction = None
        if prompt is not None:
            known = next((one for one in shown if one.of == prompt.n), None)
            instruction = known or _show(view, prompt.n, want, opened, key)
    unread = {one.of: one for one in shown if one.state in {"erased", "never kept"}}
    ranked = tuple(_less_sure(source) if source.event.n in unread else source for source in told.ranked)
    statement = told.statement
    if ranked and ranked[0].event.n in unread and ranked[0].erased < 0:
        statement += f" {_lacking(unread[ranked[0].event.n])}: only fingerprints say so."
    return Highlighted(
        cause=msgspec.structs.replace(
            told, ranked=ranked, confidence=ranked[0].confidence if ranked else "", statement=statement
        ),
        shown=tuple(shown),
        instruction=instruction,
    )


def _lacking(one: Shown) -> str:
    return f"Its content was {one.state}" + (f" ({one.why})" if one.why else "")


def _less_sure(source: Source) -> Source:
    return msgspec.structs.replace(source, confidence="fingerprint") if source.confidence == "value" else source


def _show(view: View, n: int, want: Wanted | None, opened: Open, key: bytes) -> Shown:
    at = _where(view, n)
    kept = stored(view, at)
    if kept is None:
        whose = reading.agent(view, reading.event(view, at).agent)
        imported = whose is not None and whose.charter == IMPORTED
        place = place_of(view, at)
        held = f"it was imported from a host's transcript, which holds it{f' in {place.words}' if place else ''}"
        why = held if imported else "the record names none"
        return Shown(event=at, of=n, state="never kept", why=why)
    if kept.erased >= 0:
        return Shown(event=at, of=n, state="erased", why=f"event {kept.erased}")
    try:
        data = opened(at)
    except TamperedError as error:
        return Shown(event=at, of=n, state="changed", why=str(error))
    except OutriderError as error:
        return Shown(event=at, of=n, state="not opened", why=str(error))
    if data is None:
        return Shown(event=at, of=n, state="erased", why="its key is gone")
    text = data.decode("utf-8", "replace")
    found = spans(text, _held(reading.beside(view, at), want), key) if want is not None and key else ()
    return Shown(event=at, of=n, state="shown", size=len(text), spans=found, excerpts=_excerpts(text, found))


def _where(view: View, n: int) -> int:
    """Return whose content tells what event ``n`` brought: a child's first instruction lies in its parent's call."""
    if isinstance(reading.event(view, n), AgentBorn):
        row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'spawn'", n)
        if row:
            return int(row[0])
    return n


def _held(beside: Beside, want: Wanted) -> Wanted:
    """Return what of the wanted this event is known to hold, so that nothing else is marked by chance."""
    prints, things = said(beside)
    told = beside.said
    values = {one for place in told.values() for one in split(place, 6)}
    return msgspec.structs.replace(
        want,
        prints=want.prints & prints,
        things=want.things & things,
        values={value: weight for value, weight in want.values.items() if value in values},
        acts=want.acts & split(told.get("asks", b""), 6) if "asks" in told else frozenset(),
    )


def _excerpts(text: str, found: tuple[Span, ...]) -> tuple[Excerpt, ...]:
    """Return the lines that hold most, long ones cut to what lies around the first span."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    by_line: dict[int, list[Span]] = {}
    for span in found:
        by_line.setdefault(span.line, []).append(span)
    if not by_line:
        return _beginning(lines)
    best = sorted(by_line, key=lambda number: (-len(by_line[number]), number))[:MOST_LINES]
    return tuple(_excerpt(lines[number - 1], number, starts[number - 1], by_line[number]) for number in sorted(best))


def _excerpt(line: str, number: int, start: int, held: list[Span]) -> Excerpt:
    low, high = 0, len(line)
    if high > _ROOM:
        # A sentence that asks may be long itself; what it names is what is looked for in it.
        inner = [span for span in held if span.by != "act"] or held
        low = max(0, inner[0].at - start - _BEFORE)
        high = min(len(line), low + _ROOM)
    inside = tuple(span for span in held if span.at < start + high and span.end > start + low)
    return Excerpt(line=number, column=low + 1, at=start + low, text=line[low:high], spans=inside)


def _beginning(lines: list[str]) -> tuple[Excerpt, ...]:
    at = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            return (Excerpt(line=number, column=1, at=at, text=line[:_ROOM]),)
        at += len(line) + 1
    return ()
