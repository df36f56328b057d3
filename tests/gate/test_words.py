from __future__ import annotations

from outrider.events.call import Effect
from outrider.events.decision import Decision, RuleHit
from outrider.gate import answers, words


def hit(rule="r", verdict="deny", **kwargs):
    return RuleHit(rule=rule, verdict=verdict, charter="coder", digest="sha256:0", **kwargs)


def decision(*hits):
    return Decision(verdict="deny", enforced="deny", hits=hits)


def test_the_remedy_comes_with_the_refusal_and_the_event_with_both():
    said = words.refusal(decision(hit(reason="no keys", advice="use an agent socket", unlock="add x")), (), 41)
    assert said.index("no keys") < said.index("Instead: use an agent socket") < said.index("[r]")
    assert "add x." in said
    assert said.endswith("Recorded as event 41; `outrider why 41` explains it.")


def test_the_worst_comes_first_and_the_same_advice_once():
    said = words.refusal(
        decision(hit("soft", "ask", reason="b"), hit("hard", "deny", reason="a"), hit("again", "deny", reason="a")),
        (),
        1,
    )
    assert said.index("[hard]") < said.index("[soft]")
    assert "[again]" not in said


def test_many_rules_are_counted_and_the_text_is_bounded():
    said = words.refusal(decision(*(hit(f"r{n}", reason=f"reason {n} " + "x" * 900) for n in range(9))), (), 1)
    assert len(said) <= words.MAX_REASON


def test_a_hit_without_a_reason_names_what_would_be_done():
    effects = (Effect(verb="connect", kind="host", value="evil.example"),)
    assert "connecting to evil.example" in words.refusal(decision(hit(effect=0)), effects, 1)
    assert "this call" in words.refusal(decision(hit(effect=9)), effects, 1)


def test_what_nothing_unlocks_is_not_offered():
    assert "the floor" not in words.refusal(decision(hit(reason="a", unlock="nothing: the floor")), (), 1)


def test_what_is_let_through_is_told_or_not_at_all():
    assert words.told((), 1) == ""
    assert "weak hash" in words.told((hit(verdict="allow", reason="weak hash", advice="sha256"),), 3)


def test_undecided_answers_are_what_the_charter_says():
    assert answers.could_not("x", "ask").verdict == "ask"
    assert answers.could_not("x", "deny").verdict == "deny"
    assert answers.could_not("x", "allow").verdict == "silent"
    assert answers.could_not("x", "nonsense").verdict == "deny"
