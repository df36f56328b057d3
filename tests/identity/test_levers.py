"""Whom a lever reaches."""

from __future__ import annotations

import pytest

from outrider.errors import BadInputError
from outrider.events.record import LeverPulled
from outrider.identity.levers import Levers, Who, scope_of

NOW = 1_000_000
HOUR = 3_600_000_000


def pulled(*orders):
    """Levers after ``(lever, scope)`` orders, the first as event 100."""
    levers = Levers()
    for n, (lever, scope) in enumerate(orders, 100):
        until = NOW + HOUR if lever == "observe" else 0
        levers.apply(LeverPulled(v=1, n=n, ts=NOW, lever=lever, by="p_1", why="why", scope=scope, until=until))
    return levers


def who(agent="kid", above=("mother", "root"), own="reviewer", charters=("reviewer", "coder", "base"), born=5):
    return Who(agent=agent, above=above, charters=frozenset(charters), charter=own, sponsor="p_ada", born=born)


def word(levers, one):
    found = levers.stops(one)
    return found.lever if found else ""


@pytest.mark.parametrize(
    "scope",
    ["charter:reviewer", "charter:coder", "charter:base", "sponsor:p_ada", "lineage:root", "lineage:kid", "agent:kid"],
)
def test_a_quarantine_reaches_an_agent_by_what_it_is_and_by_what_it_comes_from(scope):
    levers = pulled(("quarantine", scope))
    assert levers.stops(who()).scope == scope
    assert word(pulled(("quarantine", scope), ("release", scope)), who()) == ""


@pytest.mark.parametrize("scope", ["charter:writer", "sponsor:p_bob", "lineage:sister", "agent:mother", "agent:root"])
def test_a_quarantine_leaves_everybody_else_alone(scope):
    assert word(pulled(("quarantine", scope)), who()) == ""


@pytest.mark.parametrize("scope", ["agent:mother", "lineage:root", "charter:coder", "sponsor:p_ada"])
def test_what_a_revocation_reached_never_comes_back(scope):
    assert word(pulled(("revoke", scope)), who()) == "revoke"
    assert word(pulled(("revoke", scope), ("release", scope)), who()) == "revoke"


def test_a_revoked_class_bears_nobody_until_it_is_released():
    young = who(agent="", above=(), born=-1)
    assert word(pulled(("revoke", "charter:coder")), young) == "revoke"
    released = pulled(("revoke", "charter:coder"), ("release", "charter:coder"))
    assert word(released, young) == word(released, who(agent="late", above=(), born=500)) == ""


def test_what_descends_from_a_revoked_agent_is_void_however_late_it_was_born():
    assert word(pulled(("revoke", "agent:mother")), who(agent="late", above=("mother",), born=5_000)) == "revoke"


def test_a_revocation_is_named_before_a_quarantine():
    assert word(pulled(("quarantine", "charter:base"), ("revoke", "agent:kid")), who()) == "revoke"


def test_a_child_is_observed_only_with_all_its_ancestors():
    mother = who(agent="mother", above=(), own="coder", charters=("coder", "base"))
    assert pulled(("observe", "charter:coder")).observes([mother], NOW)
    assert not pulled(("observe", "charter:reviewer")).observes([who(above=("mother",)), mother], NOW)
    both = pulled(("observe", "charter:reviewer"), ("observe", "charter:coder"))
    assert both.observes([who(above=("mother",)), mother], NOW)
    assert pulled(("observe", "lineage:mother")).observes([who(above=("mother",)), mother], NOW)


def test_observing_a_class_does_not_loosen_what_only_extends_it():
    assert not pulled(("observe", "charter:base")).observes([who(above=())], NOW)


def test_an_observation_ends_by_itself():
    levers = pulled(("observe", "agent:kid"))
    assert levers.observes([who(above=())], NOW + HOUR - 1)
    assert not levers.observes([who(above=())], NOW + HOUR)
    assert levers.standing(NOW + HOUR) == ()


def test_a_dump_gives_back_the_same_levers():
    orders = [("quarantine", "charter:a"), ("revoke", "charter:b"), ("revoke", "agent:kid"), ("observe", "agent:x")]
    levers = pulled(*orders)
    again = Levers.load(levers.dump())
    assert again.standing(NOW) == levers.standing(NOW)
    assert again.final("agent:kid") == levers.final("agent:kid")


@pytest.mark.parametrize(("kind", "value"), [("host", "x"), ("charter", ""), ("agent", "two words"), ("", "")])
def test_a_lever_that_reaches_nobody_is_bad_input(kind, value):
    with pytest.raises(BadInputError):
        scope_of(kind, value)
