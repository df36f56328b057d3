"""HTTP hooks, switched on in the configuration: the right answer to the right sender, and never an empty 200."""

from __future__ import annotations

import http.client
import json
import socket

import pytest
from tests.daemon.house import until

from outrider.events.record import AgentBorn, CallDecided, RecordGap

TOKEN = "t" * 40


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def port(house):
    port = free_port()
    house.configure(f"[http]\nenabled = true\nport = {port}\n")
    house.home.http_token.write_text(TOKEN + "\n")
    return port


def served(house, port):
    house.start()
    assert house.status()["http_problem"] == ""

    def listening():
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    until(listening)


def post(port, body, *, event="PreToolUse", path="", **headers):
    said = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", path or f"/v1/hook/claude_code/{event}", body, said)
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def call(house, command, session="web"):
    return json.dumps(
        {
            "session_id": session, "cwd": str(house.repo), "hook_event_name": "PreToolUse", "tool_name": "Bash",
            "tool_input": {"command": command}, "tool_use_id": "c1",
        }
    )  # fmt: skip


def test_a_call_over_http_is_judged_and_recorded(house, port):
    served(house, port)
    assert post(port, call(house, "ls")) == (200, {})
    status, body = post(port, call(house, "cat ~/.ssh/id_rsa"))
    assert status == 200
    assert body["hookSpecificOutput"]["permissionDecision"] == "deny"
    (born,) = house.events(AgentBorn)
    assert (born.attested.pid, born.charter) == (0, "coder")
    assert [event.decision.enforced for event in house.events(CallDecided)] == ["allow", "deny"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer " + "x" * 40}, 401),
        ({"Authorization": ""}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_who_may_not_ask_is_told_so_and_nothing_is_judged(house, port, headers, status):
    served(house, port)
    found, body = post(port, call(house, "ls"), **headers)
    assert (found, list(body)) == (status, ["error"])
    assert house.events(CallDecided) == []


def test_what_cannot_be_read_is_refused_over_http_too_and_recorded(house, port):
    served(house, port)
    status, body = post(port, "{")
    assert body["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert status == 200
    (gap,) = house.events(RecordGap)
    assert (gap.what, gap.answered, gap.agent) == ("unreadable", "deny", "")
    assert "does not name" in gap.detail


def test_a_door_that_is_not_there_is_not_found(house, port):
    served(house, port)
    assert post(port, "{}", path="/v1/hook/nobody/PreToolUse")[0] == 404


def test_a_session_of_a_real_process_goes_on_over_http(house, port, native):
    served(house, port)
    host = house.host(native, "both")
    host.hook("SessionStart", source="startup")
    assert post(port, call(house, "ls", session="both")) == (200, {})
    (born,) = house.events(AgentBorn)
    assert born.attested.pid == host.process.pid
    assert house.events(CallDecided)[0].agent == born.agent


def test_a_session_with_a_process_is_bound_to_it_though_http_is_on(house, port, native):
    served(house, port)
    house.host(native, "mine").bash("ls")
    assert house.host(native, "mine").bash("ls").verdict == "deny"


def test_a_missing_or_short_token_keeps_http_off_and_says_so(house, port):
    house.home.http_token.write_text("short\n")
    house.start()
    assert "shorter than 32" in until(lambda: house.status()["http_problem"])
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_taken_is_told_and_command_hooks_go_on(house, port, native):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        house.start()
        assert str(port) in until(lambda: house.status()["http_problem"])
        assert house.host(native).bash("ls").verdict == "silent"


def test_nobody_listens_unless_it_is_switched_on(house):
    port = free_port()
    house.configure(f"[http]\nport = {port}\n")
    house.home.http_token.write_text(TOKEN + "\n")
    house.start()
    assert house.status()["http"] is False
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def test_what_takes_too_long_is_refused_in_time():
    import asyncio

    from outrider.daemon import over_http
    from outrider.doors.http import Asked
    from outrider.events.message import Wire

    async def play(monkey):
        over_http.SECONDS, kept = 0.01, over_http.SECONDS
        held = asyncio.Event()

        async def judge(*_given):
            await held.wait()
            monkey.append("judged")
            return Wire()

        try:
            wire = await over_http._in_time(judge, Asked(door="claude_code", event="PreToolUse", payload=b"{}"))
        finally:
            over_http.SECONDS = kept
        held.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return wire

    done: list[str] = []
    assert b'"deny"' in asyncio.run(play(done)).stdout
    assert done == ["judged"]
