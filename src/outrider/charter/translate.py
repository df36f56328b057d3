"""Cedar expressions to Python source, from cedarpy's typed syntax tree.

What is covered: literals, variables, attributes, ``has``, ``like``, ``is``, ``in``, ``==``, comparison, arithmetic,
``&&``, ``||``, ``!``, ``if``, sets, records, ``contains``, ``containsAll``, ``containsAny``, ``isEmpty``. Tags and the
extension types (ip, decimal, datetime, duration) are not: a policy that holds one goes to cedarpy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cedarpy import pst

from outrider.charter import values
from outrider.charter.values import Uid

Source = str
BOOL = frozenset(
    {"eq", "not_eq", "less", "less_eq", "greater", "greater_eq", "and", "or", "in", "contains", "contains_all",
     "contains_any", "not", "is_empty"}
)  # fmt: skip
_COMPARE = {"less": "<", "less_eq": "<=", "greater": ">", "greater_eq": ">="}
_SUM = {"add": "+", "sub": "-", "mul": "*"}
_VARS = {"principal": "p", "action": "a", "resource": "r", "context": "c"}
SCALAR = (pst.BoolLit, pst.LongLit, pst.StringLit, pst.EntityLit)


class NotCovered(Exception):  # noqa: N818 - a statement about a policy, not an error.
    """The policy holds a construct that this translation does not know."""


def uid(name: pst.EntityUid) -> Uid:
    """Return an entity's name as a value."""
    return Uid(str(name.type), name.id)


def _runs(pattern: tuple[Any, ...]) -> list[str]:
    """Return the literal runs between the wildcards of a ``like`` pattern; n wildcards make n + 1 runs."""
    runs = [""]
    for part in pattern:
        if isinstance(part, pst.Wildcard):
            runs.append("")
        else:
            runs[-1] += part.value
    return runs


