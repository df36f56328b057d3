"""Verdicts and their order."""

from __future__ import annotations

import itertools
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from outrider.events.decision import WORSE, Verdict, worst

verdicts: st.SearchStrategy[Verdict] = st.sampled_from(get_args(Verdict))


def test_the_order_is_allow_amend_ask_error_deny() -> None:
    assert sorted(WORSE, key=WORSE.__getitem__) == ["allow", "amend", "ask", "error", "deny"]


def test_every_verdict_has_its_place() -> None:
    assert set(WORSE) == set(get_args(Verdict))
    assert len(set(WORSE.values())) == len(WORSE)


def test_a_call_that_does_nothing_is_allowed() -> None:
    assert worst([]) == "allow"


def test_not_knowing_is_worse_than_asking_and_milder_than_a_deny() -> None:
    assert worst(["ask", "error"]) == "error"
    assert worst(["error", "deny"]) == "deny"


@given(st.lists(verdicts, min_size=1, max_size=6))
def test_the_worst_is_one_of_them_and_no_milder_than_any(given_verdicts: list[Verdict]) -> None:
    verdict = worst(given_verdicts)
    assert verdict in given_verdicts
    assert all(WORSE[verdict] >= WORSE[other] for other in given_verdicts)


@given(st.lists(verdicts, max_size=4))
def test_the_order_in_which_verdicts_come_does_not_matter(given_verdicts: list[Verdict]) -> None:
    assert {worst(list(shuffled)) for shuffled in itertools.permutations(given_verdicts)} == {worst(given_verdicts)}
