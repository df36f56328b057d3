"""The last thing before a string touches disk: secrets become keyed prints, homes become ``~``.

Every event passes here on its way into the record, so that no room has to remember to. One scan over all strings of
an event decides whether anything has to be done; nearly always nothing has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec

from outrider.detect.redact import redact, redact_host
from outrider.events.message import Message
from outrider.events.record import AnyEvent, Beside, Entity

# Fields that hold our own words or digests; what a detector might see in them is chance.
_OURS = frozenset(
    {"kind", "verb", "c", "digest", "chain", "beside", "prev", "vkey", "rule", "charter", "severity", "confidence"}
)
_SEPARATOR = "\n\0\n"


def is_clean(fields: Mapping[str, Any], told_by: str, beside: Beside, key: bytes) -> bool:
    """Tell whether neither an event nor what lies beside it holds anything to be taken out: one scan over both.

    Args:
        fields: The event's own fields.
        told_by: The source that it names.
        beside: What lies beside it.
        key: Key of the prints.
    """
    theirs = tuple(value for name, value in fields.items() if name not in _OURS)
    values = [entity.value for entity in beside.entities]
    joined = _SEPARATOR.join([told_by, *_strings(theirs), *values, *beside.private.values()])
    if redact(joined, key) != joined:
        return False
    return all(clean_name(entity.kind, entity.value, key) == entity.value for entity in beside.entities)


def clean_event(event: AnyEvent, key: bytes) -> AnyEvent:
    """Return ``event`` with every secret in its strings replaced by its print; the same object if there is none."""
    strings = list(_strings(event))
    if not strings:
        return event
    joined = _SEPARATOR.join(strings)
    if redact(joined, key) == joined:
        return event
    plain = msgspec.to_builtins(event)
    return msgspec.convert(_cleaned(plain, key), type(event))


def clean_beside(beside: Beside, key: bytes) -> Beside:
    """Return ``beside`` with secrets in entities and private names, and data in hosts' names, replaced by prints."""
    values = [entity.value for entity in beside.entities] + list(beside.private.values())
    joined = _SEPARATOR.join(values)
    secret = redact(joined, key) != joined
    if not secret and all(clean_name(e.kind, e.value, key) == e.value for e in beside.entities):
        return beside
    entities = tuple(Entity(e.role, e.kind, redact(clean_name(e.kind, e.value, key), key)) for e in beside.entities)
    private = {name: redact(value, key) for name, value in beside.private.items()}
    return msgspec.structs.replace(beside, entities=entities, private=private)


def clean_message(message: Message, key: bytes) -> Message:
    """Return ``message`` with secrets taken out of the ids and names by which it is looked up later.

    What is looked up must be what the record holds; the event itself is cleaned on its way in, too late for that.
    """
    call = getattr(message, "call", None)
    ids = [message.session, message.host_agent, getattr(message, "child", "")]
    ids += [call.call_id, call.name] if call is not None else []
    joined = _SEPARATOR.join(ids)
    if redact(joined, key) == joined:
        return message
    names = {"session": redact(message.session, key), "host_agent": redact(message.host_agent, key)}
    changed: dict[str, Any] = dict(names)
    if call is not None:
        changed["call"] = msgspec.structs.replace(
            call, **names, call_id=redact(call.call_id, key), name=redact(call.name, key)
        )
    if ids[2]:
        changed["child"] = redact(ids[2], key)
    cleaned: Message = msgspec.structs.replace(message, **changed)
    return cleaned


def clean_name(kind: str, value: str, key: bytes) -> str:
    """Return a thing's value in which high-entropy labels of hosts (data smuggled out through names) are prints."""
    if kind == "host":
        return redact_host(value, key)
    if kind in {"repo", "email"} and "." in value:
        return "@".join("/".join(redact_host(part, key) for part in side.split("/")) for side in value.split("@"))
    return value


def cut(text: str, limit: int, key: bytes) -> str:
    """Return at most ``limit`` characters of ``text``; a secret is taken out before it could be cut in two."""
    return text if len(text) <= limit else redact(text, key)[:limit]


def abbreviate(path: str, home: str) -> str:
    """Return ``path`` with the agent's home written ``~``, the only abbreviation that the record knows."""
    if not home or home == "/":
        return path
    if path == home:
        return "~"
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


def expand(path: str, home: str) -> str:
    """Undo :func:`abbreviate`."""
    if path == "~":
        return home
    return home + path[1:] if path.startswith("~/") else path


def _strings(value: Any) -> list[str]:
    """Return every string of a struct, or of several, that came from outside, however deep."""
    out: list[str] = []
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        kind = item.__class__
        if kind is str:
            if item:
                out.append(item)
        elif kind is tuple:
            stack.extend(item)
        elif kind is dict:
            stack.extend(item.values())
        elif kind is not int and kind is not bool and isinstance(item, msgspec.Struct):
            stack.extend(_theirs(kind)(item))
    return out


@cache
def _theirs(kind: type[msgspec.Struct]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the fields out of a struct that others have filled."""
    names = [name for name in kind.__struct_fields__ if name not in _OURS]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda item: tuple(getattr(item, name) for name in names)


def _cleaned(value: Any, key: bytes, name: str = "") -> Any:
    if isinstance(value, str):
        return value if name in _OURS else redact(value, key)
    if isinstance(value, dict):
        return {k: _cleaned(v, key, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(v, key, name) for v in value]
    return value
