"""Where values from outside go in JavaScript and TypeScript: by variables, within one function and those inside it.

A variable is from outside if what it is set to names a request or another such variable, and no call stands between
that makes something else of it. What a called function gives back is not from outside unless the function is known to
hand on what it is given. A variable that is looked at in a condition, by name, is let be from there on: what the
condition says is not understood, and a rule that doubts good checks is soon switched off. Values that stand in the
call itself are for the rules over syntax trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec
import re2

from outrider.detect.code.taint_python import Reached

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from outrider.detect.code.matching import Tree

SOURCE: Final = re.compile(
    r"\b(?:req|request|ctx|ctx\.request)\.(?:body|query|params|cookies|files?)\b"
    r"|\bevent\.(?:queryStringParameters|pathParameters|body)\b|\bsearchParams\.get\("
)
"""What web frameworks hand over of what a client sent."""
_INJECTED: Final = re.compile(
    r"^@(?:Query|Param|Headers|Body|Cookies)\(\s*['\"][\w.-]+['\"]\s*\)\s*(?:readonly\s+)?(\w+)\??\s*(?::\s*(?:string|any)\b|$)"
)
"""A parameter that a framework of decorators fills in from a request, as it came."""
_SOMEWHERE: Final = re2.compile(rf"{SOURCE.pattern}|@(?:Query|Param|Headers|Body|Cookies)\(")

_MAX_VARIABLES: Final = 2_000
"""Settings of variables that are followed in one text."""
_MAX_SETS: Final = 20
"""Settings of one variable that count when a use is weighed."""
_MAX_BETWEEN: Final = 8_000
"""Characters before a use in which a look at the variable counts."""
_MAX_USES: Final = 100
"""Uses that are weighed in one text; a text has few places that open, run or fetch."""
_FUNCTIONS: Final = frozenset({"arrow_function", "function_expression", "class", "object"})
"""What a variable may be set to that holds code or a table, and is no value from outside itself."""

_TEXT = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_PLAIN_TEMPLATE = re.compile(r"`[^`$]*`|(?<=[`}])[^`${}]*(?=[`$])")
_NAME = re.compile(r"(?<![\w$.])[A-Za-z_$][\w$]*(?![\w$]*\s*:(?!:))")
_HANDS_ON = re.compile(
    r"(?:^|\.)(?:String|decodeURIComponent|decodeURI|trim|toString|toLowerCase|toUpperCase|replace|concat|slice|"
    r"substring|split|pop|shift|at|parse|join|resolve|normalize|from|URL|format)$|(?i:params|query|headers|form|data)\.get$"
)
_BEGINS_FIXED = re.compile(r"['\"`](?:https?://[^/$`'\"]+/|/(?![/\\$])[^$`'\"]|\?|#)")
"""The beginning of an address whose host the program chose."""
_CALLED = re.compile(r"^(?:await\s+|new\s+)*(?P<name>[\w$.]+)\(")
_LOOKED_AT = (
    r"(?:test|has|includes|exec|isSafe\w*|isValid\w*|isAllowed\w*|valid\w*|check\w*|assert\w*|ensure\w*|sanitiz\w*|"
    r"verify\w*|escape\w*)\(\s*(?:[\w$]+,\s*)?(?:%s)\b"
    r"|(?<![\w$.])(?:%s)(?:\.\w+)*\.(?:startsWith|endsWith|includes|match|matches|indexOf)\("
    r"|(?:switch|while)\s*\(\s*(?:%s)\b|(?<![\w$.])(?:%s)(?:\.\w+)*\s*[!=]==?\s*(?!undefined|null|['\"]{2})[\w'\"`]"
)


class Place(msgspec.Struct, frozen=True):
    """A call that a value from outside must not reach.

    Attributes:
        kind: The kind of place.
        called: What the function's whole name matches.
        leads: True if the value must stand at the beginning, where it chooses the host.
        clean: What makes it harmless when it stands in the call.
    """

    kind: str
    called: re.Pattern[str]
    leads: bool
    clean: re.Pattern[str]


_FILES = (
    r"(?:readFile|createReadStream|writeFile|createWriteStream|unlink|readdir|rm|appendFile|rmdir|copyFile)(?:Sync)?"
)
PLACES: Final = (
    Place(
        "path",
        re.compile(rf"^(?:(?:fs|fsp|fse|fs\.promises|promises)\.)?{_FILES}$|^(?:res|response|reply)\.(?:sendFile|download)$"),
        leads=False,
        clean=re.compile(r"basename\(|\broot:"),
    ),
    Place(
        "ssrf",
        re.compile(r"^(?:fetch|axios|got|request|needle|superagent|https?|undici)(?:\.(?:get|post|put|delete|head|request|fetch))?$|^\w*[pP]age\.goto$"),
        leads=True,
        clean=re.compile(r"encodeURIComponent\("),
    ),
    Place(
        "redirect",
        re.compile(r"^(?:res|response|reply|ctx)(?:\.status\(\d+\))?\.redirect$"),
        leads=True,
        clean=re.compile(r"encodeURIComponent\("),
    ),
    Place(
        "shell",
        re.compile(r"^(?:child_process\.|cp\.)?(?:exec|execSync|execAsync)$"),
        leads=False,
        clean=re.compile(r"(?i)quote\(|escape"),
    ),
    Place(
        "html",
        re.compile(r"^(?:res|response|reply)(?:\.status\(\d+\))?\.(?:send|write|end)$"),
        leads=False,
        clean=re.compile(r"(?i)escape|sanitiz|purify|encodeURIComponent\(|stringify\("),
    ),
)  # fmt: skip


class _Set(msgspec.Struct, frozen=True):
    """A variable set at a place, good until its function ends; ``fixed`` if it begins with an address's host."""

    at: int
    until: int
    outside: bool
    fixed: bool = False


