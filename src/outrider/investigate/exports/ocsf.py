"""OCSF 1.9 events as JSONL, one class an event, with the profiles ``ai_operation``, ``host`` and ``security_control``.

A shell call is Process Activity (1007), a call on files File System Activity (1001), any other call and a result API
Activity (6003), an agent's birth and end Application Lifecycle (6002), what detectors found afterwards a Detection
Finding (2004), the rest Base Event (0). ``raw_data`` is the leaf itself and ``raw_data_hash`` its SHA-256, so that an
event found in a SIEM leads to its proof. The profile ``record_integrity`` is not claimed: its fingerprint is of the
OCSF event, and what the log proves is the leaf.

Source: schema.ocsf.io 1.9.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from outrider import __version__
from outrider.events.call import Effect, Finding
from outrider.events.codec import canonical
from outrider.events.record import AgentBorn, AgentEnded, AnyEvent, CallDecided, CallResult, DeedsSeen, SecondLook
from outrider.investigate.words import of

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material
    from outrider.store.reading import Agent

VERSION: Final = "1.9.0"

_FILES: Final = {"write": 3, "delete": 4, "read": 2}
"""Verbs on paths, the weightiest first, as activities of File System Activity."""
_CATEGORY: Final = {0: 0, 1001: 1, 1007: 1, 2004: 2, 6002: 6, 6003: 6}
_SEVERITY: Final = {"": 1, "low": 2, "medium": 3, "high": 4}
_CONFIDENCE: Final = {"low": 1, "medium": 2, "high": 3}
_OUTCOME: Final = {"allow": (1, 1), "amend": (4, 11), "ask": (99, 23), "deny": (2, 2), "error": (2, 27)}
"""What a host was told, as ``action_id`` and ``disposition_id``; a question is no action that OCSF has a word for."""


def ocsf(material: Material) -> Iterator[bytes]:
    """Yield the lines."""
    for event, leaf_hash in material.events():
        yield msgspec.json.encode(_event(material, event, leaf_hash)) + b"\n"


def _event(material: Material, event: AnyEvent, leaf_hash: str) -> dict[str, Any]:
    told = of(material.view, event)
    class_uid, activity, more = _kind(material, event)
    leaf = canonical(event)
    base: dict[str, Any] = {
        "category_uid": _CATEGORY[class_uid],
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "time": event.ts // 1000,
        "severity_id": 1,
        "message": told.what,
        "metadata": {
            "version": VERSION,
            "uid": f"{material.origin}#{event.n}",
            "sequence": event.n,
            "event_code": told.kind,
            "log_name": material.origin,
            "product": {"name": "Outrider", "vendor_name": "Outrider", "version": __version__},
            "profiles": ["host"] if class_uid in {0, 2004} else ["ai_operation", "host", "security_control"],
        },
        "device": _device(material),
        "raw_data": leaf.decode(),
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": hashlib.sha256(leaf).hexdigest()},
        "unmapped": {"leaf_hash": leaf_hash},
    }
    if event.agent and class_uid not in {0, 2004}:
        base["ai_agent"] = _ai_agent(material.agent(event.agent))
    elif event.agent:
        base["unmapped"]["agent"] = event.agent
    return _merged(base, more)


def _merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    unmapped = {**base["unmapped"], **more.pop("unmapped", {})}
    return {**base, **more, "unmapped": unmapped}


def _kind(material: Material, event: AnyEvent) -> tuple[int, int, dict[str, Any]]:
    """Return the class, the activity, and what only this class has."""
    if isinstance(event, CallDecided):
        return _call(material, event)
    if isinstance(event, CallResult):
        return 6003, 99, {
            "activity_name": "Result",
            "actor": _actor(material.agent(event.agent)),
            "api": {"operation": "result", "request": {"uid": event.call or str(event.n)}},
            "src_endpoint": _endpoint(material),
            "status_id": 1 if event.ok else 2,
            "unmapped": {"intent": event.intent},
        }  # fmt: skip
    if isinstance(event, AgentBorn | AgentEnded):
        born = isinstance(event, AgentBorn)
        charter = material.agent(event.agent).charter
        return 6002, 3 if born else 4, {"app": {"name": charter or "agent", "uid": event.agent}, "status_id": 1}
    if isinstance(event, SecondLook | DeedsSeen) and event.findings:
        return 2004, 1, _finding(material, event, event.findings)
    return 0, 99, {"activity_name": str(event.__struct_config__.tag)}


def _call(material: Material, event: CallDecided) -> tuple[int, int, dict[str, Any]]:
    agent = material.agent(event.agent)
    action, disposition = _OUTCOME[event.decision.enforced]
    refusing = [hit for hit in event.decision.hits if hit.verdict != "allow"]
    worst = max((_SEVERITY[one.severity] for one in event.findings), default=1)
    more: dict[str, Any] = {
        "actor": _actor(agent),
        "severity_id": max(worst, 3 if event.decision.enforced == "deny" else 1),
        "action_id": action,
        "disposition_id": disposition,
        "status_id": 2 if event.decision.enforced in {"deny", "error"} else 0,
        "unmapped": {
            "verdict": event.decision.verdict,
            "effects": [f"{one.verb} {one.value}" for one in event.effects],
            "labels": [label.name for label in event.labels],
            "findings": [finding.rule for finding in event.findings],
        },
    }
    if action == 99:
        more["action"] = "Asked"
    if refusing:
        more["policy"] = {
            "uid": refusing[0].rule, "name": refusing[0].charter, "version": refusing[0].digest, "is_applied": True,
            "desc": refusing[0].reason,
        }  # fmt: skip
        more["status_detail"] = refusing[0].reason
    if event.tool == "shell":
        commands = [one.value for one in event.effects if one.kind == "command"]
        return 1007, 1, more | {"process": {"uid": event.call or str(event.n), "name": (commands or [event.name])[0]}}
    paths = [one for one in event.effects if one.kind == "path" and one.verb in _FILES]
    if paths:
        first = min(paths, key=lambda one: list(_FILES).index(one.verb))
        return 1001, _FILES[first.verb], more | {"file": _file(first)}
    more |= {
        "api": {
            "operation": event.name,
            "request": {"uid": event.call or str(event.n)},
            "service": {"name": event.tool},
        },
        "src_endpoint": _endpoint(material),
        "resources": [{"name": one.value, "type": one.kind} for one in event.effects] or [{"name": event.name}],
    }
    return 6003, 99, more | {"activity_name": event.tool}


def _finding(material: Material, event: SecondLook | DeedsSeen, findings: tuple[Finding, ...]) -> dict[str, Any]:
    first = max(findings, key=lambda one: _SEVERITY[one.severity])
    return {
        "finding_info": {
            "uid": f"{material.origin}#{event.n}", "title": first.rule, "desc": first.message,
            "analytic": {"uid": first.rule, "name": first.rule, "type_id": 1},
        },
        "severity_id": _SEVERITY[first.severity],
        "confidence_id": _CONFIDENCE[first.confidence],
        "status_id": 1,
        "unmapped": {"findings": [one.rule for one in findings]},
    }  # fmt: skip


def _file(effect: Effect) -> dict[str, Any]:
    path = effect.resolved or effect.value
    return {"name": path.rstrip("/").rpartition("/")[2] or path, "path": path, "type_id": 0}


def _actor(agent: Agent) -> dict[str, Any]:
    actor: dict[str, Any] = {"app_name": agent.charter or "agent", "app_uid": agent.id}
    if agent.sponsor:
        actor["user"] = {"uid": agent.sponsor, "type_id": 1}
    if agent.session:
        actor["session"] = {"uid": agent.session}
    return actor


def _ai_agent(agent: Agent) -> dict[str, Any]:
    out: dict[str, Any] = {
        "uid": agent.charter or agent.id, "instance_uid": agent.id, "name": agent.charter or agent.id,
        "type_id": 99 if agent.door else 0, "type": agent.door or "Unknown",
    }  # fmt: skip
    if agent.charter_digest:
        digest = agent.charter_digest.removeprefix("sha256:")
        out["charter"] = {
            "name": f"{agent.charter}.toml", "type_id": 1,
            "hashes": [{"algorithm_id": 3, "algorithm": "SHA-256", "value": digest}],
        }  # fmt: skip
    return out


def _device(material: Material) -> dict[str, Any]:
    return {"type_id": 0, "uid": material.origin, "name": material.host}


def _endpoint(material: Material) -> dict[str, Any]:
    return {"uid": material.origin, "name": material.host}
