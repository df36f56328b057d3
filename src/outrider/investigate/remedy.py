"""What would have stopped it: the smallest rules that refuse what was done, tried over all that was recorded.

To the charter of the agent that did it one line is added, and every recorded call of that charter is ruled on again: a
line of ``[never]``, the very thing that it did, and, where the acts carried labels, a line of ``[flow]``, which refuses
what was done to whatever carries the label. A name is one name; a barrier holds for the next name, too, so that it
comes first where it stops as much and breaks no more. Better rules exist; a person finds them, and ``outrider replay``
tries them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.charter.model import Charter, Flow, from_canonical
from outrider.charter.patterns import Asked, Declared, Index, Scene
from outrider.errors import CharterError
from outrider.events.codec import decode
from outrider.events.imported import IMPORTED
from outrider.events.record import CallDecided, CharterLoaded
from outrider.investigate.groups import with_words
from outrider.investigate.replay import replay
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from outrider.events.call import Effect
    from outrider.investigate.replay import Replay
    from outrider.store.view import View

MOST_EVENTS: Final = 200_000
"""Largest record that is ruled on again whenever a case is shown; of a larger one, who asks starts it."""

MOST_BARRIERS: Final = 4
"""Lines of ``[flow]`` that are tried for one charter; the first that stops all and breaks nothing ends the search."""

_WEIGHTIEST: Final = ("connect", "push", "deploy", "install", "delete", "write", "use_credential", "call", "exec")
_GLOB: Final = frozenset('*?[]{}\\"')
_ALL: Final[dict[str, tuple[str, ...]]] = dict.fromkeys((*_WEIGHTIEST, "read", "commit", "spawn", "prompt"), ("*",))
_BARRIERS: Final = (
    ("secret", ""), ("untrusted", "secret"), ("secret-value", ""), ("ordered-value", ""), ("suggested-value", ""),
    ("untrusted-value", ""), ("untrusted", ""),
)  # fmt: skip
"""Label, and a second that has to be there too; the more general of those that break little first."""
_WHO: Final = {
    "secret": "an agent whose context holds a secret",
    "untrusted": "an agent that has read untrusted content",
    "secret-value": "a call that carries a secret's value",
    "ordered-value": "a call whose values a text ordered that nobody else named them in",
    "suggested-value": "a call whose values a text suggested",
    "untrusted-value": "a call whose values stood in a text from outside",
}


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that was tried.

    Attributes:
        charter: The charter that it was added to.
        verb: What it refuses; of a barrier, the first of the verbs.
        value: On what; empty for a barrier, which holds for everything. An agent named it: escape it.
        stopped: Acts of the case that it would have stopped.
        acts: Of how many of that charter's.
        broken: Other calls that it would have refused.
        judged: Calls of agents under that charter, in all.
        not_decidable: Of those, calls of which too little was recorded.
        allowed: The patterns of the charter's own ``[may]`` that let the first of the acts through; none where it has
            none for it, or where they stand for what only a host knows, such as ``repo/**``.
        loaded: The event that holds the charter's text, or -1.
        groups: What names with ``@`` stood for on the host.
        section: ``never``, or ``flow`` for a barrier.
        label: The label that the barrier is about, or empty.
        also: A second label that has to be there too, or empty.
        line: The line as a charter has it. An agent named parts of it: escape it.
        own: Of the other calls that would have been refused, those of the agents that did the acts.
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
    section: str = "never"
    label: str = ""
    also: str = ""
    line: str = ""
    own: int = 0

    @property
    def numbers(self) -> str:
        """What it would have stopped, and what else refused, as the end of a sentence."""
        own = f" ({self.own:,} of them of the agents that did the acts)" if self.own else ""
        return (
            f"{self.stopped:,} of its {self.acts:,} acts would have been stopped and {self.broken:,} others of"
            f" {self.judged:,} calls refused{own}."
        )

    @property
    def tried(self) -> str:
        """The rule and what it would have done, a sentence."""
        if self.section == "never":
            return f"Had {self.charter} never been allowed to {self.verb} {self.value}, {self.numbers}"
        who = _WHO[self.label] + (f", and holds a {self.also}," if self.also else "")
        return (
            f"Had charter {self.charter} had the line {self.line} in [flow] ({who} may not {self.verb}), {self.numbers}"
        )

    @property
    def rule(self) -> str:
        """The line with where it goes, a phrase."""
        return f"{self.line} in [{self.section}] of charter {self.charter}"

    @property
    def statement(self) -> str:
        """It in a sentence or two."""
        lacking = f" {self.not_decidable:,} of the calls could not be decided." if self.not_decidable else ""
        let = ""
        if self.allowed:
            where = f" (event {self.loaded} holds the charter)" if self.loaded >= 0 else ""
            patterns = ", ".join(with_words(one, self.groups) for one in self.allowed)
            let = f"Charter {self.charter} lets it through by {self.verb} = [{patterns}]{where}. "
        return f"{let}{self.tried}{lacking}"


def remedies(view: View, acts: Iterable[int], most: int = 3) -> tuple[Remedy, ...]:
    """Return, for each charter whose agents acted, what one rule would have done; none for a record that is too large.

    Of a charter the better rule comes first: a barrier where it stops as many of the acts and refuses no more besides.

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
    return tuple(one for digest, calls in list(by.items())[:most] for one in _of(view, digest, calls))


