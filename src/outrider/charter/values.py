"""Cedar's values and operators as Python's, with Cedar's types: ``1`` is not ``true``, and what errs there errs here.

A Long is an int, a Bool a bool, a String a str, an entity a :class:`Uid`, a Set a frozenset of :func:`key` forms (its
elements never come out again), a record a dict. Source: the Cedar policy language reference, and the evaluator of the
``cedar-policy`` crate, which the differential tests hold this to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_LONG = 2**63 - 1
MIN_LONG = -(2**63)


class Fault(Exception):  # noqa: N818 - not an error of this program: a Cedar policy erred.
    """A policy cannot be evaluated: a missing attribute, a type that does not fit, an overflow."""


class Uid(NamedTuple):
    """An entity's name."""

    type: str
    id: str


class Entity(NamedTuple):
    """What is known of an entity.

    Attributes:
        attrs: Its attributes.
        ancestors: Every entity that it is in, itself left out.
    """

    attrs: Mapping[str, Any]
    ancestors: frozenset[Uid]


Entities = Mapping[Uid, Entity]


class _Truth(NamedTuple):
    truth: bool
    mark: str = "bool"
    mark2: str = ""


_TRUE = _Truth(truth=True)
_FALSE = _Truth(truth=False)


class _RecordKey(NamedTuple):
    items: frozenset[tuple[str, Any]]


def key(value: Any) -> Any:
    """Return a hashable form of a value that is equal for equal Cedar values only."""
    if value is True:
        return _TRUE
    if value is False:
        return _FALSE
    if type(value) is dict:
        return _RecordKey(frozenset((name, key(item)) for name, item in value.items()))
    return value


def equal(left: Any, right: Any) -> bool:
    """Cedar's ``==``: values of different types are unequal, never an error."""
    return bool(key(left) == key(right))


def truth(value: Any) -> bool:
    """Return a Bool, or raise."""
    if value is True or value is False:
        return bool(value)
    raise Fault("expected bool")


def integer(value: Any) -> int:
    """Return a Long, or raise."""
    if type(value) is int:
        return value
    raise Fault("expected long")


def bounded(value: int) -> int:
    """Return the result of arithmetic, or raise on overflow."""
    if MIN_LONG <= value <= MAX_LONG:
        return value
    raise Fault("integer overflow")


def text(value: Any) -> str:
    """Return a String, or raise."""
    if type(value) is str:
        return value
    raise Fault("expected string")


def members(value: Any) -> frozenset[Any]:
    """Return a Set, or raise."""
    if type(value) is frozenset:
        return value
    raise Fault("expected set")


def entity(value: Any) -> Uid:
    """Return an entity, or raise."""
    if type(value) is Uid:
        return value
    raise Fault("expected entity")


def attribute(value: Any, name: str, entities: Entities) -> Any:
    """Return ``value.name`` of a record or an entity, or raise."""
    if type(value) is dict:
        if name in value:
            return value[name]
        raise Fault("no such attribute")
    known = entities.get(entity(value))
    if known is None or name not in known.attrs:
        raise Fault("no such attribute or entity")
    return known.attrs[name]


def has(value: Any, name: str, entities: Entities) -> bool:
    """Cedar's ``has``: false for an entity that is not known, an error for what has no attributes."""
    if type(value) is dict:
        return name in value
    known = entities.get(entity(value))
    return known is not None and name in known.attrs


def within(left: Any, right: Any, entities: Entities) -> bool:
    """Cedar's ``in``: the entity itself or one below; on a set, any of its elements, all of which must be entities."""
    one = entity(left)
    targets = [entity(item) for item in right] if type(right) is frozenset else [entity(right)]
    known = entities.get(one)
    above = known.ancestors if known is not None else frozenset()
    return any(target == one or target in above for target in targets)


def contains_all(left: Any, right: Any) -> bool:
    """Cedar's ``containsAll``."""
    return members(right) <= members(left)


def contains_any(left: Any, right: Any) -> bool:
    """Cedar's ``containsAny``."""
    return not members(left).isdisjoint(members(right))
