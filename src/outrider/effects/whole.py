"""What only a call as a whole tells of its effects: what leaves with it, how many hosts it asks, what it runs unseen.

``sent``: a file is read in a call that also carries data to another host. ``sweep``: one host after the other is asked
whether it is there, or one port of a host after the other. What a command fetches into a file that the same call then
runs is as unknown as what is piped from the network into a shell: ``unparsed``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

import msgspec

from outrider.events.call import Effect

SENT, SWEEP = ("sent",), ("sweep",)
MANY = 8
"""Addresses of one network that a call asks before that is a sweep."""

_NETWORK = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.")
_UNKNOWN_END = re.compile(r"(?:\d{1,3}\.){1,3}[$`?*]|\d{1,3}(?:\.\d{1,3}){3}:[$`?*]")
"""An address of which the end is not known, or the port: a loop counts it up."""
_HERE = re.compile(r"(?:127\.\d|0\.0\.0\.0|localhost|[\w.-]+\.localhost|\[?::1)")


_NEXT = re.compile(rb"[;\n]|&&|\|\||&(?!>)")
"""What stands between two commands that do not feed each other."""


def as_a_whole(effects: Sequence[Effect], text: str = "", written: Container[str] = ()) -> tuple[Effect, ...]:
    """Return the effects with what only all of them together tell.

    Args:
        effects: Of one call, in their order.
        text: The text that their offsets point into.
        written: Paths of files whose content the call itself tells.
    """
    out = tuple(effects)
    reached = [effect for effect in effects if effect.verb == "connect"]
    if not reached:
        return out
    out += tuple(_unseen(out, [one for one in reached if not _HERE.match(one.value)], text, written))
    if any("upload" in effect.flags and not _HERE.match(effect.value) for effect in reached):
        out = tuple(_with(one, SENT) if one.verb == "read" and one.kind == "path" else one for one in out)
    networks: dict[str, set[str]] = {}
    for effect in reached:
        found = _NETWORK.match(effect.value)
        if found:
            networks.setdefault(found[1], set()).add(effect.value)
    swept = {network for network, hosts in networks.items() if len(hosts) >= MANY}
    return tuple(_with(one, SWEEP) if one.verb == "connect" and _sweeps(one, swept) else one for one in out)


def _unseen(effects: tuple[Effect, ...], reached: list[Effect], text: str, written: Container[str]) -> Iterator[Effect]:
    """Yield what is run after the same call fetched it."""
    fetched: set[str] = set()
    runs = {(one.start, one.end) for one in effects if one.verb == "opaque" and one.note.startswith("runs ")}
    if not (runs and reached and text):
        return
    raw = text.encode(errors="replace")
    for effect in effects:
        if effect.verb == "write" and effect.kind == "path" and effect.value not in written:
            if any(_is_one_command(raw, effect, one) for one in reached):
                fetched.add(effect.value)
        elif effect.verb == "read" and effect.value in fetched and (effect.start, effect.end) in runs:
            yield Effect(
                verb="unparsed", kind="text", value=effect.value[:200], start=effect.start, end=effect.end,
                note="it runs what this very call downloads",
            )  # fmt: skip


def _is_one_command(raw: bytes, one: Effect, other: Effect) -> bool:
    """Whether nothing but a pipe stands between two places of the text."""
    first, second = sorted(((one.start, one.end), (other.start, other.end)))
    return _NEXT.search(raw[first[1] : second[0]]) is None


def _sweeps(effect: Effect, swept: set[str]) -> bool:
    if _HERE.match(effect.value):
        return False
    if _UNKNOWN_END.match(effect.value):
        return True
    found = _NETWORK.match(effect.value)
    return found is not None and found[1] in swept


def _with(effect: Effect, flags: tuple[str, ...]) -> Effect:
    return msgspec.structs.replace(effect, flags=tuple(sorted({*effect.flags, *flags})))
