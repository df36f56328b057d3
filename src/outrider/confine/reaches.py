"""What a known agent host needs for itself, whatever its charter says of the agent: its state, its own model. Pure.

A person names the host by starting it, so it is lent these; each is told in the birth. A program that is not known
gets nothing, and neither does one that an agent starts: what is lent is not judged, so no agent may choose it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from outrider.charter.hosts import Host, host
from outrider.charter.model import Charter
from outrider.charter.patterns import Asked, Declared, Index, Scene
from outrider.errors import BadInputError

_STATE: Mapping[str, tuple[str, ...]] = {
    "claude": (".claude", ".claude.json"),
    "codex": (".codex",),
    "gemini": (".gemini",),
    "qwen": (".qwen",),
    "copilot": (".copilot", ".cache/copilot"),
    "opencode": (".local/share/opencode", ".local/state/opencode", ".cache/opencode", ".config/opencode"),
    "cline": (".cline",),
}
"""Where an agent host keeps its state, below the home: a directory, unless it ends in ``.json``. The floor's files in
them stay closed to writing, and keys to reading."""


def state_of(command: str, home: str) -> tuple[str, ...]:
    """Return the paths in which a command, if it is a known agent host, keeps its state."""
    return tuple(f"{home.rstrip('/')}/{name}" for name in _STATE.get(command, ()))


_LOGIN: Mapping[str, str] = {
    "claude": ".claude/.credentials.json",
    "codex": ".codex/auth.json",
    "gemini": ".gemini/oauth_creds.json",
    "opencode": ".local/share/opencode/auth.json",
}
"""Where an agent host keeps a login, below the home. Programs that it starts could read it, so it is not lent."""


def login_of(command: str, home: str) -> str:
    """Return the file in which a command, if it is a known agent host, keeps a login; empty for none."""
    return f"{home.rstrip('/')}/{_LOGIN[command]}" if command in _LOGIN else ""


_MODEL: Mapping[str, tuple[str, ...]] = {
    "claude": ("api.anthropic.com:443",),
    "codex": ("api.openai.com:443",),
    "gemini": ("generativelanguage.googleapis.com:443",),
    "qwen": ("dashscope.aliyuncs.com:443", "dashscope-intl.aliyuncs.com:443"),
}
"""Where an agent host reaches its own model. A connection there is no call of the agent's and is not judged."""

_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "claude": ("ANTHROPIC_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL", "ANTHROPIC_VERTEX_BASE_URL"),
    "codex": ("OPENAI_BASE_URL",),
    "gemini": ("GOOGLE_GEMINI_BASE_URL",),
    "qwen": ("OPENAI_BASE_URL",),
    "copilot": ("COPILOT_PROVIDER_BASE_URL",),
}
"""Variables by which a person tells an agent host that its model is elsewhere."""

_URL = re.compile(r"(?i)(https?)://(?:[^/?#@\s]*@)?([^/?#@\s]+)")


def hosts_of(command: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts, each with its port, that a command, if it is a known agent host, needs for itself.

    Args:
        command: Base name of the command.
        environment: What whoever starts it has in the environment; a model that is named there takes the place of the
            usual one.
    """
    named = [url for name in _ELSEWHERE.get(command, ()) if (url := _URL.match(environment.get(name, "")))]
    found = []
    for url in named:
        try:
            found.append(written(host_and_port(url[2], 443 if url[1].lower() == "https" else 80)))
        except BadInputError:
            continue
    return tuple(dict.fromkeys(found)) if named else _MODEL.get(command, ())


def host_and_port(text: str, port: int = 0) -> Host:
    """Return what ``HOST:PORT`` names.

    Raises:
        BadInputError: It names no single host, or no port where ``port`` is not given.
    """
    found = host(text)
    found = found._replace(port=found.port or port)
    if not re.fullmatch(r"[a-z0-9_.:-]+", found.name) or not 0 < found.port < 65_536:
        raise BadInputError(f"{text[:80]!r} is no host with a port", fix="Write it as HOST:PORT, without a scheme.")
    return found


def written(value: Host) -> str:
    """Return a host and its port in the form in which they are compared."""
    return f"[{value.name}]:{value.port}" if ":" in value.name else f"{value.name}:{value.port}"


def refused(hosts: Iterable[str], line: Sequence[Charter]) -> tuple[str, ...]:
    """Return those of some hosts that a charter of a line refuses whatever else it says (``[never] connect``)."""
    index = Index(
        Declared(text, "connect", text, strict=True) for charter in line for text in charter.never.get("connect", ())
    )
    nowhere = Scene("", "", (), {})
    return tuple(one for one in hosts if index.members(Asked("connect", "host", one, ()), nowhere))


def inside(hosts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return those of some hosts that are this machine's own loopback, each with the port on which it is to be there.

    A process tree with a network of its own has another loopback, on which nobody listens.
    """
    found = {}
    for one in hosts:
        value = host(one)
        if value.name == "localhost" or (value.address is not None and value.address.is_loopback):
            found[value.port] = value.name
    return tuple((name, port) for port, name in found.items())


def private(address: str) -> bool:
    """Return whether an address is one of a private network, where a company's own model may be."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_private and not (found.is_loopback or found.is_link_local or found.is_unspecified)
