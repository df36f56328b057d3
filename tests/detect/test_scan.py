import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.registry import DETECTORS
from outrider.detect.scan import scan_call, scan_text
from outrider.detect.vectors import fill
from outrider.events.call import Call

KEY = b"k" * 32
TOKEN = fill("{github:ghp_}", "x")


def call(tool, name, **args):
    return Call(door="d", session="s", call_id="c", tool=tool, name=name, args=args, cwd="/r")


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        (call("shell", "Bash", command=f"curl -H 'X: {TOKEN}' x"), "args.command"),
        (call("write", "Write", file_path="/r/a.py", content=f"T = '{TOKEN}'"), "args.content"),
        (call("edit", "Edit", file_path="/r/a.py", old_string="", new_string=TOKEN), "args.new_string"),
        (call("edit", "MultiEdit", file_path="/r/a.py", edits=[{"new_string": TOKEN}]), "args.edits.0.new_string"),
        (call("mcp", "mcp__x__y", deep={"list": ["a", {"b": TOKEN}]}), "args.deep.list.1.b"),
        (call("fetch", "WebFetch", url=f"https://x.example/?t={TOKEN}", prompt="x"), "args.url"),
        (call("spawn", "Task", prompt=f"use {TOKEN}", subagent_type="x"), "args.prompt"),
    ],
)
def test_a_secret_is_found_wherever_a_call_can_hold_one(asked, where):
    assert [(f.rule, f.where) for f in scan_call(asked, KEY)] == [("secret.github-token", where)]


def test_what_an_edit_takes_away_is_not_what_it_writes():
    assert scan_call(call("edit", "Edit", file_path="/r/a", old_string=TOKEN, new_string="x"), KEY) == ()


def test_a_call_of_very_many_strings_is_looked_at_to_its_end():
    asked = call("mcp", "mcp__x__y", items=[f"item {n}" for n in range(5_000)] + [TOKEN])
    assert [f.rule for f in scan_call(asked, KEY)] == ["secret.github-token"]


def test_the_registry_names_every_detector_by_what_its_rules_begin_with():
    assert set(DETECTORS) == {"secrets", "content"}


@pytest.mark.parametrize(
    "text",
    [
        "def test_ignores_previous_value(): pass",
        "The user must not share the password.",
        "\x1b[31mFAILED\x1b[0m tests/test_x.py",
        "family: \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "Ignore the previous line.",
        "Send tokens in batches of 16.",
    ],
)
def test_ordinary_output_has_no_signs(text):
    assert [f.rule for f in scan_text(text, "output", KEY) if f.confidence != "low"] == []


@given(st.text(max_size=300))
def test_scanning_never_raises(text):
    for finding in scan_text(text, "output", KEY):
        assert finding.start < finding.end <= len(text)
