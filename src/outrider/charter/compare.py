"""Two charters side by side, in words: what becomes allowed, what becomes denied, and what else changes.

Patterns are compared as they are written, but for one that another plainly holds (``repo/src/**`` beside ``repo/**``,
anything beside ``*``): to widen a charter by a pattern that it already covers is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from outrider.charter.cedar import ACTIONS
from outrider.charter.covering import holds, permitted
from outrider.charter.model import Charter, Rules
from outrider.charter.narrow import BUDGETS, approvers, effective, kept, limit
from outrider.charter.patterns import UNIVERSAL

Becomes = Literal["allowed", "asked", "denied", "other"]

_LOOSER = {
    "undecided": ("deny", "ask", "allow"),
    "mode": ("enforce", "observe"),
    "opaque": ("deny", "ask", "confined", "allow"),
    "sponsor": ("required", "optional"),
    "high": ("fix", "tell", "note"),
    "medium": ("fix", "tell", "note"),
    "low": ("fix", "tell", "note"),
    "unsure": ("full", "less", "note"),
    "persona": ("audit", "strict", "everyday"),
    "comments": ("never", "standing", "allow"),
    "grant": (False, True),
    "ask_by": ("outrider", "host"),
}
"""Setting to its words, the strictest first."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference.

    Attributes:
        becomes: What it makes of a call that it is about.
        section: The section that it stands in.
        key: The verb, label, setting or name there.
        patterns: The patterns that it is about, or none.
        text: The difference in words.
    """

    becomes: Becomes
    section: str
    key: str
    patterns: tuple[str, ...] = ()
    text: str


def compare(before: Sequence[Charter], after: Sequence[Charter]) -> tuple[Change, ...]:
    """Return what changes from one charter to another.

    Args:
        before: A charter and all that it extends, itself first.
        after: The other one.
    """
    return tuple(_changes(before, after))


def _changes(before: Sequence[Charter], after: Sequence[Charter]) -> Iterator[Change]:
    old, new = before[0], after[0]
    yield from _may(old, new)
    yield from _strict("ask", old, new)
    yield from _strict("never", old, new)
    yield from _delegate(old.delegate, new.delegate)
    yield from _settings(before, after)
    for section in ("flow", "tools", "sequences"):
        yield from _named(section, getattr(old, section), getattr(new, section))
    yield from _named("code.rules", old.code.rules, new.code.rules)
    if old.contact != new.contact:
        told = f"whom to ask: {new.contact or 'nobody of its own'} instead of {old.contact or 'nobody of its own'}"
        yield Change(becomes="other", section="charter", key="contact", text=told)
    if old.cedar != new.cedar:
        what = "other policies" if old.cedar and new.cedar else "policies" if new.cedar else "no policies any more"
        yield Change(becomes="other", section="cedar", key="policies", text=f"it has {what} in Cedar")
    for one in before[1:]:
        if one not in after[1:]:
            yield Change(becomes="other", section="charter", key="extends", text=f"{one.name} no longer bounds it")
    for one in after[1:]:
        if one not in before[1:]:
            yield Change(becomes="other", section="charter", key="extends", text=f"{one.name} bounds it too")


def _may(old: Charter, new: Charter) -> Iterator[Change]:
    for verb in ACTIONS:
        was, now = permitted(old, verb), permitted(new, verb)
        gained = [text for text in now if not any(holds(verb, wide, text) for wide in was)]
        lost = [text for text in was if not any(holds(verb, wide, text) for wide in now)]
        kept = [text for text in now if any(holds(verb, wide, text) for wide in lost)]
        yield from _change("allowed", ("may", verb), gained)
        yield from _change("denied", ("may", verb), lost, f" but for {', '.join(kept)}" if kept else "")


def _change(becomes: Becomes, where: tuple[str, str], patterns: Sequence[str], more: str = "") -> Iterator[Change]:
    if patterns:
        section, key = where
        text = f"{key} {', '.join('anything' if one in UNIVERSAL else one for one in patterns)}{more}"
        yield Change(becomes=becomes, section=section, key=key, patterns=tuple(patterns), text=text)


def _strict(section: Literal["ask", "never"], old: Charter, new: Charter) -> Iterator[Change]:
    """What is no longer asked about or refused becomes allowed only where the new charter permits it at all."""
    gained: Becomes = "asked" if section == "ask" else "denied"
    ends = "a person is no longer asked" if section == "ask" else "no longer refused whatever else is said"
    for verb in ACTIONS:
        was, now = getattr(old, section).get(verb, ()), getattr(new, section).get(verb, ())
        yield from _change(gained, (section, verb), [text for text in now if text not in was])
        may = permitted(new, verb)
        open_now = [
            text
            for text in was
            if text not in now and any(holds(verb, one, text) or holds(verb, text, one) for one in may)
        ]
        yield from _change("allowed", (section, verb), open_now, f": {ends}")


def _delegate(old: Rules, new: Rules) -> Iterator[Change]:
    for verb in ACTIONS:
        was, now = old.get(verb, ()), new.get(verb, ())
        yield from _change("allowed", ("delegate", verb), [one for one in now if one not in was], ", for its children")
        yield from _change("denied", ("delegate", verb), [one for one in was if one not in now], ", for its children")


def _settings(before: Sequence[Charter], after: Sequence[Charter]) -> Iterator[Change]:
    old, new = effective(before), effective(after)
    for name, words in _LOOSER.items():
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            way = "looser" if words.index(now) > words.index(was) else "stricter"
            told = f"{name} is {_said(now)} instead of {_said(was)}: {way}"
            yield Change(becomes="other", section="code" if name in _CODE else "charter", key=name, text=told)
    if old.ask_approvers != new.ask_approvers:
        told = f"who may answer a question: {approvers(new)} instead of {approvers(old)}"
        yield Change(becomes="other", section="ask", key="approvers", text=told)
    if old.keep != new.keep:
        told = f"what is kept of content: {kept(new.keep)}, instead of {kept(old.keep)}"
        yield Change(becomes="other", section="keep", key="what", text=told)
    limits: list[tuple[str, int | None, int | None]] = [
        ("ttl", old.ttl, new.ttl), ("ask_within", old.ask_within, new.ask_within),
    ]  # fmt: skip
    limits += [(name, getattr(old.budget, name), getattr(new.budget, name)) for name in BUDGETS]
    for name, was, now in limits:
        if was != now:
            way = "stricter" if now is not None and (was is None or now < was) else "looser"
            unit = " s" if name in {"ttl", "ask_within"} else ""
            told = f"{name} is {limit(name, now)}{unit} instead of {limit(name, was)}{unit}: {way}"
            yield Change(becomes="other", section="charter", key=name, text=told)


_CODE = frozenset({"high", "medium", "low", "unsure", "persona", "comments"})


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named(section: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) == new.get(key):
            continue
        what = "changes" if key in old and key in new else "is new" if key in new else "is gone"
        yield Change(becomes="other", section=section, key=key, text=f"{key} {what}")
