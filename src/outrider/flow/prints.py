"""Keyed fingerprints of what a text says, so that cause can be traced when the text itself is gone.

A print is the first 8 bytes of keyed BLAKE2b over one salient token in lower case. What is salient: URLs, hosts,
e-mail addresses, paths, identifiers, numbers of four digits and more, and words of four letters and more that are not
everyday words. Whoever holds the key can test a guess; without it a print says nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

from outrider.events.call import Call, Effect

SIZE = 8
"""Bytes of one print."""
MAX_TEXT = 1 << 20
"""Characters looked at; of a longer text, the first and the last half of this."""
MAX_CONTROL = 4_000

_TOKEN = re.compile(r"[^\s\"'`<>()\[\]{},;|\\!*]{4,512}")
_PIECE = re.compile(r"[^/=&?#@:]{4,}")
_STRUCTURE = re.compile(r"[/@:=.&?#]")
_EDGES = ".,:;-_/#=&?~+$"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@]*@)?")
_SPLIT_NAME = re.compile(r"[._-]+")
_BODIES = frozenset(
    {"content", "body", "text", "message", "description", "prompt", "data", "file_text", "new_string", "old_string",
     "new_str", "old_str", "comment", "html", "markdown", "summary", "notes", "patch", "diff", "code", "source"}
)  # fmt: skip
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?\n.*?\n\s*\1\b", re.DOTALL)
_LONG_QUOTE = re.compile(r"'[^']{120,}'|\"[^\"]{120,}\"")
EVERYDAY = frozenset(files("outrider.flow").joinpath("everyday.txt").read_text("ascii").split())
"""Everyday words of prose and of code; they tie nothing to anything."""


def fingerprints(text: str, key: bytes, *, limit: int) -> bytes:
    """Return the prints of the salient tokens of ``text``: sorted, concatenated, each once.

    Args:
        text: Any text. Time is linear in it.
        key: Key of the prints, 1 to 64 bytes.
        limit: Most prints; where there are more tokens, the most telling are kept: structured ones, then those with
            digits, then the longest.
    """
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT // 2] + "\n" + text[-MAX_TEXT // 2 :]
    tokens = set(_tokens(text.lower()))
    chosen: Sequence[str] | set[str] = tokens
    if len(tokens) > limit:
        chosen = sorted(tokens, key=_salience)[:limit]
    base = hashlib.blake2b(key=key, digest_size=SIZE)
    out: list[bytes] = []
    for token in chosen:
        one = base.copy()
        one.update(token.encode("utf-8", "replace"))
        out.append(one.digest())
    return b"".join(sorted(out))


def _tokens(low: str) -> Iterator[str]:
    for raw in set(_TOKEN.findall(low)):
        if raw.isalpha():
            if raw not in EVERYDAY:
                yield raw
            continue
        token = raw.strip(_EDGES)
        if len(token) < 4:
            continue
        if not _STRUCTURE.search(token):
            if token not in EVERYDAY:
                yield token
            continue
        yield from _parts(token)


def _parts(token: str) -> Iterator[str]:
    """Yield a structured token whole and in the pieces that others may name it by: host, file name, value."""
    bare = _SCHEME.sub("", token) if "://" in token else token
    yield bare
    for piece in _PIECE.findall(bare):
        part = piece.strip(_EDGES)
        if len(part) >= 4 and part not in EVERYDAY:
            yield part
            if "." in part and not part.replace(".", "").isdigit():
                stem = part.rpartition(".")[0]
                if len(stem) >= 4 and stem not in EVERYDAY:
                    yield stem


def _salience(token: str) -> tuple[int, int, str]:
    if _STRUCTURE.search(token):
        rank = 0
    elif any(char.isdigit() for char in token):
        rank = 1
    elif not token.isalpha():
        rank = 2
    else:
        rank = 3
    return rank, -len(token), token


def overlap(a: bytes, b: bytes) -> int:
    """Return how many prints two results of :func:`fingerprints` share."""
    if len(a) > len(b):
        a, b = b, a
    mine = {a[place : place + SIZE] for place in range(0, len(a), SIZE)}
    return sum(b[place : place + SIZE] in mine for place in range(0, len(b), SIZE))


def control_text(call: Call, effects: Sequence[Effect]) -> str:
    """Return what steers a call rather than what it carries: where it goes and what it names, one a line.

    The values of its effects; of its arguments the short ones that are not bodies; of a command line what is left
    when here-documents and long quotations are taken out. At most :data:`MAX_CONTROL` characters.
    """
    lines = [effect.value for effect in effects if effect.kind != "text" and effect.verb not in ("exec", "unparsed")]
    if call.tool == "shell":
        command = call.args.get("command")
        if isinstance(command, str):
            lines.append(_LONG_QUOTE.sub(" ", _HEREDOC.sub(" ", command[: MAX_CONTROL * 4])))
    else:
        lines.extend(_control_arguments(call))
    return "\n".join(lines)[:MAX_CONTROL]


def _control_arguments(call: Call) -> Iterator[str]:
    stack = [(name, value) for name, value in call.args.items()]
    seen = 0
    while stack and seen < 500:
        name, value = stack.pop()
        seen += 1
        if isinstance(value, dict):
            stack.extend(value.items())
        elif isinstance(value, list | tuple):
            stack.extend((name, item) for item in value)
        elif isinstance(value, str):
            if name.lower() not in _BODIES and len(value) <= 300:
                yield value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield str(value)
