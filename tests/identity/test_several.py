"""A table with several names a key is what a table of ordered sets would be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outrider.identity.several import Several

KEYS = st.sampled_from(["a", "b", ""])
NAMES = st.sampled_from(["x", "y", "z", ""])
STEPS = st.lists(st.tuples(st.sampled_from(["add", "drop", "pop"]), KEYS, NAMES), max_size=40)


@given(STEPS)
def test_names_come_and_go_in_order_as_in_a_table_of_ordered_sets(steps):
    table, plain = Several(), {}
    for what, key, name in steps:
        if what == "add":
            table.add(key, name)
            plain.setdefault(key, {})[name] = None
        elif what == "drop":
            plain.get(key, {}).pop(name, None)
            assert table.drop(key, name) == (not plain.get(key))
        else:
            assert table.pop(key) == tuple(plain.pop(key, {}))
        plain = {key: names for key, names in plain.items() if names}
        assert {key: tuple(table.of(key)) for key in "ab" if key in table} == {
            key: tuple(plain[key]) for key in "ab" if key in plain
        }
    assert sorted(table.items()) == sorted((key, name) for key, names in plain.items() for name in names)
