"""What an agent was told, and by whom: the memory against which the values of its next calls are held.

Folded from the record: a prompt's words are the user's, a result's values are the tool's fields or somebody's free
text. Only prints are kept. A class of a value goes by no event but the agent's end; where the memory is full, what it
could not take is not forgotten but unknown, and what is unknown counts as told by free text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from outrider.flow.given import Given, Word
from outrider.flow.values import unpack

USER, FIELD, TEXT, ORDER, HIDDEN = 1, 2, 4, 8, 16
BITS = {"user": USER, "field": FIELD, "text": TEXT, "order": ORDER, "secret": HIDDEN}

MAX_KNOWN = 4_096
"""Most values of one agent: about 0.4 MB when full, 30 KB in an ordinary session."""

ORDERED, SUGGESTED, UNTRUSTED, SECRET = "ordered-value", "suggested-value", "untrusted-value", "secret-value"
LABELS = (SECRET, ORDERED, SUGGESTED, UNTRUSTED)
"""The labels of values, the heaviest first. An ordered value is a suggested one, and that an untrusted one."""

_IMPLIES = {
    SECRET: (SECRET,),
    ORDERED: (ORDERED, SUGGESTED, UNTRUSTED),
    SUGGESTED: (SUGGESTED, UNTRUSTED),
    UNTRUSTED: (UNTRUSTED,),
}


class Known(msgspec.Struct):
    """What one agent was told.

    Attributes:
        bits: Print of a value, to the places where it was told.
        full: True once something could not be taken in.
        secrets: True once a secret's value is among them.
    """

    bits: dict[int, int] = {}
    full: bool = False
    secrets: bool = False

    def learn(self, said: Mapping[str, bytes]) -> None:
        """Take in what was told, by place (:data:`BITS`)."""
        held = self.bits
        for place, data in said.items():
            if place == "cut":
                self.full = True
                continue
            if place not in BITS:
                continue  # Acts and the like: no values.
            bit = BITS[place]
            self.secrets = self.secrets or (bit == HIDDEN and bool(data))
            prints = dict.fromkeys(unpack(data))
            for one in prints.keys() & held.keys():
                held[one] |= bit
            fresh = [one for one in prints if one not in held]
            room = MAX_KNOWN - len(held)
            held.update(dict.fromkeys(fresh[:room], bit))
            self.full = self.full or len(fresh) > room

    @property
    def hidden(self) -> frozenset[int]:
        """The prints by which secrets are known again."""
        return frozenset(one for one, bits in self.bits.items() if bits & HIDDEN) if self.secrets else frozenset()

    def copy(self) -> Known:
        """Return the same knowledge, to go its own way."""
        return Known(dict(self.bits), self.full, self.secrets)

    def of(self, print_: int) -> int:
        """Return where a value was told, as bits."""
        return self.bits.get(print_, TEXT if self.full else 0)


def origin(value: Given, known: Known, *, steers: bool) -> str:
    """Return the label of one value, or an empty text if nothing speaks against it.

    Trusted is what the user said, what stands in a field that the tool made, and what the agent found by itself. A
    value out of an order weighs most, unless the user's own words name it in part or a field holds it as well.

    Args:
        value: The value.
        known: What the agent was told.
        steers: Whether it stands in a control argument.
    """
    new = [word for word in value.words if not known.of(word.print) & USER]
    whole = known.of(value.whole) if value.whole else 0
    if whole & USER or not new:
        return ""
    if not steers:
        return _carried(value, whole, new, known)
    if whole & ORDER:
        return _weigh(value.names, whole, known)
    for word in new:
        if word.salient and known.of(word.print) & ORDER and not whole & FIELD:
            return _weigh(word.names, known.of(word.print), known)
        if word.host and known.of(word.host) & ORDER and not known.of(word.host) & (USER | FIELD):
            return _weigh(word.names, 0, known)
    if whole & FIELD or all(known.of(word.print) & FIELD for word in new):
        return ""
    if whole & TEXT or any(word.salient and known.of(word.print) & (TEXT | ORDER) for word in new):
        return UNTRUSTED
    # In disguise, nobody but the one who hid it named it.
    hidden = [known.bits.get(one, 0) for one in value.again]
    if any(bits & (ORDER | USER | FIELD) == ORDER for bits in hidden):
        return ORDERED
    return UNTRUSTED if any(bits & (TEXT | USER | FIELD) == TEXT for bits in hidden) else ""


def _carried(value: Given, whole: int, new: list[Word], known: Known) -> str:
    """Of what is carried, an address or a short text that an order dictates weighs; anything else may be quoted."""
    if whole & ORDER and len(value.words) > 1:
        return _weigh(value.names, whole, known)
    for word in new:
        if word.leads and known.of(word.print) & (ORDER | FIELD) == ORDER:
            return _weigh(word.names, 0, known)
    return ""


def _weigh(names: Iterable[int], bits: int, known: Known) -> str:
    if bits & FIELD or any(known.of(name) & USER for name in names):
        return SUGGESTED
    return ORDERED


def labels_of(values: Iterable[tuple[Given, bool]], known: Known) -> dict[str, str]:
    """Return the labels that a call's values bring, each with the argument that brings it.

    Args:
        values: The values that matter, each with whether it steers.
        known: What the agent was told.
    """
    found: dict[str, str] = {}
    for value, steers in values:
        label = origin(value, known, steers=steers)
        if label:
            for one in _IMPLIES[label]:
                found.setdefault(one, value.name)
    return found
