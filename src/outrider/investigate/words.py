"""One line about an event, for a person: what happened, to what, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.events.case import CaseNoted
from outrider.events.content import ContentErased, ContentKept, ContentRead
from outrider.events.credential import CredentialIssued, CredentialUsed, IssuerKey
from outrider.events.imported import TranscriptRead, was_judged
from outrider.events.model_input import ModelInput
from outrider.events.record import (
    AgentAttested,
    AgentBorn,
    AgentEnded,
    AgentRolled,
    AnyEvent,
    AskAnswered,
    AskTimedOut,
    CallDecided,
    CallResult,
    CharterLoaded,
    CharterRefused,
    CharterRemoved,
    DeedsSeen,
    LabelsJoined,
    LeverPulled,
    Prompted,
    RecordGap,
    Refusal,
    SecondLook,
    SessionJoined,
    TokenIssued,
)
from outrider.events.sensor import SensorState
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.events.call import Effect
    from outrider.store.view import View

_EFFECTS_SHOWN: Final = 3
_TAIL: Final = 8


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a line.

    Attributes:
        n: Its index.
        ts: Its time, microseconds since 1970 UTC.
        kind: Its kind.
        agent: Its agent, or empty.
        what: What happened. Written by an attacker in parts: escape it.
    """

    n: int
    ts: int
    kind: str
    agent: str
    what: str


def line(view: View, n: int) -> Line:
    """Return the line of event ``n``.

    Raises:
        BadInputError: There is no such event.
    """
    return of(view, reading.event(view, n))


def of(view: View, event: AnyEvent) -> Line:
    """Return the line of an event at hand."""
    kind = str(event.__struct_config__.tag)
    return Line(n=event.n, ts=event.ts, kind=kind, agent=event.agent, what=_what(view, event, kind))


def _what(view: View, event: AnyEvent, kind: str) -> str:  # noqa: C901, PLR0911, PLR0912 - one a kind
    if isinstance(event, CallDecided):
        return _call(event)
    if isinstance(event, CallResult):
        return _result(view, event)
    if isinstance(event, AgentBorn):
        return _born(event)
    if isinstance(event, AgentEnded):
        return f"ended: {event.how}" + (f" (its host's reason: {event.detail})" if event.detail else "")
    if isinstance(event, SecondLook):
        return _second_look(event)
    if isinstance(event, DeedsSeen):
        return _deeds(event)
    if isinstance(event, Prompted):
        held = ", ".join(sorted({label.name for label in event.adds}))
        return f"was given an instruction of {event.content.size} bytes" + (f" that brought {held}" if held else "")
    if isinstance(event, LabelsJoined):
        return f"took over {', '.join(sorted({x.name for x in event.labels}))} from {event.origin_agent}"
    if isinstance(event, RecordGap):
        return f"gap: {event.count} {event.what}" + _said(event.detail)
    if isinstance(event, CharterLoaded):
        return f"charter {event.name} {event.digest[:19]} in force"
    if isinstance(event, CharterRefused):
        return f"charter {event.name} refused: {event.reason}"
    if isinstance(event, CharterRemoved):
        return f"charter {event.name} {event.digest[:19]} no longer in force: its file is gone"
    if isinstance(event, Refusal):
        return f"message not believed: {event.reason}"
    if isinstance(event, LeverPulled):
        reach = "" if event.scope == "host" else f" {event.scope}"
        return f"{event.lever}{reach} by {event.by}" + _said(event.why)
    if isinstance(event, AskAnswered):
        return _answered(event)
    if isinstance(event, AskTimedOut):
        return _timed_out(event)
    if isinstance(event, AgentRolled):
        return f"moved from version {event.before[:19]} of {event.charter} to {event.digest[:19]}"
    if isinstance(event, TokenIssued):
        return f"was given the token {event.id[:16]}"
    if isinstance(event, CredentialIssued):
        return f"was lent {event.name}, known abroad as {event.session}"
    if isinstance(event, CredentialUsed):
        return f"showed its credential {event.id[:16]} to {event.where}, which {'took' if event.ok else 'refused'} it"
    if isinstance(event, IssuerKey):
        return f"key {event.kid[:16]} signs credentials of {event.issuer}"
    if isinstance(event, SessionJoined):
        return f"has the session {event.session} of {event.door}"
    if isinstance(event, SensorState):
        return f"the sensor is {event.state}, {_counted(event.agents, 'agent')} followed" + _said(event.why)
    if isinstance(event, TranscriptRead):
        return f"a transcript of {event.host} was read: {event.steps} steps, not witnessed"
    if isinstance(event, ContentKept | ContentErased | ContentRead):
        return _content(event)
    if isinstance(event, CaseNoted):
        return f"case {event.case}: {event.act}" + (f" {event.about}" if event.about else "")
    if isinstance(event, ModelInput):
        return _model_input(event)
    if isinstance(event, AgentAttested):
        return f"runs the program {event.exe[:16]}"
    return kind


