"""Where values from outside go in Go, Java, PHP, C# and Ruby: by variables, within a function and one call deep.

The same idea as for JavaScript, with the language as data. A variable is from outside if what it is set to names a
request or another such variable, and no call stands between that makes something else of it. A variable that a
condition or a check names is let be from there on: what it says is not understood, and a rule that doubts good checks
is soon switched off.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.detect.code.matching import Tree
from outrider.detect.code.taint_dialects import NUMBERS, Dialect, Place, dialect_of
from outrider.detect.code.taint_python import Reached

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_MOST: Final = 2_000
"""Variables set, and calls, that are followed in one text."""
_MAX_USES: Final = 100
_MAX_BETWEEN: Final = 8_000
"""Characters before a use in which a look at the variable counts."""
_STATEMENTS: Final = frozenset({"echo_statement", "print_intrinsic"})
"""What is a call in all but its brackets."""
_LISTS: Final = frozenset({"arguments", "argument_list"})
_BRACES: Final = re.compile(r"[{}]")
_NAME: Final = re.compile(r"(?<![\w$.>:])\$?[A-Za-z_]\w*")
_CALLED: Final = re.compile(r"^(?:\(\w+\)\s*)?(?:await\s+)?(?P<name>(?:new\s+)?[A-Za-z_$\\][\w$.:\\>\-\[\]'\"]*?)\(")
_QUOTED: Final = re.compile(r"\$?@?\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_INNERMOST: Final = re.compile(r"((?:[\w$:\\]|\.|->)*)\(([^()]*)\)")
_FROM_REQUEST: Final = " \x00 "
"""What stands for a call that hands over what a client sent."""
_OWN_PARTS: Final = re.compile(r"\$_FILES\[[^\]]*\]\[['\"](?:tmp_name|error|size|type)['\"]\](?:\[\w*\])?")
_DEPTH: Final = 6
"""Brackets in brackets that are looked into."""
_INTERPOLATED: Final = re.compile(r"#?\{([^{}]*)\}")
_HOST: Final = re.compile(r"^(?:https?:)?//[^/\s]*[^/\s:]+(?:/|$)|^/(?![/\\])|^\w[\w.-]*/|^\?|^#")
_LAST_LIST: Final = re.compile(
    r"\b\w+\s*\((?=[^()]*(?:\([^()]*\)[^()]*)*\)\s*(?:throws[\w\s,.]+|:\s*\??\w+\s*|where.*|=>\s*)?$)"
)
_SEPARATOR: Final = re.compile(r"\.|->|::| ")
_DEFINED: Final = re.compile(
    r"(?:^\s*func\s*\([^)]*\)\s*|\bfunc\s+|\bfunction\s+|\bdef\s+(?:self\.)?|[\w>\]?]\s+)(\w+)\s*\("
)
"""The name of a function, in its head."""
_OPENING: Final = re.compile(r"^\$?@?(['\"])")
_BEGINS: Final = re.compile(r"^(?:https?://)?(?:(?i:location:)\s*)?(?:https?://)?$")
_PARTS: Final = re.compile(r"#\{|\$\{?\w|\{\$?|%[sv]")
_LOOKED_AT: Final = (
    r"(?i:valid|allow|safe|check|assert|ensure|sanit|verify|escape|clean|trusted|authori[sz]e|policy|can|has|contains|includes?|"
    r"in_array|array_key_exists|array_search|preg_match\w*|ctype_\w+|matches|matchstring|match|is_?match|filter_var|hasprefix|hassuffix|"
    r"starts_?with|str_starts_with|str_contains|strpos|parse_url|realpath|is_numeric|indexof|equals|islocal\w*|compare)"
    r"\w*\??\([^)\n]*?(?<![\w$.])(?:%s)\b"
    r"|(?<![\w$.])(?:%s)(?:\(\))?(?:(?:\.|->)\w+(?:\(\))?)*\.(?i:startswith|endswith|matches|contains|containskey|equals|"
    r"equalsignorecase|match\?|include\?|start_with\?|end_with\?|compareto|indexof)\s*\("
    r"|(?<![\w$.])(?:%s)(?:(?:\.|->)\w+(?:\(\))?)*\s*(?:[!=]==?|=~)\s*(?!null|nil|undefined|\"\"|''|0\b)[\w\"'/$@]"
    r"|(?:switch|match|case|unless|when)\s*\(?\s*(?:%s)\b|[\w)]\[\s*(?:%s)(?:(?:\.|->)\w+(?:\(\))?)*\s*\]"
)


class _Set(msgspec.Struct, frozen=True):
    """A variable set at a place, good until its function ends.

    Attributes:
        at: Where.
        until: Where its function ends.
        outside: Whether what it was set to is from outside.
        fixed: Whether it begins with so much of an address that the host is fixed.
        made: Whether it was made of such a value in some way: a condition about it may be about that.
    """

    at: int
    until: int
    outside: bool
    fixed: bool = False
    made: bool = False


class _Function(msgspec.Struct, frozen=True):
    """A function: where it begins, where its body begins, and where it ends."""

    start: int
    body: int
    end: int
    head: str


_Known = dict[str, list[_Set]]


def flows(tree: Tree, kinds: frozenset[str]) -> list[Reached]:
    """Return what reaches places it must not in a text.

    Args:
        tree: The text.
        kinds: The kinds of places that are asked about.
    """
    dialect, text = dialect_of(tree.language), tree.text
    given = dialect.given is not None and "@" in text
    if not given and not any(one and one.search(text) for one in (dialect.source, dialect.filled, dialect.handles)):
        return []
    return list(_Look(tree, dialect, tuple(one for one in dialect.places if one.kind in kinds)).reached())


class _Look:
    """One text, looked at once."""

    def __init__(self, tree: Tree, dialect: Dialect, places: tuple[Place, ...]) -> None:
        self.text = tree.text
        self.language = tree.language
        self.places = places
        self.dialect = dialect
        self.root = tree.root
        self.known: _Known = {}
        self.functions: list[_Function] = []
        self._starts: list[int] = []
        self._around_it: list[int] = []

    def _nodes(self, kinds: tuple[str, ...]) -> list[SgNode]:
        return self.root.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})[:_MOST]

    def _functions(self) -> Iterator[_Function]:
        for node in self._nodes(self.dialect.functions):
            place, body = node.range(), node.field("body")
            opens = body.range().start.index if body is not None else place.start.index
            yield _Function(place.start.index, opens, place.end.index, self.text[place.start.index : opens])

    def _until(self, at: int) -> int:
        """Return where the innermost function around a place ends."""
        inner = self._inner(at)
        return inner.end if inner is not None else len(self.text)

    def _inner(self, at: int) -> _Function | None:
        """Return the innermost function around a place."""
        place = bisect_right(self._starts, at) - 1
        while place >= 0 and self.functions[place].end <= at:
            place = self._around_it[place]
        return self.functions[place] if place >= 0 else None

    def _set(self, name: str, one: _Set) -> None:
        self.known.setdefault(name, []).append(one)

    def _parameters(self) -> None:
        """Take what frameworks fill in as set from outside."""
        for function in self.functions:
            handles = self.dialect.handles is not None and self.dialect.handles.search(
                self.text[max(0, function.start - 120) : function.start].rsplit(";", 1)[-1].rsplit("}", 1)[-1]
                + function.head
            )
            for part in _parameters(function.head):
                found = self.dialect.given.search(part) if self.dialect.given is not None else None
                if found is None and handles:
                    found = re.search(r"^(?:string\??|IFormFile)\s+(\w+)(?:\s*=.*)?$", part)
                if found is not None:
                    self._set(found[1], _Set(function.body, function.end, outside=True))

    def _variables(self) -> None:
        if self.dialect.filled is not None:
            for found in self.dialect.filled.finditer(self.text):
                self._set(found[1], _Set(found.end(), self._until(found.start()), outside=True))
        for node in self._nodes(self.dialect.settings):
            left = node.field("left") or node.field("name")
            right = node.field("right") or node.field("value")
            if left is None or right is None:
                children = [one for one in node.children() if one.is_named()]
                if len(children) < 2:
                    continue
                left, right = children[0], children[-1]
            if not left.text().endswith("]"):
                keeps = "augmented" in node.kind() or "operator" in node.kind()
                place = node.range()
                self._variable(left.text(), right.text(), place.start.index, place.end.index, keeps=keeps)
        for sets in self.known.values():
            sets.sort(key=lambda one: one.at)

    def _variable(self, left: str, value: str, start: int, at: int, *, keeps: bool) -> None:
        """Take note of what a variable is set to; ``keeps`` if what it held before stays in it."""
        names = _NAME.findall(left)
        if not names or value.startswith(("func", "function", "->", "lambda")):
            return
        outside = self._is_outside(value, at)
        if keeps and not outside and any(self._named(names[0], at)):
            return
        until = self._until(start)
        if not outside:
            # What an inner block sets holds there; behind it, nobody knows.
            until = min(until, _end_of_block(self.text, at))
        fixed = outside and self._leading(value, at) is None
        one = _Set(at, until, outside, fixed=fixed, made=outside or self._is_made(value, at))
        for name in names[:2] if self.language == "go" else names[:1]:
            self._set(name, one)

    def _code(self, value: str) -> str:
        """Return a piece of code without plain text; names inside text that is filled in stay."""
        out = _QUOTED.sub(self._filled_in, _OWN_PARTS.sub("", value))
        for _ in range(_DEPTH):
            out, changed = _INNERMOST.subn(self._handed_on, out)
            if not changed:
                break
        return out

    def _filled_in(self, found: re.Match[str]) -> str:
        """Return the names that are filled into a text."""
        text = found[0]
        if self.language == "php":
            return " ".join(re.findall(r"\$\w+", text)) if text[0] == '"' else ""
        if (self.language == "ruby" and text[0] == '"') or text[0] == "$":
            return " ".join(_INTERPOLATED.findall(text))
        return ""

    def _handed_on(self, found: re.Match[str]) -> str:
        """Return what a call hands on of its arguments; of another's result nothing is known."""
        if self.dialect.source.search(f"{found[1]}()"):
            return _FROM_REQUEST
        return f" {found[2]} " if not found[1] or self.dialect.hands_on.search(found[1]) else " "

    def _is_outside(self, value: str, at: int) -> bool:
        return not NUMBERS.search(value) and self._holds(self._code(value), at)

    def _holds(self, code: str, at: int) -> bool:
        """Whether a piece of code, texts and other calls taken out, holds a value from outside."""
        return "\x00" in code or self.dialect.source.search(code) is not None or any(self._named(code, at))

    def _named(self, code: str, at: int) -> Iterator[str]:
        """Yield the variables in a piece of code that are from outside where it stands."""
        for name in dict.fromkeys(_NAME.findall(code)):
            last = self._last(name, at)
            if last is not None and last.outside:
                yield name

    def _is_made(self, value: str, at: int) -> bool:
        return self.dialect.source.search(value) is not None or any(
            (last := self._last(name, at)) is not None and (last.outside or last.made)
            for name in dict.fromkeys(_NAME.findall(value))
        )

    def _last(self, name: str, at: int) -> _Set | None:
        held = [one for one in self.known.get(name, ()) if one.at <= at <= one.until]
        return max(held, key=lambda one: one.at, default=None)

    def reached(self) -> Iterator[Reached]:
        """Yield what reaches places it must not."""
        calls = list(self._calls())
        among = [(call, place) for call in calls for place in self.places if place.called.search(call[0])]
        if not among:
            return
        self.functions = sorted(self._functions(), key=lambda one: one.start)
        self._starts = [one.start for one in self.functions]
        self._around_it = _around_each(self.functions)
        self._parameters()
        self._variables()
        self._hand_on(calls)
        uses, last = 0, -1
        for (_, given, at), place in among:
            if at == last or not self._counts(place, given, at):
                continue
            uses += 1
            if uses > _MAX_USES:
                return
            if self._reaches(place, given, at):
                last = at
                line = self.text.count("\n", 0, at) + 1
                yield Reached(place.kind, line, line + given.count("\n"), weak=False)

    def _calls(self) -> Iterator[tuple[str, str, int]]:
        """Yield each call's name as it is written, its arguments, and where it stands."""
        for node in self._nodes(self.dialect.calls):
            listed = node.field("arguments") or next((one for one in node.children() if one.kind() in _LISTS), None)
            place = node.range()
            if node.kind() in _STATEMENTS:
                called, _, written = node.text().partition(" ")
                yield called, f"({written})", place.start.index
                continue
            if listed is None:
                receiver = node.field("receiver")
                if receiver is not None:  # What is asked is all that there is: kind.constantize
                    yield node.text(), f"({receiver.text()})", place.start.index
                continue
            given = listed.range()
            name = self.text[place.start.index : given.start.index].strip()
            yield re.sub(r"\s+", " ", name), listed.text(), place.start.index

    def _hand_on(self, calls: list[tuple[str, str, int]]) -> None:
        """Take the parameters of a function of this text that is called with a value from outside as set from there."""
        defined: dict[str, list[_Function]] = {}
        for one in self.functions:
            if (named := _DEFINED.search(one.head)) is not None:
                defined.setdefault(named[1], []).append(one)
        for name, given, at in calls:
            known = defined.get(_SEPARATOR.split(name)[-1], ())
            if len(known) != 1 or known[0].start <= at < known[0].end:
                continue
            for part, value in zip(_parameters(known[0].head), _arguments(given), strict=False):
                if self._is_outside(value, at) and (names := _NAME.findall(part.split("=")[0])):
                    chosen = names[0] if self.language == "go" else names[-1]
                    self._set(chosen, _Set(known[0].body, known[0].end, outside=True))

    def _counts(self, place: Place, given: str, at: int) -> bool:
        if (place.clean is not None and place.clean.search(given)) or NUMBERS.search(given):
            return False
        if place.needs is not None and not place.needs.search(given):
            return False
        if place.elsewhere is None:
            return True
        return place.elsewhere.search(self._around(at)) is None

    def _around(self, at: int) -> str:
        inner = self._inner(at)
        return self.text[inner.start : inner.end] if inner is not None else self.text

    def _reaches(self, place: Place, given: str, at: int) -> bool:
        code = self._code(given)
        names = list(self._named(code, at))
        if place.leads:
            leading = [self._leading(one, at) for number, one in enumerate(_arguments(given)) if place.counts(number)]
            if not any(one is not None and (one in names or self.dialect.source.match(one)) for one in leading):
                return False
            if any(one in names and self._is_fixed(one, at) for one in leading if one):
                return False
        return self._holds(code, at) and not self._was_looked_at(names, at)

    def _is_fixed(self, name: str, at: int) -> bool:
        last = self._last(name, at)
        return last is not None and last.fixed

    def _leading(self, value: str, at: int) -> str | None:
        """Return what stands at the beginning of a text, where it chooses the host; None where that is fixed."""
        value = value.strip()
        opening = _OPENING.match(value)
        if opening is None:
            called = _CALLED.match(value)
            if called is not None and self.dialect.source.match(value) is None:
                inner = _split(value[called.end() : value.rfind(")")])
                return self._leading(inner[0], at) if inner and inner[0] else None
            found = self.dialect.source.match(value)
            if found is not None:
                return found[0]
            name = _NAME.match(value)
            if name is not None and self._is_fixed(name[0], at):
                return None
            return name[0] if name is not None else None
        quoted = value[opening.end() :]
        end = quoted.find(opening[1])
        literal, after = (quoted[:end], quoted[end + 1 :]) if end >= 0 else (quoted, "")
        part = _PARTS.search(literal)
        begin = literal[: part.start()] if part else literal
        if not _BEGINS.match(begin):
            return None
        if part is None:
            joined = re.match(r"\s*(?:\+|\.|,)\s*", after)
            return self._leading(after[joined.end() :], at) if joined else None
        rest = literal[part.start() :] if not part[0].startswith("%") else after.lstrip(" ,")
        name = re.search(r"\$?[A-Za-z_]\w*", rest)
        return name[0] if name is not None else None

    def _was_looked_at(self, names: list[str], at: int) -> bool:
        """Whether one of the variables, or one made of them, was looked at between being set and being used."""
        around = {
            name: min(one.at for one in sets if (one.outside or one.made) and one.at <= at <= one.until)
            for name, sets in list(self.known.items())[:_MOST]
            if any((one.outside or one.made) and one.at <= at <= one.until for one in sets)
        }
        begin = max(min(around.values(), default=at), at - _MAX_BETWEEN)
        if not around:
            return False
        either = "|".join(re.escape(name) for name in sorted({*names, *around}))
        return re.search(_LOOKED_AT.replace("%s", either), self.text[begin:at]) is not None


