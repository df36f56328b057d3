import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.record import FOREVER, Record

from outrider.errors import RefusedError, UnavailableError
from outrider.events.call import Label
from outrider.events.event import VERSION
from outrider.events.record import AgentBorn
from outrider.identity import birth
from outrider.identity.birth import Terms, Wish, plan_birth
from outrider.identity.registry import Registry

NOW = 1_000_000
HOUR = 3_600_000_000
SHELF = {
    "coder": Terms(name="coder", line=("coder1", "base1"), ttl=8 * HOUR),
    "reviewer": Terms(name="reviewer", line=("reviewer1", "base1"), ttl=HOUR),
    "watcher": Terms(name="watcher", line=("watcher1",), mode="observe"),
    "unclaimed": Terms(name="unclaimed", line=("unclaimed1", "base1"), ttl=HOUR, mode="observe"),
}


def wish(how="session", **fields):
    given = {"agent": "new", "now": NOW, "door": "claude_code", "session": "s", "sponsor": "p_me", **fields}
    return Wish(how=how, **given)


def plan(asked_for, parent=None, asked=None, shelf=SHELF):
    return plan_birth(asked_for, shelf.get, parent=parent, asked=asked)


@pytest.fixture
def record():
    return Record()


def test_a_session_that_belongs_nowhere_is_unclaimed():
    found = plan(wish())
    assert (found.charter, found.digest, found.chain) == ("unclaimed", "unclaimed1", ("unclaimed1", "base1"))
    assert (found.parent, found.root, found.depth, found.mode) == ("", "new", 0, "observe")
    assert (found.expires, found.sponsor) == (NOW + HOUR, "p_me")


def test_a_session_in_an_initialised_repository_gets_its_charter_and_mode():
    found = plan(wish(repo_charter="coder", repo_mode="observe"))
    assert (found.charter, found.mode, found.expires) == ("coder", "observe", NOW + 8 * HOUR)
    assert plan(wish(repo_charter="coder")).mode == "enforce"


def test_a_repository_with_a_charter_that_is_not_in_force_is_unclaimed():
    assert plan(wish(repo_charter="gone")).charter == "unclaimed"


def test_without_even_the_default_there_is_no_birth():
    with pytest.raises(UnavailableError):
        plan(wish(), shelf={})


def test_a_sub_agent_gets_the_class_that_an_allowed_open_call_asked_for(record):
    parent = record.born("A", chain=("coder1", "base1"), expires=NOW + 2 * HOUR)
    record.asked("A", "c1", spawns=("reviewer",), tool="spawn")
    asked = record.registry.open_spawn("A", "reviewer")
    found = plan(wish("subagent", host_agent="x", agent_type="reviewer"), parent, asked)
    assert (found.charter, found.parent, found.root, found.depth) == ("reviewer", "A", "A", 1)
    assert found.chain == ("reviewer1", "base1", "coder1", "base1")
    assert found.sponsor == parent.sponsor


@pytest.mark.parametrize("enforced", ["deny", "error"])
def test_a_class_that_was_denied_is_not_given(record, enforced):
    parent = record.born("A")
    record.asked("A", "c1", spawns=("reviewer",), tool="spawn", enforced=enforced)
    asked = record.registry.intent("A", "c1")
    assert plan(wish("subagent", host_agent="x", agent_type="reviewer"), parent, asked).charter == "coder"


def test_a_class_that_nobody_asked_for_is_not_given(record):
    parent = record.born("A")
    assert plan(wish("subagent", host_agent="x", agent_type="reviewer"), parent).charter == "coder"
    record.asked("A", "c1", spawns=("watcher",), tool="spawn")
    asked = record.registry.intent("A", "c1")
    assert plan(wish("subagent", host_agent="x", agent_type="reviewer"), parent, asked).charter == "coder"


def test_a_kind_of_the_hosts_own_gets_its_parents_charter(record):
    parent = record.born("A")
    record.asked("A", "c1", spawns=("general-purpose",), tool="spawn")
    asked = record.registry.open_spawn("A")
    assert plan(wish("subagent", host_agent="x", agent_type="general-purpose"), parent, asked).charter == "coder"


