import os

import pytest
from tests.identity.record import Record
from tests.identity.trees import CLIENT, Tree

from outrider.errors import RefusedError
from outrider.events.message import Peer
from outrider.identity import process
from outrider.identity.binding import Claim, Known, Moment, Returning, Unborn, check, who

UID = os.geteuid()
BOOT = process.boot_id()
pytestmark = pytest.mark.skipif(bool(process.unavailable()), reason=process.unavailable() or "-")


def ask(record, pid, what="call", *, session="s", host_agent="", agent_type="", now=1, uid=UID, **moment):
    claim = Claim(door="claude_code", session=session, what=what, host_agent=host_agent, agent_type=agent_type)
    return who(record.registry, Peer(pid=pid, uid=uid), claim, Moment(now=now, **{"boot": BOOT, **moment}))


@pytest.fixture
def tree():
    with Tree(3) as made:
        yield made


@pytest.fixture
def elsewhere():
    with Tree(2) as made:
        yield made


@pytest.fixture
def record():
    return Record()


def test_a_message_from_below_the_host_process_is_believed(record, tree):
    agent = record.born("A", pid=tree.pids[0])
    for pid in tree.pids:
        assert ask(record, pid) == Known(agent=agent)


@pytest.mark.parametrize("what", ["call", "report", "start"])
def test_a_forged_result_birth_or_end_from_outside_the_tree_is_refused(record, tree, elsewhere, what):
    record.born("A", pid=tree.pids[0])
    for pid in (*elsewhere.pids, os.getpid()):
        with pytest.raises(RefusedError):
            ask(record, pid, what)
        with pytest.raises(RefusedError):
            ask(record, pid, what, host_agent="forged")


def test_a_message_of_another_user_is_refused(record, tree):
    record.born("A", pid=tree.pids[0])
    with pytest.raises(RefusedError, match=f"user {UID + 1}"):
        ask(record, tree.pids[1], uid=UID + 1)


def test_a_process_that_has_the_dead_hosts_pid_is_refused(tree, record):
    agent = record.born("A", pid=tree.pids[0])
    older = type(agent.attested)(pid=tree.pids[0], start=agent.attested.start - 1, uid=UID, boot=BOOT)
    with pytest.raises(RefusedError, match="does not descend"):
        check(older, Peer(pid=tree.pids[1], uid=UID))


def test_a_process_of_another_boot_is_refused(record, tree):
    record.born("A", pid=tree.pids[0])
    with pytest.raises(RefusedError):
        ask(record, tree.pids[1], boot="another")


def test_a_sender_that_is_gone_is_refused(record, tree, elsewhere):
    record.born("A", pid=tree.pids[0])
    gone = elsewhere.pids[0]
    elsewhere.kill()
    with pytest.raises(RefusedError):
        ask(record, gone)
    with pytest.raises(RefusedError):
        ask(record, gone, session="unknown")


def test_a_sender_without_a_pid_is_believed_only_where_http_is_switched_on(record, tree):
    agent = record.born("A", pid=tree.pids[0])
    with pytest.raises(RefusedError):
        ask(record, 0, uid=-1)
    with pytest.raises(RefusedError):
        ask(record, 0, uid=-1, session="unknown")
    assert ask(record, 0, uid=-1, unattested=True) == Known(agent=agent)
    assert ask(record, 0, uid=-1, session="unknown", unattested=True) == Unborn(how="session", host_agent="", host=None)


def test_a_session_without_a_process_listens_to_http_only_while_that_is_switched_on(record):
    agent = record.born("A")
    assert ask(record, 0, uid=-1, unattested=True) == Known(agent=agent)
    assert ask(record, os.getpid(), unattested=True) == Known(agent=agent)
    with pytest.raises(RefusedError):
        ask(record, os.getpid())


def test_an_unknown_session_is_to_be_born_under_its_host_process(record, tree):
    found = ask(record, tree.pids[2], "start")
    assert isinstance(found, Unborn)
    assert (found.how, found.host.pid, found.parent) == ("session", tree.pids[1], None)
    assert found.host.exe
    assert found.above[0].pid == tree.pids[0]


def test_an_unknown_session_through_a_shell_is_bound_to_what_started_the_shell(record, tree):
    client = int(tree.shell(f"{CLIENT} --door claude_code --event SessionStart; true"))
    assert ask(record, client, "start").host.pid == tree.pids[2]


