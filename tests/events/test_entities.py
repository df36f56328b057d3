import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.events.call import Effect
from outrider.events.entities import (
    KINDS,
    entities_of_effects,
    guess,
    keyed_print,
    mentions,
    normalise,
    same_commit,
)
from outrider.events.hosts import normal_host, normal_ip, normal_url
from outrider.events.record import Entity

KEY = b"k" * 32


@pytest.mark.parametrize(
    "spelling",
    [
        "evil.example",
        "EVIL.example.",
        "Evil.Example:443",
        "HTTPS://Evil.example:443/x",
        "http://user:pw@evil.example/x?y#z",
        "evil.example:80",
        "evil\u3002example",
    ],
)
def test_every_spelling_of_a_host_meets(spelling):
    assert ("host", "evil.example") in guess(spelling, key=KEY)


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "127.0.0.1:443",
        "\u2460\u2461\u2466.1",
    ],
)
def test_every_spelling_of_an_address_meets(spelling):
    assert normal_host(spelling) == ("ip", "127.0.0.1")


def test_a_decimal_number_is_an_address_where_a_host_is_expected():
    assert normal_ip("2130706433") == "127.0.0.1"
    assert ("ip", "127.0.0.1") in guess("http://2130706433/")


@pytest.mark.parametrize("text", ["", ".", "a..b", "-x.example", "300.1.1.1", "1.2.3.4.5", "a b", "x" * 300, "08.1"])
def test_what_is_no_host_has_no_normal_form(text):
    assert normal_ip(text) == ""
    assert normal_host(text)[1] in ("", "08.1", "300.1.1.1", "1.2.3.4.5")


def test_names_that_are_not_ascii_are_punycode():
    assert normalise("host", "B\u00dcCHER.example") == "xn--bcher-kva.example"


def test_a_port_of_its_own_is_kept_and_the_host_is_found_without_it_too():
    effect = Effect(verb="connect", kind="host", value="Evil.example:8443")
    assert entities_of_effects([effect]) == (
        Entity("sent", "host", "evil.example:8443"),
        Entity("sent", "host", "evil.example"),
    )


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_meets_its_number_in_every_base(number):
    plain = str(ipaddress.IPv4Address(number))
    assert normal_ip(str(number)) == normal_ip(hex(number)) == normal_ip(f"0{number:o}") == plain


@given(st.integers(0, 2**128 - 1))
def test_an_ipv6_address_meets_its_long_form(number):
    address = ipaddress.IPv6Address(number)
    assert normal_ip(address.exploded) == normal_ip(address.compressed.upper())


@given(st.text(max_size=80))
def test_normal_forms_are_stable_and_nothing_raises(text):
    for kind in KINDS:
        once = normalise(kind, text, key=KEY, home="/home/u")
        assert isinstance(once, str)
        if kind not in ("url", "secret"):
            assert normalise(kind, once, home="/home/u") == once
    url = normal_url(text)
    assert normal_url(url) == url


@given(st.text(max_size=200))
def test_guessing_and_reading_mentions_never_raise(text):
    guess(text, key=KEY)
    assert len(mentions(text, limit=5)) <= 5


def test_a_path_is_absolute_and_plain():
    assert normalise("path", "/a//b/./c/../d") == "/a/b/d"
    assert normalise("path", "~/x", home="/home/u") == "/home/u/x"
    assert normalise("path", "//etc/passwd") == "/etc/passwd"
    assert normalise("path", "file:///etc/passwd") == "/etc/passwd"
    assert normalise("path", "relative") == ""


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("pypi:Foo_Bar", "pypi:foo-bar"),
        ("pip:Foo.Bar==1.0", "pypi:foo-bar"),
        ("pkg:pypi/Foo_Bar@1.0?x=y", "pypi:foo-bar"),
        ("npm:@Scope/Name@1.2.3", "npm:@scope/name"),
        ("pkg:npm/%40scope/name@1", "npm:@scope/name"),
        ("golang:github.com/Azure/X", "golang:github.com/Azure/X"),
        ("nothing:x", ""),
        ("pypi:", ""),
    ],
)
def test_packages_are_named_as_their_ecosystem_names_them(text, normal):
    assert normalise("package", text) == normal


