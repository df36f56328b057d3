import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.events.strategies import events
from tests.identity.record import FOREVER, Record

from outrider.events.attestation import Attestation
from outrider.events.counters import Counters
from outrider.events.record import Beside
from outrider.identity import registry as module
from outrider.identity.process import ProcessFacts
from outrider.identity.registry import Registry


def at(pid, start=1, boot="b"):
    return Attestation(pid=pid, start=start, boot=boot, uid=1)


def facts(pid, start=1):
    return ProcessFacts(pid=pid, ppid=1, start=start, uid=1, comm="x")


def test_an_agent_is_found_by_id_session_and_process():
    record = Record()
    agent = record.born("A", attested=at(10), beside=Beside(private={"home": "/h", "repo": "/r", "cwd": "/r/x"}))
    sub = record.born("B", parent="A", host_agent="x")
    found = record.registry
    assert found.by_id("A") == agent
    assert (agent.home, agent.repo, agent.cwd) == ("/h", "/r", "/r/x")
    assert found.by_session("claude_code", "s") == agent
    assert found.by_session("claude_code", "s", "x") == sub
    assert found.by_session("other", "s") is None
    assert found.find_process(10, 1) == (agent, sub)
    assert found.find_process(10, 2) == ()
    assert found.bound("claude_code", "s") == at(10)
    assert len(found) == 2


def test_a_lineage_leads_from_the_agent_to_its_root():
    record = Record()
    for agent, parent in (("A", ""), ("B", "A"), ("C", "B"), ("D", "A")):
        record.born(agent, parent=parent, session=agent)
    found = record.registry
    assert [one.id for one in found.lineage("C")] == ["C", "B", "A"]
    assert [one.id for one in found.children("A")] == ["B", "D"]
    assert found.children("") == ()
    assert [one.id for one in found.subtree("A")] == ["B", "D", "C"]
    assert found.lineage("none") == ()


def test_every_policy_set_of_a_chain_has_its_owner():
    record = Record()
    record.born("A", session="a", chain=("coder", "base"), digest="coder")
    record.born("B", parent="A", session="b", chain=("reviewer", "base", "coder", "base"), digest="reviewer")
    links = record.registry.links("B")
    assert tuple(link.digest for link in links) == record.registry.by_id("B").chain
    assert [(link.owner.id, link.ceiling) for link in links] == [
        ("B", False),
        ("B", False),
        ("A", True),
        ("A", True),
    ]


def test_an_ended_ancestor_still_binds():
    record = Record()
    record.born("A", session="a")
    record.born("B", parent="A", session="b")
    record.ended("A")
    assert [link.owner.id for link in record.registry.links("B")] == ["B", "A"]
    assert [agent.id for agent in record.registry.living()] == ["B"]


def test_an_end_is_taken_back_by_a_resumption_in_another_process():
    record = Record()
    record.born("A", attested=at(10))
    end = record.ended("A", "killed")
    gone = record.registry.by_id("A")
    assert (gone.ended, gone.ended_ts) == ("killed", end.ts)
    record.ended("A", "vanished")  # the first end counts
    assert record.registry.by_id("A").ended == "killed"
    record.resumed("A")
    assert record.registry.by_id("A").ended == ""
    assert record.registry.find_process(10, 1) == ()
    assert record.registry.bound("claude_code", "s") == Attestation()


def test_a_process_of_an_earlier_boot_is_nobodys():
    record = Record()
    record.booted("b")
    record.born("A", attested=at(10))
    assert record.registry.find_process(10, 1)
    record.booted("c")
    assert record.registry.find_process(10, 1) == ()


def test_calls_open_with_their_decision_and_close_with_their_result():
    record = Record()
    record.born("A")
    first = record.asked("A", "c1")
    record.asked("A", "c2", enforced="deny")
    record.asked("A", "", permission=True)
    found = record.registry
    assert found.intent("A", "c1").n == first.n
    assert found.intent("A", "c2").enforced == "deny"
    assert [intent.call for intent in found.open_calls("A")] == ["c1"]
    record.answered("A", "c1")
    assert found.intent("A", "c1") is None
    record.answered("A", "c2")
    assert found.intent("A", "c2") is None
    assert found.counters("A") == Counters(calls=2)


