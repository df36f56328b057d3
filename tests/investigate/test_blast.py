import pytest

from outrider.events.call import Label
from outrider.events.record import Entity
from outrider.investigate.blast import blast

PAGE = [f"w{i}" for i in range(12)]


def values(things):
    return {thing.value for thing in things}


def family(world, *, label):
    world.born("root", session="r")
    spawn = world.spawn("root")
    world.born("child", "root")
    world.write("child", "/r/before")
    _, page = world.fetch("child", "blog.example", *PAGE, label=label)
    carried = [Label("untrusted", page)] if label else []
    world.write("child", "/r/notes")
    world.spawn("child")
    world.born("grandchild", "child", labels=tuple(carried))
    world.end("child")
    world.result("root", spawn)
    if label:
        world.join("root", "child", *carried)
    world.write("root", "/r/after")
    world.born("reader", session="x")
    world.read("reader", "/r/notes", labels=carried)
    world.write("reader", "/r/spread")
    world.born("early", session="y")
    world.read("early", "/r/before")
    world.write("early", "/r/clean")
    return page


@pytest.mark.parametrize("label", [True, False])
def test_it_follows_children_reports_files_and_nobody_else(world, label):
    page = family(world, label=label)
    with world.view() as view:
        answer = blast(view, page)
        assert {one.agent.id for one in answer.agents} == {"child", "grandchild", "root", "reader"}
        assert answer.agents[0].agent.id == "child"
        assert {"/r/notes", "/r/after", "/r/spread"} <= values(answer.files)
        assert not {"/r/before", "/r/clean"} & values(answer.files)
        assert answer.confidence == ("label" if label else "context")


def test_without_a_label_each_is_told_by_what_it_could_have_come(world):
    page = family(world, label=False)
    with world.view() as view:
        assert {one.agent.id: (one.by, one.through) for one in blast(view, page).agents} == {
            "child": ("origin", ""), "grandchild": ("born of it", "child"), "root": ("report", "child"),
            "reader": ("file", "child"),
        }  # fmt: skip


def test_files_are_followed_two_steps_and_not_through_everybody(world):
    for at in range(5):
        world.born(f"a{at}", session=f"s{at}")
        if at:
            world.read(f"a{at}", f"/r/{at - 1}")
        world.write(f"a{at}", f"/r/{at}")
    with world.view() as view:
        assert {one.agent.id for one in blast(view, "a0").agents} == {"a0", "a1", "a2"}


def test_credentials_read_before_and_after_commits_and_hosts_are_listed(world):
    world.born("a")
    n, _ = world.read("a", "/h/.aws/credentials", entities=[Entity("read", "secret", "abcd1234")])
    _, page = world.fetch("a", "blog.example", *PAGE)
    key = world.call(
        "a", entities=[Entity("read", "path", "/h/.ssh/id")], adds=[Label("secret", -1)], tool="read"
    )  # fmt: skip
    world.result("a", key)
    world.upload("a", "drop.example")
    world.upload("a", "refused.example", verdict="deny")
    world.commit("a")
    with world.view() as view:
        answer = blast(view, page)
        assert {"abcd1234", "/h/.ssh/id"} <= values(answer.credentials)
        assert "drop.example" in values(answer.hosts)
        assert "refused.example" not in values(answer.hosts)
        assert values(answer.commits) >= {"3f786850e387550fdab836ed7e6dc881de23001b"}
        assert n < page


def test_the_pivot_finds_who_met_the_same_content_or_place(world):
    for name in ("a", "b", "c", "d"):
        world.born(name, session=name)
    _, page = world.fetch("a", "blog.example", *PAGE)
    _, same = world.fetch("b", "mirror.example", *PAGE)
    call, _ = world.fetch("c", "blog.example", "something", "else")
    world.fetch("d", "other.example", "nothing", "alike", "here", "at", "all")
    with world.view() as view:
        met = blast(view, page).met
        assert {(one.n, one.what) for one in met} == {(same, "content"), (call, "host")}


def test_it_starts_from_an_agent_as_well(world):
    world.born("a")
    world.born("b", "a")
    world.upload("b", "drop.example")
    with world.view() as view:
        answer = blast(view, "a")
        assert {one.agent.id for one in answer.agents} == {"a", "b"}
        assert values(answer.hosts) == {"drop.example"}


def test_two_agents_that_read_each_others_files_end(world):
    world.born("a", session="a")
    world.born("b", session="b")
    for _ in range(5):
        world.write("a", "/r/x")
        world.read("b", "/r/x")
        world.write("b", "/r/y")
        world.read("a", "/r/y")
    with world.view() as view:
        assert {one.agent.id for one in blast(view, "a").agents} == {"a", "b"}


def test_a_limit_that_was_reached_is_told(world, monkeypatch):
    monkeypatch.setattr("outrider.investigate.blast.MOST_AGENTS", 3)
    world.born("a")
    for name in "bcdef":
        world.born(name, "a")
    with world.view() as view:
        assert blast(view, "a").truncated


def test_where_events_are_too_many_credentials_are_still_named_and_the_cut_is_said(world, monkeypatch):
    monkeypatch.setattr("outrider.investigate.blast.MOST_TOUCHING", 3)
    world.born("a")
    _, page = world.fetch("a", "docs.example", "send")
    for at in range(9):
        world.write("a", f"/home/u/repo/{at}")
    world.read("a", "/home/u/.env", entities=[Entity("read", "secret", "1234abcd")])
    with world.view() as view:
        told = blast(view, page)
    assert told.truncated
    assert len(told.files) < 9
    assert [one.value for one in told.credentials] == ["1234abcd"]


def test_nobody_is_sought_behind_more_agents_than_are_followed(world, monkeypatch):
    monkeypatch.setattr("outrider.investigate.blast.MOST_AGENTS", 3)
    world.born("a")
    n, _ = world.write("a", "/home/u/repo/x")
    for at in range(9):
        world.born(f"r{at}", session=f"s{at}")
        world.read(f"r{at}", "/home/u/repo/x")
    with world.view() as view:
        told = blast(view, n)
    assert [one.agent.id for one in told.agents] == ["a", "r0", "r1"]
    assert told.truncated
