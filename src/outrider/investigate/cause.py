"""What made it do so? The event whose content told the agent to, or first brought the values that a call acts on.

Content is not kept; its keyed fingerprints and the things it names are. What steers a call, and the act that it is,
are held against everything that came into the agent's context before it (:mod:`outrider.investigate.carriers`):
prompts, results, what its parent handed it. Where the event that brought it is itself a hand-over (a parent's
instruction, a child's report, a file that another agent wrote) the search goes on in that agent's context. Where the
data came from that the call carried away is another question, and is answered apart: whoever steals a file was not told
to by the file.

The reasons are in ``docs/questions.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.credential import CredentialIssued
from outrider.events.model_input import ModelInput
from outrider.events.record import AgentBorn, Beside, CallDecided, CallResult, Prompted
from outrider.investigate.carriers import (
    CAME_IN,
    Carrier,
    Contexts,
    Wanted,
    payload,
    said,
    sent_before,
    split,
    wanted,
)
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.transcribed import Place, place_of
from outrider.investigate.words import Line, line, of
from outrider.store import reading
from outrider.store.kept import erased

if TYPE_CHECKING:
    from outrider.store.view import View

Confidence = Literal["value", "fingerprint", "act", "label", "time"]
"""``value``: a thing that the call names is named there. ``fingerprint``: fingerprints of its arguments are there.
``act``: it asks for such an act, and names no value of the call. ``label``: it brought a label that the call carried.
``time``: it only came before."""

DEPTH: Final = 8
"""Most hand-overs that are followed back."""

MOST_DATA: Final = 3
"""Most events named that the data came from which the call carried."""

_MOST_LENT: Final = 200


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One event that may have caused the call.

    Attributes:
        event: It.
        confidence: What ties it to the call.
        score: 0 to 1: how much of what the call acted on, and of the act itself, it brought or asked for.
        shared: How many values it shares with the call.
        orders: Whether it told the agent to do so, or names a value of the call in something that it orders; False
            where it is only where a value came from.
        path: Events from it to the call, both included: its hand-overs.
        erased: The event that says that its content was erased, or -1. Then its words cannot be read any more to see
            whether they say it, and what was a ``value`` counts as a ``fingerprint``.
        trusted: True for the prompt of an agent that no other agent started: what a person, or a person's program,
            asked for. False for all else.
        place: Where it stands in a host's own transcript, where it was imported; else None.
    """

    event: Line
    confidence: Confidence
    score: float
    shared: int
    orders: bool
    path: tuple[int, ...]
    trusted: bool
    erased: int = -1
    place: Place | None = None


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent stood under at a moment.

    Attributes:
        charter: Name of its charter.
        digest: Its version.
        chain: Every policy set asked, its own first.
        model: The model that its host named, or empty.
        request: The last request to the model before it, whose content is what the model was sent, or None.
        prompt: The last instruction before it, or None.
        prompt_committed: The salted commitment to its text in the record, or empty.
        prompt_place: Where it stands in a host's own transcript, where it was imported; else None.
        credentials: What was lent to it until then and had not run out.
        labels: What its context carried.
    """

    charter: str
    digest: str
    chain: tuple[str, ...]
    model: str
    request: Line | None
    prompt: Line | None
    prompt_committed: str
    credentials: tuple[Line, ...]
    labels: tuple[str, ...]
    prompt_place: Place | None = None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        call: The event asked about.
        ranked: Events that may have caused it, the likeliest first.
        data: Where the data came from that the call carried, the likeliest first.
        in_force: What the agent stood under when it made the call.
        cause_event: Index of the first, or -1 if there is none.
        confidence: That of the first, or empty.
        coverage: What could not be seen.
        statement: The answer in a sentence.
        left_out: Events that hold something of what was looked for, and were not compared, since many hold the same.
    """

    call: Line
    ranked: tuple[Source, ...]
    data: tuple[Line, ...]
    in_force: InForce | None
    cause_event: int
    confidence: str
    coverage: Coverage
    statement: str
    left_out: int = 0


def cause(view: View, n: int, *, most: int = 10) -> Cause:
    """Return what may have made an agent do what event ``n`` says, ranked.

    Args:
        view: The view.
        n: A call, or the result of one, or a birth (then: the call that asked for it).
        most: Most events returned.

    Raises:
        BadInputError: There is no such event.
    """
    with view.snapshot():
        event = reading.event(view, n)
        asked = call_of(view, event)
        ranked: list[Source] = []
        data: tuple[Line, ...] = ()
        in_force = None
        contexts = Contexts(view, said(reading.beside(view, asked.n))[0] if asked is not None else frozenset())
        if asked is not None:
            ranked = [
                msgspec.structs.replace(one, place=place_of(view, one.event.n))
                for one in _lowered(view, _ranked(contexts, asked, most))
            ]
            data = _data(contexts, asked)
            in_force = _in_force(view, asked)
        covered = coverage(view)
        shown = line(view, n)
    first = ranked[0] if ranked else None
    return Cause(
        call=shown,
        ranked=tuple(ranked),
        data=data,
        in_force=in_force,
        cause_event=first.event.n if first else -1,
        confidence=first.confidence if first else "",
        coverage=covered,
        statement=_statement(first, contexts.left_out),
        left_out=contexts.left_out,
    )


