"""A Cedar policy set as Python: policies found by action and resource, conditions run as generated functions.

A policy without a condition is decided by its scope alone, so selecting it is deciding it. Conditions become one
function per action and scope. A policy that errs is reported, never skipped in silence: cedarpy is the oracle for all
of this (differential tests), and the evaluator of what :mod:`outrider.charter.translate` does not cover.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import cedarpy
from cedarpy import pst

from outrider.charter.translate import NotCovered, Translator, uid
from outrider.charter.values import Entities, Entity, Uid
from outrider.errors import CharterError

Hit = Callable[[int], None]
Conditions = Callable[[Uid, Uid, Uid, dict[str, Any], Entities, frozenset[Uid], Mapping[str, Any], Hit, Hit], None]
SURE = {f"c_{name}": f"c[{name!r}]" for name in ("labels", "findings", "severities", "flags")}
SURE["ra_value"] = "ra['value']"
"""Attributes that our schema types and that :mod:`outrider.charter.ruling` fills: local name to source."""

_UNKNOWN = Entity({}, frozenset())


class Policy(NamedTuple):
    """One policy of a program.

    Attributes:
        id: Its ``@id``, or the parser's name for it.
        forbid: True for forbid.
        annotations: Its annotations.
    """

    id: str
    forbid: bool
    annotations: dict[str, str]


class Selection(NamedTuple):
    """What is left to do once action and resource are known.

    Attributes:
        sure: Policies that hold whatever the context is.
        conditions: Functions that report which others hold.
        above: The resource and everything that it is in.
    """

    sure: tuple[int, ...]
    conditions: tuple[Conditions, ...]
    above: frozenset[Uid]


class Request(NamedTuple):
    """One question, in Cedar's words."""

    principal: Uid
    action: Uid
    resource: Uid
    context: dict[str, Any]
    entities: Entities


class Outcome(NamedTuple):
    """Which policies held: positions in :attr:`Program.policies`.

    Attributes:
        held: Policies whose scope and condition held.
        erred: Policies that could not be evaluated.
    """

    held: list[int]
    erred: list[int]


class _Place:
    """Policies of one action and one resource scope."""

    def __init__(self) -> None:
        self.sure: list[int] = []
        self.conditional: list[tuple[int, str]] = []
        self.function: Conditions | None = None


