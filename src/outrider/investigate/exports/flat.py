"""An event as one flat row: what spreadsheets, timelines and rules about single events can use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from outrider.events.call import Finding, Label
from outrider.events.record import AgentBorn, AnyEvent, CallDecided, CallResult, DeedsSeen, Prompted, SecondLook
from outrider.investigate.words import of

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material

Value = str | int | bool | tuple[str, ...]

COLUMNS = (
    "event", "kind", "message", "agent", "charter", "charter_digest", "parent", "root", "depth", "sponsor", "door",
    "session", "tool", "name", "verdict", "enforced", "rule", "reason", "verb", "path", "host", "command", "package",
    "repo", "credential", "other", "flag", "label", "finding", "severity", "ok", "intent", "adds", "record",
    "leaf_hash",
)  # fmt: skip
"""Every column, in order. Those with several values hold them in the event's order, each once."""

SEVERAL = frozenset({"rule", "verb", "path", "host", "command", "package", "repo", "credential", "other", "flag",
                     "label", "finding", "severity", "adds"})  # fmt: skip
"""Columns that may hold several values."""

_KINDS = {"path", "host", "command", "package", "repo", "credential"}


def flat(material: Material, event: AnyEvent, leaf_hash: str) -> dict[str, Value]:
    """Return the row of one event; a column that says nothing is left out."""
    told = of(material.view, event)
    row: dict[str, Value] = {
        "event": event.n, "kind": told.kind, "message": told.what, "record": material.origin, "leaf_hash": leaf_hash,
    }  # fmt: skip
    if event.agent:
        agent = material.agent(event.agent)
        row |= {
            "agent": agent.id, "charter": agent.charter, "charter_digest": agent.charter_digest, "parent": agent.parent,
            "root": agent.root, "depth": agent.depth, "sponsor": agent.sponsor, "door": agent.door,
            "session": agent.session,
        }  # fmt: skip
    if isinstance(event, CallDecided):
        row |= _call(event)
    if isinstance(event, CallResult):
        row |= {"ok": event.ok, "intent": event.intent}
    if isinstance(event, CallResult | Prompted):
        row["adds"] = _once(one.name for one in event.adds)
    row |= _marks(event)
    return {name: row[name] for name in COLUMNS if row.get(name) not in (None, "", ())}


def _call(event: CallDecided) -> dict[str, Value]:
    hits = event.decision.hits
    refusing = [hit for hit in hits if hit.verdict != "allow"]
    row: dict[str, Value] = {
        "tool": event.tool, "name": event.name, "verdict": event.decision.verdict, "enforced": event.decision.enforced,
        "rule": _once(hit.rule for hit in hits), "reason": refusing[0].reason if refusing else "",
        "verb": _once(effect.verb for effect in event.effects),
        "flag": _once(flag for effect in event.effects for flag in effect.flags),
    }  # fmt: skip
    for kind in _KINDS:
        values = [text for one in event.effects if one.kind == kind for text in (one.value, one.resolved) if text]
        row[kind] = _once(values)
    row["other"] = _once(one.value for one in event.effects if one.kind not in _KINDS)
    return row


def _marks(event: AnyEvent) -> dict[str, Value]:
    findings: tuple[Finding, ...] = ()
    labels: tuple[Label, ...] = ()
    if isinstance(event, CallDecided | SecondLook | DeedsSeen):
        findings = event.findings
    if isinstance(event, CallDecided | AgentBorn):
        labels = event.labels
    return {
        "finding": _once(one.rule for one in findings),
        "severity": _once(one.severity for one in findings),
        "label": _once(one.name for one in labels),
    }


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