def test_a_descendant_gets_what_was_asked_for_then_its_repositorys_then_its_parents(record):
    parent = record.born("A", session="a")
    record.asked("A", "c1", spawns=("watcher",))
    asked = record.registry.open_spawn("A")
    assert plan(wish("descendant", repo_charter="reviewer"), parent, asked).charter == "watcher"
    assert plan(wish("descendant", repo_charter="reviewer"), parent).charter == "reviewer"
    assert plan(wish("descendant"), parent).charter == "coder"


def test_a_parents_charter_that_the_shelf_lost_still_binds_its_child(record):
    parent = record.born("A", charter="lost", chain=("lost1", "base1"), digest="lost1")
    found = plan(wish("subagent", host_agent="x"), parent)
    assert (found.charter, found.chain) == ("lost", ("lost1", "lost1", "base1"))


def test_a_child_ends_with_its_parent_at_the_latest(record):
    parent = record.born("A", expires=NOW + 5)
    assert plan(wish("subagent", host_agent="x"), parent).expires == NOW + 5


def test_an_expired_parent_has_no_children(record):
    with pytest.raises(RefusedError, match="expired"):
        plan(wish("subagent", host_agent="x"), record.born("A", expires=NOW))


def test_a_lineage_has_an_end(record):
    parent = record.born("A", depth=birth.MAX_GENERATIONS - 1)
    with pytest.raises(RefusedError, match="generations"):
        plan(wish("subagent", host_agent="x"), parent)


@pytest.mark.parametrize(
    ("parent_charter", "parent_mode", "charter", "mode"),
    [
        ("coder", "enforce", "watcher", "enforce"),
        ("coder", "observe", "reviewer", "observe"),  # a preview is inherited
        ("watcher", "observe", "reviewer", "enforce"),
        ("watcher", "observe", "watcher", "observe"),
    ],
)
def test_a_child_never_observes_what_its_parent_enforces(record, parent_charter, parent_mode, charter, mode):
    parent = record.born("A", charter=parent_charter, mode=parent_mode)
    record.asked("A", "c1", spawns=(charter,), tool="spawn")
    asked = record.registry.open_spawn("A")
    found = plan(wish("subagent", host_agent="x", repo_mode="observe"), parent, asked)
    assert (found.charter, found.mode) == (charter, mode)


def test_a_purpose_is_cut_and_labels_are_a_set():
    found = plan(wish(purpose="x" * 300, labels=(Label("secret", 2), Label("pii", 1), Label("secret", 2))))
    assert len(found.purpose) == 200
    assert found.labels == (Label("pii", 1), Label("secret", 2))


def test_a_planned_birth_is_an_event_as_it_stands():
    found = plan(wish(repo_charter="coder"))
    event = AgentBorn(v=VERSION, n=4, ts=NOW, **found.fields())
    registry = Registry()
    registry.apply(event)
    assert registry.by_id("new").charter == "coder"


NAMES = st.sampled_from(["", "coder", "reviewer", "watcher", "unclaimed", "gone"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["subagent", "descendant"]),
            NAMES,
            NAMES,
            st.sampled_from(["", "enforce", "observe"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    NAMES,
    st.sampled_from(["", "enforce", "observe"]),
)
def test_no_chain_of_births_widens(generations, first, first_mode):
    record = Record()
    current = record.born("A0", **_fields(plan(wish(agent="A0", repo_charter=first, repo_mode=first_mode))))
    for depth, (how, wanted, repo, mode, allowed) in enumerate(generations, 1):
        if wanted:
            enforced = "allow" if allowed else "deny"
            record.asked(current.id, "c", spawns=(wanted,), tool="spawn", enforced=enforced)
        asked = record.registry.intent(current.id, "c")
        found = plan(wish(how, agent=f"A{depth}", agent_type=wanted, repo_charter=repo, repo_mode=mode), current, asked)
        assert found.chain[-len(current.chain) :] == current.chain
        assert len(found.chain) > len(current.chain)
        assert found.expires <= current.expires <= FOREVER
        assert found.depth == current.depth + 1
        assert found.root == "A0"
        assert found.sponsor == current.sponsor
        assert not (current.mode == "enforce" and found.mode == "observe")
        current = record.born(f"A{depth}", **_fields(found))


def _fields(found):
    fields = found.fields()
    for name in ("agent", "door"):
        del fields[name]
    return fields
