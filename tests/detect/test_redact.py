import string
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.redact import redact, redact_host, redact_struct
from outrider.detect.rules import load
from outrider.detect.secrets import find
from outrider.detect.vectors import fill

KEY = b"k" * 32
OF_ONE_PIECE = [rule for rule in load() if not rule.file]


def secret_of(rule):
    return next(hit.value for hit in find(fill(rule.vector, rule.id)) if hit.rule.id == rule.id)


def test_a_clean_text_is_the_same_object():
    text = "git commit -m 'fix the parser' && make test"
    assert redact(text, KEY) is text


def test_a_secret_becomes_its_rule_and_its_print():
    value = fill("{github:ghp_}", "x")
    shown = redact(f"use {value} now", KEY)
    assert shown.startswith("use [secret:github-token:")
    assert shown.endswith("] now")
    assert redact(value, KEY)[:-1].endswith(shown[25:33])
    assert redact(value, KEY) != redact(value, b"o" * 32)


@given(st.sampled_from(OF_ONE_PIECE), st.text(max_size=60), st.text(max_size=60))
def test_no_secret_is_left_and_redacting_twice_changes_nothing(rule, before, after):
    vector = fill(rule.vector, rule.id)
    once = redact(f"{before}\n{vector}\n{after}", KEY)
    assert secret_of(rule) not in once
    assert redact(once, KEY) == once


@given(
    st.lists(st.sampled_from(OF_ONE_PIECE), min_size=2, max_size=5), st.sampled_from(["\n", " ", ";", "&", '"', ","])
)
def test_secrets_that_stand_close_are_all_taken_out(rules, between):
    text = between.join(fill(rule.vector, rule.id) for rule in rules)
    once = redact(text, KEY)
    assert redact(once, KEY) == once
    for hit in find(text):
        assert hit.value not in once


def test_a_secret_is_taken_out_although_the_one_before_it_runs_into_it():
    line = "machine a.example.test login u password {}"
    text = ";".join(line.format(value) for value in ("cNAHz2TADy4eWheo", "qLPkz7TXDy2eWbeo", "tYPkz7TXDy2eWbqR"))
    once = redact(text, KEY)
    assert not any(value in once for value in ("cNAHz2TADy4eWheo", "qLPkz7TXDy2eWbeo", "tYPkz7TXDy2eWbqR"))


@given(st.text(max_size=200))
def test_any_text_is_redacted_once_for_all(text):
    once = redact(text, KEY)
    assert redact(once, KEY) == once


@pytest.mark.parametrize("around", ["a_{}", "x{}", "{}_y", "/tmp/{}.txt", "https://x.example/?q={}", "ghp_{}"])
@pytest.mark.parametrize("template", ["{github:ghp_}", "glpat-{an:20}", "AKIA{b32:16}", "sk-ant-api03-{an:93}AA"])
def test_a_key_cannot_hide_behind_its_neighbours(template, around):
    value = fill(template, "hide")
    assert value not in redact(around.format(value), KEY)


def test_a_key_behind_url_escapes_is_taken_out():
    key = fill("aws_secret_access_key = {b64:40}", "url")
    escaped = urllib.parse.quote(key, safe="")
    assert escaped[-30:] not in redact(f"https://x.example/?q={escaped}&b=1", KEY)


@pytest.mark.parametrize("password", ["{an:14}", "{an:6}%40{an:6}", "{an:5}%3A%2F{an:6}", "{an:4}:{an:9}"])
def test_a_password_in_a_url_goes_and_the_host_stays(password):
    value = fill(password, "url")
    shown = redact(f"git push https://user:{value}@git.example.test/x.git main", KEY)
    assert value not in shown
    assert "@git.example.test/x.git main" in shown


@pytest.mark.parametrize(
    "label",
    ["4d5a90000300000004000000ffff0000", "nfxgk3tboruw63tbnrqxi2lp", "a9f8x7q2m4k1p0z3v6w5", "0123456789abcdef01"],
)
def test_a_label_that_carries_data_becomes_a_print(label):
    shown = redact_host(f"{label}.evil.example:53", KEY)
    assert label not in shown
    assert shown.startswith("[print:")
    assert shown.endswith("].evil.example:53")
    assert redact_host(shown, KEY) == shown
    assert label not in redact_host(f"{label}.evil.example")


@pytest.mark.parametrize(
    "host",
    [
        "github.com",
        "registry.example.test:8443",
        "my-long-service-name-in-production.internal.example.com",
        "ec2-203-0-113-25.compute-1.amazonaws.com",
        "xn--bcher-kva-and-a-longer-name.example",
        "objects.githubusercontent.com",
        "[2001:db8::1]:443",
        "127.0.0.1",
        "documentationandtutorials.example",
    ],
)
def test_a_host_that_is_a_name_stays(host):
    assert redact_host(host, KEY) == host


def test_nested_data_is_redacted_to_its_depth_keys_included():
    value = fill("{github:ghp_}", "x")
    deep = {"a": [1, None, True, {"b": ("x", value)}], value: 2}
    shown = redact_struct(deep, KEY)
    assert value not in str(shown)
    assert shown["a"][:3] == [1, None, True]
    assert shown["a"][3]["b"][0] == "x"
    nested = value
    for _ in range(50_000):
        nested = [nested]
    shown = redact_struct(nested, KEY)
    while isinstance(shown, list):
        shown = shown[0]
    assert shown.startswith("[secret:")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(string.printable), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_data_without_secrets_comes_back_equal(value):
    if not find(str(value)):
        assert redact_struct(value, KEY) == value


def test_a_marking_is_taken_out_whatever_sign_follows_it():
    for sign in "&|\"'<\n":
        assert "SP-CTI" not in redact(f"CUI//SP-CTI{sign}x", KEY)
