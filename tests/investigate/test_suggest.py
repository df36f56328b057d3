from tests.investigate.test_replay import BASE, CODER, READ, SEND, Host

from outrider.charter.model import Charter
from outrider.investigate.suggest import suggest

WIDE = Charter(
    name="coder",
    extends="base",
    may={"read": ("**", "@system"), "write": ("repo/**",), "connect": ("*", "@loopback"), "exec": ("*",)},
    never={"read": ("~/.aws/**",)},
)


def asked(world, charter, *calls):
    host = Host(world)
    for agent in ("a", "b"):
        host.born(agent, charter=charter)
        for effects in calls:
            call = host.call(agent, *effects)
            world.result(agent, call)
    with world.view() as view:
        return suggest(view, (charter, BASE))


def test_what_was_done_is_permitted_and_nothing_that_was_not(world):
    told = asked(
        world, WIDE, [READ], [("read", "path", "~/repo/src/deep/a.py")], [("read", "path", "/usr/lib/x")],
        [SEND], [("write", "path", "~/repo/src/b.py")], [("exec", "command", "git")],
    )  # fmt: skip
    assert told.charter.may == {
        "exec": ("git",),
        "read": ("@system", "repo/src/**", "repo/x"),
        "write": ("repo/src/**",),
        "delete": (),
        "connect": ("drop.example",),
    }
    assert told.charter.extends == "coder"
    assert (told.agents, told.calls, told.left_out) == (2, 12, 0)
    assert told.unused == {"connect": ("@loopback",)}


def test_what_was_refused_is_no_part_of_it_and_is_told_with_how_many_tried(world):
    told = asked(world, WIDE, [READ], [("read", "path", "~/.aws/credentials")], [("write", "path", "/etc/hosts")])
    assert told.charter.may == {"read": ("repo/x",)}
    assert {(one.verb, one.value, one.agents, one.calls) for one in told.tried} == {
        ("read", "~/.aws/credentials", 2, 2),
        ("write", "/etc/hosts", 2, 2),
    }
    assert "[never] read" in next(one.unlock for one in told.tried if one.verb == "read")


def test_a_name_that_looks_like_a_pattern_does_not_widen_it(world):
    told = asked(world, CODER, [("read", "path", "~/*/x")], [("write", "path", "~/repo/[ab]/x")])
    assert told.charter.may == {"read": ("**",), "write": ("repo/**",), "delete": ()}


def test_a_repository_in_a_temporary_directory_is_still_the_repository(world):
    host = Host(world)
    temporary = Charter(name="coder", extends="base", may={"read": ("@tmp", "repo/**")})
    host.born("a", charter=temporary, home="/tmp/u")
    for value in ("~/repo/src/deep/a.py", "/tmp/other"):
        host.world.result("a", host.call("a", ("read", "path", value), home="/tmp/u"))
    with world.view() as view:
        assert suggest(view, (temporary, BASE)).charter.may == {"read": ("@tmp", "repo/src/**")}
