"""What made it do so? The event whose content first brought the values that a call acts on.

Content is not kept; its keyed fingerprints and the things it names are. The control arguments of a call (where it
goes, what it names, not what it carries) are held against everything that came into the agent's context before it:
prompts, results, what its parent handed it. A value's origin is the event that brought it first: a result that only
echoes what its own call said brings nothing. Where the event that brought it is itself a hand-over (a parent's
instruction, a child's report, a file that another agent wrote) the search goes on in that agent's context.

Method: value flow on control arguments, rarity-weighted; the reasons are in ``docs/questions.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.record import AgentBorn, Beside, CallDecided, CallResult, Prompted
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.words import Line, line
from outrider.store import reading
from outrider.store.kept import erased

if TYPE_CHECKING:
    from outrider.store.view import View

Confidence = Literal["value", "fingerprint", "label", "time"]
"""``value``: a thing that the call names is named there. ``fingerprint``: fingerprints of its arguments are there.
``label``: it brought a label that the call carried. ``time``: it only came before."""

DEPTH: Final = 8
"""Most hand-overs that are followed back."""

MOST_EVENTS: Final = 20_000
"""Most events of one agent's context looked at, the newest."""

_SPREAD: Final = frozenset({"host", "ip", "email", "url", "path", "package", "commit", "repo", "credential", "digest"})
_IN: Final = ("agent.prompted", "call.result", "agent.born")
_THING_WEIGHT: Final = 3.0


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One event that may have caused the call.

    Attributes:
        event: It.
        confidence: What ties it to the call.
        score: 0 to 1: share of the call's traceable values that it brought, rare values counting more.
        shared: How many values it shares with the call.
        path: Events from it to the call, both included: its hand-overs.
        erased: The event that says that its content was erased, or -1. Then its words cannot be read any more to see
            whether they say it, and what was a ``value`` counts as a ``fingerprint``.
        trusted: True for the prompt of an agent that no other agent started: what a person, or a person's program,
            asked for. False for all else.
    """

    event: Line
    confidence: Confidence
    score: float
    shared: int
    path: tuple[int, ...]
    trusted: bool
    erased: int = -1


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        call: The event asked about.
        ranked: Events that may have caused it, the likeliest first.
        cause_event: Index of the first, or -1 if there is none.
        confidence: That of the first, or empty.
        coverage: What could not be seen.
        statement: The answer in a sentence.
    """

    call: Line
    ranked: tuple[Source, ...]
    cause_event: int
    confidence: str
    coverage: Coverage
    statement: str


class _Wanted(msgspec.Struct, frozen=True):
    prints: frozenset[bytes]
    things: frozenset[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.prints or self.things)


class _Carrier(msgspec.Struct, frozen=True):
    n: int
    prints: frozenset[bytes]
    things: frozenset[tuple[str, str]]
    score: float


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
        asked = _call_of(view, event)
        ranked: list[Source] = []
        if asked is not None:
            ranked = _lowered(view, _ranked(view, asked)[:most])
        covered = coverage(view)
        shown = line(view, n)
    first = ranked[0] if ranked else None
    return Cause(
        call=shown,
        ranked=tuple(ranked),
        cause_event=first.event.n if first else -1,
        confidence=first.confidence if first else "",
        coverage=covered,
        statement=_statement(first),
    )


def _statement(first: Source | None) -> str:
    if first is None:
        return "Nothing that the record holds came before it in the agent's context."
    words = {
        "value": "names what it acted on",
        "fingerprint": "holds the values that it acted on",
        "label": "brought the label that its context carried",
        "time": "only came before it: no value of the call could be traced",
    }
    told = f"Event {first.event.n}, {first.event.what}, {words[first.confidence]}."
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


def _call_of(view: View, event: object) -> CallDecided | None:
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


