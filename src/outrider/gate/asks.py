"""Questions that wait for a person, and what an answer lets through. The questions are folded from the record.

Default no: a question that nobody answers in time is over, and the call stays refused. An answer reaches the call that
was asked about and no other: the same agent, tool, input, folder and effects, and no rule against it that the person
was not shown. It lifts a question and nothing else: what refuses (``[never]``, the floor, a lever) goes on refusing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec

from outrider.detect.redact import redact
from outrider.events.asked import Answered, Asked
from outrider.events.call import Effect
from outrider.events.codec import commit
from outrider.events.decision import Decision, RuleHit
from outrider.events.record import AgentEnded, AskAnswered, AskTimedOut, CallDecided, CallResult
from outrider.gate.judge import MAX_HITS
from outrider.gate.study import canonical_or_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.charter.narrow import Effective
    from outrider.events.call import Call
    from outrider.events.record import AnyEvent, Beside
    from outrider.gate.judge import Judged

KEPT = 32
"""Most questions of one agent that are kept; the oldest without an answer goes first, and is a no."""

MAX_SHOWN = 1_000
"""Most characters of a call that are shown to the person who answers."""

MAX_READ = 20_000
"""Most characters of a call that are read for that."""

MOST_SHOWN = 256
"""Most calls whose text is kept."""

ANSWERED_NO = "ask.answered-no"
_NOBODY_ASKS = frozenset({"dontAsk"})
"""Modes of hosts in which they ask nobody."""

Said = tuple[str, str, str, int]
"""A rule that spoke: its id, its charter's digest, its verdict and the position of the effect."""

Thing = tuple[str, str, str, str, str, str, tuple[str, ...]]
"""What a standing yes is about: rule, digest, verb, kind, value, where it leads, and its flags."""


