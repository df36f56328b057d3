"""Chains: each set asked on its own, the worst word taken, and no link that widens."""

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.charter.bound import Asker, Bindings, bind
from outrider.charter.cedar import SCHEMA, to_cedar
from outrider.charter.floor import floor
from outrider.charter.model import Budget, Charter, Code, Flow
from outrider.charter.narrow import BUDGETS, effective, looser, narrower
from outrider.charter.program import plain
from outrider.charter.ruling import Context, context_of, rule
from outrider.charter.values import Entity, Uid
from outrider.events.call import Effect, Finding, Label
from outrider.events.counters import Counters
from outrider.events.decision import WORSE

BINDINGS = Bindings(home="/home/u", repo="/home/u/r")
OTHER = Bindings(home="/home/v", repo="/home/v/r")
FLOOR = floor(BINDINGS)


def chain(*charters, bindings=BINDINGS):
    return [FLOOR, *(bind(one, bindings) for one in charters)]


def read(path, *flags, resolved=""):
    return Effect(verb="read", kind="path", value=path, flags=flags, resolved=resolved)


CODER = Charter(
    name="coder",
    may={"read": ("repo/**", "/usr/**"), "write": ("repo/**",), "connect": ("github.com",), "exec": ("*",)},
    delegate={"connect": ("docs.example.com",)},
    ask={"push": ("origin/main",)},
    never={"read": ("**/.env",)},
    flow={
        "secret": Flow(not_to=("connect", "push"), but=("localhost",)),
        "untrusted": Flow(not_to=("write",), also="secret"),
    },
    opaque="allow",
)
CONNECT = Effect(verb="connect", kind="host", value="github.com")


def test_what_nothing_permits_is_denied_and_says_what_would_allow_it():
    ruling = rule(chain(CODER), [Effect(verb="connect", kind="host", value="githob.com")], Context())
    assert ruling.verdict == "deny"
    (hit,) = ruling.hits
    assert (hit.rule, hit.charter, hit.digest) == ("coder.may.connect", "coder", CODER.digest)
    assert hit.unlock == 'add "githob.com" to [may] connect of charter coder'
    assert '"github.com"' in hit.reason


def test_an_allow_names_the_permit():
    ruling = rule(chain(CODER), [read("/home/u/r/a")], Context())
    assert (ruling.verdict, ruling.enforced, [hit.rule for hit in ruling.hits]) == (
        "allow",
        "allow",
        ["coder.may.read.0"],
    )


def test_never_beats_may():
    ruling = rule(chain(CODER), [read("/home/u/r/.env")], Context())
    assert ruling.verdict == "deny"
    assert ruling.hits[0].rule == "coder.never.read.0"
    assert ruling.hits[0].unlock == 'remove "**/.env" from [never] read of charter coder'


def test_ask_asks_and_beats_may():
    both = Charter(name="x", may={"push": ("*",)}, ask={"push": ("origin/main",)})
    push = Effect(verb="push", kind="repo", value="origin/main")
    assert rule(chain(both), [push], Context()).verdict == "ask"
    assert rule(chain(CODER), [push], Context()).verdict == "ask"
    assert rule(chain(both), [Effect(verb="push", kind="repo", value="origin/x")], Context()).verdict == "allow"


def test_writing_is_deleting_unless_deleting_is_written():
    delete = Effect(verb="delete", kind="path", value="/home/u/r/a")
    assert rule(chain(CODER), [delete], Context()).verdict == "allow"
    strict = Charter(name="x", may={"write": ("repo/**",), "delete": ()})
    assert rule(chain(strict), [delete], Context()).verdict == "deny"


def test_the_worst_effect_decides_the_call():
    ruling = rule(chain(CODER), [read("/home/u/r/a"), read("/home/u/r/.env"), CONNECT], Context())
    assert ruling.verdict == "deny"
    assert [hit.effect for hit in ruling.hits if hit.verdict == "deny"] == [1]


