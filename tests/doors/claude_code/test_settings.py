"""Hooks go into a settings file and come out again; what else stands there stays byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.claude_code.events import COMMAND_ONLY, INSTALLED, NO_ON_FAILURE
from outrider.doors.claude_code.settings import (
    HttpHook,
    drift,
    in_force,
    install,
    is_ours,
    supports_on_failure,
    switched_off,
    uninstall,
)
from outrider.errors import BadInputError

COMMAND = [
    "/opt/outrider/outrider-hook", "--door", "claude_code", "--socket", "/home/u/.outrider/run/daemon.sock",
    "--spool", "/home/u/.outrider/run/spool.jsonl", "--undecided", "deny", "--start", "/home/u/.outrider/bin/daemon",
]  # fmt: skip
OTHER = ["/elsewhere/outrider-hook", *COMMAND[1:]]
HTTP = HttpHook(origin="http://127.0.0.1:8765", token="t" * 40)

FILES = {
    "empty object": "{}",
    "empty object and newline": "{}\n",
    "spaces only inside": "{  }",
    "one line": '{"model": "opus", "env": {"A": "1"}}',
    "two spaces": '{\n  "model": "opus",\n  "permissions": {\n    "allow": []\n  }\n}\n',
    "four spaces": '{\n    "model": "opus"\n}\n',
    "tabs": '{\n\t"model": "opus",\n\t"env": {}\n}\n',
    "carriage returns": '{\r\n  "model": "opus"\r\n}\r\n',
    "odd spacing": '\n\n { "a" :1 ,\n\n"b":[1,2 ,3 ] }  \n\n',
    "not ASCII": '{\n  "note": "Grüße \\u00e4 \\"x\\" \\\\ 世界"\n}\n',
    "brackets in strings": '{\n  "a": "}],{[",\n  "b": "\\"}"\n}\n',
    "hooks of others": (
        '{\n  "hooks": {\n    "PreToolUse": [\n'
        '      {"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}\n'
        '    ],\n    "Notification": []\n  },\n  "z": 1\n}\n'
    ),
    "hooks of others on one line": '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}, "z": 1}',
    "numbers as they are": '{\n  "n": 1.10, "e": 1E5, "big": 12345678901234567890123\n}\n',
}


def ours(text: str) -> dict[str, list]:
    found = {}
    for event, groups in json.loads(text).get("hooks", {}).items():
        if mine := [group["hooks"][0] for group in groups if is_ours(group)]:
            found[event] = mine
    return found


def test_a_new_file_asks_for_every_event_that_we_act_on_and_no_other():
    text = install(None, COMMAND, on_failure=True)
    hooks = json.loads(text)["hooks"]
    assert tuple(hooks) == INSTALLED
    for event, groups in hooks.items():
        ((group,),) = (groups,)
        assert group["matcher"] == "*"
        (handler,) = group["hooks"]
        assert handler["type"] == "command"
        assert handler["command"] == COMMAND[0]
        assert handler["args"] == [*COMMAND[1:], "--event", event]
        assert handler["timeout"] == (1 if event == "SessionEnd" else 5)
        assert handler.get("onFailure") == (None if event in NO_ON_FAILURE else "block")
    assert text.endswith("}\n")


def test_events_whose_hook_replaces_what_the_host_does_are_left_alone():
    for event in ("WorktreeCreate", "WorktreeRemove", "Elicitation", "MessageDisplay"):
        assert event not in INSTALLED


def test_an_old_host_is_not_told_what_it_does_not_know():
    assert "onFailure" not in install(None, COMMAND, on_failure=False)


@pytest.mark.parametrize("name", FILES)
def test_what_was_there_comes_back_byte_for_byte(name):
    text = FILES[name]
    installed = install(text, COMMAND, on_failure=True)
    assert json.loads(installed) | {"hooks": 0} == json.loads(text) | {"hooks": 0}
    assert set(ours(installed)) == set(INSTALLED)
    back = uninstall(installed)
    assert back == (text if name != "spaces only inside" else "{}")


@pytest.mark.parametrize("name", FILES)
def test_installing_again_changes_nothing(name):
    once = install(FILES[name], COMMAND, on_failure=True)
    assert install(once, COMMAND, on_failure=True) == once


@pytest.mark.parametrize("name", FILES)
def test_a_changed_command_replaces_the_old_one_and_stands_once(name):
    text = install(FILES[name], COMMAND, on_failure=True)
    changed = install(text, OTHER, on_failure=False)
    for handlers in ours(changed).values():
        assert [handler["command"] for handler in handlers] == [OTHER[0]]
    assert uninstall(changed) == uninstall(text)


def test_entries_that_we_no_longer_want_or_have_twice_are_put_right():
    hooks = json.loads(install(None, COMMAND, on_failure=True))["hooks"]
    hooks["Notification"] = hooks["Stop"]
    hooks["PreToolUse"] = [*hooks["PreToolUse"], {"hooks": [{"type": "command", "command": "x"}]}, *hooks["PreToolUse"]]
    text = install(json.dumps({"hooks": hooks}, indent=2), COMMAND, on_failure=True)
    assert set(ours(text)) == set(INSTALLED)
    assert {len(handlers) for handlers in ours(text).values()} == {1}
    assert "Notification" not in json.loads(text)["hooks"]
    assert len(json.loads(text)["hooks"]["PreToolUse"]) == 2


def test_the_others_keep_their_place():
    text = install(FILES["hooks of others"], COMMAND, on_failure=True)
    assert '{"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}' in text
    assert list(json.loads(text)) == ["hooks", "z"]
    assert list(json.loads(text)["hooks"])[:2] == ["PreToolUse", "Notification"]


def test_the_documents_own_indentation_and_line_ends_are_kept():
    assert '\n\t"hooks": {\n\t\t"SessionStart": [{' in install(FILES["tabs"], COMMAND, on_failure=True)
    text = install(FILES["carriage returns"], COMMAND, on_failure=True)
    assert "\n" not in text.replace("\r\n", "")


def test_http_is_used_where_the_host_allows_it():
    found = ours(install("{}", COMMAND, on_failure=True, http=HTTP))
    for event, (handler,) in found.items():
        if event in COMMAND_ONLY:
            assert handler["type"] == "command"
        else:
            assert handler["type"] == "http"
            assert handler["url"] == f"http://127.0.0.1:8765/v1/hook/claude_code/{event}"
            assert handler["headers"] == {"Authorization": "Bearer " + "t" * 40}
    assert set(found) == set(INSTALLED)


def test_going_from_http_to_commands_leaves_no_token_behind():
    text = install(install("{}", COMMAND, on_failure=True, http=HTTP), COMMAND, on_failure=True)
    assert "Bearer" not in text
    assert set(ours(text)) == set(INSTALLED)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '"x"',
        "{",
        "{} x",
        "{a: 1}",
        "// a comment\n{}",
        '{"hooks": []}',
        '{"hooks": null}',
        '{"hooks": {"PreToolUse": {}}}',
        '{"a": 1, "a": 2}',
        '{"hooks": {}, "hooks": {}}',
        "\ufeff{}",
        '{"a":' * 5_000 + "1" + "}" * 5_000,
    ],
)
def test_a_file_that_is_not_as_the_host_writes_it_is_not_touched(text):
    with pytest.raises(BadInputError):
        install(text, COMMAND, on_failure=True)
    with pytest.raises(BadInputError):
        uninstall(text)


def test_a_command_that_settings_can_not_carry_is_refused():
    with pytest.raises(BadInputError):
        install("{}", ["/tmp/\udcff", *COMMAND[1:]], on_failure=True)
    with pytest.raises(BadInputError):
        install("{}", ["/tmp/a\nb", *COMMAND[1:]], on_failure=True)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
group = (
    st.fixed_dictionaries(
        {
            "hooks": st.lists(
                st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=5)}), max_size=2
            )
        },
        optional={"matcher": st.text(max_size=5)},
    )
    | values
)
events = st.sampled_from([*INSTALLED, "Notification", "New"])
documents = st.dictionaries(st.text(max_size=5).filter(lambda key: key != "hooks"), values, max_size=3).flatmap(
    lambda rest: (
        st.dictionaries(
            st.sampled_from([*INSTALLED, "Notification", "New"]),
            st.lists(group, min_size=1, max_size=3),
            min_size=1,
            max_size=3,
        ).map(lambda hooks: {**rest, "hooks": hooks})
        | st.just(rest)
    )
)


@given(documents, st.sampled_from([None, 0, 1, 2, 4, "\t"]), st.booleans())
def test_any_settings_come_back_as_they_were(document, indent, on_failure):
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    installed = install(text, COMMAND, on_failure=on_failure)
    assert drift({"s": installed}, on_failure=on_failure) == [
        line for line in drift({"s": text}, on_failure=on_failure) if "no settings file" not in line
    ]
    assert install(installed, COMMAND, on_failure=on_failure) == installed
    assert uninstall(installed) == text


def test_other_peoples_hooks_are_never_taken_for_ours():
    for other in (
        None,
        [],
        {},
        {"hooks": []},
        {"hooks": ["x"]},
        {"hooks": [{"type": "command", "command": "outrider-hook --door claude_code --undecided deny"}]},
        {"hooks": [{"type": "command", "command": "x", "args": ["--door", "other", "--undecided", "deny"]}]},
        {"hooks": [{"type": "command", "command": "x", "args": ["--undecided", "deny", "--door"]}]},
        {"hooks": [{"type": "command", "command": "x", "args": "--door claude_code --undecided"}]},
        {"hooks": [{"type": "http", "url": 7}]},
        {"hooks": [{"type": "http", "url": "http://x/hook"}]},
        {"hooks": [{"type": "command"}, {"type": "command"}]},
    ):
        assert not is_ours(other)


@pytest.mark.parametrize(
    ("version", "yes"),
    [
        ("2.1.295", True),
        ("2.1.330 (Claude Code)", True),
        ("2.2.0", True),
        ("3.0.0", True),
        ("10.0.0", True),
        ("v2.1.330\n", True),
        ("2.1.294", False),
        ("2.0.999", False),
        ("1.9.400", False),
        ("", False),
        ("unknown", False),
        ("2.1", False),
        ("claude 2", False),
    ],
)
def test_only_a_version_that_is_known_to_fail_closed_is_told_to(version, yes):
    assert supports_on_failure(version) is yes


def test_drift_is_silent_when_all_is_well_wherever_the_entries_stand():
    text = install(None, COMMAND, on_failure=True)
    assert drift({"user": text}) == []
    assert drift({"user": text, "project": "{}"}) == []
    hooks = json.loads(text)["hooks"]
    half = {event: hooks.pop(event) for event in INSTALLED[:5]}
    assert drift({"user": json.dumps({"hooks": hooks}), "local": json.dumps({"hooks": half})}) == []


def test_drift_names_what_is_off_and_where():
    text = install(None, COMMAND, on_failure=True)
    value = json.loads(text)

    def said(change, **kwargs) -> str:
        copy = json.loads(text)
        change(copy)
        return "\n".join(drift({"user": json.dumps(copy)}, **kwargs))

    assert "user sets disableAllHooks: no hook runs" in said(lambda v: v.update(disableAllHooks=True))
    assert said(lambda v: v.update(disableAllHooks=False)) == ""
    assert "project sets disableAllHooks" in "\n".join(drift({"user": text, "project": '{"disableAllHooks":true}'}))
    assert "allowManagedHooksOnly" in said(lambda v: v.update(allowManagedHooksOnly=True))
    assert said(lambda v: v["hooks"].pop("PreToolUse")) == "no settings file asks us for PreToolUse"
    first = lambda v: v["hooks"]["PreToolUse"][0]  # noqa: E731
    assert "some PreToolUse events only" in said(lambda v: first(v).update(matcher="Bash"))
    assert "some PreToolUse events only" in said(lambda v: first(v)["hooks"][0].update({"if": "Bash(git *)"}))
    assert "does not wait" in said(lambda v: first(v)["hooks"][0].update({"async": True}))
    assert "lets PreToolUse through" in said(lambda v: first(v)["hooks"][0].pop("onFailure"))
    assert said(lambda v: first(v)["hooks"][0].pop("onFailure"), on_failure=False) == ""
    assert "2 times for PreToolUse" in said(lambda v: v["hooks"].update(PreToolUse=value["hooks"]["PreToolUse"] * 2))
    assert "project can not be read" in "\n".join(drift({"user": text, "project": "{"}))
    assert "no settings file asks us for SessionStart" in "\n".join(drift({}))


def test_what_keeps_the_host_from_asking_is_named():
    text = install(None, COMMAND, on_failure=True)
    assert in_force(text, on_failure=True)
    assert not in_force(install(None, COMMAND, on_failure=False), on_failure=True)
    assert in_force(install(None, COMMAND, on_failure=False), on_failure=False)
    assert not in_force("{}", on_failure=False)
    for change, word in (
        ({"disableAllHooks": True}, "disableAllHooks"),
        ({"disableAllHooks": "yes"}, "disableAllHooks"),
        ({"allowManagedHooksOnly": True}, "allowManagedHooksOnly"),
        ({"env": {"CLAUDE_CODE_SIMPLE": "1"}}, "CLAUDE_CODE_SIMPLE"),
    ):
        changed = json.dumps(json.loads(text) | change)
        assert word in "".join(switched_off(changed))
        assert not in_force(changed, on_failure=True)
    assert switched_off(json.dumps({"disableAllHooks": False, "env": {"A": "1"}})) == []
