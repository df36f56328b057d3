"""Which hosts are lent to a command."""

from __future__ import annotations

import pytest

from outrider.charter.parse import parse
from outrider.confine.reaches import host_and_port, hosts_of, inside, private, refused, written
from outrider.errors import BadInputError


def test_a_known_agent_host_is_lent_its_usual_model_and_another_program_nothing():
    assert hosts_of("claude", {}) == ("api.anthropic.com:443",)
    assert hosts_of("make", {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8080"}) == ()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("https://LLM.corp.example", "llm.corp.example:443"),
        ("http://key@models.example/x", "models.example:80"),
        ("http://[::1]:9", "[::1]:9"),
        ("http://127.1:80/", "127.0.0.1:80"),
    ],
)
def test_a_model_that_the_environment_names_takes_the_place_of_the_usual_one(url, expected):
    assert hosts_of("claude", {"ANTHROPIC_BASE_URL": url, "OPENAI_BASE_URL": "http://other.example"}) == (expected,)


@pytest.mark.parametrize("url", ["", "localhost:80", "file:///etc", "ftp://models.example"])
def test_what_names_no_model_changes_nothing(url):
    assert hosts_of("claude", {"ANTHROPIC_BASE_URL": url}) == ("api.anthropic.com:443",)


@pytest.mark.parametrize("url", ["http://*.example/", "http://models.example:99999"])
def test_a_model_whose_address_makes_no_sense_is_not_lent_and_neither_is_the_usual_one(url):
    assert hosts_of("claude", {"ANTHROPIC_BASE_URL": url}) == ()


def test_what_is_to_be_lent_must_be_one_host_and_one_port():
    assert written(host_and_port("LocalHost:80")) == "localhost:80"
    for text in ("models.example", "*:80", "*.example:443", "10.0.0.0/8:80", "", ":80", "a b:80", "http://a:80"):
        with pytest.raises(BadInputError):
            host_and_port(text)


def test_what_a_charter_refuses_whatever_else_it_says_is_found_among_hosts():
    base = parse(
        '[charter]\nname = "x"\n[may]\nconnect = ["*"]\n[never]\nconnect = ["169.254.169.254", "@loopback"]\n',
        source="x",
    )
    hosts = ("169.254.169.254:80", "127.0.0.1:8080", "api.anthropic.com:443")
    assert refused(hosts, (base,)) == hosts[:2]


def test_loopback_is_to_be_there_inside_and_nothing_else():
    assert inside(("localhost:80", "127.0.0.2:81", "[::1]:82", "10.0.0.1:83", "models.example:84")) == (
        ("localhost", 80), ("127.0.0.2", 81), ("::1", 82),
    )  # fmt: skip


def test_private_networks_are_told_from_this_machine_and_its_cloud():
    assert all(map(private, ("10.1.2.3", "192.168.0.9", "fd00::8", "::ffff:10.0.0.1")))
    assert not any(map(private, ("127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "1.1.1.1", "x")))