def test_a_symlink_to_a_key_is_judged_where_it_leads():
    assert rule(chain(CODER), [read("/home/u/r/x", resolved="/home/u/.ssh/id")], Context()).verdict == "deny"
    assert rule(chain(CODER), [read("/outside", resolved="/home/u/r/x")], Context()).verdict == "deny"


def test_a_label_closes_what_flow_says_and_names_the_event():
    tainted = Context(labels=(Label("secret", 52),))
    ruling = rule(chain(CODER), [CONNECT], tainted)
    assert ruling.verdict == "deny"
    assert ruling.hits[0].rule == "coder.flow.secret.connect"
    assert "event 52" in ruling.hits[0].reason
    assert rule(chain(CODER), [read("/home/u/r/a")], tainted).verdict == "allow"


def test_a_flow_rule_with_a_second_label_needs_both():
    write = Effect(verb="write", kind="path", value="/home/u/r/a")
    for labels, verdict in [({"untrusted"}, "allow"), ({"secret"}, "allow"), ({"secret", "untrusted"}, "deny")]:
        assert rule(chain(CODER), [write], Context(labels=frozenset(labels))).verdict == verdict


def test_a_flow_rule_has_exceptions():
    open_ = Charter(name="x", may={"connect": ("*",)}, flow={"secret": Flow(not_to=("connect",), but=("localhost",))})
    tainted = Context(labels=frozenset({"secret"}))
    local = Effect(verb="connect", kind="host", value="localhost:80")
    assert rule(chain(open_), [local], tainted).verdict == "allow"
    assert rule(chain(open_), [CONNECT], tainted).verdict == "deny"


def test_each_set_has_its_own_bindings():
    parent = bind(CODER, OTHER, ceiling=True)
    own = bind(CODER, BINDINGS)
    assert rule([FLOOR, own], [read("/home/u/r/a")], Context()).verdict == "allow"
    ruling = rule([FLOOR, own, parent], [read("/home/u/r/a")], Context())
    assert ruling.verdict == "deny"
    assert "[may] or [delegate]" in ruling.hits[0].unlock


def test_what_may_be_delegated_is_for_children_only():
    docs = Effect(verb="connect", kind="host", value="docs.example.com")
    child = Charter(name="child", may={"connect": ("*",)}, opaque="allow")
    assert rule(chain(CODER), [docs], Context()).verdict == "deny"
    assert (
        rule([FLOOR, bind(child, BINDINGS), bind(CODER, BINDINGS, ceiling=True)], [docs], Context()).verdict == "allow"
    )


def test_unreadable_text_is_an_error_and_the_strictest_undecided_applies():
    unread = Effect(verb="unparsed", kind="text", value="", note="the quote in line 1 is not closed")
    loose = Charter(name="loose", extends="root", undecided="allow")
    ruling = rule(chain(loose, Charter(name="root", undecided="ask")), [unread], Context())
    assert (ruling.verdict, ruling.enforced, ruling.undecided) == ("error", "ask", "ask")
    assert "not closed" in ruling.hits[0].reason
    assert rule(chain(loose), [unread], Context()).enforced == "allow"
    assert rule([FLOOR], [unread], Context()).enforced == "deny"


@pytest.mark.parametrize(
    ("opaque", "confined", "verdict"),
    [("allow", False, "allow"), ("ask", False, "ask"), ("deny", True, "deny"), ("confined", False, "deny"),
     ("confined", True, "allow")],
)  # fmt: skip
def test_programs_that_are_not_seen_into_are_treated_as_the_charter_says(opaque, confined, verdict):
    effect = Effect(verb="opaque", kind="command", value="make")
    assert rule(chain(Charter(name="x", opaque=opaque)), [effect], Context(confined=confined)).verdict == verdict


def test_of_asking_and_confining_neither_hides_the_other():
    effect = Effect(verb="opaque", kind="command", value="make")
    both = chain(Charter(name="x", opaque="ask"), Charter(name="y", opaque="confined"))
    assert rule(both, [effect], Context(confined=True)).verdict == "ask"
    assert rule(both, [effect], Context(confined=False)).verdict == "deny"


