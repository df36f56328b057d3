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

SHORTEST, LONGEST = 4, 512
"""Characters of a token."""

_BETWEEN = "\"'`<>()[]{},;|\\!*"
_TOKEN = re.compile(rf"[^\s{re.escape(_BETWEEN)}]{{{SHORTEST},{LONGEST}}}")
_SEPARATORS = str.maketrans(dict.fromkeys(_BETWEEN, " "))
_PIECE = re.compile(r"[^/=&?#@:]{4,}")
_STRUCTURE = re.compile(r"[/@:=.&?#]")
Ranks = tuple[set[str], set[str], set[str], set[str]]
_EDGES = ".,:;-_/#=&?~+$"
_DIGIT = re.compile("[0-9]")
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
    chosen = _telling(_by_rank(text.lower()), limit)
    base = hashlib.blake2b(key=key, digest_size=SIZE)
    out: list[bytes] = []
    for token in chosen:
        one = base.copy()
        one.update(token.encode("utf-8", "replace"))
        out.append(one.digest())
    return b"".join(sorted(out))


def _runs(low: str) -> set[str]:
    """Return what :data:`_TOKEN` finds but everyday words; in ASCII text, which is most, at a fifth of its price."""
    if not low.isascii():
        return set(_TOKEN.findall(low)) - EVERYDAY
    runs = {run for run in set(low.translate(_SEPARATORS).split()) - EVERYDAY if len(run) >= SHORTEST}
    if len(max(runs, key=len, default="")) > LONGEST:
        for run in [run for run in runs if len(run) > LONGEST]:
            runs.remove(run)
            parts = (run[at : at + LONGEST] for at in range(0, len(run), LONGEST))
            runs.update(part for part in parts if len(part) >= SHORTEST)
    return runs


def _by_rank(low: str) -> Ranks:
    """Return the salient tokens: structured ones, those with digits, other names, words; the most telling first."""
    ranks: Ranks = (set(), set(), set(), set())
    _, digits, _, words = ranks
    joined, structure = list[str](), _STRUCTURE.search
    for raw in _runs(low):
        if raw.isalnum():
            (words if raw.isalpha() else digits if raw.isascii() else ranks[_rank(raw)]).add(raw)
            continue
        token = raw.strip(_EDGES)
        if len(token) < SHORTEST:
            continue
        if structure(token):
            joined.append(token)
        elif token not in EVERYDAY:
            ranks[_rank(token)].add(token)
    _add_structured(joined, ranks)
    return ranks


def _add_structured(tokens: list[str], ranks: Ranks) -> None:
    """Add structured tokens whole and in the pieces that others may name them by: host, file name, value."""
    structured = ranks[0]
    text = "/".join(tokens)
    if "://" in text:
        tokens = [_SCHEME.sub("", token) for token in tokens]
        for bare in tokens:
            (structured if _STRUCTURE.search(bare) else ranks[_rank(bare)]).add(bare)
        text = "/".join(tokens)
    else:
        structured.update(tokens)
    for piece in set(_PIECE.findall(text)):  # Many name the same file, line after line.
        part = piece.strip(_EDGES)
        if len(part) < SHORTEST or part in EVERYDAY:
            continue
        if "." not in part:
            ranks[_rank(part)].add(part)
            continue
        structured.add(part)
        if part[0].isalpha() or not part.replace(".", "").isdigit():
            stem = part.rpartition(".")[0]
            if len(stem) >= SHORTEST and stem not in EVERYDAY:
                (structured if "." in stem else ranks[_rank(stem)]).add(stem)


def _rank(token: str) -> int:
    """Return the rank of a token without structure: 1 with digits, 2 for a name of other sorts, 3 for a word."""
    if token.isalpha():
        return 3
    if token.isascii():
        return 1 if token.isalnum() or _DIGIT.search(token) else 2
    return 1 if any(map(str.isdigit, token)) else 2


def _telling(ranks: Ranks, limit: int) -> list[str]:
    """Return the ``limit`` most telling tokens: by rank, then the longest. At most one rank has to be sorted."""
    chosen: list[str] = []
    for rank in ranks:
        room = limit - len(chosen)
        chosen += rank if len(rank) <= room else sorted(sorted(rank), key=len, reverse=True)[:room]
    return chosen


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
