"""What is said of a name: known, almost another's, a module's, or nothing at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.detect.dependencies.filters import build, read
from outrider.detect.dependencies.known import SHIPPED, Facts, index, modules, shipped
from outrider.detect.dependencies.marks import is_suspect
from outrider.detect.dependencies.names import ECOSYSTEMS, is_name, normal
from outrider.errors import BadInputError

MADE = "2026-01-02"


def brought(*names: str, ecosystem: str = "pypi", kind="names") -> Facts:
    return Facts({"a": build(names, ecosystem=ecosystem, kind=kind, made=MADE, source="example")})


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        ("pypi", "requests"), ("pypi", "Django"), ("pypi", "typing_extensions"), ("pypi", "ruamel.yaml"),
        ("npm", "lodash"), ("npm", "@types/node"), ("cargo", "serde_json"), ("cargo", "serde-json"),
        ("go", "github.com/go-chi/chi/v5"), ("go", "gopkg.in/yaml.v3"), ("gem", "rails"),
        ("maven", "com.google.guava:guava:33.0-jre"), ("composer", "monolog/monolog"), ("nuget", "newtonsoft.json"),
        ("docker", "docker.io/library/nginx:1.27"), ("docker", "postgres@sha256:00"),
        ("actions", "actions/cache/restore"),
        ("conda", "numpy"), ("conda", "python"), ("deb", "curl"),
    ],
)  # fmt: skip
def test_a_popular_name_is_known_however_it_is_spelt(ecosystem, name):
    assert SHIPPED.ask(ecosystem, name).word == "known"


@pytest.mark.parametrize(
    ("ecosystem", "name", "meant"),
    [
        ("pypi", "reqeusts", "requests"), ("pypi", "requestss", "requests"), ("pypi", "reques7s", "requests"),
        ("pypi", "djang0", "django"), ("pypi", "beautiful-soup-4", "beautifulsoup4"), ("pypi", "nurnpy", "numpy"),
        ("npm", "lodahs", "lodash"), ("npm", "expresss", "express"), ("npm", "typescrypt", "typescript"),
        ("npm", "@babell/core", "@babel/core"), ("cargo", "serd_json", "serde-json"), ("gem", "nokogirl", "nokogiri"),
        ("go", "github.com/sirupsem/logrus", "github.com/sirupsen/logrus"),
        ("actions", "actoins/checkout", "actions/checkout"),
        ("docker", "ngnix", "nginx"), ("composer", "guzlehttp/guzzle", "guzzlehttp/guzzle"),
        ("maven", "com.google.guavva:guava", "com.google.guava:guava"),
    ],
)  # fmt: skip
def test_a_name_that_is_almost_a_popular_one_is_told_with_the_one_that_is_meant(ecosystem, name, meant):
    verdict = SHIPPED.ask(ecosystem, name)
    assert verdict.word == "near"
    assert verdict.near is not None
    assert verdict.near.name == normal(ecosystem, meant)


def test_one_letter_in_a_long_word_weighs_more_than_in_a_short_one():
    near = {name: SHIPPED.ask("pypi", name).near for name in ("matplotlob", "nunpy", "httpx2", "cryptogrophi")}
    assert {name: one and one.confidence for name, one in near.items()} == {
        "matplotlob": "high", "nunpy": "low", "httpx2": "low", "cryptogrophi": "medium",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [("npm", "@types/some-library-of-ours"), ("go", "golang.org/x/synk"), ("actions", "actions/checkouts"),
     ("maven", "org.springframework:spring-cores")],
)  # fmt: skip
def test_what_stands_in_a_space_of_one_owner_imitates_nobody(ecosystem, name):
    assert SHIPPED.ask(ecosystem, name).word == "not-checked"


@pytest.mark.parametrize(
    ("name", "package"), [("git", "GitPython"), ("cv2", "opencv-python"), ("yaml", "PyYAML"), ("json", "-")]
)
def test_the_name_of_a_module_brings_the_package_that_it_comes_in(name, package):
    verdict = SHIPPED.ask("pypi", name)
    assert (verdict.word, verdict.package) == ("confused", package)


@pytest.mark.parametrize("name", ["docx", "argparse", "django-rest-framework"])
def test_a_package_of_its_own_with_the_name_of_a_module_is_told_and_nobody_is_suspected(name):
    verdict = SHIPPED.ask("pypi", name)
    assert verdict.word == "namesake"
    assert not is_suspect(verdict)


@pytest.mark.parametrize(("name", "word"), [("flaskcorspy", "not-checked"), ("flaskcorsss", "near")])
def test_two_letters_more_at_an_end_are_a_name_unless_a_finger_stayed(name, word):
    assert SHIPPED.ask("pypi", name).word == word


def test_a_name_of_which_nothing_is_known_is_not_checked_and_never_known_or_unknown():
    assert SHIPPED.ask("pypi", "quaternion-toolbench").word == "not-checked"
    assert SHIPPED.ask("brew", "quaternion-toolbench").word == "not-checked"


def test_with_a_whole_list_a_name_that_is_not_in_it_is_unknown():
    facts = brought("requests", "quaternion-toolbench")
    assert facts.ask("pypi", "quaternion_toolbench").word == "known"
    assert facts.ask("pypi", "made-up-by-a-model").word == "unknown"
    assert facts.ask("npm", "made-up-by-a-model").word == "not-checked"


def test_a_real_package_an_edit_from_a_popular_one_is_only_worth_a_word():
    verdict = brought("matplotlob").ask("pypi", "matplotlob")
    assert verdict.word == "near"
    assert verdict.near is not None
    assert verdict.near.confidence == "low"


def test_a_malicious_name_is_malicious_even_if_it_is_known():
    facts = brought("requests", kind="malicious")
    assert facts.ask("pypi", "Requests").word == "malicious"
    assert facts.ask("pypi", "flask").word == "known"


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
def test_every_name_that_ships_is_a_name_and_no_modules(ecosystem):
    names = shipped(ecosystem)
    assert len(names) >= 200
    assert [name for name in names if not is_name(ecosystem, name)] == []
    assert names.isdisjoint(modules(ecosystem))


@pytest.mark.parametrize("ecosystem", ["pypi", "npm"])
def test_the_package_that_is_meant_by_a_module_is_known(ecosystem):
    packages = {normal(ecosystem, package) for package in modules(ecosystem).values()} - {"-"}
    assert packages <= shipped(ecosystem)


@given(st.sets(st.text(max_size=40), max_size=200), st.text(max_size=40), st.sampled_from(["names", "malicious"]))
def test_a_filter_never_denies_what_it_holds(names, other, kind):
    held = read(build(names, ecosystem="pypi", kind=kind, made=MADE, source="example"))
    assert all(name in held for name in names)
    assert held.head.count == len(names)
    if kind == "malicious":
        assert (other in held) == (other in names)


def test_a_filter_is_wrong_about_absent_names_as_seldom_as_it_says():
    held = read(build((f"n{n}" for n in range(20_000)), ecosystem="pypi", kind="names", made=MADE, source="example"))
    wrong = sum(f"x{n}" in held for n in range(50_000))
    assert wrong <= 25


@pytest.mark.parametrize(
    "data",
    [b"", b"outrider-facts 1\n", b"outrider-facts 1\n{}\n", b"outrider-facts 2\n{}\nx", b"\x00" * 40,
     build(["a"], ecosystem="pypi", kind="malicious", made=MADE, source="x")[:-1]],
)  # fmt: skip
def test_a_file_that_holds_no_facts_is_refused(data):
    with pytest.raises(BadInputError):
        read(data)


@settings(max_examples=300)
@given(st.sampled_from([*ECOSYSTEMS, "conda", "brew", "none"]), st.text(max_size=300))
def test_every_text_has_a_verdict(ecosystem, name):
    assert SHIPPED.ask(ecosystem, name).word in {"known", "near", "confused", "namesake", "not-checked"}


@given(st.sampled_from(sorted(shipped("pypi"))), st.integers(0, 30), st.characters(codec="ascii", categories=["Ll"]))
def test_a_letter_put_into_a_long_popular_name_never_makes_it_known_by_chance(name, at, letter):
    squat = name[:at] + letter + name[at:]
    verdict = SHIPPED.ask("pypi", squat)
    long = len(name.replace("-", "")) >= 7
    assert verdict.word in {"near", "known", "confused"} or not long or squat.startswith("-") or squat.endswith("-")


def test_the_index_takes_a_names_own_spelling_for_no_imitation_of_itself():
    assert all(index("npm").near(name) is None or name in shipped("npm") for name in list(shipped("npm"))[:200])


@pytest.mark.parametrize("kind", ["names", "malicious"])
def test_a_file_that_was_cut_or_changed_is_refused_and_not_taken_for_a_list_of_little(kind):
    data = build(["requests", "flask"], ecosystem="pypi", kind=kind, made=MADE, source="example")
    assert "requests" in read(data)
    changed = data[:-1] + bytes([data[-1] ^ 1])
    for bad in (data[:-1], changed, data + b"\0"):
        with pytest.raises(BadInputError, match="damaged"):
            read(bad)
