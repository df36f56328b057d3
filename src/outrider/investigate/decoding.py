"""Values of a text that are written in hexadecimal, base64 or percent escapes, in plain text beside it.

Only what comes out as printable text in whole is shown, bounded, with what a detector knows as a secret taken out: of
those the rule is named. A run that holds no text, such as a digest or a picture, is left as it stands.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from outrider.detect.secrets import find

MOST: Final = 20
"""Values of one text that are shown, the first ones."""
MOST_READ: Final = 256 * 1024
"""Characters of a text that are looked through."""
MOST_RUN: Final = 64 * 1024
"""Characters of one run that are decoded; a longer one is left as it stands."""
MOST_SHOWN: Final = 1_000
"""Characters shown of what a value says."""
_DEEP: Final = 3
"""Codings inside one another that are undone."""
_LEAST: Final = 6
"""Least characters of what a value says."""
_HEAD: Final = 24

_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_PERCENT: Final = re.compile(r"(?:[A-Za-z0-9._~+-]*%[0-9A-Fa-f]{2}){2,}[A-Za-z0-9._~+-]*")
_RUN: Final = re.compile(
    rf"(?P<percent>{_PERCENT.pattern})|(?<![0-9A-Za-z])(?P<hex>{_HEX.pattern})(?![0-9A-Za-z])|(?P<base64>{_BASE64.pattern})"
)
_NAMES: Final = {"percent": "percent escapes", "hex": "hexadecimal", "base64": "base64"}


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """One value and what it says.

    Attributes:
        run: How the value begins, as it stands in the text.
        form: How it is written, the outermost coding first: ``hexadecimal``, ``base64, then hexadecimal``.
        text: What it says. Written by an attacker: escape it.
        more: Characters of it that are not shown.
    """

    run: str
    form: str
    text: str
    more: int = 0

    @property
    def label(self) -> str:
        """What is said before the text."""
        return f"Decoded from {self.form} ({self.run}):"

    @property
    def shown(self) -> str:
        """The text, with what was left out named."""
        return self.text + (f" ... {self.more:,} more characters" if self.more else "")


def decoded(text: str) -> tuple[Decoded, ...]:
    """Return the values of a text that hold printable text, in their order, each once."""
    return tuple(dict.fromkeys(islice(_decoded(text[:MOST_READ]), MOST)))


def _decoded(text: str) -> Iterator[Decoded]:
    for match in _RUN.finditer(text):
        run = match[0]
        said, forms = _undone(run, str(match.lastgroup))
        if forms:
            plain = _without_secrets(said)
            head = run if len(run) <= _HEAD else run[:_HEAD] + "\u2026"
            yield Decoded(
                run=head, form=", then ".join(forms), text=plain[:MOST_SHOWN], more=max(0, len(plain) - MOST_SHOWN)
            )


def _undone(run: str, form: str) -> tuple[str, list[str]]:
    """Return what a run says with every coding undone, and the codings."""
    said, forms = run, list[str]()
    for _ in range(_DEEP):
        inner = _printable(_bytes(said, form))
        if inner is None or inner == said:
            break
        said = inner
        forms.append(_NAMES[form])
        whole = _RUN.fullmatch(said.strip())
        if whole is None:
            break
        form = str(whole.lastgroup)
    return said, forms


def _bytes(run: str, form: str) -> bytes:
    run = run.strip()
    if len(run) > MOST_RUN:
        return b""
    if form == "percent":
        return unquote_to_bytes(run)
    if form == "hex":
        return bytes.fromhex(run)
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return b""


def _printable(data: bytes) -> str | None:
    """Return the text that bytes are, if all of it can be shown."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    shown = text.replace("\n", "").replace("\t", "").replace("\r", "")
    return text if len(shown) >= _LEAST and shown.isprintable() else None


def _without_secrets(text: str) -> str:
    """Return a text in which each secret that a detector knows stands as the name of its rule."""
    out, last = list[str](), 0
    for hit in sorted(find(text, limit=0), key=lambda one: one.start):
        if hit.start >= last:
            out += (text[last : hit.start], f"[{hit.rule.id}]")
        last = max(last, hit.end)
    return "".join([*out, text[last:]])
