from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.bound import Bindings, bind
from outrider.charter.compare import Change, compare
from outrider.charter.model import Budget, Charter
from outrider.charter.ruling import Context, rule
from outrider.events.call import Effect

BASE = Charter(name="base", may={"read": ("**",), "write": ("**",)})


def one(**fields: object) -> tuple[Charter, ...]:
    return Charter(name="mine", extends="base", **fields), BASE  # type: ignore[arg-type]


def told(before: tuple[Charter, ...], after: tuple[Charter, ...]) -> list[tuple[str, str]]:
    return [(change.becomes, change.text) for change in compare(before, after)]


def test_a_pattern_that_another_holds_is_no_change() -> None:
    assert told(one(may={"read": ("repo/**",)}), one(may={"read": ("repo/**", "repo/src/**")})) == []


def test_what_is_lost_says_what_is_kept_of_it() -> None:
    assert told(one(may={"read": ("repo/**",)}), one(may={"read": ("repo/src/**", "@tmp")})) == [
        ("allowed", "read @tmp"),
        ("denied", "read repo/** but for repo/src/**"),
    ]


def test_what_may_be_written_may_be_deleted_and_the_words_say_so() -> None:
    assert told(one(), one(may={"write": ("repo/**",)})) == [
        ("allowed", "write repo/**"),
        ("allowed", "delete repo/**"),
    ]


def test_a_question_that_falls_away_opens_only_what_is_permitted() -> None:
    may = {"push": ("origin/*",)}
    asking = one(may=may, ask={"push": ("origin/main",)})
    assert told(asking, one(may=may)) == [("allowed", "push origin/main: a person is no longer asked")]
    assert ("denied", "push origin/*") in told(asking, one())
    assert not [text for becomes, text in told(asking, one()) if becomes == "allowed"]


def test_settings_are_told_with_their_direction() -> None:
    before, after = one(ttl="8h", undecided="deny"), one(ttl="2h", undecided="deny", budget=Budget(calls=5))
    assert told(before, after) == [
        ("other", "ttl is 7200 s instead of 28800 s: stricter"),
        ("other", "calls is 5 instead of unlimited: stricter"),
    ]


def test_limits_that_only_a_host_can_tell_and_who_may_answer_are_told_as_they_are_written() -> None:
    before = one(budget=Budget(cost=5_000_000), ask_approvers=("dana",))
    after = one(budget=Budget(cost=2_500_000, tokens=90_000), ask_approvers=("dana", "group:release"))
    assert told(before, after) == [
        ("other", "who may answer a question: dana or group:release instead of dana"),
        ("other", "tokens is 90000 instead of unlimited: stricter"),
        ("other", "cost is 2.50 USD instead of 5.00 USD: stricter"),
    ]


PATTERNS = st.sampled_from(["*", "repo/**", "repo/src/**", "repo/src/a.py", "~/**", "@tmp", "/etc/hosts", "**/*.py"])
VALUES = ("/home/u/repo/src/a.py", "/home/u/repo/b", "/home/u/x.py", "/etc/hosts", "/var/x", "/tmp/y")


@given(st.lists(PATTERNS, unique=True, max_size=4), st.lists(PATTERNS, unique=True, max_size=4))
def test_no_difference_in_permits_goes_unsaid(was: list[str], now: list[str]) -> None:
    """Where the same read is ruled otherwise, the words have a change of that kind."""
    before, after = one(may={"read": tuple(was)})[0], one(may={"read": tuple(now)})[0]
    changes: tuple[Change, ...] = compare((before,), (after,))
    bindings = Bindings(home="/home/u", repo="/home/u/repo")
    for value in VALUES:
        effect = Effect(verb="read", kind="path", value=value)
        old, new = (rule((bind(each, bindings),), [effect], Context()).verdict for each in (before, after))
        if old != new:
            assert ("allowed" if new == "allow" else "denied") in [change.becomes for change in changes]
