"""Whether advice is taken: a refusal, and the call by which its agent did the right thing after it.

A call that is let through **corrects** a refusal if its agent makes it within the next few calls and it does the same
kind of thing another way: for refused content, it writes the same file without what was refused; for a refused
resource, it has an effect with the same verb on another resource of the same kind; for text that could not be read, it
is text that can. That is a judgement about intent made from effects alone: it errs both ways, and measures the advice;
it is no evidence against anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.events.record import AgentEnded, CallDecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outrider.events.call import Effect
    from outrider.events.decision import Decision
    from outrider.events.record import AnyEvent

WITHIN = 6
"""How many calls of its agent later a call can still correct a refusal."""
KEPT = 4
"""Most refusals of one agent that wait for their correction; an older one counts as not corrected."""

Thing = tuple[str, str, str]
"""Verb, kind and value of an effect, as recorded."""

_CONTENT = ("write", "commit")
_UNREAD = ("unparsed", "opaque")


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A refusal that may yet be corrected.

    Attributes:
        n: Its event.
        at: Its agent's count of calls then.
        tool: The normal tool.
        refused: The effects that were refused.
        content: Paths whose new content was refused, rather than the writing of them.
    """

    n: int
    at: int
    tool: str
    refused: frozenset[Thing]
    content: frozenset[str] = frozenset()


class Tally(msgspec.Struct):
    """Counts over the whole record.

    Attributes:
        refused: Calls that were refused, each once however often it was asked again.
        corrected: Those of them that a later call corrected.
        repeated: Times that an agent asked again for what had just been refused.
    """

    refused: int = 0
    corrected: int = 0
    repeated: int = 0


class Corrections:
    """The refusals that wait, by agent, and the tally. Folded from the record."""

    def __init__(self, waiting: dict[str, tuple[Waiting, ...]] | None = None, tally: Tally | None = None) -> None:
        self.waiting = waiting or {}
        self.tally = tally or Tally()

    def corrects(self, agent: str, tool: str, effects: Sequence[Effect], calls: int) -> int:
        """Return the event of the latest refusal that a call corrects if it is let through, or -1.

        Args:
            agent: The agent's id.
            tool: The normal tool.
            effects: What the call does, written as the record writes it.
            calls: The agent's count of calls, this one included.
        """
        waiting = self.waiting.get(agent)
        if not waiting:
            return -1
        done = _things(effects)
        for one in reversed(waiting):
            if calls - one.at <= WITHIN and _better(one, tool, done):
                return one.n
        return -1

    def apply(self, event: AnyEvent) -> None:
        """Fold one event in."""
        if isinstance(event, CallDecided):
            if event.decision.enforced == "deny" and not event.permission:
                self._refused(event)
            elif event.corrects >= 0:
                self.tally.corrected += 1
                self._drop(event.agent, event.corrects)
        elif isinstance(event, AgentEnded):
            self.waiting.pop(event.agent, None)

    def _refused(self, event: CallDecided) -> None:
        new = _waiting(event)
        held = self.waiting.get(event.agent, ())
        same = next((one for one in held if _again(one, new)), None)
        if same is None:
            self.tally.refused += 1
        else:
            self.tally.repeated += 1
            held = tuple(one for one in held if one is not same)
        self.waiting[event.agent] = (*held, new)[-KEPT:]

    def _drop(self, agent: str, n: int) -> None:
        left = tuple(one for one in self.waiting.get(agent, ()) if one.n != n)
        if left:
            self.waiting[agent] = left
        else:
            self.waiting.pop(agent, None)


def _things(effects: Iterable[Effect]) -> frozenset[Thing]:
    return frozenset((effect.verb, effect.kind, effect.value) for effect in effects)


def _waiting(event: CallDecided) -> Waiting:
    refused = frozenset(_refused_effects(event.effects, event.decision))
    content: frozenset[str] = frozenset()
    if any(hit.verdict == "deny" and ".code." in hit.rule for hit in event.decision.hits):
        content = frozenset(effect.value for effect in event.effects if effect.verb in _CONTENT)
    return Waiting(event.n, event.counters.calls, event.tool, refused, content)


def _refused_effects(effects: Sequence[Effect], decision: Decision) -> Iterable[Thing]:
    for hit in decision.hits:
        if hit.verdict in {"deny", "ask", "error"} and 0 <= hit.effect < len(effects):
            effect = effects[hit.effect]
            yield effect.verb, effect.kind, effect.value


def _again(old: Waiting, new: Waiting) -> bool:
    return bool(old.refused & new.refused) or bool(old.content & new.content)


def _better(one: Waiting, tool: str, done: frozenset[Thing]) -> bool:
    if one.content & {value for verb, _, value in done if verb in _CONTENT}:
        return True
    if one.refused & done:
        return False
    if any(verb in _UNREAD for verb, _, _ in one.refused):
        return tool == one.tool and not any(verb in _UNREAD for verb, _, _ in done)
    kinds = {(verb, kind) for verb, kind, _ in one.refused if verb != "exec"}
    return any((verb, kind) in kinds for verb, kind, _ in done)
