"""Whether a call carried what a credential's reading had brought: told by keyed prints of values, not by them.

A call's values are printed as they stand and as they read once hexadecimal, base64 and percent signs are undone. What
the reading brought, and neither its own arguments nor the text that led to the act named, is the secret's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from outrider.events.record import CallResult
from outrider.investigate.carriers import split
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

_GIVEN: Final = ("whole", "part", "carried")
_BROUGHT: Final = ("field", "text", "order", "secret")
_SIZE: Final = 6
MOST_READS: Final = 50
"""Readings of credentials that an act is held against, the first ones."""


def carried(view: View, act: int, reads: Iterable[int], apart: Iterable[int] = ()) -> int:
    """Return the event that brought a value which the call ``act`` was given, of those that read a credential; or -1.

    Args:
        view: The view.
        act: A call.
        reads: Calls that read a credential, or results that held one.
        apart: Events whose values say nothing: the texts that led to the act.
    """
    given = _values(view, act, _GIVEN)
    if not given:
        return -1
    for event in apart:
        given -= _values(view, event, (*_BROUGHT, "user"))
    for read in list(dict.fromkeys(reads))[:MOST_READS]:
        call, result = _pair(view, read)
        if 0 <= result < act and (given - _values(view, call, _GIVEN)) & _values(view, result, _BROUGHT):
            return result
    return -1


def _pair(view: View, n: int) -> tuple[int, int]:
    """Return the call and the result that an event is or belongs to; -1 where there is none."""
    event = reading.peek(view, n)
    if isinstance(event, CallResult):
        return event.intent, n
    found = reading.result_of(view, n)
    return n, -1 if found is None else found


def _values(view: View, n: int, places: Iterable[str]) -> frozenset[bytes]:
    if n < 0:
        return frozenset()
    told = reading.beside(view, n).said
    return frozenset(value for place in places for value in split(told.get(place, b""), _SIZE))
