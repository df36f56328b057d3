"""The names with ``@`` that charters use, said in words and by what they stand for, to whoever reads a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from outrider.charter.explain import in_words
from outrider.charter.groups import HOST_GROUPS, LOOPBACK, PATHS
from outrider.events.record import CharterLoaded
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from outrider.store.view import View

_SHOWN: Final = 4
_NAMED: Final = re.compile(r"(?<![\w.+-])@[a-z]+\b")
_KNOWN: Final = frozenset({*PATHS, *HOST_GROUPS})


def of_host(view: View) -> dict[str, tuple[str, ...]]:
    """Return what groups stand for on the host that made the record, as the charter that was loaded last says."""
    row = view.one("SELECT max(n) FROM charters")
    loaded = reading.peek(view, row[0]) if row and row[0] is not None else None
    return dict(loaded.groups) if isinstance(loaded, CharterLoaded) else {}


def expanded(name: str, host: Mapping[str, tuple[str, ...]]) -> str:
    """Return what a group is and stands for, such as ``private keys and keyrings: ~/.ssh/id_*, ... and 38 more``."""
    own = {**PATHS, "@loopback": LOOPBACK}
    patterns = host.get(name.removeprefix("@")) or own.get(name, ())
    if not patterns:
        return in_words(name)
    more = f" and {len(patterns) - _SHOWN} more" if len(patterns) > _SHOWN else ""
    return f"{in_words(name)}: {', '.join(patterns[:_SHOWN])}{more}"


def with_words(pattern: str, host: Mapping[str, tuple[str, ...]]) -> str:
    """Return a charter's pattern between quotes, a group with what it stands for behind it."""
    return f'"{pattern}" ({expanded(pattern, host)})' if pattern in _KNOWN else f'"{pattern}"'


def named(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the groups that stand in texts, each once, by name."""
    return tuple(sorted({name for text in texts for name in _NAMED.findall(text) if name in _KNOWN}))
