"""The secrets detector: one RE2 set says which patterns occur, then only those are looked for.

A text without secrets costs one pass of the set. What a pattern matched is then held against the rule's entropy,
check and surroundings; the rules are data (``rules/*.toml``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
import re2

from outrider.detect.checks import CHECKS, CHECKSUMS, entropy
from outrider.detect.manypatterns import Patterns, encoded
from outrider.detect.placeholders import doubt, stands_for_nothing, unwrapped
from outrider.detect.rules import Rule, load
from outrider.events.call import Confidence, Finding
from outrider.events.entities import keyed_print

MAX_FINDINGS = 64
"""Most findings of one text; the rest of a file full of secrets says nothing new."""
MAX_LOOKED_AT = 5_000
"""Most matches of one rule that are looked at when scanning; redaction looks at all."""

_SET_MEMORY = 256 << 20
_LOWER: dict[Confidence, tuple[Confidence, Confidence, Confidence]] = {
    "high": ("high", "medium", "low"),
    "medium": ("medium", "low", "low"),
    "low": ("low", "low", "low"),
}
_RANK: dict[str, int] = {"high": 0, "medium": 1, "low": 2}
_LEAST_REST = 6
"""Characters that must be left of a value beside what was redacted in it, for it to be a secret of its own."""
_NEAR = 200
_LINE = 160
_BETWEEN = re2.compile(rb"[;&,|\"']")
_RUN = re2.compile(rb"[^\s\"'<>&?=/#%]*%[0-9A-Fa-f]{2}[^\s\"'<>&?=/#]{12,}|[A-Za-z0-9+/_-]{40,}={0,2}")
_DEPTH = 2
_NAME = re2.compile(r"[\w.-]{1,60}$")
_NOT_A_VALUE = re2.compile(
    r"(?i)(?:^|[_.-])(?:name|type|ur[il]|path|file|field|id|ids|len|length|count|expir\w*|ttl|header|prefix|suffix|regex|re"
    r"|pattern|format|policy|label|ref|arn|input|class|version|limit|size|endpoint|schema|provider|manager|required"
    r"|enabled|rotation|hint|prompt|env|var|reset|confirm\w*|placeholder|title|description|store|backend|mount\w*|s)$"
)


_Span = tuple[int, int, Rule, str, Confidence]


class Hit(msgspec.Struct, frozen=True):
    """One secret found: ``start`` and ``end`` are character offsets of ``value`` in the text."""

    rule: Rule
    start: int
    end: int
    value: str
    confidence: Confidence


@cache
def patterns() -> Patterns:
    """Return the compiled rules; the first call costs some tenths of a second."""
    rules = load()
    return Patterns([rule.alarm for rule in rules], [rule.pattern for rule in rules], memory=_SET_MEMORY)


def which(data: bytes) -> list[int]:
    """Return the positions (in :func:`outrider.detect.rules.load`) of the rules that may occur in ``data``."""
    return patterns().which(data)


def find(text: str, *, path: str = "", limit: int = MAX_LOOKED_AT, depth: int = 0) -> list[Hit]:
    """Return every secret in ``text``, overlapping ones of different rules included, in the order of their starts.

    Args:
        text: The text.
        path: The file that it is in, or empty; lowers confidence for tests, documents and examples.
        limit: Most matches looked at a rule; 0 for all.
        depth: How many wrappings of base64 the text was taken out of.
    """
    data = encoded(text)
    found = which(data)
    if path:
        found += _of_file(path)
    wrapped = depth < _DEPTH and _RUN.search(data) is not None
    if not found and not wrapped:
        return []
    rules, each = load(), patterns().each
    marks = _marks(data)
    spans: list[_Span] = []
    for index in found:
        of_rule = _matches(rules[index], each[index], data, path, limit)
        spans.extend(span for span in of_rule if not marks or not _already_out(span, marks))
    if wrapped:
        spans.extend(_wrapped(data, path, limit, depth))
    spans.sort(key=lambda span: (span[0], -span[1]))
    return list(_in_characters(spans, data, ascii_only=len(data) == len(text)))


@cache
def _files() -> list[tuple[int, Any]]:
    return [(index, re2.compile(rule.file)) for index, rule in enumerate(load()) if rule.file]


@lru_cache(maxsize=1024)
def _of_file(path: str) -> tuple[int, ...]:
    """Return the positions of the rules that look at what is in such a file, whatever it says."""
    return tuple(index for index, pattern in _files() if pattern.search(path))


@cache
def _mark() -> Any:
    names = "|".join(rule.id.removeprefix("secret.") for rule in load())
    return re2.compile(rf"\[(?:secret:(?:{names}):[0-9a-f]{{8}}|print:(?:[0-9a-f]{{8}}|unkeyed))\]".encode())


def _marks(data: bytes) -> list[tuple[int, int]]:
    """Return where ``data`` holds what redaction left behind. Only exact forms count: a mark must not shield text."""
    if b"[secret:" not in data and b"[print:" not in data:
        return []
    return [match.span() for match in _mark().finditer(data)]


def _already_out(span: _Span, marks: list[tuple[int, int]]) -> bool:
    """Tell whether what was found is nothing but a mark, part of one, or too short a rest beside one."""
    start, end = span[0], span[1]
    left = end - start
    for first, last in marks:
        if first < end and start < last:
            left -= min(end, last) - max(start, first)
    return left < end - start and left < _LEAST_REST


def _each(pattern: Any, data: bytes) -> Iterator[Any]:
    """Yield the matches of a pattern, each looked for behind the one before, or behind a sign within its last part.

    What is set to a value may stand right behind another with only ``;`` between, and a pattern for values that may
    hold that sign takes the beginning of the next along.
    """
    at = 0
    while (match := pattern.search(data, at)) is not None:
        yield match
        start, end = match.span(match.lastindex or 0)
        sign = _BETWEEN.search(data, start, end)
        at = sign.end() if sign is not None else match.end()
        if at <= match.start():
            at = match.start() + 1


def _matches(rule: Rule, pattern: Any, data: bytes, path: str, limit: int) -> Iterator[_Span]:
    generic = rule.value == "*"
    for looked_at, match in enumerate(_each(pattern, data)):
        if limit and looked_at >= limit:
            return
        group = match.lastindex if generic else min(rule.group, pattern.groups)
        if generic and (match[1] and _NOT_A_VALUE.search(match[1])):
            continue
        if generic and data[match.end() : match.end() + 1] == b"(":
            continue
        found = _Found(data, match.start(), *match.span(group))
        value = data[found.start : found.end].decode("utf-8", "replace")
        confidence = _judge(rule, value, found, path)
        if confidence is not None:
            yield found.start, found.end, rule, value, confidence


def _wrapped(data: bytes, path: str, limit: int, depth: int) -> Iterator[_Span]:
    """Yield the runs of base64 and of URL escapes that hold a secret, under the rule of what is inside."""
    for looked_at, match in enumerate(_RUN.finditer(data)):
        if limit and looked_at >= limit:
            return
        value = match.group().decode("utf-8", "replace")
        inner = unquote(value) if b"%" in match.group() else unwrapped(value)
        if not inner or inner == value:
            continue
        hits = best(find(inner, path=path, limit=limit, depth=depth + 1))
        if hits:
            yield *match.span(), hits[0].rule, value, hits[0].confidence


class _Found(NamedTuple):
    """Where in ``data`` a rule's match begins (``first``), and its secret: ``start`` to ``end``."""

    data: bytes
    first: int
    start: int
    end: int


