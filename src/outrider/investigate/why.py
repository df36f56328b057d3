"""Why was it decided so? The decision as it stands in the record, with everything that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.events.call import Effect, Finding
from outrider.events.counters import Counters
from outrider.events.decision import Decision
from outrider.events.deeds import Deeds
from outrider.events.model_input import ModelInput
from outrider.events.record import (
    AnyEvent,
    AskAnswered,
    AskTimedOut,
    CallDecided,
    CallResult,
    DeedsSeen,
    Prompted,
    SecondLook,
)
from outrider.investigate.contact import contact_of
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.words import Line, of
from outrider.store import reading
from outrider.store.kept import stored

if TYPE_CHECKING:
    from outrider.store.view import View

BEFORE: Final = 10
AFTER: Final = 16
"""How many later calls are looked through for the one that corrects a refusal; the gate looks at fewer."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A label that the call carried and where it came from.

    Attributes:
        name: The label.
        event: The event that brought it; None for a label that this call's own reads bring.
    """

    name: str
    event: Line | None


class CharterVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A policy set that was asked.

    Attributes:
        digest: Its digest.
        name: Its name, or empty if the record does not hold it.
        since: The event that put it in force, or -1.
        signer: Who signed it, ``builtin``, or empty.
    """

    digest: str
    name: str
    since: int
    signer: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        event: The event asked about.
        agent: Its agent, or None.
        decision: The verdict with the rules that decided, or None if the event is no call.
        effects: What the call would do.
        findings: What detectors said.
        labels: What its context carried, with where each label came from.
        counters: Budgets as they stood.
        charters: The policy sets asked, its own first, each a version.
        unlock: What would allow it, one sentence each; empty for an allow.
        outcome: What became of it, or empty.
        result: Index of its result, or -1.
        deeds: What the agent's processes did, for an event that says so; for a call, what it explains of that; or None.
        second_looks: What slower scanners said of what it wrote, after it was let through.
        asked: The decision that asked a person first, where one decides; None where none does.
        answers: What the person said, and the time that ran out, in order.
        before: The agent's ten events before it.
        corrects: The refusal after which this call does the right thing, or None.
        corrected: The call by which the agent did the right thing after this refusal, or None.
        content: What the record says of its content: that it is kept, was erased or was not kept; empty where it has
            none.
        confidence: ``value``: everything here was recorded with the decision; ``part`` if some effects were left out.
        coverage: What could not be seen.
        contact: Whom to ask about it, or empty where nobody is named.
    """

    event: Line
    agent: reading.Agent | None
    decision: Decision | None
    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]
    labels: tuple[Origin, ...]
    counters: Counters
    charters: tuple[CharterVersion, ...]
    unlock: tuple[str, ...]
    outcome: str
    result: int
    deeds: Deeds | None
    second_looks: tuple[SecondLook, ...]
    asked: Line | None
    answers: tuple[Line, ...]
    before: tuple[Line, ...]
    corrects: Line | None
    corrected: Line | None
    content: str
    confidence: str
    coverage: Coverage
    contact: str = ""


def why(view: View, n: int, *, contact: str = "") -> Why:
    """Explain event ``n``. For a result, a second look, an answer or a time-out, its call is explained.

    Args:
        view: The view.
        n: The event.
        contact: Whom the host's configuration names to ask, where no charter names anybody.

    Raises:
        BadInputError: There is no such event.
    """
    with view.snapshot():
        event = reading.event(view, n)
        if isinstance(event, CallResult | SecondLook) and event.intent >= 0:
            event = reading.peek(view, event.intent) or event
        elif isinstance(event, AskAnswered):
            event = reading.peek(view, event.answer.question) or event
        elif isinstance(event, AskTimedOut):
            event = reading.peek(view, event.question) or event
        call = event if isinstance(event, CallDecided) else None
        asked = _asked(call)
        result = reading.result_of(view, event.n) if call else None
        agent = reading.agent(view, event.agent) if event.agent else None
        return Why(
            event=of(view, event),
            agent=agent,
            contact=contact_of(view, agent, contact),
            decision=call.decision if call else None,
            effects=call.effects if call else (),
            findings=call.findings if call else event.findings if isinstance(event, DeedsSeen) else (),
            labels=_origins(view, call) if call else (),
            counters=call.counters if call else Counters(),
            charters=tuple(_version(view, digest, event.n) for digest in call.chain) if call else (),
            unlock=_unlock(call.decision) if call else (),
            outcome=reading.outcomes(view, [event.n]).get(event.n, ""),
            result=-1 if result is None else result,
            deeds=_deeds(view, call) if call else event.deeds if isinstance(event, DeedsSeen) else None,
            second_looks=_second_looks(view, call) if call else (),
            asked=of(view, reading.event(view, asked)) if asked >= 0 else None,
            answers=tuple(of(view, one) for one in reading.leaves(view, reading.answers(view, asked))),
            before=_before(view, event),
            corrects=of(view, reading.event(view, call.corrects)) if call and 0 <= call.corrects < call.n else None,
            corrected=_corrected(view, call) if call and call.decision.enforced == "deny" else None,
            content=_content(view, event),
            confidence="part" if call and call.cut else "value",
            coverage=coverage(view),
        )


def _content(view: View, event: AnyEvent) -> str:
    if not isinstance(event, CallDecided | CallResult | Prompted | ModelInput):
        return ""
    said = stored(view, event.n)
    if said is None:
        return "not kept; its fingerprints are"
    if said.erased >= 0:
        return f"erased by event {said.erased}; its fingerprints stay"
    return f"kept, as event {said.told} says; `outrider content {event.n}` shows it"


def _origins(view: View, call: CallDecided) -> tuple[Origin, ...]:
    return tuple(
        Origin(
            name=label.name,
            event=of(view, reading.event(view, label.origin)) if 0 <= label.origin < call.n else None,
        )
        for label in call.labels
    )


def _version(view: View, digest: str, n: int) -> CharterVersion:
    row = view.one(
        "SELECT name, n, signer FROM charters WHERE digest = ? AND n < ? ORDER BY n DESC LIMIT 1", digest, n
    )  # fmt: skip
    name, since, signer = row or ("", -1, "")
    return CharterVersion(digest=digest, name=name, since=since, signer=signer)


def _unlock(decision: Decision) -> tuple[str, ...]:
    if decision.verdict == "allow":
        return ()
    return tuple(dict.fromkeys(hit.unlock for hit in decision.hits if hit.unlock and hit.verdict != "allow"))


def _corrected(view: View, call: CallDecided) -> Line | None:
    rows = reading.log(
        view, agent_id=call.agent, kind="call.decided", verdict="allow", after=call.n, newest=False, limit=AFTER
    )  # fmt: skip
    later = reading.leaves(view, [row.n for row in rows])
    return next((of(view, one) for one in later if isinstance(one, CallDecided) and one.corrects == call.n), None)


def _asked(call: CallDecided | None) -> int:
    """Return the index of the decision that asked a person about a call, or -1."""
    if call is None or call.asked is None:
        return -1
    return call.asked.question if 0 <= call.asked.question < call.n else call.n


def _second_looks(view: View, call: CallDecided) -> tuple[SecondLook, ...]:
    found = reading.leaves(view, reading.second_looks(view, call.n))
    return tuple(one for one in found if isinstance(one, SecondLook))


def _deeds(view: View, call: CallDecided) -> Deeds | None:
    """Return what a call's processes did, out of the spans that say so; None if nothing was heard of them."""
    found = [one.deeds for one in reading.leaves(view, reading.deeds(view, call.n)) if isinstance(one, DeedsSeen)]
    if not found:
        return None
    return Deeds(
        since=min(one.since for one in found),
        until=max(one.until for one in found),
        told=found[-1].told,
        ran=tuple(row for one in found for row in one.ran if row.call == call.n),
        reached=tuple(row for one in found for row in one.reached if row.call == call.n),
    )


def _before(view: View, event: AnyEvent) -> tuple[Line, ...]:
    rows = reading.log(view, agent_id=event.agent, before=event.n, limit=BEFORE)
    return tuple(of(view, one) for one in reading.leaves(view, [row.n for row in rows]))
