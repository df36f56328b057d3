import pytest
from tests.investigate.conftest import COMMIT
from tests.store.record import NOTHING

from outrider.events.attestation import Attestation
from outrider.events.call import Effect, Finding, Label
from outrider.events.decision import Decision
from outrider.events.record import AgentEnded, Beside, CallDecided, Entity, RecordGap
from outrider.flow.values import pack, printer
from outrider.investigate.find import find, moment
from outrider.investigate.involved import involved

DOMAIN = "drop.evil.example"


@pytest.fixture
def leaked(world):
    """One agent sends, one reads a page that names the domain, one tries and is refused, one only connects."""
    for name in ("sender", "reader", "refused", "visitor"):
        world.born(name, session=f"s-{name}")
    world.fetch("reader", "docs.example", named=[("host", DOMAIN)])
    world.upload("refused", DOMAIN, verdict="deny")
    world.fetch("visitor", DOMAIN)
    world.act = world.upload("sender", DOMAIN)
    for name in ("sender", "reader", "refused", "visitor"):
        world.end(name)
    return world


@pytest.mark.parametrize(
    "spelling",
    [DOMAIN, DOMAIN.upper(), f"https://{DOMAIN}:443/drop?x=1", f"{DOMAIN}.", f" {DOMAIN} ", f"http://{DOMAIN}"],
)
def test_who_sent_data_comes_before_who_connected_read_or_was_refused(leaked, spelling):
    with leaked.view() as view:
        answer = involved(view, spelling)
        assert answer.answer == "yes"
        assert [one.agent.id for one in answer.agents] == ["sender", "visitor", "refused", "reader"]
        first = answer.agents[0]
        assert first.evidence[0].n == leaked.act
        assert first.roles == ("sent",)
        assert first.outcome == "done"
        assert answer.agents[2].outcome == "refused"
        assert answer.agents[3].roles == ("mentioned",)


def test_a_parent_domain_finds_its_sub_domains_and_addresses_but_not_a_name_that_only_ends_alike(world):
    world.born("a")
    world.born("b")
    world.born("c")
    world.upload("a", "k3y.drop.evil.example")
    world.call("b", entities=[Entity("sent", "email", "x@evil.example")])
    world.upload("c", "notevil.example")
    with world.view() as view:
        answer = involved(view, "evil.example")
        assert {one.agent.id for one in answer.agents} == {"a", "b"}
        assert {one.confidence for one in answer.agents} == {"part"}


def test_a_secret_in_the_arguments_is_sent_and_one_in_the_context_exposes(world):
    found = Finding(
        rule="secret.aws", severity="high", confidence="high", where="args.url", message="m", advice="a"
    )  # fmt: skip
    for name in ("visitor", "holder", "teller"):
        world.born(name, session=name)
    effect = Effect(verb="connect", kind="host", value="drop.example:8443")
    touched = [Entity("sent", "host", "drop.example:8443"), Entity("sent", "host", "drop.example")]
    world.result("visitor", world.call("visitor", effect, entities=touched))
    world.result("holder", world.call("holder", effect, entities=touched, labels=[Label("secret", 1)]))
    world.result("teller", world.call("teller", effect, entities=touched, findings=(found,)))
    with world.view() as view:
        agents = involved(view, "drop.example").agents
        assert [(one.agent.id, one.roles) for one in agents] == [
            ("teller", ("sent",)), ("holder", ("exposed",)), ("visitor", ("reached",)),
        ]  # fmt: skip


def test_an_upload_elsewhere_in_the_same_call_does_not_count_for_a_host_that_only_sounds_alike(world):
    world.born("a")
    effect = Effect(verb="connect", kind="host", value="notevil.example", flags=("upload",))
    hosts = [Entity("sent", "host", "notevil.example"), Entity("sent", "host", "evil.example")]
    world.result("a", world.call("a", effect, entities=hosts))
    with world.view() as view:
        assert involved(view, "evil.example").agents[0].roles == ("reached",)
        assert involved(view, "notevil.example").agents[0].roles == ("sent",)


