import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.paths import below, folded, glob_regex, normal, overlaps, parse_path
from outrider.charter.patterns import Asked, Declared, Index, Scene
from outrider.errors import CharterError

HOME, REPO = "/home/u", "/home/u/srv/r"
SCENE = Scene(HOME, REPO, ("/tmp",), {})


def falls(pattern, value, *flags, strict=False, verb="read"):
    index = Index([Declared("p", verb, pattern, strict)])
    return index.members(Asked(verb, "path", value, tuple(sorted(flags))), SCENE) == ("p",)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("repo/**", [REPO, f"{REPO}/a", f"{REPO}/a/b.py", f"{REPO}/.env"], [f"{REPO}x/a", "/home/u/srv", "/"]),
        ("repo/*", [f"{REPO}/a"], [REPO, f"{REPO}/a/b"]),
        ("repo/*.py", [f"{REPO}/a.py", f"{REPO}/.py"], [f"{REPO}/a.pyc", f"{REPO}/d/a.py"]),
        ("repo/**/test_?.py", [f"{REPO}/test_a.py", f"{REPO}/x/y/test_b.py"], [f"{REPO}/test_ab.py"]),
        ("repo/[id].tsx", [f"{REPO}/[id].tsx"], [f"{REPO}/i.tsx"]),
        ("repo", [REPO], [f"{REPO}/a"]),
        ("~/.ssh/**", [f"{HOME}/.ssh", f"{HOME}/.ssh/id"], [f"{HOME}/.sshx", "/root/.ssh/id"]),
        ("**/.env", ["/.env", f"{REPO}/.env", "/a/b/.env"], [f"{REPO}/.envrc", f"{REPO}/x.env", "/.env/x"]),
        ("**/.claude/settings*.json", ["/x/.claude/settings.local.json"], ["/x/.claude/commands/settings.md"]),
        ("/etc/**", ["/etc", "/etc/x/y"], ["/etcetera"]),
        ("*", ["/anything/at/all"], []),
        ("@tmp", ["/tmp", "/tmp/x", "/dev/null"], ["/tmpx", "/dev/sda"]),
        ("@system", ["/usr/lib/x", "/etc/passwd", f"{HOME}/.cargo/bin/x", "/"],
         ["/etc/shadow", "/etc/shadow-", "/proc/1/environ",
                     "/proc/self/environ", "/etc/ssl/private/k.pem", f"{HOME}/notes", f"{HOME}/.git-credentials"]),
        ("@caches", [f"{HOME}/.cache/pip/x", f"{HOME}/.npm/_cacache/a"], [f"{HOME}/.npmrc"]),
    ],
)  # fmt: skip
def test_patterns_cover_what_they_say_and_nothing_else(pattern, inside, outside):
    assert [value for value in inside if not falls(pattern, value)] == []
    assert [value for value in outside if falls(pattern, value)] == []


@pytest.mark.parametrize(
    ("group", "inside", "outside"),
    [
        ("@keys", ["~/.ssh/id_rsa", "~/.ssh/id_ed25519_work", "~/.mozilla/firefox/x/logins.json", "~/.SSH/ID_RSA"],
         ["~/.ssh/id_rsa.pub", "~/.ssh/config", "~/notes"]),
        ("@credentials", ["~/.aws/credentials", "~/.ssh/work.key", "~/.pgpass", "/run/secrets/cloud/token"],
         ["~/.aws/config", "~/.ssh/known_hosts", "~/.ssh", "/run/secrets/cloud/namespace", "~/.awsome"]),
        ("@host", ["/etc/hosts", "/usr/bin/ls", "/var/lib/x", "/root/.profile", "/"],
         ["/usr/local/bin/x", "/tmp/x", "/var/www/html/index.html", "/dev/null", f"{REPO}/etc/hosts", "~/x"]),
    ],
)  # fmt: skip
def test_a_refusal_by_group_leaves_out_what_lets_nobody_in(group, inside, outside):
    for wanted, values in ((True, inside), (False, outside)):
        for value in values:
            path = value.replace("~", HOME, 1)
            assert falls(group, path, strict=True) is wanted, value


def test_a_tree_or_a_glob_that_holds_keys_is_not_left_out():
    assert falls("@credentials", f"{HOME}/.ssh", "recursive", strict=True)
    assert falls("@credentials", f"{HOME}/.ssh/*", "pattern", strict=True)
    assert falls("@keys", f"{HOME}/.ssh/id_*", "pattern", strict=True)
    assert not falls("@keys", f"{HOME}/.ssh/*.pub", "pattern", strict=True)
    assert falls("@host", "/var", "recursive", strict=True)
    assert not falls("@host", "/tmp/build", "recursive", strict=True)


def test_dots_and_doubled_slashes_do_not_escape():
    assert not falls("repo/**", f"{REPO}/../other/x")
    assert not falls("repo/**", f"{REPO}/a/../../x")
    assert falls("repo/**", f"{REPO}//a/./b")
    assert falls("~/.ssh/**", f"{REPO}/../../.ssh/id", strict=True)


@pytest.mark.parametrize("value", [".SSH/id", ".ssh\u200d/id", ".\uff53sh/id", ".Ssh"])
def test_refusals_see_through_case_and_unicode_tricks(value):
    assert falls("~/.ssh/**", f"{HOME}/{value}", strict=True)
    assert not falls("~/.ssh/**", f"{HOME}/{value}")


def test_a_permission_does_not_stretch_to_another_case():
    assert not falls("repo/src/**", f"{REPO}/SRC/x")


