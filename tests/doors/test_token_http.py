"""HTTP for credentials: what is asked is read once and one way, and nonsense is answered in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.confine import told
from outrider.doors.token_http import MOST_BODY, Exchange, Request, Response, speaks
from outrider.doors.wire import Request as Asked
from outrider.doors.wire import encode_request

ASKED = Asked(nonce=b"n" * 16, door="d", event="e", payload=b"")
FORM = "application/x-www-form-urlencoded"


def sent(target="/token?audience=a", method="GET", body=b"", **headers):
    said = {"Host": "outrider", **({"Content-Length": str(len(body))} if body else {})}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    return (
        f"{method} {target} HTTP/1.1\r\n".encode()
        + b"".join(f"{k}: {v}\r\n".encode() for k, v in said.items())
        + b"\r\n"
        + body
    )


def status(data):
    return int(data.split(b" ", 2)[1])


def said(data):
    return json.loads(data.partition(b"\r\n\r\n")[2])


def test_a_request_is_read_however_its_bytes_arrive():
    data = sent("/token?audience=https%3A%2F%2Fvault.example%2Fa+b", DPoP="p")
    exchange = Exchange()
    got = [exchange.feed(data[at : at + 1]) for at in range(len(data))]
    assert got[:-1] == [None] * (len(data) - 1)
    want = {"audience": "https://vault.example/a b"}
    assert got[-1] == Request(method="GET", path="/token", said=want, host="outrider", proof="p")


def test_a_form_is_read_and_its_query_is_not():
    got = Exchange().feed(sent("/token?audience=b", "POST", b"audience=a&x=", Content_Type=FORM + "; charset=UTF-8"))
    assert got.said == {"audience": "a", "x": ""}


def test_an_answer_is_one_object_that_nobody_keeps_unless_it_is_for_everybody():
    for keep, header in ((0, b"no-store"), (60, b"public, max-age=60")):
        exchange = Exchange()
        exchange.feed(sent("/jwks.json"))
        data = exchange.answer(Response(status=200, body={"keys": []}, keep=keep))
        assert (status(data), said(data)) == (200, {"keys": []})
        assert header in data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sent("/token?audience=a&audience=b"), 400),
        (sent("/token?audience"), 400),
        (sent("/token?" + "&".join(f"a{at}=1" for at in range(40))), 400),
        (sent().replace(b"Host: outrider", b"Host: outrider\r\nDPoP: a\r\nDPoP: b"), 400),
        (sent().replace(b"Host: outrider", b"Host: outrider\r\nHost: other"), 400),
        (sent(method="PUT"), 405),
        (sent(method="POST", body=b"{}", Content_Type="application/json"), 415),
        (sent(method="POST", body=b"a=" + b"x" * MOST_BODY, Content_Type=FORM), 413),
        (b"GET /" + b"x" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
    ],
)
def test_what_could_be_read_two_ways_or_not_at_all_is_answered_with_an_error(data, code):
    got = Exchange().feed(data)
    assert isinstance(got, bytes)
    assert status(got) == code
    assert said(got)["error"] == "invalid_request"


def test_a_web_page_is_known_by_its_headers():
    assert Exchange().feed(sent(Origin="https://page.example")).is_page
    assert Exchange().feed(sent(Sec_Fetch_Site="cross-site")).is_page
    assert not Exchange().feed(sent()).is_page


def test_our_own_frames_are_no_http():
    assert speaks(sent())
    assert speaks(sent(method="POST"))
    assert not any(speaks(data) for data in (b"", b"ORC1", told.pack(told.ASKED, []), encode_request(ASKED)))


@given(st.binary(max_size=400), st.integers(0, 60))
def test_any_bytes_are_read_answered_or_waited_for(junk, at):
    data = sent()
    for one in (junk, data[:at] + junk + data[at:]):
        got = Exchange().feed(one)
        assert got is None or isinstance(got, bytes | Request)