def _judge(rule: Rule, value: str, found: _Found, path: str) -> Confidence | None:
    """Return how sure it is that ``value`` is a secret, or None if it is none."""
    if len(value) < rule.min_length or (rule.needs_digit and not any(c.isdigit() for c in value)):
        return None
    if rule.entropy and entropy(value) < rule.entropy:
        return None
    if rule.check != "hash" and stands_for_nothing(value[:4096]):
        return None
    if rule.near:
        around = found.data[max(0, found.start - _NEAR) : found.end + _NEAR]
        if rule.near.encode() not in around.lower():
            return None
    answer = CHECKS[rule.check](value) if rule.check else "maybe"
    if answer == "no":
        return None
    confidence: Confidence = "medium" if rule.check in CHECKSUMS and answer == "maybe" else rule.confidence
    name, line = _surroundings(found)
    return _LOWER[confidence][doubt(name, line, path)]


def _surroundings(found: _Found) -> tuple[str, str]:
    data, first, start, end = found
    before = data[max(0, first - _LINE) : start].rpartition(b"\n")[2].decode("utf-8", "replace")
    after = data[end : end + _LINE].partition(b"\n")[0].decode("utf-8", "replace")
    ahead = data[max(0, first - _LINE) : first].rpartition(b"\n")[2].decode("utf-8", "replace")
    names = [_NAME.search(text.rstrip("\"'`:=>, \t({[\\")) for text in (before, ahead)]
    return " ".join(name.group() for name in names if name), before[-_LINE:] + " " + after


def _in_characters(spans: list[_Span], data: bytes, *, ascii_only: bool) -> Iterator[Hit]:
    byte = char = 0
    for start, end, rule, value, confidence in spans:
        if ascii_only:
            yield Hit(rule, start, end, value, confidence)
            continue
        char += len(data[byte:start].decode("utf-8", "replace"))
        byte = start
        yield Hit(rule, char, char + len(value), value, confidence)


def best(hits: list[Hit]) -> list[Hit]:
    """Return ``hits`` without those that overlap a better one: surer, then of an earlier rule, then longer."""
    if not hits:
        return []
    order = {rule.id: place for place, rule in enumerate(load())}
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (_RANK[h.confidence], order[h.rule.id], h.start - h.end)):
        if all(hit.end <= other.start or hit.start >= other.end for other in kept):
            kept.append(hit)
            if len(kept) >= MAX_FINDINGS:
                break
    return sorted(kept, key=lambda h: h.start)


def secrets(text: str, where: str, key: bytes, *, path: str = "") -> list[Finding]:
    """Return the secrets in ``text`` as findings; the detector of :data:`outrider.detect.registry.DETECTORS`."""
    return [
        Finding(
            rule=hit.rule.id,
            severity=hit.rule.severity,
            confidence=hit.confidence,
            where=where,
            message=f"{hit.rule.title} in the text.",
            advice=hit.rule.advice,
            start=hit.start,
            end=hit.end,
            print=keyed_print(hit.value, key),
        )
        for hit in best(find(text, path=path))
    ]
