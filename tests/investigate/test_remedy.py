"""What one rule would have stopped and broken is answered by itself, from what was recorded."""

from tests.investigate.test_replay import Host

from outrider.charter.model import Charter
from outrider.config import Home
from outrider.events.case import CaseNoted
from outrider.events.record import CharterLoaded
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.groups import expanded, named
from outrider.investigate.markdown import markdown
from outrider.investigate.remedy import remedies
from outrider.investigate.report import page
from outrider.investigate.telling import glossary

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


def test_a_group_that_let_it_through_is_said_with_what_it_stood_for_on_the_host(world, tmp_path):
    host = Host(world)
    open_one = Charter(name="open", extends="base", may={"connect": ("@registries",)})
    world.put(
        CharterLoaded, heard="daemon", name="open", digest=open_one.digest, signer="",
        groups={"registries": ("evil.example", "pypi.example")}, source=open_one.canonical().decode(),
    )  # fmt: skip
    host.born("a", charter=open_one)
    act = host.call("a", LEAK)
    home, case = Home(tmp_path / "home"), "case-0123456789ab"
    world.put(CaseNoted, heard="case", case=case, act="opened", by="p_1", content=CaseFile(home, case).put("x"))
    world.put(CaseNoted, heard="case", case=case, act="added", by="p_1", refs=(str(act),))
    with world.view() as view:
        told = dossier(view, load(view, home, case))
    assert told.remedies[0].allowed == ("@registries",)
    words = '"@registries" (package registries: evil.example, pypi.example)'
    assert words in told.remedies[0].statement
    assert ("@registries", "package registries: evil.example, pypi.example.") in glossary(told)
    assert "<b>@registries</b>: package registries" in page(told)
    assert "**@registries**: package registries" in markdown(told)


def test_a_group_of_paths_is_said_in_words_and_only_known_ones_are_looked_for():
    assert expanded("@keys", {}).startswith("private keys and keyrings: ~/.ssh/id_*, ")
    assert " more" in expanded("@keys", {})
    assert named(["never read @keys, not ada@keys.example", "@nobody @system"]) == ("@keys", "@system")
