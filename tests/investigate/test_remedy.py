"""What one rule would have stopped and broken is answered by itself, from what was recorded."""

from tests.investigate.test_replay import Host

from outrider.charter.model import Charter
from outrider.events.record import CharterLoaded
from outrider.investigate.remedy import remedies

LEAK = ("connect", "host", "evil.example")


def test_the_rule_against_what_was_done_is_tried_over_every_call_of_the_charter(world):
    host = Host(world)
    host.born("a")
    host.born("b")
    act = host.call("a", ("read", "path", "~/repo/key"), LEAK)
    host.call("b", LEAK)  # Somebody else's honest work, for all that anybody knows.
    host.call("b", ("connect", "host", "docs.example"))
    with world.view() as view:
        (one,) = remedies(view, (act,))
    assert (one.charter, one.verb, one.value) == ("coder", "connect", "evil.example")
    assert (one.acts, one.stopped, one.broken, one.judged, one.not_decidable) == (1, 1, 1, 3, 0)
    assert "1 of its 1 acts would have been stopped and 1 others of 3 calls refused" in one.statement


def test_the_line_of_the_charter_that_let_it_through_is_named_with_the_event_that_holds_it(world):
    host = Host(world)
    open_one = Charter(name="open", extends="base", may={"connect": ("docs.test", "*.example")})
    world.put(
        CharterLoaded, heard="daemon", name="open", digest=open_one.digest, signer="", groups={},
        source=open_one.canonical().decode(),
    )  # fmt: skip
    host.born("a", charter=open_one)
    act = host.call("a", LEAK)
    with world.view() as view:
        (one,) = remedies(view, (act,))
    assert one.allowed == ("*.example",)
    assert one.loaded >= 0
    assert f'open lets it through by connect = ["*.example"] (event {one.loaded} ' in one.statement


def test_what_cannot_be_tried_is_left_to_a_person(world, monkeypatch):
    host = Host(world)
    host.born("a")
    only_reads = host.call("a", ("read", "path", "~/repo/key"))
    pattern = host.call("a", ("connect", "host", "*.example"))
    world.born("lost", charter="other", digest="sha256:gone")
    unknown = world.call("lost")
    with world.view() as view:
        assert remedies(view, (only_reads,)) == ()
        assert remedies(view, (pattern,)) == ()  # As a rule it would say more than was done.
        assert remedies(view, (unknown,)) == ()  # Its charter version is not in the record.
        act = host.call("a", LEAK)
    with world.view() as view:
        assert remedies(view, (act,))
        monkeypatch.setattr("outrider.investigate.remedy.MOST_EVENTS", 3)
        assert remedies(view, (act,)) == ()


def test_what_one_charter_did_says_nothing_of_another(world):
    host = Host(world)
    other = Charter(name="other", extends="base", may={"connect": ("**",)})
    host.born("a")
    act = host.call("a", LEAK)
    host.born("b", charter=other)
    host.call("b", LEAK)
    with world.view() as view:
        (one,) = remedies(view, (act,))
    assert (one.charter, one.judged) == ("coder", 1)
