"""Which credentials a case has to have changed: each once, by its value, whoever had read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from outrider.investigate.blast import Blast
    from outrider.investigate.stopped import Stopped

SHOWN: Final = 3


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One credential to change.

    Attributes:
        value: It, as the record names it: a path, or the print of a value.
        kind: Its kind.
        first: The first event that read it.
        agents: Who had read it.
        refused: Whether only agents had read it that were refused, and none that came under the content.
    """

    value: str
    kind: str
    first: int
    agents: tuple[str, ...]
    refused: bool


def due(impact: Iterable[Blast], refused: Iterable[Stopped]) -> tuple[Due, ...]:
    """Return the credentials to change, those of agents that came under the content first."""
    read = [(thing, thing.agents, False) for told in impact for thing in told.credentials]
    read += [(thing, (one.agent.id,), True) for one in refused for thing in one.credentials]
    out: dict[str, Due] = {}
    for thing, agents, only in read:
        known = out.get(thing.value)
        if known is None:
            out[thing.value] = Due(
                value=thing.value, kind=thing.kind, first=thing.first, agents=tuple(agents), refused=only
            )
            continue
        every = tuple(dict.fromkeys((*known.agents, *agents)))
        out[thing.value] = msgspec.structs.replace(known, first=min(known.first, thing.first), agents=every)
    return tuple(out.values())


def counted(every: Sequence[Due]) -> str:
    """Return how many there are and who had read them, a phrase."""
    refused = sum(one.refused for one in every)
    under = len(every) - refused
    if not every:
        return "none that is known"
    if not refused:
        return f"{under}, read by agents that came under it"
    if not under:
        return f"{refused}, read only by agents that were refused"
    return f"{len(every)} ({refused} read only by agents that were refused, {under} by agents that came under it)"


def named(every: Sequence[Due]) -> str:
    """Return the same with the first of the values, for somebody who looks once; what to do names the others."""
    values = [one.value for one in every if not one.refused]
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    shown = f"; those under it: {', '.join(values[:SHOWN])}{more}" if values else ""
    return f"{counted(every)}{shown}"
