"""HTTP hooks: who may ask, and that an error never looks like "no objection"."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.http import Asked, Exchange, Guard, speak
from outrider.events.message import Wire

TOKEN = "t" * 40
GUARD = Guard(token=TOKEN, hosts=frozenset(("127.0.0.1:8765", "localhost:8765")))
GOOD = {
    "Host": "127.0.0.1:8765",
    "Authorization": f"Bearer {TOKEN}",
    "Content-Type": "application/json",
    "User-Agent": "axios/1.15.2",
    "Connection": "keep-alive",
}
TARGET = "/v1/hook/claude_code/PreToolUse"


def request(body=b"{}", *, method="POST", target=TARGET, **changes: str | None) -> bytes:
    headers = {**GOOD, "Content-Length": str(len(body))}
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items() if v is not None)
    return head.encode() + b"\r\n" + body


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def body(response: bytes) -> object:
    return json.loads(response.partition(b"\r\n\r\n")[2])


def test_a_request_in_order_is_asked_and_answered():
    exchange = Exchange(GUARD)
    asked = exchange.feed(request(b'{"x":1}'))
    assert asked == Asked(door="claude_code", event="PreToolUse", payload=b'{"x":1}')
    response = exchange.answer(Wire(stdout=b'{"hookSpecificOutput":{}}'))
    assert status(response) == 200
    assert body(response) == {"hookSpecificOutput": {}}
    assert b"Connection: close" in response


def test_it_does_not_matter_how_the_bytes_arrive():
    exchange = Exchange(GUARD)
    data = request(b'{"x":1}')
    answers = [exchange.feed(data[i : i + 1]) for i in range(len(data))]
    assert answers[:-1] == [None] * (len(data) - 1)
    assert answers[-1] == Asked(door="claude_code", event="PreToolUse", payload=b'{"x":1}')


def test_a_chunked_body_is_put_together():
    exchange = Exchange(GUARD)
    data = request(b"", Content_Length=None, Transfer_Encoding="chunked") + b'3\r\n{"x\r\n4\r\n":1}\r\n0\r\n\r\n'
    assert exchange.feed(data) == Asked(door="claude_code", event="PreToolUse", payload=b'{"x":1}')


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (401, {"Authorization": None}),
        (401, {"Authorization": "Bearer " + "u" * 40}),
        (401, {"Authorization": TOKEN}),
        (401, {"Authorization": f"bearer {TOKEN}"}),
        (401, {"Authorization": f"Bearer {TOKEN}x"}),
        (421, {"Host": "evil.example"}),
        (421, {"Host": "127.0.0.1"}),
        (421, {"Host": "127.0.0.1:8766"}),
        (403, {"Origin": "http://127.0.0.1:8765"}),
        (403, {"Origin": "null"}),
        (403, {"Sec_Fetch_Site": "same-origin"}),
        (405, {"method": "GET"}),
        (405, {"method": "PUT"}),
        (415, {"Content_Type": "text/plain"}),
        (415, {"Content_Type": None}),
        (404, {"target": "/"}),
        (404, {"target": "/v1/hook/claude_code/"}),
        (404, {"target": "/v1/hook/claude_code/a/b"}),
        (404, {"target": "/v1/hook/other_host/PreToolUse"}),
        (404, {"target": "/v1/hook/claude_code/" + "e" * 65}),
        (413, {"Content_Length": str(17 << 20)}),
        (400, {"Content_Length": "-1"}),
        (400, {"Content_Length": "x"}),
    ],
)
def test_who_is_not_in_order_is_refused_with_a_status_and_a_reason(expected, changes):
    response = Exchange(GUARD).feed(request(**changes))
    assert isinstance(response, bytes)
    assert status(response) == expected
    assert body(response)["error"]


def test_a_header_given_twice_is_refused():
    data = request().replace(b"Content-Type:", b"Authorization: Bearer x\r\nContent-Type:", 1)
    assert status(Exchange(GUARD).feed(data)) == 400


def test_an_installation_without_a_proper_token_lets_nobody_in():
    for token in ("", "short"):
        guard = Guard(token=token, hosts=GUARD.hosts)
        assert status(Exchange(guard).feed(request(Authorization=f"Bearer {token}"))) == 401


def test_a_chunked_body_can_not_be_larger_than_a_plain_one():
    exchange = Exchange(GUARD)
    assert exchange.feed(request(b"", Content_Length=None, Transfer_Encoding="chunked")) is None
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answers = [exchange.feed(chunk) for _ in range(17)]
    assert status(next(answer for answer in answers if answer)) == 413


def test_silence_is_an_explicit_empty_object():
    exchange = Exchange(GUARD)
    exchange.feed(request())
    response = exchange.answer(Wire())
    assert (status(response), body(response)) == (200, {})


@pytest.mark.parametrize(
    "wire", [Wire(code=2, stderr=b"no\n"), Wire(code=1), Wire(code=1, stdout=b"{}"), Wire(code=255)]
)
def test_what_only_an_exit_status_says_is_an_error_and_never_a_200(wire):
    exchange = Exchange(GUARD)
    exchange.feed(request())
    response = exchange.answer(wire)
    assert status(response) == 503
    assert body(response)["error"]


def test_a_failure_is_a_503():
    exchange = Exchange(GUARD)
    exchange.feed(request())
    assert status(exchange.failure("starting")) == 503


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fall_over_or_get_asked(data):
    out = Exchange(GUARD).feed(data)
    assert out is None or isinstance(out, bytes)
    if out:
        assert status(out) >= 400


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_damaged_request_is_never_worse_than_refused(at, damage):
    data = request(b'{"x":1}')
    at %= len(data)
    out = Exchange(GUARD).feed(data[:at] + damage + data[at + len(damage) :])
    assert out is None or isinstance(out, bytes | Asked)


async def _converse(judge, data: bytes) -> bytes:
    server = await asyncio.start_server(lambda r, w: speak(r, w, GUARD, judge), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(data)
        response = await reader.read()
        writer.close()
    return response


def test_over_a_real_socket_one_request_gets_one_answer():
    async def judge(asked: Asked) -> Wire:
        return Wire(stdout=json.dumps({"event": asked.event, "size": len(asked.payload)}).encode())

    response = asyncio.run(_converse(judge, request(b"[" + b"1," * 500_000 + b"1]")))
    assert body(response) == {"event": "PreToolUse", "size": 1_000_003}


def test_over_a_real_socket_a_refusal_never_reaches_the_judge():
    async def judge(asked: Asked) -> Wire:
        raise AssertionError(asked)

    assert status(asyncio.run(_converse(judge, request(Authorization=None)))) == 401
