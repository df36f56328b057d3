"""Expressions of the taint pass: what a value is after an operation, and which calls are places it must not reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from outrider.detect.code.newer_python import JOINED
from outrider.detect.code.taint_checks import Checks
from outrider.detect.code.taint_names import dotted, is_request
from outrider.detect.code.taint_tables import (
    ANSWERS,
    CLEANERS,
    FUNCTIONS,
    HARMLESS_PARTS,
    LDAP_SEARCH,
    LOGS,
    NO_PLACES,
    NUMBERS,
    OPERATORS,
    RECEIVED,
    REQUESTS,
    SINKS,
    STREAMS,
    TEXTS,
    Sink,
)
from outrider.detect.code.taint_values import (
    EVERYTHING,
    FROM_OUTSIDE,
    OWN,
    OWN_VALUE,
    UNKNOWN,
    Value,
    constant,
    either,
    mixed,
)

if TYPE_CHECKING:
    from outrider.detect.code.taint_python import Env, Reached

_MOST = 1_000
_FOLDED: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b, ast.Div: lambda a, b: a / b, ast.Mod: lambda a, b: a % b,
}  # fmt: skip
_COMPARED: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b, ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b, ast.Gt: lambda a, b: a > b, ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "cmd", "cmd.exe", "powershell"})


class Evaluator(Checks):
    """Values of expressions. A subclass follows statements and takes reports."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.reached: list[Reached] = []
        self.handler = False
        self._web = any(one in text for one in ("flask", "django", "sanic", "Response"))
        self._flask = "flask" in text or "bottle" in text
        self._ldap = "ldap" in text
        self._jinja = "jinja2" in text
        self.imported: dict[str, str] = {}
        self._without = frozenset(
            kind
            for kind, stands in (("xml", "defusedxml" not in text), ("nosql", "mongo" in text.lower()))
            if not stands
        )
        self._etree = "etree" in text or "ElementTree" in text

    def report(self, kind: str, node: ast.expr | ast.stmt, taint: int) -> None:
        """Take note of a value that reaches a place."""
        raise NotImplementedError

    def handed_on(self, name: str, args: list[Value], named: dict[str, Value]) -> None:
        """Take note of what a function is called with."""
        raise NotImplementedError

    def given_back(self, name: str, args: list[Value], named: dict[str, Value]) -> Value | None:
        """Return what a function of this module gives back, where that is known."""
        raise NotImplementedError

    # Values.

    def value(self, node: ast.expr, env: Env) -> Value:  # noqa: C901, PLR0911, PLR0912 - one arm a kind of expression
        """Return the value of an expression; calls in it are looked at."""
        if isinstance(node, ast.Constant):
            return constant(node.value)
        if isinstance(node, ast.Name):
            return self._name(node.id, env)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, env)
        if isinstance(node, ast.Call):
            return self._call(node, env)
        if isinstance(node, ast.JoinedStr):
            return self._text_of(node.values, env)
        if isinstance(node, ast.FormattedValue):
            return self.value(node.value, env)
        if isinstance(node, ast.BinOp):
            return self._binary(node, env)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, env)
        if isinstance(node, ast.Compare):
            return self._compare(node, env)
        if isinstance(node, ast.IfExp):
            test = self.value(node.test, env)
            if test.known:
                return self.value(node.body if test.const else node.orelse, env)
            return either(self.value(node.body, env), self.value(node.orelse, env))
        if isinstance(node, ast.BoolOp):
            return self._boolean(node, env)
        if isinstance(node, ast.UnaryOp):
            held = self.value(node.operand, env)
            return constant(not held.const) if isinstance(node.op, ast.Not) and held.known else Value(held.taint)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            values = [self.value(one, env) for one in node.elts]
            out = mixed(values)
            out.items = None if any(isinstance(one, ast.Starred) for one in node.elts) else dict(enumerate(values))
            return out
        if isinstance(node, ast.Dict):
            return self._dictionary(node, env)
        if isinstance(node, ast.Starred | ast.Await | ast.YieldFrom):
            return self.value(node.value, env)
        if isinstance(node, ast.NamedExpr):
            held = self.value(node.value, env)
            self.assign(node.target, held, env)
            return held
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self._comprehension(node, env)
        return OWN_VALUE

    def _name(self, name: str, env: Env) -> Value:
        held = env.get(name)
        if held is not None:
            return held
        return Value(FROM_OUTSIDE) if name in REQUESTS else OWN_VALUE

    def _attribute(self, node: ast.Attribute, env: Env) -> Value:
        name = dotted(node)
        if name in STREAMS:
            return Value(FROM_OUTSIDE, OPERATORS)
        if node.attr in REQUESTS and isinstance(node.value, ast.Name) and node.value.id in {"self", "flask", "cls"}:
            return Value(FROM_OUTSIDE)
        held = self.value(node.value, env)
        if held.taint == FROM_OUTSIDE and node.attr in HARMLESS_PARTS and is_request(node.value):
            return OWN_VALUE
        if name in env:
            return env[name]
        if name in {f"self.{node.attr}", f"cls.{node.attr}"} and (held := env.get(node.attr, held)).items is not None:
            return held  # A table of the class.
        if node.attr in TEXTS and is_request(node.value):
            return Value(held.taint, held.clean | {"nosql"})
        return Value(held.taint, held.clean)

    def _text_of(self, parts: list[ast.expr], env: Env) -> Value:
        """Return a text put together from pieces."""
        values = [self.value(part, env) for part in parts]
        out = mixed(values, built=True)
        for value in values:
            if not value.known:
                break
            out.prefix += str(value.const)
        else:
            return constant(out.prefix)
        return out

    def added(self, one: Value, other: Value) -> Value:
        """Return the sum of two values."""
        if one.known and other.known:
            return constant(_fold(ast.Add, one.const, other.const))
        out = mixed([one, other], built=True)
        out.prefix = one.prefix + (other.prefix if one.known else "")
        return out

    def _binary(self, node: ast.BinOp, env: Env) -> Value:
        left, right = self.value(node.left, env), self.value(node.right, env)
        if isinstance(node.op, ast.Add):
            return self.added(left, right)
        if left.known and right.known:
            folded = _fold(type(node.op), left.const, right.const)
            return constant(folded) if folded is not UNKNOWN else OWN_VALUE
        out = mixed([left, right], built=True)
        if isinstance(node.op, ast.Mod):
            out.prefix = left.prefix.split("%", 1)[0]
        return out

    def _subscript(self, node: ast.Subscript, env: Env) -> Value:
        held = self.value(node.value, env)
        if isinstance(node.slice, ast.Slice):
            return Value(held.taint, held.clean)
        key = self.value(node.slice, env)
        if held.items:
            found = _at(held.items, key.const) if key.known else mixed(list(held.items.values()))
            if found is not None:
                return found
        if key.known and held.known and isinstance(held.const, str | list | tuple):
            try:
                return constant(held.const[key.const])
            except (IndexError, TypeError, KeyError):
                return OWN_VALUE
        whole = dotted(node)
        return env[whole] if whole in env else Value(held.taint, held.clean)

    def _compare(self, node: ast.Compare, env: Env) -> Value:
        left = self.value(node.left, env)
        rights = [self.value(one, env) for one in node.comparators]
        if len(rights) == 1 and left.known and rights[0].known:
            try:
                return constant(_COMPARED[type(node.ops[0])](left.const, rights[0].const))
            except (KeyError, TypeError):
                return OWN_VALUE
        return OWN_VALUE

    def _boolean(self, node: ast.BoolOp, env: Env) -> Value:
        values = [self.value(one, env) for one in node.values]
        stop = isinstance(node.op, ast.Or)
        for value in values:
            if not value.known:
                break
            if bool(value.const) == stop:
                return value
        else:
            return values[-1]
        return mixed(values)

    def _dictionary(self, node: ast.Dict, env: Env) -> Value:
        values = [self.value(one, env) for one in node.values]
        out = mixed(values)
        out.items = {}
        for key, value in zip(node.keys, values, strict=True):
            held = self.value(key, env) if key is not None else OWN_VALUE
            if not held.known or not isinstance(held.const, str | int):
                out.items = None
                break
            out.items[held.const] = value
        return out

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, env: Env) -> Value:
        inner = dict(env)
        for one in node.generators:
            self.assign(one.target, self.element(self.value(one.iter, inner)), inner)
            for test in one.ifs:
                self.value(test, inner)
                for name, kinds in self.checked(test, inner).items():
                    if name in inner:
                        inner[name] = inner[name].cleaned(kinds)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return mixed([self.value(part, inner) for part in parts])

    def element(self, held: Value) -> Value:
        """Return a value that an iteration over another gives."""
        return mixed(list(held.items.values())) if held.items else Value(held.taint, held.clean)

    def assign(self, target: ast.expr, value: Value, env: Env) -> None:
        """Set a name, a part or several."""
        if isinstance(target, ast.Name):
            env[target.id] = value
            self.made_from.pop(target.id, None)
        elif isinstance(target, ast.Tuple | ast.List):
            for place, one in enumerate(target.elts):
                part = value.items.get(place) if value.items is not None else None
                self.assign(one, part or Value(value.taint, value.clean), env)
        elif isinstance(target, ast.Attribute):
            env[dotted(target)] = value
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, value, env)

    def _assign_item(self, target: ast.Subscript, value: Value, env: Env) -> None:
        key = self.value(target.slice, env)
        name = dotted(target.value)
        if name.rsplit(".", 1)[-1] == "session" and (worst := max(value.reaches("session"), key.reaches("session"))):
            self.report("session", target, worst)
        if name.endswith("headers") and value.reaches("header"):
            self.report("header", target, value.reaches("header"))
        held = self.value(target.value, env)
        if isinstance(target.value, ast.Name):
            items = None
            if held.items is not None and key.known and isinstance(key.const, str | int):
                items = {**held.items, key.const: value}
            out = mixed([held, value])
            out.items = items
            env[target.value.id] = out

    # Calls.

    def _call(self, node: ast.Call, env: Env) -> Value:
        name = dotted(node.func)
        if name == JOINED:
            return self._text_of(node.args, env)
        last = name.rsplit(".", 1)[-1]
        args = [self.value(one, env) for one in node.args]
        named = {one.arg or "**": self.value(one.value, env) for one in node.keywords}
        held = self.value(node.func.value, env) if isinstance(node.func, ast.Attribute) else OWN_VALUE
        sink = self._sink(node, name, args, named, held)
        if name in FUNCTIONS:
            return Value(FROM_OUTSIDE, OPERATORS)
        if last in RECEIVED and "." in name:
            return Value(FROM_OUTSIDE)
        if last in NUMBERS or ".objects." in name or (sink is not None and sink.kind in ANSWERS):
            return OWN_VALUE
        self.handed_on(name, args, named)
        given_back = self.given_back(name, args, named)
        if given_back is not None:
            return given_back
        changed = self._changed(node, last, args, held, env)
        if changed is not None:
            return changed
        out = mixed([held, *args, *named.values()], built=last in {"format", "join"})
        if last == "format" and held.known:
            out.prefix = held.prefix.split("{", 1)[0]
        elif last == "join" and args and args[0].items and "path" in name:
            out.prefix = ""
        kinds = CLEANERS.get(last) or _cleans_by_name(last)
        return out.cleaned(kinds) if kinds else out

    def _changed(self, node: ast.Call, last: str, args: list[Value], held: Value, env: Env) -> Value | None:
        """Return what a method gives that changes a list, or asks a dictionary, that is written out; else None."""
        func = node.func
        if not isinstance(func, ast.Attribute):
            return None
        if last == "get" and held.items is not None and args:
            other = args[1] if len(args) > 1 else constant(None)
            if args[0].known:
                return _at(held.items, args[0].const) or other
            return mixed([*held.items.values(), other])
        if not isinstance(func.value, ast.Name) or last not in {"append", "insert", "pop", "extend", "update"}:
            return None
        items, given = held.items, None
        if items is not None and last == "append" and args:
            items = {**items, len(items): args[0]}
        elif items is not None and last == "pop" and (not args or args[0].known):
            order = list(items.values())
            try:
                given = order.pop(args[0].const if args else -1)
            except (IndexError, TypeError):
                return None
            items = dict(enumerate(order))
        else:
            items = None
        out = mixed(list(items.values())) if items is not None else mixed([held, *args])
        out.items = items
        env[func.value.id] = out
        return given or OWN_VALUE

    def _sink(self, node: ast.Call, name: str, args: list[Value], named: dict[str, Value], held: Value) -> Sink | None:
        sink = self._place(name)
        if sink is not None and sink.kind == "html" and (not self._web or _is_no_page(named)):
            sink = None
        if sink is not None and sink.kind == "xml" and len(node.args) + len(node.keywords) > 1:
            sink = None  # A parser is named; how it is made is for another rule.
        if sink is not None:
            self._reaches(node, sink, args, named, held)
        if name.rsplit(".", 1)[-1] in LOGS and ("log" in name.lower()) and (worst := _worst([*args], "log")):
            self.report("log", node, worst)
        if "**" in named and named["**"].taint == FROM_OUTSIDE and name[:1].isupper():
            self.report("fields", node, FROM_OUTSIDE)
        return sink

    def _place(self, name: str) -> Sink | None:
        """Return the place that a function of a name is, in this text."""
        imported = self.imported.get(name, "")
        if imported in SINKS:
            name = imported
        last = name.rsplit(".", 1)[-1]
        two = ".".join(name.split(".")[-2:])
        if two in NO_PLACES:
            return None
        sink = SINKS.get(two) or SINKS.get(last)
        if last == "open" and "." in name and two not in SINKS:
            return SINKS["read_text"]
        if last == "Template" and self._jinja:
            return SINKS["from_string"]
        if sink is not None and sink.kind in self._without:
            sink = None
        if sink is None and "." in name:
            if last == "search" and self._ldap:
                return LDAP_SEARCH
            if last in {"find", "findtext"} and self._etree:
                return SINKS["findall"]
        if sink is not None and two not in SINKS and (sink.dotted if "." not in name else sink.bare):
            return None
        return sink

    def _reaches(self, node: ast.Call, sink: Sink, args: list[Value], named: dict[str, Value], held: Value) -> None:
        if sink.needs:
            asked = named.get(sink.needs)
            if asked is None or not (asked.known and asked.const):
                self._program(node, args)
                return
        values = [args[at] for at in sink.args if at < len(args)] if sink.args else [held]
        values += [named[key] for key in sink.names if key in named]
        if sink.kind == "deserialise" and any(_is_safe(one) for one in (*node.args, *(k.value for k in node.keywords))):
            return
        if sink.kind == "nosql":
            values = [one for one in values if not one.built]
        if sink.kind in {"ssrf", "redirect"}:
            values = [one for one in values if not _is_own_host(one.prefix, sink.kind)]
        worst = _worst(values, sink.kind)
        if worst < FROM_OUTSIDE and sink.kind in {"path", "html", "sql", "xpath"}:
            worst = _worst([one for one in values if one.built], sink.kind)
        if worst and not (sink.sure and worst < FROM_OUTSIDE):
            self.report(sink.kind, node, worst)

    def _program(self, node: ast.Call, args: list[Value]) -> None:
        """Look at a list of arguments: a shell that is handed text, or a program that a client names."""
        items = args[0].items if args else None
        if not items:
            return
        words = list(items.values())
        first = words[0].const if words[0].known else ""
        is_shell = str(first).rsplit("/", 1)[-1] in _SHELLS
        if is_shell or (
            not words[0].known and len(words) > 2 and words[1].known and words[1].const in ("-c", "/c", "/C")
        ):
            if worst := _worst(words[1:], "shell"):
                self.report("shell", node, worst)
        elif words[0].reaches("shell") == FROM_OUTSIDE:
            self.report("shell", node, FROM_OUTSIDE)

    def returned(self, node: ast.Return, value: Value) -> None:
        """Look at what a handler answers: text that a client chose becomes markup in its browser."""
        if isinstance(node.value, ast.Tuple) and value.items:
            value = value.items[0]  # An answer with its status.
        worst = value.reaches("html")
        if value.items is not None or not worst:
            return
        if (self.handler and self._flask and worst == FROM_OUTSIDE) or (value.built and value.markup):
            self.report("html", node, worst)


