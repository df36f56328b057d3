import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.record import Story

from outrider.errors import BadInputError, RecordError, UnknownVersionError
from outrider.events.call import Effect, Label
from outrider.events.event import Source
from outrider.events.held import Held
from outrider.events.record import (
    AgentEnded,
    AgentResumed,
    CharterLoaded,
    DaemonStarted,
    DaemonStopped,
    Entity,
    LabelsJoined,
    RecordGap,
    Refusal,
)
from outrider.events.sensor import SensorState
from outrider.store.follow import catch_up, follow, rebuild
from outrider.store.schema import NAMES
from outrider.store.view import View


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def make_story():
    return Story


def contents(view):
    """Return the rows of every table, so that two views can be compared whole."""
    return {name: sorted(view.rows(f"SELECT * FROM {name}"), key=repr) for name in NAMES}


ENTITIES = st.builds(
    Entity,
    role=st.sampled_from(["read", "wrote", "sent", "mentioned", "committed"]),
    kind=st.sampled_from(["path", "host", "email", "commit", "secret"]),
    value=st.sampled_from(["a", "b.example", "c.b.example:8443", "x@b.example", "ünï", "0" * 40]),
)
LABELS = st.lists(
    st.builds(Label, name=st.sampled_from(["secret", "untrusted"]), origin=st.integers(-1, 30)), max_size=2
)
VERDICTS = st.sampled_from(["allow", "ask", "deny", "error"])
STEP = st.one_of(
    st.tuples(st.just("call"), VERDICTS, st.lists(ENTITIES, max_size=3), LABELS),
    st.tuples(st.just("spawn"), st.just("allow"), st.just([]), LABELS),
    st.tuples(st.just("result"), st.booleans(), st.lists(ENTITIES, max_size=2), LABELS),
    st.tuples(st.just("born"), st.booleans(), st.just([]), LABELS),
    st.tuples(st.just("other"), st.integers(0, 12), st.just([]), LABELS),
)  # fmt: skip


def play(story, steps):
    story.opened()
    agents, intents = [], []
    for what, how, entities, labels in steps:
        if what == "born" or not agents:
            agent = f"a{len(agents)}"
            story.born(agent, agents[-1] if how is True and agents else "", labels=tuple(labels))
            agents.append(agent)
        elif what == "call":
            intents.append(story.call(agents[-1], None, how, entities, labels, labels, prints=bytes(range(32))))
        elif what == "spawn":
            intents.append(story.call(agents[-1], Effect(verb="spawn", kind="charter", value="coder")))
        elif what == "result":
            intent = intents.pop(0) if intents else -1
            story.result(agents[-1], intent, ok=how, entities=entities, adds=labels, prints=b"\xff" * 16)
        else:
            other(story, agents, how, labels)


def told(story, agents, which, labels):
    if which == 9:
        story.put(SensorState, heard="daemon", state="on" if labels else "off")
    elif which == 10:
        held = Held(seen=bool(labels))
        agents.append(f"a{len(agents)}")
        story.born(agents[-1], how="run", held=held)
    elif which == 11:
        story.call(f"x{len(labels)}" if labels else agents[-1], Effect(verb="opaque", kind="command", value="make"))
    else:
        story.call(agents[-1], said={"whole": b"abcdef" * 2, "carried": b"ghijkl"})


def other(story, agents, which, labels):
    if which > 8:
        told(story, agents, which, labels)
    elif which == 0:
        story.put(AgentEnded, agent=agents[-1], how="completed")
    elif which == 1:
        story.put(AgentResumed, agent=agents[-1])
    elif which == 2:
        story.put(DaemonStarted, heard="daemon", version="0", pid=1, boot="b")
    elif which == 3:
        story.put(DaemonStopped, heard="daemon", reason="asked")
    elif which == 4:
        story.put(RecordGap, heard="daemon", what="spool", count=2, answered="deny")
    elif which == 5:
        story.put(LabelsJoined, agent=agents[0], origin_agent=agents[-1], labels=tuple(labels))
    elif which == 6:
        story.put(CharterLoaded, heard="daemon", name="coder", digest="sha256:c", signer="builtin", source="x")
    elif which == 7:
        story.put(Refusal, heard="daemon", reason="forged", claimed="s", pid=7)
    else:
        seq = story.sources.get("claude_code:s", (-1, ""))[0]
        story.put(AgentEnded, agent=agents[-1], how="vanished", src=Source(id="claude_code:s", seq=seq + 3, lost=1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=40), cuts=st.lists(st.integers(0, 40), max_size=5), reopen=st.booleans())
