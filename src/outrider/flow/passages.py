"""A text that a tool returned, cut into what stands in fields of its own and what stands inside free text.

A short value in a field (an id, a sender, an amount) was put there by the tool. What stands inside free text was put
there by whoever wrote the text. Structure is told from the text alone: JSON, the ``key: value`` lists that tools
print, Python's literals, the links of a page; whatever is none of these is free text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from outrider.flow.orders import is_order

MAX_TEXT = 128 * 1024
"""Characters looked at; of a longer text, the first and the last half of this."""
MAX_LEAVES = 2_000
DICTATES = 6
"""Sentences behind an order that ends in a colon which belong to it."""
MAX_LITERAL = 64 * 1024
_FIELD_CHARS, _FIELD_WORDS = 60, 6

Kind = Literal["field", "text", "order"]

_KEYED = re.compile(r"(\s*)((?:- )*)([A-Za-z_][\w .$#/@-]{0,40}?|'[^'\n]{1,40}'|\"[^\"\n]{1,40}\"):(?:\s+(.*))?$")
_ITEM = re.compile(r"(\s*)- (.*)$")
_AFTER_END = r"[\"')\]]*\s+"
_BETWEEN_SENTENCES = re.compile(
    rf"\.{_AFTER_END}|!{_AFTER_END}|\?{_AFTER_END}|\n\s*\n|<[^<>]{{0,300}}>|\n(?=\s*(?:[-*•]|\d+[.)])\s)|;\s"
    r"|\n(?=\s*[A-Z][\w ]{0,30}:\s)|\r\n(?=\s*[A-Z][\w ]{0,30}:\s)"
)
"""What parts two sentences, and the sign that ends the one before: each begins with one sign alone, and so it is found
by looking for these signs."""
_LINK = re.compile(r"\b(?:href|src|action)\s*=\s*[\"']([^\"'\n]{1,300})[\"']", re.IGNORECASE)
_ESCAPED = re.compile(r"\\{1,8}[nrt]")
"""A line's end as a text inside a text writes it, escaped three times at most: a longer run is not one."""
_FOLDED = re.compile(r"(?<!\\)\\[ \t]*\n[ \t]*(\\ )?")
"""Where a quoted value of a list is folded: the end of the line is no part of it, an escaped space is."""
_NESTED = (ValueError, SyntaxError, RecursionError, MemoryError)


class Passage(NamedTuple):
    """A piece of a text.

    Attributes:
        kind: ``field``, ``text``, or ``order``: free text that tells its reader to do something, or stands beside it.
        text: The piece.
    """

    kind: Kind
    text: str


def passages(text: str) -> Iterator[Passage]:
    """Yield the pieces of ``text``, in order. Time is linear in its length."""
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT // 2] + "\n\n" + text[-MAX_TEXT // 2 :]
    text = text.strip()
    value = _literal(text)
    if value is not None:
        yield from _walk(value)
        return
    if is_short(text):
        yield from _leaf(text)
        return
    lines = text.split("\n")
    yield from _listing(lines) if _is_listing(lines) else _prose(text)


def is_short(text: str) -> bool:
    """Tell whether a text is short enough for a field: a value rather than something that somebody wrote."""
    return len(text) <= _FIELD_CHARS and len(text.split()) <= _FIELD_WORDS


def _literal(text: str) -> Any:
    """Return the list or object that a text is, as JSON or as Python prints it; None if it is none."""
    if text[:1] not in ("[", "{") or text[-1:] not in ("]", "}"):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    if len(text) > MAX_LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except _NESTED:
        return None


def _walk(value: Any) -> Iterator[Passage]:
    stack = [value]
    for _ in range(MAX_LEAVES):
        if not stack:
            return
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(part for pair in reversed(list(item.items())) for part in reversed(pair))
        elif isinstance(item, list | tuple | set):
            stack.extend(reversed(list(item)))
        elif isinstance(item, str):
            yield from _leaf(item)
        elif item is not None and not isinstance(item, bool):
            yield Passage("field", str(item)[:_FIELD_CHARS])
    # What is behind so many leaves is no field of anything: said so, not lost.
    yield Passage("text", str(stack)[:MAX_LITERAL])