def test_a_new_session_below_a_living_agent_is_its_child(record, tree):
    agent = record.born("A", pid=tree.pids[0])
    found = ask(record, tree.pids[2], session="nested")
    assert (found.how, found.parent, found.host.pid) == ("descendant", agent, tree.pids[1])


def test_a_new_session_in_the_process_of_a_living_agent_is_its_child(record, tree):
    agent = record.born("A", pid=tree.pids[1])
    assert ask(record, tree.pids[2], session="second").parent == agent


def test_a_new_session_in_a_process_whose_agent_has_ended_belongs_to_who_started_the_process(record, tree):
    record.born("A", pid=tree.pids[1])
    record.ended("A")
    assert ask(record, tree.pids[2], session="cleared").parent is None
    above = record.born("B", session="b", pid=tree.pids[0])
    assert ask(record, tree.pids[2], session="cleared").parent == above


def test_ending_its_own_session_does_not_free_what_an_agent_has_started(record, tree):
    record.born("A", pid=tree.pids[0])
    record.ended("A")
    assert ask(record, tree.pids[2], session="nested").parent.id == "A"


def test_of_a_session_below_two_agents_the_nearest_is_the_parent(record, tree):
    record.born("A", session="a", pid=tree.pids[0])
    record.born("B", session="b", parent="A", pid=tree.pids[1])
    with_client = int(tree.shell(f"{CLIENT}; true"))
    assert ask(record, with_client, session="c").parent.id == "B"


def test_an_unseen_sub_agent_is_the_child_of_its_sessions_main_agent(record, tree):
    agent = record.born("A", pid=tree.pids[0])
    assert ask(record, tree.pids[1], host_agent="x") == Unborn(how="subagent", host_agent="x", host=None, parent=agent)


def test_an_unseen_sub_agent_is_the_child_of_the_agent_whose_call_asked_for_it(record, tree):
    record.born("A", pid=tree.pids[0])
    inner = record.born("B", parent="A", host_agent="b")
    record.asked("B", "c1", spawns=("reviewer",), tool="spawn")
    assert ask(record, tree.pids[1], host_agent="x", agent_type="reviewer").parent == inner
    assert ask(record, tree.pids[1], host_agent="x", agent_type="researcher").parent.id == "A"


def test_a_sub_agent_of_an_unknown_session_waits_for_its_main_agent(record, tree):
    found = ask(record, tree.pids[1], host_agent="x")
    assert (found.how, found.host_agent) == ("session", "")


def test_a_call_of_an_ended_agent_from_its_own_process_brings_it_back(record, tree):
    record.born("A", pid=tree.pids[0])
    record.ended("A")
    agent = record.registry.by_id("A")
    assert ask(record, tree.pids[1]) == Returning(agent=agent)
    assert ask(record, tree.pids[1], "report") == Known(agent=agent)
    record.resumed("A", tree.pids[0])
    assert ask(record, tree.pids[1]) == Known(agent=record.registry.by_id("A"))


def test_a_late_report_of_an_unseen_sub_agent_is_its_ended_main_agents(record, tree):
    record.born("A", pid=tree.pids[0])
    record.ended("A")
    assert ask(record, tree.pids[1], "report", host_agent="x") == Known(agent=record.registry.by_id("A"))


def test_without_proc_a_sender_is_believed_only_where_that_is_switched_on(record, monkeypatch, tmp_path):
    monkeypatch.setattr(process, "PROC", str(tmp_path))
    with pytest.raises(RefusedError):
        ask(record, os.getpid(), "start")
    assert ask(record, os.getpid(), "start", unattested=True) == Unborn(how="session", host_agent="", host=None)
    agent = record.born("A")
    assert ask(record, os.getpid(), unattested=True) == Known(agent=agent)


def test_a_stopped_sub_agent_that_goes_on_is_brought_back(record, tree):
    record.born("A", pid=tree.pids[0])
    record.born("B", parent="A", host_agent="b")
    record.ended("B")
    agent = record.registry.by_id("B")
    assert ask(record, tree.pids[1], host_agent="b") == Returning(agent=agent)
    assert ask(record, tree.pids[1], "report", host_agent="b") == Known(agent=agent)