class Made(msgspec.Struct, frozen=True):
    """A call that is being judged.

    Attributes:
        agent: Whose it is.
        call: The call.
        effects: What it would do, as the record writes it.
    """

    agent: str
    call: Call
    effects: tuple[Effect, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a person was asked about.

    Attributes:
        n: The event of the decision that asked; it is the question's number.
        ts: When, microseconds since 1970 UTC.
        agent: Whose call it is.
        tool: The normal tool.
        name: The host's name of the tool.
        content: Digest of the commitment to its arguments.
        salt: Salt of that.
        cwd: Print of the folder that it was made in.
        effects: What it would do, as the record writes it.
        said: Every rule that spoke against it.
        reasons: What those that ask said, and what would allow it for good.
        whole: Whether the record names all of its effects and rules; else no yes can be told to be about the same.
        until: When it is over.
        by: ``host`` or ``outrider``.
        last: The latest decision that asked it again.
        answer: The answer, or None.
        answered: The event of it, or -1.
        used: The call that a yes for once let through, or None.
        over: The event by which its time ran out, or -1.
    """

    n: int
    ts: int
    agent: str
    tool: str
    name: str
    content: str
    salt: bytes
    cwd: str
    effects: tuple[Effect, ...]
    said: tuple[Said, ...]
    reasons: tuple[tuple[str, str], ...]
    whole: bool
    until: int
    by: str
    last: int
    answer: Answered | None = None
    answered: int = -1
    used: str | None = None
    over: int = -1

    def waits(self, now: int) -> bool:
        """Tell whether an answer can still come."""
        return self.over < 0 and now < self.until and self._open

    @property
    def _open(self) -> bool:
        return self.answer is None or self.answer.reach == "charter"

    def lapse(self, now: int) -> int | None:
        """Return what its time ran out on: -1 where nobody answered, the event of a yes not used, None for neither."""
        if self.over >= 0:
            return None
        if self._open:
            return -1 if now >= self.until else None
        given = self.answer
        unused = given is not None and given.yes and given.reach == "once" and self.used is None and now >= given.until
        return self.answered if unused else None

    def is_about(self, made: Made, decision: Decision) -> bool:
        """Tell whether a call is this very one, and nothing speaks against it that did not then."""
        call = made.call
        return (
            self.whole
            and self.agent == made.agent
            and (self.tool, self.name) == (call.tool, call.name)
            and self.effects == made.effects
            and set(_said(decision)) <= set(self.said)
            and hmac.compare_digest(self.cwd, _folder(call.cwd, self.salt))
            and hmac.compare_digest(self.content, commit(canonical_or_text(call.args), self.salt).c)
        )

    def things(self) -> frozenset[Thing]:
        """Return what a yes for the agent is about."""
        return frozenset(_things(self.said, self.effects))

    def no_standing_yes(self) -> str:
        """Return why a yes can not go further than once; empty if it can."""
        if any(verdict != "ask" or not 0 <= at < len(self.effects) for _, _, verdict, at in self.said):
            return "not every rule that spoke asks about one thing that can be named"
        if any(".flow." in rule and "-value" in rule for rule, _, _, _ in self.said):
            return "it is about a value of this call, and the next call has another"
        effects = [self.effects[at] for _, _, _, at in self.said]
        if any(one.verb in {"opaque", "unparsed"} or {"inexact", "pattern"} & set(one.flags) for one in effects):
            return "what it does cannot be told, so that nobody could tell the same from another"
        return ""


class Asks:
    """The questions of living agents, by agent, oldest first. Folded from the record."""

    def __init__(self, questions: dict[str, tuple[Question, ...]] | None = None) -> None:
        self.questions = questions or {}
        self._texts: dict[int, str] = {}

    def show(self, event: CallDecided, call: Call, key: bytes) -> None:
        """Keep what a question's call says for the person who answers: in memory only, secrets as their prints."""
        if event.asked is None or event.asked.question >= 0:
            return
        command = call.args.get("command")
        text = command if isinstance(command, str) and call.tool == "shell" else ""
        text = text or canonical_or_text(call.args).decode("utf-8", "replace")
        shown = redact(text[:MAX_READ], key)
        cut = len(shown) > MAX_SHOWN or len(text) > MAX_READ
        self._texts[event.n] = shown[:MAX_SHOWN] + (" ... (cut)" if cut else "")
        while len(self._texts) > MOST_SHOWN:
            del self._texts[next(iter(self._texts))]

    def text(self, n: int) -> str:
        """Return what the call of question ``n`` says; empty where that was before a restart."""
        return self._texts.get(n, "")

    def apply(self, event: AnyEvent, beside: Beside) -> None:
        """Fold one event in."""
        if isinstance(event, CallDecided):
            if event.asked is not None:
                self._decided(event, event.asked, beside)
        elif isinstance(event, AskAnswered):
            given = event.answer
            self._change(event.agent, given.question, answer=given, answered=event.n, used=None)
        elif isinstance(event, AskTimedOut):
            self._change(event.agent, event.question, over=event.n)
        elif isinstance(event, CallResult):
            if event.ran and event.agent in self.questions:
                self._ran(event.agent, event.intent)
        elif isinstance(event, AgentEnded):
            self.questions.pop(event.agent, None)

    def everyone(self) -> list[Question]:
        """Return every question that is kept, oldest first."""
        return sorted((one for held in self.questions.values() for one in held), key=lambda one: one.n)

    def waiting(self, now: int) -> int:
        """Return how many wait for an answer."""
        return sum(1 for held in self.questions.values() for one in held if one.waits(now))

    def out_of_time(self, now: int) -> list[tuple[Question, int]]:
        """Return the questions whose time has run out without an event of it, each with :meth:`Question.lapse`."""
        found = ((one, one.lapse(now)) for one in self.everyone())
        return [(one, lapse) for one, lapse in found if lapse is not None]

    def about(self, made: Made, decision: Decision) -> list[Question]:
        """Return the questions about this very call, the one that was answered last first."""
        found = [one for one in self.questions.get(made.agent, ()) if one.is_about(made, decision)]
        return sorted(found, key=lambda one: (one.answered, one.n), reverse=True)

    def standing(self, agent: str) -> dict[Thing, Question]:
        """Return what a person lets an agent do until its end, each with the question that was answered so."""
        return {
            thing: one
            for one in self.questions.get(agent, ())
            if one.answer is not None and one.answer.yes and one.answer.reach == "agent"
            for thing in one.things()
        }

    def _decided(self, event: CallDecided, asked: Asked, beside: Beside) -> None:
        if asked.question < 0:
            held = (*self.questions.get(event.agent, ()), _question(event, asked, beside))
            if len(held) > KEPT:
                oldest = next((one for one in held if one.answer is None), held[0])
                held = tuple(one for one in held if one is not oldest)
            self.questions[event.agent] = held
        elif event.decision.enforced == "allow":
            self._change(event.agent, asked.question, used=event.call)
        else:
            self._change(event.agent, asked.question, last=event.n)

    def _ran(self, agent: str, intent: int) -> None:
        """A host's own person said yes to a question at the host's prompt: it is over."""
        self.questions[agent] = tuple(
            one for one in self.questions[agent] if one.answer is not None or intent not in {one.n, one.last}
        )

    def _change(self, agent: str, n: int, **fields: object) -> None:
        held = self.questions.get(agent, ())
        if any(one.n == n for one in held):
            self.questions[agent] = tuple(msgspec.structs.replace(one, **fields) if one.n == n else one for one in held)


def settle(judged: Judged, made: Made, asks: Asks, settings: Effective, now: int, *, permission: bool) -> Judged:
    """Return the judgement of a call that its charters leave to a person, with what the person has said so far.

    Args:
        judged: The judgement; what is not left to a person comes back as it is.
        made: The call.
        asks: The questions.
        settings: What the agent's chain comes to.
        now: Microseconds since 1970 UTC.
        permission: True for the host's own permission prompt, which comes after the call itself was let through.
    """
    decision = judged.decision
    if decision.enforced != "ask":
        return judged
    known = asks.about(made, decision)
    for one in known:
        given = one.answer
        if given is not None and not given.yes and now < one.until:
            return _refused(judged, one, given)
        if given is not None and _holds_once(one, given, made, now, permission=permission):
            return _passed(judged, one)
    standing = _stands(made, decision, asks)
    if standing is not None:
        return _passed(judged, standing)
    held = settings.ask_by == "outrider" or made.call.mode in _NOBODY_ASKS
    again = next((one for one in known if one.waits(now)), None)
    asked = Asked(
        until=again.until if again else now + settings.ask_within * 1_000_000,
        by="outrider" if held else "host",
        question=again.n if again else -1,
    )
    told = msgspec.structs.replace(decision, enforced="deny") if held else decision
    return msgspec.structs.replace(judged, decision=told, asked=asked)


def _holds_once(known: Question, given: Answered, made: Made, now: int, *, permission: bool) -> bool:
    """Tell whether a yes for once still holds: it is used by one call, whose own permission prompt belongs to it."""
    if not given.yes or given.reach != "once":
        return False
    if known.used is not None:
        return permission and bool(known.used) and known.used == made.call.call_id
    return known.over < 0 and now < given.until


def _stands(made: Made, decision: Decision, asks: Asks) -> Question | None:
    """Return a question whose yes for the agent, with others like it, lets a call through; None if they do not."""
    standing = asks.standing(made.agent)
    said = _said(decision)
    if not standing or not said or len(said) >= MAX_HITS or any(verdict != "ask" for _, _, verdict, _ in said):
        return None
    things = list(_things(said, made.effects))
    if len(things) < len(said) or any(thing not in standing for thing in things):
        return None
    return standing[things[0]]


def _passed(judged: Judged, one: Question) -> Judged:
    asked = Asked(until=one.until, by="outrider", question=one.n, answer=one.answered)
    decision = msgspec.structs.replace(judged.decision, enforced="allow")
    return msgspec.structs.replace(judged, decision=decision, asked=asked)


def _refused(judged: Judged, known: Question, given: Answered) -> Judged:
    first = judged.decision.hits[0]
    hit = RuleHit(
        rule=ANSWERED_NO,
        verdict="deny",
        charter=first.charter,
        digest=first.digest,
        reason=f"Your person answered question {known.n} with no" + (f": {given.why}" if given.why else "."),
        advice="Leave it, and find a way without it.",
        unlock=f"change the answer: outrider answer {known.n} yes",
    )
    hits = (hit, *judged.decision.hits)[:MAX_HITS]
    decision = msgspec.structs.replace(judged.decision, verdict="deny", enforced="deny", hits=hits)
    asked = Asked(until=known.until, by="outrider", question=known.n, answer=known.answered)
    return msgspec.structs.replace(judged, decision=decision, asked=asked)


def _question(event: CallDecided, asked: Asked, beside: Beside) -> Question:
    decision = event.decision
    return Question(
        n=event.n,
        ts=event.ts,
        agent=event.agent,
        tool=event.tool,
        name=event.name,
        content=event.content.c,
        salt=beside.salt,
        cwd=_folder(beside.private.get("cwd", ""), beside.salt),
        effects=event.effects,
        said=_said(decision),
        reasons=tuple(dict.fromkeys((hit.reason, hit.unlock) for hit in decision.hits)),
        whole=bool(beside.salt) and not event.cut and len(decision.hits) < MAX_HITS,
        until=asked.until,
        by=asked.by,
        last=event.n,
    )


def _said(decision: Decision) -> tuple[Said, ...]:
    return tuple((hit.rule, hit.digest, hit.verdict, hit.effect) for hit in decision.hits)


def _things(said: Iterable[Said], effects: tuple[Effect, ...]) -> Iterable[Thing]:
    for rule, digest, _, at in said:
        if 0 <= at < len(effects):
            one = effects[at]
            yield rule, digest, one.verb, one.kind, one.value, one.resolved, one.flags


def _folder(cwd: str, salt: bytes) -> str:
    return hashlib.sha256(salt + cwd.encode("utf-8", "surrogatepass")).hexdigest()
