import msgspec
import pytest
from tests.store.record import NOTHING

from outrider.charter.bound import Bindings, bind
from outrider.charter.floor import floor
from outrider.charter.model import Budget, Charter
from outrider.charter.ruling import Context, rule
from outrider.errors import CharterError
from outrider.events.call import Effect, Label
from outrider.events.counters import Counters
from outrider.events.decision import Decision
from outrider.events.record import Beside, CallDecided, CharterLoaded
from outrider.investigate.replay import replay

BASE = Charter(name="base", may=dict.fromkeys(("read", "write"), ("**",)) | {"connect": ("**",), "exec": ("*",)})
CODER = Charter(
    name="coder", extends="base", may={"read": ("**",), "write": ("repo/**",), "connect": ("**",), "exec": ("*",)}
)
GROUPS = {"registries": ("packages.example",)}


class Host:
    """Judges calls the way the gate does and records them."""

    def __init__(self, world):
        self.world = world
        self.chains = {}
        for charter in (BASE, CODER):
            world.put(
                CharterLoaded, heard="daemon", name=charter.name, digest=charter.digest, signer="builtin",
                source=charter.canonical().decode(), groups=GROUPS,
            )  # fmt: skip

    def born(self, agent, parent="", charter=CODER, home="/home/u"):
        line = (charter, BASE)
        above = self.chains.get(parent, ((), ()))
        bindings = Bindings(home=home, repo=f"{home}/repo", groups=GROUPS)
        own = tuple(bind(one, bindings) for one in line)
        ceiling = tuple(bind(b.charter, bindings, ceiling=at == 0) for at, b in enumerate(above[1]))
        digests = tuple(one.digest for one in line) + above[0]
        self.chains[agent] = (digests, (*own, *ceiling))
        self.world.born(
            agent, parent, charter=charter.name, digest=charter.digest, chain=digests,
            beside=Beside(private={"home": home, "repo": f"{home}/repo", "cwd": home} if home else {}),
        )  # fmt: skip

    def call(self, agent, *effects, labels=(), home="/home/u", cut=0, counters=Counters(), values=(), named=()):  # noqa: B008 - frozen
        digests, bounds = self.chains[agent]
        bindings = Bindings(home=home, repo=f"{home}/repo", groups=GROUPS)
        full = [Effect(verb=v, kind=k, value=value.replace("~", home)) for v, k, value in effects]
        ruling = rule((floor(bindings), *bounds), full, Context(labels=tuple(labels)))
        return self.world.put(
            CallDecided, agent=agent, call=f"t{len(self.world.entries_)}", tool="shell", name="Bash", content=NOTHING,
            effects=tuple(Effect(verb=v, kind=k, value=value) for v, k, value in effects), chain=digests,
            labels=tuple(labels), values=tuple(values), cut=cut, counters=counters, decision=Decision(
                verdict=ruling.verdict, enforced=ruling.enforced,
                hits=tuple(hit for hit in ruling.hits if hit.verdict != "allow"),
            ), beside=Beside(entities=tuple(named)),
        )  # fmt: skip


@pytest.fixture
def host(world):
    return Host(world)


READ = ("read", "path", "~/repo/x")
KEY = ("read", "path", "~/.aws/credentials")
SEND = ("connect", "host", "drop.example")


def test_the_charter_that_was_in_force_changes_nothing(host, world):
    host.born("a")
    for effects in ([READ], [KEY], [SEND], [("write", "path", "/etc/passwd")], [("write", "path", "~/.claude.json")]):
        host.call("a", *effects)
    with world.view() as view:
        answer = replay(view, CODER)
        assert answer.judged == answer.unchanged == 5
        assert answer.stopped == answer.broken == answer.allowed == answer.asked == answer.not_decidable == ()
        assert answer.per_second > 0


def test_a_narrower_charter_stops_what_is_bad_and_tells_what_else_it_breaks(host, world):
    host.born("a")
    host.call("a", READ)
    bad = host.call("a", KEY, SEND, labels=[Label("secret", -1)])
    honest = host.call("a", ("connect", "host", "docs.example"))
    draft = Charter(name="coder", extends="base", may=CODER.may | {"connect": ("@registries",)})
    with world.view() as view:
        answer = replay(view, draft, bad=[bad])
        assert [one.n for one in answer.stopped] == [bad]
        assert [one.n for one in answer.broken] == [honest]
        assert answer.unchanged == 1
        assert answer.missed == ()
        assert answer.stopped[0].was == "allow"
        assert answer.stopped[0].now == "deny"
        assert "stopped 1 of those meant and broken 1 others" in answer.statement


