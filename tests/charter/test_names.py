import pytest

from outrider.charter.patterns import Asked, Declared, Index, Scene, check
from outrider.errors import CharterError


def falls(verb, kind, pattern, value, groups=None, *, strict=False, flags=()):
    scene = Scene("/h", "/h/r", (), groups or {})
    return bool(Index([Declared("p", verb, pattern, strict)]).members(Asked(verb, kind, value, flags), scene))


@pytest.mark.parametrize(
    ("verb", "kind", "pattern", "inside", "outside"),
    [
        ("call", "tool", "mcp:github/*", ["mcp:github/get_issue"], ["mcp:gitlab/get_issue", "mcp:github"]),
        ("push", "repo", "origin/*", ["origin/main", "origin/feature/x"], ["upstream/main"]),
        ("exec", "command", "py*", ["python"], ["ruby"]),
        ("spawn", "charter", "researcher", ["researcher"], ["Researcher", "agent:researcher"]),
        ("spawn", "agent", "agent:claude", ["claude"], ["codex"]),
        (
            "install",
            "package",
            "pypi:zope.interface",
            ["pypi:zope-interface", "pypi:Zope_Interface"],
            ["npm:zope.interface"],
        ),
        ("commit", "repo", "repo/**", ["/h/r"], ["/h/other"]),
        ("use_credential", "credential", "*", ["anything"], []),
    ],
)
def test_name_patterns_cover_what_they_say_and_nothing_else(verb, kind, pattern, inside, outside):
    assert [value for value in inside if not falls(verb, kind, pattern, value)] == []
    assert [value for value in outside if falls(verb, kind, pattern, value)] == []


def test_known_is_the_list_where_there_is_one():
    groups = {"pypi:known": ("requests",)}
    assert falls("install", "package", "pypi:known", "pypi:requests", groups)
    assert not falls("install", "package", "pypi:known", "pypi:reqeusts", groups)


@pytest.mark.parametrize(
    ("value", "known"),
    [("npm:left-pad", True), ("npm:@types/node", True), ("npm:.", True), ("pypi:requests", False),
     ("npm:git+ssh://x/y", False), ("npm:https://evil.example/x.tgz", False), ("npm:./local", False)],
)  # fmt: skip
def test_without_a_list_known_is_a_name_in_its_own_registry(value, known):
    assert falls("install", "package", "npm:known", value) is known


@pytest.mark.parametrize(
    ("pattern", "flags", "inside"),
    [("pypi:known", ("listed",), True), ("pypi:known", (), True), ("pypi:known", ("suspect",), False),
     ("pypi:listed", ("listed",), True), ("pypi:listed", (), False), ("pypi:listed", ("suspect",), False),
     ("pypi:*", ("suspect",), True)],
)  # fmt: skip
def test_a_suspect_name_is_not_known_and_one_of_which_nothing_is_known_is_not_listed(pattern, flags, inside):
    assert falls("install", "package", pattern, "pypi:reqeusts", flags=flags) is inside


@pytest.mark.parametrize(("value", "inside"), [("pypi:.", True), ("pypi:?", False)])
def test_the_project_itself_is_listed_and_what_is_not_seen_is_not(value, inside):
    assert falls("install", "package", "pypi:listed", value) is inside


@pytest.mark.parametrize("value", ["pypi:.", "npm:.", "pypi:?"])
def test_the_project_itself_and_what_it_lists_is_known(value):
    group = value.partition(":")[0] + ":known"
    assert falls("install", "package", group, value)
    assert not falls("install", "package", "gem:known", value)


@pytest.mark.parametrize(
    ("pattern", "strict", "falls_in"),
    [("origin/*", False, True), ("origin/main", False, False), ("origin/main", True, True), ("other/*", True, False)],
)
def test_a_branch_that_is_not_known_may_be_any(pattern, strict, falls_in):
    asked = Asked("push", "repo", "origin/?", ("inexact",))
    assert bool(Index([Declared("p", "push", pattern, strict)]).members(asked, Scene("", "", (), {}))) is falls_in


def test_registries_are_fetched_from_and_not_uploaded_to():
    index = Index([Declared("p", "connect", "@registries", strict=False)])
    scene = Scene("", "", (), {"registries": ("packages.example.org",)})
    for host in ("packages.example.org", "registry"):
        assert index.members(Asked("connect", "host", host, ()), scene)
        assert not index.members(Asked("connect", "host", host, ("upload",)), scene)


def test_a_refused_name_is_refused_in_any_case():
    assert falls("call", "tool", "mcp:Shell/*", "mcp:shell/run", strict=True)


@pytest.mark.parametrize(
    ("verb", "text"),
    [("install", "requests"), ("install", "pipy:requests"), ("read", "@registries"), ("connect", "@system"),
     ("exec", "@tmp"), ("exec", ""), ("unparsed", "*"), ("raed", "*"), ("call", "*a*b*c*d*")],
)  # fmt: skip
def test_what_is_not_a_pattern_for_its_verb_is_refused(verb, text):
    with pytest.raises(CharterError):
        check(verb, text)
