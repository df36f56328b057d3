"""Narrowings: what one child may not do that its charter would let it, as a policy set of its own.

A narrowing is asked beside the child's charter and its parent's, never merged with them, so it can only take away. Of
a verb that it names it permits what it lists and nothing else; of any other verb it has no opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outrider.charter.cedar import ACTIONS
from outrider.charter.model import Budget, Charter
from outrider.charter.patterns import check
from outrider.errors import CharterError

NAME = "narrowed"
MAX_SOURCE = 6 * 1024
"""Longest narrowing as canonical JSON, in bytes: it stands in the leaf of a birth."""


def narrowing(may: Mapping[str, Sequence[str]], *, calls: int | None = None, spawns: int | None = None) -> Charter:
    """Return the policy set of a narrowing.

    Args:
        may: Verb to the patterns that alone are permitted of it; none at all forbids the verb. Where ``write`` is
            named and ``delete`` is not, ``delete`` is as narrow.
        calls: Calls that the child may make.
        spawns: Children that it may start.

    Raises:
        CharterError: A verb is unknown, a pattern does not fit it, a number is negative, or it is too long.
    """
    for verb, patterns in may.items():
        if verb not in ACTIONS:
            raise CharterError(f"there is no verb {verb!r}", fix=f"There are: {', '.join(sorted(ACTIONS))}.")
        for pattern in patterns:
            check(verb, pattern)
    if min(calls or 0, spawns or 0) < 0:
        raise CharterError("a budget is not negative")
    open_verbs = {verb: ("*",) for verb in sorted(ACTIONS) if not (verb == "delete" and "write" in may)}
    made = Charter(
        name=NAME,
        extends="base",  # So that it has no opinion on any setting.
        description="What was handed on to one child.",
        grant=True,
        budget=Budget(calls=calls, spawns=spawns),
        may={**open_verbs, **{verb: tuple(patterns) for verb, patterns in may.items()}},
    )
    if len(made.canonical()) > MAX_SOURCE:
        raise CharterError(f"a narrowing is longer than {MAX_SOURCE} bytes", fix="Write a charter instead.")
    return made