class _Trial:
    """The acts of one charter, and what a draft of it makes of them."""

    def __init__(self, view: View, charter: Charter, calls: list[CallDecided]) -> None:
        self.charter = charter
        self.calls = calls
        self._view = view
        self._bad = frozenset(call.n for call in calls)

    def of(self, effect: Effect, line: str, draft: Charter) -> Remedy | None:
        """Return what came of a draft; None where what an agent named cannot be said in a charter."""
        try:
            told: Replay = replay(self._view, draft, bad=self._bad)
        except CharterError:
            return None
        agents = {call.agent for call in self.calls}
        return Remedy(
            charter=self.charter.name,
            verb=effect.verb,
            value=effect.value,
            stopped=len(told.stopped),
            acts=len(self.calls),
            broken=len(told.broken),
            judged=told.judged,
            not_decidable=len(told.not_decidable),
            line=line,
            own=sum(one.agent in agents for one in told.broken),
        )


def _of(view: View, digest: str, calls: list[CallDecided]) -> Iterator[Remedy]:
    """Give the rules that were tried for one charter, the better one first."""
    charter, loaded = _version(view, digest)
    if charter is None:
        return
    event = reading.peek(view, loaded) if loaded >= 0 else None
    groups = dict(event.groups) if isinstance(event, CharterLoaded) else {}
    trial = _Trial(view, charter, calls)
    effect = next((named for call in calls if (named := _weightiest(call)) is not None), None)
    name = _name(trial, effect) if effect is not None else None
    barrier = _barrier(trial)
    rules = [one for one in (name, barrier) if one is not None]
    if name is not None and barrier is not None and barrier.stopped >= name.stopped and barrier.broken <= name.broken:
        rules.reverse()
    for position, one in enumerate(rules):
        allowed = _lets(charter, effect, groups) if effect is not None and digest != IMPORTED and not position else ()
        yield msgspec.structs.replace(one, allowed=allowed, loaded=loaded, groups=groups)


def _name(trial: _Trial, effect: Effect) -> Remedy | None:
    never = {**trial.charter.never, effect.verb: (*trial.charter.never.get(effect.verb, ()), effect.value)}
    line = f"{effect.verb} = [{json.dumps(effect.value)}]"
    return trial.of(effect, line, msgspec.structs.replace(trial.charter, never=never))


def _barrier(trial: _Trial) -> Remedy | None:
    """Return the line of ``[flow]`` that stops most of the acts and refuses least besides; None where none stops any.

    Only labels that every one of the acts carried are looked at.
    """
    carried = [{label.name for label in call.labels} | set(call.values) for call in trial.calls]
    common = set.intersection(*carried)
    verbs = tuple(dict.fromkeys(one.verb for call in trial.calls for one in _heavy(call)[:1]))
    effect = next((one for call in trial.calls for one in _heavy(call)[:1]), None)
    if effect is None:
        return None
    found: list[Remedy] = []
    fitting = [(label, also) for label, also in _BARRIERS if {label, also} - {""} <= common]
    for label, also in fitting[:MOST_BARRIERS]:
        flow = _flow(trial.charter, label, also, verbs)
        if flow is None:
            continue
        draft = msgspec.structs.replace(trial.charter, flow={**trial.charter.flow, label: flow})
        one = trial.of(effect, _written(label, flow), draft)
        if one is not None and one.stopped:
            found.append(msgspec.structs.replace(one, value="", section="flow", label=label, also=flow.also))
            if one.stopped == one.acts and not one.broken:
                break
    return max(found, key=lambda one: (one.stopped, -one.broken), default=None)


def _flow(charter: Charter, label: str, also: str, verbs: tuple[str, ...]) -> Flow | None:
    """Return a rule about a label, no weaker than the charter's own about it; None where that says as much already."""
    own = charter.flow.get(label)
    if own is None:
        return Flow(not_to=verbs, also=also)
    if own.also in {"", also} and own.verdict is None and set(verbs) <= set(own.not_to):
        return None
    # The charter has one rule a label: with another condition it would refuse less than it did.
    return Flow(not_to=tuple(dict.fromkeys((*own.not_to, *verbs))), also=also if own.also == also else "", but=own.but)


def _written(label: str, flow: Flow) -> str:
    """Return a rule as a charter has it."""
    parts = [f'with = "{flow.also}"'] if flow.also else []
    parts.append(f"not_to = {json.dumps(list(flow.not_to))}")
    parts += [f"except = {json.dumps(list(flow.but))}"] if flow.but else []
    return f"{label} = {{ {', '.join(parts)} }}"


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


def _heavy(call: CallDecided) -> list[Effect]:
    """Return the effects of a call that reach out of its agent, the weightiest first."""
    named = [one for one in call.effects if one.verb in _WEIGHTIEST and one.value]
    return sorted(named, key=lambda one: _WEIGHTIEST.index(one.verb))


def _weightiest(call: CallDecided) -> Effect | None:
    """Return the weightiest effect of a call that can be said as a name."""
    return next((one for one in _heavy(call) if not _GLOB & set(one.value)), None)
