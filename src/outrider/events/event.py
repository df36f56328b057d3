"""What every entry of the record carries. The kinds are in :mod:`outrider.events.record`."""

from __future__ import annotations

import msgspec

VERSION = 1
"""Version of the event format. A reader refuses any other."""


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who told us, and whether anything of theirs is missing.

    Attributes:
        id: The source: a door and its session, or ``daemon``.
        seq: Position of this event among the source's, from 0.
        prev: Leaf hash (hex) of the source's previous event, empty for its first.
        lost: How many messages of this source are known to be missing just before this one.
    """

    id: str
    seq: int
    prev: str = ""
    lost: int = 0


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    """What every event carries.

    Attributes:
        v: Version of the format, always written.
        n: Index in the record, from 0. Carried inside so that a leaf cannot be passed off as another.
        ts: Wall clock, microseconds since 1970 UTC.
        agent: Id of the agent that it concerns, or empty.
        src: The source and its sequence.
        beside: SHA-256 (hex) of the encoded :class:`Beside`, or empty if there is none.
        back: Microseconds by which the wall clock had jumped back since the event before, 0 otherwise.
    """

    v: int
    n: int
    ts: int
    agent: str = ""
    src: Source | None = None
    beside: str = ""
    back: int = 0
