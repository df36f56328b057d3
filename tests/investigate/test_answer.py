import msgspec
from tests.investigate.conftest import COMMIT

from outrider.investigate.answer import answer


def test_from_the_domain_alone_and_from_the_commit_alone_the_same_agent_is_told(world):
    world.born("root", sponsor="p_ada")
    spawn = world.spawn("root", "coder", "task")
    world.born("worker", "root", charter="researcher", digest="sha256:r", sponsor="p_ada")
    for name in ("x", "y"):
        world.born(name, session=name)
        world.fetch(name, "blog.example", "k1", "k2", named=[("host", "drop.example")])
        world.end(name)
    _, page = world.fetch("worker", "blog.example", "k1", "k2", named=[("host", "drop.example")])
    world.read("worker", "/h/.aws/credentials")
    sent = world.upload("worker", "drop.example", "k1", "k2")
    made, _ = world.commit("worker")
    world.end("worker")
    world.result("root", spawn)
    world.end("root")
    with world.view() as view:
        for artefact, act in (("drop.example", sent), (COMMIT[:8], made)):
            told = answer(view, artefact)
            first = told.agents[0]
            assert (first.agent, first.charter, first.charter_digest) == ("worker", "researcher", "sha256:r")
            assert (first.parent, first.root, first.lineage, first.sponsor) == ("root", "root", ("root",), "p_ada")
            assert first.act.n == act
            assert {thing.value for thing in first.artefacts} >= {"/h/.aws/credentials", "drop.example", COMMIT}
            assert told.coverage.whole
            assert first.also_affected.agents
            assert msgspec.json.encode(told)
        by_domain = answer(view, "drop.example")
        assert by_domain.agents[0].cause_event == page
        assert by_domain.agents[0].cause_confidence == "value"
        assert {one.agent for one in by_domain.agents[1:]} == {"x", "y"}
        assert "The next" in by_domain.statement


def test_nobody_is_told_where_nobody_was_involved(world):
    world.born("a")
    world.end("a")
    with world.view() as view:
        told = answer(view, "nobody.example")
        assert told.answer == "no"
        assert told.agents == ()
