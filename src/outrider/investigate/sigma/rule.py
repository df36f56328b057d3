"""A Sigma rule as a question to one flat event.

A column with several values matches if one of them does. What a rule says that cannot be decided on one event
(correlations, query expressions) is refused when it is read, never silently a no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import re2

from outrider.errors import BadInputError, UnavailableError
from outrider.investigate.exports.flat import COLUMNS, Value

if TYPE_CHECKING:
    from sigma.rule import SigmaRule

Row = Mapping[str, Value]
Test = Callable[[Row], bool]

CATEGORIES: Final = {
    "tool_call": "call.decided",
    "decision": "call.decided",
    "tool_result": "call.result",
    "prompt": "agent.prompted",
    "spawn": "agent.born",
    "end": "agent.ended",
    "process": "deeds.seen",
    "finding": "code.second-look",
}
"""Category of a log source to the kind of event that it means."""

_MISSING = "pySigma reads Sigma rules, and is not installed"
_FIX = "pip install 'outrider[sigma]'"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that can be asked.

    Attributes:
        id: Its id, or its file's name where it has none.
        title: Its title.
        level: ``informational low medium high critical``, or empty.
        tags: Its tags.
        kind: The kind of event that it is about, or empty for every kind.
        file: Where it was read.
        test: Whether a row matches.
    """

    id: str
    title: str
    level: str
    tags: tuple[str, ...]
    kind: str
    file: str
    test: Test

    def matches(self, row: Row) -> bool:
        """Return whether an event's row is what the rule looks for."""
        return (not self.kind or row.get("kind") == self.kind) and self.test(row)


def read(path: Path) -> tuple[list[Rule], list[str]]:
    """Return the rules of a file, or of all ``*.yml`` and ``*.yaml`` below a directory, and what was passed over.

    Raises:
        BadInputError: A file is no Sigma rule, or asks for what cannot be decided on one event.
        UnavailableError: pySigma is not installed.
    """
    files = sorted((*path.rglob("*.yml"), *path.rglob("*.yaml"))) if path.is_dir() else [path]
    if not files:
        raise BadInputError(f"there is no *.yml below {path}")
    rules: list[Rule] = []
    passed: list[str] = []
    for file in files:
        for one in _parsed(file):
            if one.logsource.product not in {None, "agent"}:
                passed.append(f"{file}: {one.title!r} is about {one.logsource.product}, not about agents")
            else:
                rules.append(_rule(one, file))
    return rules, passed


