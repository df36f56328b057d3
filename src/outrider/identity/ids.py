"""Ids of agents: ``ag_`` and 26 letters of Crockford's base 32 over a UUID version 7 (RFC 9562).

Sorted as text they are sorted by time of birth, to the millisecond.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "ag_"
LENGTH = len(PREFIX) + 26


def agent_id(
    clock: Callable[[], int] = time.time_ns,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Return a new id.

    Args:
        clock: Nanoseconds since 1970 UTC.
        randomness: Returns that many random bytes; ten are asked for.
    """
    millis = max(clock() // 1_000_000, 0) & 0xFFFF_FFFF_FFFF
    rand = int.from_bytes(randomness(10), "big")
    value = millis << 80 | 0x7 << 76 | (rand >> 64 & 0xFFF) << 64 | 0b10 << 62 | rand & 0x3FFF_FFFF_FFFF_FFFF
    return PREFIX + "".join(ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_agent_id(text: str) -> bool:
    """Return whether ``text`` has the form of an agent's id."""
    return len(text) == LENGTH and text.startswith(PREFIX) and all(letter in ALPHABET for letter in text[3:])


def born_ms(identifier: str) -> int:
    """Return the millisecond since 1970 UTC that an id was made in.

    Raises:
        ValueError: It is not an agent's id.
    """
    if not is_agent_id(identifier):
        raise ValueError(f"not an agent id: {identifier!r}")
    value = 0
    for letter in identifier[len(PREFIX) :]:
        value = value << 5 | ALPHABET.index(letter)
    return value >> 80
