"""Was an agent involved in X? Which, how, how sure, and, where the answer is no, what lets us say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.detect.plain import plain
from outrider.investigate.basis import Basis, basis
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.find import SURENESS, Found, Match, Thing, find
from outrider.investigate.roles import NEVER, REALITY, WEIGHT
from outrider.store import reading
from outrider.store.kept import erasures_of, states

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from outrider.store.view import View

MOST_EVENTS: Final = 2_000
"""Most events looked at for one thing, the newest of them; acts are looked at before mentions."""

MOST_RESTING: Final = 500
"""Events of the first agent's evidence of which it is said whether their content can be read, the weightiest."""

_SELF: Final = frozenset({"session", "pid", "agent"})
_ACTS: Final = tuple(role for role in WEIGHT if role not in {"mentioned", "is"})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One event that ties an agent to the artefact.

    Attributes:
        n: The event.
        ts: Its time.
        role: What the agent did with it (see ``WEIGHT``). ``sent`` = carried data out; ``reached`` = only connected.
        kind: Kind of the thing.
        value: The thing, as the record has it.
        outcome: What became of the call, or ``seen`` for an event that is not a call.
        confidence: How the thing was matched.
    """

    n: int
    ts: int
    role: str
    kind: str
    value: str
    outcome: str
    confidence: Match


class Involvement(msgspec.Struct, frozen=True, kw_only=True):
    """One agent and what ties it to the artefact.

    Attributes:
        agent: The agent.
        roles: Its roles, the weightiest first.
        outcome: What became of its weightiest act.
        confidence: How that was matched.
        score: 0 to 100: weight of the role, lowered for what did not happen or was matched less surely.
        why: Why it stands where it stands, one sentence.
        evidence: Every event, the weightiest first.
        erased: The event that says that the agent's content and names were erased, or -1: then what stands here rests
            on what it touched and on fingerprints, and nobody can read what it was told.
    """

    agent: reading.Agent
    roles: tuple[str, ...]
    outcome: str
    confidence: Match
    score: float
    why: str
    evidence: tuple[Evidence, ...]
    erased: int = -1


class Involved(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        artefact: What was asked for.
        read_as: What it was taken for.
        answer: ``yes``; ``no`` only where the coverage supports it; else ``not known``.
        agents: The agents, the likeliest doer first.
        confidence: That of the first, or empty.
        truncated: True if there was more evidence than was looked at.
        coverage: What could not be seen.
        statement: The answer in one or two sentences.
        basis: Whether the content of the evidence on the first agent can still be read.
    """

    artefact: str
    read_as: tuple[tuple[str, str], ...]
    answer: Literal["yes", "no", "not known"]
    agents: tuple[Involvement, ...]
    confidence: str
    truncated: bool
    coverage: Coverage
    statement: str
    basis: Basis = Basis()


def involved(view: View, artefact: str, *, key: bytes = b"", hosts: Collection[str] = ()) -> Involved:
    """Say whether an agent was involved in ``artefact``, and which.

    Args:
        view: The view, caught up by the caller.
        artefact: As :func:`outrider.investigate.find.find` takes it.
        key: Key of this host's prints, for secrets and whole URLs.
        hosts: Names of the host that made the record.
    """
    with view.snapshot():
        found = find(view, artefact, key=key, hosts=hosts)
        evidence, truncated = _evidence(view, found)
        agents = _rank(view, found, evidence)
        agents = _less_sure(view, agents)
        rests = basis(view, [one.n for one in agents[0].evidence[:MOST_RESTING]] if agents else ())
        covered = coverage(view)
        if found.running >= 0 and not agents and (why := _unnumbered(view, found, covered)):
            return Involved(
                artefact=artefact, read_as=found.read_as, answer="not known", agents=(), confidence="",
                truncated=truncated or found.cut, coverage=covered, statement=why,
            )  # fmt: skip
    answer, statement = _verdict(artefact, found, agents, covered)
    return Involved(
        artefact=artefact,
        read_as=found.read_as,
        answer=answer,
        agents=agents,
        confidence=agents[0].confidence if agents else "",
        truncated=truncated or found.cut,
        coverage=covered,
        statement=" ".join(filter(None, (statement, _disguised(artefact), rests.statement))),
        basis=rests,
    )


def _unnumbered(view: View, found: Found, covered: Coverage) -> str:
    """Return why "no" cannot be said of a process, or empty: only agents' own processes are kept by number."""
    if found.elsewhere:
        return f"Not known: this record is of {view.origin}, and says nothing of processes on {found.elsewhere}."
    at = found.running
    lived = covered.agents
    if at:
        then = "SELECT count(*) FROM agents WHERE ts <= ? AND (ended_ts IS NULL OR ended_ts >= ?)"
        row = view.one(then, at, at)
        lived = int(row[0]) if row else 0
    if not lived:
        return ""
    return (
        "Not known: it is no agent's own process. What agents start is not kept by number, and "
        f"{lived:,} lived{' then' if at else ''}. {covered.statement}"
    )


