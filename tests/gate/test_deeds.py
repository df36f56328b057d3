"""Told against done, as stories: calls are told, programs start and connect, and each is explained or found."""

from __future__ import annotations

import pytest

from outrider.confine.heard import Dialled, Started
from outrider.events.call import Effect
from outrider.events.codec import commit
from outrider.events.decision import Decision
from outrider.events.event import VERSION
from outrider.events.record import CallDecided
from outrider.gate.deeds import Deeds

HOST = "10.1"
PROXY = "127.0.0.1:4000"


class Story:
    """One agent whose host is process 10; every step is a second later."""

    def __init__(self, command="agent", host=HOST):
        self.deeds = Deeds(
            command, lambda process: process == host, hook=("/o/hook",), proxy=PROXY, ours="/o/run",
            tools=("/o/bin/outrider",), interpreter="/o/python3",
        )  # fmt: skip
        self.now = 1_000_000_000_000_000
        self.n = 100
        self.runs(HOST, "/usr/bin/agent")

    def tells(self, *effects, tool="shell", name="Bash", enforced="allow"):
        self.now += 1_000_000
        self.n += 1
        self.deeds.told(
            CallDecided(
                v=VERSION, n=self.n, ts=self.now, agent="a", call="c", tool=tool, name=name, chain=(),
                effects=tuple(Effect(verb=verb, kind=kind, value=value) for verb, kind, value in effects),
                decision=Decision(verdict=enforced, enforced=enforced, hits=(), mode="enforce"),
                content=commit(b"", b""),
            )
        )  # fmt: skip
        return self.n

    def names(self, *programs, **more):
        return self.tells(*(("exec", "command", one) for one in programs), **more)

    def returns(self, n):
        self.now += 1_000_000
        self.deeds.returned(n, self.now)

    def runs(self, process, path, *words, under="", real=""):
        self.now += 1_000_000
        above = (under,) if under else ()
        self.deeds.started(Started(ts=self.now, process=process, above=above, path=path, real=real, words=words))

    def dials(self, process, peer):
        self.now += 1_000_000
        self.deeds.dialled(Dialled(ts=self.now, process=process, above=(), peer=peer))

    def over(self):
        """What is recorded: programs and peers with their basis and call, and the rules that found something."""
        self.deeds.settle(self.now + 1_000_000_000)
        span, findings = self.deeds.take()
        rows = {one.program.rpartition("/")[2]: (one.basis, one.call) for one in span.ran}
        rows |= {one.peer: (one.basis, one.call) for one in span.reached}
        return rows, [one.rule for one in findings]


@pytest.fixture
def story():
    return Story()


def test_a_call_explains_what_it_names_and_what_that_starts(story):
    n = story.names("git")
    story.runs("11.1", "/bin/sh", "-c", "git push", under=HOST)
    story.runs("12.1", "/usr/bin/git", under="11.1")
    story.runs("13.1", "/usr/lib/git-remote-https", under="12.1")
    rows, rules = story.over()
    assert (rows["git"], rows["git-remote-https"], rows["sh"]) == (("call", n), ("call", n), ("shell", -1))
    assert rules == []


def test_a_call_explains_nothing_after_its_result_but_what_it_left_running(story):
    n = story.names("make")
    story.runs("12.1", "/usr/bin/make", under=HOST)
    story.returns(n)
    story.runs("13.1", "/usr/bin/cc", under="12.1")
    story.runs("14.1", "/usr/bin/make", under=HOST)
    rows, rules = story.over()
    assert rows["cc"] == ("call", n)
    assert rules == ["undeclared-exec"]


def test_an_undeclared_program_is_found_once_and_what_it_starts_is_listed(story):
    story.names("ls")
    for number in range(3):
        story.runs(f"2{number}.1", "/tmp/odd", under=HOST)
        story.runs(f"3{number}.1", "/usr/bin/nc", under=f"2{number}.1")
    rows, rules = story.over()
    assert (rows["odd"][0], rows["nc"][0]) == ("none", "none")
    assert rules == ["undeclared-exec"]
    assert story.deeds.undeclared == 3


def test_a_shell_that_a_call_names_explains_what_its_text_names_and_no_more(story):
    n = story.names("bash", "ls")
    story.runs("12.1", "/bin/bash", "-c", "ls", under=HOST)
    story.runs("13.1", "/bin/ls", under="12.1")
    story.runs("14.1", "/usr/bin/nc", under="12.1")
    rows, rules = story.over()
    assert (rows["ls"], rows["nc"][0]) == (("call", n), "none")
    assert rules == ["undeclared-exec"]


