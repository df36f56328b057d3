"""What detectors found and rules refused while agents worked, in SARIF 2.1.0 (OASIS standard, 2020)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from outrider import __version__
from outrider.events.record import AnyEvent, CallDecided, DeedsSeen, SecondLook
from outrider.investigate.exports.material import iso
from outrider.investigate.words import of

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material

_LEVEL: Final = {"high": "error", "medium": "warning", "low": "note"}


def sarif(material: Material) -> Iterator[bytes]:
    """Yield one log with one run."""
    results: list[dict[str, Any]] = []
    rules: dict[str, str] = {}
    for event, leaf_hash in material.events():
        for rule, level, text in _said(event):
            rules.setdefault(rule, text)
            results.append(_result(material, event, leaf_hash, rule, level, text))
    place = {rule: at for at, rule in enumerate(rules)}
    for one in results:
        one["ruleIndex"] = place[one["ruleId"]]
    described = [{"id": rule, "shortDescription": {"text": text}} for rule, text in rules.items()]
    driver = {"name": "Outrider", "version": __version__, "rules": described}
    yield msgspec.json.encode(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
        }
    )


def _said(event: AnyEvent) -> Iterator[tuple[str, str, str]]:
    """Give rule, level and sentence of each finding and of each refusal."""
    if isinstance(event, CallDecided | SecondLook | DeedsSeen):
        for finding in event.findings:
            if not finding.suppressed:
                yield finding.rule, _LEVEL[finding.severity], finding.message
    if isinstance(event, CallDecided) and event.decision.enforced in {"allow", "amend"}:
        carried = {label.name for label in event.labels}
        places = [one.value for one in event.effects if one.verb == "connect"]
        if {"secret", "untrusted"} <= carried and places:
            yield (
                "flow.secret-out",
                "error" if any("upload" in one.flags for one in event.effects) else "warning",
                f"Connected to {places[0]} while its context held a secret and what came from outside; it was allowed.",
            )
    if isinstance(event, CallDecided) and event.decision.verdict not in {"allow", "amend"}:
        level = "error" if event.decision.enforced == "deny" else "warning"
        for hit in event.decision.hits:
            if hit.verdict == event.decision.verdict:
                yield hit.rule, level, hit.reason or f"{hit.rule} of charter {hit.charter} says {hit.verdict}."


def _result(material: Material, event: AnyEvent, leaf_hash: str, rule: str, level: str, text: str) -> dict[str, Any]:
    told = of(material.view, event)
    agent = material.agent(event.agent)
    paths = [one.value for one in event.effects if one.kind == "path"] if isinstance(event, CallDecided) else []
    paths += [event.path] if isinstance(event, SecondLook) else []
    result: dict[str, Any] = {
        "ruleId": rule,
        "level": level,
        "message": {"text": f"{text} (agent {agent.id}, {agent.charter or 'no charter'}: {told.what})"},
        "partialFingerprints": {"outriderLeaf/v1": leaf_hash, "outriderRule/v1": f"{leaf_hash}:{rule}"},
        "properties": {"event": event.n, "time": iso(event.ts), "record": material.origin, "agent": agent.id},
    }
    if paths:
        uri = urllib.parse.quote(paths[0].encode("utf-8", "replace"))
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]
    return result