def test_a_call_asked_twice_is_open_once_with_what_was_said_last():
    record = Record()
    record.born("A")
    record.asked("A", "c1")
    last = record.asked("A", "c1", enforced="deny")
    assert record.registry.open_calls("A") == ()
    assert record.registry.intent("A", "c1").n == last.n


def test_many_denials_do_not_push_out_a_call_that_runs():
    record = Record()
    record.born("A")
    record.asked("A", "long")
    for number in range(module.MAX_OPEN + 1):
        record.asked("A", f"d{number}", enforced="deny")
    assert record.registry.intent("A", "long") is not None
    assert record.registry.intent("A", "d0") is None


def test_open_calls_are_bounded():
    record = Record()
    record.born("A")
    for number in range(module.MAX_OPEN + 3):
        record.asked("A", f"c{number}")
    assert len(record.registry.open_calls("A")) == module.MAX_OPEN
    assert record.registry.intent("A", "c2") is None


def test_a_spawn_is_counted_once_whether_asked_for_or_just_born():
    record = Record()
    record.born("A", session="a")
    record.asked("A", "c1", spawns=("reviewer",), tool="spawn")
    assert record.registry.counters("A").spawns == 1
    record.born("B", parent="A", session="a", host_agent="b")
    assert record.registry.counters("A").spawns == 1
    record.born("C", parent="A", session="c")
    assert record.registry.counters("A") == Counters(calls=1, spawns=2)
    assert record.registry.counters("B") == Counters(depth=1)
    record.asked("A", "c2", spawns=("reviewer",), enforced="deny", tool="spawn")
    assert record.registry.counters("A").spawns == 2


def test_the_call_that_made_a_child_is_found_while_it_runs():
    record = Record()
    record.born("A")
    record.asked("A", "c1", spawns=("reviewer",), tool="spawn")
    record.asked("A", "c2", spawns=("researcher",), tool="spawn")
    record.asked("A", "c3", spawns=("ops",), tool="spawn", enforced="deny")
    record.asked("A", "c4", launches=("claude",))
    found = record.registry
    assert found.open_spawn("A").call == "c1"
    assert found.open_spawn("A", "researcher").call == "c2"
    assert found.open_spawn("A", "ops") is None
    assert found.open_launch("A").call == "c4"
    record.answered("A", "c4")
    assert found.open_launch("A") is None
    assert found.open_launch("none") is None


def test_the_nearest_ancestor_is_the_one_that_is_launching():
    record = Record()
    record.born("A", attested=at(10))
    record.born("B", parent="A", host_agent="b")
    record.born("C", parent="A", host_agent="c")
    near = record.registry.nearest_ancestor_agent
    chain = (facts(11), facts(10), facts(1))
    assert near(chain).id == "A"
    record.asked("B", "c1")
    assert near(chain).id == "B"
    record.asked("C", "c2", launches=("claude",))
    assert near(chain).id == "C"
    assert near((facts(11), facts(10, start=2))) is None
    record.ended("A")
    record.ended("B")
    record.ended("C")
    assert near((facts(10),)) is None
    assert near(chain).id == "A"
    assert near(chain, apart_from=record.registry.by_id("B")) is None


def test_the_long_gone_are_forgotten_unless_somebody_descends_from_them(monkeypatch):
    monkeypatch.setattr(module, "KEEP_GONE", 3)
    record = Record()
    record.born("root", session="root")
    record.born("child", parent="root", session="child")
    record.ended("root")
    for number in range(6):
        record.born(f"a{number}", session=f"a{number}", attested=at(number + 10))
        record.ended(f"a{number}")
    found = record.registry
    assert found.by_id("root") is not None
    assert found.by_id("a0") is None
    assert found.by_session("claude_code", "a0") is None
    assert found.bound("claude_code", "a0") is None
    assert found.find_process(10, 1) == ()
    assert found.by_id("a5") is not None
    assert Registry.load(found.dump()) == found


