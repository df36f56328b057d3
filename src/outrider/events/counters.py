"""The counts that budgets are held against."""

from __future__ import annotations

import msgspec


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts that budgets are held against, as they stood when the call was judged (this call included)."""

    calls: int = 0
    spawns: int = 0
    depth: int = 0