def _ranked(view: View, call: CallDecided) -> list[Source]:
    beside = reading.beside(view, call.n)
    out: dict[int, Source] = {}
    for wanted in _wants(beside):
        for carrier in _carriers(view, call.agent, call.n, wanted):
            path, end = _back(view, carrier, (call.n,))
            if end.n in out:
                continue
            shared_things = end.things & wanted.things
            out[end.n] = Source(
                event=line(view, end.n),
                confidence="value" if shared_things else "fingerprint",
                score=round(carrier.score, 3),
                shared=len(end.prints) + len(shared_things),
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
    return ranked


def _wants(beside: Beside) -> Iterator[_Wanted]:
    """Give what to look for: the control arguments, and, if nobody brought those, all arguments."""
    things = frozenset((x.kind, x.value) for x in beside.entities if x.kind in _SPREAD)
    control = split(beside.control)
    if control or things:
        yield _Wanted(control, things)
    if beside.prints:
        yield _Wanted(split(beside.prints), frozenset())


def split(prints: bytes) -> frozenset[bytes]:
    """Return the fingerprints in a concatenation of them."""
    return frozenset(prints[at : at + 8] for at in range(0, len(prints) - 7, 8))


def _carriers(view: View, agent: str, before: int, wanted: _Wanted) -> list[_Carrier]:
    """Return the events of an agent's context before ``before`` that brought something wanted, the best first.

    Each carries only what it brought first: what an earlier event, or the call that it answers, had not said.
    """
    found: list[tuple[int, frozenset[bytes], frozenset[tuple[str, str]]]] = []
    holders: dict[object, int] = {}
    for n, prints, things in _context(view, agent, before):
        shared = prints & wanted.prints
        named = things & wanted.things
        if shared or named:
            found.append((n, shared, named))
            for value in (*shared, *named):
                holders[value] = holders.get(value, 0) + 1
    weight = {value: (_THING_WEIGHT if isinstance(value, tuple) else 1.0) / count for value, count in holders.items()}
    total = sum(weight.values())
    seen: set[object] = set()
    out = []
    for n, shared, named in found:
        brought = sum(weight[value] for value in (*shared, *named))
        first = sum(weight[value] for value in (*shared, *named) if value not in seen)
        seen.update(shared, named)
        # Half for holding a value, half for having been the first to bring it.
        out.append(_Carrier(n, shared, named, (brought + first) / (2 * total)))
    return sorted(out, key=lambda carrier: (-carrier.score, carrier.n))


def _context(view: View, agent: str, before: int) -> Iterator[tuple[int, frozenset[bytes], frozenset[tuple[str, str]]]]:
    """Give what came into an agent's context, in order, less what its own calls had said themselves."""
    numbers = reading.events_of(view, agent, _IN, before=before)[-MOST_EVENTS:]
    intents = reading.intents_of(view, numbers)
    own = {n: said(beside) for n, beside in reading.besides(view, intents.values())}
    handed = _handed(view, numbers)
    for n, beside in reading.besides(view, numbers):
        prints, things = said(beside)
        if n in intents:
            echoed = own.get(intents[n])
            if echoed is not None:
                prints, things = prints - echoed[0], things - echoed[1]
        elif n in handed:
            more = said(reading.beside(view, handed[n]))
            prints, things = prints | more[0], things | more[1]
        yield n, prints, things


def said(beside: Beside) -> tuple[frozenset[bytes], frozenset[tuple[str, str]]]:
    """Return every fingerprint and every thing of an event."""
    things = frozenset((x.kind, x.value) for x in beside.entities if x.kind in _SPREAD and x.role != "is")
    return split(beside.prints) | split(beside.control), things


def _handed(view: View, numbers: list[int]) -> dict[int, int]:
    """Return, for the births among ``numbers``, the parent's call that asked for the agent."""
    out: dict[int, int] = {}
    for n in numbers[:1]:
        row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'spawn'", n)
        if row:
            out[n] = row[0]
    return out


def _back(view: View, carrier: _Carrier, path: tuple[int, ...], depth: int = 0) -> tuple[tuple[int, ...], _Carrier]:
    """Follow a carrier that is a hand-over to where the agent that handed over had it from."""
    path = (carrier.n, *path)
    narrowed = _Wanted(carrier.prints, carrier.things)
    if depth >= DEPTH or not narrowed:
        return path, carrier
    for giver, until in _givers(view, carrier.n):
        step = path if until in path or until == carrier.n else (until, *path)
        further = _carriers(view, giver, until, narrowed)
        if further:
            return _back(view, further[0], step, depth + 1)
    return path, carrier


def _givers(view: View, n: int) -> Iterator[tuple[str, int]]:
    """Give ``(agent, event)`` of who handed over what came in at ``n``, and until when it had it from elsewhere."""
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
            if written and written[0] is not None:
                writer = reading.rows(view, [written[0]])[0].agent
                yield writer, written[0]


def _trusted(view: View, n: int) -> bool:
    event = reading.event(view, n)
    agent = reading.agent(view, event.agent) if isinstance(event, Prompted) else None
    return agent is not None and not agent.parent


def _by_label(view: View, call: CallDecided, known: set[int]) -> list[Source]:
    """Return the origins of the labels that the call carried, the youngest first."""
    origins = sorted({label.origin for label in call.labels if 0 <= label.origin < call.n} - known, reverse=True)
    return [_weaker(view, n, call.n, "label") for n in origins]


def _by_time(view: View, call: CallDecided, known: set[int]) -> list[Source]:
    numbers = [n for n in reading.events_of(view, call.agent, _IN, before=call.n) if n not in known]
    return [_weaker(view, n, call.n, "time") for n in reversed(numbers[-10:])]


def _weaker(view: View, n: int, call: int, confidence: Confidence) -> Source:
    return Source(
        event=line(view, n), confidence=confidence, score=0.0, shared=0, path=(n, call), trusted=_trusted(view, n)
    )
