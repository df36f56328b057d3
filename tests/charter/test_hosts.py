import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.hosts import host, parse_host
from outrider.charter.patterns import Asked, Declared, Index, Scene
from outrider.errors import CharterError

SCENE = Scene("/h", "/h/r", (), {"registries": ("packages.example.org", "*.mirror.example:8443")})


def falls(pattern, value):
    return Index([Declared("p", "connect", pattern, strict=True)]).members(Asked("connect", "host", value, ()), SCENE)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("example.com", ["example.com", "EXAMPLE.com.", "example.com:8080"], ["a.example.com", "example.com.evil.org"]),
        ("*.example.com", ["a.example.com", "a.b.example.com"], ["example.com", "xexample.com", ".example.com"]),
        ("api-*.example.com", ["api-1.example.com"], ["api-1.x.example.com", "api.example.com"]),
        ("example.com:8080", ["example.com:8080"], ["example.com", "example.com:80"]),
        ("*", ["anything.example", "10.0.0.1", "[::1]:80"], []),
        ("@registries", ["packages.example.org:443", "a.mirror.example:8443"], ["a.mirror.example", "example.org"]),
        ("@loopback", ["localhost", "localhost:3000", "127.0.0.1", "127.9.9.9:1", "[::1]:80", "0x7f000001",
                       "app.localhost", "::ffff:127.0.0.1"], ["128.0.0.1", "localhost.evil.org"]),
        ("10.0.0.0/8", ["10.1.2.3", "0xa.1", "167772161"], ["11.0.0.1", "ten.example"]),
        ("bücher.example", ["xn--bcher-kva.example", "BÜCHER.example"], ["bucher.example"]),
    ],
)  # fmt: skip
def test_host_patterns_cover_what_they_say_and_nothing_else(pattern, inside, outside):
    assert [value for value in inside if not falls(pattern, value)] == []
    assert [value for value in outside if falls(pattern, value)] == []


METADATA = ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "[::ffff:a9fe:a9fe]",
            "169.254.43518", "0xA9.254.0251.254:80", "169.254.169.254."]  # fmt: skip


@pytest.mark.parametrize("spelling", METADATA)
def test_every_spelling_of_an_address_is_the_address(spelling):
    assert falls("169.254.169.254", spelling)


@pytest.mark.parametrize("text", ["https://example.com", "example.com/path", "", "exa mple.com", "a..b",
                                  "example.com:0", "example.com:http", "example.com:70000",
                                  "*.*.*.*.*.com"])  # fmt: skip
def test_what_is_not_a_host_pattern_is_refused(text):
    with pytest.raises(CharterError):
        parse_host(text)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_one_number_is_an_address_in_every_base(number, form):
    assert host(form.format(number)).address == ipaddress.IPv4Address(number)


@given(st.text(max_size=30))
def test_no_text_upsets_the_reader_of_hosts(text):
    assert isinstance(host(text).name, str)
    assert falls("*", text)
