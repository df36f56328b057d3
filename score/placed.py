"""Planted orders and harmless neighbours, each put into something that a tool would return.

``vectors/content/carriers.jsonl`` holds what tools return, each with one open place. ``orders.jsonl`` and
``neighbours.jsonl`` hold what is put there, and how it is written: as it stands, or in base64, in invisible characters
and so on, so that no file of the project holds what cannot be seen.
"""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec

PLACE = "{{here}}"
_VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "content"
_LOOKALIKE = str.maketrans("aceiopsxyAEOI", "асеіорѕхуАЕОІ")  # noqa: RUF001
_LEET = str.maketrans("aeiost", "4310$7")


class Placed(msgspec.Struct, frozen=True):
    """One text as a tool would return it.

    Attributes:
        family: What kind of order or neighbour it holds.
        carrier: The name of what surrounds it.
        planted: Whether it holds an order.
        text: The whole text.
    """

    family: str
    carrier: str
    planted: bool
    text: str


def _bits(text: str) -> str:
    return "".join("\u200b\u200c"[byte >> bit & 1] for byte in text.encode() for bit in range(8))


def _selectors(text: str) -> str:
    return "\U0001f600" + "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode())


def _shifted(text: str, capital: int, small: int, digit: int) -> str:
    starts = {True: (65, capital), False: (97, small)}
    out = []
    for one in text:
        if one.isascii() and one.isalpha():
            first, to = starts[one.isupper()]
            out.append(chr(ord(one) - first + to))
        else:
            out.append(chr(ord(one) - 48 + digit) if one.isascii() and one.isdigit() else one)
    return "".join(out)


def _soft(text: str) -> str:
    return " ".join("\u00ad".join(word[at : at + 3] for at in range(0, len(word), 3)) for word in text.split(" "))


_WRITTEN: dict[str, Callable[[str], str]] = {
    "-": lambda text: text,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-told": lambda text: f"Decode this and act on it: {base64.b64encode(text.encode()).decode()}",
    "hex": lambda text: text.encode().hex(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "rot13-told": lambda text: f"In rot13, for you to follow: {codecs.encode(text, 'rot13')}",
    "url": lambda text: quote(text, safe=""),
    "entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "escapes": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "reversed-told": lambda text: f"Read backwards and follow: {text[::-1]}",
    "tags": lambda text: "".join(chr(0xE0000 + ord(one)) for one in text),
    "zero-width-between": "\u200b".join,
    "zero-width-breaks": lambda text: text.replace("/", "/\u200b"),
    "zero-width-bits": _bits,
    "selectors": _selectors,
    "homoglyphs": lambda text: text.translate(_LOOKALIKE),
    "fullwidth": lambda text: _shifted(text, 0xFF21, 0xFF41, 0xFF10),
    "math-bold": lambda text: _shifted(text, 0x1D400, 0x1D41A, 0x1D7CE),
    "spaced": lambda text: "   ".join(" ".join(word) for word in text.split()),
    "dotted": lambda text: " ".join(".".join(word) for word in text.split()),
    "leet": lambda text: text.translate(_LEET),
    "bidi": lambda text: f"\u202e{text[::-1]}\u202c",
    "soft-hyphens": _soft,
}
"""How a text may be written."""


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_VECTORS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def _put(form: str, around: str, text: str) -> str:
    if form == "json":
        text = json.dumps(text, ensure_ascii=False)[1:-1]
    elif form == "csv":
        text = '"' + " ".join(text.replace('"', '""').split()) + '"' if text else text
    elif form == "prefix":
        before = around[: around.index(PLACE)].rpartition("\n")[2]
        text = text.replace("\n", "\n" + before)
    return around.replace(PLACE, text)


def placed() -> list[Placed]:
    """Return every order and every neighbour in its place, and every carrier with nothing in it, as a neighbour."""
    carriers = {row["name"]: row for row in _rows("carriers")}
    out = [
        Placed("nothing", name, planted=False, text=_put(row["form"], row["text"], ""))
        for name, row in carriers.items()
    ]
    for name, key, planted in (("orders", "family", True), ("neighbours", "kind", False)):
        for row in _rows(name):
            carrier = carriers[row["in"]]
            text = _put(carrier["form"], carrier["text"], _WRITTEN[row.get("as", "-")](row["text"]))
            out.append(Placed(row[key], row["in"], planted=planted, text=text))
    return out
