"""Takes secrets out of text that is about to be kept: each becomes ``[secret:<rule>:<print>]``.

Everything the secrets detector finds goes, whatever its confidence: a print too many costs a reader little. Redacting
twice changes nothing, and the same secret has the same print everywhere on this host.
"""

from __future__ import annotations

import re
from typing import Any

from outrider.detect.checks import entropy
from outrider.detect.secrets import Hit, find
from outrider.events.entities import keyed_print

_ROUNDS = 4
_HEX = re.compile(r"(?:0x)?[0-9a-f]{16,}\Z")
_BASE32 = re.compile(r"(?=.*[2-7])[a-z2-7]{16,}=*\Z")
_MIN_LABEL = 16
_LABEL_ENTROPY = 3.6


def redact(text: str, key: bytes) -> str:
    """Return ``text`` with every secret replaced by its keyed print; the same object if there is none.

    Args:
        text: Any text. A clean one costs one pass of the pattern set.
        key: Key of the prints.
    """
    for _ in range(_ROUNDS):
        spans = _merged(find(text, limit=0))
        if not spans:
            return text
        out: list[str] = []
        last = 0
        for start, end, rule in spans:
            out += (text[last:start], f"[secret:{rule}:{keyed_print(text[start:end], key)}]")
            last = end
        out.append(text[last:])
        text = "".join(out)
    return text


def _merged(hits: list[Hit]) -> list[tuple[int, int, str]]:
    """Join spans that overlap; the first rule gives its name."""
    out: list[tuple[int, int, str]] = []
    for hit in hits:
        name = hit.rule.id.removeprefix("secret.")
        if out and hit.start < out[-1][1]:
            start, end, first = out[-1]
            out[-1] = (start, max(end, hit.end), first)
        else:
            out.append((hit.start, hit.end, name))
    return out


def redact_host(host: str, key: bytes = b"") -> str:
    """Return ``host`` with every label that carries data rather than a name written ``[print:xxxxxxxx]``.

    A label does so if it is long hexadecimal or base32, or long and of high entropy; names smuggle data out
    (DNS exfiltration). Labels that are prints already stay.

    Args:
        host: A host, with or without a port.
        key: Key of the prints; without it labels are taken out and cannot be looked up.
    """
    if len(host) < _MIN_LABEL:
        return host
    return ".".join(_label(label, key) for label in host.split("."))


def _label(label: str, key: bytes) -> str:
    name, colon, port = label.partition(":")
    if len(name) < _MIN_LABEL or name.startswith(("[", "xn--")):
        return label
    low = name.lower()
    digits = sum(char.isdigit() for char in low)
    carries = (
        _HEX.match(low)
        or (_BASE32.match(low) and digits >= 2)
        or (digits >= 3 and "-" not in low and entropy(low) >= _LABEL_ENTROPY)
        or (len(low) > 40 and entropy(low) >= 4.0)
    )
    if not carries:
        return label
    shown = keyed_print(low, key, domain="label") if key else "unkeyed"
    return f"[print:{shown}]{colon}{port}"


def redact_struct(value: Any, key: bytes) -> Any:
    """Return plain data (dicts, lists, tuples, strings, numbers) with every string redacted, keys included.

    Iterative, so that deep nesting cannot exhaust the stack. Tuples come back as lists.
    """
    root: list[Any] = [None]
    stack: list[tuple[Any, Any, Any]] = [(value, root, 0)]
    while stack:
        item, parent, place = stack.pop()
        made: Any = item
        if isinstance(item, str):
            made = redact(item, key)
        elif isinstance(item, dict):
            made = {(redact(k, key) if isinstance(k, str) else k): None for k in item}
            names = [redact(k, key) if isinstance(k, str) else k for k in item]
            stack.extend((v, made, n) for n, v in zip(names, item.values(), strict=True))
        elif isinstance(item, list | tuple):
            made = [None] * len(item)
            stack.extend((v, made, n) for n, v in enumerate(item))
        parent[place] = made
    return root[0]


__all__ = ["redact", "redact_host", "redact_struct"]
