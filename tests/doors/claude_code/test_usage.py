"""What a session used, counted from its transcript: each answer once, whatever becomes of the file."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.claude_code import Transcript, transcripts
from outrider.doors.claude_code.follow import MOST_READ
from outrider.doors.claude_code.usage import Count
from outrider.events.counters import Used

counts = st.integers(0, 10**6)
answers = st.tuples(st.sampled_from("abcde"), counts, counts, counts)


def answer(name, given_in, out, cached=0, **more):
    usage = {"input_tokens": given_in, "output_tokens": out, "cache_creation_input_tokens": cached}
    usage["cache_read_input_tokens"] = 10**6
    return line({"type": "assistant", "message": {"id": name, "role": "assistant", "usage": usage, **more}})


def cost(dollars):
    return line({"type": "cost-state", "totalCostUSD": dollars, "modelUsage": {}})


def line(row):
    return json.dumps(row).encode() + b"\n"


NOISE = (
    line({"type": "user", "message": {"role": "user", "content": 'a "assistant" with "cost-state" in a prompt'}}),
    line({"type": "assistant", "message": "no object"}),
    line({"type": "assistant", "message": {"id": "x"}}),
    line({"type": "assistant", "message": {"id": "x", "usage": {"input_tokens": -5}}}),
    line({"type": "assistant", "message": {"id": "x", "usage": {"input_tokens": 2**50}}}),
    line({"type": "cost-state", "totalCostUSD": "much"}),
    line({"type": "user", "x": "assistant", "message": {"id": "x", "usage": {"input_tokens": 7}}}),
    b'{"type": "assistant", \n',
    b"\xff\xfe assistant\n",
    b"[" * 5000 + b'"assistant"\n',
    b"\n",
)


@given(st.lists(st.one_of(answers, st.sampled_from(NOISE))), st.lists(st.integers(1, 400), min_size=1))
def test_each_answer_counts_once_however_the_file_grows(tmp_path_factory, rows, steps):
    data = b"".join(row if isinstance(row, bytes) else answer(*row) for row in rows)
    most: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, bytes):
            most[row[0]] = max(most.get(row[0], 0), sum(row[1:]))
    path = tmp_path_factory.mktemp("t") / "s.jsonl"
    one, at = Transcript(str(path)), 0
    with path.open("wb", buffering=0) as file:
        for step in [*steps, len(data) + 1]:
            file.write(data[at : at + step])
            at += step
            before = one.used.tokens
            one.read()
            assert one.used.tokens >= before
    assert one.used.tokens == (sum(most.values()) if most else -1)


@given(st.lists(answers, min_size=1), st.integers(0, 400))
def test_a_file_that_is_cut_takes_nothing_back_and_counts_nothing_twice(tmp_path_factory, rows, keep):
    path = tmp_path_factory.mktemp("t") / "s.jsonl"
    data = b"".join(answer(*row) for row in rows)
    path.write_bytes(data)
    one = Transcript(str(path))
    one.read()
    counted = one.used
    path.write_bytes(data[:keep])
    one.read()
    assert one.used == counted
    path.unlink()
    one.read()
    assert one.behind() == 0
    assert one.used == counted


def test_the_cost_is_what_the_host_says_last_and_never_less():
    count = Count()
    for row in (cost(0.0014), cost(2.5), cost(1), cost(-1), cost(10**30)):
        count.take(row)
    assert count.used == Used(cost=2_500_000)


def test_a_link_in_its_place_is_followed_as_the_host_does(tmp_path):
    path, real = tmp_path / "s.jsonl", tmp_path / "real.jsonl"
    path.write_bytes(answer("a", 1, 2))
    one = Transcript(str(path))
    one.read()
    path.rename(real)
    path.symlink_to(real)
    with real.open("ab") as file:
        file.write(answer("b", 10, 20))
    one.read()
    assert one.used.tokens == 33


@pytest.mark.parametrize("kind", ["missing", "pipe", "loop", "folder"])
def test_what_is_no_file_is_not_waited_for_and_tells_nothing(tmp_path, kind):
    path = tmp_path / "s.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    one = Transcript(str(path))
    one.read()
    assert one.used == Used()


def test_a_line_longer_than_a_look_is_passed_over_and_what_follows_counts(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_bytes(answer("a", 1, 2) + b'"' + b"x" * (MOST_READ + 5) + b'"\n' + answer("b", 10, 20))
    one = Transcript(str(path))
    for _ in range(4):
        one.read()
    assert one.used.tokens == 33
    assert one.behind() == 0


@pytest.mark.parametrize(
    ("transcript", "host_agent", "found"),
    [
        ("/p/s.jsonl", "", ("/p/s.jsonl", "/p/s.jsonl")),
        ("/p/s.jsonl", "a1", ("/p/s/subagents/agent-a1.jsonl", "/p/s.jsonl")),
        ("/p/s.jsonl", "../../etc", ("", "/p/s.jsonl")),
        ("s.jsonl", "", ("", "")),
        ("/etc/shadow", "", ("", "")),
        ("", "", ("", "")),
    ],
)
def test_where_it_stands_is_told_by_the_transcript_and_the_sub_agents_id(transcript, host_agent, found):
    assert transcripts(transcript, host_agent) == found
