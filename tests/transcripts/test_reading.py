"""Every host's transcript comes out as the same steps; what is not right about a file is said, never passed over."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.transcripts import samples

from outrider.errors import BadInputError
from outrider.transcripts.lines import LONGEST
from outrider.transcripts.registry import FORMATS, files, steps

REAL = Path(__file__).parents[2].parent / "shared" / "payloads" / "claude-code" / "transcript-sample.jsonl"


def told(host, path):
    form = FORMATS[host]
    return [step for group in files(form, path) for _, step in steps(form, group)]


def kinds(steps_):
    return [step.what for step in steps_]


@pytest.mark.parametrize("host", FORMATS)
def test_the_same_session_reads_the_same_from_every_host(host, tmp_path):
    samples.WRITE[host](tmp_path)
    found = told(host, tmp_path)
    assert not [step for step in found if step.what in ("unread", "doubt")]
    assert found[0].what == "began"
    assert {step.session for step in found} == {samples.SESSION}
    assert [step.text for step in found if step.what == "prompt"] == ["read the howto"]
    shell, write = [step for step in found if step.what == "call"]
    assert (shell.tool, shell.args["command"]) == ("shell", samples.COMMAND)
    assert write.tool in ("write", "edit")
    named = write.args.get("paths") or [write.args.get("path") or write.args["file_path"]]
    assert [name.removeprefix("/repo/") for name in named] == ["a.txt"]
    results = [step for step in found if step.what == "result"]
    if host != "cursor":  # It keeps no results.
        assert [step.id for step in results] == [shell.id, write.id]
        assert samples.OUTPUT in results[0].text
        assert all(step.ok for step in results)


def test_an_export_of_opencode_reads_as_its_database_does(tmp_path):
    assert kinds(told("opencode", samples.opencode_export(tmp_path))) == kinds(
        told("opencode", samples.opencode(tmp_path))
    )


@pytest.mark.skipif(not REAL.is_file(), reason="there are no captured payloads beside the repository")
def test_lines_that_the_real_client_wrote_are_read():
    found = told("claude", REAL)
    assert [step.what for step in found if step.what != "doubt"] == ["began", "prompt", "call", "result"]
    assert found[0].version == "2.1.330"


def test_a_file_that_ends_in_the_middle_of_a_line_says_so_and_keeps_what_stands_before(tmp_path):
    path = samples.claude(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b'"c2"') + 20])
    found = told("claude", path)
    assert kinds(found)[:4] == ["began", "prompt", "call", "result"]
    assert found[-1].what == "unread"
    assert "cut off in the middle" in found[-1].text


@pytest.mark.parametrize(("host", "write"), [("claude", samples.claude), ("codex", samples.codex),
                                             ("copilot", samples.copilot), ("qwen", samples.qwen)])  # fmt: skip
def test_a_line_that_was_taken_out_is_missed(host, write, tmp_path):
    path = write(tmp_path)
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join(rows[:2] + rows[3:]))
    assert [step.text for step in told(host, path) if step.what == "doubt"] == ["follows a line that is not there"]


def test_a_line_that_was_put_in_again_is_doubted_and_not_counted_twice(tmp_path):
    path = samples.claude(tmp_path)
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*rows, rows[1]]))
    found = told("claude", path)
    assert kinds(found).count("call") == 2
    assert [step.text for step in found if step.what == "doubt"] == [
        "says again what an earlier line said under the same id"
    ]


def test_sessions_that_share_a_file_are_told_apart(tmp_path):
    other = "0f0e0d0c-0000-4000-8000-000000000002"
    mine = samples.claude_rows()
    theirs = json.loads(json.dumps(mine).replace(samples.SESSION, other))
    for row in theirs[:-1]:
        row["uuid"], row["parentUuid"] = f"v{row['uuid']}", row["parentUuid"] and f"v{row['parentUuid']}"
    path = tmp_path / "both.jsonl"
    both = [row for pair in zip(mine, theirs, strict=True) for row in pair]
    path.write_text("".join(json.dumps(row) + "\n" for row in both))
    found = told("claude", path)
    assert "doubt" not in kinds(found)
    assert kinds([s for s in found if s.session == samples.SESSION]) == kinds([s for s in found if s.session == other])


def test_a_sub_agents_own_file_is_read_between_the_lines_of_its_session(tmp_path):
    path = samples.claude(tmp_path)
    below = path.parent / samples.SESSION / "subagents" / "agent-a1.jsonl"
    below.parent.mkdir(parents=True)
    row = samples.claude_rows()[0] | {"agentId": "a1", "uuid": "s0", "timestamp": "2026-11-20T10:00:02.500Z"}
    below.write_text(json.dumps(row) + "\n")
    found = told("claude", tmp_path)
    assert [(step.agent, step.what) for step in found][4:6] == [("a1", "began"), ("a1", "prompt")]


def test_lines_of_an_unknown_version_are_named_and_the_rest_is_read(tmp_path):
    path = samples.claude(tmp_path)
    with path.open("a") as file:
        file.write(json.dumps({"type": "hologram", "sessionId": samples.SESSION, "version": "9.0.0"}) + "\n")
    found = told("claude", path)
    assert kinds(found).count("call") == 2
    assert found[-1].text == "a line of an unknown kind, hologram"


def test_a_transcript_of_two_gigabytes_is_read_in_bounded_memory(tmp_path):
    path = samples.claude(tmp_path)
    rows = path.read_bytes().splitlines(keepends=True)
    with path.open("wb") as file:  # One line of 2 GiB of nothing, sparse, between lines that count.
        file.write(b"".join(rows[:3]))
        file.seek(2 * 2**30)
        file.write(b"\n" + b"".join(rows[3:]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = told("claude", path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert kinds(found).count("call") == 2
    assert [step.text for step in found if step.what == "unread"] == [f"longer than {LONGEST // 2**20} MiB"]
    assert grown < 200, "MiB"


def test_one_json_value_that_is_too_large_to_be_read_at_once_is_refused_with_its_size(tmp_path):
    path = samples.cline(tmp_path)
    with path.open("r+b") as file:
        file.truncate(2 * 2**30)
    assert "one JSON value of 2,048 MiB" in told("cline", path)[-1].text


def test_a_folder_without_transcripts_says_where_the_host_keeps_them(tmp_path):
    with pytest.raises(BadInputError) as caught:
        told("codex", tmp_path)
    assert "~/.codex/sessions/" in caught.value.fix


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=st.sampled_from(sorted(FORMATS)), cut=st.integers(0, 4000), junk=st.binary(max_size=60))
def test_no_damage_to_a_file_raises_anything(host, cut, junk, tmp_path_factory):
    path = samples.WRITE[host](tmp_path_factory.mktemp("damaged"))
    raw = path.read_bytes()
    path.write_bytes(raw[:cut] + junk + raw[cut + len(junk) :])
    assert all(step.line >= 1 for step in told(host, path))


_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=st.sampled_from(["claude", "codex", "copilot", "qwen", "cursor"]), data=st.data())
def test_fields_of_any_type_are_no_danger(host, data, tmp_path_factory):
    path = samples.WRITE[host](tmp_path_factory.mktemp("odd"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = data.draw(st.sampled_from(rows))
    inner = data.draw(st.sampled_from([row, *(value for value in row.values() if isinstance(value, dict) and value)]))
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(_value)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert all(step.line >= 1 for step in told(host, path))


def test_a_line_of_half_a_gigabyte_is_passed_over_and_never_held(tmp_path):
    path = tmp_path / "t.jsonl"
    good = b'{"type":"user","uuid":"u1","sessionId":"s","message":{"role":"user","content":"tidy"}}\n'
    with path.open("wb") as file:
        file.write(good)
        file.seek(512 << 20, 1)  # A hole in the file: it takes no room.
        file.write(b"\n" + good.replace(b"u1", b"u2"))
    program = (
        "import resource, sys; from pathlib import Path; from outrider.transcripts.claude import read\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print([step.what for step in read(Path(sys.argv[1]))])\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    steps, grown = ran.stdout.splitlines()
    assert steps == "['began', 'prompt', 'unread', 'prompt']"
    assert int(grown) < 100
