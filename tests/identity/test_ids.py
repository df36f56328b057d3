import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.identity.ids import ALPHABET, agent_id, born_ms, is_agent_id

MILLIS = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)


def made(millis, randomness):
    return agent_id(lambda: millis * 1_000_000, lambda _: randomness)


@given(MILLIS, RANDOM)
def test_an_id_is_a_version_7_uuid_in_another_alphabet(millis, randomness):
    found = made(millis, randomness)
    assert is_agent_id(found)
    assert born_ms(found) == millis
    value = 0
    for letter in found[3:]:
        value = value * 32 + ALPHABET.index(letter)
    as_uuid = uuid.UUID(int=value)
    assert (as_uuid.version, as_uuid.variant) == (7, uuid.RFC_4122)


@given(MILLIS, MILLIS, RANDOM, RANDOM)
def test_ids_sort_by_time_of_birth(first, second, one, other):
    if first < second:
        assert made(first, one) < made(second, other)


def test_ids_do_not_repeat_and_know_the_time():
    before = time.time_ns() // 1_000_000
    found = {agent_id() for _ in range(1000)}
    assert len(found) == 1000
    assert before <= born_ms(min(found)) <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("text", ["", "ag_", "ag_" + "0" * 25, "ag_" + "I" * 26, "xx_" + "0" * 26, "ag_" + "0" * 27])
def test_what_is_no_id_is_said_to_be_none(text):
    assert not is_agent_id(text)
    with pytest.raises(ValueError, match="not an agent id"):
        born_ms(text)
