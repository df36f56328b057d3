"""Hosts' own word against the record, call by call."""

import json

import msgspec
import pytest
from tests.investigate.conftest import World
from tests.transcripts import samples

from outrider.events.event import Source
from outrider.events.record import DaemonStarted, DaemonStopped
from outrider.investigate.ungoverned import WORDS, Done, calls, compare
from outrider.transcripts import otel
from outrider.transcripts.registry import FORMATS, files, steps

DOORS = frozenset({"claude_code"})


def done(call, *, session="s", ts=2_000_000_000, ran=True, door="claude_code"):
    return Done(door=door, session=session, host_agent="", call=call, name="Bash", ts=ts, where="t:1", ran=ran)


def decided(world, agent, verdict="allow"):
    n = world.call(agent, verdict=verdict)
    return n, f"t{n}"


def test_a_call_that_was_decided_is_governed_and_one_that_was_not_is_listed_with_its_agent(world):
    world.born("a")
    _, call = decided(world, "a")
    with world.view() as view:
        diff = compare(view, [done(call), done("other"), done(call)], doors=DOORS)
        assert (diff.compared, diff.governed, diff.ran) == (2, 1, 1)
        (one,) = diff.ungoverned
        assert (one.agent, one.why, one.done.where) == ("a", "not-asked", "t:1")
        assert diff.agents == {"a": 1}
        assert diff.counts == {"claude_code": {"not-asked": 1}}
        assert diff.statement == (
            "Of 2 calls that hosts tell of, 1 were never decided; 1 of these are told to have succeeded. Through"
            " claude_code: 1 because its session is known, and this call was never asked about."
        )


def test_why_a_call_went_past_us_is_said(world):
    world.put(DaemonStarted, heard="daemon", version="0", pid=1, boot="b")
    world.born("a")
    world.put(DaemonStopped, heard="daemon", reason="asked")
    stopped = world.ts
    world.ts += 60_000_000
    world.put(DaemonStarted, heard="daemon", version="0", pid=1, boot="b")
    told = [
        done("c1", ts=stopped + 30_000_000), done("c2"), done("c3", session="never"), done("c4", door="codex"), None,
        done("c5", ts=5),
    ]  # fmt: skip
    with world.view() as view:
        diff = compare(view, told, doors=DOORS)
        assert [one.why for one in diff.ungoverned] == ["no-daemon", "not-asked", "no-session", "no-door"]
        assert (diff.before, diff.unread, diff.compared) == (1, 1, 4)
        assert set(diff.agents) == {"a", "claude_code:never", "codex:s"}
        assert set(WORDS) >= {one.why for one in diff.ungoverned}
        assert msgspec.json.decode(msgspec.json.encode(diff))["governed"] == 0


def test_a_refusal_that_ran_all_the_same_is_told_and_one_that_failed_is_not(world):
    world.born("a")
    n, ran = decided(world, "a", "deny")
    _, refused = decided(world, "a", "deny")
    with world.view() as view:
        diff = compare(view, [done(ran), done(refused, ran=False)], doors=DOORS)
        assert (diff.governed, diff.despite) == (2, (n,))
        assert "1 calls were refused and ran all the same." in diff.statement


def test_the_same_id_of_another_host_or_of_nobody_governs_nothing(world):
    world.born("a", door="other", session="x")
    _, call = decided(world, "a")
    with world.view() as view:
        diff = compare(view, [done(call), done("", session="x")], doors=DOORS)
        assert diff.governed == 0


def test_only_what_came_after_a_moment_is_compared(world):
    world.born("a")
    with world.view() as view:
        diff = compare(view, [done("c1", ts=10**15), done("c2", ts=10**16)], doors=DOORS, since=10**16)
        assert diff.compared == 1


@pytest.mark.parametrize("host", sorted(FORMATS))
def test_what_every_host_keeps_is_compared_and_without_a_door_none_of_it_is_governed(tmp_path, host):
    world = World()
    world.directory, world.ts = tmp_path, 1
    world.opened()
    form = FORMATS[host]
    written = getattr(samples, host)(tmp_path / "home")
    rows = [(str(path), step) for group in files(form, written) for path, step in steps(form, group)]
    with world.view() as view:
        diff = compare(view, calls(form.door, rows), doors=frozenset())
        assert diff.compared >= 2
        assert diff.governed == 0
        assert {why for of in diff.counts.values() for why in of} == {"no-door"}


def attributes(**given):
    return [{"key": key, "value": {"stringValue": value}} for key, value in given.items()]


def export(tmp_path, *rows):
    path = tmp_path / "exports.jsonl"
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return path


def test_telemetry_tells_each_tool_that_ran_with_its_door_session_and_call(tmp_path):
    log = {"timeUnixNano": "1795398781720000000", "attributes": attributes(**{
        "event.name": "tool_result", "session.id": "s1", "tool_use_id": "toolu_1", "tool_name": "Bash",
        "success": "false"})}  # fmt: skip
    decision = {"attributes": attributes(**{"event.name": "tool_decision", "tool_use_id": "toolu_1"})}
    span = {"startTimeUnixNano": 1795398781720000000, "attributes": attributes(**{
        "gen_ai.operation.name": "tool_call", "gen_ai.tool.name": "run_shell_command", "gen_ai.tool.call_id": "g1",
        "gen_ai.conversation.id": "s2"})}  # fmt: skip
    flat = {"type": "span", "startTime": [1795398781, 720000000], "attributes": {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash", "gen_ai.tool.call.id": "k1",
        "gen_ai.conversation.id": "s3"}}  # fmt: skip

    def resource(name):
        return {"attributes": attributes(**{"service.name": name})}

    path = export(
        tmp_path,
        {"resourceLogs": [{"resource": resource("claude-code"), "scopeLogs": [{"logRecords": [log, decision]}]}]},
        {"resourceSpans": [{"resource": resource("gemini-cli"), "scopeSpans": [{"spans": [span, {"name": "x"}]}]}]},
        flat, {"type": "metric", "attributes": {}}, {"resourceMetrics": []}, "{\n", {"else": 1},
    )  # fmt: skip
    found = list(otel.read(path))
    assert [(door, s.session, s.id, s.name, s.ok) for door, s in found if s.what == "result"] == [
        ("claude_code", "s1", "toolu_1", "Bash", False), ("gemini", "s2", "g1", "run_shell_command", True),
        ("copilot", "s3", "k1", "bash", True),
    ]  # fmt: skip
    assert {step.ts for _, step in found if step.what == "result"} == {1_795_398_781_720_000}
    assert [step.what for _, step in found].count("unread") == 2


@pytest.mark.parametrize("row", [
    {"resourceLogs": 7}, {"resourceLogs": [7, None, {"scopeLogs": {"a": 1}, "resource": []}]},
    {"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": 5, "value": 5}],
                                                   "startTimeUnixNano": -1}]}]}]},
    {"type": "span", "attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": ["x"]},
     "startTime": "x"},
])  # fmt: skip
def test_telemetry_of_another_shape_tells_nothing_and_breaks_nothing(tmp_path, row):
    assert all(step.what != "unread" for _, step in otel.read(export(tmp_path, row)))


def test_a_source_that_lost_nothing_is_known_by_its_session(world):
    world.put(DaemonStarted, version="0", pid=1, boot="b", src=Source(id="claude_code:x", seq=0))
    with world.view() as view:
        (one,) = compare(view, [done("c", session="x")], doors=DOORS).ungoverned
        assert one.why == "not-asked"
