"""Conditions that make a value harmless: what is held against a list, a pattern or a beginning was looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from outrider.detect.code.taint_names import dotted
from outrider.detect.code.taint_values import EVERYTHING, OWN, Value

if TYPE_CHECKING:
    from outrider.detect.code.taint_python import Env

_PATH_CHECKS: Final = frozenset({"path", "redirect", "ssrf"})
_CHECKS: Final = {
    "startswith": _PATH_CHECKS, "is_relative_to": frozenset({"path"}), "isdigit": EVERYTHING, "isalnum": EVERYTHING,
    "isidentifier": EVERYTHING, "isdecimal": EVERYTHING, "isnumeric": EVERYTHING, "isalpha": EVERYTHING,
    "fullmatch": EVERYTHING, "issubset": EVERYTHING, "match": EVERYTHING,
    "url_has_allowed_host_and_scheme": _PATH_CHECKS, "is_safe_url": _PATH_CHECKS,
    "commonpath": frozenset({"path"}), "commonprefix": frozenset({"path"}),
}  # fmt: skip


class Checks:
    """What conditions say of names. A subclass knows values.

    Attributes:
        made_from: Name to the call that its value was made by.
    """

    def __init__(self) -> None:
        self.made_from: dict[str, ast.Call] = {}

    def value(self, node: ast.expr, env: Env) -> Value:
        """Return the value of an expression."""
        raise NotImplementedError

    def checked(self, test: ast.expr, env: Env) -> dict[str, frozenset[str]]:
        """Return the names that a condition checks, and for which kinds of places that makes them harmless.

        A name that is tested in several ways counts as checked for all of them, and so does what a name was made from.
        """
        out: dict[str, frozenset[str]] = {}
        times: dict[str, int] = {}
        for node in ast.walk(test):
            for name, kinds in self._one_check(node, env):
                times[name] = times.get(name, 0) + 1
                out[name] = out.get(name, frozenset()) | kinds if times[name] == 1 else EVERYTHING
        for name in list(out):
            made = self.made_from.get(name)
            for origin in _names(made) if made is not None else ():
                out[origin] = out.get(origin, frozenset()) | (out[name] & _PATH_CHECKS)
        return out

    def _one_check(self, node: ast.AST, env: Env) -> Iterator[tuple[str, frozenset[str]]]:
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn | ast.Eq | ast.NotEq):
            members = node.comparators[0]
            if isinstance(node.left, ast.Constant):
                if isinstance(node.left.value, str) and not _is_only_scheme([node.left]):
                    yield from ((name, _PATH_CHECKS) for name in _names(members))
            elif self.value(members, env).taint == OWN:
                whole = isinstance(node.left, ast.Name) and not _is_empty(members)
                yield from ((name, EVERYTHING if whole else _PATH_CHECKS) for name in _names(node.left))
        elif isinstance(node, ast.Call) and not _is_only_scheme(node.args):
            last = dotted(node.func).rsplit(".", 1)[-1]
            kinds = _CHECKS.get(last) or (EVERYTHING if _is_check(last) else None)
            if kinds:
                yield from ((name, kinds) for name in _names(node))

    @staticmethod
    def is_negated(test: ast.expr) -> bool:
        """Whether a condition holds for the values that must be turned away."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return True
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            return any(Checks.is_negated(one) for one in test.values) or all(
                isinstance(one, ast.Compare) and isinstance(one.left, ast.Constant) for one in test.values
            )
        if isinstance(test, ast.Compare):
            if isinstance(test.ops[0], ast.NotIn | ast.NotEq):
                return True
            if isinstance(test.ops[0], ast.Is) and isinstance(test.left, ast.Call):
                return _is_empty(test.comparators[0])
            return isinstance(test.ops[0], ast.In) and isinstance(test.left, ast.Constant)
        return False

    def is_case(self, pattern: ast.pattern, subject: Value) -> bool | None:
        """Whether a case is taken; None if that is not known."""
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            return True
        if isinstance(pattern, ast.MatchOr):
            said = [self.is_case(one, subject) for one in pattern.patterns]
            return True if True in said else None if None in said else False
        if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant) and subject.known:
            return bool(pattern.value.value == subject.const)
        return None


def _names(node: ast.expr) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]


def _is_check(last: str) -> bool:
    low = last.lower()
    return low.startswith(("is_valid", "is_safe", "is_allowed", "validate", "allowed_", "valid_", "check_allowed"))


def _is_empty(node: ast.expr) -> bool:
    """Whether a value is only held against nothing: that says that it is there, not what it is."""
    return isinstance(node, ast.Constant) and node.value in (None, "", -1, 0)


_SCHEMES: Final = frozenset({"http", "https", "ftp", "ws", "wss"})


def _is_only_scheme(args: list[ast.expr]) -> bool:
    """Whether a value is only held against the beginning of any address: that does not say which host it leads to."""
    if not args:
        return False
    texts = args[0].elts if isinstance(args[0], ast.Tuple) else [args[0]]
    return bool(texts) and all(
        isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and (one.value == "://" or one.value.rstrip(":/") in _SCHEMES)
        for one in texts
    )