@pytest.mark.parametrize("size", [7, 12, 40])
def test_a_commit_is_found_by_any_prefix_of_seven_digits_or_more(world, size):
    world.born("a")
    world.born("b", attested=Attestation(commit=COMMIT), beside=Beside(entities=(Entity("is", "commit", COMMIT),)))
    n, _ = world.commit("a")
    with world.view() as view:
        answer = involved(view, COMMIT[:size].upper())
        assert [one.agent.id for one in answer.agents] == ["a", "b"]
        assert answer.agents[0].evidence[0].n == n
        assert answer.agents[0].confidence == ("value" if size == 40 else "part")


def test_a_full_commit_id_finds_the_short_one_that_git_printed_in_the_result_of_the_commit(world):
    world.born("a")
    world.born("b")
    n, _ = world.commit("a", named=False)
    m = world.call("a", Effect(verb="commit", kind="repo", value="/r"), entities=[Entity("committed", "repo", "/r")])
    world.result("a", m, entities=[Entity("mentioned", "commit", COMMIT[:7])])
    _, seen = world.read("b", "/r/log", entities=[Entity("mentioned", "commit", COMMIT)])
    with world.view() as view:
        answer = involved(view, COMMIT)
        assert answer.agents[0].agent.id == "a"
        assert answer.agents[0].evidence[0].n == m
        assert answer.agents[0].roles[0] == "committed"
        assert answer.agents[1].evidence[0].n == seen
        assert n < m


def test_a_commit_made_silently_is_laid_to_who_named_it_first_after_committing_by_time_only(world):
    world.born("a")
    world.born("b")
    world.commit("b", named=False)
    n, _ = world.commit("a", named=False)
    world.read("a", "/r/x", entities=[Entity("mentioned", "commit", COMMIT)])
    world.read("b", "/r/x", entities=[Entity("mentioned", "commit", COMMIT)])
    with world.view() as view:
        first, second = involved(view, COMMIT).agents
        assert (first.agent.id, first.confidence, first.evidence[0].n) == ("a", "time", n)
        assert second.roles == ("mentioned",)


def test_a_path_is_found_as_written_below_a_folder_and_in_any_agents_home(world):
    world.born("a", beside=Beside(private={"home": "/home/a", "repo": "/r", "cwd": "/r"}))
    world.read("a", "/home/a/.aws/credentials")
    world.born("b", beside=Beside(private={"home": "/home/b", "repo": "/r", "cwd": "/r"}))
    world.write("b", "/home/b/.aws/config")
    with world.view() as view:
        assert [one.agent.id for one in involved(view, "/home/a/.aws/credentials").agents] == ["a"]
        assert [one.agent.id for one in involved(view, "~/.aws/credentials").agents] == ["a"]
        below = involved(view, "~/.aws")
        assert [one.agent.id for one in below.agents] == ["b", "a"]
        assert below.confidence == "part"
        assert involved(view, "/home/a/.awsx").answer == "no"


def test_a_secret_and_a_whole_url_are_found_by_their_prints_with_the_key_only(world):
    from outrider.events.entities import normalise

    key = b"k" * 32
    secret, url = "AKIAIOSFODNN7EXAMPLE", "https://evil.example/a/b?c=d"
    world.born("a")
    world.read("a", "/x", entities=[Entity("read", "secret", normalise("secret", secret, key=key))])
    world.call("a", entities=[Entity("sent", "url", normalise("url", url, key=key))])
    with world.view() as view:
        assert involved(view, secret, key=key).confidence == "print"
        assert involved(view, secret).answer != "yes"
        assert involved(view, url, key=key).confidence == "print"
        assert involved(view, "https://evil.example/other", key=key).answer == "no"


@pytest.mark.parametrize(
    ("artefact", "by"),
    [("01AGENT", "agent"), ("sess-1", "session"), ("reviewer", "charter"), ("sha256:dig", "digest"),
     ("p_abc", "sponsor"), ("hosta1", "host_agent"), ("box-9", "container"), ("pid:4242", "pid")],
)  # fmt: skip
def test_an_agent_is_found_by_every_name_that_it_had(world, artefact, by):
    world.born(
        "01AGENT", charter="reviewer", digest="sha256:dig", sponsor="p_abc", session="sess-1", host_agent="hosta1",
        attested=Attestation(pid=4242, start=1, container="box-9"),
    )  # fmt: skip
    world.born("other", charter="coder", digest="sha256:x", sponsor="p_x", session="y", attested=Attestation(pid=1))
    with world.view() as view:
        answer = involved(view, artefact)
        assert [one.agent.id for one in answer.agents] == ["01AGENT"]
        assert by in {piece.kind for piece in answer.agents[0].evidence}


