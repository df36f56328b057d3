"""The things that events touch, normalised so that every spelling of the same thing meets.

Gate, store and investigate share these: what the gate writes beside an event, and what a responder pastes in the
middle of the night, come to the same ``(kind, value)``. The kinds are those of
:class:`outrider.events.record.Entity`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence

from outrider.events.call import Effect
from outrider.events.hosts import host_of_url, normal_host
from outrider.events.mentions import mentions
from outrider.events.normal import (
    KINDS,
    host_entities,
    keyed_print,
    normal_commit,
    normal_digest,
    normal_email,
    normal_package,
    normal_path,
    normal_pid,
    normal_repo,
    normalise,
    printed_mail,
    same_commit,
)
from outrider.events.record import Entity

__all__ = [
    "KINDS",
    "entities_of_effects",
    "guess",
    "host_entities",
    "keyed_print",
    "mentions",
    "normalise",
    "printed_mail",
    "same_commit",
]


def guess(artefact: str, *, key: bytes = b"", home: str = "") -> list[tuple[str, str]]:
    """Return what an artefact that a responder pastes may be: ``(kind, value)``, the likeliest first.

    Args:
        artefact: Anything: a path, a URL, a host, an address, a commit, a digest, a package, a secret, a pid, an id.
        key: Key of this host's prints. Without it neither URLs nor secrets can be looked up by value.
        home: Home folder that a leading ``~`` stands for.
    """
    text = artefact.strip().strip("\"'<>`")
    if not text:
        return []
    found = [*_by_address(text, key), *_by_shape(text, home)]
    if not any(char.isspace() for char in text):
        found += [(kind, normalise(kind, text)) for kind in ("repo", "branch", "tool", "credential", "session")]
    if key:
        found.append(("secret", normalise("secret", text, key=key)))
    return list(dict.fromkeys(pair for pair in found if pair[1]))


def _by_address(text: str, key: bytes) -> list[tuple[str, str]]:
    if "://" not in text or text.startswith("file://"):
        return []
    url = [("url", normalise("url", text, key=key))] if key else []
    return [*url, host_of_url(text), ("repo", normal_repo(text))]


def _by_shape(text: str, home: str) -> list[tuple[str, str]]:
    found = [
        ("path", normal_path(text, home)),
        ("email", normal_email(text)),
        ("package", normal_package(text)),
        ("digest", normal_digest(text)),
        ("commit", normal_commit(text)),
        ("pid", normal_pid(text)),
    ]
    if not any(mark in text for mark in ("/", "@")) and not found[2][1] and ("." in text or not text.isdigit()):
        found.append(normal_host(text))
    return found


_ROLES: dict[str, str] = {
    "exec": "ran", "read": "read", "write": "wrote", "delete": "deleted", "connect": "sent", "call": "called",
    "spawn": "spawned", "install": "installed", "commit": "committed", "push": "pushed", "deploy": "sent",
    "use_credential": "credential", "opaque": "ran",
}  # fmt: skip


def entities_of_effects(effects: Iterable[Effect], *, home: str = "", key: bytes = b"") -> tuple[Entity, ...]:
    """Return what the effects touch, each thing once a role, in the order of the effects.

    A path counts as written and as resolved. A host with a port of its own counts with and without it. Values that
    have no normal form (a path that could not be known) are left out: they are in the event's effects.

    Args:
        effects: The effects.
        home: Home folder that ``~`` stands for.
        key: Key of the prints; without it an effect whose value is a URL counts by its host alone.
    """
    out: dict[Entity, None] = {}
    for effect in effects:
        role = _ROLES.get(effect.verb)
        if role is None or effect.kind == "text":
            continue
        for kind, value in _things(effect, home, key):
            if value:
                out[Entity(role, kind, value)] = None
    return tuple(out)


def _things(effect: Effect, home: str, key: bytes) -> Sequence[tuple[str, str]]:
    if effect.kind == "path":
        return [("path", normal_path(path, home)) for path in (effect.value, effect.resolved) if path]
    if effect.kind == "host":
        return host_entities(effect.value, key)
    read = _READ_AS.get(effect.kind)
    return read(effect, home) if read else ()


def _repo(effect: Effect, home: str) -> Sequence[tuple[str, str]]:
    value = effect.value
    if effect.verb == "push":
        return [("repo", normal_repo(value)), ("branch", value.rpartition("/")[2])]
    return [("repo", normal_path(value, home) or value)]


def _program(effect: Effect, home: str) -> Sequence[tuple[str, str]]:
    path = normal_path(effect.value, home)
    return [("path", path), ("tool", posixpath.basename(path))] if path else [("tool", effect.value)]


def _package(effect: Effect, home: str) -> Sequence[tuple[str, str]]:  # noqa: ARG001
    return [("package", normal_package(effect.value) or effect.value)]


_READ_AS: dict[str, Callable[[Effect, str], Sequence[tuple[str, str]]]] = {
    "repo": _repo,
    "command": _program,
    "agent": _program,
    "package": _package,
    "tool": lambda effect, _: [("tool", effect.value)],
    "charter": lambda effect, _: [("tool", effect.value)],
    "credential": lambda effect, _: [("credential", effect.value)],
}
