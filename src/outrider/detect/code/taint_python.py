"""Where values from outside go in Python: one function at a time, statement by statement, both arms of a branch.

What decides precision: a value that was checked, converted or escaped for the place it goes to is let be, a branch that
constants decide is not taken, and elements of lists and dictionaries that are written out are told apart. What a called
function does is not known: its result is as tainted as what it is given. Source: information-flow as in Denning 1976,
without implicit flows.
"""

from __future__ import annotations

import ast
import textwrap
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from outrider.detect.code.fewer_functions import within_reach, without
from outrider.detect.code.newer_python import readable
from outrider.detect.code.taint_eval import Evaluator
from outrider.detect.code.taint_names import dotted
from outrider.detect.code.taint_tables import ENDS, FROM_CALLERS, REQUESTS, ROUTES
from outrider.detect.code.taint_values import FROM_CALLER, FROM_OUTSIDE, OWN_VALUE, Value, either, mixed

MAX_NODES: Final = 40_000
"""Nodes of a syntax tree that are followed; a larger one is not."""

_MOST_ASKED: Final = 50
"""Calls of functions of the same module that are looked into for what they give back."""

_TYPED: Final = frozenset({"nosql"})

Env = dict[str, Value]


class Reached(msgspec.Struct, frozen=True):
    """A value from outside that reaches a place it must not.

    Attributes:
        kind: The kind of place.
        first: Line of the call, from 1.
        last: Its last line.
        weak: True if the value only comes from a caller.
    """

    kind: str
    first: int
    last: int
    weak: bool


def flows(text: str, kinds: frozenset[str]) -> list[Reached] | None:
    """Return what reaches places it must not in a text; None if it cannot be read as Python.

    Args:
        text: The text.
        kinds: The kinds of places that are asked about.
    """
    kinds = within_reach(text, kinds)
    if not kinds:
        return []
    fewer = without(text, kinds)
    found = followed(fewer, text)
    return followed(text, text) if found is None and fewer != text else found


def followed(source: str, text: str) -> list[Reached] | None:
    """Return what reaches places it must not in ``source``, a part of ``text`` with the same lines."""
    parsed = _parse(source)
    if parsed is None:
        return None
    tree, shift = parsed
    # A character is no more than two nodes.
    if 2 * len(source) > MAX_NODES and sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        return None
    walk = _Walk(text)
    walk.module(tree)
    walk.called_functions()
    return [msgspec.structs.replace(one, first=one.first - shift, last=one.last - shift) for one in walk.reached]


def _parse(text: str) -> tuple[ast.Module, int] | None:
    """Return the tree of a module or of a fragment, and the lines put before it."""
    for source, shift in _forms(text):
        try:
            return ast.parse(source), shift
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _forms(text: str) -> Iterator[tuple[str, int]]:
    """Yield the text, and what it may be a part of: an indented piece, the body of a function; then newer Python."""
    flat = textwrap.dedent(text)
    yield text, 0
    if flat != text:
        yield flat, 0
    yield f"def fragment():\n{textwrap.indent(flat, '    ')}", 1
    if "{" in text:
        newer = readable(text)
        yield newer, 0
        yield f"def fragment():\n{textwrap.indent(textwrap.dedent(newer), '    ')}", 1


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements of a module, also inner ones, outer first, without expressions: most of a tree."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, None)
            if isinstance(inner, list):
                waiting += inner