class Program:
    """A compiled policy set.

    With a schema, the caller vouches that context and entities fit it; without, every type is looked at.

    Attributes:
        policies: Its policies, in the order of the text.
        uses_entities: True if a condition looks into the entity store.
        fallback: Positions of the policies that cedarpy evaluates.
        by_value: Actions, None for all, of policies that may tell resources apart that fall in the same patterns and
            for which :meth:`looks` gives the same.
    """

    def __init__(self, text: str, *, schema: str | None = None, source: str = "") -> None:
        try:
            parsed = cedarpy.policies_to_pst(text)
        except ValueError as error:
            raise CharterError(f"the Cedar policies cannot be read: {error}", source=source) from error
        self.policies: list[Policy] = []
        self.fallback: dict[int, str] = {}
        self.by_value: set[str | None] = set()
        self._looks: dict[str | None, list[str]] = {}
        self._translator = Translator(SURE if schema else None)
        self._places: dict[tuple[str | None, tuple[str, Uid] | None], _Place] = {}
        for at, (name, policy) in enumerate(sorted(parsed.static_policies.items(), key=lambda item: int(item[0][6:]))):
            notes = dict(policy.annotations)
            self.policies.append(Policy(notes.get("id", name), policy.effect == "forbid", notes))
            self._add(at, policy)
        self.uses_entities = self._translator.entities
        self._compile()
        self._oracle = _Oracle(text, self.fallback, self.policies, schema) if self.fallback else None
        self.uses_entities = self.uses_entities or self._oracle is not None

    def _add(self, at: int, policy: Any) -> None:
        mark = self._translator.entities
        self._translator.values = not _is_of_patterns(policy.resource)
        self._translator.looked = []
        try:
            checks = [self._principal(policy.principal), *self._resource(policy.resource)]
            for clause in policy.clauses:
                inner = self._translator.condition(clause.expr)
                checks.append(inner if isinstance(clause, pst.When) else f"(not {inner})")
            code = " and ".join(check for check in checks if check)
            compile(code or "True", "<cedar>", "eval")
        except (NotCovered, SyntaxError, RecursionError, MemoryError):
            self._translator.entities = mark
            self.fallback[at] = self.policies[at].id
            self.by_value.update(_actions(policy.action))
            return
        if self._translator.values:
            self.by_value.update(_actions(policy.action))
        for action in _actions(policy.action) if self._translator.looked else ():
            self._looks.setdefault(action, []).extend(self._translator.looked)
        for action in _actions(policy.action):
            place = self._places.setdefault((action, _scope(policy.resource)), _Place())
            if code:
                place.conditional.append((at, code))
            else:
                place.sure.append(at)

    def _principal(self, scope: Any) -> str:
        return self._check("p", scope)

    def _resource(self, scope: Any) -> list[str]:
        if isinstance(scope, pst.ScopeIs | pst.ScopeIsIn):
            return [f"(r.type == {str(scope.entity_type)!r})"]
        return []

    def _check(self, var: str, scope: Any) -> str:
        if isinstance(scope, pst.ScopeAny):
            return ""
        checks = []
        if isinstance(scope, pst.ScopeIs | pst.ScopeIsIn):
            checks.append(f"({var}.type == {str(scope.entity_type)!r})")
        if isinstance(scope, pst.ScopeEq):
            checks.append(f"({var} == {self._translator.constant(uid(_named(scope.entity)))})")
        if isinstance(scope, pst.ScopeIn | pst.ScopeIsIn):
            self._translator.entities = True
            checks.append(f"within({var}, {self._translator.constant(uid(_named(scope.entity)))}, e)")
        return " and ".join(checks)

    def _compile(self) -> None:
        for number, place in enumerate(self._places.values()):
            if not place.conditional:
                continue
            lines = [f"def f{number}(p, a, r, c, e, m, ra, hit, err):"]
            whole = " ".join(code for _, code in place.conditional)
            lines += [f" {name} = {source}" for name, source in self._translator.sure.items() if name in whole]
            for at, code in place.conditional:
                lines += [" try:", f"  if {code}: hit({at})", f" except (Fault, KeyError): err({at})"]
            space = self._translator.constants
            exec("\n".join(lines), space)  # noqa: S102 - source made from a typed tree; names and literals by repr.
            place.function = space[f"f{number}"]

    def looks(self, action: str) -> Callable[[str], tuple[bool, ...]] | None:
        """Return what an action's policies ask of a resource's value beside its patterns, or None if nothing.

        Two values for which it gives the same are told apart by no policy that is not in ``by_value``.
        """
        asked = list(dict.fromkeys((*self._looks.get(None, ()), *self._looks.get(action, ()))))
        if not asked:
            return None
        source = "lambda ra_value: (" + "".join(f"{one}, " for one in asked) + ")"
        made: Callable[[str], tuple[bool, ...]] = eval(source, self._translator.constants)  # noqa: S307 - as in _compile.
        return made

    def select(self, action: str, above: Iterable[Uid], resource: Uid) -> Selection:
        """Return what an action on a resource comes down to.

        Args:
            action: Id of the action (its type is ``Action``).
            above: Every entity that the resource is in.
            resource: The resource.
        """
        groups = frozenset((resource, *above))
        sure: list[int] = []
        conditions: list[Conditions] = []
        scopes: list[tuple[str, Uid] | None] = [None, ("eq", resource), *(("in", group) for group in groups)]
        for scope in scopes:
            for name in (None, action):
                place = self._places.get((name, scope))
                if place is not None:
                    sure += place.sure
                    if place.function is not None:
                        conditions.append(place.function)
        return Selection(tuple(sorted(sure)), tuple(conditions), groups)

    def run(self, selection: Selection, request: Request) -> Outcome:
        """Return which policies hold and which err."""
        held = list(selection.sure)
        erred: list[int] = []
        principal, action, resource, context, entities = request
        attrs = entities.get(resource, _UNKNOWN).attrs
        above = selection.above
        for function in selection.conditions:
            function(principal, action, resource, context, entities, above, attrs, held.append, erred.append)
        if self._oracle is not None:
            self._oracle.run(request, held, erred)
        return Outcome(held, erred)


