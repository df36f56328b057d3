"""Readers of text filters: what they make of text that is known, such as the far end of ``echo ... | rev | sh``.

What they make of known text, where that is not worked out here, counts as decoded: a shell behind it runs what nobody
has read.
"""

from __future__ import annotations

import base64
import binascii
import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.shell.state import Flow
from outrider.effects.shell.tree import Arg

_MAX_SET = 1024
_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "[:lower:]": "abcdefghijklmnopqrstuvwxyz", "[:digit:]": "0123456789",
    "[:space:]": " \t\n\r\v\f", "[:blank:]": " \t",
}  # fmt: skip
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\"}
_PLAIN_SED = re.compile(
    r"s(?P<by>[^\w\s\\])(?P<old>[\w "
    ".,:;=@%&!~'\"<>-]*)(?P=by)(?P<new>[^\\&]*?)(?P=by)(?P<flags>g?)\\Z"
)


def decoded(name: str, text: str, *, is_hex: bool = False) -> Flow:
    """Return what ``base64 -d``, ``base32 -d`` or ``xxd -r -p`` makes of a known text."""
    plain = "".join(text.split())
    try:
        if is_hex:
            return Flow(text=bytes.fromhex(plain).decode())
        if name == "base32":
            return Flow(text=base64.b32decode(plain + "=" * (-len(plain) % 8)).decode())
        return Flow(text=base64.b64decode(plain + "==").decode())
    except (binascii.Error, ValueError):
        return Flow(origin="decoded")


def encoding(run: Invocation) -> Flow:
    """``base64``, ``xxd``, ``od``: what they decode is known where what they are given is."""
    run.read_options()
    run.apply()
    if "decode" not in run.flags:
        return Flow(origin="file")
    text = run.text_in()
    is_hex = run.name == "xxd" and any("p" in word.text for word in run.words if word.text[:1] == "-")
    if text is None or not (is_hex or run.name in {"base64", "base32", "b64"}):
        return Flow(origin="decoded")
    return decoded(run.name, text, is_hex=is_hex)


def cut(run: Invocation) -> Flow:
    """``cut``, ``tr``: only ``cut`` reads files."""
    run.read_options()
    text = run.stdin.text if run.name == "tr" else None
    if run.name == "tr":
        made = _translated(text, run.words) if text is not None else None
        return _made(run, made)
    values = {"-d", "-f", "-c", "-b", "--output-delimiter", "--delimiter", "--fields"}
    files, skip, asked = [], False, ""
    for word in run.words:
        if skip or word.text[:1] == "-":
            asked = word.text if skip and not asked else asked if skip else word.text[2:]
            skip = word.text in values and not skip
        else:
            files.append(word)
            run.path("read", word)
    run.rest = files
    text = run.text_in()
    span = re.fullmatch(r"(\d*)(-?)(\d*)", asked)
    is_letters = any(word.text.startswith(("-c", "-b")) for word in run.words)
    if text is None or span is None or not is_letters:
        return _made(run, None)
    first = int(span[1] or 1) - 1
    last = int(span[3]) if span[3] else None if span[2] else first + 1
    return Flow(text="".join(line[first:last] + "\n" for line in text.splitlines()))


def _made(run: Invocation, text: str | None) -> Flow:
    """Return what comes out: the text, or where it comes from, or that known text was changed in some way."""
    if text is not None:
        return Flow(text=text)
    return Flow(origin="decoded" if run.stdin.text is not None else run.stdin.origin or "file")


def _translated(text: str, words: list[Arg]) -> str | None:
    """Return what ``tr`` makes of a text, or None if its sets are not plain."""
    options = {letter for word in words if re.fullmatch(r"-[a-zA-Z]+", word.text) for letter in word.text[1:]}
    sets = [_set(word.text) for word in words if not re.fullmatch(r"-[a-zA-Z]+", word.text)]
    if not sets or any(one is None for one in sets) or options - set("ds"):
        return None
    first = sets[0] or ""
    if "d" in options:
        return "".join(letter for letter in text if letter not in first)
    if len(sets) < 2 or "s" in options or not sets[1]:
        return None
    second = sets[1] + sets[1][-1] * max(0, len(first) - len(sets[1]))
    return text.translate(dict(zip(map(ord, first), second, strict=False)))


def _set(text: str) -> str | None:
    """Return the letters of a set of ``tr``: ranges, classes and escapes written out."""
    for name, letters in _CLASSES.items():
        text = text.replace(name, letters)
    found: list[str] = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\\" and at + 1 < len(text):
            at += 1
            letter = _ESCAPED.get(text[at], text[at])
        elif text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            found.extend(map(chr, range(ord(letter), min(ord(text[at + 2]), ord(letter) + _MAX_SET) + 1)))
            at += 3
            continue
        found.append(letter)
        at += 1
    return "".join(found) if len(found) <= _MAX_SET else None


def turned(run: Invocation) -> Flow:
    """``rev``, ``tac``: letters, or lines, the other way round."""
    run.read_options()
    run.apply()
    text = run.text_in()
    if text is None or any(word.text[:1] == "-" for word in run.words):
        return run.printed() if text is None else _made(run, None)
    lines = text.splitlines()
    if run.name == "rev":
        return Flow(text="".join(line[::-1] + "\n" for line in lines))
    return Flow(text="".join(line + "\n" for line in reversed(lines)))


def substituted(script: str, text: str) -> str | None:
    """Return what ``sed 's/old/new/g'`` makes of a text where old and new are plain letters, else None."""
    found = _PLAIN_SED.fullmatch(script)
    if found is None or not found["old"] or "." in found["old"]:
        return None
    count = -1 if found["flags"] else 1
    return "\n".join(line.replace(found["old"], found["new"], count) for line in text.split("\n"))


def openssl_decoded(run: Invocation) -> Flow | None:
    """Return what ``openssl base64 -d`` and ``openssl enc -a -d`` print where they are given known text."""
    words = {word.text for word in run.words}
    is_plain = bool(words & {"base64", "-base64", "-a", "-A"}) and not words & {"-k", "-pass", "-in"}
    if is_plain and "-d" in words and run.stdin.text is not None:
        return decoded("base64", run.stdin.text)
    return None


READERS = {"encoding": encoding, "cut": cut, "turned": turned}
