"""Replay with the parsers and detectors of today: each call is read again from its kept arguments, then ruled on.

What cannot be read again is counted by its reason and is part of no other figure. Nothing of the content is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from outrider.errors import CharterError, OutriderError, TamperedError
from outrider.events.imported import IMPORTED
from outrider.investigate.replay import Chains, Replay, replay
from outrider.investigate.words import summary
from outrider.store import reading
from outrider.store.kept import stored

if TYPE_CHECKING:
    from outrider.charter.bound import Bound
    from outrider.charter.model import Charter
    from outrider.events.record import CallDecided
    from outrider.ledger.content.contents import Content
    from outrider.store.reading import Agent
    from outrider.store.view import View

Lack = Literal[
    "erased", "never kept", "imported, which keeps no content", "kept only in part", "changed since it was kept",
    "not readable here", "no arguments", "its agent's places were erased",
]  # fmt: skip

Open = Callable[[int], "Content | None"]
"""Gives what is kept of an event's content; None where nothing is."""

Again = Callable[["CallDecided", dict[str, Any], "Agent", "tuple[Bound, ...]", bool], "CallDecided"]
"""Gives a call with effects and findings made anew from its arguments; the last says whether secrets were taken out."""

MOST_LISTED: Final = 1_000


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that could not be judged again.

    Attributes:
        reason: Why not.
        count: How many.
        first: The first of them.
    """

    reason: Lack
    count: int
    first: int


class Otherwise(msgspec.Struct, frozen=True, kw_only=True):
    """A call in which today's parsers and detectors see something else than was recorded.

    Attributes:
        n: The call.
        what: As it was recorded, in a line.
        effects: Effects that are new, each as ``verb value``; those that are gone with a ``-`` before them.
        findings: Rules likewise.
    """

    n: int
    what: str
    effects: tuple[str, ...]
    findings: tuple[str, ...]


class Rejudged(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        replay: What the draft would have changed, of the calls that were read again; its rate is that of reading and
            ruling together.
        again: How many calls were read again.
        lacking: Those that could not be, by reason.
        otherwise: How many are seen otherwise than recorded.
        examples: The first of those.
        statement: The answer in a few sentences.
    """

    replay: Replay
    again: int
    lacking: tuple[Lacking, ...]
    otherwise: int
    examples: tuple[Otherwise, ...]
    statement: str


def rejudge(
    view: View,
    draft: Charter,
    *,
    opened: Open,
    again: Again,
    bad: Collection[int] = (),
    protected: tuple[str, ...] = (),
    since: int = 0,
) -> Rejudged:
    """Read every call that a draft's name bounds again, and rule on it as if the draft had been in force.

    Args:
        view: The view.
        draft: As :func:`outrider.investigate.replay.replay` takes it.
        opened: Opens contents. That they are read is for the caller to have recorded.
        again: Reads a call again.
        bad: Calls that it is meant to stop.
        protected: Outrider's own places on the host that made the record.
        since: Only calls from this event on.

    Raises:
        CharterError: The draft does not compile.
    """
    pass_ = _Pass(view, opened, again)
    told = replay(view, draft, bad=bad, protected=protected, since=since, again=pass_.calls)
    lacking = tuple(Lacking(reason=why, count=count, first=first) for why, (count, first) in pass_.lacking.items())
    return Rejudged(
        replay=told,
        again=told.judged,
        lacking=lacking,
        otherwise=pass_.otherwise,
        examples=tuple(pass_.examples),
        statement=_statement(told, lacking, pass_.otherwise),
    )


def _statement(told: Replay, lacking: tuple[Lacking, ...], otherwise: int) -> str:
    lost = sum(one.count for one in lacking)
    whole = told.judged + lost
    if not whole:
        return told.statement
    first = f"{told.judged:,} of {whole:,} calls were parsed and detected again from what is kept of them."
    if told.judged:
        first += f" {told.statement} {otherwise:,} of them are seen otherwise than they were."
    if lost:
        by = ", ".join(f"{one.count:,} {one.reason}" for one in lacking)
        first += f" {lost:,} could not be judged again: {by}."
    return first


class _Pass:
    """One pass over the calls: reads each again, and counts what it cannot read."""

    def __init__(self, view: View, opened: Open, again: Again) -> None:
        self._view = view
        self._opened = opened
        self._again = again
        self._agents: dict[str, Agent] = {}
        self.lacking: dict[Lack, tuple[int, int]] = {}
        self.otherwise = 0
        self.examples: list[Otherwise] = []

    def calls(self, chains: Chains, recorded: Iterator[CallDecided]) -> Iterator[CallDecided]:
        """Give the calls that the draft concerns, as they are read now."""
        for call in recorded:
            if not chains.concerns(call.agent):
                continue
            found = self._one(chains, call)
            if isinstance(found, str):
                count, first = self.lacking.get(found, (0, call.n))
                self.lacking[found] = (count + 1, first)
                continue
            self._compare(call, found)
            yield found

    def _one(self, chains: Chains, call: CallDecided) -> CallDecided | Lack:
        agent = self._agent(call.agent)
        try:
            chain, _ = chains.of(call.agent)
        except CharterError:
            return "its agent's places were erased"
        content = self._content(call.n, agent)
        if isinstance(content, str):
            return content
        kept, args = content.kept, _arguments(content)
        if content.text is None or kept is None:
            return "never kept"
        if kept.cut:
            return "kept only in part"
        return "no arguments" if args is None else self._again(call, args, agent, chain, bool(kept.taken))

    def _content(self, n: int, agent: Agent) -> Content | Lack:
        said = stored(self._view, n)
        if said is None:
            return "imported, which keeps no content" if agent.charter == IMPORTED else "never kept"
        try:
            return (self._opened(n) if said.erased < 0 else None) or "erased"
        except TamperedError:
            return "changed since it was kept"
        except OutriderError:
            return "not readable here"

    def _agent(self, name: str) -> Agent:
        found = self._agents.get(name)
        if found is None:
            found = self._agents[name] = reading.agent(self._view, name) or reading.unknown(name)
        return found

    def _compare(self, was: CallDecided, now: CallDecided) -> None:
        effects = _changes([f"{one.verb} {one.value}" for one in was.effects],
                           [f"{one.verb} {one.value}" for one in now.effects])  # fmt: skip
        findings = _changes([one.rule for one in was.findings], [one.rule for one in now.findings])
        if not effects and not findings:
            return
        self.otherwise += 1
        if len(self.examples) < MOST_LISTED:
            self.examples.append(Otherwise(n=was.n, what=summary(was), effects=effects, findings=findings))


def _changes(was: list[str], now: list[str]) -> tuple[str, ...]:
    gone = [f"-{one}" for one in dict.fromkeys(was) if one not in now]
    return (*(one for one in dict.fromkeys(now) if one not in was), *gone)


def _arguments(content: Content) -> dict[str, Any] | None:
    try:
        args = msgspec.json.decode(content.text or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return args if isinstance(args, dict) else None
