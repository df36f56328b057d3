"""Whom to ask about an agent: as its charter says, else a charter above it, else the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.events.record import AgentBorn
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from outrider.store.view import View


class _Named(msgspec.Struct, frozen=True):
    contact: str = ""


def contact_of(view: View, agent: reading.Agent | None, host: str = "") -> str:
    """Return whom to ask, in one line, or nothing where nobody is named.

    Args:
        view: The view.
        agent: The agent; None asks the host alone.
        host: Whom the host's configuration names, or empty.
    """
    if agent is None:
        return host
    born = reading.peek(view, agent.born_n) if agent.born_n >= 0 else None
    above = born.chain if isinstance(born, AgentBorn) else ()
    return next(_of(view, dict.fromkeys((agent.charter_digest, *above))), host)


def _of(view: View, digests: Iterable[str]) -> Iterator[str]:
    for digest in digests:
        row = view.one("SELECT source FROM charters WHERE digest = ? ORDER BY n LIMIT 1", digest)
        named = msgspec.json.decode(row[0], type=_Named).contact if row else ""
        if named:
            yield named
