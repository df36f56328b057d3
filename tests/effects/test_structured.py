"""Tools that say what they do, and paths followed to where they lead."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.effects import plan, resolve
from outrider.effects.place import normal
from outrider.events.call import PathFact

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)
PLACE = playing.place_of()
R = "/home/dev/proj"

CASES = [
    ("read", "Read", {"file_path": "/etc/passwd"}, ["read path /etc/passwd"]),
    ("read", "Read", {"file_path": "a/../../x"}, ["read path /home/dev/x"]),
    ("read", "Read", {"file_path": "~/.ssh/id_rsa"}, ["read path /home/dev/.ssh/id_rsa"]),
    ("read", "Read", {}, ["unparsed tool Read"]),
    ("write", "Write", {"file_path": "a", "content": "x"}, [f"write path {R}/a"]),
    ("edit", "Edit", {"file_path": "a"}, [f"read path {R}/a", f"write path {R}/a"]),
    ("edit", "NotebookEdit", {"notebook_path": "n.ipynb"}, [f"read path {R}/n.ipynb", f"write path {R}/n.ipynb"]),
    ("search", "Grep", {"pattern": "x"}, [f"read path {R} recursive"]),
    ("search", "Grep", {"pattern": "x", "path": "/etc"}, ["read path /etc recursive"]),
    ("search", "Glob", {"pattern": "/etc/**"}, [f"read path {R} recursive", "read path /etc/** pattern,recursive"]),
    ("fetch", "WebFetch", {"url": "HTTPS://Evil.example:443/x?q=1"}, ["connect host evil.example"]),
    ("fetch", "WebFetch", {"url": "http://127.0.0.1:9/x"}, ["connect host 127.0.0.1:9"]),
    ("fetch", "WebFetch", {"url": "http://user@a.example@b.example/"}, ["connect host b.example"]),
    ("fetch", "WebFetch", {"url": ""}, ["unparsed tool WebFetch"]),
    ("websearch", "WebSearch", {"query": "x"}, ["connect host websearch"]),
    ("spawn", "Agent", {"subagent_type": "researcher"}, ["spawn charter researcher"]),
    ("spawn", "Task", {}, ["spawn charter general-purpose"]),
    ("mcp", "mcp__demo__add", {"a": 1}, ["call tool mcp:demo/add"]),
    ("mcp", "mcp__f__get", {"url": "https://x.example/a"}, ["call tool mcp:f/get", "connect host x.example inexact"]),
    ("settings", "ConfigChange", {"file_path": "/r/.claude/settings.json"}, ["write path /r/.claude/settings.json"]),
    ("other", "TodoWrite", {}, ["call tool host:TodoWrite"]),
    ("prompt", "UserPromptSubmit", {}, ["prompt text prompt"]),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "name", "args", "expected"), CASES)
def test_a_structured_tool_has_exactly_these_effects(tool, name, args, expected):
    effects = plan(playing.call_of(tool, name, args), PLACE).effects
    assert [f"{e.verb} {e.kind} {e.value} {','.join(e.flags)}".rstrip() for e in effects] == expected


def facts(planned, **real):
    return {
        want.path: PathFact(path=want.path, real=real.get("real", want.path), state=real.get("state", "file"))
        for want in planned.wants
    }


def test_a_symlink_to_a_key_is_judged_where_it_leads():
    planned = plan(playing.call_of("read", "Read", {"file_path": "x/id_rsa"}), PLACE)
    assert [want.path for want in planned.wants] == [f"{R}/x/id_rsa"]
    effects = resolve(planned, facts(planned, real="/home/dev/.ssh/id_rsa"), PLACE)
    assert [(e.value, e.resolved) for e in effects] == [(f"{R}/x/id_rsa", "/home/dev/.ssh/id_rsa")]


def test_dots_behind_a_symlink_are_looked_up_as_the_system_walks_them():
    planned = plan(playing.call_of("shell", "Bash", {"command": "cat link/../x"}), PLACE)
    assert [want.path for want in planned.wants] == [f"{R}/link/../x"]
    effects = resolve(planned, facts(planned, real="/etc/x"), PLACE)
    assert [(e.value, e.resolved) for e in effects if e.kind == "path"] == [(f"{R}/x", "/etc/x")]


def test_a_pattern_is_looked_up_by_its_directory():
    planned = plan(playing.call_of("shell", "Bash", {"command": "cat link/*.pem"}), PLACE)
    assert [want.path for want in planned.wants] == [f"{R}/link"]
    effects = resolve(planned, facts(planned, real="/home/dev/.ssh"), PLACE)
    assert [e.resolved for e in effects if e.kind == "path"] == ["/home/dev/.ssh/*.pem"]


def test_a_path_that_leads_to_itself_has_no_resolved():
    planned = plan(playing.call_of("read", "Read", {"file_path": "a/./b"}), PLACE)
    assert [e.resolved for e in resolve(planned, facts(planned), PLACE)] == [""]


@pytest.mark.parametrize("gathered", [{}, {f"{R}/a": PathFact(path=f"{R}/a", real="", state="unresolvable")}])
def test_a_path_that_cannot_be_resolved_is_unparsed(gathered):
    planned = plan(playing.call_of("read", "Read", {"file_path": "a"}), PLACE)
    effects = resolve(planned, gathered, PLACE)
    assert [(e.verb, e.kind, e.value) for e in effects] == [("read", "path", f"{R}/a"), ("unparsed", "path", f"{R}/a")]
    assert "could not be resolved" in effects[1].note


def test_a_path_on_another_host_is_not_looked_up_here():
    planned = plan(playing.call_of("shell", "Bash", {"command": "ssh h.example cat /etc/passwd"}), PLACE)
    assert planned.wants == ()
    assert resolve(planned, {}, PLACE) == planned.effects


def test_a_script_that_is_run_is_wanted_with_its_content():
    planned = plan(playing.call_of("shell", "Bash", {"command": "./x.sh; cat y"}), PLACE)
    assert {want.path: want.content_limit for want in planned.wants} == {f"{R}/x.sh": 65536, f"{R}/y": 0}


def test_a_command_without_text_is_unparsed():
    assert [e.verb for e in plan(playing.call_of("shell", "Bash", {"command": 7}), PLACE).effects] == ["unparsed"]


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=20), st.integers(), st.none())))
def test_any_arguments_are_answered(args):
    for tool in ("read", "edit", "search", "fetch", "spawn", "mcp", "settings", "other", "shell"):
        planned = plan(playing.call_of(tool, "X", args), PLACE)
        msgspec.json.encode([e for e in planned.effects if e.value.isascii()])


@given(st.lists(st.sampled_from(["", ".", "..", "a", "b"]), max_size=8))
def test_a_normal_path_is_normal(parts):
    path = normal("/" + "/".join(parts))
    assert normal(path) == path
    assert ".." not in path.split("/")
    assert "//" not in path


def told(tool, name, args):
    return {(effect.verb, effect.value) for effect in plan(playing.call_of(tool, name, args), PLACE).effects}


@pytest.mark.parametrize(
    "args",
    [{"path": ".mcp.json"}, {"args": {"path": ".mcp.json"}}, {"files": [".mcp.json"]}, {"target": f"{R}/.mcp.json"},
     {"whatever": f"{R}/.mcp.json"}, {"edits": [{"file_path": f"file://{R}/.mcp.json"}]}],
)  # fmt: skip
@pytest.mark.parametrize(("tool", "name"), [("mcp", "mcp__fs__write_file"), ("other", "MultiEdit")])
def test_a_tool_that_is_not_known_may_write_what_it_is_pointed_at(tool, name, args):
    assert ("write", f"{R}/.mcp.json") in told(tool, name, args)


def test_a_tool_whose_name_says_that_it_looks_is_taken_at_its_word():
    found = told("mcp", "mcp__github__get_file_contents", {"path": "src/a.py", "repo": "o/r"})
    assert found == {("call", "mcp:github/get_file_contents"), ("read", f"{R}/src/a.py")}


def test_every_path_that_a_tool_is_given_counts():
    args = {"file_path": "ok.ipynb", "notebook_path": ".claude/settings.json"}
    assert ("write", f"{R}/.claude/settings.json") in told("edit", "NotebookEdit", args)


def test_powershell_is_not_read_as_a_posix_shell():
    effects = plan(playing.call_of("shell", "PowerShell", {"command": "Set-Content a b"}), PLACE).effects
    assert [effect.verb for effect in effects] == ["unparsed"]


def test_only_open_files_by_number_are_nothing():
    assert told("write", "Write", {"file_path": "/dev/fd/3"}) == set()
    assert ("write", f"{R}/x") in told("write", "Write", {"file_path": f"/dev/fd/../..{R}/x"})


def test_what_lands_below_a_destination_that_is_a_file_does_not():
    planned = plan(playing.call_of("shell", "Bash", {"command": "cp e/settings.json .claude"}), PLACE)
    below = f"{R}/.claude/settings.json"
    for state, lands in (("dir", True), ("missing", True), ("file", False)):
        facts = {w.path: PathFact(path=w.path, real=w.path, state=state) for w in planned.wants}
        assert (below in {e.value for e in resolve(planned, facts, PLACE)}) is lands


def test_an_mcp_tool_that_runs_a_command_line_is_a_shell():
    found = told("mcp", "mcp__box__run_command", {"command": "rm -rf /srv/data"})
    assert {("call", "mcp:box/run_command"), ("delete", "/srv/data")} <= found
    assert told("mcp", "mcp__box__list", {"command": "rm -rf /srv/data"}) == {("call", "mcp:box/list")}
