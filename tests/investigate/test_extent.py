import msgspec
import pytest

from outrider.errors import BadInputError
from outrider.events.call import Effect
from outrider.events.event import Source
from outrider.events.held import Held
from outrider.events.record import AgentEnded, DaemonStarted, DaemonStopped, Heartbeat, RecordGap
from outrider.events.sensor import SensorState
from outrider.investigate.coverage import coverage
from outrider.investigate.extent import MISSING, WORDS, extent


def start(world, heartbeat=60):
    return world.put(DaemonStarted, heard="daemon", version="0", pid=1, boot="b", heartbeat=heartbeat)


def lacks(one):
    return {(lack.what, lack.count) for lack in one.lacks}


def test_whose_calls_were_all_told_and_heard_is_not_listed_and_no_program_was_seen_into(world):
    start(world)
    world.born("a")
    world.read("a", "/r/x")
    world.end("a")
    with world.view() as view:
        told = extent(view)
        assert [(one.door, one.state, one.agents, one.living, one.in_part) for one in told.doors] == [
            ("claude_code", "told", 1, 0, 0)
        ]
        assert told.agents == ()
        assert told.lacks == ()
        assert told.statement == (
            "test/record: 1 agents came through claude_code. Every call that was let through was told, and its result"
            " was heard or is still to come. What programs did inside was seen for 0 of 1 agents; `outrider run`"
            " and the sensor show it."
        )


def test_what_is_missing_is_put_down_to_its_agent_else_its_door_else_the_host(world):
    start(world)
    world.born("a")
    lost = world.call("a", Effect(verb="opaque", kind="command", value="make"))
    world.put(RecordGap, what="unseen-call", count=2, agent="a", door="claude_code")
    world.put(
        RecordGap, heard="unreadable:claude_code", what="unreadable", count=1, answered="allow", door="claude_code"
    )
    world.put(RecordGap, heard="spool-1", what="spool", count=1, answered="deny", door="claude_code")
    world.put(RecordGap, heard="daemon", what="outage", count=1)
    world.put(AgentEnded, agent="a", how="vanished", src=Source(id="claude_code:s", seq=12, prev="", lost=4))
    with world.view() as view:
        told = extent(view)
        mine = told.agents[0]
        assert (mine.agent.id, mine.calls, mine.deeds, mine.state) == ("a", 1, False, "in part")
        assert lacks(mine) == {
            ("opaque", 1), ("unheard-result", 1), ("unseen-call", 2), ("messages-lost", 4), ("events-skipped", 9),
            ("vanished", 1),
        }  # fmt: skip
        assert lacks(told.doors[0]) == {("unreadable", 1), ("spool", 1)}
        assert lacks(told) == {("outage", 1)}
        assert "1 inputs that could not be read (answered with allow)" in told.statement
        since = next(lack.since for lack in mine.lacks if lack.what == "unheard-result")
        assert since == view.one("SELECT ts FROM events WHERE n = ?", lost)[0]


def test_hooks_that_met_no_daemon_and_denied_leave_nothing_missing(world):
    start(world)
    world.born("a")
    world.put(RecordGap, heard="spool-1", what="spool", count=1, answered="deny", door="claude_code", agent="a")
    with world.view() as view:
        assert extent(view).doors[0].state == "told"
    world.put(RecordGap, heard="spool-1", what="spool", count=1, answered="allow", door="claude_code", agent="a")
    with world.view() as view:
        assert extent(view).doors[0].state == "in part"
        assert {(one.count, one.answered) for one in extent(view).agents[0].lacks} == {(1, "deny"), (1, "allow")}


def test_programs_of_an_agent_whose_birth_is_not_in_the_record_are_put_down_to_the_host(world):
    make = Effect(verb="opaque", kind="command", value="make")
    world.result("nobody", world.call("nobody", make))
    world.born("a")
    world.result("a", world.call("a", make))
    world.end("a", "vanished")
    late = world.call("a", make)
    world.result("a", late)
    with world.view() as view:
        told = extent(view)
        assert lacks(told) == {("opaque", 1)}
        assert lacks(told.agents[0]) == {("opaque", 2), ("vanished", 1)}
        ts = view.one("SELECT ts FROM events WHERE n = ?", late)[0]
        assert ("opaque", 1) in lacks(extent(view, since=ts))