@pytest.mark.parametrize("data", [b"", b"\x80", b"junk", b"\xff" * 50])
def test_a_torn_snapshot_is_refused(data):
    with pytest.raises(ValueError, match="snapshot"):
        Registry.load(data)


def test_a_snapshot_of_another_version_is_refused(monkeypatch):
    data = Registry().dump()
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    with pytest.raises(ValueError, match="version 5"):
        Registry.load(data)


AGENTS = st.sampled_from("ABCDEF")
CALLS = st.sampled_from(["c1", "c2", "c3"])
SESSIONS = st.sampled_from(["s", "t"])
STEPS = st.one_of(
    st.tuples(
        st.just("born"), AGENTS, st.sampled_from(["", *"ABC"]), SESSIONS, st.sampled_from(["", "x"]), st.integers(0, 2)
    ),
    st.tuples(st.just("ended"), AGENTS),
    st.tuples(st.just("resumed"), AGENTS),
    st.tuples(st.just("booted"), st.sampled_from("bc")),
    st.tuples(
        st.just("asked"),
        AGENTS,
        CALLS,
        st.sampled_from([(), ("reviewer",)]),
        st.sampled_from([(), ("claude",)]),
        st.sampled_from(["allow", "deny", "ask"]),
    ),
    st.tuples(st.just("answered"), AGENTS, CALLS),
)


def take(record, step):
    match step:
        case ("born", agent, parent, session, host_agent, pid):
            record.born(agent, parent=parent, session=session, host_agent=host_agent, attested=at(pid))
        case ("asked", agent, call, spawns, launches, enforced):
            record.asked(agent, call, spawns=spawns, launches=launches, enforced=enforced)
        case (what, *rest):
            getattr(record, what)(*rest)


def seen(registry):
    """Everything that can be asked, so that an equal state which answers otherwise is found."""
    return [
        [registry.by_id(agent) for agent in "ABCDEF"],
        [registry.counters(agent) for agent in "ABCDEF"],
        [registry.open_calls(agent) for agent in "ABCDEF"],
        [registry.children(agent) for agent in ("", *"ABCDEF")],
        [registry.by_session("claude_code", s, h) for s in "st" for h in ("", "x")],
        [registry.members("claude_code", s) for s in "st"],
        [registry.bound("claude_code", s) for s in "st"],
        [registry.find_process(pid, 1) for pid in range(3)],
        [registry.nearest_ancestor_agent((facts(9), facts(pid))) for pid in range(3)],
        registry.living(),
        list(registry.everyone()),
    ]


@given(st.lists(STEPS, max_size=25), st.lists(STEPS, max_size=10), st.integers(1, 3))
def test_a_registry_that_was_dumped_and_loaded_in_between_is_the_same(before, after, keep):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEEP_GONE", keep)
        straight = Record()
        for step in before:
            take(straight, step)
        loaded = Record()
        loaded.n = straight.n
        loaded.registry = Registry.load(straight.registry.dump())
        assert loaded.registry == straight.registry
        assert seen(loaded.registry) == seen(straight.registry)
        for step in after:
            take(straight, step)
            take(loaded, step)
        assert loaded.registry == straight.registry
        assert loaded.registry.dump() == straight.registry.dump()
        assert seen(loaded.registry) == seen(straight.registry)


@given(st.lists(events, max_size=12))
def test_no_event_stops_the_fold(found):
    registry = Registry()
    for event in found:
        registry.apply(event)
    assert Registry.load(registry.dump()) == registry


def test_a_birth_whose_private_part_was_erased_is_still_a_birth():
    record = Record()
    agent = record.born("A", expires=FOREVER, beside=None)
    assert (agent.home, agent.repo) == ("", "")
