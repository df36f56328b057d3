"""The counts that budgets are held against."""

from __future__ import annotations

import msgspec


class Used(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent has used by its host's word; -1 is what the host did not tell.

    Attributes:
        tokens: Tokens that the model wrote or was given, without those that it read again from a cache.
        cost: Millionths of a US dollar, for the whole session.
    """

    tokens: int = -1
    cost: int = -1


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts that budgets are held against, as they stood when the call was judged (this call included).

    ``tokens`` and ``cost`` are as in :class:`Used`, and are looked up only where a charter limits them.
    """

    calls: int = 0
    spawns: int = 0
    depth: int = 0
    tokens: int = -1
    cost: int = -1
