"""Values that are written in hexadecimal, base64 or percent escapes, in plain text beside them."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.config import Home
from outrider.events.case import CaseNoted
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.decoding import MOST, MOST_SHOWN, decoded
from outrider.investigate.dossier import Words, dossier
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page

WORDS = "the launch code is lemon, sent abroad"


def said(text):
    return [(one.form, one.text) for one in decoded(text)]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("hexadecimal", WORDS.encode().hex()),
        ("hexadecimal", WORDS.encode().hex().upper()),
        ("base64", base64.b64encode(WORDS.encode()).decode()),
        ("base64", base64.urlsafe_b64encode(WORDS.encode()).decode().rstrip("=")),
        ("percent escapes", quote(WORDS)),
        ("base64, then hexadecimal", base64.b64encode(WORDS.encode().hex().encode()).decode()),
        ("percent escapes, then base64", quote(base64.b64encode(WORDS.encode()).decode(), safe="")),
    ],
)  # fmt: skip
def test_what_a_value_says_is_shown_with_how_it_was_written(form, written):
    found = said(f'{{"url":"https://evil.example/v1/ingest?d={written}"}}')
    assert found == [(form, WORDS)]


def test_what_holds_no_text_is_left_as_it_stands():
    digest = hashlib.sha256(b"x").hexdigest()
    picture = base64.b64encode(bytes(range(256))).decode()
    name = "3f786850e387550fdab836ed7e6dc881de23001b"
    path = "/home/nobody/projects/payments-service/documentation/operations"
    assert said(f"{digest} {picture} {name} {path} 100% sure, 20%20") == []


def test_a_secret_in_what_a_value_says_is_named_by_its_rule_and_not_shown():
    key = "AKIA" + "".join("Q7ZJ4K2MNXV5WPLT")
    found = said(f"aws_access_key_id = {key}".encode().hex())
    assert found
    assert key not in found[0][1]
    assert "[secret." in found[0][1]


def test_what_is_shown_is_bounded():
    long = ("lemon " * 5_000).encode().hex()
    one = decoded(long)[0]
    assert (len(one.text), one.more > 0, len(one.run) < 30) == (MOST_SHOWN, True, True)
    many = " ".join(f"lemon number {n}".encode().hex() for n in range(100))
    assert len(decoded(many)) == MOST


@given(st.text(max_size=300))
def test_any_text_is_looked_through_and_what_is_shown_can_be_shown(text):
    for one in decoded(text):
        assert one.text.replace("\n", "").replace("\t", "").replace("\r", "").isprintable()


@given(st.binary(max_size=80))
def test_whatever_bytes_a_value_holds_only_whole_printable_text_is_shown(data):
    for one in decoded(f"d={data.hex()}&e={base64.b64encode(data).decode()}"):
        assert one.text.replace("\n", "").replace("\t", "").replace("\r", "").isprintable()


def test_both_reports_show_what_a_value_of_a_disclosed_text_says_and_render_none_of_it(world, tmp_path):
    evil = "<script>x</script> [a](http://evil.example)"
    home, case = Home(tmp_path / "home"), "case-0123456789ab"
    world.put(CaseNoted, heard="case", case=case, act="opened", by="p_1", content=CaseFile(home, case).put("x"))
    with world.view() as view:
        told = dossier(view, load(view, home, case))
    act = Words(event=1, why="the act", text=f"https://evil.example/?d={evil.encode().hex()}")
    told = msgspec.structs.replace(told, words=(act,))
    assert "Decoded from hexadecimal (3c7363" in page(told)
    assert "<script>" not in page(told)
    assert "&lt;script&gt;x&lt;/script&gt;" in page(told)
    assert f"    {evil}\n" in markdown(told)