class Translator:
    """Translates expressions of one program and collects the constants that they use.

    Attributes:
        constants: Name to value, for the generated code's globals.
        entities: True once an expression looked into the entity store.
        values: True once an expression looked at the resource itself, and not only at which patterns it falls in, or
            held its value against a text that is written out.
        looked: Source of each of those comparisons.
        sure: Local name to source of the attributes whose presence and type the caller vouches for: read once a call,
            and not looked at again.
    """

    def __init__(self, sure: Mapping[Source, Source] | None = None) -> None:
        self.sure = dict(sure or {})
        self.constants: dict[str, Any] = {
            name: getattr(values, name)
            for name in ("truth", "integer", "bounded", "text", "members", "attribute", "has", "within", "key", "equal",
                         "contains_all", "contains_any", "entity", "Fault")
        }  # fmt: skip
        self.entities = False
        self.values = False
        self.looked: list[Source] = []
        self._names: dict[Any, str] = {}
        self._forms: dict[type, Callable[[Any], Source]] = {
            pst.Var: self._variable,
            pst.BoolLit: lambda e: repr(e.value),
            pst.LongLit: lambda e: f"({e.value})" if e.value < 0 else repr(e.value),
            pst.StringLit: lambda e: self.constant(e.value),
            pst.EntityLit: lambda e: self.constant(uid(e.value)),
            pst.GetAttr: self._get,
            pst.HasAttr: self._has,
            pst.Like: self._matches,
            pst.Is: self._is,
            pst.IfThenElse: self._if,
            pst.Set: self._set,
            pst.Record: self._record,
            pst.UnaryOp: self._unary,
            pst.BinaryOp: self._binary,
        }

    def constant(self, value: Any) -> Source:
        """Return the name of a constant in the generated code."""
        mark = (type(value), value)
        if mark not in self._names:
            name = self._names[mark] = f"k{len(self._names)}"
            self.constants[name] = value
        return self._names[mark]

    def source(self, expr: Any) -> Source:
        """Return Python source whose value is the expression's, or that raises ``Fault``.

        Raises:
            NotCovered: The expression holds a construct that is not translated.
        """
        form = self._forms.get(type(expr))
        if form is None:
            raise NotCovered(type(expr).__name__)
        return form(expr)

    def condition(self, expr: Any) -> Source:
        """Return source whose value is a Bool for sure."""
        inner = self.source(expr)
        return inner if _is_bool(expr) else f"truth({inner})"

    def _variable(self, expr: pst.Var) -> Source:
        self.values = self.values or expr.name == "resource"
        return _VARS[expr.name]

    def _get(self, expr: pst.GetAttr) -> Source:
        if isinstance(expr.base, pst.Var) and expr.base.name == "context":
            return f"c_{expr.attr}" if f"c_{expr.attr}" in self.sure else f"c[{expr.attr!r}]"
        self.entities = True
        if isinstance(expr.base, pst.Var) and expr.base.name == "resource":
            self.values = True
            return f"ra_{expr.attr}" if f"ra_{expr.attr}" in self.sure else f"ra[{expr.attr!r}]"
        return f"attribute({self.source(expr.base)}, {expr.attr!r}, e)"

    def _has(self, expr: pst.HasAttr) -> Source:
        base, checks = expr.base, []
        for name in expr.attrs:
            if isinstance(base, pst.Var) and base.name == "context":
                checks.append(f"({name!r} in c)")
            else:
                self.entities = True
                checks.append(f"has({self.source(base)}, {name!r}, e)")
            base = pst.GetAttr(base, name)
        return "(" + " and ".join(checks) + ")"

    def _set_of(self, source: Source) -> Source:
        return source if source in self.sure else f"members({source})"

    def _matches(self, expr: pst.Like) -> Source:
        before = self.values
        base = self.source(expr.base)
        told = self._like(expr, base)
        return self._compared(told, before=before) if base == "ra_value" and base in self.sure else told

    def _compared(self, source: Source, *, before: bool) -> Source:
        """Note a comparison of the resource's value with a text: it alone tells no more than whether it holds."""
        self.values = before
        self.looked.append(source)
        return source

    def _like(self, expr: pst.Like, base: Source) -> Source:
        if base not in self.sure:
            base = f"text({base})"
        runs = _runs(expr.pattern)
        if len(runs) == 1:
            return f"({base} == {self.constant(runs[0])})"
        if not any(runs[1:]):
            return f"{base}.startswith({self.constant(runs[0])})"
        if len(runs) == 2 and not runs[0]:
            return f"{base}.endswith({self.constant(runs[1])})"
        if len(runs) == 3 and not runs[0] and not runs[2]:
            return f"({self.constant(runs[1])} in {base})"
        regex = re.compile("(?s)" + ".*?".join(re.escape(run) for run in runs))
        return f"({self.constant(regex)}.fullmatch({base}) is not None)"

    def _is(self, expr: pst.Is) -> Source:
        inner = self.source(expr.base)
        check = f"(entity({inner}).type == {str(expr.entity_type)!r})"
        if expr.in_expr is None:
            return check
        return f"({check} and {self._in(expr.base, expr.in_expr)})"

    def _in(self, left: Any, right: Any) -> Source:
        if isinstance(left, pst.Var) and left.name == "resource" and isinstance(right, pst.EntityLit):
            self.values = self.values or uid(right.value).type != "Pattern"
            return f"({self.source(right)} in m)"
        self.entities = True
        return f"within({self.source(left)}, {self.source(right)}, e)"

    def _if(self, expr: pst.IfThenElse) -> Source:
        return f"({self.source(expr.then_expr)} if {self.condition(expr.cond)} else {self.source(expr.else_expr)})"

    def _set(self, expr: pst.Set) -> Source:
        if all(isinstance(item, SCALAR) for item in expr.elements):
            return self.constant(frozenset(values.key(_literal(item)) for item in expr.elements))
        return "frozenset((" + "".join(f"key({self.source(item)}), " for item in expr.elements) + "))"

    def _record(self, expr: pst.Record) -> Source:
        return "{" + ", ".join(f"{name!r}: {self.source(item)}" for name, item in expr.fields.items()) + "}"

    def _unary(self, expr: pst.UnaryOp) -> Source:
        if expr.op == "not":
            return f"(not {self.condition(expr.arg)})"
        if expr.op == "neg":
            return f"bounded(-integer({self.source(expr.arg)}))"
        if expr.op == "is_empty":
            return f"(not {self._set_of(self.source(expr.arg))})"
        raise NotCovered(expr.op)

    def _binary(self, expr: pst.BinaryOp) -> Source:
        op, left, right = expr.op, expr.left, expr.right
        if op in {"and", "or"}:
            return f"({self.condition(left)} {op} {self.condition(right)})"
        if op == "in":
            return self._in(left, right)
        before = self.values
        one, two = self.source(left), self.source(right)
        if op in {"eq", "not_eq"}:
            plain = isinstance(left, pst.StringLit | pst.EntityLit) or isinstance(right, pst.StringLit | pst.EntityLit)
            same = f"({one} == {two})" if plain else f"equal({one}, {two})"
            if one == "ra_value" and one in self.sure and isinstance(right, pst.StringLit):
                self._compared(same, before=before)
            return same if op == "eq" else f"(not {same})"
        if op in _COMPARE:
            return f"(integer({one}) {_COMPARE[op]} integer({two}))"
        if op in _SUM:
            return f"bounded(integer({one}) {_SUM[op]} integer({two}))"
        if op == "contains":
            item = two if isinstance(right, pst.StringLit | pst.LongLit | pst.EntityLit) else f"key({two})"
            return f"({item} in {self._set_of(one)})"
        if op in {"contains_all", "contains_any"}:
            return f"{op}({one}, {two})"
        raise NotCovered(op)


def _literal(expr: Any) -> Any:
    return uid(expr.value) if isinstance(expr, pst.EntityLit) else expr.value


def _is_bool(expr: Any) -> bool:
    if isinstance(expr, pst.BinaryOp | pst.UnaryOp):
        return expr.op in BOOL
    return isinstance(expr, pst.BoolLit | pst.HasAttr | pst.Like | pst.Is)
