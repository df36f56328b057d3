"""Labels on one thing (an agent, a file), each firm or provisional.

A provisional label hangs on one call that was let through and whose result is not in; it goes only if that call is
proved never to have run. Whatever is held up by two calls, or by one that ran, is firm and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from outrider.events.call import Label

FIRM = -1
MAX_ORIGINS = 4
"""Firm origins kept of one label name on one thing: the earliest. The record has them all; a name never goes."""

Marks = dict[str, dict[int, int]]
"""Label name, to origin, to what holds it up: :data:`FIRM`, or the index of the call that it hangs on."""


def add(marks: Marks, labels: Iterable[Label], support: int) -> None:
    """Put ``labels`` on a thing, held up by ``support``."""
    for label in labels:
        origins = marks.setdefault(label.name, {})
        held = origins.get(label.origin)
        if held is not None:
            if held != support:
                origins[label.origin] = FIRM
        elif sum(s == FIRM for s in origins.values()) < MAX_ORIGINS:
            origins[label.origin] = support


def confirm(marks: Marks, support: int) -> None:
    """Make firm what hangs on ``support``; where enough is firm already, the name stands without it."""
    for origins in marks.values():
        for origin in [origin for origin, held in origins.items() if held == support]:
            if sum(s == FIRM for s in origins.values()) < MAX_ORIGINS:
                origins[origin] = FIRM
            else:
                del origins[origin]


def withdraw(marks: Marks, support: int) -> None:
    """Take away what hangs on ``support`` alone."""
    for name in list(marks):
        left = {origin: held for origin, held in marks[name].items() if held != support}
        if left:
            marks[name] = left
        else:
            del marks[name]


def labels(marks: Marks) -> Iterator[Label]:
    """Yield the labels, in no order."""
    for name, origins in marks.items():
        for origin in origins:
            yield Label(name, origin)