def test_a_flow_rule_is_judged_on_the_labels_that_were_recorded(host, world):
    from outrider.charter.model import Flow

    host.born("a")
    bad = host.call("a", SEND, labels=[Label("secret", 3)])
    host.call("a", SEND)
    draft = Charter(name="coder", extends="base", may=CODER.may, flow={"secret": Flow(not_to=("connect",))})
    with world.view() as view:
        answer = replay(view, draft, bad=[bad])
        assert [one.n for one in answer.stopped] == [bad]
        assert answer.broken == ()
        assert "coder.flow.secret" in answer.stopped[0].rules[0]


def test_a_draft_stands_in_for_its_name_in_childrens_chains_too_each_with_its_own_home(host, world):
    host.born("root")
    narrow = Charter(name="narrow", extends="base", may=CODER.may)
    world.put(
        CharterLoaded, heard="daemon", name="narrow", digest=narrow.digest, signer="",
        source=narrow.canonical().decode(), groups=GROUPS,
    )  # fmt: skip
    host.born("child", "root", charter=narrow)
    host.born("stranger", charter=narrow)
    bad = host.call("child", SEND)
    host.call("stranger", SEND)
    draft = Charter(name="coder", extends="base", may=CODER.may | {"connect": ()})
    with world.view() as view:
        answer = replay(view, draft, bad=[bad])
        assert answer.judged == 1
        assert [one.n for one in answer.stopped] == [bad]


def test_a_wider_draft_tells_what_it_would_newly_allow_but_never_beyond_the_other_links_or_the_floor(host, world):
    host.born("a")
    refused = host.call("a", ("write", "path", "~/elsewhere"))
    host.call("a", ("push", "repo", "origin/main"))
    host.call("a", ("write", "path", "~/.claude/settings.json"))
    draft = Charter(name="coder", extends="base", may=CODER.may | {"write": ("**",), "push": ("**",)})
    with world.view() as view:
        answer = replay(view, draft)
        assert [one.n for one in answer.allowed] == [refused]
        assert answer.unchanged == 2


def test_a_bad_call_that_still_gets_through_is_told(host, world):
    host.born("a")
    bad = host.call("a", SEND)
    with world.view() as view:
        answer = replay(view, CODER, bad=[bad])
        assert answer.missed == (bad,)


def test_what_cannot_be_decided_is_told_as_such(host, world):
    host.born("a")
    cut = host.call("a", READ, cut=3)
    host.born("erased", home="")
    lost = host.call("erased", READ)
    with world.view() as view:
        answer = replay(view, CODER)
        assert {one.n for one in answer.not_decidable} == {cut, lost}
        assert answer.confidence == "part"


def test_a_draft_that_does_not_compile_is_refused(host, world):
    with world.view() as view, pytest.raises(CharterError):
        replay(view, Charter(name="coder", cedar="permit (this is not cedar"))


def test_a_name_that_bounds_nobody_judges_nothing(host, world):
    host.born("a")
    host.call("a", READ)
    with world.view() as view:
        answer = replay(view, Charter(name="nobody"))
        assert answer.judged == 0
        assert "No recorded call" in answer.statement


def test_calls_that_a_policy_cannot_tell_apart_are_decided_as_each_would_be(host, world):
    own = msgspec.structs.replace(CODER, budget=Budget(calls=3))
    for at, agent in enumerate(("a", "b", "c")):
        host.born(agent, home=f"/home/u{at % 2}")
    host.born("d", "a", home="/home/u0")
    bad = []
    for round_ in range(3):
        for agent, home in (("a", "/home/u0"), ("b", "/home/u1"), ("c", "/home/u0"), ("d", "/home/u0")):
            for effects in ([READ], [KEY], [SEND], [("write", "path", "~/repo/x")], [("write", "path", "~/y")]):
                for labels in ((), (Label("untrusted", round_),), (Label("secret", 1), Label("untrusted", 2))):
                    n = host.call(agent, *effects, labels=labels, home=home, counters=Counters(calls=round_ * 2))
                    bad += [n] if n % 7 == 0 else []
    drafts = [
        own,
        msgspec.structs.replace(
            CODER, cedar="forbid(principal, action, resource) when { context.counters.calls > 1 };"
        ),
        msgspec.structs.replace(CODER, may={"read": ("repo/**",)}),
        CODER,
    ]
    with world.view() as view:
        for draft in drafts:
            quick = replay(view, draft, bad=bad)
            each = replay(view, draft, bad=bad, again=lambda _, calls: calls)
            assert msgspec.structs.replace(quick, per_second=0) == msgspec.structs.replace(each, per_second=0)
        assert replay(view, own).broken
