from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.charter.bound import Bindings, bind
from outrider.charter.floor import floor
from outrider.charter.model import Charter
from outrider.charter.patterns import Asked
from outrider.charter.walk import NOWHERE, Line, Walk

CHARTER = Charter(
    name="some",
    may={
        "read": ("repo/**", "@system", "@tmp", "~/*/x/**/y"),
        "write": ("repo/*/a", "@caches"),
        "delete": ("repo/**",),
    },
    ask={"delete": ("repo", "repo/.git", "@host")},
    never={"read": ("@credentials", "@keys", "**/.env", "**/.env.*.local", "/**/a/**/b"), "write": ("@host",)},
)
HOMES = (("/home/u", "/home/u/repo"), ("/home/Other", "/home/Other/Work/r"), ("/srv/h", ""), ("/", "/repo"))
NAMES = (
    "home", "u", "other", "Other", "repo", "work", "Work", "r", "srv", "h", "etc", "usr", "var", "tmp", "dev", "null",
    ".env", ".ENV", ".env.x.local", ".ssh", "id_rsa", "id_rsa.pub", "a", "b", "x", ".git", "hooks", "config", "pem",
    ".claude", "settings.json", "settings.local.json", ".", "..", "", "~", "é", "*", "modules", "opt", "k.pem", "y",
)  # fmt: skip
PATHS = st.lists(st.sampled_from(NAMES), max_size=7).map(lambda parts: "/" + "/".join(parts))
FLAGS = st.sampled_from(((), ("recursive",), ("names", "recursive"), ("inexact",)))


def seen(bounds, verb, path, flags):
    return [set(one.compiled.patterns.members(Asked(verb, "path", path, flags), one.scene)) for one in bounds]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(PATHS, st.sampled_from(HOMES)), min_size=2, max_size=12), FLAGS)
def test_paths_that_end_in_the_same_place_fall_in_the_same_patterns_in_whatever_home(asked, flags):
    line, known = None, {}
    for path, (home, repo) in asked:
        bindings = Bindings(home=home, repo=repo)
        bounds = (floor(bindings), bind(CHARTER, bindings))
        line = line or Line(bounds, [bounds[0].scene])
        place = Walk(line, [bounds[0].scene]).end(path)
        if place == NOWHERE:
            continue
        for verb in ("read", "write", "delete"):
            told = seen(bounds, verb, path, flags)
            assert known.setdefault((place, verb), told) == told, path


def test_a_path_that_is_not_plain_is_not_walked():
    bounds = (floor(Bindings(home="/home/u", repo="/r")),)
    walk = Walk(Line(bounds, [bounds[0].scene]), [bounds[0].scene])
    assert {walk.end(path) for path in ("x", "$D/.env", "/a/*", "/a/é", "")} == {NOWHERE}
    assert walk.end("/home/u/one/file") == walk.end("/home/u/other/../two/name") != NOWHERE
