import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.investigate.conftest import World

from outrider.errors import BadInputError
from outrider.events.call import Effect
from outrider.events.record import Entity
from outrider.investigate.touched import touched


def test_everything_is_told_once_a_role_with_how_often_and_whether_it_happened(world):
    world.born("a")
    first, _ = world.read("a", "/r/x")
    last, _ = world.read("a", "/r/x")
    world.read("a", "/etc/shadow", verdict="deny")
    world.result("a", world.call("a", entities=[Entity("wrote", "path", "/r/declined")]), ok=False, ran=False)
    world.upload("a", "drop.example")
    world.fetch("a", "docs.example")
    with world.view() as view:
        answer = touched(view, "a")
        by_thing = {(thing.role, thing.value): thing for thing in answer.things}
        assert by_thing["read", "/r/x"].times == 2
        assert (by_thing["read", "/r/x"].first, by_thing["read", "/r/x"].last) == (first, last)
        assert not by_thing["read", "/etc/shadow"].happened
        assert not by_thing["wrote", "/r/declined"].happened
        assert by_thing["sent", "drop.example"].happened
        assert ("reached", "docs.example") in by_thing
        assert answer.things[0].role == "sent"
        assert msgspec.json.decode(msgspec.json.encode(answer))["agent"]["id"] == "a"


def test_lineage_counts_descendants_and_says_whose_each_thing_is(world):
    world.born("a")
    world.born("b", "a")
    world.born("c", "b")
    world.born("x", session="x")
    world.write("c", "/r/y")
    world.write("x", "/r/z")
    with world.view() as view:
        assert [thing.value for thing in touched(view, "a").things] == []
        answer = touched(view, "a", lineage=True)
        assert answer.agents == ("a", "b", "c")
        assert [(thing.value, thing.agents) for thing in answer.things] == [("/r/y", ("c",))]


def test_programs_that_nobody_sees_into_are_listed_beside(world):
    world.born("a")
    n = world.call("a", Effect(verb="opaque", kind="command", value="make"), entities=[Entity("ran", "tool", "make")])
    with world.view() as view:
        assert touched(view, "a").opaque == (n,)


def test_an_agent_whose_birth_is_not_in_the_record_is_told_all_the_same(world):
    world.call("stray", entities=[Entity("read", "path", "/r/x")])
    with world.view() as view:
        answer = touched(view, "stray")
        assert [thing.value for thing in answer.things] == ["/r/x"]
        assert (answer.agent.charter, answer.agent.born_n) == ("", -1)


def test_an_unknown_agent_is_an_error_that_says_what_to_do(world):
    with world.view() as view, pytest.raises(BadInputError) as caught:
        touched(view, "nobody")
    assert "outrider agents" in caught.value.fix


ROLES = ("read", "wrote", "deleted", "ran", "mentioned")


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(ROLES), st.sampled_from(["/x", "/y", "z"])), max_size=30)
)
def test_nothing_that_was_recorded_is_missing_and_nothing_is_told_twice(tmp_path_factory, steps):
    world = World()
    world.directory = tmp_path_factory.mktemp("w")
    world.opened()
    world.born("a")
    world.born("b", "a")
    for agent, role, value in steps:
        world.call(agent, entities=[Entity(role, "path", value)])
    with world.view() as view:
        for agent in "ab":
            told = [(thing.role, thing.value) for thing in touched(view, agent).things]
            assert len(told) == len(set(told))
            assert set(told) == {(role, value) for who, role, value in steps if who == agent}
            assert sum(thing.times for thing in touched(view, agent).things) == sum(who == agent for who, _, _ in steps)
