"""The compiler held to its oracle: cedarpy evaluates the same random policies on the same random requests."""

import json
import random
import re

import cedarpy
import pytest

from outrider.charter.program import Program, Request, plain
from outrider.charter.values import Entity, Fault, Uid, equal, key
from outrider.errors import CharterError

STRINGS = ["", "a", "ab", "a*b", "secret", "untrusted", "/etc/passwd", "é", 'q"uote', "line\nfeed", "\\", "true", "1"]
LONGS = [0, 1, -1, 2, 7, 2**63 - 1, -(2**63), 2**62, -5]
UIDS = [
    Uid("Agent", "a1"), Uid("Agent", "a2"), Uid("Charter", "coder"), Uid("Charter", "base"), Uid("Path", "/x"),
    Uid("Path", "/y"), Uid("Pattern", "p0"), Uid("Pattern", "p1"), Uid("Host", "h"), Uid("Ns::Thing", "t"),
]  # fmt: skip
ACTIONS = ["read", "write"]
ATTRS = ["n", "s", "b", "set", "rec", "who", "missing"]
KEYWORDS = re.compile(r"`(policy\d+)`")


def value(rng, depth=2):
    kind = rng.randrange(6 if depth else 4)
    if kind == 0:
        return rng.choice(STRINGS)
    if kind == 1:
        return rng.choice(LONGS)
    if kind == 2:
        return rng.random() < 0.5
    if kind == 3:
        return rng.choice(UIDS)
    if kind == 4:
        return frozenset(key(value(rng, depth - 1)) for _ in range(rng.randrange(4)))
    return {name: value(rng, depth - 1) for name in rng.sample(ATTRS[:-1], rng.randrange(4))}


def attrs(rng):
    typed = {
        "n": lambda: rng.choice(LONGS), "s": lambda: rng.choice(STRINGS), "b": lambda: rng.random() < 0.5,
        "set": lambda: frozenset(key(value(rng, 1)) for _ in range(rng.randrange(4))),
        "rec": lambda: {"n": rng.choice(LONGS), "s": rng.choice(STRINGS), "rec": {"b": True}},
        "who": lambda: rng.choice(UIDS),
    }  # fmt: skip
    out = {name: make() for name, make in typed.items() if rng.random() < 0.85}
    if rng.random() < 0.3:
        out[rng.choice(ATTRS[:-1])] = value(rng)
    return out


def quoted(text):
    return json.dumps(text, ensure_ascii=False).replace("\\b", "\\x08").replace("\\f", "\\x0c")


def uid_text(uid):
    return f"{uid.type}::{quoted(uid.id)}"


def like_text(rng):
    parts = [rng.choice(["*", "a", "b", "/", "\\*", "é", "etc", "s"]) for _ in range(rng.randrange(5))]
    return '"' + "".join(parts) + '"'


