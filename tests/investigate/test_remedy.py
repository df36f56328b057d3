"""What one rule would have stopped and broken is answered by itself, from what was recorded."""

from tests.investigate.test_replay import Host

from outrider.charter.model import Charter, Flow
from outrider.config import Home
from outrider.events.call import Label
from outrider.events.case import CaseNoted
from outrider.events.record import CharterLoaded, Entity
from outrider.investigate.answering import findings
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.glance import glance
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


def loaded(world, charter):
    world.put(
        CharterLoaded, heard="daemon", name=charter.name, digest=charter.digest, signer="", groups={},
        source=charter.canonical().decode(),
    )  # fmt: skip
    return charter


SECRET = Label("secret", 0)
UNTRUSTED = Label("untrusted", 0)


def test_a_barrier_on_the_label_that_the_acts_carried_is_tried_and_comes_before_the_name(world):
    host = Host(world)
    host.born("a")
    host.born("b")
    first = host.call("a", ("read", "path", "~/repo/key"), LEAK, labels=[SECRET, UNTRUSTED])
    second = host.call("b", ("connect", "host", "other.example"), labels=[SECRET])
    host.call("b", ("connect", "host", "docs.example"), labels=[UNTRUSTED])
    with world.view() as view:
        barrier, name = remedies(view, (first, second))
    assert (barrier.section, barrier.label, barrier.line) == ("flow", "secret", 'secret = { not_to = ["connect"] }')
    assert (barrier.acts, barrier.stopped, barrier.broken, barrier.judged) == (2, 2, 0, 3)
    assert (name.section, name.line, name.stopped) == ("never", 'connect = ["evil.example"]', 1)
    assert "an agent whose context holds a secret may not connect" in barrier.statement
    assert "2 of its 2 acts would have been stopped and 0 others of 3 calls refused" in barrier.statement
    assert name.allowed == ()  # What let it through is said once, with the first.
    assert barrier.allowed == ("**",)


def test_a_barrier_that_breaks_more_than_the_name_stands_behind_it_with_its_numbers(world):
    host = Host(world)
    host.born("a")
    host.born("b")
    act = host.call("a", LEAK, labels=[UNTRUSTED])
    host.call("b", ("connect", "host", "docs.example"), labels=[UNTRUSTED])
    host.call("a", ("connect", "host", "docs.example"), labels=[UNTRUSTED])
    with world.view() as view:
        name, barrier = remedies(view, (act,))
    assert (name.section, name.broken) == ("never", 0)
    assert (barrier.label, barrier.stopped, barrier.broken, barrier.own) == ("untrusted", 1, 2, 1)
    assert "2 others of 3 calls refused (1 of them of the agents that did the acts)." in barrier.statement


def test_where_one_label_breaks_honest_work_the_two_together_are_tried(world):
    host = Host(world)
    host.born("a")
    host.born("b")
    act = host.call("a", LEAK, labels=[SECRET, UNTRUSTED])
    host.call("b", ("connect", "host", "docs.example"), labels=[SECRET])
    with world.view() as view:
        barrier, _ = remedies(view, (act,))
    assert barrier.line == 'untrusted = { with = "secret", not_to = ["connect"] }'
    assert (barrier.stopped, barrier.broken) == (1, 0)


def test_a_barrier_by_a_value_is_found_where_only_the_calls_own_value_says_so(world):
    host = Host(world)
    host.born("a")
    act = host.call("a", LEAK, values=("secret-value",))
    host.call("a", ("connect", "host", "docs.example"))
    with world.view() as view:
        barrier, _ = remedies(view, (act,))
    assert (barrier.label, barrier.stopped, barrier.broken) == ("secret-value", 1, 0)
    assert "a call that carries a secret's value may not connect" in barrier.statement


def test_a_barrier_never_takes_away_what_the_charters_own_rule_refused(world):
    host = Host(world)
    flow = {"secret": Flow(not_to=("push",), also="untrusted", but=("origin/*",))}
    held = loaded(world, Charter(name="held", extends="base", may={"connect": ("**",)}, flow=flow))
    asks = {"secret": Flow(not_to=("connect",), verdict="ask")}
    asked = loaded(world, Charter(name="asked", extends="base", may={"connect": ("**",)}, flow=asks))
    host.born("a", charter=held)
    host.born("b", charter=asked)
    acts = (host.call("a", LEAK, labels=[SECRET]), host.call("b", LEAK, labels=[SECRET]))
    with world.view() as view:
        found = {(one.charter, one.section): one for one in remedies(view, acts)}
    assert found["held", "flow"].line == 'secret = { not_to = ["push", "connect"], except = ["origin/*"] }'
    assert found["asked", "flow"].line == 'secret = { not_to = ["connect"] }'
    assert all(one.stopped == 1 for one in found.values())


def test_the_report_names_the_better_control_at_a_glance_among_what_to_do_and_in_its_question(world, tmp_path):
    host = Host(world)
    host.born("a")
    act = host.call("a", LEAK, labels=[SECRET], named=[Entity("sent", "host", "evil.example")])
    world.result("a", act)
    home, case = Home(tmp_path / "home"), "case-0123456789ab"
    world.put(CaseNoted, heard="case", case=case, act="opened", by="p_1", content=CaseFile(home, case).put("x"))
    world.put(
        CaseNoted, heard="case", case=case, act="added", by="p_1", content=CaseFile(home, case).put("evil.example")
    )
    with world.view() as view:
        told = dossier(view, load(view, home, case))
    rule = 'secret = { not_to = ["connect"] }'
    step = next(one for one in told.todo if one.do.startswith("Close the hole"))
    assert f"{rule} in its [flow]. Tried over the record: 1 of its 1 acts would have been stopped" in step.do
    text = findings(told)["Q0008"].text
    assert text.index(rule) < text.index("never been allowed to connect evil.example")
    assert "a name is easily changed" in text
    assert rule in dict(glance(told))["what would have stopped it"]
    assert rule in markdown(told).replace("\\", "")
    assert "Close the hole" in page(told)


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
