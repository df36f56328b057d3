"""The built-in charters: they stop what they should, and everyday work goes on under them."""

import json
import tomllib
from pathlib import Path

import cedarpy
import jsonschema
import pytest

from outrider.charter.bound import Bindings, bind
from outrider.charter.cedar import SCHEMA, to_cedar
from outrider.charter.floor import floor
from outrider.charter.narrow import effective, looser
from outrider.charter.parse import parse
from outrider.charter.ruling import Context, rule
from outrider.charter.schema import json_schema
from outrider.charter.shelf import Shelf
from outrider.events.call import Effect
from outrider.events.counters import Counters

CHARTERS = Path(__file__).parents[2] / "charters"
FILES = sorted(CHARTERS.glob("*.toml"))
SHELF = Shelf(parse(path.read_text(), source=path.name) for path in FILES)
HOME, REPO = "/home/u", "/home/u/srv/r"
BINDINGS = Bindings(
    home=HOME, repo=REPO, groups={"registries": ("packages.example.org",)}, protected=(f"{HOME}/.outrider",)
)
CHAINS = {name: [floor(BINDINGS), *(bind(one, BINDINGS) for one in SHELF.line(name))] for name in SHELF.names}
KINDS = {
    "read": "path", "write": "path", "delete": "path", "connect": "host", "exec": "command", "install": "package",
    "call": "tool", "spawn": "charter", "commit": "repo", "push": "repo", "deploy": "host", "opaque": "command",
    "unparsed": "text",
}  # fmt: skip


def ruled(charter, verb, value, *flags, labels=(), **context):
    effect = Effect(verb=verb, kind=KINDS[verb], value=value, flags=tuple(sorted(flags)))
    return rule(CHAINS[charter], [effect], Context(labels=frozenset(labels), **context))


