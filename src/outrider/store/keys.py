"""How things are written in the view so that they are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.events.record import Beside

VALUE: Final = 6
"""Bytes of the print of a value."""

GIVEN: Final = 1 << 60
"""From this number on an entity is none of the table of entities, but a value that calls were given: the rest is its
print."""

WELL, RAN, DESPITE = 2, 4, 8
"""What is kept of a result beside 1: it went well; the call ran; it went well although the call was refused."""

SECRETS: Final = frozenset({"secret", "credential"})
"""Kinds of things that have to be changed once somebody met them."""


def backwards(host: str) -> str:
    """Return a host's labels in reverse, each followed by a dot, so that a domain is a prefix of its sub-domains.

    An e-mail address stands for its domain.
    """
    host = host.rpartition("@")[2]
    name = host.partition(":")[0] if host.count(":") == 1 else host
    return ".".join(reversed(name.split("."))) + "."


def values_of(beside: Beside) -> Iterable[int]:
    """Return the prints of the values that a call was given, each once: what free text is looked up by."""
    said = beside.said
    if not said:
        return ()
    data = said.get("whole", b"") + said.get("part", b"") + said.get("carried", b"")
    return dict.fromkeys(int.from_bytes(data[at : at + VALUE]) for at in range(0, len(data) - VALUE + 1, VALUE))
