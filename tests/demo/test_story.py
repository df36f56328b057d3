"""The story is the same every time, has one leak, and is as large as was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.demo.story import CLASSES, DROP, SPAWNS, everyone, tell


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 300), st.integers(0, 2**32))
def test_a_story_has_exactly_the_agents_asked_for_and_one_leaker(agents: int, seed: int) -> None:
    actors = everyone(tell(agents, seed))
    assert len(actors) == agents
    assert [actor.role for actor in actors].count("leaker") == 1
    assert len({actor.session for actor in actors}) == agents


def test_the_same_seed_tells_the_same_story() -> None:
    assert [a.steps for a in everyone(tell(80, 9))] == [a.steps for a in everyone(tell(80, 9))]
    assert [a.steps for a in everyone(tell(80, 9))] != [a.steps for a in everyone(tell(80, 10))]


def test_at_full_size_six_charters_live_in_three_generations() -> None:
    actors = everyone(tell(500, 1))
    assert {actor.charter for actor in actors} == set(CLASSES)
    assert max(actor.generation for actor in actors) >= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_only_the_leaker_carries_a_key_to_the_drop(seed: int) -> None:
    for actor in everyone(tell(200, seed)):
        carried = [s for s in actor.steps if DROP in str(s["input"]) and "?d=" in str(s["input"].get("url", ""))]
        sent = [step for step in carried if not step["input"]["url"].endswith("none")]
        assert bool(sent) == (actor.role == "leaker")


def test_every_child_is_of_a_class_that_its_parent_may_start() -> None:
    for actor in everyone(tell(300, 4)):
        for child in actor.children:
            assert child.charter in SPAWNS[actor.charter]