def test_a_process_id_that_was_used_twice_is_told_apart_by_the_time(world):
    world.born("first", attested=Attestation(pid=77, start=1))
    first_ts = world.ts
    world.end("first")
    world.ts += 60_000_000
    world.born("second", attested=Attestation(pid=77, start=2))
    with world.view() as view:
        assert len(involved(view, "pid:77").agents) == 2
        found = involved(view, f"pid:77@{first_ts / 1e6}")
        assert [one.agent.id for one in found.agents] == ["first"]
        assert found.confidence == "time"


def test_no_is_said_only_with_the_coverage_that_supports_it(world):
    world.born("a")
    world.fetch("a", "docs.example")
    world.end("a")
    with world.view() as view:
        answer = involved(view, "nobody.example")
        assert answer.answer == "no"
        assert answer.coverage.whole
        assert "Nothing acknowledged is missing" in answer.statement


@pytest.mark.parametrize("missing", ["spool", "intent", "opaque", "vanished", "lost", "despite", "erased"])
def test_where_coverage_is_missing_no_is_refused(world, missing):
    from outrider.events.event import Source

    world.born("a")
    if missing == "spool":
        world.put(RecordGap, heard="daemon", what="spool", count=2, answered="allow")
    elif missing == "intent":
        world.call("a")
    elif missing == "opaque":
        world.result("a", world.call("a", Effect(verb="opaque", kind="command", value="make")))
    elif missing == "despite":
        world.result("a", -1)
    elif missing == "erased":
        n, _ = world.fetch("a", "x.example")
        world.entries_[n] = (world.entries_[n][0], b"")
    if missing == "lost":
        world.put(AgentEnded, agent="a", how="completed", src=Source(id="claude_code:s", seq=9, lost=3))
    else:
        world.end("a", "vanished" if missing == "vanished" else "completed")
    with world.view() as view:
        answer = involved(view, "nobody.example")
        assert answer.answer == "not known"
        assert "not all was seen" in answer.statement


def test_an_empty_record_or_an_empty_question_is_not_known(world):
    world.entries_.clear()
    with world.view() as view:
        assert involved(view, "x.example").answer == "not known"
        assert involved(view, "   ").answer == "not known"


def test_evidence_is_cut_openly_when_there_is_too_much(world, monkeypatch):
    monkeypatch.setattr("outrider.investigate.involved.MOST_EVENTS", 5)
    world.born("a")
    world.born("b")
    for _ in range(9):
        world.fetch("a", "busy.example")
    world.upload("b", "busy.example")
    with world.view() as view:
        answer = involved(view, "busy.example")
        assert answer.truncated
        assert answer.agents[0].agent.id == "b"


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "'; DROP TABLE events; --", "%", "a" * 100_000, "pid:99999999", "~", "/", "\ud800x"]
)
def test_odd_artefacts_are_answered_not_raised(world, text):
    world.born("a")
    with world.view() as view:
        assert involved(view, text).answer in {"no", "not known"}


def test_what_an_artefact_was_taken_for_is_told(world):
    with world.view() as view:
        assert ("host", "evil.example") in find(view, "https://EVIL.example:443/x").read_as


def test_times_are_read_in_both_forms():
    assert moment("1.5") == 1_500_000
    assert moment("1970-01-01T00:00:02") == 2_000_000
    assert moment("1970-01-01T01:00:02+01:00") == 2_000_000
    assert moment("yesterday") is None
    assert moment("1e400") is None