def test_a_shell_whose_text_nobody_could_read_explains_everything_below_it(story):
    n = story.tells(("exec", "command", "bash"), ("unparsed", "text", "..."))
    story.runs("12.1", "/bin/bash", "-c", "...", under=HOST)
    story.runs("14.1", "/usr/bin/nc", under="12.1")
    rows, rules = story.over()
    assert rows["nc"] == ("call", n)
    assert rules == []


def test_a_denied_call_explains_nothing(story):
    story.names("nc", enforced="deny")
    story.runs("12.1", "/usr/bin/nc", under=HOST)
    assert story.over()[1] == ["undeclared-exec"]


def test_what_cut_itself_off_may_be_of_any_call_of_the_past(story):
    story.returns(story.names("sleep"))
    story.names("ls")
    story.runs("40.1", "/bin/sleep")
    story.runs("41.1", "/usr/bin/nc")
    rows, rules = story.over()
    assert (rows["sleep"][0], rows["nc"][0]) == ("call", "none")
    assert rules == ["undeclared-exec"]


def test_a_program_is_known_by_the_name_that_it_was_called_by_too(story):
    n = story.names("python3")
    story.runs("12.1", "/usr/bin/python3", under=HOST, real="/opt/python3.11")
    assert story.over() == ({"agent": ("launch", -1), "python3.11": ("call", n)}, [])


def test_helpers_that_the_launch_began_may_start_what_they_like_and_the_host_may_not():
    story = Story()
    story.runs("11.1", "/usr/bin/server", under=HOST)
    story.names("ls")
    story.runs("12.1", "/usr/bin/worker", under="11.1")
    story.runs("13.1", "/usr/bin/worker2", under=HOST)
    rows, rules = story.over()
    assert (rows["worker"][0], rows["worker2"][0]) == ("launch", "none")
    assert rules == ["undeclared-exec"]


def test_a_wrapper_above_the_host_is_the_launchs(story):
    story = Story(host="11.1")
    story.runs("11.1", "/usr/bin/claude", under=HOST)
    story.names("ls")
    story.runs("12.1", "/usr/bin/date", under=HOST)
    story.runs("13.1", "/usr/bin/date2", under="11.1")
    rows, rules = story.over()
    assert (rows["date"][0], rows["date2"][0]) == ("launch", "none")
    assert rules == ["undeclared-exec"]


def test_a_hook_is_known_by_its_path_and_not_by_its_name(story):
    story.names("ls")
    story.runs("11.1", "/bin/sh", "-c", "/o/hook --door x", under=HOST)
    story.runs("12.1", "/o/hook", under="11.1")
    story.runs("13.1", "/tmp/hook", under=HOST)
    rows, rules = story.over()
    assert rows["sh"][0] == "hook"
    assert rules == ["undeclared-exec"]


@pytest.mark.parametrize(
    ("path", "words", "own"),
    [
        ("/o/bin/outrider", ["spawn"], True),
        ("/o/python3", ["-P", "-m", "outrider", "spawn"], True),
        ("/o/python3", ["-m", "outrider"], True),
        ("/tmp/outrider", ["spawn"], False),
        ("/usr/bin/python3", ["-m", "outrider"], False),
        ("/o/python3", ["-m", "outrider.hook", "spawn"], False),
        ("/o/python3", ["odd.py", "-m", "outrider"], False),
        ("/o/python3", ["-c", "import odd", "-m", "outrider"], False),
        ("/o/python3", ["-m"], False),
        ("/o/python3", [], False),
    ],
)
def test_outriders_own_tool_is_known_by_its_path_and_explains_nothing_that_it_starts(story, path, words, own):
    story.names("ls")
    story.runs("11.1", path, *words, under=HOST)
    rows, rules = story.over()
    assert rows[path.rpartition("/")[2]][0] == ("hook" if own else "none")
    assert rules == ([] if own else ["undeclared-exec"])
    if own:
        story.runs("12.1", "/usr/bin/nc", under="11.1")
        assert story.over()[1] == ["undeclared-exec"]


def test_a_known_hosts_upkeep_is_its_own_and_goes_no_further():
    story = Story("claude")
    story.names("ls")
    story.runs("11.1", "/usr/bin/git", "-c", "core.fsmonitor=", "status", under=HOST)
    assert story.over()[1] == []
    story.runs("12.1", "/usr/bin/git", "push", "origin", under=HOST)
    assert story.over()[1] == ["undeclared-exec"]
    story = Story("python3")
    story.names("ls")
    story.runs("11.1", "/usr/bin/git", "status", under=HOST)
    assert story.over()[1] == ["undeclared-exec"]


