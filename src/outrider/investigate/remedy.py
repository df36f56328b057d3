"""What would have stopped it: the smallest rule that refuses what was done, tried over all that was recorded.

To the charter of the agent that did it one line of ``[never]`` is added, the very thing that it did, and every recorded
call of that charter is ruled on again. Better rules exist; a person finds them, and ``outrider replay`` tries them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.charter.model import Charter, from_canonical
from outrider.charter.patterns import Asked, Declared, Index, Scene
from outrider.errors import CharterError
from outrider.events.codec import decode
from outrider.events.imported import IMPORTED
from outrider.events.record import CallDecided, CharterLoaded
from outrider.investigate.groups import with_words
from outrider.investigate.replay import replay
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.events.call import Effect
    from outrider.store.view import View

MOST_EVENTS: Final = 200_000
"""Largest record that is ruled on again whenever a case is shown; of a larger one, who asks starts it."""

_WEIGHTIEST: Final = ("connect", "push", "deploy", "install", "delete", "write", "use_credential", "call", "exec")
_GLOB: Final = frozenset('*?[]{}\\"')
_ALL: Final[dict[str, tuple[str, ...]]] = dict.fromkeys((*_WEIGHTIEST, "read", "commit", "spawn", "prompt"), ("*",))


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that was tried.

    Attributes:
        charter: The charter that it was added to.
        verb: What it refuses.
        value: On what. An agent named it: escape it.
        stopped: Acts of the case that it would have stopped.
        acts: Of how many of that charter's.
        broken: Other calls that it would have refused.
        judged: Calls of agents under that charter, in all.
        not_decidable: Of those, calls of which too little was recorded.
        allowed: The patterns of the charter's own ``[may]`` that let the first of the acts through; none where it has
            none for it, or where they stand for what only a host knows, such as ``repo/**``.
        loaded: The event that holds the charter's text, or -1.
        groups: What names with ``@`` stood for on the host.
    """

    charter: str
    verb: str
    value: str
    stopped: int
    acts: int
    broken: int
    judged: int
    not_decidable: int
    allowed: tuple[str, ...] = ()
    loaded: int = -1
    groups: dict[str, tuple[str, ...]] = {}

    @property
    def statement(self) -> str:
        """It in a sentence or two."""
        lacking = f" {self.not_decidable:,} of the calls could not be decided." if self.not_decidable else ""
        let = ""
        if self.allowed:
            where = f" (event {self.loaded} holds the charter)" if self.loaded >= 0 else ""
            patterns = ", ".join(with_words(one, self.groups) for one in self.allowed)
            let = f"Charter {self.charter} lets it through by {self.verb} = [{patterns}]{where}. "
        return (
            f"{let}Had {self.charter} never been allowed to {self.verb} {self.value}, {self.stopped:,} of its"
            f" {self.acts:,} acts would have been stopped and {self.broken:,} others of {self.judged:,} calls"
            f" refused.{lacking}"
        )


def remedies(view: View, acts: Iterable[int], most: int = 3) -> tuple[Remedy, ...]:
    """Return, for each charter whose agents acted, what one rule would have done; none for a record that is too large.

    Args:
        view: The view.
        acts: Calls that are to be stopped.
        most: Most charters looked at, in the order of the acts.
    """
    if view.size > MOST_EVENTS:
        return ()
    by: dict[str, list[CallDecided]] = {}
    for event in reading.leaves(view, acts):
        agent = reading.agent(view, event.agent) if isinstance(event, CallDecided) else None
        if isinstance(event, CallDecided) and agent is not None:
            by.setdefault(agent.charter_digest if agent.charter != IMPORTED else IMPORTED, []).append(event)
    tried = (_one(view, digest, calls) for digest, calls in list(by.items())[:most])
    return tuple(one for one in tried if one is not None)


def _one(view: View, digest: str, calls: list[CallDecided]) -> Remedy | None:
    charter, loaded = _version(view, digest)
    event = reading.peek(view, loaded) if loaded >= 0 else None
    groups = dict(event.groups) if isinstance(event, CharterLoaded) else {}
    effect = next((found for call in calls if (found := _weightiest(call)) is not None), None)
    if charter is None or effect is None:
        return None
    never = {**charter.never, effect.verb: (*charter.never.get(effect.verb, ()), effect.value)}
    draft = msgspec.structs.replace(charter, never=never)
    try:
        told = replay(view, draft, bad=frozenset(call.n for call in calls))
    except CharterError:  # What the agent named cannot be said in a charter.
        return None
    return Remedy(
        charter=charter.name,
        verb=effect.verb,
        value=effect.value,
        stopped=len(told.stopped),
        acts=len(calls),
        broken=len(told.broken),
        judged=told.judged,
        not_decidable=len(told.not_decidable),
        allowed=_lets(charter, effect, groups) if digest != IMPORTED else (),
        loaded=loaded,
        groups=groups,
    )


def _lets(charter: Charter, effect: Effect, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the patterns of a charter's own permissions that an effect falls in, where no host need be known."""
    index = Index(Declared(text, effect.verb, text, strict=False) for text in charter.may.get(effect.verb, ()))
    return index.members(Asked(effect.verb, effect.kind, effect.value, effect.flags), Scene("", "", (), groups))


def _version(view: View, digest: str) -> tuple[Charter | None, int]:
    """Return a charter version as the record keeps it, and the event that does; for imports one that allows all."""
    if digest == IMPORTED:
        return Charter(name=IMPORTED, may=_ALL), -1
    for (leaf,) in view.rows("SELECT l.leaf FROM charters c JOIN leaves l ON l.n = c.n ORDER BY c.n"):
        event = decode(leaf)
        if isinstance(event, CharterLoaded) and event.digest == digest:
            try:
                return from_canonical(event.source.encode()), event.n
            except CharterError:
                return None, -1
    return None, -1


def _weightiest(call: CallDecided) -> Effect | None:
    named = [one for one in call.effects if one.verb in _WEIGHTIEST and one.value and not _GLOB & set(one.value)]
    return min(named, key=lambda one: _WEIGHTIEST.index(one.verb), default=None)