def left_out(count: int) -> str:
    """Return what is said of events that were not compared."""
    return f"{count:,} more events hold only what many others hold, too, and were not compared."


def _statement(first: Source | None, more: int) -> str:
    return f"{_found(first)} {left_out(more)}" if more else _found(first)


def _found(first: Source | None) -> str:
    if first is None:
        return "Nothing that the record holds came before it in the agent's context."
    words = {
        "value": "names what it acted on",
        "fingerprint": "holds the values that it acted on",
        "act": "asks for such an act",
        "label": "brought the label that its context carried",
        "time": "only came before it: no value of the call could be traced",
    }
    at = f" ({first.place.words})" if first.place else ""
    told = f"Event {first.event.n}, {first.event.what}{at}, {words[first.confidence]}."
    if first.erased < 0:
        return told
    return f"{told} Its content was erased (event {first.erased}): only fingerprints say so, and nobody can read it."


def _lowered(view: View, ranked: list[Source]) -> list[Source]:
    """Return the sources, less sure where the content that they rest on was erased."""
    gone = erased(view, [source.event.n for source in ranked])
    return [
        source
        if source.event.n not in gone
        else msgspec.structs.replace(
            source,
            erased=gone[source.event.n],
            confidence="fingerprint" if source.confidence == "value" else source.confidence,
        )
        for source in ranked
    ]


def call_of(view: View, event: object) -> CallDecided | None:
    """Return the call that an event is, is the result of, or was asked for by; None where there is none."""
    if isinstance(event, CallDecided):
        return event
    n = -1
    if isinstance(event, CallResult):
        n = event.intent
    elif isinstance(event, AgentBorn):
        row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'spawn'", event.n)
        n = row[0] if row else -1
    found = reading.peek(view, n) if n >= 0 else None
    return found if isinstance(found, CallDecided) else None


def _ranked(contexts: Contexts, call: CallDecided, most: int) -> list[Source]:
    view = contexts.view
    beside = reading.beside(view, call.n)
    out: dict[int, Source] = {}
    for want in _wants(beside):
        for carrier in contexts.carriers(call.agent, call.n, want):
            if len(out) >= most:
                break  # They come the likeliest first, and each costs a search of its own.
            path, end = _back(contexts, carrier, (call.n,))
            if end.n in out:
                continue
            shared_things = end.things & want.things
            out[end.n] = Source(
                event=line(view, end.n),
                confidence=_confidence(end, bool(shared_things)),
                score=round(carrier.score, 3),
                shared=len(end.values) + len(end.prints) + len(shared_things),
                orders=end.orders,
                path=path,
                trusted=_trusted(view, end.n),
            )
        if out:
            break
    ranked = list(out.values())
    ranked += _by_label(view, call, set(out))
    known = {source.event.n for source in ranked}
    if not ranked:
        ranked += _by_time(view, call, known)
    return ranked[:most]


def _wants(beside: Beside) -> Iterator[Wanted]:
    """Give what to look for: what steers the call, and, if nobody brought that, everything it says."""
    first = wanted(beside)
    if first:
        yield first
    if beside.prints:
        yield Wanted(prints=split(beside.prints))


def _confidence(carrier: Carrier, things: bool) -> Confidence:  # noqa: FBT001 - a fact, not a switch
    if things:
        return "value"
    return "fingerprint" if carrier.values or carrier.prints else "act"


def _data(contexts: Contexts, call: CallDecided) -> tuple[Line, ...]:
    """Return where the data came from that a call carried: what shares fingerprints with it, control left out."""
    want = payload(reading.beside(contexts.view, call.n))
    found = contexts.carriers(call.agent, call.n, want) if want else []
    return tuple(line(contexts.view, carrier.n) for carrier in found[:MOST_DATA])


