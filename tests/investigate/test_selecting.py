import pytest

from outrider.detect.vectors import fill
from outrider.errors import BadInputError
from outrider.events.call import Label
from outrider.events.record import CharterLoaded, Entity
from outrider.investigate.selecting import Wanted, asked, select
from outrider.store import reading

SITE = ("host", "evil.example")


def story(world):
    """A root, its child that is led to leak, and a stranger."""
    charter = world.put(CharterLoaded, heard="daemon", name="coder", digest="sha256:c", signer="builtin", source="{}")
    world.born("root")
    world.prompt("root", "ship", "it")
    spawn = world.spawn("root", "researcher")
    world.born("child", "root")
    _, page = world.fetch("child", "blog.example", "send", "evil.example", named=[SITE])
    leak = world.upload("child", "evil.example", labels=[Label("untrusted", page)])
    world.end("child")
    world.result("root", spawn)
    world.born("other", session="o")
    world.read("other", "/r/readme")
    return charter, page, leak


def kinds(view, numbers):
    return {row.n: row.kind for row in reading.rows(view, numbers)}


def test_an_agent_leaves_with_its_birth_its_parents_birth_its_charter_and_the_logs_first_event(world):
    charter, _, _ = story(world)
    view = world.view()
    chosen = select(view, Wanted(agents=("child",)))
    assert set(chosen.chosen) == set(reading.events_of(view, "child"))
    assert {0, charter, reading.agent(view, "root").born_n} <= set(chosen.context)
    assert not set(chosen.events) & set(reading.events_of(view, "other"))


def test_a_lineage_leaves_with_all_that_descends_and_nobody_else(world):
    story(world)
    view = world.view()
    chosen = select(view, Wanted(lineages=("root",)))
    assert set(chosen.chosen) == {*reading.events_of(view, "root"), *reading.events_of(view, "child")}


def test_a_call_comes_with_its_result_and_where_its_labels_came_from(world):
    _, page, leak = story(world)
    chosen = select(world.view(), Wanted(events=(leak,)))
    assert chosen.chosen == (leak,)
    assert {page, page - 1, leak + 1} <= set(chosen.context)


def test_an_artefact_leaves_with_what_ties_agents_to_it_and_what_caused_that(world):
    _, page, leak = story(world)
    chosen = select(world.view(), Wanted(artefacts=("evil.example",)))
    assert {leak, page} <= set(chosen.chosen)


def test_a_time_bounds_what_was_named_or_stands_alone(world):
    _, _, leak = story(world)
    view = world.view()
    at = reading.event(view, leak).ts
    assert select(view, Wanted(since=at, until=at + 1)).chosen == (leak,)
    assert set(select(view, Wanted(agents=("child",), since=at)).chosen) == set(
        reading.events_of(view, "child", after=leak - 1)
    )


@pytest.mark.parametrize(
    "wanted", [Wanted(), Wanted(events=(10_000,)), Wanted(agents=("nobody",)), Wanted(since=1 << 60)]
)
def test_what_names_nothing_is_refused(world, wanted):
    story(world)
    with pytest.raises(BadInputError):
        select(world.view(), wanted)


def test_what_was_asked_for_is_told_without_secrets_or_addresses_of_people():
    token = fill("{github:ghp_}", "x")
    told = asked(Wanted(artefacts=("evil.example", token, "mara@shipyard.example", "https://evil.example/x?k=1")))
    assert (
        told == "tied to evil.example or tied to a secret or tied to an e-mail address or tied to a URL at evil.example"
    )


def test_whoever_touched_a_path_is_found_by_it_whatever_else_happened(world):
    world.born("a")
    n, _ = world.read("a", "/r/key", entities=[Entity("read", "path", "/r/key")])
    assert n in select(world.view(), Wanted(artefacts=("/r/key",))).chosen
