import os

from tests.identity.record import Record
from tests.identity.trees import Tree

from outrider.identity import ends, process


def ids(found):
    return [(end.agent.id, end.how) for end in found]


def test_agents_whose_host_process_is_gone_were_killed_children_first():
    record = Record()
    boot = process.boot_id()
    with Tree(1) as dying, Tree(1) as living:
        record.born("A", session="a", pid=dying.pids[0])
        record.born("B", session="a", parent="A", host_agent="b")
        record.born("C", session="c", parent="B", pid=living.pids[0])
        record.born("D", session="d")
        assert ends.gone(record.registry, boot=boot) == ()
        dying.kill()
        assert ids(ends.gone(record.registry, boot=boot)) == [("B", "killed"), ("A", "killed")]
        record.ended("B", "killed")
        record.ended("A", "killed")
        assert ends.gone(record.registry, boot=boot) == ()


def test_agents_of_an_earlier_boot_have_vanished():
    record = Record()
    record.born("A", pid=os.getpid())
    assert ids(ends.gone(record.registry, boot="another")) == [("A", "vanished")]


def test_each_process_is_asked_for_once():
    record = Record()
    record.born("A", pid=os.getpid())
    for number in range(5):
        record.born(f"B{number}", parent="A", host_agent=str(number))
    asked = []
    ends.gone(record.registry, boot="", alive=lambda *key: asked.append(key) or True)
    assert len(asked) == 1


def test_the_clock_ends_whoever_has_outlived_their_charter():
    record = Record()
    record.born("A", session="a", expires=100)
    record.born("B", session="a", parent="A", host_agent="b", expires=50)
    record.born("C", session="c", expires=101)
    assert ids(ends.expired(record.registry, now=49)) == []
    assert ids(ends.expired(record.registry, now=100)) == [("B", "expired"), ("A", "expired")]


def test_a_sessions_end_is_that_of_its_sub_agents_but_not_of_other_processes():
    record = Record()
    main = record.born("A", session="a")
    sub = record.born("B", session="a", parent="A", host_agent="b")
    record.born("C", session="c", parent="A")
    assert ids(ends.completed(record.registry, sub)) == [("B", "completed")]
    assert ids(ends.completed(record.registry, main, detail="logout")) == [("B", "completed"), ("A", "completed")]
    record.ended("B")
    assert ids(ends.completed(record.registry, main)) == [("A", "completed")]
    assert ends.completed(record.registry, record.registry.by_id("B")) == ()
