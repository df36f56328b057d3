"""The inventory of agents as a CycloneDX 1.6 bill of materials.

An agent is a component of type ``application`` whose version is its charter's digest; what it installed are
``library`` components with a package URL, the servers whose tools it called are services, and the edges say who made
whom and who used what. CycloneDX has no type for an agent (1.6 and 1.7); properties named ``outrider:...`` say the
rest.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from outrider import __version__
from outrider.events.record import CallDecided
from outrider.investigate.exports.material import iso

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material
    from outrider.store.reading import Agent

_PURL: Final = {"pypi": "pypi", "npm": "npm", "cargo": "cargo", "gem": "gem", "go": "golang", "nuget": "nuget",
                "composer": "composer", "conda": "conda", "luarocks": "luarocks", "docker": "docker"}  # fmt: skip


def cyclonedx(material: Material) -> Iterator[bytes]:
    """Yield one document. Made from the same events it is the same, byte for byte."""
    agents = material.agents()
    components: dict[str, dict[str, Any]] = {agent.id: _agent(agent) for agent in agents}
    services: dict[str, dict[str, Any]] = {}
    edges: dict[str, dict[str, None]] = {agent.id: {} for agent in agents}
    last = 0
    for event, _ in material.events():
        last = max(last, event.ts)
        if not isinstance(event, CallDecided) or event.decision.enforced != "allow":
            continue
        for effect in event.effects:
            if effect.kind == "package" and (made := _package(effect.value)):
                components.setdefault(made["bom-ref"], made)
                edges[event.agent][made["bom-ref"]] = None
            elif effect.kind == "tool" and effect.value.startswith("mcp:"):
                server = effect.value[4:].partition("/")[0]
                services.setdefault(f"mcp:{server}", {"bom-ref": f"mcp:{server}", "name": server})
                edges[event.agent][f"mcp:{server}"] = None
    for agent in agents:
        if agent.parent in edges:
            edges[agent.parent][agent.id] = None
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{material.origin}#{material.numbers[0]}-{material.numbers[-1]}")
    yield msgspec.json.encode(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
            "metadata": {
                "timestamp": iso(last),
                "tools": {"components": [{"type": "application", "name": "outrider", "version": __version__}]},
                "component": {"type": "platform", "name": material.host, "bom-ref": material.origin},
            },
            "components": list(components.values()),
            "services": list(services.values()),
            "dependencies": [
                {"ref": material.origin, "dependsOn": [agent.id for agent in agents if agent.parent not in edges]},
                *({"ref": one, "dependsOn": list(on)} for one, on in edges.items()),
            ],
        }
    )


def _agent(agent: Agent) -> dict[str, Any]:
    facts = {
        "charter": agent.charter, "parent": agent.parent, "root": agent.root, "sponsor": agent.sponsor,
        "door": agent.door, "how": agent.how, "mode": agent.mode, "born": iso(agent.born_ts) if agent.born_ts else "",
        "ended": iso(agent.ended_ts) if agent.ended_ts else "", "end": agent.ended_how or "",
    }  # fmt: skip
    component: dict[str, Any] = {
        "type": "application",
        "bom-ref": agent.id,
        "name": agent.charter or "agent",
        "version": agent.charter_digest or "unknown",
        "properties": [{"name": f"outrider:{name}", "value": text} for name, text in facts.items() if text],
    }
    if agent.purpose:
        component["description"] = agent.purpose
    return component


def _package(value: str) -> dict[str, Any] | None:
    """Return the component of a package as an effect names it: ``pypi:name`` or ``npm:@scope/name@1.0``."""
    ecosystem, _, name = value.partition(":")
    kind = _PURL.get(ecosystem)
    if kind is None or not name:
        return None
    plain, _, version = name.partition("@") if not name.startswith("@") else _scoped(name)
    purl = f"pkg:{kind}/{plain.replace('@', '%40')}" + (f"@{version}" if version else "")
    component = {"type": "library", "bom-ref": purl, "name": plain, "purl": purl}
    return component | ({"version": version} if version else {})


def _scoped(name: str) -> tuple[str, str, str]:
    scope, _, version = name[1:].partition("@")
    return f"@{scope}", "@", version
