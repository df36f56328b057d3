"""Assumptions: read from files with their mistakes named, and checked over a small record."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError
from outrider.events.call import Effect, Label
from outrider.events.record import AgentEnded, RecordGap
from outrider.investigate.assume import check
from outrider.investigate.assumptions import Assumption, parse, ready_made


def of(text):
    return parse(text.encode(), source="a.toml")


def checked(world, text, **more):
    with world.view() as view:
        told = check(view, of(text), **more)
        assert msgspec.json.decode(msgspec.json.encode(told))["checked"]
        return told.checked[0]


NETWORK = """
[docs-stay-home]
that = "no docs-writer ever reaches the network"
who = { charter = "docs-*" }
never = { verb = "connect" }
"""


def test_a_call_that_breaks_an_assumption_is_named_and_a_refused_one_does_not(world):
    world.born("d", charter="docs-writer", session="d")
    world.born("c", charter="coder", session="c")
    world.upload("d", "a.example", verdict="deny")
    world.upload("c", "a.example")
    held = checked(world, NETWORK)
    assert (held.state, held.broken, held.events) == ("held", 0, ())
    n = world.upload("d", "b.example")
    broken = checked(world, NETWORK)
    assert (broken.state, [one.n for one in broken.events], broken.agents) == ("broken", [n], ("d",))
    assert broken.statement == "Broken 1 times: no docs-writer ever reaches the network."
    assert broken.since == broken.until == broken.events[0].ts


def test_since_when_it_is_held_or_broken_is_said_and_what_came_before_can_be_left_out(world):
    world.born("d", charter="docs-writer")
    world.upload("d", "a.example")
    world.ts += 1_000_000
    moment = world.ts
    world.read("d", "/r/x")
    assert checked(world, NETWORK).state == "broken"
    later = checked(world, NETWORK, since=moment)
    assert (later.state, later.since) == ("held", moment)


def test_a_refused_try_counts_where_the_assumption_says_so(world):
    world.born("d", charter="docs-writer")
    world.upload("d", "a.example", verdict="deny")
    assert checked(world, NETWORK.replace('verb = "connect"', 'verb = "connect", tried = true')).state == "broken"


@pytest.mark.parametrize(
    ("never", "state"),
    [
        ('value = "*.example"', "broken"), ('value = "b.example"', "held"), ('flags = "upload"', "broken"),
        ('flags = ["upload", "forced"]', "held"), ('label = "secret"', "broken"),
        ('label = ["secret", "untrusted"]', "held"), ('tool = "shell"', "broken"), ('tool = "mcp"', "held"),
        ('finding = "secret.*"', "held"),
    ],
)  # fmt: skip
def test_every_key_of_a_call_must_fit(world, never, state):
    world.born("d")
    world.upload("d", "a.example", labels=[Label("secret", 0)])
    assert checked(world, f'[x]\nthat = "x"\nnever = {{ {never} }}\n').state == state


COMMITS = """
[commits]
that = "every commit by an agent was inspected"
every = { verb = "commit" }
must = { mode = "enforce", heard = true }
"""


def test_what_must_hold_of_every_call_is_untested_held_or_broken(world):
    world.born("a")
    assert checked(world, COMMITS).state == "untested"
    world.commit("a")
    assert (checked(world, COMMITS).state, checked(world, COMMITS).about) == ("held", 1)
    n = world.call("a", Effect(verb="commit", kind="repo", value="/r"))
    broken = checked(world, COMMITS)
    assert (broken.state, [one.n for one in broken.events], broken.about) == ("broken", [n], 2)


OPS = """
[ops]
that = "nobody outside platform spawns ops"
born = { charter = "ops" }
by = { parent = ["platform-*", "none"], sponsor = "team-*" }
"""


def test_a_birth_is_held_against_who_may_bring_it_about(world):
    world.born("p", charter="platform-lead", sponsor="team-p", session="p")
    world.born("o", parent="p", charter="ops", sponsor="team-p", session="o")
    world.born("r", charter="ops", sponsor="team-p", session="r")
    assert (checked(world, OPS).state, checked(world, OPS).about) == ("held", 2)
    world.born("c", charter="coder", session="c")
    n = world.born("bad", parent="c", charter="ops", sponsor="team-p", session="b")
    broken = checked(world, OPS)
    assert (broken.state, [one.n for one in broken.events], broken.agents) == ("broken", [n], ("bad",))


def test_what_coverage_lacks_breaks_what_assumes_that_it_lacks_nothing(world):
    text = '[whole]\nthat = "no call goes past the door"\nlacks = ["unseen-call", "ungoverned", "vanished"]\n'
    world.born("a")
    assert checked(world, text).state == "held"
    world.put(RecordGap, what="unseen-call", count=2, agent="a", door="claude_code")
    world.put(AgentEnded, agent="a", how="vanished")
    broken = checked(world, text)
    assert (broken.state, broken.broken) == ("broken", 3)
    assert "2 calls never asked about" in broken.statement
    elsewhere = text.replace("lacks", 'who = { charter = "docs" }\nlacks')
    assert checked(world, elsewhere).state == "held"


def test_what_is_held_is_held_as_far_as_was_seen(world):
    world.born("d", charter="docs-writer")
    world.call("d")
    world.end("d")
    with world.view() as view:
        told = check(view, of(NETWORK))
        assert "as far as was seen" in told.statement
        assert "1 intent without results" in told.statement


def test_ten_and_more_come_ready_made_each_with_a_check_that_runs(world):
    world.born("a", charter="reviewer")
    world.write("a", "/r/x")
    ready = ready_made()
    assert len(ready) >= 10
    assert len({one.name for one in ready}) == len(ready)
    with world.view() as view:
        told = {one.assumption.name: one.state for one in check(view, ready).checked}
    assert told["reviewers-only-read"] == "broken"
    assert told["people-start-ops"] == "untested"
    assert told["refusals-hold"] == "held"


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        ('[a]\nthat = "x"\nnever = { verbs = "read" }\n', "a.toml:3: there is no key 'verbs'", "Did you mean 'verb'?"),
        ('[a]\nthat = "x"\nnevr = { verb = "read" }\n', "a.toml:3: there is no key 'nevr'", "Did you mean 'never'?"),
        ('[a]\nthat = "x"\nnever = { verb = "reed" }\n', "a.toml:3: 'reed' is no word", "Did you mean 'read'?"),
        ('[a]\nthat = "x"\nlacks = "dispite"\n', "a.toml:3: 'dispite' is no word for lacks", "Did you mean 'despite'?"),
        ('[b]\nthat = "x"\nlacks = "despite"\n\n[a]\nthat = "x"\n', "a.toml:5: [a] has no check", "One of: never"),
        ('[a]\nthat = "x"\nnever = {}\nlacks = "despite"\n', "[a] has never and lacks", "One of"),
        ('[a]\nthat = "x"\nevery = { verb = "read" }\n', "does not say what must hold", "must = "),
        ('[a]\nthat = "x"\nnever = { verb = 5 }\n', "a.toml:3: [a]: Expected `str | array`", ""),
        ('[a]\nnever = { verb = "read" }\n', "a.toml:1: [a]: Object missing required field `that`", ""),
        ('[a]\nthat = " "\nnever = { verb = "read" }\n', "a.toml:2: [a]: that is no sentence", "One line"),
        ('[A B]\nthat = "x"\n', "not TOML", "outrider assume list --toml"),
        ('["A B"]\nthat = "x"\n', "'A B' is no name", "Small letters"),
        ("a = 5\n", "a.toml:1: 'a' is not an assumption", "[a]"),
        ('[a]\nthat = "x"\nmust = { heard = true }\nlacks = "despite"\n', "has must without every", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_what_was_meant(text, said, fix):
    with pytest.raises(BadInputError) as raised:
        of(text)
    assert said in str(raised.value)
    assert fix in raised.value.fix


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(raw):
    try:
        found = parse(raw, source="a.toml")
    except BadInputError:
        return
    assert all(isinstance(one, Assumption) for one in found)


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(BadInputError, match="larger than"):
        parse(b"#" * (1024 * 1024 + 1), source="a.toml")