def test_a_resource_of_which_part_is_not_known_is_undecided_unless_everything_is_permitted():
    unknown = read("/home/u/r/$X", "inexact")
    ruling = rule(chain(CODER), [unknown], Context())
    assert (ruling.verdict, ruling.enforced) == ("error", "deny")
    assert rule(chain(Charter(name="x", may={"read": ("*",)}, opaque="allow")), [unknown], Context()).verdict == "allow"
    assert rule(chain(Charter(name="x", may={"read": ("*",)}, opaque="ask")), [unknown], Context()).verdict == "ask"
    assert rule(chain(CODER), [read("$X/.env", "inexact")], Context()).verdict == "deny"


@pytest.mark.parametrize(
    ("host", "verdict"),
    [("github.com", "allow"), ("github.com:443", "allow"), ("evil.example", "deny"), ("$x.github.com", "error"),
     ("github.com$x", "error"), ("?", "error")],
)  # fmt: skip
def test_a_host_that_is_written_out_is_known_though_the_rest_of_the_address_is_not(host, verdict):
    effect = Effect(verb="connect", kind="host", value=host, flags=("inexact",))
    assert rule(chain(CODER), [effect], Context()).verdict == verdict


def test_a_policy_that_errs_never_lets_through():
    erring = Charter(
        name="x",
        may={"read": ("*",)},
        cedar="forbid (principal, action, resource) when { context.counters.calls + 9223372036854775807 > 0 };",
    )
    ruling = rule(chain(erring), [read("/a")], Context(counters=Counters(calls=1)))
    assert (ruling.verdict, ruling.enforced) == ("error", "deny")
    assert rule(chain(erring), [read("/a")], Context()).verdict == "deny"


def test_policies_written_in_cedar_decide_with_their_own_words():
    night = Charter(
        name="x",
        may={"deploy": ("*",)},
        cedar='@id("night") @verdict("ask") @advice("Wait for the morning.") @reason("It is night.")\n'
        'forbid (principal in Charter::"x", action == Action::"deploy", resource) when { context.time.hour < 6 };',
    )
    deploy = Effect(verb="deploy", kind="host", value="prod")
    day, dark = 12 * 3600 * 1_000_000, 2 * 3600 * 1_000_000
    assert rule(chain(night), [deploy], Context(now=day)).verdict == "allow"
    hit = rule(chain(night), [deploy], Context(now=dark)).hits[0]
    assert (hit.rule, hit.verdict) == ("x.cedar.night", "ask")
    assert (hit.reason, hit.advice) == ("It is night.", "Wait for the morning.")


def test_a_construct_outside_the_compiler_is_decided_by_cedarpy():
    inside = Charter(
        name="x",
        may={"connect": ("*",)},
        cedar='@id("inside") forbid (principal, action == Action::"connect", resource is Host)\n'
        'when { resource.value like "10.*" && ip(resource.value).isInRange(ip("10.0.0.0/8")) };',
    )
    for host, verdict in [("10.1.2.3", "deny"), ("11.1.2.3", "allow"), ("10.x", "error")]:
        assert rule(chain(inside), [Effect(verb="connect", kind="host", value=host)], Context()).verdict == verdict


def test_the_clock_of_the_context_is_utc_and_weeks_start_on_monday():
    time = context_of(Context(now=1_767_225_600_000_000))["time"]  # Thursday, 2026-01-01 00:00 UTC
    assert time == {"epoch": 1_767_225_600, "hour": 0, "minute": 0, "weekday": 3}


BUDGETED = Charter(
    name="x",
    may={"spawn": ("*",), "read": ("*",)},
    budget=Budget(calls=5, spawns=2, spawn_depth=1, tokens=900, cost=2_500_000),
)