def test_there_are_the_eight():
    assert SHELF.names == ("base", "ci", "coder", "developer", "ops", "researcher", "reviewer", "unclaimed")
    assert all(SHELF.line(name)[-1].name == "base" for name in SHELF.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_fits_the_schema_and_its_cedar_validates(path):
    charter = parse(path.read_text(), source=path.name)
    assert charter.name == path.stem
    jsonschema.validate(tomllib.loads(path.read_text()), json_schema())
    for ceiling in (False, True):
        assert cedarpy.validate_policies(to_cedar(charter, ceiling=ceiling), SCHEMA).validation_passed


def test_the_published_schema_is_the_one_in_the_code():
    assert json.loads((CHARTERS / "charter.schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("name", SHELF.names)
def test_none_lets_through_what_could_not_be_decided(name):
    line = SHELF.line(name)
    assert effective(line).undecided == "deny"
    assert effective(line).grant is (name == "base")
    assert looser(line[0], line[1:]) == []
    assert ruled(name, "unparsed", "").enforced == "deny"


EVERYDAY = [
    ("read", f"{REPO}/src/app.py"), ("read", REPO), ("read", f"{REPO}/.git/HEAD"), ("read", f"{REPO}/.env.example"),
    ("read", "/usr/include/stdio.h"), ("read", "/etc/hosts"), ("read", "/etc/ssl/certs/ca-certificates.crt"),
    ("read", f"{HOME}/.cache/pip/wheel"), ("read", f"{HOME}/.cargo/bin/cargo"), ("read", f"{HOME}/.gitconfig"),
    ("read", "/proc/cpuinfo"), ("read", "/dev/null"), ("read", "/tmp/out.txt"), ("read", "/opt/node/lib/x.js"),
    ("write", "/tmp/out.txt"), ("write", "/dev/null"), ("exec", "python"), ("exec", "make"), ("exec", "sudo"),
]  # fmt: skip
BUILDING = [
    ("write", f"{REPO}/src/app.py"), ("delete", f"{REPO}/build"), ("delete", f"{REPO}/.git/index.lock"),
    ("write", f"{HOME}/.cache/pip/x"), ("write", f"{HOME}/.npm/_cacache/x"), ("write", f"{HOME}/.cargo/registry/x"),
    ("write", f"{HOME}/go/pkg/mod/x"), ("install", "pypi:requests"), ("install", "npm:left-pad"), ("install", "npm:."),
    ("connect", "packages.example.org:443"), ("connect", "localhost:8000"), ("connect", "127.0.0.1:5432"),
    ("connect", "github.com"), ("connect", "api.github.com:443"), ("commit", REPO), ("opaque", "make"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["coder", "developer", "reviewer", "ci", "unclaimed", "base"])
@pytest.mark.parametrize(("verb", "value"), EVERYDAY)
def test_looking_around_and_running_programs_is_free(name, verb, value):
    assert ruled(name, verb, value).verdict == "allow"


@pytest.mark.parametrize("name", ["coder", "developer", "ci", "unclaimed", "base"])
@pytest.mark.parametrize(("verb", "value"), BUILDING)
def test_writing_building_and_testing_is_free_for_those_who_build(name, verb, value):
    assert ruled(name, verb, value).verdict == "allow"


def test_what_a_manifest_lists_may_be_installed_and_is_not_seen_into():
    assert ruled("coder", "install", "pypi:?", "inexact").verdict == "allow"
    assert ruled("ops", "install", "pypi:?", "inexact").verdict == "ask"
    assert ruled("reviewer", "install", "pypi:?", "inexact").verdict != "allow"


SECRETS = [f"{HOME}/.ssh/id_ed25519", f"{HOME}/.aws/credentials", f"{REPO}/.env", f"{REPO}/deploy/.env.production",
           f"{HOME}/.netrc", f"{HOME}/.npmrc", f"{HOME}/.config/gh/hosts.yml", f"{HOME}/.kube/config",
           f"{HOME}/.docker/config.json", f"{HOME}/.claude/.credentials.json", "/etc/shadow",
           f"{HOME}/.git-credentials"]  # fmt: skip


@pytest.mark.parametrize("name", ["coder", "reviewer", "researcher", "ci", "unclaimed"])
@pytest.mark.parametrize("path", SECRETS)
def test_secrets_are_kept_from_everybody_who_needs_none(name, path):
    ruling = ruled(name, "read", path)
    assert (ruling.verdict, ruling.enforced) == ("deny", "deny")
    assert ruling.hits[0].advice


@pytest.mark.parametrize("name", SHELF.names)
def test_some_things_nobody_does(name):
    for verb, value in [
        ("read", f"{HOME}/.ssh/id_rsa"), ("write", f"{HOME}/.ssh/authorized_keys"), ("write", "/etc/sudoers.d/x"),
        ("connect", "169.254.169.254"), ("connect", "0xa9fea9fe:80"), ("write", "/dev/sda"),
        ("write", f"{REPO}/.claude/settings.json"), ("write", f"{REPO}/.git/hooks/pre-commit"),
    ]:  # fmt: skip
        assert ruled(name, verb, value).enforced == "deny", (verb, value)
    for tree in ["/", HOME, "/home", "/etc", "/usr"]:
        assert ruled(name, "delete", tree, "recursive").enforced == "deny", tree


def test_a_coder_asks_before_the_main_branch_only():
    assert ruled("coder", "push", "origin/main").verdict == "ask"
    assert ruled("coder", "push", "origin/feature/x").verdict == "allow"
    assert ruled("coder", "push", "evil/x").verdict == "deny"


def test_a_coder_does_not_reach_the_web_and_its_researcher_does():
    assert ruled("coder", "connect", "docs.example.com").verdict == "deny"
    child = [floor(BINDINGS), *(bind(one, BINDINGS) for one in SHELF.line("researcher"))]
    child += [bind(one, BINDINGS, ceiling=True) for one in SHELF.line("coder")]
    page = Effect(verb="connect", kind="host", value="docs.example.com")
    assert rule(child, [page], Context()).verdict == "allow"
    write = Effect(verb="write", kind="path", value=f"{REPO}/a")
    assert rule(child, [write], Context()).verdict == "deny"


def test_a_coder_asks_before_it_removes_its_repository():
    assert ruled("coder", "delete", REPO, "recursive").verdict == "ask"
    assert ruled("coder", "delete", f"{REPO}/.git", "recursive").verdict == "deny"
    assert ruled("coder", "delete", f"{REPO}/node_modules", "recursive").verdict == "allow"


@pytest.mark.parametrize("name", ["coder", "reviewer", "researcher", "ci"])
def test_a_context_with_a_secret_no_longer_reaches_out(name):
    assert ruled(name, "connect", "github.com", labels=["secret"]).verdict == "deny"
    assert ruled(name, "read", f"{REPO}/a", labels=["secret"]).verdict == "allow"


def test_a_reviewer_changes_nothing():
    for verb, value in [("write", f"{REPO}/a"), ("delete", f"{REPO}/a"), ("commit", REPO), ("push", "origin/x"),
                        ("call", "mcp:github/merge_pull_request")]:  # fmt: skip
        assert ruled("reviewer", verb, value).verdict == "deny", verb
    assert ruled("reviewer", "call", "mcp:github/get_issue").verdict == "allow"


def test_a_pipeline_asks_nobody():
    assert not SHELF.line("ci")[0].ask
    assert ruled("ci", "push", "origin/main").verdict == "deny"
    assert ruled("ci", "push", "origin/ci/fix").verdict == "allow"


def test_an_operator_sees_much_and_asks_before_changing_what_others_depend_on():
    assert ruled("ops", "read", "/var/log/syslog").verdict == "allow"
    assert ruled("ops", "write", "/etc/nginx/nginx.conf").verdict == "ask"
    assert ruled("ops", "delete", "/srv/app/old").verdict == "ask"
    assert ruled("ops", "deploy", "prod").verdict == "ask"
    assert ruled("ops", "read", "/srv/app/x", "remote").verdict == "allow"
    assert ruled("ops", "write", "/srv/app/x", "remote").verdict == "ask"


def test_an_unclaimed_agent_is_watched_and_kept_from_the_worst():
    ruling = ruled("unclaimed", "connect", "example.com")
    assert (ruling.verdict, ruling.enforced, ruling.mode) == ("deny", "allow", "observe")
    assert ruled("unclaimed", "write", f"{HOME}/notes").enforced == "allow"
    assert ruled("unclaimed", "write", f"{HOME}/.bashrc").enforced == "ask"


def test_lives_and_budgets_end():
    assert effective(SHELF.line("coder")).ttl == 8 * 3600
    assert ruled("coder", "read", REPO, counters=Counters(calls=5001)).verdict == "deny"
    assert ruled("researcher", "spawn", "coder", counters=Counters(spawns=1)).verdict == "deny"