@pytest.mark.parametrize(
    ("value", "met"),
    [
        (f"{HOME}/.s*/id_rsa", True),
        (f"{HOME}/.ss[gh]/x", True),
        (f"{HOME}/.{{ssh,aws}}/x", True),
        (f"{HOME}/*/id_rsa", False),
        (f"{HOME}/.*/id_rsa", True),
        (f"{HOME}/**", True),
        (f"{REPO}/**", False),
        (f"{HOME}/srv/*", False),
        ("/home/*/.ssh/id", True),
        (f"{REPO}/*.py", False),
    ],
)
def test_a_shell_glob_that_could_match_a_refused_path_is_refused(value, met):
    assert falls("~/.ssh/**", value, "pattern", strict=True) is met


@pytest.mark.parametrize(
    ("pattern", "value", "held"),
    [
        ("~/.ssh/**", HOME, True),
        ("~/.ssh/**", "/home", True),
        ("~/.ssh/**", "/", True),
        ("~/.ssh/**", f"{HOME}/srv", False),
        ("**/.env", REPO, False),
        ("**/.claude/settings*.json", f"{REPO}/.claude", True),
        ("**/.claude/settings*.json", REPO, False),
        ("**/.git/hooks/**", f"{REPO}/.git", True),
        ("repo", f"{REPO}/build", False),
        ("repo", "/home/u/srv", True),
    ],
)
def test_a_whole_tree_is_refused_for_what_is_surely_in_it(pattern, value, held):
    assert falls(pattern, value, "recursive", strict=True) is held


@pytest.mark.parametrize(
    ("value", "met"), [("*", False), ("*.py", False), (".e*", True), ("**/.env", True), ("**", False)]
)
def test_a_star_does_not_reach_hidden_files_as_in_a_shell(value, met):
    assert falls("**/.env", f"{REPO}/{value}", "pattern", strict=True) is met


def test_listing_names_is_not_reading_what_is_below():
    assert not falls("~/.ssh/**", "/", "recursive", "names", strict=True)
    assert falls("/", "/", "recursive", "names")


def test_what_permits_a_directory_alone_does_not_permit_its_tree():
    assert falls("/", "/")
    assert not falls("/", "/", "recursive")
    assert falls("repo/src/**", f"{REPO}/src", "recursive")
    assert not falls("repo/src", f"{REPO}/src", "recursive")


def test_a_path_whose_start_is_not_known_still_meets_refusals():
    assert falls("**/.env", "$D/.env", "inexact", strict=True)
    assert falls("~/.ssh/**", "$D/.ssh/id_rsa", "inexact", strict=True)
    assert not falls("~/.ssh/**", "$D/src/a.py", "inexact", strict=True)
    assert not falls("repo/**", "$D/a.py", "inexact")


def test_a_path_on_another_host_is_not_one_here():
    assert not falls("repo/**", f"{REPO}/a", "remote")
    assert falls("remote:/srv/**", "/srv/x", "remote")
    assert not falls("remote:/srv/**", "/srv/x")
    assert falls("**/.env", "/srv/app/.env", "remote", strict=True)
    assert falls("remote:/**", "notes.txt", "remote")


def test_globs_of_the_system_group_do_not_reach_what_it_leaves_out():
    assert not falls("@system", "/etc/shado*", "pattern")
    assert falls("@system", "/etc/host*", "pattern")


@pytest.mark.parametrize("text", ["src/**", "", "repo/a**", "repo/../x", "~/./x", "./x", "repo/*a*b*c*d*e", "a\0b"])
def test_a_pattern_that_says_nothing_certain_is_refused(text):
    with pytest.raises(CharterError) as caught:
        parse_path(text)
    assert str(caught.value)


names = st.text(alphabet="ab.*?[", min_size=1, max_size=5).filter(lambda s: s not in {".", ".."} and s.count("*") < 4)
segments = st.lists(st.one_of(st.just("**"), names.filter(lambda s: "**" not in s)), max_size=4)
plain = st.lists(st.text(alphabet="ab.[", min_size=1, max_size=4), max_size=5).map(tuple)


def slow(pattern, value):
    """The definition of a match, without cleverness."""
    if not pattern:
        return not value
    if pattern[0] == "**":
        return any(slow(pattern[1:], value[at:]) for at in range(len(value) + 1))
    return bool(value) and slow_name(pattern[0], value[0]) and slow(pattern[1:], value[1:])


def slow_name(pattern, name):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(slow_name(pattern[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and (pattern[0] in ("?", name[0])) and slow_name(pattern[1:], name[1:])


@given(segments, plain)
def test_the_regular_expression_is_the_definition(pattern, value):
    text = "".join("/" + part for part in value)
    found = re.compile("(?s)" + glob_regex(tuple(pattern))).fullmatch(text) is not None
    assert found == slow(tuple(pattern), value)


@given(segments, plain)
def test_a_literal_value_overlaps_exactly_what_it_matches(pattern, value):
    if any("[" in part for part in value):
        return
    assert overlaps(value, tuple(pattern)) == slow(tuple(pattern), value)


@given(st.text(alphabet="/.ab", max_size=12))
def test_normal_is_what_posixpath_says_with_one_leading_slash(text):
    path = "/" + text
    assert normal(path) == "/" + posixpath.normpath(path).lstrip("/")
    assert normal(normal(path)) == normal(path)


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once_and_never_fails(text):
    assert folded(folded(text)) == folded(text) or not text.isascii()
    assert below("/" + text, "/nowhere-else") is None or text.startswith("nowhere-else")
