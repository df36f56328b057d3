"""What an agent is told: who decided, what to do instead, and that allowing it is not its own to do."""

from __future__ import annotations

from outrider.events.call import Effect
from outrider.events.decision import Decision, RuleHit, Verdict
from outrider.gate import answers, words


def hit(rule="r", verdict="deny", **kwargs):
    return RuleHit(rule=rule, verdict=verdict, charter="coder", digest="sha256:0", **kwargs)


def decision(*hits):
    return Decision(verdict="deny", enforced="deny", hits=hits)


PUSH = Effect(verb="push", kind="branch", value="origin/main")


def ruled(
    rule: str, *, verdict: Verdict = "deny", unlock: str = "", reason: str = "It may not.", effect: int = 0
) -> RuleHit:
    return RuleHit(
        rule=rule,
        verdict=verdict,
        charter="coder",
        digest="",
        effect=effect,
        reason=reason,
        advice="Do that.",
        unlock=unlock,
    )


def told(*hits: RuleHit, enforced: Verdict = "deny") -> str:
    return words.refusal(Decision(verdict=enforced, enforced=enforced, hits=hits), (PUSH,), 7)


def test_the_remedy_comes_with_the_refusal_and_the_event_with_both():
    said = words.refusal(decision(hit(reason="no keys", advice="use an agent socket", unlock="add x")), (), 41)
    assert said.index("no keys") < said.index("Instead: use an agent socket") < said.index("[r]")
    assert "add x." in said
    assert said.endswith("Recorded as event 41; `outrider why 41` explains it.")


def test_whom_a_person_can_ask_is_said_where_somebody_is_named():
    said = words.refusal(decision(hit(reason="no keys")), (), 41, contact="Security <security@shipyard.example>")
    assert "Whom your user can ask: Security <security@shipyard.example>\nRecorded as event 41" in said
    assert "can ask" not in words.refusal(decision(hit(reason="no keys")), (), 41)


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


def test_a_refusal_says_that_it_is_a_decision_and_not_a_failure_of_the_hook():
    assert told(ruled("a")).startswith("Outrider refused this call. The hook works; this is its decision. It may not.")


def test_what_a_person_can_do_is_offered_to_the_person_and_not_to_the_agent():
    text = told(ruled("a", unlock="add x"), ruled("b", reason="Nor this.", unlock="remove y"))
    assert "You cannot allow it yourself." in text
    assert "your user, who can add x; and remove y." in text


def test_where_the_floor_refuses_nothing_is_offered():
    text = told(ruled("floor.a", unlock="nothing: a person does this"), ruled("b", reason="Nor this.", unlock="add x"))
    assert "add x" not in text
    assert "You cannot" not in text


def test_a_question_is_worded_for_the_person_who_is_asked():
    text = told(ruled("a", verdict="ask", unlock="say yes when asked, or remove z"), enforced="ask")
    assert text.startswith("Outrider leaves this call to a person")
    assert "To allow it, a person can say yes when asked, or remove z." in text
    assert "You cannot" not in text


def test_several_rules_are_listed_once_each_and_the_rest_is_counted():
    text = told(
        *(ruled(f"r{i}", effect=i, reason=f"Reason {i}.") for i in range(5)), ruled("again", reason="Reason 0.")
    )
    assert text.count("\n- ") == 3
    assert "(2 more rules apply.)" in text


def test_however_much_there_is_to_say_it_is_bounded_and_names_the_event():
    text = told(*(ruled(f"r{i}", effect=i, reason=f"Reason {i}." * 90, unlock=f"add {i}" * 90) for i in range(5)))
    assert len(text) == words.MAX_REASON
    assert text.endswith("Recorded as event 7; `outrider why 7` explains it.")


def test_a_refusal_without_a_rule_still_says_where_it_is_recorded():
    assert told().endswith("Recorded as event 7; `outrider why 7` explains it.")
