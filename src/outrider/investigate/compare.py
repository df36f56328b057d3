"""What would change for recorded calls from one charter to another: examples for a person who edits a charter.

Every call of the class is ruled on twice, under the one line and under the other, with the agent's own places and the
labels and findings that were recorded. Ancestors are left out: they bound an agent under both alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.errors import CharterError
from outrider.events.decision import WORSE, Verdict
from outrider.investigate import replay
from outrider.investigate.coverage import Coverage, coverage

if TYPE_CHECKING:
    from outrider.charter.bound import Bound
    from outrider.charter.model import Charter
    from outrider.events.record import CallDecided
    from outrider.store.view import View

MOST_EXAMPLES: Final = 20
"""Most examples of each kind; the counts are always whole."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        judged: Calls ruled on under both.
        counts: How many become ``allowed``, ``asked`` about and ``denied``.
        allowed: Examples of calls that become allowed; alike ones are named once.
        asked: Of calls that a person is then asked about.
        denied: Of calls that are then refused.
        not_decidable: Calls whose agent's places or effects are not in the record any more.
        coverage: What could not be seen.
    """

    judged: int
    counts: dict[str, int]
    allowed: tuple[replay.Changed, ...]
    asked: tuple[replay.Changed, ...]
    denied: tuple[replay.Changed, ...]
    not_decidable: int
    coverage: Coverage


class Ruled(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded call, and what a line of charters would say of it.

    Attributes:
        call: The call.
        verdict: The verdict, an error settled by what the line says of it.
        changed: Its entry in a list of calls.
    """

    call: CallDecided
    verdict: Verdict
    changed: replay.Changed


def ruled(chains: replay.Chains, line: Sequence[Charter], call: CallDecided) -> Ruled:
    """Rule on a recorded call under a line of charters, in its agent's places.

    Raises:
        CharterError: The agent's places were erased.
    """
    chain: tuple[Bound, ...] = chains.under(call.agent, line)
    said = replay.rule_on(chain, call, chains.bindings(call.agent).home)
    verdict = replay.settled(said.verdict, said.undecided)
    return Ruled(call=call, verdict=verdict, changed=replay.entry(call, verdict, said))


def compare(
    view: View, before: Sequence[Charter], after: Sequence[Charter], *, protected: tuple[str, ...] = ()
) -> Compared:
    """Rule on every recorded call of the agents of either class under both lines.

    Args:
        view: The view.
        before: A charter and all that it extends, itself first.
        after: The other one.
        protected: Outrider's own places on the host that made the record, for the floor.
    """
    names = {before[0].name, after[0].name}
    examples: dict[str, dict[str, replay.Changed]] = {"allowed": {}, "asked": {}, "denied": {}}
    counts = dict.fromkeys(examples, 0)
    judged = unknown = 0
    with view.snapshot():
        chains = replay.Chains(view, after[0], protected)
        for call in _of_class(view, chains, names):
            try:
                was, now = ruled(chains, before, call), ruled(chains, after, call)
            except CharterError:
                unknown += 1
                continue
            judged += 1
            if was.verdict == now.verdict or {was.verdict, now.verdict} == {"allow", "amend"}:
                continue
            kind = _kind(now.verdict)
            counts[kind] += 1
            if len(examples[kind]) < MOST_EXAMPLES:
                shown = msgspec.structs.replace(now.changed, was=was.verdict)
                if WORSE[now.verdict] < WORSE[was.verdict]:
                    shown = msgspec.structs.replace(shown, rules=was.changed.rules, reason=was.changed.reason)
                examples[kind].setdefault(shown.what, shown)
        covered = coverage(view)
    return Compared(
        judged=judged,
        counts=counts,
        allowed=tuple(examples["allowed"].values()),
        asked=tuple(examples["asked"].values()),
        denied=tuple(examples["denied"].values()),
        not_decidable=unknown,
        coverage=covered,
    )


def _kind(verdict: Verdict) -> str:
    return {"deny": "denied", "ask": "asked"}.get(verdict, "allowed")


def _of_class(view: View, chains: replay.Chains, names: set[str]) -> Iterator[CallDecided]:
    for call in replay.calls(view, 0):
        if chains.charter_of(call.agent) in names:
            yield call