def test_a_commit_matches_by_a_prefix_of_seven():
    whole = normalise("commit", "ABCDEF0123456789abcdef0123456789abcdef01")
    assert same_commit("abcdef0", whole)
    assert not same_commit("abcdef", whole)
    assert normalise("commit", "abcdef") == ""
    assert guess("abcdef0")[0] == ("commit", "abcdef0")


def test_an_email_keeps_the_case_of_its_local_part_only():
    assert normalise("email", "mailto:Bob@EXAMPLE.com") == "Bob@example.com"


def test_a_repository_is_one_whether_by_ssh_or_https():
    assert (
        normalise("repo", "git@github.com:o/r.git") == normalise("repo", "https://GitHub.com/o/r") == "github.com/o/r"
    )


def test_urls_and_secrets_are_prints_and_need_the_key():
    one = normalise("url", "HTTPS://evil.example:443/a/../b#f", key=KEY)
    assert one == normalise("url", "https://evil.example/b", key=KEY)
    assert "evil" not in one
    assert normalise("url", "https://evil.example/b", key=b"other" * 4) != one
    with pytest.raises(ValueError, match="key"):
        normalise("url", "https://evil.example/b")
    with pytest.raises(ValueError, match="no kind"):
        normalise("colour", "red")


def test_one_text_in_two_domains_has_two_prints():
    assert keyed_print("x", KEY) != keyed_print("x", KEY, domain="label")


def test_effects_become_entities_with_their_roles():
    effects = [
        Effect(verb="read", kind="path", value="/r/x/key", resolved="/home/u/.ssh/id_rsa"),
        Effect(verb="write", kind="path", value="~/out.txt"),
        Effect(verb="exec", kind="command", value="/usr/bin/git"),
        Effect(verb="install", kind="package", value="pypi:Foo_Bar"),
        Effect(verb="push", kind="repo", value="origin/main"),
        Effect(verb="call", kind="tool", value="mcp:github/get_issue"),
        Effect(verb="unparsed", kind="text", value="<<<"),
        Effect(verb="read", kind="path", value="$UNKNOWN/x"),
    ]
    assert entities_of_effects(effects, home="/home/u") == (
        Entity("read", "path", "/r/x/key"),
        Entity("read", "path", "/home/u/.ssh/id_rsa"),
        Entity("wrote", "path", "/home/u/out.txt"),
        Entity("ran", "path", "/usr/bin/git"),
        Entity("ran", "tool", "git"),
        Entity("installed", "package", "pypi:foo-bar"),
        Entity("pushed", "repo", "origin/main"),
        Entity("pushed", "branch", "main"),
        Entity("called", "tool", "mcp:github/get_issue"),
    )


def test_mentions_are_what_a_text_names():
    text = (
        "see https://evil.example/a?b=1, mail Bob@x.com or read /etc/passwd and ~/.ssh/id_rsa; "
        "[main 1a2b3c4] fix foo.py and README.md, ask evil.example. at 10.0.0.1 " + "a" * 40
    )
    found = {(entity.kind, entity.value) for entity in mentions(text, key=KEY, home="/home/u")}
    assert found == {
        ("host", "evil.example"),
        ("url", normalise("url", "https://evil.example/a?b=1", key=KEY)),
        ("email", "Bob@x.com"),
        ("host", "x.com"),
        ("path", "/etc/passwd"),
        ("path", "/home/u/.ssh/id_rsa"),
        ("commit", "1a2b3c4"),
        ("ip", "10.0.0.1"),
        ("commit", "a" * 40),
    }


@given(st.text(alphabet=string.ascii_lowercase + ".@:/-", max_size=60))
def test_what_is_mentioned_is_in_normal_form(text):
    for entity in mentions(text):
        assert normalise(entity.kind, entity.value) == entity.value


@pytest.mark.parametrize("unit", ["a.", "/a", "a@b.", "x://", "1.1.", "[a "])
def test_a_long_text_of_nothing_but_beginnings_is_read_in_linear_time(unit):
    # Megabytes of this would take hours, were the reading not linear.
    text = "first.example " + unit * (2_000_000 // len(unit))
    assert mentions(text)[0] == Entity("mentioned", "host", "first.example")