def _in_force(view: View, call: CallDecided) -> InForce:
    agent = reading.agent(view, call.agent)
    prompts = reading.events_of(view, call.agent, ("agent.prompted",), before=call.n)
    instruction = reading.event(view, prompts[-1]) if prompts else None
    issued = reading.events_of(view, call.agent, ("credential.issued",), before=call.n)[-_MOST_LENT:]
    lent = [
        one.n for one in reading.leaves(view, issued) if isinstance(one, CredentialIssued) and one.expires > call.ts
    ]
    request = _request(view, call)
    model = view.one(
        "SELECT x.value FROM events e JOIN touches t ON t.n = e.n JOIN entities x ON x.id = t.entity"
        " WHERE e.agent = ? AND e.n <= ? AND x.kind = 'model' ORDER BY e.n DESC LIMIT 1",
        call.agent, call.n,
    )  # fmt: skip
    return InForce(
        charter=agent.charter if agent else "",
        digest=call.chain[0] if call.chain else agent.charter_digest if agent else "",
        chain=call.chain,
        model=request.model if request else str(model[0]) if model else "",
        request=of(view, request) if request else None,
        prompt=line(view, prompts[-1]) if prompts else None,
        prompt_committed=instruction.content.c if isinstance(instruction, Prompted) else "",
        prompt_place=place_of(view, prompts[-1]) if prompts else None,
        credentials=tuple(line(view, n) for n in lent[-10:]),
        labels=tuple(dict.fromkeys(label.name for label in call.labels)),
    )


def _request(view: View, call: CallDecided) -> ModelInput | None:
    """Return the request to its model that a call came of, as far as the host has written it down."""
    known = reading.events_of(view, call.agent, ("model.input",), before=call.n)[-_MOST_LENT:]
    sent = [
        one
        for one in reading.leaves(view, [*known, *sent_before(view, call.agent, call.n)])
        if isinstance(one, ModelInput) and one.what == "request"
    ]
    return sent[-1] if sent else None


def _back(
    contexts: Contexts, carrier: Carrier, path: tuple[int, ...], depth: int = 0
) -> tuple[tuple[int, ...], Carrier]:
    """Follow a carrier that is a hand-over to where the agent that handed over had it from."""
    path = (carrier.n, *path)
    narrowed = carrier.narrowed()
    if depth >= DEPTH or not narrowed:
        return path, carrier
    for giver, until in _givers(contexts.view, carrier):
        step = path if until in path or until == carrier.n else (until, *path)
        further = contexts.carriers(giver, until, narrowed)
        if further:
            return _back(contexts, further[0], step, depth + 1)
    return path, carrier


def _givers(view: View, carrier: Carrier) -> Iterator[tuple[str, int]]:
    """Give ``(agent, event)`` of who handed over what a carrier brought, and until when it had it from elsewhere.

    Whoever wrote a file handed over what was read from it only if what was written says the same.
    """
    n = carrier.n
    event = reading.event(view, n)
    if isinstance(event, AgentBorn | Prompted):
        # An agent that another one started has its instructions from that one, by whatever way they came.
        agent = reading.agent(view, event.agent)
        if agent is not None and agent.parent:
            row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'spawn'", agent.born_n)
            yield agent.parent, row[0] if row else agent.born_n
        return
    if not isinstance(event, CallResult) or event.intent < 0:
        return
    children = "SELECT e.agent FROM causes c JOIN events e ON e.n = c.dst WHERE c.src = ? AND c.why = 'spawn'"
    for (child,) in view.rows(children, event.intent):
        yield child, n
    for touch in list(reading.touches(view, [event.intent])):
        if touch.role == "read" and touch.kind == "path":
            written = view.one(
                "SELECT max(t.n) FROM touches t JOIN entities x ON x.id = t.entity JOIN events e ON e.n = t.n"
                " WHERE x.value = ? AND x.kind = 'path' AND t.role = 'wrote' AND t.n < ?"
                " AND e.enforced NOT IN ('deny', 'error')",
                touch.value, event.intent,
            )  # fmt: skip
            if written and written[0] is not None and _says(view, written[0], carrier):
                writer = reading.rows(view, [written[0]])[0].agent
                yield writer, written[0]


def _says(view: View, n: int, carrier: Carrier) -> bool:
    prints, things = said(reading.beside(view, n))
    return bool(prints & carrier.prints or things & carrier.things)


def _trusted(view: View, n: int) -> bool:
    event = reading.event(view, n)
    agent = reading.agent(view, event.agent) if isinstance(event, Prompted) else None
    return agent is not None and not agent.parent


def _by_label(view: View, call: CallDecided, known: set[int]) -> list[Source]:
    """Return the origins of the labels that the call carried, the youngest first."""
    origins = sorted({label.origin for label in call.labels if 0 <= label.origin < call.n} - known, reverse=True)
    return [_weaker(view, n, call.n, "label") for n in origins]


def _by_time(view: View, call: CallDecided, known: set[int]) -> list[Source]:
    numbers = [n for n in reading.events_of(view, call.agent, CAME_IN, before=call.n) if n not in known]
    return [_weaker(view, n, call.n, "time") for n in reversed(numbers[-10:])]


def _weaker(view: View, n: int, call: int, confidence: Confidence) -> Source:
    return Source(
        event=line(view, n),
        confidence=confidence,
        score=0.0,
        shared=0,
        orders=False,
        path=(n, call),
        trusted=_trusted(view, n),
    )