def _evidence(view: View, found: Found) -> tuple[dict[str, list[Evidence]], bool]:
    """Return the evidence by agent, and whether some was left out."""
    touches: list[tuple[Thing, reading.Touch]] = []
    truncated = False
    left = MOST_EVENTS
    for roles in (_ACTS, ("mentioned", "is")):
        for thing in found.things:
            got = reading.touching(view, thing.entity, left + 1, roles) if left > 0 else []
            truncated = truncated or len(got) > left or left <= 0
            touches += [(thing, touch) for touch in got[-left:]] if left > 0 else []
            left -= len(got)
    calls = _calls(view, touches)
    refined = _refined(view, touches, calls)
    outcomes = reading.outcomes(view, {*calls.values(), *(n for n, _, _ in refined.values())})
    out: dict[str, list[Evidence]] = {}
    for thing, touch in touches:
        at = (touch.n, thing.entity, touch.role)
        n, role, match = refined.get(at, (touch.n, touch.role, thing.match))
        outcome: str = outcomes.get(calls.get(n, n), "seen")
        if role == "mentioned":
            outcome = "seen"
        out.setdefault(touch.agent, []).append(
            Evidence(n=n, ts=touch.ts, role=role, kind=thing.kind, value=thing.value, outcome=outcome, confidence=match)
        )
    return out, truncated


def _calls(view: View, touches: list[tuple[Thing, reading.Touch]]) -> dict[int, int]:
    """Return the call that each touching event belongs to: itself, or what it is the result of."""
    numbers = {touch.n for _, touch in touches}
    return {n: n for n in numbers} | reading.intents_of(view, numbers)


def _refined(
    view: View, touches: list[tuple[Thing, reading.Touch]], calls: dict[int, int]
) -> dict[tuple[int, int, str], tuple[int, str, Match]]:
    """Say what the bare role does not: whether a connection carried data out, and whose the named commit is."""
    out: dict[tuple[int, int, str], tuple[int, str, Match]] = {}
    known: set[int] = set()
    for thing, touch in touches:
        at = (touch.n, thing.entity, touch.role)
        if touch.deed != touch.role:
            out[at] = (touch.n, touch.deed, thing.match)
        elif thing.kind == "commit" and touch.role == "committed":
            known.add(thing.entity)
            out[at] = (calls[touch.n], "committed", thing.match)
    for thing, touch in touches:
        if thing.kind == "commit" and touch.role == "mentioned":
            made = _made_commit(view, touch, calls[touch.n], first=thing.entity not in known)
            known.add(thing.entity)
            if made is not None:
                out[touch.n, thing.entity, touch.role] = (made[0], "committed", thing.match if made[1] else "time")
    return out


def _made_commit(view: View, touch: reading.Touch, call: int, *, first: bool) -> tuple[int, bool] | None:
    """Return the call that made the commit named at ``touch``, and whether that is certain.

    A commit's id is known only once it is made: from the output of the call that made it, or, where that was silent,
    from the first event that names it, if the same agent had committed before.
    """
    if call == touch.n:
        return None
    row = view.one("SELECT max(n) FROM touches WHERE role = 'committed' AND n = ?", call)
    if row and row[0] is not None:
        return call, True
    if not first:
        return None
    row = view.one(
        "SELECT max(e.n) FROM events e JOIN touches t ON t.n = e.n WHERE e.agent = ? AND e.n < ?"
        " AND t.role = 'committed' AND e.kind = 'call.decided' AND e.enforced NOT IN ('deny', 'error')",
        touch.agent, touch.n,
    )  # fmt: skip
    return (row[0], False) if row and row[0] is not None else None


def weigh(evidence: Evidence) -> float:
    """Return the weight of one piece of evidence, 0 to 100."""
    return WEIGHT.get(evidence.role, 10) * REALITY[evidence.outcome] * SURENESS[evidence.confidence]


def _told(pieces: Iterable[Evidence]) -> tuple[list[Evidence], dict[int, float]]:
    """Return the evidence worth telling, and by event what it weighs more because a value that is not told does.

    A value's print tells a reader nothing: it gives way to an act of the same event, which then weighs as much, and to
    whatever else weighs as much by itself.
    """
    all_ = tuple(pieces)
    acts = {piece.n for piece in all_ if piece.kind != "value" and piece.role in _ACTS}
    most: dict[int, float] = {}
    for piece in all_:
        if piece.kind != "value":
            most[piece.n] = max(weigh(piece), most.get(piece.n, 0.0))
    values = [piece for piece in all_ if piece.kind == "value"]
    kept = [piece for piece in values if piece.n not in acts and most.get(piece.n, 0.0) < weigh(piece)]
    lifted: dict[int, float] = {}
    for piece in values:
        if piece.n in acts:
            lifted[piece.n] = max(weigh(piece), lifted.get(piece.n, 0.0))
    return [*(piece for piece in all_ if piece.kind != "value"), *kept], lifted


