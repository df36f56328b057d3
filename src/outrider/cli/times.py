"""Moments as people write them on a command line."""

from __future__ import annotations

import datetime as dt
import re
import time

from outrider.errors import BadInputError

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])\Z")
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}


def moment(text: str, *, now: int = 0) -> int:
    """Return the moment that ``text`` names, microseconds since 1970 UTC.

    Args:
        text: A length of time before now (``90m``, ``7d``), a day, a day with a time, or a time of today, all UTC
            unless an offset is written: ``2026-11-23``, ``2026-11-23 14:03``, ``2026-11-23T14:03:11+01:00``, ``14:03``.
        now: What now is, in the same unit; 0 for the clock's.

    Raises:
        BadInputError: It names none.
    """
    here = now or time.time_ns() // 1000
    wanted = text.strip()
    if found := _AGO.match(wanted):
        return here - int(found[1]) * _UNIT[found[2]] * 1_000_000
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", wanted):
        wanted = f"{dt.datetime.fromtimestamp(here / 1e6, tz=dt.UTC):%Y-%m-%d} {wanted.zfill(5)}"
    try:
        told = dt.datetime.fromisoformat(wanted)
    except ValueError as error:
        raise BadInputError(
            f"{text!r} is no time", fix="For example: 90m, 7d, 14:03, 2026-11-23, or 2026-11-23T14:03:11Z."
        ) from error
    if told.tzinfo is None:
        told = told.replace(tzinfo=dt.UTC)
    return int(told.timestamp() * 1_000_000)