def literal(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return quoted(rng.choice(STRINGS))
    if kind == 1:
        return f"({rng.choice(LONGS)})"
    if kind == 2:
        return rng.choice(["true", "false"])
    return uid_text(rng.choice(UIDS))


def base(rng):
    return rng.choice(["context", "context", "principal", "resource", "context.rec", "principal.who", "context.who"])


def typed(rng, kind, depth):
    """An expression that usually has the kind asked for: wholly random ones would nearly all err at once."""
    if rng.random() < 0.06:
        kind = rng.choice(["bool", "long", "string", "set", "entity", "record"])
    if depth <= 0:
        return leaf(rng, kind)
    return {"bool": boolean, "long": number, "string": string, "set": aset, "entity": anentity, "record": record}[kind](
        rng, depth
    )


def leaf(rng, kind):
    names = {"bool": "b", "long": "n", "string": "s", "set": "set", "entity": "who", "record": "rec"}
    if rng.random() < 0.5:
        return f"{base(rng)}.{names[kind]}"
    plain_ones = {
        "bool": lambda: rng.choice(["true", "false"]),
        "long": lambda: f"({rng.choice(LONGS)})",
        "string": lambda: quoted(rng.choice(STRINGS)),
        "set": lambda: "[" + ", ".join(literal(rng) for _ in range(rng.randrange(4))) + "]",
        "entity": lambda: rng.choice(["principal", "resource", "action", uid_text(rng.choice(UIDS))]),
        "record": lambda: "context",
    }
    return plain_ones[kind]()


def any_kind(rng):
    return rng.choice(["bool", "long", "string", "set", "entity", "record"])


def boolean(rng, depth):
    d = depth - 1
    kind = any_kind(rng)
    forms = [
        lambda: f"({typed(rng, 'bool', d)} && {typed(rng, 'bool', d)})",
        lambda: f"({typed(rng, 'bool', d)} || {typed(rng, 'bool', d)})",
        lambda: f"(!{typed(rng, 'bool', d)})",
        lambda: f"({typed(rng, kind, d)} {rng.choice(['==', '!='])} {typed(rng, kind, d)})",
        lambda: f"({typed(rng, 'long', d)} {rng.choice(['<', '<=', '>', '>='])} {typed(rng, 'long', d)})",
        lambda: f"({typed(rng, 'string', d)} like {like_text(rng)})",
        lambda: f"({typed(rng, 'entity', d)} in {typed(rng, 'entity', d)})",
        lambda: (
            f"({typed(rng, 'entity', d)} in [{', '.join(typed(rng, 'entity', 0) for _ in range(rng.randrange(3)))}])"
        ),
        lambda: f"({typed(rng, 'entity', d)} is {rng.choice(UIDS).type})",
        lambda: f"({typed(rng, 'entity', d)} is {rng.choice(UIDS).type} in {typed(rng, 'entity', 0)})",
        lambda: f"({base(rng)} has {rng.choice(ATTRS)})",
        lambda: f"({base(rng)} has {rng.choice(ATTRS)}.{rng.choice(ATTRS)})",
        lambda: f'({base(rng)} has "odd name")',
        lambda: f"({typed(rng, 'set', d)}.contains({typed(rng, kind, d)}))",
        lambda: f"({typed(rng, 'set', d)}.containsAll({typed(rng, 'set', d)}))",
        lambda: f"({typed(rng, 'set', d)}.containsAny({typed(rng, 'set', d)}))",
        lambda: f"({typed(rng, 'set', d)}.isEmpty())",
        lambda: f"(if {typed(rng, 'bool', d)} then {typed(rng, 'bool', d)} else {typed(rng, 'bool', d)})",
        lambda: leaf(rng, "bool"),
    ]
    return rng.choice(forms)()


def number(rng, depth):
    d = depth - 1
    forms = [
        lambda: f"({typed(rng, 'long', d)} {rng.choice('+-*')} {typed(rng, 'long', d)})",
        lambda: f"(-{leaf(rng, 'long')})",
        lambda: f"(if {typed(rng, 'bool', d)} then {typed(rng, 'long', d)} else {typed(rng, 'long', d)})",
        lambda: leaf(rng, "long"),
        lambda: leaf(rng, "long"),
    ]
    return rng.choice(forms)()


def string(rng, depth):
    if rng.random() < 0.2:
        return f"(if {typed(rng, 'bool', depth - 1)} then {leaf(rng, 'string')} else {leaf(rng, 'string')})"
    return leaf(rng, "string")


def aset(rng, depth):
    if rng.random() < 0.5:
        return leaf(rng, "set")
    kind = any_kind(rng)
    return "[" + ", ".join(typed(rng, kind, depth - 1) for _ in range(rng.randrange(3))) + "]"


def anentity(rng, depth):
    del depth
    return leaf(rng, "entity")


def record(rng, depth):
    if rng.random() < 0.5:
        return leaf(rng, "record")
    fields = rng.sample(["n", "s", "odd name"], rng.randrange(1, 3))
    inner = {name: typed(rng, any_kind(rng), depth - 1) for name in fields}
    return "{" + ", ".join(f"{quoted(name)}: {text}" for name, text in inner.items()) + "}"


def scope(rng, var):
    one = rng.choice(UIDS)
    return rng.choice(
        [var, var, var, f"{var} == {uid_text(one)}", f"{var} in {uid_text(one)}", f"{var} is {one.type}",
         f"{var} is {one.type} in {uid_text(rng.choice(UIDS))}"]
    )  # fmt: skip


def policy(rng):
    action = rng.choice(["action", 'action == Action::"read"', 'action in [Action::"read", Action::"write"]',
                         'action in Action::"write"'])  # fmt: skip
    head = f"{rng.choice(['permit', 'forbid'])} ({scope(rng, 'principal')}, {action}, {scope(rng, 'resource')})"
    clauses = [
        f"{rng.choice(['when', 'when', 'unless'])} {{ {typed(rng, 'bool', rng.randrange(1, 4))} }}"
        for _ in range(rng.choice([0, 1, 1, 1, 2]))
    ]
    return " ".join([head, *clauses]) + ";"


def closure(parents):
    def above(uid):
        out = set()
        for one in parents.get(uid, ()):
            out |= {one} | above(one)
        return frozenset(out)

    return above


def store(rng):
    """Some of the entities, in a hierarchy without circles, each with some attributes."""
    present = [uid for uid in UIDS if rng.random() < 0.85]
    parents = {uid: [one for one in UIDS[at + 1 :] if rng.random() < 0.25] for at, uid in enumerate(UIDS)}
    for uid in UIDS:
        if uid not in present:
            parents[uid] = []
    above = closure(parents)
    entities = {uid: Entity(attrs(rng), above(uid)) for uid in present}
    text = json.dumps(
        [{"uid": uid._asdict(), "attrs": plain(one.attrs), "parents": [up._asdict() for up in parents[uid]]}
         for uid, one in entities.items()]
    )  # fmt: skip
    return entities, text


def ours(program, asked):
    known = asked.entities.get(asked.resource)
    selection = program.select(asked.action.id, known.ancestors if known else (), asked.resource)
    held, erred = program.run(selection, asked)
    forbids = {at for at in held if program.policies[at].forbid}
    permits = set(held) - forbids
    assert len(held) == len(set(held))
    return bool(permits and not forbids), forbids or permits, set(erred)


def theirs(policies, asked, entities):
    request = {name: getattr(asked, name)._asdict() for name in ("principal", "action", "resource")}
    answer = cedarpy.is_authorized({**request, "context": plain(asked.context)}, policies, entities)
    assert answer.decision is not cedarpy.Decision.NoDecision, answer.diagnostics.errors
    erred = {int(KEYWORDS.search(one)[1][6:]) for one in answer.diagnostics.errors}
    return answer.allowed, {int(one[6:]) for one in answer.diagnostics.reasons}, erred


def batch(seed, sets, requests):
    """Compare; return how many comparisons there were, how many were allowed, and how many policies erred."""
    rng = random.Random(seed)
    compared = allowed = errors = fallbacks = 0
    for _ in range(sets):
        text = "\n".join(policy(rng) for _ in range(4))
        program = Program(text)
        fallbacks += len(program.fallback)
        handle = cedarpy.PolicySet.from_str(text)
        entities, entity_text = store(rng)
        known = cedarpy.Entities.from_json_str(entity_text)
        for _ in range(requests):
            action = Uid("Action", rng.choice(ACTIONS))
            asked = Request(rng.choice(UIDS[:4]), action, rng.choice(UIDS), attrs(rng), entities)
            mine = ours(program, asked)
            assert mine == theirs(handle, asked, known), (text, asked)
            compared += 1
            allowed += mine[0]
            errors += len(mine[2])
    return compared, allowed, errors, fallbacks


@pytest.mark.parametrize("seed", range(8))
def test_compiled_policies_and_cedarpy_agree_on_decision_reasons_and_errors(seed):
    compared, allowed, errors, fallbacks = batch(seed, sets=400, requests=8)
    assert compared == 3200
    assert allowed > 200
    assert errors > 600
    assert fallbacks == 0


def request(context):
    return Request(UIDS[0], Uid("Action", "read"), UIDS[4], context, {})


def decide(text, context):
    program = Program(text)
    return ours(program, request(context))


def test_true_is_not_one():
    assert decide("permit(principal, action, resource) when { context.n == true };", {"n": 1})[0] is False
    assert decide("permit(principal, action, resource) when { [1].contains(context.n) };", {"n": True})[0] is False
    assert decide("permit(principal, action, resource) when { context.r == {a: 1} };", {"r": {"a": True}})[0] is False
    assert equal(frozenset({key(True)}), frozenset({key(1)})) is False


def test_arithmetic_overflows_as_cedar_does():
    allowed, _, erred = decide("permit(principal, action, resource) when { context.n + 1 > 0 };", {"n": 2**63 - 1})
    assert (allowed, erred) == (False, {0})


def test_a_forbid_that_errs_is_reported_beside_the_permit_that_holds():
    text = "permit(principal, action, resource); forbid(principal, action, resource) when { context.gone == 1 };"
    allowed, reasons, erred = decide(text, {})
    assert allowed
    assert (reasons, erred) == ({0}, {1})


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ('ip(context.s).isInRange(ip("10.0.0.0/8"))', {"s": "10.1.2.3"}, True),
        ('ip(context.s).isInRange(ip("10.0.0.0/8"))', {"s": "11.1.2.3"}, False),
        ('decimal(context.s).lessThan(decimal("1.5"))', {"s": "1.4"}, True),
        ('datetime("2026-01-01") < datetime(context.s)', {"s": "2026-06-01"}, True),
    ],
)
def test_what_is_not_translated_goes_to_cedarpy(condition, context, holds):
    program = Program(
        f"permit(principal, action, resource);\nforbid(principal, action, resource) when {{ {condition} }};"
    )
    assert set(program.fallback) == {1}
    allowed, _, erred = ours(program, request(context))
    assert (allowed, erred) == (not holds, set())