def _around_each(functions: list[_Function]) -> list[int]:
    """Return for each function, ordered by their starts, the place of the one around it; -1 for none."""
    out: list[int] = []
    for place, one in enumerate(functions):
        around = place - 1
        while around >= 0 and functions[around].end <= one.start:
            around = out[around]
        out.append(around)
    return out


def _end_of_block(text: str, at: int) -> int:
    """Return where the block around a place ends, by its braces; far away where that cannot be seen."""
    depth = 0
    for found in _BRACES.finditer(text, at, at + _MAX_BETWEEN):
        depth += 1 if found[0] == "{" else -1
        if depth < 0:
            return found.start()
    return len(text)


def _parameters(head: str) -> list[str]:
    """Return the parameters in a function's head; Go puts a receiver before them."""
    opens = [found.start() for found in re.finditer(r"\(", head)]
    if not opens:
        return []
    start = opens[0]
    named = re.match(r"\s*func\s*\([^)]*\)\s*\w*\s*\(", head)
    if named is not None:
        start = named.end() - 1
    annotated = re.search(
        r"\b\w+\s*\((?=[^()]*(?:\([^()]*\)[^()]*)*\)\s*(?:throws[\w\s,.]+|:\s*\??\w+\s*|where.*|=>\s*)?$)", head
    )
    if annotated is not None and named is None:
        start = annotated.end() - 1
    depth = 0
    for at in range(start, len(head)):
        depth += {"(": 1, ")": -1}.get(head[at], 0)
        if depth == 0:
            return _split(head[start + 1 : at])
    return []


def _arguments(given: str) -> list[str]:
    return _split(given[1:-1] if given.startswith("(") else given)


def _split(listed: str) -> list[str]:
    """Return the pieces of a list between its commas, not those inside brackets or quotes."""
    out, depth, quote, piece = [], 0, "", ""
    for at, char in enumerate(listed):
        if quote:
            if char == quote and listed[at - 1] != "\\":
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in "([{<" and not (char == "<" and listed[at + 1 : at + 2] in " ="):
            depth += 1
        elif char in ")]}>" and listed[at - 1 : at] not in "-=":
            depth -= 1
        if char == "," and depth <= 0 and not quote:
            out.append(piece.strip())
            piece = ""
        else:
            piece += char
    return [*out, piece.strip()] if piece.strip() else out