def _fold(kind: type[ast.operator], one: Any, other: Any) -> Any:
    try:
        out = _FOLDED[kind](one, other)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return UNKNOWN
    return (
        UNKNOWN
        if isinstance(out, str | list | tuple | int) and not isinstance(out, bool) and _size(out) > _MOST
        else out
    )


def _size(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else len(value)


def _at(items: dict[Any, Value], key: Any) -> Value | None:
    if isinstance(key, int) and key < 0 and key not in items:
        key += len(items)
    try:
        return items.get(key)
    except TypeError:
        return None


def _worst(values: list[Value], kind: str) -> int:
    return max((value.reaches(kind) for value in values), default=OWN)


def _cleans_by_name(last: str) -> frozenset[str] | None:
    low = last.lower()
    if "escape" in low and "unescape" not in low:
        return frozenset({"ldap"}) if "ldap" in low else frozenset({"html", "template", "log"})
    if low.startswith(("sanitize", "sanitise", "validate", "clean_")):
        return EVERYTHING
    return None


def _is_no_page(named: dict[str, Value]) -> bool:
    """Whether an answer is said to be something that a browser shows as text or hands to a program."""
    said = next((named[key] for key in ("content_type", "mimetype", "media_type") if key in named), OWN_VALUE)
    return said.known and isinstance(said.const, str) and not re.search(r"html|svg|xml", said.const)


def _is_safe(node: ast.expr) -> bool:
    return dotted(node).endswith(("SafeLoader", "BaseLoader"))


def _is_own_host(prefix: str, kind: str) -> bool:
    """Whether a text begins with so much of an address that its host is fixed."""
    scheme, colon, rest = prefix.partition("://")
    if colon and scheme:
        return "/" in rest
    return kind == "redirect" and len(prefix) > 1 and prefix[0] == "/" and prefix[1] not in "/\\"