def _content(event: ContentKept | ContentErased | ContentRead) -> str:
    if isinstance(event, ContentRead):
        return f"the content of event {event.of} was read by {event.by}" + _said(event.why)
    if isinstance(event, ContentKept):
        left = "".join(f", {count} not kept ({why})" for why, count in sorted(event.left.items()))
        return f"{_counted(len(event.kept), 'content')} kept{left}"
    of = event.handle or ", ".join(str(n) for n in event.events[:5])
    what = f"of {event.what} {of}" if of else "whose age was up"
    return f"{_counted(event.contents, 'content')} {what} erased by {event.by}" + _said(event.basis)


def _model_input(event: ModelInput) -> str:
    size = f"{event.content.size} bytes"
    if event.what == "frame":
        return f"its model has a system prompt and tools of {size}"
    if event.what == "rest":
        return f"{_counted(event.messages, 'message')} that no request was seen to carry, {size}"
    more = len(event.added) + event.cut
    unseen = f", {event.unseen} of them not seen" if event.unseen else ""
    told = (
        f"{_counted(event.keep + more, 'message')}, {more} of them new{unseen}"
        if event.keep
        else _counted(more, "message")
    )
    return f"asked {event.model or 'its model'} with {told}, {size}"


def _born(event: AgentBorn) -> str:
    of_whom = f" of {event.parent}" if event.parent else ""
    blind = f", its {' and '.join(event.unmeasured)} not measured" if event.unmeasured else ""
    return f"{event.charter} born{of_whom}{blind}" + _said(event.purpose)


def _result(view: View, event: CallResult) -> str:
    if event.intent < 0:
        return f"result of a call that was never asked ({_ok(ok=event.ok)})"
    intent = reading.peek(view, event.intent)
    asked = summary(intent) if isinstance(intent, CallDecided) else f"event {event.intent}"
    return f"result of {asked} ({_ok(ok=event.ok)}){' despite the refusal' if event.despite else ''}"


def _answered(event: AskAnswered) -> str:
    given = event.answer
    how = {"once": "yes, once", "agent": "yes, for this agent", "charter": "by a change of the charter"}[given.reach]
    return f"question {given.question} answered by {given.by}: {how if given.yes else 'no'}" + _said(given.why)


def _timed_out(event: AskTimedOut) -> str:
    if event.unused >= 0:
        return f"the yes to question {event.question} was not used in time: it counts no longer"
    return f"nobody answered question {event.question} in time, and that is a no"


def tail(agent: str) -> str:
    """Return the end of an agent's id, which every command takes for the whole."""
    return agent if len(agent) <= _TAIL else f"…{agent[-_TAIL:]}"


def _second_look(event: SecondLook) -> str:
    if event.unlooked:
        return f"{event.scanner} did not look at event {event.intent}: {event.unlooked}"
    count = len(event.findings) + event.cut
    what = f"{count} findings" if count > 1 else "a finding" if count else "nothing new"
    return f"{event.scanner} looked again at event {event.intent}: {what}"


def _deeds(event: DeedsSeen) -> str:
    deeds = event.deeds
    unexplained = [one.program for one in deeds.ran if one.basis == "none"]
    unexplained += [one.peer for one in deeds.reached if one.basis == "none"]
    programs, peers = sum(one.count for one in deeds.ran), sum(one.count for one in deeds.reached)
    parts = [f"started {_counted(programs, 'program')}"] if programs else []
    parts += [f"asked for {_counted(peers, 'connection')}"] if peers else []
    told = f"; no call told of {', '.join(unexplained[:_EFFECTS_SHOWN])}" if unexplained else ""
    more = len(unexplained) - _EFFECTS_SHOWN
    told += f" and {more} more" if more > 0 else ""
    return "its processes " + " and ".join(parts) + (told if deeds.told else "; nothing was told to compare with")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _said(text: str) -> str:
    return f": {text}" if text else ""


def _ok(*, ok: bool) -> str:
    return "ok" if ok else "failed"


def _call(event: CallDecided) -> str:
    if not was_judged(event.decision):
        return f"{summary(event)}: imported, not witnessed"
    verdict = event.decision.verdict
    enforced = event.decision.enforced
    told = verdict if verdict == enforced else f"{verdict}, told {enforced}"
    return f"{summary(event)}: {told}"


def summary(event: CallDecided) -> str:
    """Return a call's tool and its first effects, those that say most before reads and programs run."""
    ordered = sorted(event.effects, key=lambda effect: effect.verb in {"exec", "read"})
    shown = [_effect(effect) for effect in ordered[:_EFFECTS_SHOWN]]
    more = len(event.effects) - len(shown) + event.cut
    if more:
        shown.append(f"{more} more")
    return event.name + (f" ({'; '.join(shown)})" if shown else "")


def _effect(effect: Effect) -> str:
    verb = "upload" if "upload" in effect.flags else effect.verb
    where = f" -> {effect.resolved}" if effect.resolved and effect.resolved != effect.value else ""
    return f"{verb} {effect.value}{where}"
