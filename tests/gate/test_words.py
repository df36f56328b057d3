"""What an agent is told: who decided, what to do instead, and that allowing it is not its own to do."""

from __future__ import annotations

from outrider.events.call import Effect
from outrider.events.decision import Decision, RuleHit, Verdict
from outrider.gate.words import MAX_REASON, refusal

PUSH = Effect(verb="push", kind="branch", value="origin/main")


def hit(
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
    return refusal(Decision(verdict=enforced, enforced=enforced, hits=hits), (PUSH,), 7)


def test_a_refusal_says_that_it_is_a_decision_and_not_a_failure_of_the_hook():
    assert told(hit("a")).startswith("Outrider refused this call. The hook works; this is its decision. It may not.")


def test_what_a_person_can_do_is_offered_to_the_person_and_not_to_the_agent():
    text = told(hit("a", unlock="add x"), hit("b", reason="Nor this.", unlock="remove y"))
    assert "You cannot allow it yourself." in text
    assert "your user, who can add x; and remove y." in text


def test_where_the_floor_refuses_nothing_is_offered():
    text = told(hit("floor.a", unlock="nothing: a person does this"), hit("b", reason="Nor this.", unlock="add x"))
    assert "add x" not in text
    assert "You cannot" not in text


def test_a_question_is_worded_for_the_person_who_is_asked():
    text = told(hit("a", verdict="ask", unlock="say yes when asked, or remove z"), enforced="ask")
    assert text.startswith("Outrider leaves this call to a person")
    assert "To allow it, a person can say yes when asked, or remove z." in text
    assert "You cannot" not in text


def test_several_rules_are_listed_once_each_and_the_rest_is_counted():
    text = told(*(hit(f"r{i}", effect=i, reason=f"Reason {i}.") for i in range(5)), hit("again", reason="Reason 0."))
    assert text.count("\n- ") == 3
    assert "(2 more rules apply.)" in text


def test_however_much_there_is_to_say_it_is_bounded_and_names_the_event():
    text = told(*(hit(f"r{i}", effect=i, reason=f"Reason {i}." * 90, unlock=f"add {i}" * 90) for i in range(5)))
    assert len(text) == MAX_REASON
    assert text.endswith("Recorded as event 7; `outrider why 7` explains it.")


def test_a_refusal_without_a_rule_still_says_where_it_is_recorded():
    assert told().endswith("Recorded as event 7; `outrider why 7` explains it.")