def _named(entity: Any) -> Any:
    if isinstance(entity, pst.Slot):
        raise NotCovered("slot")
    return entity


def _scope(scope: Any) -> tuple[str, Uid] | None:
    if isinstance(scope, pst.ScopeEq):
        return ("eq", uid(_named(scope.entity)))
    if isinstance(scope, pst.ScopeIn | pst.ScopeIsIn):
        return ("in", uid(_named(scope.entity)))
    return None


def _is_of_patterns(scope: Any) -> bool:
    named = _scope(scope)
    return named is None or (named[0] == "in" and named[1].type == "Pattern")


def _actions(scope: Any) -> list[str | None]:
    if isinstance(scope, pst.ActionEq):
        names = [scope.entity]
    elif isinstance(scope, pst.ActionIn):
        names = list(scope.entities)
    else:
        return [None]
    return list(dict.fromkeys(name.id for name in names if str(name.type) == "Action"))


class _Oracle:
    """cedarpy, for the policies that are not translated: forbids and permits apart, so that each one's word is heard.

    A request that cedarpy does not accept (it does not fit the schema) errs every policy.
    """

    def __init__(self, text: str, only: dict[int, str], policies: list[Policy], schema: str | None) -> None:
        whole = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        self._sets: list[tuple[Any, list[int]]] = []
        for forbid in (True, False):
            chosen = [at for at in only if policies[at].forbid is forbid]
            if chosen:
                some = {f"policy{at}": whole[f"policy{at}"] for at in chosen}
                data = json.dumps({"staticPolicies": some, "templates": {}, "templateLinks": []})
                self._sets.append((cedarpy.PolicySet.from_json_str(data), chosen))
        self._schema = cedarpy.Schema.from_str(schema) if schema else None

    def run(self, asked: Request, held: list[int], erred: list[int]) -> None:
        """Add what holds and what errs."""
        request = {
            "principal": asked.principal._asdict(),
            "action": asked.action._asdict(),
            "resource": asked.resource._asdict(),
            "context": {name: plain(item) for name, item in asked.context.items()},
        }
        store = [
            {"uid": name._asdict(), "attrs": {k: plain(v) for k, v in one.attrs.items()},
             "parents": [above._asdict() for above in one.ancestors]}
            for name, one in asked.entities.items()
        ]  # fmt: skip
        for policies, chosen in self._sets:
            answer = cedarpy.is_authorized(request, policies, store, self._schema)
            if answer.decision is cedarpy.Decision.NoDecision:
                erred += chosen
                continue
            held += [int(name[6:]) for name in answer.diagnostics.reasons]
            for message in answer.diagnostics.errors:
                erred += [at for at in chosen if f"`policy{at}`" in message]


def plain(value: Any) -> Any:
    """Return a value as Cedar's JSON."""
    if isinstance(value, Uid):
        return {"__entity": value._asdict()}
    if isinstance(value, frozenset):
        return [plain(unkeyed(item)) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def unkeyed(value: Any) -> Any:
    """Return the value that :func:`outrider.charter.values.key` made hashable."""
    if type(value).__name__ == "_Truth":
        return value.truth
    if type(value).__name__ == "_RecordKey":
        return {name: unkeyed(item) for name, item in value.items}
    return value


__all__ = ["Entity", "Outcome", "Policy", "Program", "Selection", "plain", "unkeyed"]
