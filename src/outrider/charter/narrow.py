"""The settings of a chain: each has an order, and the strictest that anybody says holds.

``deny`` < ``ask`` < ``allow`` for ``undecided``; ``deny`` < ``ask`` < ``confined`` < ``allow`` for ``opaque``; ``fix``
< ``tell`` < ``note`` for findings (:mod:`treatment` says which charter's word counts for which); ``full`` < ``less`` <
``note`` for findings of low confidence; ``audit`` < ``strict`` < ``everyday`` for whose rules are asked; ``never`` <
``standing`` < ``allow`` for comments that let a finding be; the least number for budgets and lives; ``required`` <
``optional``; ``outrider`` < ``host`` for who asks a person, and the shortest wait; who answers must stand in every list
of approvers, and where there is one the host's prompt asks nobody. A charter that extends another and does not write a
setting has no opinion on it; one that extends nothing then has the strict default. An affirmative allow (``grant``)
needs everybody's yes. Of content is kept what every charter keeps, the least of each limit. ``mode`` is each charter's
own: it says whether that charter's own refusals are enforced, and cannot reach another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

import msgspec

from outrider.charter.model import (
    KINDS,
    AskBy,
    Budget,
    Charter,
    Comments,
    Keep,
    Mode,
    Opaque,
    Persona,
    Sponsor,
    Treatment,
    Undecided,
    Unsure,
    dollars,
    seconds,
)

_UNDECIDED = {"deny": 0, "ask": 1, "allow": 2}
_OPAQUE = {"deny": 0, "ask": 1, "confined": 2, "allow": 3}
_TREATMENT = {"fix": 0, "tell": 1, "note": 2}
_UNSURE = {"full": 0, "less": 1, "note": 2}
_PERSONA = {"audit": 0, "strict": 1, "everyday": 2}
_COMMENTS = {"never": 0, "standing": 1, "allow": 2}
_MODE = {"enforce": 0, "observe": 1}
_ASK_BY = {"outrider": 0, "host": 1}
_SPONSOR = {"required": 0, "optional": 1}

BUDGETS = ("calls", "spawns", "spawn_depth", "tokens", "cost")
"""The limits of a budget."""

DEFAULT_TTL = 24 * 3600
"""Seconds that an instance lives if no charter says anything."""

DEFAULT_WAIT = 3600
"""Seconds that a question waits for its answer if no charter says anything."""

DEFAULT_KEPT = 64 * 1024
"""Bytes of one content that are kept at most if no charter says anything."""

DEFAULT_AGE = 30 * 24 * 3600
"""Seconds that content is kept if no charter says anything."""

T = TypeVar("T", bound=str)


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of charters has kept of content: what all of them keep, the least of each limit.

    Attributes:
        what: Of which kinds.
        max: Most bytes of one content.
        sample: Percent of contents.
        age: Seconds.
    """

    what: tuple[str, ...] = KINDS
    max: int = DEFAULT_KEPT
    sample: int = 100
    age: int = DEFAULT_AGE


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of charters comes to, setting by setting.

    Attributes:
        undecided: What ``error`` means.
        mode: The mode of the charter itself, the first of the line.
        opaque: What happens to programs whose inner effects are not seen.
        grant: Whether the host is told an affirmative allow.
        sponsor: Whether an instance needs one.
        ttl: Seconds of life.
        budget: The least of each limit; None where nobody limits.
        high: Treatment of severe findings.
        medium: Of middling ones.
        low: Of slight ones.
        unsure: What one of low confidence comes to.
        persona: Whose rules about code are asked.
        comments: Whose comments in the code let a finding be.
        ask_by: Who asks a person.
        ask_within: Seconds that a question waits for its answer.
        ask_approvers: Each charter's list of who may answer; who answers stands in every one.
        keep: What is kept of content.
    """

    undecided: Undecided = "deny"
    mode: Mode = "enforce"
    opaque: Opaque = "ask"
    grant: bool = False
    sponsor: Sponsor = "required"
    ttl: int = DEFAULT_TTL
    budget: Budget = Budget()
    high: Treatment = "fix"
    medium: Treatment = "tell"
    low: Treatment = "note"
    unsure: Unsure = "less"
    persona: Persona = "everyday"
    comments: Comments = "allow"
    ask_by: AskBy = "host"
    ask_within: int = DEFAULT_WAIT
    ask_approvers: tuple[tuple[str, ...], ...] = ()
    keep: Keeping = Keeping()


def _strictest(order: dict[str, int], said: Iterable[T | None], default: T) -> T:
    opinions = [one for one in said if one is not None]
    return min(opinions, key=order.__getitem__, default=default)


def _said(charters: Sequence[Charter], name: str, default: str) -> list[str | None]:
    """What each charter says, a root's strict default included."""
    out: list[str | None] = []
    for one in charters:
        said = getattr(one, name)
        out.append(default if said is None and not one.extends else said)
    return out