def test_a_view_caught_up_in_any_pieces_equals_one_rebuilt(tmp_path_factory, make_story, steps, cuts, reopen):
    directory = tmp_path_factory.mktemp("views")
    story = make_story()
    play(story, steps)
    whole = list(story.entries_)
    view = View(directory / "pieces.sqlite")
    for cut in [*sorted(cuts), len(whole)]:
        story.entries_ = whole[:cut]
        catch_up(view, story)
        if reopen:
            view.close()
            view = View(directory / "pieces.sqlite")
    with view, View(directory / "rebuilt.sqlite") as rebuilt:
        assert rebuild(rebuilt, story) == len(whole)
        assert contents(view) == contents(rebuilt)
        before = contents(view)
        assert rebuild(view, story) == len(whole)
        assert contents(view) == before
        assert not view.note


def test_small_batches_give_the_same_view(tmp_path, story, monkeypatch):
    play(
        story, [("born", False, [], []), *[("call", "allow", [], [Label("secret", 1)]), ("result", True, [], [])] * 20]
    )
    with View(tmp_path / "a") as one, View(tmp_path / "b") as other_view:
        catch_up(one, story)
        monkeypatch.setattr("outrider.store.follow.BATCH", 3)
        sizes = []
        catch_up(other_view, story, progress=sizes.append)
        assert contents(one) == contents(other_view)
        assert len(sizes) > 5
        assert sizes[-1] == len(story.entries_)


def test_a_view_of_another_record_is_started_over_and_says_so(tmp_path, make_story):
    mine, other_story = make_story(), make_story()
    mine.opened("mine/record")
    mine.born("a")
    other_story.opened("other/record")
    other_story.born("b")
    with View(tmp_path / "v") as view:
        catch_up(view, mine)
        catch_up(view, other_story)
        assert "mine/record" in view.note
        assert "other/record" in view.note
        assert view.rows("SELECT id FROM agents") == [("b",)]


def test_a_view_ahead_of_the_record_is_started_over_and_says_so(tmp_path, story):
    story.opened()
    story.born("a")
    story.born("b")
    with View(tmp_path / "v") as view:
        catch_up(view, story)
        shorter = Story(entries_=story.entries_[:2])
        catch_up(view, shorter)
        assert "has fewer" in view.note
        assert view.size == 2


def test_a_view_whose_last_event_is_another_is_started_over(tmp_path, make_story):
    one, two = make_story(), make_story()
    for story, name in ((one, "a"), (two, "b")):
        story.opened()
        story.born(name)
    with View(tmp_path / "v") as view:
        catch_up(view, one)
        catch_up(view, two)
        assert "another event at 1" in view.note
        assert view.rows("SELECT id FROM agents") == [("b",)]


def test_a_file_that_is_no_database_is_started_over(tmp_path, story):
    story.opened()
    (tmp_path / "v").write_bytes(b"not a database, but long enough to be taken for one" * 40)
    with View(tmp_path / "v") as view:
        assert "not a database" in view.note
        assert catch_up(view, story) == 1


def test_a_view_of_another_format_is_started_over(tmp_path, story):
    story.opened()
    with View(tmp_path / "v") as view:
        catch_up(view, story)
        view.db.execute("PRAGMA user_version=999")
    with View(tmp_path / "v") as view:
        assert "format 999" in view.note
        assert view.size == 0


def test_an_event_out_of_its_place_is_refused_and_nothing_is_taken(tmp_path, story):
    story.opened()
    story.born("a")
    story.entries_.append(story.entries_[1])
    with View(tmp_path / "v") as view:
        with pytest.raises(RecordError, match="says that it is number 1"):
            catch_up(view, story)
        assert view.size == 0


@pytest.mark.parametrize(
    ("leaf", "error"), [(b"{}", BadInputError), (b'{"kind":"record.opened","v":9,"n":0}', UnknownVersionError)]
)
def test_what_is_not_a_known_event_is_refused(tmp_path, story, leaf, error):
    story.entries_.append((leaf, b""))
    with View(tmp_path / "v") as view, pytest.raises(error):
        catch_up(view, story)


def test_an_erased_or_broken_beside_is_counted_and_its_event_kept(tmp_path, story):
    story.opened()
    story.born("a")
    n = story.call("a", entities=[Entity("sent", "host", "x.example")])
    m = story.call("a", entities=[Entity("sent", "host", "x.example")])
    story.entries_[n] = (story.entries_[n][0], b"")
    story.entries_[m] = (story.entries_[m][0], b"\xc1")
    with View(tmp_path / "v") as view:
        catch_up(view, story)
        tallies = dict(view.rows("SELECT * FROM tallies"))
        assert tallies["beside erased"] == 1
        assert tallies["beside unreadable"] == 1
        assert view.size == 4
        assert view.rows("SELECT * FROM touches") == []