@pytest.mark.parametrize(
    ("told", "peer", "found"),
    [
        ([("exec", "command", "curl"), ("connect", "host", "one.example")], "one.example:443", []),
        ([("exec", "command", "curl"), ("connect", "host", "one.example")], "two.example:443", ["undeclared-connect"]),
        ([("exec", "command", "curl")], "192.0.2.1:443", ["undeclared-connect"]),
        ([("exec", "command", "curl"), ("opaque", "command", "curl")], "192.0.2.1:443", []),
        ([("exec", "command", "curl"), ("opaque", "command", "make")], "192.0.2.1:443", ["undeclared-connect"]),
        ([("exec", "command", "curl"), ("install", "package", "pypi:x")], "192.0.2.1:443", []),
        ([("exec", "command", "curl")], "[::1]:443", []),
        ([("exec", "command", "curl")], "127.0.0.1:80", []),
        ([("exec", "command", "curl")], "192.0.2.53:53", []),
        ([("exec", "command", "curl")], "unix:/run/x.sock", []),
    ],
)
def test_a_connection_is_held_against_the_hosts_of_its_programs_call(story, told, peer, found):
    story.tells(*told)
    story.runs("12.1", "/usr/bin/curl", under=HOST)
    story.dials("12.1", peer)
    rows, rules = story.over()
    assert rules == found
    assert rows[peer][0] == ("none" if found else "call")


def test_the_hosts_own_connections_are_the_launchs(story):
    story.names("ls")
    story.dials(HOST, "192.0.2.1:443")
    rows, rules = story.over()
    assert rows["192.0.2.1:443"] == ("launch", -1)
    assert rules == []


def test_what_the_proxy_is_asked_for_is_joined_with_who_had_connected_to_it(story):
    n = story.tells(("exec", "command", "curl"), ("exec", "command", "ls"), ("connect", "host", "one.example"))
    story.runs("12.1", "/usr/bin/curl", under=HOST)
    story.runs("13.1", "/usr/bin/ls", under=HOST)
    story.dials("12.1", PROXY)
    story.tells(("connect", "host", "one.example"), tool="fetch", name="egress")
    story.dials("13.1", PROXY)
    story.tells(("connect", "host", "two.example"), tool="fetch", name="egress")
    rows, rules = story.over()
    assert rows["one.example"] == ("call", n)
    assert rows["two.example"] == ("none", -1)
    assert PROXY not in rows
    assert rules == ["undeclared-connect"]


def test_a_connection_to_the_proxy_that_asks_for_nothing_that_is_judged_is_listed(story):
    story.names("ls")
    story.dials(HOST, PROXY)
    assert story.over()[0][PROXY] == ("launch", -1)


def test_outriders_own_sockets_are_left_out(story):
    story.names("ls")
    story.dials(HOST, "unix:/o/run/daemon.sock")
    assert list(story.over()[0]) == ["agent"]


def test_where_no_call_was_told_nothing_is_found(story):
    story.runs("12.1", "/usr/bin/make", under=HOST)
    story.runs("13.1", "/usr/bin/cc", under="12.1")
    story.runs("14.1", "/usr/bin/odd")
    story.dials("14.1", "192.0.2.1:443")
    rows, rules = story.over()
    assert rules == []
    assert (rows["make"][0], rows["cc"][0], rows["odd"][0]) == ("launch", "launch", "nothing")
    assert rows["192.0.2.1:443"][0] == "nothing"


def test_ten_thousand_programs_are_one_row(story):
    n = story.tells(("exec", "command", "make"), ("opaque", "command", "make"))
    story.runs("12.1", "/usr/bin/make", under=HOST)
    for number in range(10_000):
        story.runs(f"{100 + number}.7", "/usr/bin/cc", under="12.1")
    span, findings = story.deeds.take()
    assert [(one.count, one.call) for one in span.ran if one.program == "/usr/bin/cc"] == [(10_000, n)]
    assert findings == ()
    assert len(span.ran) == 3


def test_what_one_agent_is_found_with_has_an_end_and_is_counted_beyond_it(story):
    story.names("ls")
    found = 0
    for number in range(400):
        story.runs(f"{100 + number}.7", f"/tmp/odd-{number}", under=HOST)
        if story.deeds.full:
            found += len(story.deeds.take()[1])
    found += len(story.deeds.take()[1])
    assert found == 200
    assert story.deeds.undeclared == 400
