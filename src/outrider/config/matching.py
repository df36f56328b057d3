"""How closely a pattern for directories matches one."""

from __future__ import annotations

from fnmatch import fnmatchcase


def closeness(pattern: str, directory: str) -> tuple[int, int] | None:
    """Return how closely ``pattern`` matches ``directory`` or one above it, None if it does not.

    The rank is the number of names that the match is deep, then the number of letters written out in the pattern.
    """
    have = [name for name in directory.split("/") if name]
    want = [name for name in pattern.split("/") if name]
    while want and want[-1] == "**":
        want.pop()
    # reach[i]: the names seen so far can be matched by the first i parts of the pattern.
    reach = {0}
    deepest = -1
    for depth in range(len(have) + 1):
        if depth:
            reach = _step(want, reach, have[depth - 1])
        for at in sorted(reach):
            if at < len(want) and want[at] == "**":
                reach.add(at + 1)
        if len(want) in reach:
            deepest = depth
        if not reach:
            break
    return (deepest, len(pattern.replace("*", ""))) if deepest >= 0 else None


def _step(want: list[str], reach: set[int], name: str) -> set[int]:
    after: set[int] = set()
    for at in reach:
        if at < len(want):
            if want[at] == "**":
                after.add(at)
            elif fnmatchcase(name, want[at]):
                after.add(at + 1)
    return after
