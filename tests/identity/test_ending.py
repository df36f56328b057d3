"""Ending a process and what is below it."""

from __future__ import annotations

import os

from tests.identity.trees import Tree

from outrider.identity import process
from outrider.identity.ending import end_tree


def test_a_tree_is_ended_whole_and_nothing_beside_it():
    with Tree(depth=3) as tree, Tree(depth=2) as beside:
        top = process.read(tree.pids[0])
        assert set(end_tree(top.pid, top.start)) == set(tree.pids)
        assert all(process.read(pid) is not None for pid in beside.pids)


def test_a_pid_that_changed_hands_is_let_live():
    with Tree() as tree:
        facts = process.read(tree.pids[0])
        assert end_tree(facts.pid, facts.start + 1) == ()
        assert process.alive(facts.pid, facts.start)


def test_it_never_ends_itself_or_everybody():
    own = process.read(os.getpid())
    assert end_tree(own.pid, own.start) == ()
    init = process.read(1)
    assert init is None or end_tree(1, init.start) == ()
