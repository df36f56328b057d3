"""Where in a kept text stands what a call acted on: the very words, by their prints.

A call's values, acts and fingerprints are known by their prints alone. The text that may have brought them is cut into
the forms in which :mod:`outrider.flow.values`, :mod:`outrider.flow.acts` and :mod:`outrider.flow.prints` make prints;
what meets is marked where it stands. A pure function of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.flow.acts import ordered
from outrider.flow.orders import is_order
from outrider.flow.prints import fingerprints
from outrider.flow.values import SIZE, host_in, normal, printer

if TYPE_CHECKING:
    from outrider.investigate.carriers import Wanted

By = Literal["value", "thing", "act", "fingerprint"]
"""``value``: a value that the call was given. ``thing``: a thing that it names. ``act``: a sentence that asks for such
an act. ``fingerprint``: a word whose fingerprint is among those of its control arguments."""

MOST_TEXT: Final = 128 * 1024
"""Characters looked at."""
MOST_SPANS: Final = 200
"""Most spans of one text, the first of them."""
_RUN: Final = 6
"""Most words of one value."""
_PIECE: Final = 4

_ESCAPED = re.compile(r"\\[nrt\"]")
_WORD = re.compile(r"[^\s,;()\[\]{}<>\"'`|“”]+")
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?=\S)[^\n.!?]*)*[.!?]*")
_PARTS = re.compile(r"[A-Za-z0-9]+")


class Span(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Some words of a text.

    Attributes:
        at: Where it begins, in characters of the text as it is kept.
        end: Where it ends, exclusive.
        line: Its line, from 1.
        column: Its first character in that line, from 1.
        by: What it meets.
        text: The words themselves; an attacker may have written them.
    """

    at: int
    end: int
    line: int
    column: int
    by: By
    text: str


def spans(text: str, want: Wanted, key: bytes) -> tuple[Span, ...]:
    """Return where ``text`` holds what is wanted, in order.

    Of values that lie in one another the longer is given; a sentence that asks for the act may hold values.

    Args:
        text: As it was kept: secrets are out of it, and it may be cut.
        want: What a call acted on.
        key: Key of the prints.
    """
    # A text inside JSON: what stands for a line's end or a quote is no part of a word. Lengths stay as they are.
    plain = _ESCAPED.sub("  ", text[:MOST_TEXT])
    found: dict[tuple[int, int], By] = {}
    _values(plain, want, key, found)
    _things(plain, want, found)
    if not found and want.prints:
        _fingerprints(plain, want, key, found)
    kept = _outermost(found)
    if want.acts:
        kept |= dict.fromkeys(_acts(plain, want, key), "act")
    ends = [at for at, char in enumerate(text) if char == "\n"]
    return tuple(_span(text, at, end, kept[at, end], ends) for at, end in sorted(kept)[:MOST_SPANS])


def _span(text: str, at: int, end: int, by: By, ends: list[int]) -> Span:
    line = bisect_left(ends, at)
    start = ends[line - 1] + 1 if line else 0
    return Span(at=at, end=end, line=line + 1, column=at - start + 1, by=by, text=text[at:end])


def _values(plain: str, want: Wanted, key: bytes, found: dict[tuple[int, int], By]) -> None:
    if not want.values:
        return
    of, sought = printer(key), {int.from_bytes(value, "big") for value in want.values if len(value) == SIZE}
    start = 0
    for line in plain.split("\n"):
        words = [(one.start(), one.end()) for one in _WORD.finditer(line)]
        for position, (at, end) in enumerate(words):
            for low, high in _parts(line, at, end):
                if of(normal(line[low:high])) in sought:
                    found[start + low, start + high] = "value"
            phrase = normal(line[at:end])
            for begin, until in words[position + 1 : position + _RUN]:
                # As the words of a phrase are joined, and as a whole field is written.
                phrase = f"{phrase} {normal(line[begin:until])}".strip()
                if of(normal(line[at:until])) in sought or of(phrase) in sought:
                    found[start + at, start + until] = "value"
        start += len(line) + 1


def _parts(line: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Give a word without its edges, the host that it starts with, and the pieces of a compound one."""
    word = line[at:end]
    bare = word.strip(".,:;!?*_~")
    low = at + word.find(bare) if bare else at
    yield low, low + len(bare)
    host = host_in(normal(bare)) if "." in bare else ""
    if host:
        begin = bare.lower().find(host)
        if begin >= 0:
            yield low + begin, low + begin + len(host)
    for piece in _PARTS.finditer(word):
        if piece.end() - piece.start() >= _PIECE:
            yield at + piece.start(), at + piece.end()


def _things(plain: str, want: Wanted, found: dict[tuple[int, int], By]) -> None:
    low = plain.lower()
    if len(low) != len(plain):  # A few letters grow when they are made small: then places would be wrong.
        return
    for kind, value in want.things:
        sought = value.lower().removeprefix("~/") if kind == "path" else value.lower()
        at = low.find(sought) if len(sought) >= _PIECE else -1
        if at < 0 and kind == "path":
            sought = sought.rpartition("/")[2]
            at = low.find(sought) if len(sought) >= _PIECE else -1
        while at >= 0 and len(found) < MOST_SPANS:
            found.setdefault((at, at + len(sought)), "thing")
            at = low.find(sought, at + len(sought))


def _fingerprints(plain: str, want: Wanted, key: bytes, found: dict[tuple[int, int], By]) -> None:
    for word in _WORD.finditer(plain):
        if len(word[0]) >= _PIECE:
            prints = fingerprints(word[0], key, limit=16)
            if any(prints[at : at + 8] in want.prints for at in range(0, len(prints), 8)):
                found[word.start(), word.end()] = "fingerprint"
                if len(found) >= MOST_SPANS:
                    return


def _acts(plain: str, want: Wanted, key: bytes) -> list[tuple[int, int]]:
    """Return the sentences that ask for most of the acts; those that merely share a verb with the best are left out."""
    of = printer(key)
    sought = {int.from_bytes(act, "big") for act in want.acts}
    meets: dict[tuple[int, int], int] = {}
    for sentence in _SENTENCE.finditer(plain):
        words = sentence[0].strip()
        if words and is_order(words):
            count = sum(of(act) in sought for act in ordered([words]))
            if count:
                at = sentence.start() + sentence[0].find(words)
                meets[at, at + len(words)] = count
    best = max(meets.values(), default=0)
    return [place for place, count in meets.items() if count == best]


def _outermost(found: dict[tuple[int, int], By]) -> dict[tuple[int, int], By]:
    """Leave out what lies inside another."""
    kept: dict[tuple[int, int], By] = {}
    reach = -1
    for at, end in sorted(found, key=lambda place: (place[0], -place[1])):
        if end > reach:
            kept[at, end] = found[at, end]
            reach = end
    return kept
