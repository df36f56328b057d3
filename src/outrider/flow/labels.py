"""Which labels a call brings to its agent's context."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from outrider.events.call import Effect, Finding
from outrider.events.hosts import host_of_url, normal_host, split_port
from outrider.flow.stores import reads_secret_store

SECRET = "secret"  # noqa: S105
UNTRUSTED = "untrusted"

_OUTSIDE_TOOLS = frozenset({"fetch", "websearch", "mcp"})
_HANDS_OUT = re.compile(
    r"(?i)/(?:get|read|fetch|show|list|dump|print)_?(?:all_?)?(?:env|environ|environment|secret|credential|password"
    r"|private_?key|api_?key|vault)(?:s|_?var(?:iable)?s?)?(?:_?value)?$"
)
"""Tools of MCP servers that hand out secrets, by their names."""
_QUIET = frozenset({"install", "push", "deploy"})


def brings(effects: Sequence[Effect], findings: Sequence[Finding]) -> frozenset[str]:
    """Return the labels that a call's own effects bring, should it run.

    ``secret``: it reads a secret store (as written or as resolved, alone or within a tree), uses a credential, asks a
    tool that hands out secrets, or holds a secret itself. ``untrusted``: it fetches from another host or asks an MCP
    server, whose answer anybody may have written. The connection of an installer or of a push is not content and brings
    nothing, nor does what the broker lends to a program: it is the agent's own, and a command that prints it is seen.

    Args:
        effects: What it would do.
        findings: What detectors saw in its arguments.
    """
    out = set(_of_findings(findings))
    quiet = {(effect.start, effect.end) for effect in effects if effect.verb in _QUIET and effect.end}
    for effect in effects:
        if effect.verb == "use_credential":
            if "lent" not in effect.flags:
                out.add(SECRET)
        elif effect.verb == "read":
            if effect.kind == "credential" or (effect.kind == "path" and _reads_store(effect)):
                out.add(SECRET)
        elif effect.verb == "connect":
            if (effect.start, effect.end) not in quiet and not is_local(effect.value):
                out.add(UNTRUSTED)
        elif effect.verb == "call" and effect.kind == "tool" and effect.value.startswith("mcp:"):
            out.add(UNTRUSTED)
            if _HANDS_OUT.search(effect.value):
                out.add(SECRET)
    return frozenset(out)


def result_brings(call_tool: str, findings: Sequence[Finding]) -> frozenset[str]:
    """Return the labels that a call's output brings.

    Args:
        call_tool: The normal tool.
        findings: What detectors saw in the output.
    """
    out = set(_of_findings(findings))
    if call_tool in _OUTSIDE_TOOLS:
        out.add(UNTRUSTED)
    return frozenset(out)


def prompt_brings(findings: Sequence[Finding]) -> frozenset[str]:
    """Return the labels that an instruction brings: ``secret`` where it holds one.

    What a user pastes is taken for the user's own word, whatever it says.

    Args:
        findings: What detectors saw in it.
    """
    return frozenset(_of_findings(findings) & {SECRET})


def is_local(host: str) -> bool:
    """Tell whether a host is this machine, in any spelling of its name or address."""
    kind, value = host_of_url(host) if "://" in host else normal_host(host)
    bare = split_port(value)[0]
    if kind == "ip":
        address = ipaddress.ip_address(bare.strip("[]"))
        return address.is_loopback or address.is_unspecified
    return bare == "localhost" or bare.endswith(".localhost")


def _reads_store(effect: Effect) -> bool:
    tree = "recursive" in effect.flags
    paths = (effect.value, effect.resolved) if effect.resolved else (effect.value,)
    return any(reads_secret_store(path, whole_tree=tree) for path in paths)


def _of_findings(findings: Sequence[Finding]) -> set[str]:
    out: set[str] = set()
    for finding in findings:
        if finding.rule.startswith("secret.") and finding.severity == "high" and finding.confidence != "low":
            out.add(SECRET)
        elif finding.rule.startswith("content.") and finding.confidence != "low":
            out.add(UNTRUSTED)
    return out