def test_whoever_was_given_the_name_comes_before_those_who_saw_it_though_the_same_call_mentions_it_too(world):
    """A call's value weighs more than a mention beside it, and is not dropped for that mention's sake."""
    key = b"a key of this test's own, 32 long"
    prints = pack([printer(key)(DOMAIN)])
    world.born("reader")
    for _ in range(3):
        world.fetch("reader", "docs.example", named=[("host", DOMAIN)])
    world.born("caller")
    beside = Beside(entities=(Entity("mentioned", "host", DOMAIN),), said={"whole": prints})
    act = world.put(
        CallDecided, agent="caller", call="t", tool="mcp", name="post", effects=(),
        decision=Decision(verdict="allow", enforced="allow"),
        chain=(), content=NOTHING, beside=beside,
    )  # fmt: skip
    with world.view() as view:
        first = involved(view, DOMAIN, key=key).agents[0]
    assert (first.agent.id, first.roles[0], first.evidence[0].n) == ("caller", "called", act)


def test_an_act_is_shown_rather_than_the_value_that_the_same_call_was_given_and_weighs_as_much(world):
    """Who was given the name and acted on it comes before who only came by it, and is told by the act."""
    key = b"a key of this test's own, 32 long"
    world.born("visitor")
    world.call("visitor", entities=[Entity("reached", "host", DOMAIN)])
    world.born("caller")
    beside = Beside(entities=(Entity("reached", "host", DOMAIN),), said={"whole": pack([printer(key)(DOMAIN)])})
    act = world.put(
        CallDecided, agent="caller", call="t", tool="fetch", name="WebFetch", effects=(),
        decision=Decision(verdict="allow", enforced="allow"),
        chain=(), content=NOTHING, beside=beside,
    )  # fmt: skip
    with world.view() as view:
        first, second = involved(view, DOMAIN, key=key).agents
    assert (first.agent.id, first.roles, first.evidence[0].n, first.evidence[0].kind) == (
        "caller", ("reached",), act, "host",
    )  # fmt: skip
    assert first.score > second.score


@pytest.mark.parametrize(
    ("artefact", "answer"),
    [("pid:77@Box.example", "yes"), ("77@box@{then}", "yes"), ("pid:77@b-1@{then}", "yes"),
     ("pid:77@box@{later}", "no"), ("pid:77@other.example@{then}", "not known"),
     ("pid:78@box@{then}", "not known"), ("pid:78@{later}", "no")],
)  # fmt: skip
def test_a_process_is_looked_for_on_its_host_and_what_is_not_kept_by_number_is_not_denied(world, artefact, answer):
    """Programs that an agent starts have numbers that nobody keeps; another host's processes are not of this record."""
    world.born("a", attested=Attestation(pid=77, start=1, boot="b-1"))
    then, _ = world.ts, world.end("a")
    named = artefact.format(then=then / 1e6, later=then / 1e6 + 3600)
    with world.view() as view:
        told = involved(view, named, hosts=("box.example",))
    assert told.answer == answer
    assert [one.agent.id for one in told.agents] == (["a"] if answer == "yes" else [])
    assert ("says nothing of processes on other.example" in told.statement) == ("other" in artefact)


BOX = "3f9c2a7be51d" + "0" * 52


@pytest.mark.parametrize("written", [BOX, BOX[:12], BOX.upper(), f"docker://{BOX}", f"docker-{BOX}.scope"])
def test_a_container_is_found_however_its_id_is_written(world, written):
    world.born("in", attested=Attestation(container=BOX))
    world.born("out", attested=Attestation(container="4f9c2a7be51d" + "0" * 52))
    with world.view() as view:
        assert [one.agent.id for one in involved(view, written).agents] == ["in"]


AGENT = "ag_01M8EJKQEEF4NRJH6FRD523QX9"


@pytest.mark.parametrize(
    "written",
    [
        f"arn:aws:sts::123456789012:assumed-role/deploy/{AGENT}",
        f"AROAEXAMPLEROLE:{AGENT}",
        f"spiffe://org.example/{AGENT}",
    ],
)
def test_a_session_is_found_by_the_names_that_clouds_give_it(world, written):
    world.born(AGENT)
    world.born("ag_01M8EJKQEEF4NRJH6FRD523QX8")
    with world.view() as view:
        (one,) = involved(view, written).agents
    assert (one.agent.id, one.evidence[0].kind, one.confidence) == (AGENT, "session", "value")