class _Walk(Evaluator):
    """Follows the statements of one module."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._defined: dict[str, tuple[ast.FunctionDef | ast.AsyncFunctionDef, Env] | None] = {}
        self._given: dict[str, Env] = {}
        self._bodies: dict[str, ast.FunctionDef | ast.AsyncFunctionDef | None] = {}
        self._module: Env = {}
        self._returns: list[Value] | None = None
        self._asked = 0

    def module(self, tree: ast.Module) -> None:
        """Follow a module, its functions and what it imports known beforehand."""
        for node in _statements(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._bodies[node.name] = None if node.name in self._bodies else node
            elif isinstance(node, ast.ImportFrom) and node.module:
                of = node.module.rpartition(".")[2]
                self.imported.update((one.asname or one.name, f"{of}.{one.name}") for one in node.names)
        self.function(tree.body, self._module, handler=False)

    def given_back(self, name: str, args: list[Value], named: dict[str, Value]) -> Value | None:
        """Return what a function of this module gives back for these arguments; None if nobody can say."""
        prefix, _, last = name.rpartition(".")
        node = self._bodies.get(last) if prefix in {"", "self", "cls"} else None
        outside = any(one.taint == FROM_OUTSIDE for one in (*args, *named.values()))
        if node is None or not outside or self._returns is not None or self._asked >= _MOST_ASKED:
            return None
        self._asked += 1
        names = _parameters(node)
        env = {**dict(zip(names, args, strict=False)), **{key: one for key, one in named.items() if key in names}}
        self._returns = []
        inner = {**self._module, **{name: env.get(name, OWN_VALUE) for name in names}}
        self.function(node.body, inner, handler=False)
        returns, self._returns = self._returns, None
        return mixed(returns) if returns else None

    def handed_on(self, name: str, args: list[Value], named: dict[str, Value]) -> None:
        """Keep what a function of this module is given from outside: it is followed there as well."""
        prefix, _, last = name.rpartition(".")
        if prefix not in {"", "self", "cls"} or not any(one.taint == FROM_OUTSIDE for one in (*args, *named.values())):
            return
        given = self._given.setdefault(last, {})
        for key, value in (*((str(place), one) for place, one in enumerate(args)), *named.items()):
            if value.taint == FROM_OUTSIDE:
                given[key] = either(given[key], value) if key in given else Value(value.taint, value.clean)

    def called_functions(self) -> None:
        """Follow the functions of this module once more that were given a value from outside, one call deep."""
        for name, given in list(self._given.items()):
            known = self._defined.get(name)
            if known is None:
                continue
            node, env = known
            inner = dict(env)
            for place, arg in enumerate(_parameters(node)):
                if (value := given.get(arg) or given.get(str(place))) is not None:
                    inner[arg] = value
            self.function(node.body, inner, handler=False)

    def report(self, kind: str, node: ast.expr | ast.stmt, taint: int) -> None:
        if self._returns is not None or (taint < FROM_OUTSIDE and kind not in FROM_CALLERS):
            return
        one = Reached(kind, node.lineno, node.end_lineno or node.lineno, taint < FROM_OUTSIDE)
        if one not in self.reached:
            self.reached.append(one)

    def function(self, body: list[ast.stmt], env: Env, *, handler: bool) -> None:
        """Follow one body; what its branches set is known behind them."""
        if self._depth > 40:
            return
        self._depth += 1
        kept = self.handler, self.made_from
        self.handler, self.made_from = handler, dict(self.made_from)
        self.block(body, env)
        self.handler, self.made_from = kept
        self._depth -= 1

    def block(self, body: list[ast.stmt], env: Env) -> bool:
        """Follow statements; return whether control leaves at the end of them."""
        later: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
        left = False
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                later.append(statement)
            elif not left:
                left = self.statement(statement, env)
        for one in later:
            self._definition(one, env)
        return left

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, env: Env) -> None:
        if self._returns is not None:
            return  # What a function within gives back is not what its own function does.
        if isinstance(node, ast.ClassDef):
            self.function(node.body, dict(env), handler=False)
            return
        routed = any(self.is_route(one) for one in node.decorator_list)
        inner = dict(env)
        names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        given = _injected(node.args)
        for place, arg in enumerate(names):
            if arg.arg in {"self", "cls"} or (place == 0 and arg.arg in REQUESTS):
                inner.pop(arg.arg, None)
                continue
            number = isinstance(arg.annotation, ast.Name) and arg.annotation.id in {"int", "float", "bool", "UUID"}
            own = number or arg.arg in given
            # A declared type is checked by the framework, so an object stands only where one is meant to.
            typed = frozenset() if arg.annotation is None or dotted(arg.annotation) in {"dict", "Any"} else _TYPED
            inner[arg.arg] = Value() if own else Value(FROM_OUTSIDE if routed else FROM_CALLER, typed)
        for extra in (node.args.vararg, node.args.kwarg):
            if extra is not None:
                inner[extra.arg] = Value(FROM_CALLER)
        if [one.arg for one in names[:2]] == ["event", "context"]:
            inner["event"] = Value(FROM_OUTSIDE)
        if not routed:
            # Two functions of one name: a call does not say which is meant.
            self._defined[node.name] = None if node.name in self._defined else (node, dict(inner))
        self.function(node.body, inner, handler=routed)

    @staticmethod
    def is_route(node: ast.expr) -> bool:
        """Whether a decorator makes a function answer a client."""
        call = node.func if isinstance(node, ast.Call) else node
        return isinstance(call, ast.Attribute) and call.attr in ROUTES

    def statement(self, node: ast.stmt, env: Env) -> bool:  # noqa: C901, PLR0912 - one arm a kind of statement
        """Follow one statement; return whether control leaves there."""
        if isinstance(node, ast.Assign):
            value = self.value(node.value, env)
            for target in node.targets:
                self.assign(target, value, env)
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
                    self.made_from[target.id] = node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.value(node.value, env), env)
        elif isinstance(node, ast.AugAssign):
            self.assign(node.target, self.added(self.value(node.target, env), self.value(node.value, env)), env)
        elif isinstance(node, ast.Expr):
            self.value(node.value, env)
            return isinstance(node.value, ast.Call) and dotted(node.value.func).rsplit(".", 1)[-1] in ENDS
        elif isinstance(node, ast.Return):
            if node.value is not None:
                value = self.value(node.value, env)
                if self._returns is not None:
                    self._returns.append(value)
                self.returned(node, value)
            return True
        elif isinstance(node, ast.Raise | ast.Continue | ast.Break):
            return True
        elif isinstance(node, ast.If):
            return self._if(node, env)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.assign(node.target, self.element(self.value(node.iter, env)), env)
            self._arms([node.body, node.orelse], env)
        elif isinstance(node, ast.While):
            self.value(node.test, env)
            self._arms([node.body, node.orelse], env)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                held = self.value(item.context_expr, env)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, held, env)
            return self.block(node.body, env)
        elif isinstance(node, ast.Try):
            return self._try(node, env)
        elif isinstance(node, ast.Match):
            self._match(node, env)
        return False

    def _if(self, node: ast.If, env: Env) -> bool:
        test = self.value(node.test, env)
        if test.known:
            return self.block(node.body if test.const else node.orelse, env)
        yes, no = dict(env), dict(env)
        checked = self.checked(node.test, env)
        negated = self.is_negated(node.test)
        for name in checked:
            held = env.get(name)
            if held is not None:
                side = no if negated else yes
                side[name] = held.cleaned(checked[name])
        left_yes, left_no = self.block(node.body, yes), self.block(node.orelse, no)
        if left_yes and left_no:
            return True
        env.update(no if left_yes else yes if left_no else _joined(yes, no))
        return False

    def _try(self, node: ast.Try, env: Env) -> bool:
        left = self.block(node.body, env)
        arms = [handler.body for handler in node.handlers]
        if arms:
            self._arms(arms, env)
        left = self.block(node.orelse, env) or left
        after = self.block(node.finalbody, env)
        return (left and not arms) or after

    def _arms(self, bodies: list[list[ast.stmt]], env: Env) -> None:
        """Follow bodies of which any may or may not run."""
        for body in bodies:
            if body:
                arm = dict(env)
                left = self.block(body, arm)
                if not left:
                    env.update(_joined(env, arm))

    def _match(self, node: ast.Match, env: Env) -> None:
        subject = self.value(node.subject, env)
        arms: list[Env] = []
        for case in node.cases:
            taken = self.is_case(case.pattern, subject)
            if taken is False:
                continue
            arm = dict(env)
            if not self.block(case.body, arm):
                arms.append(arm)
            if taken:
                break
        else:
            arms.append(env)
        for position, arm in enumerate(arms):
            env.update(arm if position == 0 else _joined(env, arm))


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the names of a function's arguments by position, as its caller counts them."""
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _injected(args: ast.arguments) -> frozenset[str]:
    """Return the arguments that the framework fills in with what the program made: ``db = Depends(session)``."""
    last = [*args.posonlyargs, *args.args][-len(args.defaults) :] if args.defaults else []
    pairs = [*zip(last, args.defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    return frozenset(
        arg.arg
        for arg, default in pairs
        if isinstance(default, ast.Call) and dotted(default.func).rsplit(".", 1)[-1] in {"Depends", "Security"}
    )


def _joined(one: Env, other: Env) -> Env:
    out: Env = {}
    for name in {**one, **other}:
        mine, theirs = one.get(name), other.get(name)
        if mine is None or theirs is None:
            out[name] = mine or theirs or Value()
        else:
            out[name] = either(mine, theirs)
    return out