_Known = dict[str, list[_Set]]


def flows(tree: Tree) -> list[Reached]:
    """Return what reaches places it must not in a text."""
    text = tree.plain
    if _SOMEWHERE.search(text) is None:
        return []
    known = _variables(tree.root, len(text))
    if not any(one.outside for sets in known.values() for one in sets):
        return []
    return list(_reached(tree.root, text, known))


def _variables(root: SgNode, end: int) -> _Known:
    functions = _ranges(root, "function_declaration", "arrow_function", "function_expression", "method_definition")
    known = _parameters(root)
    open_ends: list[int] = []
    settings = root.find_all({"rule": {"any": [{"kind": "variable_declarator"}, {"kind": "assignment_expression"}]}})
    for node in settings[:_MAX_VARIABLES]:
        place = node.range()
        while functions and functions[-1][0] <= place.start.index:
            open_ends.append(functions.pop()[1])
        while open_ends and open_ends[-1] < place.end.index:
            open_ends.pop()
        left = node.field("name") or node.field("left")
        right = node.field("value") or node.field("right")
        if left is None or right is None or left.kind() not in {"identifier", "object_pattern"}:
            continue
        value = right.text()
        outside = right.kind() not in _FUNCTIONS and _is_outside(value, place.end.index, known)
        fixed = _BEGINS_FIXED.match(value) is not None
        until = open_ends[-1] if open_ends else end
        for name in _bound(left):
            known.setdefault(name, []).append(_Set(place.end.index, until, outside, fixed))
    return known


def _parameters(root: SgNode) -> _Known:
    """Return the parameters that a framework fills in from a request."""
    known: _Known = {}
    for method in root.find_all(
        {"rule": {"kind": "method_definition", "has": {"kind": "formal_parameters", "regex": "@"}}}
    ):
        given, body = method.field("parameters"), method.field("body")
        if given is None or body is None:
            continue
        place = body.range()
        for one in given.children():
            if (named := _INJECTED.match(one.text())) is not None:
                known.setdefault(named[1], []).append(_Set(place.start.index, place.end.index, outside=True))
    return known


def _ranges(root: SgNode, *kinds: str) -> list[tuple[int, int]]:
    """Return where the nodes of some kinds begin and end, the last to begin first."""
    found = [node.range() for node in root.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})]
    return sorted(((one.start.index, one.end.index) for one in found), reverse=True)


def _bound(left: SgNode) -> list[str]:
    """Return the names that a pattern binds."""
    if left.kind() == "identifier":
        return [left.text()]
    return re.findall(r"([A-Za-z_$][\w$]*)\s*(?=[,}=])", left.text())


def _is_outside(value: str, at: int, known: _Known) -> bool:
    code = _PLAIN_TEMPLATE.sub("``", _TEXT.sub("''", value))
    called = _CALLED.match(code)
    if called is not None and not _HANDS_ON.search(called["name"]):
        return bool(SOURCE.match(called["name"]))
    return SOURCE.search(code) is not None or any(_names(code, at, known))


def _names(code: str, at: int, known: _Known, *, leads: bool = False) -> Iterator[str]:
    """Yield the variables in a piece of code that are from outside where it stands; of addresses, their hosts."""
    for name in dict.fromkeys(_NAME.findall(code)):
        last = next((one for one in reversed(known.get(name, [])) if one.at <= at <= one.until), None)
        if last is not None and last.outside and not (leads and last.fixed):
            yield name


def _reached(root: SgNode, text: str, known: _Known) -> Iterator[Reached]:
    weighed = 0
    for call in root.find_all({"rule": {"kind": "call_expression"}}):
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            continue
        name = function.text()
        place = next((one for one in PLACES if one.called.match(name)), None)
        first = next((one for one in arguments.children() if one.is_named()), None) if place else None
        if place is None or first is None or not _counts(place, first):
            continue
        value, at = first.text(), call.range()
        code = _PLAIN_TEMPLATE.sub("``", _TEXT.sub("''", value))
        names = list(_names(_leading(value) if place.leads else code, at.start.index, known, leads=place.leads))
        if not names or place.clean.search(value) or SOURCE.search(code):
            continue
        weighed += 1
        if weighed > _MAX_USES:
            return
        if _was_looked_at(text, names, at.start.index, known, value):
            continue
        yield Reached(place.kind, at.start.line + 1, at.end.line + 1, weak=False)


def _counts(place: Place, first: SgNode) -> bool:
    """Whether a first argument can be one that counts: a page must be put together with markup."""
    if first.kind() in {"string", "number", "arrow_function", "function_expression", "object"}:
        return False
    return place.kind != "html" or ("<" in first.text() and first.kind() in {"template_string", "binary_expression"})


def _leading(value: str) -> str:
    """Return the piece of an address that chooses the host, where a variable stands there, or nothing."""
    found = re.match(r"(?:`(?:https?://)?\$\{|['\"]https?://['\"]\s*\+\s*)?([A-Za-z_$][\w$]*)(?!\w*\()", value)
    return found[1] if found else ""


def _was_looked_at(text: str, names: list[str], at: int, known: _Known, value: str) -> bool:
    """Whether one of the variables, or one made of them, was looked at between being set and being used."""
    around = {
        name: one.at
        for name, sets in known.items()
        for one in sets[:_MAX_SETS]
        if one.outside and one.at <= at <= one.until
    }
    begin = max(min(around.values(), default=at), at - _MAX_BETWEEN)
    either = "|".join(re.escape(name) for name in sorted({*names, *around}))
    looked = re.compile(_LOOKED_AT.replace("%s", either))
    return looked.search(text[begin:at]) is not None or looked.search(value) is not None