def _parsed(file: Path) -> Iterator[SigmaRule]:
    try:
        from sigma.collection import SigmaCollection  # noqa: PLC0415 - optional
        from sigma.exceptions import SigmaError  # noqa: PLC0415
        from yaml import YAMLError  # noqa: PLC0415
    except ImportError as error:
        raise UnavailableError(_MISSING, fix=_FIX) from error
    try:
        text = file.read_text(encoding="utf-8")
        found = SigmaCollection.from_yaml(text)
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}") from error
    except (SigmaError, YAMLError, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise BadInputError(f"{file} is no Sigma rule: {' '.join(str(error).split())[:300]}") from error
    for one in found.rules:
        if not hasattr(one, "detection"):
            raise BadInputError(
                f"{file}: {one.title!r} correlates several events, and only single events are matched here"
            )
        yield one  # type: ignore[misc]


def _rule(one: SigmaRule, file: Path) -> Rule:
    from sigma.exceptions import SigmaError  # noqa: PLC0415

    category = one.logsource.category or ""
    if category and category not in CATEGORIES:
        raise BadInputError(
            f"{file}: no event is of category {category!r}", fix=f"One of: {', '.join(sorted(CATEGORIES))}."
        )
    try:
        tests = [_test(condition.parsed, file) for condition in one.detection.parsed_condition]
    except SigmaError as error:
        raise BadInputError(f"{file}: {' '.join(str(error).split())[:300]}") from error
    return Rule(
        id=str(one.id or file.stem),
        title=one.title,
        level=one.level.name.lower() if one.level else "",
        tags=tuple(str(tag) for tag in one.tags),
        kind=CATEGORIES.get(category, ""),
        file=str(file),
        test=lambda row: any(test(row) for test in tests),
    )


def _test(node: Any, file: Path) -> Test:
    from sigma import conditions  # noqa: PLC0415

    if isinstance(node, conditions.ConditionAND):
        parts = [_test(one, file) for one in node.args]
        return lambda row: all(part(row) for part in parts)
    if isinstance(node, conditions.ConditionOR):
        parts = [_test(one, file) for one in node.args]
        return lambda row: any(part(row) for part in parts)
    if isinstance(node, conditions.ConditionNOT):
        (inner,) = [_test(one, file) for one in node.args]
        return lambda row: not inner(row)
    if isinstance(node, conditions.ConditionFieldEqualsValueExpression):
        return _field(node.field, node.value, file)
    if isinstance(node, conditions.ConditionValueExpression):
        matches = _value(node.value, file)
        return lambda row: any(matches(text) for value in row.values() for text in _texts(value))
    raise BadInputError(f"{file}: {type(node).__name__} cannot be decided on one event")


def _field(field: str, value: Any, file: Path) -> Test:
    from sigma import types  # noqa: PLC0415

    if field not in COLUMNS:
        raise BadInputError(f"{file}: no event has a field {field!r}", fix=f"One of: {', '.join(COLUMNS)}.")
    if isinstance(value, types.SigmaNull):
        return lambda row: field not in row
    if isinstance(value, types.SigmaExists):
        wanted = bool(value)
        return lambda row: (field in row) == wanted
    if isinstance(value, types.SigmaFieldReference):
        other = value.field
        if other not in COLUMNS:
            raise BadInputError(f"{file}: no event has a field {other!r}")
        return lambda row: bool(set(_texts(row.get(field, ()))) & set(_texts(row.get(other, ()))))
    matches = _value(value, file)
    return lambda row: any(matches(text) for text in _texts(row.get(field, ())))


def _value(value: Any, file: Path) -> Callable[[str], bool]:
    """Return whether a text is what a value of a rule describes."""
    from sigma import types  # noqa: PLC0415

    if isinstance(value, types.SigmaExpansion):
        several = [_value(one, file) for one in value.values]
        return lambda text: any(one(text) for one in several)
    if isinstance(value, types.SigmaRegularExpression):
        flags = "".join(types.SigmaRegularExpression.sigma_to_re_flag[flag] for flag in value.flags)
        return _searched(f"(?{flags})" if flags else "", str(value.regexp), file)
    if isinstance(value, types.SigmaString):
        cased = isinstance(value, types.SigmaCasedString)
        return _whole(value, file, cased=cased)
    if isinstance(value, types.SigmaBool):
        wanted = "true" if value.boolean else "false"
        return lambda text: text == wanted
    if isinstance(value, types.SigmaNumber):
        number = str(value.number)
        return lambda text: text == number
    if isinstance(value, types.SigmaCompareExpression):
        return _compared(value)
    if isinstance(value, types.SigmaCIDRExpression):
        return _within(value)
    raise BadInputError(f"{file}: {type(value).__name__} cannot be decided on one event")


def _searched(flags: str, pattern: str, file: Path) -> Callable[[str], bool]:
    try:
        found = re2.compile(flags + pattern)
    except re2.error as error:
        raise BadInputError(
            f"{file}: the expression {pattern[:80]!r} is not understood: {error}",
            fix="RE2's syntax: no look-around and no back references, so that no text can make it slow.",
        ) from error
    return lambda text: found.search(text) is not None


def _whole(value: Any, file: Path, *, cased: bool) -> Callable[[str], bool]:
    from sigma.types import SpecialChars  # noqa: PLC0415

    parts = []
    for part in value.s:
        if part is SpecialChars.WILDCARD_MULTI:
            parts.append(".*")
        elif part is SpecialChars.WILDCARD_SINGLE:
            parts.append(".")
        elif isinstance(part, str):
            parts.append(re2.escape(part))
        else:
            raise BadInputError(f"{file}: the placeholder {part} was not filled in")
    found = re2.compile(f"(?s{'' if cased else 'i'})" + "".join(parts))
    return lambda text: found.fullmatch(text) is not None


def _compared(value: Any) -> Callable[[str], bool]:
    bound: float = value.number.number
    word: str = value.op.name

    def holds(text: str) -> bool:
        try:
            number = float(text)
        except ValueError:
            return False
        return {"LT": number < bound, "LTE": number <= bound, "GT": number > bound, "GTE": number >= bound}[word]

    return holds


def _within(value: Any) -> Callable[[str], bool]:
    from ipaddress import ip_address  # noqa: PLC0415

    network: IPv4Network | IPv6Network = value.network

    def holds(text: str) -> bool:
        try:
            address = ip_address(text.rsplit(":", 1)[0] if text.count(":") == 1 else text.strip("[]"))
        except ValueError:
            return False
        return address in network

    return holds


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return ("true" if value else "false",) if isinstance(value, bool) else (str(value),)
