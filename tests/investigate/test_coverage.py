from hypothesis import given, settings
from hypothesis import strategies as st
from tests.investigate.conftest import World

from outrider.events.call import Effect
from outrider.events.event import Source
from outrider.events.held import Held
from outrider.events.record import AgentEnded, DaemonStarted, DaemonStopped, RecordGap, RecordRecovered, Refusal
from outrider.events.sensor import SensorState
from outrider.investigate.coverage import coverage
from outrider.investigate.involved import involved


def start(world):
    return world.put(DaemonStarted, heard="daemon", version="0", pid=1, boot="b")


def stop(world):
    return world.put(DaemonStopped, heard="daemon", reason="asked")


def test_a_whole_record_says_that_nothing_acknowledged_is_missing(world):
    start(world)
    world.born("a")
    world.fetch("a", "docs.example")
    world.end("a")
    with world.view() as view:
        covered = coverage(view)
        assert covered.whole
        assert covered.missing == {}
        assert covered.gaps == ()
        assert covered.statement.startswith("Nothing acknowledged is missing: 6 events of 1 agents.")
        assert (covered.agents, covered.living) == (1, 0)


def test_what_is_missing_is_counted_per_source_and_by_name(world):
    world.born("a", session="s")
    world.call("a")
    world.call("a", verdict="deny")
    world.call("a", verdict="ask")
    world.put(RecordGap, heard="daemon", what="spool", count=3, answered="allow", since=5, until=9)
    world.put(RecordGap, what="unseen-call", count=2)
    world.put(AgentEnded, agent="a", how="vanished", src=Source(id="claude_code:s", seq=12, prev="", lost=4))
    with world.view() as view:
        covered = coverage(view)
        assert covered.missing == {
            "claude_code:s": {"intents_without_results": 1, "messages_lost": 4, "events_skipped": 7},
            "daemon": {"spool_without_events": 3, "calls_unseen": 2},
        }
        assert not covered.whole
        assert covered.asked == 1
        assert covered.vanished == 1
        assert [gap.what for gap in covered.gaps] == ["spool", "unseen-call"]
        assert covered.sources[0].id == "claude_code:s"
        assert "1 intent without results" in covered.statement


def test_calls_that_nobody_judged_but_all_were_denied_are_missing_and_yet_nothing_was_done(world):
    world.put(RecordGap, heard="daemon", what="spool", count=2, answered="deny")
    with world.view() as view:
        assert coverage(view).missing == {"daemon": {"spool_without_events": 2}}
        assert coverage(view).whole
    world.put(RecordGap, heard="daemon", what="unjudged", count=1, answered="allow")
    with world.view() as view:
        assert coverage(view).missing["daemon"]["calls_unjudged"] == 1
        assert not coverage(view).whole


def test_a_call_of_a_living_agent_is_under_way_and_not_missing(world):
    world.born("a")
    world.call("a")
    with world.view() as view:
        covered = coverage(view)
        assert covered.missing == {}
        assert covered.in_flight == 1
        assert "1 calls are still under way" in covered.statement


def test_an_event_that_does_not_name_the_one_before_it_is_told(world):
    world.born("a")
    world.put(AgentEnded, agent="a", how="completed", src=Source(id="claude_code:s", seq=1, prev="ab" * 32))
    with world.view() as view:
        assert coverage(view).missing == {"claude_code:s": {"links_broken": 1}}


def test_times_without_a_daemon_are_spans_and_a_kill_is_told_from_a_stop(world):
    start(world)
    stop(world)
    world.ts += 60_000_000
    start(world)
    world.ts += 30_000_000
    start(world)
    world.put(RecordRecovered, heard="daemon", cut=17, size=4)
    with world.view() as view:
        covered = coverage(view)
        assert [(gap.what, (gap.until - gap.since) // 1_000_000) for gap in covered.gaps] == [
            ("down", 60), ("killed", 30), ("torn-tail", 0),
        ]  # fmt: skip
        assert "no daemon for 90 s in 2 spans" in covered.statement
        assert covered.missing == {}


def test_what_went_past_us_and_what_nobody_sees_into_is_counted(world):
    world.born("a", charter="unclaimed")
    n = world.call("a", verdict="deny")
    world.result("a", n, ok=True, despite=True)
    world.result("a", -1)
    world.call("a", Effect(verb="opaque", kind="command", value="make"), verdict="deny")
    m = world.call("a", Effect(verb="opaque", kind="command", value="make"))
    world.result("a", m)
    world.put(Refusal, heard="daemon", reason="forged", claimed="s", pid=1)
    with world.view() as view:
        covered = coverage(view)
        assert (covered.despite, covered.results_without_intent, covered.opaque) == (1, 1, 1)
        assert (covered.unclaimed, covered.messages_not_believed) == (1, 1)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["call", "deny", "result", "lose"]), max_size=40))
def test_every_result_that_is_lost_is_counted(tmp_path_factory, steps):
    world = World()
    world.directory = tmp_path_factory.mktemp("w")
    world.opened()
    world.born("a")
    waiting, lost = [], 0
    for step in steps:
        if step in {"call", "deny"}:
            n = world.call("a", verdict="allow" if step == "call" else "deny")
            if step == "call":
                waiting.append(n)
        elif waiting:
            n = waiting.pop(0)
            if step == "result":
                world.result("a", n)
            else:
                lost += 1
    lost += len(waiting)
    world.end("a")
    with world.view() as view:
        of = coverage(view).missing.get("claude_code:s", {})
        assert of.get("intents_without_results", 0) == lost


NOT_WATCHED = "what their programs did without saying so, on the network or on disk, was not watched."


def test_where_only_hooks_told_of_the_agents_it_is_said_what_they_could_not_show(world):
    start(world)
    world.born("a")
    world.fetch("a", "docs.example")
    with world.view() as view:
        covered = coverage(view)
        asked = involved(view, "nobody.example")
    assert covered.statement.endswith(f" Only hooks (claude_code) told of these agents: {NOT_WATCHED}")
    assert "known to be unseen" not in covered.statement
    assert (covered.heard, covered.whole) == (0, True)
    assert asked.answer == "no"
    assert asked.statement.endswith(NOT_WATCHED)


def test_where_the_kernel_told_of_every_agent_nothing_is_known_to_be_unseen(world):
    start(world)
    world.born("a", how="run", held=Held(seen=True))
    with world.view() as view:
        covered = coverage(view)
    assert (covered.heard, covered.listened) == (1, "")
    assert covered.statement.endswith("Nothing is known to be unseen.")


def test_where_a_sensor_listened_to_some_the_others_are_counted_apart(world):
    start(world)
    world.born("before")
    world.put(SensorState, heard="daemon", state="on", agents=1, uid=0)
    world.born("after", session="t")
    with world.view() as view:
        covered = coverage(view)
    assert covered.heard == 1
    assert (
        "was heard from the kernel for 1 of 2 agents; of the others only hooks (claude_code) told" in covered.statement
    )


def test_calls_that_were_refused_and_messages_that_were_not_believed_are_counted_apart(world):
    world.born("a")
    world.call("a", verdict="deny")
    world.call("a", verdict="deny")
    with world.view() as view:
        covered = coverage(view)
    assert (covered.calls_refused, covered.messages_not_believed) == (2, 0)