@pytest.mark.parametrize(
    ("verb", "kind", "counters", "rule_id"),
    [
        ("read", "path", Counters(calls=5), None),
        ("read", "path", Counters(calls=6), "x.budget.calls"),
        ("spawn", "charter", Counters(calls=1, spawns=2), None),
        ("spawn", "charter", Counters(calls=1, spawns=3), "x.budget.spawns"),
        ("spawn", "charter", Counters(calls=1, spawns=1, depth=1), "x.budget.spawn_depth"),
        ("read", "path", Counters(calls=1, spawns=9, depth=9), None),
        ("read", "path", Counters(calls=1, tokens=899, cost=2_499_999), None),
        ("read", "path", Counters(calls=1, tokens=900), "x.budget.tokens"),
        ("read", "path", Counters(calls=1, cost=2_500_000), "x.budget.cost"),
    ],
)
def test_a_budget_ends(verb, kind, counters, rule_id):
    ruling = rule(chain(BUDGETED), [Effect(verb=verb, kind=kind, value="/a")], Context(counters=counters))
    assert ruling.verdict == ("deny" if rule_id else "allow")
    assert rule_id is None or ruling.hits[0].rule == rule_id


def test_what_was_used_up_is_told_in_the_units_of_the_charter():
    used = Counters(calls=1, tokens=1000, cost=2_510_000)
    ruling = rule(chain(BUDGETED), [Effect(verb="read", kind="path", value="/a")], Context(counters=used))
    assert [hit.reason for hit in ruling.hits if ".budget." in hit.rule] == [
        "This agent has used 1000 tokens, which is beyond the budget of charter x: tokens = 900.",
        "This agent has used 2.51 USD, which is beyond the budget of charter x: cost = 2.50 USD.",
    ]


def finding(severity, confidence="high"):
    return Finding(
        rule="secret.key", severity=severity, confidence=confidence, where="args.content", message="A key is in it.",
        advice="Read it from the environment.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "verdict", "told"),
    [(finding("high"), "deny", True), (finding("medium"), "allow", True), (finding("low"), "allow", False),
     (finding("high", "low"), "allow", True)],
)  # fmt: skip
def test_findings_are_fixed_told_or_noted(found, verdict, told):
    write = Effect(verb="write", kind="path", value="/home/u/r/a")
    ruling = rule(chain(CODER), [write], Context(findings=(found,)))
    assert ruling.verdict == verdict
    hits = [hit for hit in ruling.hits if hit.rule == "coder.code.secret.key"]
    assert bool(hits) is told
    assert not told or hits[0].advice == "Read it from the environment."


def test_a_finding_in_what_stays_inside_is_only_told():
    ruling = rule(chain(CODER), [read("/home/u/r/a")], Context(findings=(finding("high"),)))
    assert ruling.verdict == "allow"


OBSERVER = Charter(name="watch", extends="root", mode="observe", may={"read": ("repo/**",)}, never={"read": ("**/k",)})
ROOT = Charter(name="root", may={"read": ("*",), "write": ("*",)}, never={"write": ("/etc/**",)}, opaque="allow")


def test_a_charter_that_observes_tells_its_refusals_and_enforces_never():
    ruling = rule(chain(OBSERVER, ROOT), [read("/elsewhere")], Context())
    assert (ruling.verdict, ruling.enforced, ruling.mode) == ("deny", "allow", "observe")
    assert rule(chain(OBSERVER, ROOT), [read("/home/u/r/k")], Context()).enforced == "deny"
    assert (
        rule(chain(OBSERVER, ROOT), [Effect(verb="write", kind="path", value="/etc/x")], Context()).enforced == "deny"
    )
    settings_file = Effect(verb="write", kind="path", value="/home/u/r/.claude/settings.json")
    assert rule(chain(OBSERVER, ROOT), [settings_file], Context()).enforced == "deny"
    unread = Effect(verb="unparsed", kind="text", value="")
    assert rule(chain(OBSERVER, ROOT), [unread], Context()).enforced == "deny"


def test_a_preview_enforces_the_floor_and_never_only():
    preview = Context(mode="observe")
    ruling = rule(chain(CODER), [CONNECT, read("/elsewhere")], preview)
    assert (ruling.verdict, ruling.enforced, ruling.mode) == ("deny", "allow", "observe")
    assert rule(chain(CODER), [read("/home/u/r/.env")], preview).enforced == "deny"