def _rank(view: View, found: Found, evidence: dict[str, list[Evidence]]) -> tuple[Involvement, ...]:
    for named in found.agents:
        evidence.setdefault(named.agent.id, []).append(
            Evidence(
                n=named.agent.born_n,
                ts=named.agent.born_ts,
                role="is",
                kind=named.by,
                value=named.agent.id,
                outcome="seen",
                confidence=named.match,
            )
        )
    out = []
    agents = reading.agents_of(view, evidence)
    gone = erasures_of(view, agents.values())
    for agent_id, pieces in evidence.items():
        agent = agents[agent_id]
        told, lifted = _told(pieces)
        unique = {(piece.n, piece.role, piece.kind, piece.value): piece for piece in told}
        heavy = {key: max(weigh(piece), lifted.get(piece.n, 0.0)) for key, piece in unique.items()}
        ordered = [unique[key] for key in sorted(unique, key=lambda key: (-heavy[key], key[0], -weigh(unique[key])))]
        best = ordered[0]
        out.append(
            Involvement(
                agent=agent,
                roles=tuple(dict.fromkeys(piece.role for piece in ordered)),
                outcome=best.outcome,
                confidence=best.confidence,
                score=round(max(heavy.values()), 1),
                why=_why(best),
                evidence=tuple(ordered),
                erased=gone.get(agent_id, -1),
            )
        )
    return tuple(sorted(out, key=lambda one: (-one.score, one.evidence[0].n)))


def _less_sure(view: View, agents: tuple[Involvement, ...]) -> tuple[Involvement, ...]:
    """Return the agents, less sure where one only met a name in a text that nobody can read: its print was kept."""
    named = {one.evidence[0].n for one in agents if _is_named(one)}
    unread = {n for n, state in states(view, named).items() if state != "kept"}
    return tuple(
        msgspec.structs.replace(one, confidence="print") if _is_named(one) and one.evidence[0].n in unread else one
        for one in agents
    )


def _is_named(one: Involvement) -> bool:
    return one.evidence[0].role == "mentioned" and one.confidence == "value"


_WORDS: Final[dict[str, str]] = {
    "sent": "sent data to", "reached": "connected to",
    "exposed": "connected, its context holding a secret, to", "is": "is", "credential": "used the credential",
    "mentioned": "only saw the name of",
}  # fmt: skip
_TRIED: Final[dict[str, str]] = {
    "sent": "send data to", "reached": "connect to", "exposed": "connect, its context holding a secret, to",
    "credential": "use the credential", "wrote": "write", "deleted": "delete", "pushed": "push", "committed": "commit",
    "installed": "install", "ran": "run", "called": "call", "spawned": "start",
}  # fmt: skip


def _why(best: Evidence) -> str:
    words = _WORDS.get(best.role, best.role)
    if best.role == "is" and best.kind in {"commit", "repo"}:
        words = "started at"
    if best.outcome in NEVER:
        words = f"tried to {_TRIED.get(best.role, best.role)}"
    tail = "" if best.outcome == "seen" else f" ({best.outcome})"
    if best.kind == "value":
        return f"event {best.n}: a call was given that value{tail}"
    kind = "" if best.kind == best.role else f"{best.kind} "
    return f"event {best.n}: {words} {kind}{best.value}{tail}"


def _disguised(artefact: str) -> str:
    """Return a sentence about letters that only look like Latin ones and characters that show nothing; or nothing."""
    read = plain(artefact)
    if not read.disguised(0, len(read.text)):
        return ""
    marks = dict.fromkeys(f"U+{ord(one):04X}" for one in artefact if not one.isascii())
    return (
        f"What was asked for only looks like {read.text!r} ({', '.join([*marks][:3])}), which is another name: "
        "ask for that, too."
    )


def _verdict(
    artefact: str, found: Found, agents: tuple[Involvement, ...], covered: Coverage
) -> tuple[Literal["yes", "no", "not known"], str]:
    if agents:
        top = agents[0]
        left = len(agents) - 1
        others = f" {left:,} more {'agent' if left == 1 else 'agents'} met it." if left else ""
        gone = f" Its content and names were erased (event {top.erased})." if top.erased >= 0 else ""
        return "yes", f"Yes: {top.agent.charter} {top.agent.id}; {top.why}.{gone}{others}"
    if not covered.events:
        return "not known", "Not known: the record is empty."
    if not found.read_as:
        return "not known", f"Not known: {artefact!r} is nothing that can be looked up."
    if not covered.whole:
        return "not known", f"Not known: nothing that was seen met it, but not all was seen. {covered.statement}"
    beyond = any(kind not in _SELF for kind, _ in found.read_as)
    unseen = covered.opaque or covered.erased or covered.cut or covered.results_without_intent
    if beyond and unseen:
        return "not known", f"Not known: nothing that was seen met it, but not all was seen. {covered.statement}"
    return "no", f"No agent under Outrider was involved. {covered.statement}"