def _leaf(text: str) -> Iterator[Passage]:
    text = text.strip()
    if not is_short(text):
        value = _literal(text)
        if isinstance(value, dict | list) and value and len(text) < MAX_LITERAL:
            yield from _walk(value)
        else:
            yield from _prose(text)
    elif text:
        yield Passage("order" if " " in text and is_order(text) else "field", text)


def _is_listing(lines: list[str]) -> bool:
    full = [line for line in lines if line.strip()]
    margin = min(len(line) - len(line.lstrip()) for line in full)
    top = [line for line in full if len(line) - len(line.lstrip()) == margin]
    return len(top) >= 2 and all(_KEYED.match(line) or _ITEM.match(line) for line in top)


def _listing(lines: list[str]) -> Iterator[Passage]:
    """Yield the values of a ``key: value`` list, each joined from the lines that it runs over."""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        keyed = _KEYED.match(line)
        item = None if keyed else _ITEM.match(line)
        if keyed:
            margin, value = len(keyed[1]) + len(keyed[2]), (keyed[4] or "").strip()
        elif item:
            margin, value = len(item[1]), item[2].strip()
        else:
            yield from _leaf(line)
            continue
        parts = [value]
        at = _run_on(lines, at, margin, parts)
        full = "\n".join(parts).strip()
        yield from _leaf(full.strip(full[0]) if full[:1] in ("'", '"') else full)


def _run_on(lines: list[str], at: int, margin: int, parts: list[str]) -> int:
    """Append to ``parts`` the lines from ``at`` on that the value in it runs over; return where the next one starts."""
    value = parts[0]
    quote = value[:1]
    if quote and quote in "'\"":
        while not _closed(parts[-1], quote, opens=len(parts) == 1) and at < len(lines):
            parts.append(lines[at].strip())
            at += 1
        return at
    block = quote in ("|", ">") and bool(quote)
    while value and at < len(lines):
        line = lines[at]
        if line.strip() and len(line) - len(line.lstrip()) <= margin:
            break
        if not block and (not line.strip() or _KEYED.match(line) or _ITEM.match(line)):
            break
        parts.append(line.strip())
        at += 1
    return at


def _closed(value: str, quote: str, *, opens: bool) -> bool:
    """Tell whether a quoted value ends with this line, which may be the one that opens it.

    A doubled or escaped quote is part of the value.
    """
    if not value.endswith(quote) or (opens and len(value) < 2):
        return False
    if quote == "'":
        return (len(value) - len(value.rstrip("'"))) % 2 == 1 or value == "''"
    return not value.endswith('\\"') or value.endswith('\\\\"')


def _prose(text: str) -> Iterator[Passage]:
    if "\\" in text:
        text = _ESCAPED.sub("\n", _FOLDED.sub(lambda fold: " " if fold[1] else "", text))
    if _may_link(text):
        for link in _LINK.finditer(text):
            yield Passage("field", link[1])
    sentences = [piece for piece in _sentences(text) if piece and piece.strip()]
    orders = [is_order(sentence) for sentence in sentences]
    reach = -1
    for at, sentence in enumerate(sentences):
        if orders[at]:
            # What an order that ends in a colon dictates comes behind it.
            reach = max(reach, at + (DICTATES if sentence.rstrip().endswith(":") else 1))
        # "P025 is what I want. Please buy it": the value may stand beside the order.
        near = at <= reach or (at + 1 < len(sentences) and orders[at + 1])
        yield Passage("order" if near else "text", sentence)


def _sentences(text: str) -> list[str]:
    """Return a text's sentences, without what parts them."""
    out: list[str] = []
    last = 0
    for found in _BETWEEN_SENTENCES.finditer(text):
        start = found.start()
        out.append(text[last : start + (text[start] in ".!?")])
        last = found.end()
    out.append(text[last:])
    return out


def _may_link(text: str) -> bool:
    """Tell whether a text may hold a link: its words are looked for first, for that costs next to nothing."""
    if "=" not in text:
        return False
    if not text.isascii():
        return True  # Some letters of other scripts count as ASCII ones where case does not matter.
    low = text.lower()
    return "href" in low or "src" in low or "action" in low