def test_a_follower_reads_on_and_never_looks_back(tmp_path, story):
    asked = []

    class Watched:
        def entries(self, start):
            asked.append(start)
            return story.entries(start)

    source = Watched()
    story.opened()
    with View(tmp_path / "v") as view, View(tmp_path / "v") as other_view:
        for _ in range(3):
            catch_up(view, source)
            story.born(f"a{len(story.entries_)}")
        assert asked == [0, 1, 2]
        catch_up(other_view, story)
        catch_up(view, source)
        assert asked[3:] == [3, 4]


def test_following_pauses_longer_while_nothing_happens_and_shorter_after(tmp_path, story):
    story.opened()
    pauses = []

    def wait(seconds):
        pauses.append(seconds)
        if len(pauses) == 9:
            story.born("a")

    with View(tmp_path / "v") as view:
        follow(view, story, stop=lambda: len(pauses) >= 11, wait=wait)
        assert view.size == 2
    assert pauses[8] == 0.25
    assert pauses[9] == pauses[0] == 0.005


def test_readers_see_one_snapshot_while_a_writer_goes_on(tmp_path, story):
    story.opened()
    with View(tmp_path / "v") as writer:
        catch_up(writer, story)
        with View(tmp_path / "v", write=False) as reader:
            with reader.snapshot():
                assert reader.size == 1
                story.born("a")
                catch_up(writer, story)
                assert reader.size == 1
            assert reader.size == 2


def test_only_one_writer_holds_the_lock(tmp_path):
    with View(tmp_path / "v") as one, View(tmp_path / "v") as two, one.lock() as held:
        assert held
        with two.lock(wait=False) as also:
            assert not also


def test_two_writers_take_turns_and_both_end_up_right(tmp_path, story):
    with View(tmp_path / "v") as one, View(tmp_path / "v") as two:
        story.opened()
        catch_up(one, story)
        story.born("a")
        catch_up(two, story)
        story.call("a", entities=[Entity("sent", "host", "x.example")])
        catch_up(one, story)
        story.call("a", entities=[Entity("sent", "host", "y.example")])
        catch_up(two, story)
        pieces = contents(one)
        rebuild(one, story)
        assert contents(one) == pieces


KILLED = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from outrider.store.follow import catch_up
from outrider.store.view import View
import outrider.store.follow as follow
follow.BATCH = 7
entries = eval(Path({entries!r}).read_text())
class Record:
    def entries(self, start):
        return iter(entries[start:])
view = View(Path({view!r}))
def stop(size):
    print(size, flush=True)
catch_up(view, Record(), progress=stop)
print("done", flush=True)
"""


def test_a_writer_killed_between_batches_leaves_a_view_that_goes_on(tmp_path, story):
    play(story, [("born", False, [], []), *[("call", "allow", [Entity("read", "path", "p")], [])] * 300])
    (tmp_path / "entries").write_text(repr(story.entries_))
    script = KILLED.format(paths=sys.path, entries=str(tmp_path / "entries"), view=str(tmp_path / "v"))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        assert process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with View(tmp_path / "v") as view, View(tmp_path / "w") as fresh:
        assert view.size >= 7
        catch_up(view, story)
        catch_up(fresh, story)
        assert contents(view) == contents(fresh)


def test_a_view_can_be_opened_for_reading_only_where_there_is_one(tmp_path):
    from outrider.errors import UnavailableError

    with pytest.raises(UnavailableError, match="cannot be opened"):
        View(tmp_path / "none", write=False)


def test_catching_up_with_nothing_new_is_quick(tmp_path, story):
    story.opened()
    with View(tmp_path / "v") as view:
        catch_up(view, story)
        started = time.perf_counter()
        for _ in range(50):
            assert catch_up(view, story) == 0
        assert time.perf_counter() - started < 5


def test_indexes_of_a_large_view_are_sorted_on_disk_and_not_in_memory(tmp_path):
    story = Story()
    story.opened()
    with View(tmp_path / "view.sqlite") as view:
        said: list[str] = []
        view.db.set_trace_callback(said.append)
        rebuild(view, story)
        view.db.set_trace_callback(None)
    on_disk, in_memory = said.index("PRAGMA temp_store=FILE"), said.index("PRAGMA temp_store=MEMORY")
    made = [at for at, sql in enumerate(said) if sql.startswith("CREATE INDEX IF NOT EXISTS")]
    assert made
    assert all(on_disk < at < in_memory for at in made)
