"""What a plan grants, never grants, and says that it cannot hold."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.bound import Asker, Bindings, Bound, bind, scene
from outrider.charter.floor import floor
from outrider.charter.model import Charter
from outrider.charter.parse import parse
from outrider.charter.patterns import Asked, Declared, Index
from outrider.charter.ruling import Context, context_of
from outrider.charter.values import Entity, Uid
from outrider.confine.plan import Host, Places, Plan, Seen, plan, reaches, wanted

HOME, REPO = "/home/ada", "/home/ada/src/app"
FULL = Host(landlock=7, namespaces=True, seccomp=True)
FILES_ONLY = Host(landlock=7, namespaces=False, seccomp=True)
NOTHING = Host()

CHARTERS = Path(__file__).parents[2] / "charters"


def line(name: str) -> tuple[Charter, ...]:
    out = []
    while name:
        out.append(parse((CHARTERS / f"{name}.toml").read_text(), source=name))
        name = out[-1].extends
    return tuple(out)


def places(
    charters: tuple[Charter, ...], *, inside: tuple[str, ...] = (), files: frozenset[str] = frozenset()
) -> Places:
    """Places where everything that a charter could name is there, and is a directory unless it is said to be a file."""
    here = Places(home=HOME, repo=REPO, outrider=f"{HOME}/.outrider", inside=inside)
    seen = {path: Seen(real=path, folder=path not in files) for path in wanted(charters, here)}
    return Places(home=HOME, repo=REPO, outrider=f"{HOME}/.outrider", inside=inside, seen=seen)


def made(name: str, host: Host = FULL, *, inside: tuple[str, ...] = ()) -> Plan:
    return plan(line(name), host, places(line(name), inside=inside))


def named(one: Plan, what: str) -> tuple[str, ...]:
    return tuple(pattern for lack in one.lacks if lack.what == what for pattern in lack.patterns)


def test_a_coder_reaches_its_repository_and_not_the_users_keys() -> None:
    one = made("coder")
    assert reaches(one, "write", f"{REPO}/src/main.py")
    assert reaches(one, "read", "/usr/lib/libc.so.6")
    assert reaches(one, "write", f"{HOME}/.cache/pip/x")
    for path in (f"{HOME}/.ssh/id_ed25519", f"{HOME}/.aws/credentials", f"{HOME}/notes.txt", "/srv2/data"):
        assert not reaches(one, "read", path), path
    assert not reaches(one, "write", "/usr/bin/git")
    assert not reaches(one, "write", f"{HOME}/.bashrc")


@pytest.mark.parametrize("name", ["coder", "ops", "researcher", "reviewer", "ci", "unclaimed"])
def test_outriders_home_is_in_no_plan(name: str) -> None:
    one = made(name)
    for path in ("keys/log.key", "run/daemon.sock", "config.toml", "charters/coder.toml", "record/journal"):
        assert not reaches(one, "read", f"{HOME}/.outrider/{path}")
        assert not reaches(one, "write", f"{HOME}/.outrider/{path}")


def test_what_is_refused_inside_the_repository_is_hidden_or_kept() -> None:
    inside = (f"{REPO}/.env", f"{REPO}/.git/hooks", f"{REPO}/.git/config", f"{REPO}/.claude/settings.json")
    one = made("coder", inside=inside)
    assert not reaches(one, "read", f"{REPO}/.env")
    for path in (".git/hooks/pre-commit", ".git/config", ".claude/settings.json"):
        assert not reaches(one, "write", f"{REPO}/{path}")
        assert reaches(one, "read", f"{REPO}/{path}")
    assert reaches(one, "write", f"{REPO}/.git/index")


def test_without_a_view_of_its_own_what_cannot_be_refused_is_named() -> None:
    one = made("coder", FILES_ONLY, inside=(f"{REPO}/.env",))
    assert one.hidden == one.kept == one.emptied == ()
    assert "**/.env" in named(one, "never.read")
    assert "**/.git/hooks/**" in named(one, "never.write")
    assert {lack.what for lack in one.lacks} >= {"sockets", "tmp", "network"}
    assert one.network == "port"
    assert one.held


@pytest.mark.parametrize("host", [FULL, FILES_ONLY], ids=["own", "shared"])
@pytest.mark.parametrize("home", ["/tmp/x/.outrider", f"{HOME}/.outrider"])
def test_outriders_own_files_in_a_directory_for_temporary_files_are_kept_all_the_same(host: Host, home: str) -> None:
    charters = line("coder")
    here = Places(home=HOME, repo=REPO, outrider=home, package="/tmp/src/outrider")
    seen = {path: Seen(real=path) for path in wanted(charters, here)}
    one = plan(charters, host, Places(home=HOME, repo=REPO, outrider=home, package="/tmp/src/outrider", seen=seen))
    assert not reaches(one, "write", "/tmp/src/outrider/errors.py")
    assert reaches(one, "read", "/tmp/src/outrider/errors.py")
    for path in ("keys/log.key", "run/daemon.sock"):
        assert not reaches(one, "read", f"{home}/{path}")
        assert not reaches(one, "write", f"{home}/{path}")
    assert reaches(one, "write", f"{REPO}/src/main.py")
    assert ("/tmp" in named(one, "may.write")) == (host is FILES_ONLY)


def test_without_a_view_of_its_own_a_grant_of_everything_goes_around_outriders_own_files() -> None:
    charters = (Charter(name="wide", may={"read": ("*",), "write": ("*",)}),)
    beside = {
        "/": (("home", True), ("usr", True), ("boot.img", False)),
        "/home": (("ada", True), ("bob", True)),
        HOME: ((".outrider", True), ("src", True), ("notes.txt", False)),
        "/usr": (("lib", True),),
        "/usr/lib": (("outrider", True), ("libc.so", False)),
    }
    here = Places(home=HOME, repo=REPO, outrider=f"{HOME}/.outrider", package="/usr/lib/outrider", beside=beside)
    seen = {path: Seen(real=path) for path in wanted(charters, here)}
    one = plan(charters, FILES_ONLY, msgspec.structs.replace(here, seen=seen))
    for path in ("/boot.img", "/home/bob/x", f"{HOME}/notes.txt", f"{REPO}/a.py", "/usr/lib/libc.so"):
        assert reaches(one, "read", path), path
        assert reaches(one, "write", path), path
    assert reaches(one, "read", "/usr/lib/outrider/errors.py")
    assert not reaches(one, "write", "/usr/lib/outrider/errors.py")
    assert not reaches(one, "read", f"{HOME}/.outrider/keys/log.key")
    assert "/" in named(one, "may.write")


def test_a_directory_whose_own_removal_alone_is_refused_may_be_written_in() -> None:
    charters = (Charter(name="wide", may=dict.fromkeys(("read", "write", "delete"), ("*",)),
                        never={"delete": ("/", "/etc", "~"), "write": ("/etc/passwd",)}),)  # fmt: skip
    one = plan(charters, FULL, places(charters))
    assert reaches(one, "write", "/etc/motd")
    assert reaches(one, "delete", "/etc/motd")
    assert not reaches(one, "delete", "/etc")
    assert not reaches(one, "delete", HOME)
    assert not reaches(one, "write", "/etc/passwd")
    assert "/" not in (*one.kept, *one.hidden)


def test_a_kernel_that_offers_nothing_is_said_to_hold_nothing() -> None:
    one = made("coder", NOTHING)
    assert not one.held
    assert {lack.what for lack in one.lacks} >= {"files", "network", "seccomp", "signals", "sockets"}


def test_a_home_that_is_taken_for_a_repository_grants_nothing() -> None:
    charters = line("coder")
    for repo in (HOME, "/home", "/"):
        here = Places(home=HOME, repo=repo, outrider=f"{HOME}/.outrider")
        seen = {path: Seen(real=path) for path in wanted(charters, here)}
        one = plan(charters, FULL, Places(home=HOME, repo=repo, outrider=f"{HOME}/.outrider", seen=seen))
        assert not reaches(one, "read", f"{HOME}/notes.txt")
        assert "repo" in {lack.what for lack in one.lacks}


def test_a_link_out_of_what_is_permitted_grants_nothing() -> None:
    charters = line("coder")
    here = places(charters)
    seen = {**here.seen, f"{HOME}/.cache": Seen(real=f"{HOME}/.ssh"), f"{HOME}/.npm": Seen(real=f"{HOME}/.cache/npm")}
    one = plan(charters, FULL, Places(home=HOME, repo=REPO, outrider=f"{HOME}/.outrider", seen=seen))
    assert not reaches(one, "read", f"{HOME}/.ssh/id_ed25519")
    assert not reaches(one, "write", f"{HOME}/.cache/x")


def test_a_charter_can_only_narrow_what_it_extends() -> None:
    above = Charter(name="above", may={"read": ("/data/**",), "write": ("/data/out/**",)})
    below = Charter(name="below", extends="above", may={"read": ("*",), "write": ("/data/**", "/else/**")})
    both = (below, above)
    one = plan(both, FULL, places(both))
    assert reaches(one, "read", "/data/x")
    assert not reaches(one, "read", "/else/x")
    assert reaches(one, "write", "/data/out/x")
    assert not reaches(one, "write", "/data/x")


NAMES = st.sampled_from(["a", "b", "c", ".env", "keys"])
SEGMENTS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATHS = st.builds(lambda top, rest: f"{top}/{rest}", st.sampled_from([HOME, REPO, "", "/tmp"]), SEGMENTS)
PATTERNS = st.one_of(
    st.builds(lambda top, rest, tail: f"{top}{rest}{tail}", st.sampled_from(["~/", "repo/", "/", "**/"]), SEGMENTS,
              st.sampled_from(["", "/**"])),
    st.sampled_from(["*", "repo/**", "@tmp", "~/a/*", "~/*/b/**"]),
)  # fmt: skip
RULES = st.dictionaries(st.sampled_from(["read", "write", "delete"]), st.lists(PATTERNS, max_size=3).map(tuple))
CHARTER = st.builds(lambda may, never: (may, never), RULES, RULES)


def permitted(bound: Bound, verb: str, path: str) -> bool:
    asker = Asker(Uid("Agent", "a"), Entity({}, frozenset()), context_of(Context()))
    return bound.judge((verb, "path", path, ()), asker).verdict in {"allow", "ask"}


@given(
    rules=st.lists(CHARTER, min_size=1, max_size=3),
    path=PATHS,
    others=st.lists(PATHS, max_size=4),
    host=st.sampled_from([FULL, FILES_ONLY]),
    verb=st.sampled_from(["read", "write", "delete"]),
    folders=st.booleans(),
)
def test_nothing_is_granted_that_a_charter_denies_unless_it_is_named(
    rules: list[tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]],
    path: str,
    others: list[str],
    host: Host,
    verb: str,
    *,
    folders: bool,
) -> None:
    charters = tuple(
        Charter(name=f"c{at}", extends=f"c{at + 1}" if at + 1 < len(rules) else "", may=may, never=never)
        for at, (may, never) in enumerate(rules)
    )
    files = frozenset() if folders else frozenset({path, *others})
    one = plan(charters, host, places(charters, inside=(path, *others), files=files))
    bindings = Bindings(home=HOME, repo=REPO, protected=(f"{HOME}/.outrider",))
    denied = [charter for charter in charters if not permitted(bind(charter, bindings), verb, path)]
    if denied and reaches(one, verb, path):  # type: ignore[arg-type]
        said = {text for lack in one.lacks if lack.what.startswith("never") for text in lack.patterns}
        assert not host.namespaces, (path, one)
        refusing = Index(Declared(text, verb, text, strict=True) for text in said)
        assert refusing.members(Asked(verb, "path", path, ()), scene(bindings)), (path, one)


@given(path=PATHS)
def test_the_floors_files_are_never_writable_where_they_are_there(path: str) -> None:
    inside = (f"{REPO}/.git/hooks", f"{REPO}/.mcp.json", path)
    one = made("coder", inside=inside)
    ground = floor(Bindings(home=HOME, repo=REPO, protected=(f"{HOME}/.outrider",)))
    if not permitted(ground, "write", path):
        assert not reaches(one, "write", path)