def test_an_affirmative_allow_needs_everybodys_yes():
    yes = Charter(name="yes", may={"read": ("*",)}, grant=True)
    assert rule(chain(yes), [read("/a")], Context()).grant
    assert not rule(chain(yes, Charter(name="no", may={"read": ("*",)})), [read("/a")], Context()).grant
    assert not rule(chain(yes), [CONNECT], Context()).grant


def test_a_thousand_refused_effects_are_explained_by_a_few():
    ruling = rule(chain(CODER), [read(f"/x{at}") for at in range(1000)], Context())
    assert ruling.verdict == "deny"
    assert len(ruling.hits) <= 24
    assert all(hit.verdict == "deny" for hit in ruling.hits)


# No chain widens.

PATTERNS = {
    "read": ("*", "repo/**", "~/**", "/usr/**", "**/.env", "repo/src/*"),
    "write": ("*", "repo/**", "@tmp"),
    "connect": ("*", "github.com", "*.example.com"),
    "push": ("*", "origin/*", "origin/main"),
    "spawn": ("*", "child"),
}
sections = st.dictionaries(st.sampled_from(sorted(PATTERNS)), st.just(0), max_size=4).flatmap(
    lambda verbs: st.fixed_dictionaries(
        {verb: st.lists(st.sampled_from(PATTERNS[verb]), max_size=2, unique=True).map(tuple) for verb in verbs}
    )
)
maybe = st.sampled_from
SRC_ASKS = '@verdict("ask") forbid (principal, action, resource) when { resource.value like "*src*" };'
charters = st.builds(
    Charter,
    name=st.sampled_from(["a", "b", "c"]),
    extends=st.sampled_from(["", "b"]),
    may=sections, delegate=sections, ask=sections, never=sections,
    undecided=maybe([None, "deny", "ask", "allow"]),
    mode=maybe([None, "enforce", "observe"]),
    opaque=maybe([None, "deny", "ask", "confined", "allow"]),
    grant=st.booleans(),
    budget=st.builds(
        Budget,
        calls=maybe([None, 1, 9]),
        spawns=maybe([None, 0, 5]),
        spawn_depth=maybe([None, 0, 3]),
        tokens=maybe([None, 0, 7]),
        cost=maybe([None, 1, 2_500_000]),
    ),
    flow=st.dictionaries(st.sampled_from(["secret", "pii"]), st.builds(
        Flow, not_to=maybe([("read",), ("connect", "push")]), also=maybe(["", "untrusted"])), max_size=1),
    code=st.builds(Code, high=maybe([None, "fix", "tell", "note"]), medium=maybe([None, "fix", "tell"])),
    cedar=maybe(["", "forbid (principal, action, resource) when { context.counters.calls > 3 };",
                 SRC_ASKS, "permit (principal, action, resource);"]),
)  # fmt: skip


def one_of(verb, kind, *values):
    return st.sampled_from(values).map(lambda value: Effect(verb=verb, kind=kind, value=value))


effects = st.lists(
    st.one_of(
        st.builds(read, st.sampled_from(["/home/u/r/src/a", "/home/u/r/.env", "/usr/x", "/etc/x", "$X/y"]),
                  st.sampled_from(["inexact", "recursive", "elevated"])),
        one_of("write", "path", "/home/u/r/a", "/tmp/x", "/etc/x"),
        one_of("connect", "host", "github.com", "a.example.com"),
        one_of("push", "repo", "origin/main", "other/x"),
        st.just(Effect(verb="spawn", kind="charter", value="child")),
        st.just(Effect(verb="opaque", kind="command", value="make")),
        st.just(Effect(verb="unparsed", kind="text", value="")),
    ), min_size=1, max_size=4,
)  # fmt: skip
contexts = st.builds(
    Context,
    labels=st.frozensets(st.sampled_from(["secret", "pii", "untrusted"])),
    counters=st.builds(Counters, calls=st.integers(1, 12), spawns=st.integers(0, 6), depth=st.integers(0, 4)),
    findings=st.lists(st.builds(finding, st.sampled_from(["high", "medium", "low"])), max_size=1).map(tuple),
    mode=st.sampled_from(["enforce", "observe"]),
    confined=st.booleans(),
)
ROOTED = st.tuples(st.lists(charters, max_size=3), charters.map(lambda one: Charter(**{**fields(one), "extends": ""})))


