"""What ``outrider coverage`` says of a daemon that was killed, of hooks that met none, and of hooks that are off."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.daemon.house import SRC, House, until

from outrider.cli import main, times
from outrider.errors import BadInputError
from outrider.events.record import AgentBorn, AgentEnded, RecordGap

Cover = Callable[..., tuple[int, str, Any]]


@pytest.fixture
def house() -> Iterator[House]:
    with TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        yield one
        one.close()


@pytest.fixture
def cover(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cover:
    """Run the command and return its exit status, its words and its data."""
    monkeypatch.setenv("OUTRIDER_HOME", str(house.home.root))

    def run(*arguments: str) -> tuple[int, str, Any]:
        said = []
        for more in ((), ("--json",)):
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main(["coverage", *arguments, *more])
            said.append((int(ended.value.code or 0), capsys.readouterr().out))
        assert said[0][0] == said[1][0]
        return said[0][0], said[0][1], json.loads(said[1][1])["data"]["extent"]

    return run


def kinds(lacks: list[dict[str, Any]]) -> dict[str, int]:
    return {one["what"]: one["count"] for one in lacks}


def test_a_killed_daemon_and_the_hooks_that_met_none_are_told_with_their_times(house: House, cover: Cover) -> None:
    house.start()
    host = house.host()
    host.bash("ls", call="c1")
    house.kill(house.pid)
    assert host.bash("ls", call="c2", start=False).verdict == "deny"
    house.start()
    code, words, told = cover()
    assert code == 0, "what was answered with deny was not done"
    assert kinds(told["lacks"]) == {"killed": 1}
    one = cover("--agent", _agent(house))[2]["agents"][0]
    assert kinds(one["lacks"]) == {"spool": 1, "under-way": 1}
    (met,) = [lack for lack in one["lacks"] if lack["what"] == "spool"]
    assert met["since"] <= met["until"]
    assert met["answered"] == "deny"
    assert "times without a daemon, which had been killed" in words
    assert "Assurance level: local: nobody outside this machine vouches for it" in " ".join(words.split())


def test_a_hook_that_let_a_call_through_without_a_daemon_leaves_its_agent_covered_in_part(
    house: House, cover: Cover
) -> None:
    house.start()
    host = house.host()
    host.bash("ls", call="c1")
    house.stop()
    host.run(host.argv("PreToolUse", undecided="allow", start=False), host.payload("PreToolUse", tool_name="Bash"))
    house.start()
    code, words, told = cover()
    assert code == 3
    assert [(one["door"], one["state"], one["in_part"]) for one in told["doors"]] == [("claude_code", "in part", 1)]
    assert "hooks met no daemon, told allow" in words
    assert told["coverage"]["whole"] is False


def test_a_line_of_a_process_that_is_gone_is_put_down_to_its_door(house: House, cover: Cover) -> None:
    house.home.spool.write_text(
        json.dumps({"ts": 1, "door": "claude_code", "answered": "allow", "why": "deadline", "ppid": 2**22 - 1}) + "\n"
    )
    house.start()
    _, _, told = cover()
    assert [(one["door"], kinds(one["lacks"])) for one in told["doors"]] == [("claude_code", {"spool": 1})]


def test_input_that_no_door_can_read_is_put_down_to_the_agent_that_sent_it(house: House, cover: Cover) -> None:
    house.start()
    host = house.host()
    host.bash("ls", call="c1")
    host.raw("PreToolUse", b"{")
    _, _, told = cover("--agent", _agent(house))
    assert kinds(told["agents"][0]["lacks"])["unreadable"] == 1


def test_every_line_fits_eighty_columns_and_hooks_that_are_not_in_force_are_named(house: House, cover: Cover) -> None:
    house.start()
    hosts = [house.host() for _ in range(3)]
    for host in hosts:
        host.bash("make", call="c1")
        host.raw("PreToolUse", b"{")
        host.close()
    until(lambda: len(house.events(AgentEnded)) == 3)
    _, words, _ = cover()
    table, _, now = words.partition("\nNot in force now")
    assert [line for line in re.sub(r"\x1b\[[0-9;]*m", "", table).splitlines() if len(line) > 80] == []
    assert "Outrider is in no agent's settings" in now


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", 100_000 - 5_400), ("1d", 100_000 - 86_400), ("1970-01-02", 86_400), ("1970-01-02T01:00:00Z", 90_000),
        ("1970-01-02 01:00", 90_000), ("02:03", 86_400 + 7_380), ("1970-01-02T01:00:00+01:00", 86_400),
    ],
)  # fmt: skip
def test_a_moment_is_read_as_people_write_it(text: str, moment: int) -> None:
    assert times.moment(text, now=100_000_000_000) == moment * 1_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "12", "25:99", "2026-13-01", "1000000000d"])
def test_what_is_no_moment_is_said_so(text: str) -> None:
    with pytest.raises(BadInputError, match="is no time"):
        times.moment(text)


def _agent(house: House) -> str:
    return str(house.events(AgentBorn)[0].agent)


@pytest.mark.parametrize("command", ["status", "verify", "involved", "doctor"])
def test_the_level_stands_wherever_trust_is_claimed(
    house: House, cover: Cover, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    house.start()
    house.host().bash("ls", call="c1")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([command, *(["evil.example"] if command == "involved" else [])])
    words = " ".join(capsys.readouterr().out.split())
    assert ("who owns the record" if command == "doctor" else "local: nobody outside this machine") in words
    assert cover()[2]["coverage"]["assurance"] == "local"


def transcript(house: House, session: str, *calls: str) -> Path:
    """Write what the host itself would keep: some calls, each answered, the last of now."""
    at = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    path = house.user / ".claude" / "projects" / "-repo" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for call in calls:
        for kind, block in (
            ("assistant", {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": "ls"}}),
            ("user", {"type": "tool_result", "tool_use_id": call, "content": "x", "is_error": False}),
        ):
            last = f"u{len(rows) - 1}" if rows else None
            message = {"role": kind, "content": [block]}
            row = {"type": kind, "uuid": f"u{len(rows)}", "parentUuid": last, "sessionId": session, "timestamp": at}
            rows.append({**row, "message": message})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_call_that_only_the_hosts_transcript_tells_of_is_ungoverned(
    house: House, cover: Cover, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(house.user))
    house.start()
    host = house.host()
    host.bash("ls", call="c1")
    transcript(house, host.session, "c1")
    assert diff(capsys) == (0, "All 1 calls that hosts tell of were decided.")
    transcript(house, host.session, "c1", "c2")
    transcript(house, "elsewhere", "c9")
    code, words = diff(capsys)
    assert code == 3
    assert "Of 3 calls that hosts tell of, 2 were never decided" in words
    assert "no-session" in words
    assert _agent(house) in words
    code, words = diff(capsys, "--from", f"claude={house.user}/.claude/projects/-repo/elsewhere.jsonl")
    assert "Of 1 calls that hosts tell of, 1 were never decided" in words
    for wrong in ("nothing", "vim=/x", "claude="):
        assert diff(capsys, "--from", wrong)[0] == 2


def diff(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["coverage", "--diff", *more])
    return int(ended.value.code or 0), " ".join(capsys.readouterr().out.split())


def test_a_running_daemon_finds_what_went_past_it_by_itself_and_once(house: House, cover: Cover) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom outrider.config import Home\n"
        "from outrider.daemon import compared, service\n"
        "compared.EVERY, compared.SETTLED_US = 0.1, 0\nservice.serve(Home(Path(sys.argv[1])))\n"
    )
    daemon = subprocess.Popen(
        [sys.executable, "-c", program, str(house.home.root)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "HOME": str(house.user), "PYTHONPATH": str(SRC)},
    )  # fmt: skip
    house.started.append(daemon)
    until(house.status)
    host = house.host()
    host.bash("ls", call="c1")
    transcript(house, host.session, "c1", "c2")

    def gaps() -> list[RecordGap]:
        host.bash("ls", call="again")  # Something must come after the call for the view to be past it.
        return [one for one in house.events(RecordGap) if one.what == "ungoverned"]

    (gap,) = until(gaps)
    assert (gap.agent, gap.count, gap.detail, gap.door) == (_agent(house), 1, "1 Bash", "claude_code")
    transcript(house, host.session, "c1", "c2", "c3")
    until(lambda: len(gaps()) == 2)
    assert [one.count for one in gaps()] == [1, 1]
    assert kinds(cover("--agent", _agent(house))[2]["agents"][0]["lacks"])["ungoverned"] == 2
