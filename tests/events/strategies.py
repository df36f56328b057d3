"""Random events of every kind, made from their types alone: a new field is covered the day it is written."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from outrider.events.codec import MAX_INT
from outrider.events.event import VERSION
from outrider.events.record import AnyEvent

KINDS: tuple[type[msgspec.Struct], ...] = get_args(AnyEvent)

ascii_keys = st.text(st.characters(codec="ascii"), max_size=8)
integers = st.integers(-MAX_INT, MAX_INT)
text = st.text(max_size=20)

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=20,
)
"""Plain JSON on our profile: ASCII keys, integers within +-(2**53 - 1), no floats."""


def of_type(info: inspect.Type) -> st.SearchStrategy[Any]:
    """Return values of a type as msgspec describes it.

    Raises:
        TypeError: An event has a field of a type that our profile does not know.
    """
    simple: dict[type, st.SearchStrategy[Any]] = {
        inspect.StrType: text,
        inspect.IntType: integers,
        inspect.BoolType: st.booleans(),
        inspect.BytesType: st.binary(max_size=32),
        inspect.NoneType: st.none(),
    }
    if type(info) in simple:
        return simple[type(info)]
    match info:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([of_type(inner) for inner in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(of_type(item), max_size=3).map(tuple)
        case inspect.DictType(value_type=value):
            return st.dictionaries(ascii_keys, of_type(value), max_size=3)
        case inspect.StructType(cls=cls):
            return of_struct(cls)
        case _:
            raise TypeError(f"{info} is not on the events' profile")


def of_struct(cls: type[msgspec.Struct], **fixed: Any) -> st.SearchStrategy[Any]:
    """Return instances of a struct; ``fixed`` fields are as given."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: of_type(field.type) for field in info.fields if field.name not in fixed}
    return st.fixed_dictionaries(fields).map(lambda values: cls(**values, **fixed))


events: st.SearchStrategy[Any] = st.sampled_from(KINDS).flatmap(lambda kind: of_struct(kind, v=VERSION))
"""Events of every kind in the version that we write."""