def test_a_call_that_ran_despite_a_refusal_is_its_agents(world):
    world.born("a")
    n = world.call("a", verdict="deny")
    world.result("a", n, ok=True, despite=True)
    with world.view() as view:
        assert lacks(extent(view).agents[0]) == {("despite", 1)}


def test_only_who_lives_after_a_moment_and_what_came_after_it_is_counted(world):
    start(world)
    world.born("old", session="o")
    world.call("old")
    world.end("old")
    world.put(RecordGap, what="unseen-call", count=2, agent="old", door="claude_code")
    world.ts += 3_600_000_000
    moment = world.ts
    world.put(Heartbeat, heard="daemon", living=0)
    world.born("new", session="n")
    world.read("new", "/r/x")
    with world.view() as view:
        told = extent(view, since=moment)
        assert [one.agents for one in told.doors] == [1]
        assert told.agents == ()
        assert told.events == 4
        assert extent(view, agent="old").agents[0].state == "in part"
        assert extent(view, agent="new").agents[0].calls == 1
        with pytest.raises(BadInputError, match="no agent 'none'"):
            extent(view, agent="none")


def test_agents_whose_deeds_the_kernel_tells_are_covered_whole_and_their_children_too(world):
    world.born("r", how="run", session="r", held=Held(seen=True))
    world.born("c", parent="r", session="c")
    world.born("h", how="run", session="h", held=Held(seen=False))
    with world.view() as view:
        told = extent(view)
        assert told.seen == 2
        assert told.doors[0].state == "told"
        assert extent(view, agent="c").agents[0].state == "whole"
        assert extent(view, agent="h").agents[0].state == "told"


def test_agents_that_are_born_while_a_sensor_listens_are_heard_and_the_span_is_told(world):
    world.born("before")
    world.put(SensorState, heard="daemon", state="on", uid=0)
    on = world.ts
    world.born("a")
    world.born("below", parent="a", host_agent="x")
    world.born("unseen", how="run", session="u", held=Held(seen=False))
    world.put(SensorState, heard="daemon", state="off", why="the sensor ended", agents=2)
    off = world.ts
    world.born("after")
    with world.view() as view:
        told = extent(view)
        deeds = {name: extent(view, agent=name).agents[0].deeds for name in ("before", "a", "below", "unseen", "after")}
    assert deeds == {"before": False, "a": True, "below": True, "unseen": False, "after": False}
    assert told.seen == 2
    assert told.sensor == ((on, off),)


def test_a_daemon_that_stood_still_is_a_gap_of_the_host_and_spoils_no_answer(world):
    start(world, heartbeat=60)
    world.put(Heartbeat, heard="daemon", living=0)
    world.ts += 100_000_000
    world.put(Heartbeat, heard="daemon", living=0)
    before = world.ts
    world.ts += 3_600_000_000
    world.put(RecordGap, heard="daemon", what="outage", count=1, answered="deny")
    world.put(DaemonStopped, heard="daemon", reason="asked")
    world.ts += 3_600_000_000
    start(world)
    with world.view() as view:
        silent = [gap for gap in coverage(view).gaps if gap.what == "silent"]
        assert [(gap.since, gap.until - gap.since) for gap in silent] == [(before, 3_600_001_000)]
        assert coverage(view).whole
        assert lacks(extent(view)) == {("silent", 1), ("down", 1), ("outage", 1)}


def test_a_record_that_told_no_heartbeat_is_never_called_silent(world):
    start(world, heartbeat=0)
    world.ts += 3_600_000_000
    world.born("a")
    with world.view() as view:
        assert coverage(view).gaps == ()


def test_every_answer_is_json_and_everything_that_can_be_missing_has_words(world):
    world.born("a")
    with world.view() as view:
        assert msgspec.json.decode(msgspec.json.encode(extent(view)))["doors"][0]["door"] == "claude_code"
    assert set(WORDS) >= MISSING
