"""Second names of files that the floor keeps: a hard link is not seen in any path, only in the inode.

Reading or writing through such a name is judged as reading or writing the file itself. Looked for only where a file
has more than one name, which few have.
"""

from __future__ import annotations

import glob
import os
import stat
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.floor import GIT_CONFIG, HOST_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from outrider.charter.bound import Bindings
    from outrider.events.call import Effect

_GIT_HOOKS = ("**/.git/hooks/**",)
_OWN = ("*", "*/*")
_TOUCH = frozenset({"read", "write"})


def through_second_names(effects: tuple[Effect, ...], bindings: Callable[[], Bindings]) -> tuple[Effect, ...]:
    """Return the effects, and after them those on kept files that are reached under another name.

    Args:
        effects: Of a call, paths resolved.
        bindings: Says where the agent's home and repository and Outrider's own files are; rarely asked.
    """
    kept: dict[tuple[int, int], str] = {}
    more: list[Effect] = []
    for effect in effects:
        inode = _linked(effect)
        if inode is None:
            continue
        kept = kept or dict(_kept(bindings()))
        path = kept.get(inode)
        if path is not None and path not in {effect.value, effect.resolved}:
            note = "another name of this file"
            more.append(msgspec.structs.replace(effect, value=path, resolved="", note=note))
    return (*effects, *more) if more else effects


def _linked(effect: Effect) -> tuple[int, int] | None:
    """Return the inode that an effect touches, if that is a file with more than one name."""
    if effect.verb not in _TOUCH or effect.kind != "path":
        return None
    path = effect.resolved or effect.value
    if not path.startswith("/") or "\0" in path:
        return None
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return (facts.st_dev, facts.st_ino) if facts.st_nlink > 1 and stat.S_ISREG(facts.st_mode) else None


def _kept(bindings: Bindings) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield inode and path of every file that the floor keeps and that can be named from here."""
    for path in _paths(bindings):
        try:
            facts = os.lstat(path)
        except OSError:
            continue
        yield (facts.st_dev, facts.st_ino), path


def _paths(bindings: Bindings) -> Iterable[str]:
    homes = (bindings.home, *bindings.homes)
    anywhere = (*homes, bindings.repo, *bindings.repos)
    for pattern in (*HOST_FILES, *GIT_CONFIG, *_GIT_HOOKS):
        head, _, rest = pattern.partition("/")
        bases = anywhere if head == "**" else homes if head == "~" else ("",)
        rest = rest.replace("/**", "/*")
        for base in bases:
            if base or head not in {"**", "~"}:
                yield from glob.iglob(f"{glob.escape(base)}/{rest}")  # noqa: PTH207 - plain text, many of them
    for place in bindings.protected:
        for inner in _OWN:
            yield from glob.iglob(f"{glob.escape(place)}/{inner}")  # noqa: PTH207
