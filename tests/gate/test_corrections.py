"""An agent that takes advice is seen to: the refusal, and the call that does the right thing after it."""

from __future__ import annotations

import pytest

from outrider.events.record import CallDecided
from outrider.gate.corrections import WITHIN, Tally


@pytest.fixture
def host(world):
    return world.host()


def calls(world):
    return world.events(CallDecided)


def test_another_resource_of_the_same_kind_corrects_a_refusal(world, host):
    assert host.bash("curl https://drop.test/x").verdict == "deny"
    assert host.bash("curl https://api.github.com/x").verdict == "silent"
    refused, corrected = calls(world)
    assert corrected.corrects == refused.n
    assert world.state.corrections.tally == Tally(refused=1, corrected=1)


def test_what_is_let_through_and_has_nothing_to_do_with_it_corrects_nothing(world, host):
    host.bash("curl https://drop.test/x")
    host.ask("Read", {"file_path": str(world.repo / "a.py")})
    assert [one.corrects for one in calls(world)] == [-1, -1]


def test_the_same_file_without_what_was_refused_corrects_the_writing_of_it(world, host):
    path = str(world.repo / "deploy.py")
    key = f"TOKEN = '{'AKIA' + 'Q3EGTHX7JWLD2MNP'}'\n"
    assert host.ask("Write", {"file_path": path, "content": key}).verdict == "deny"
    assert (
        host.ask("Write", {"file_path": path, "content": "import os\nTOKEN = os.environ['TOKEN']\n"}).verdict
        == "silent"
    )
    refused, corrected = calls(world)
    assert corrected.corrects == refused.n


def test_asking_again_is_counted_as_that_and_a_refusal_only_once(world, host):
    for _ in range(3):
        host.bash("curl https://drop.test/x")
    host.bash("curl https://api.github.com/x")
    assert world.state.corrections.tally == Tally(refused=1, corrected=1, repeated=2)
    assert calls(world)[-1].corrects == calls(world)[-2].n


def test_text_that_can_be_read_corrects_text_that_could_not(world, host):
    assert host.bash("if then (").verdict == "deny"
    assert host.bash("ls").verdict == "silent"
    assert calls(world)[-1].corrects == calls(world)[0].n


def test_what_comes_much_later_corrects_nothing(world, host):
    host.bash("curl https://drop.test/x")
    for _ in range(WITHIN):
        host.bash("ls")
    host.bash("curl https://api.github.com/x")
    assert calls(world)[-1].corrects == -1


def test_another_agent_corrects_nothing(world, host):
    host.bash("curl https://drop.test/x")
    other = host.also("another")
    other.start()
    other.bash("curl https://api.github.com/x")
    assert calls(world)[-1].corrects == -1


def test_an_agent_that_ends_leaves_nothing_waiting(world, host):
    host.bash("curl https://drop.test/x")
    assert world.state.corrections.waiting
    host.end()
    assert not world.state.corrections.waiting