def fields(charter):
    return {name: getattr(charter, name) for name in Charter.__struct_fields__}


@settings(max_examples=250, deadline=None)
@given(ROOTED, charters, st.integers(0, 3), st.booleans(), effects, contexts)
def test_no_link_added_to_a_chain_widens_it(line, added, where, ceiling, asked, context):
    """Delegation and extension are both this: one more set in the chain of an agent."""
    links = [bind(one, BINDINGS, ceiling=ceiling) for one in (*line[0], line[1])]
    longer = [*links[: min(where, len(links))], bind(added, OTHER if ceiling else BINDINGS), *links[where:]]
    before, after = rule([FLOOR, *links], asked, context), rule([FLOOR, *longer], asked, context)
    assert WORSE[after.verdict] >= WORSE[before.verdict]
    assert WORSE[after.enforced] >= WORSE[before.enforced]
    assert before.grant or not after.grant


@settings(max_examples=200, deadline=None)
@given(ROOTED, charters)
def test_the_settings_of_a_longer_line_are_never_looser(line, added):
    before, after = effective([*line[0], line[1]]), effective([added, *line[0], line[1]])
    order = ["deny", "ask", "confined", "allow"]
    assert order.index(after.undecided) <= order.index(before.undecided)
    assert order.index(after.opaque) <= order.index(before.opaque)
    assert after.ttl <= before.ttl
    treatment = ["fix", "tell", "note"]
    for name in ("high", "medium", "low"):
        assert treatment.index(getattr(after, name)) <= treatment.index(getattr(before, name))
    for name in BUDGETS:
        limit = getattr(before.budget, name)
        assert limit is None or getattr(after.budget, name) <= limit


def test_a_setting_looser_than_its_ancestors_has_no_effect_and_is_told():
    parent = Charter(name="p", undecided="deny", ttl="1h", budget=Budget(calls=5), code=Code(high="fix"))
    child = Charter(
        name="c", extends="p", undecided="allow", ttl="2h", budget=Budget(calls=9, spawns=1), code=Code(high="note")
    )
    now = narrower(child, parent)
    assert (now.undecided, now.ttl, now.budget, now.high) == ("deny", 3600, Budget(calls=5, spawns=1), "fix")
    assert [name for name, _, _ in looser(child, [parent])] == ["undecided", "ttl", "budget", "code"]
    assert looser(parent, []) == []


# The whole of a charter, not only its policies, against cedarpy with the schema.


@settings(max_examples=100, deadline=None)
@given(charters, effects, contexts, st.booleans())
def test_a_charter_compiled_and_the_same_charter_in_cedarpy_agree(charter, asked, context, ceiling):
    bound = bind(charter, BINDINGS, ceiling=ceiling)
    text = to_cedar(charter, ceiling=ceiling)
    assert not text.partition("\n")[2].strip() or cedarpy.validate_policies(text, SCHEMA).validation_passed
    for effect in asked:
        if effect.verb in {"opaque", "unparsed"}:
            continue
        principal, values = Uid("Agent", "a"), context_of(context)
        flags = tuple(flag for flag in effect.flags if flag == "recursive")
        word = bound.judge(
            (effect.verb, effect.kind, effect.value, flags), Asker(principal, Entity({}, frozenset()), values)
        )
        seen = bound.see(effect.verb, effect.kind, effect.value, flags)
        store = [
            {"uid": seen.resource._asdict(), "attrs": {"value": effect.value},
             "parents": [one._asdict() for one in seen.entity.ancestors]},
            {"uid": principal._asdict(), "attrs": {}, "parents": []},
        ]  # fmt: skip
        request = {
            "principal": principal._asdict(), "action": {"type": "Action", "id": effect.verb},
            "resource": seen.resource._asdict(), "context": plain(values),
        }  # fmt: skip
        answer = cedarpy.is_authorized(request, text, store, SCHEMA)
        assert answer.decision is not cedarpy.Decision.NoDecision
        assert answer.allowed == (word.verdict == "allow")