def opaques(line: Sequence[Charter]) -> frozenset[str]:
    """Return every word that a line says on ``opaque``.

    Where an agent is not confined, ``confined`` denies and ``ask`` asks; where it is, ``confined`` allows. So neither
    is always the stricter, and a ruling takes the worst that comes of each.
    """
    return frozenset(one for one in _said(line, "opaque", "ask") if one is not None) or frozenset({"ask"})


def _least(numbers: Iterable[int | None]) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _keeping(line: Sequence[Charter]) -> Keeping:
    """Return what is kept: somebody who answers for privacy says less in a ceiling, and it holds for every child."""
    said = [one.keep for one in line]
    return Keeping(
        what=tuple(kind for kind in KINDS if all(one.what is None or kind in one.what for one in said)),
        max=_least(one.max for one in said) or DEFAULT_KEPT,
        sample=_least(one.sample for one in said) or 100,
        age=_least(seconds(one.age) if one.age else None for one in said) or DEFAULT_AGE,
    )


def effective(line: Sequence[Charter]) -> Effective:
    """Return the settings of a chain of charters, own first.

    Args:
        line: Every charter that bounds an agent: its own, what that extends, and its ancestors' lines.
    """
    plain = Effective()
    if not line:
        return plain
    code = [(one.code, bool(one.extends)) for one in line]
    return Effective(
        undecided=_strictest(_UNDECIDED, _said(line, "undecided", "deny"), plain.undecided),  # type: ignore[arg-type]
        mode=line[0].mode or "enforce",
        opaque=_strictest(_OPAQUE, _said(line, "opaque", "ask"), plain.opaque),  # type: ignore[arg-type]
        grant=all(one.grant for one in line),
        sponsor=_strictest(_SPONSOR, _said(line, "sponsor", "required"), plain.sponsor),  # type: ignore[arg-type]
        ttl=_least(seconds(one.ttl) if one.ttl else None for one in line) or DEFAULT_TTL,
        budget=Budget(
            calls=_least(one.budget.calls for one in line),
            spawns=_least(one.budget.spawns for one in line),
            spawn_depth=_least(one.budget.spawn_depth for one in line),
            tokens=_least(one.budget.tokens for one in line),
            cost=_least(one.budget.cost for one in line),
        ),
        high=_strictest(_TREATMENT, [one.high or (None if below else plain.high) for one, below in code], plain.high),
        medium=_strictest(
            _TREATMENT, [one.medium or (None if below else plain.medium) for one, below in code], plain.medium
        ),
        low=_strictest(_TREATMENT, [one.low or (None if below else plain.low) for one, below in code], plain.low),
        unsure=_strictest(_UNSURE, [one.unsure or (None if below else plain.unsure) for one, below in code], "less"),
        persona=_strictest(_PERSONA, [one.persona for one, _ in code], plain.persona),
        comments=_strictest(_COMMENTS, [one.comments for one, _ in code], plain.comments),
        ask_by=_strictest(_ASK_BY, ["outrider" if one.ask_approvers else one.ask_by for one in line], plain.ask_by),
        ask_within=_least(seconds(one.ask_within) if one.ask_within else None for one in line) or DEFAULT_WAIT,
        ask_approvers=tuple(dict.fromkeys(one.ask_approvers for one in line if one.ask_approvers)),
        keep=_keeping(line),
    )