def test_an_error_in_the_fallback_is_an_error():
    program = Program("forbid(principal, action, resource) when { ip(context.s).isLoopback() };")
    assert ours(program, request({"s": "nonsense"}))[2] == {0}


def test_nesting_beyond_the_parser_of_python_is_still_evaluated():
    deep = "context.b"
    for _ in range(45):
        deep = f"(if {deep} then (!({deep[:0]}context.b) || true) else false)"
    allowed, _, erred = decide(f"permit(principal, action, resource) when {{ {deep} }};", {"b": True})
    assert (allowed, erred) == (True, set())


def test_policies_of_other_actions_and_resources_are_not_looked_at():
    text = "".join(
        f'permit(principal, action == Action::"read", resource in Pattern::"p{at}") when {{ context.n > {at} }};\n'
        for at in range(1000)
    )
    program = Program(text)
    selection = program.select("read", (Uid("Pattern", "p7"),), UIDS[4])
    assert len(selection.conditions) == 1
    assert program.select("write", (Uid("Pattern", "p7"),), UIDS[4]).conditions == ()


def test_text_that_is_not_cedar_is_refused_with_cedars_words():
    with pytest.raises(CharterError, match="cannot be read"):
        Program("permit(principal action, resource);")


def test_a_type_that_does_not_fit_is_a_fault():
    from outrider.charter import values

    for call in (values.truth, values.integer, values.text, values.members, values.entity):
        with pytest.raises(Fault):
            call(None)