def test_a_call_after_the_agents_time_is_refused_and_a_report_is_not(record, tree):
    record.born("A", pid=tree.pids[0], expires=100)
    assert isinstance(ask(record, tree.pids[1], now=99), Known)
    with pytest.raises(RefusedError, match="end of its life"):
        ask(record, tree.pids[1], now=100)
    assert isinstance(ask(record, tree.pids[1], "report", now=100), Known)


def test_a_call_after_a_sub_agents_time_is_refused(record, tree):
    record.born("A", pid=tree.pids[0])
    record.born("B", parent="A", host_agent="b", expires=100)
    with pytest.raises(RefusedError, match="agent B has reached"):
        ask(record, tree.pids[1], host_agent="b", now=100)


def test_an_expired_session_that_starts_again_is_born_anew_and_knows_who_was_before(record, tree):
    agent = record.born("A", pid=tree.pids[0], expires=100)
    found = ask(record, tree.pids[1], "start", now=100)
    assert (found.how, found.before, found.parent) == ("session", agent, None)


def test_an_expired_session_of_a_child_that_starts_again_stays_a_child(record, tree):
    above = record.born("B", session="b", pid=tree.pids[0])
    record.born("A", session="s", parent="B", pid=tree.pids[1], expires=100)
    found = ask(record, tree.pids[2], "start", now=100)
    assert (found.how, found.before.id, found.parent) == ("descendant", "A", above)


def test_an_ended_and_expired_session_that_starts_again_is_nobodys_child(record, tree):
    record.born("A", pid=tree.pids[0], expires=100)
    record.ended("A", "expired")
    found = ask(record, tree.pids[1], "start", now=101)
    assert (found.how, found.before.id, found.parent) == ("session", "A", None)


def test_a_session_whose_host_is_gone_resumes_in_a_new_process(record, tree, elsewhere):
    agent = record.born("A", pid=tree.pids[0])
    tree.kill()
    with pytest.raises(RefusedError):
        ask(record, elsewhere.pids[1], "call")
    with pytest.raises(RefusedError):
        ask(record, elsewhere.pids[1], "report")
    found = ask(record, elsewhere.pids[1], "start")
    assert isinstance(found, Returning)
    assert (found.agent, found.host.pid, found.under) == (agent, elsewhere.pids[0], None)
    record.resumed("A", elsewhere.pids[0])
    assert isinstance(ask(record, elsewhere.pids[1]), Known)


def test_a_session_resumes_after_a_reboot(record, elsewhere, tree):
    record.born("A", pid=tree.pids[0])
    record.booted("next")
    assert isinstance(ask(record, elsewhere.pids[1], "start", boot="next"), Returning)


def test_a_session_does_not_move_while_its_host_runs(record, tree, elsewhere):
    record.born("A", pid=tree.pids[0])
    with pytest.raises(RefusedError, match="still runs"):
        ask(record, elsewhere.pids[1], "start")


def test_a_session_does_not_move_to_another_user(record, tree, elsewhere):
    record.born("A", pid=tree.pids[0])
    tree.kill()
    with pytest.raises(RefusedError, match="belongs to user"):
        ask(record, elsewhere.pids[1], "start", uid=UID + 1)


def test_an_agent_does_not_slip_into_another_agents_session(record, tree, elsewhere):
    record.born("A", session="s", pid=tree.pids[0])
    record.born("B", session="b", pid=elsewhere.pids[0])
    tree.kill()
    with pytest.raises(RefusedError, match="agent B"):
        ask(record, elsewhere.pids[1], "start")
    record.ended("B")
    with_client = int(elsewhere.shell(f"{CLIENT}; true"))
    with pytest.raises(RefusedError, match="agent B"):
        ask(record, with_client, "start")


def test_an_agent_may_take_up_its_own_childs_session_and_hands_on_its_labels(record, tree, elsewhere):
    above = record.born("B", session="b", pid=elsewhere.pids[0])
    record.born("A", session="s", parent="B", pid=tree.pids[0])
    tree.kill()
    found = ask(record, elsewhere.pids[1], "start")
    assert (found.agent.id, found.under) == ("A", above)


def test_an_expired_session_in_a_new_process_is_born_anew_under_who_took_it_up(record, tree, elsewhere):
    above = record.born("B", session="b", pid=elsewhere.pids[0])
    record.born("A", session="s", parent="B", pid=tree.pids[0], expires=100)
    tree.kill()
    found = ask(record, elsewhere.pids[1], "start", now=100)
    assert (found.how, found.parent, found.before.id) == ("descendant", above, "A")