def approvers(settings: Effective) -> str:
    """Return in words who may answer a question."""
    lists = [" or ".join(one) for one in settings.ask_approvers]
    return lists[0] if len(lists) == 1 else " and ".join(f"({one})" for one in lists) or "any person"


def kept(keep: Keeping) -> str:
    """Return in words what is kept of content."""
    if not keep.what:
        return "nothing"
    share = "" if keep.sample == 100 else f"{keep.sample} % of "
    age = f"{keep.age // 86_400} d" if keep.age % 86_400 == 0 else f"{keep.age} s"
    return f"{share}{', '.join(keep.what)}, up to {keep.max} bytes each, for {age}, encrypted on this host"


def limit(name: str, number: int | None) -> str:
    """Return a limit of a budget as a charter writes it, without quotes."""
    return "unlimited" if number is None else dollars(number) if name == "cost" else str(number)


def narrower(child: Charter, parent: Charter | Sequence[Charter]) -> Effective:
    """Return the settings of ``child`` under ``parent`` (a charter or a line): never looser than the parent's."""
    above = [parent] if isinstance(parent, Charter) else list(parent)
    return effective([child, *above])


Looser = Literal["undecided", "opaque", "ttl", "budget", "sponsor", "ask", "code", "keep"]


def _looser_ask(child: Charter, now: Effective) -> Iterable[tuple[Looser, str, str]]:
    if child.ask_by is not None and child.ask_by != now.ask_by:
        yield "ask", f"by = {child.ask_by}", f"by = {now.ask_by}"
    if child.ask_within and seconds(child.ask_within) != now.ask_within:
        yield "ask", f"within = {child.ask_within}", f"within = {now.ask_within}s"


def _looser_keep(child: Keep, now: Keeping) -> Iterable[tuple[Looser, str, str]]:
    if child.what is not None and child.what != now.what:
        yield "keep", f"what = {list(child.what)}", f"what = {list(now.what)}"
    for name, wrote, holds in (
        ("max", child.max, now.max),
        ("sample", child.sample, now.sample),
        ("age", seconds(child.age) if child.age else None, now.age),
    ):
        if wrote is not None and wrote != holds:
            yield "keep", f"{name} = {wrote}", f"{name} = {holds}"


def looser(child: Charter, line: Sequence[Charter]) -> list[tuple[Looser, str, str]]:
    """Return what ``child`` writes that has no effect, because its ancestors say something stricter.

    Returns:
        Setting, what the child wrote, what holds: for ``charter check`` to tell its author.
    """
    if not line:
        return []
    now, found = effective([child, *line]), list[tuple[Looser, str, str]]()
    for name in ("undecided", "opaque", "sponsor"):
        wrote, holds = getattr(child, name), getattr(now, name)
        if wrote is not None and wrote != holds:
            found.append((name, wrote, holds))
    if child.ttl and seconds(child.ttl) != now.ttl:
        found.append(("ttl", child.ttl, f"{now.ttl}s"))
    found += _looser_ask(child, now)
    found += _looser_keep(child.keep, now.keep)
    for name in BUDGETS:
        wrote, holds = getattr(child.budget, name), getattr(now.budget, name)
        if wrote is not None and wrote != holds:
            found.append(("budget", f"{name} = {limit(name, wrote)}", f"{name} = {limit(name, holds)}"))
    for name in ("high", "medium", "low", "unsure", "persona", "comments"):
        wrote, holds = getattr(child.code, name), getattr(now, name)
        if wrote is not None and wrote != holds:
            found.append(("code", f"{name} = {wrote}", f"{name} = {holds}"))
    return found
