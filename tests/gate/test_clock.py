"""The wall clock jumps by hours while events are written: order, proofs and lives hold, and the record says so."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.world import DOOR

from outrider.events.codec import decode, decode_beside
from outrider.events.record import AgentBorn, DaemonStarted, Heartbeat, LeverPulled, RecordGap, RecordOpened
from outrider.gate.scribe import Scribe
from outrider.gate.state import State, fold
from outrider.identity.ids import agent_id
from outrider.investigate.coverage import coverage, gaps_of
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.verify import verify
from outrider.store.follow import catch_up
from outrider.store.view import View

SECOND = 1_000_000
HOUR = 3600 * SECOND
JUMPS = [3 * HOUR, -3 * HOUR, 40 * HOUR, -40 * HOUR]


class Clocks:
    """A wall clock that somebody sets, and one that nobody can."""

    def __init__(self):
        self.at, self.ahead = 90_000 * SECOND, 1_790_000_000 * SECOND

    def wall(self):
        return self.at + self.ahead

    def steady(self):
        return self.at


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def world(make, clocks):
    return make(clock=clocks.wall, steady=clocks.steady)


def viewed(world):
    """The view of a world's record."""
    world.ledger.commit()

    class Entries:
        def entries(self, start):
            return [(entry.leaf, entry.beside) for entry in world.ledger.entries()][start:]

    view = View(world.top / "view.sqlite")
    catch_up(view, Entries())
    return view


@pytest.mark.parametrize("jump", JUMPS)
def test_nobody_lives_longer_or_shorter_because_the_clock_was_set(world, clocks, jump):
    host = world.host()
    host.start()
    left = host.agent.expires - clocks.wall()
    clocks.ahead += jump
    assert host.bash("ls").verdict == "silent"
    assert host.agent.expires - clocks.wall() == left
    clocks.at += left
    answer = host.bash("ls")
    assert answer.verdict == "deny"
    assert "identity.expired" in answer.reason


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_is_in_the_record_which_verifies_and_is_not_taken_for_silence(world, clocks, jump):
    world.scribe.write(DaemonStarted, version="1", pid=1, boot="b", heartbeat=60)
    host = world.host()
    host.bash("ls")
    clocks.ahead += jump
    host.bash("ls -l")
    clocks.at += 30 * SECOND
    host.bash("ls -a")
    world.ledger.commit()
    world.ledger.seal()
    report = verify(world.top / "record")
    assert {problem.check for problem in report.problems} == {"opened"}, "the world's record begins with charters"
    assert [gap.what for gap in report.gaps] == ["clock"]
    assert abs(report.gaps[0].count - abs(jump)) < SECOND
    (said,) = world.events(RecordGap)
    assert (said.what, said.until - said.since) == ("clock", jump)
    assert ("ahead" if jump > 0 else "back") in said.detail
    with viewed(world) as view:
        assert [gap.what for gap in gaps_of(view, 0)] == ["clock"]
        assert coverage(view).missing == {}


def test_a_machine_that_slept_is_told_from_a_clock_that_was_set(world, clocks):
    world.scribe.write(DaemonStarted, version="1", pid=1, boot="b", heartbeat=60)
    world.host().bash("ls")
    clocks.at += 3 * HOUR
    world.scribe.write(Heartbeat, living=1)
    with viewed(world) as view:
        assert [gap.what for gap in gaps_of(view, 0)] == ["silent"]


def test_a_clock_that_is_drawn_slowly_is_no_jump(world, clocks):
    for _ in range(50):
        clocks.at, clocks.ahead = clocks.at + 60 * SECOND, clocks.ahead + SECOND
        world.scribe.write(Heartbeat, living=0)
    assert world.events(RecordGap) == []


def test_a_pause_lasts_as_long_as_it_was_meant_to(world, clocks):
    world.scribe.write(LeverPulled, lever="pause", until=clocks.wall() + HOUR, why="a test", by="p")
    clocks.ahead -= 5 * HOUR
    world.scribe.write(Heartbeat, living=0)
    assert world.state.paused(clocks.wall())
    clocks.at += HOUR
    assert not world.state.paused(clocks.wall())


JUMP = st.integers(3, 200_000).map(lambda s: s * SECOND)
STEPS = st.lists(st.tuples(st.sampled_from(["passes", "ahead", "back"]), JUMP), max_size=12)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_after_any_jumps_the_order_the_proofs_and_what_is_left_of_a_life_are_right(steps, tmp_path_factory):
    where, clocks, state = tmp_path_factory.mktemp("clock"), Clocks(), State()
    with Ledger.open(where / "record", origin="outrider.test/clock", key=log_key(where / "log.key")) as ledger:
        scribe = Scribe(ledger, state, b"k" * 32, clocks.wall, clocks.steady)
        scribe.write(RecordOpened, origin=ledger.origin, vkey=ledger.vkey)
        born = scribe.write(
            AgentBorn, agent=agent_id(), charter="coder", digest="d", chain=("d",), parent="", root="r", depth=0,
            sponsor="p", how="session", door=DOOR, session="s", expires=clocks.wall() + HOUR,
        )  # fmt: skip
        passed = 0
        for what, much in steps:
            if what == "passes":
                clocks.at, passed = clocks.at + much, passed + much
            else:
                clocks.ahead += much if what == "ahead" else -much
            scribe.write(Heartbeat, living=1)
        ledger.seal()
        agent = state.registry.by_id(born.agent)
        assert agent.expires - clocks.wall() == HOUR - passed
        entries = list(ledger.entries())
        kept = [(decode(one.leaf), decode_beside(one.beside), _hash(one.leaf)) for one in entries]
        assert fold(State(), kept).registry == state.registry
    report = verify(where / "record")
    assert report.ok, report.problems
    assert sum(gap.what == "clock" for gap in report.gaps) == sum(what != "passes" for what, _ in steps)


def _hash(leaf):
    return hashlib.sha256(b"\0" + leaf).hexdigest()
