import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.events.call import Effect, Label
from outrider.events.decision import Decision
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    Beside,
    CallDecided,
    CallResult,
    Commitment,
    Entity,
    LabelsJoined,
)
from outrider.flow.marks import MAX_ORIGINS
from outrider.flow.state import MAX_OPEN, FlowState

NONE = Beside()
NO_CONTENT = Commitment(c="", size=0)
SECRET = Label("secret", -1)


def path(verb, value, *flags, resolved=""):
    return Effect(verb=verb, kind="path", value=value, flags=flags, resolved=resolved)


def ran(program):
    return Effect(verb="exec", kind="command", value=program)


class Story:
    """A record being written, folded as it goes."""

    def __init__(self):
        self.state = FlowState()
        self.n = 0

    def tell(self, event, beside=NONE):
        self.state.apply(event, beside)
        self.n += 1
        return event.n

    def born(self, agent, *labels, home=""):
        beside = Beside(private={"home": home}) if home else NONE
        return self.tell(
            AgentBorn(
                v=1, n=self.n, ts=0, agent=agent, charter="coder", digest="d", chain=("d",), parent="", root=agent,
                depth=0, sponsor="", how="session", door="x", session="s", expires=0, labels=labels,
            ),
            beside,
        )  # fmt: skip

    def asks(self, agent, *effects, adds=(), verdict="allow", tool="shell", beside=NONE, permission=False):
        return self.tell(
            CallDecided(
                v=1, n=self.n, ts=0, agent=agent, call=f"c{self.n}", tool=tool, name=tool, effects=effects,
                decision=Decision(verdict=verdict, enforced=verdict), chain=("d",), content=NO_CONTENT,
                labels=self.state.labels_of(agent), adds=adds, permission=permission,
            ),
            beside,
        )  # fmt: skip

    def returns(self, agent, intent, *, ok=True, ran=True, adds=(), despite=False, gone=()):
        return self.tell(
            CallResult(
                v=1, n=self.n, ts=0, agent=agent, call="c", intent=intent, ok=ok, ran=ran, adds=adds, despite=despite,
                content=NO_CONTENT, gone=gone,
            )
        )  # fmt: skip

    def joins(self, agent, labels, child):
        return self.tell(LabelsJoined(v=1, n=self.n, ts=0, agent=agent, labels=labels, origin_agent=child))

    def ends(self, agent):
        return self.tell(AgentEnded(v=1, n=self.n, ts=0, agent=agent, how="completed"))


@pytest.fixture
def story():
    return Story()


def test_an_allowed_call_brings_its_labels_at_once(story):
    n = story.asks("a", adds=(SECRET,))
    assert story.state.labels_of("a") == (Label("secret", n),)


@pytest.mark.parametrize("verdict", ["allow", "amend", "ask"])
def test_what_may_run_brings_its_labels_and_a_lost_result_loses_none(story, verdict):
    story.asks("a", adds=(SECRET,), verdict=verdict)
    for _ in range(5):
        story.asks("a")
    assert story.state.labels_of("a")


def test_a_refused_call_brings_none(story):
    story.asks("a", adds=(SECRET,), verdict="deny")
    assert story.state.labels_of("a") == ()


def test_a_refused_call_that_ran_all_the_same_brings_its_labels(story):
    n = story.asks("a", path("write", "/r/x"), adds=(SECRET,), verdict="deny")
    story.returns("a", n, despite=True)
    assert story.state.labels_of("a") == (Label("secret", n),)
    assert story.state.file_labels("/r/x") == (Label("secret", n),)


def test_a_call_that_failed_may_have_read_all_the_same(story):
    n = story.asks("a", adds=(SECRET,))
    story.returns("a", n, ok=False)
    assert story.state.labels_of("a") == (Label("secret", n),)


def test_a_call_that_never_ran_takes_its_labels_back(story):
    n = story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    assert story.state.file_labels("/r/x")
    story.returns("a", n, ok=False, ran=False)
    assert story.state.labels_of("a") == ()
    assert story.state.file_labels("/r/x") == ()


def test_what_two_calls_brought_stays_when_one_never_ran(story):
    story.asks("a", adds=(Label("secret", 3),))
    n = story.asks("a", adds=(Label("secret", 3),))
    story.returns("a", n, ok=False, ran=False)
    assert story.state.labels_of("a") == (Label("secret", 3),)


def test_never_ran_after_a_result_changes_nothing(story):
    n = story.asks("a", adds=(SECRET,))
    story.returns("a", n)
    story.returns("a", n, ok=False, ran=False)
    assert story.state.labels_of("a") == (Label("secret", n),)


def test_the_hosts_own_prompt_about_a_call_is_no_second_call(story):
    story.asks("a", adds=(SECRET,), permission=True)
    assert story.state.labels_of("a") == ()


def test_a_result_brings_what_is_in_it(story):
    n = story.asks("a")
    m = story.returns("a", n, adds=(Label("untrusted", -1),))
    assert story.state.labels_of("a") == (Label("untrusted", m),)


def test_a_child_starts_with_what_its_birth_says_and_hands_back_its_own(story):
    story.born("parent")
    story.born("child", Label("untrusted", 0))
    n = story.asks("child", adds=(SECRET,))
    assert story.state.labels_of("child") == (Label("secret", n), Label("untrusted", 0))
    story.joins("parent", story.state.labels_of("child"), "child")
    assert story.state.labels_of("parent") == (Label("secret", n), Label("untrusted", 0))


def test_a_labelled_agent_marks_what_it_writes_and_whoever_reads_it_picks_that_up(story):
    n = story.asks("a", adds=(SECRET,))
    story.asks("a", path("write", "/r/out"), tool="write")
    assert story.state.file_labels("/r/out") == (Label("secret", n),)
    assert story.state.read_labels([path("read", "/r/link", resolved="/r/out")]) == (Label("secret", n),)
    assert story.state.read_labels([path("write", "/r/out")]) == ()


def test_a_path_below_home_is_the_same_whether_abbreviated_or_not(story):
    story.born("a", Label("secret", 0), home="/home/u")
    story.asks("a", path("write", "~/out"))
    assert story.state.file_labels("/home/u/out") == (Label("secret", 0),)


def test_files_that_only_the_entities_name_are_marked_too(story):
    beside = Beside(entities=(Entity("wrote", "path", "/r/cut"), Entity("wrote", "digest", "sha256:00")))
    n = story.asks("a", adds=(SECRET,), beside=beside)
    assert story.state.file_labels("/r/cut") == (Label("secret", n),)
    assert story.state.digest_labels("sha256:00") == (Label("secret", n),)
    assert story.state.digest_labels("sha256:11") == ()


def test_reading_a_tree_or_a_pattern_picks_up_what_is_beneath(story):
    n = story.asks("a", path("write", "/r/d/out"), adds=(SECRET,))
    assert story.state.read_labels([path("read", "/r/d", "recursive")]) == (Label("secret", n),)
    assert story.state.read_labels([path("read", "/r/d/o*", "pattern")]) == (Label("secret", n),)
    assert story.state.read_labels([path("read", "/r/d")]) == ()
    assert story.state.read_labels([path("read", "/r/dd", "recursive")]) == ()


def test_what_is_written_over_a_tree_marks_every_file_in_it(story):
    n = story.asks("a", path("write", "/r/d", "recursive"), adds=(SECRET,))
    assert story.state.file_labels("/r/d/e/f") == (Label("secret", n),)
    assert story.state.file_labels("/r/x") == ()


def test_a_file_that_is_moved_takes_its_labels_along(story):
    n = story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    story.asks("b", ran("mv"), path("delete", "/r/x"), path("write", "/r/y"))
    assert story.state.file_labels("/r/y") == (Label("secret", n),)


def test_a_file_that_is_found_gone_is_clean_when_it_is_made_again(story):
    story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    n = story.asks("b", ran("rm"), path("delete", "/r/x"))
    assert story.state.file_labels("/r/x")
    assert story.state.expects_gone(n) == ("/r/x",)
    story.returns("b", n, gone=("/r/x",))
    assert story.state.file_labels("/r/x") == ()
    assert story.state.expects_gone(n) == ()


def test_a_path_below_home_that_is_gone_may_be_abbreviated(story):
    story.born("a", Label("secret", 0), home="/home/u")
    story.asks("a", path("write", "~/x"))
    n = story.asks("a", ran("rm"), path("delete", "~/x"))
    story.returns("a", n, gone=("~/x",))
    assert story.state.file_labels("/home/u/x") == ()


def test_a_whole_tree_that_is_gone_is_clean(story):
    story.asks("a", path("write", "/r/d/x"), path("write", "/r/dd"), adds=(SECRET,))
    n = story.asks("b", ran("rm"), path("delete", "/r/d", "recursive"))
    story.returns("b", n, gone=("/r/d",))
    assert story.state.file_labels("/r/d/x") == ()
    assert story.state.file_labels("/r/dd")


@pytest.mark.parametrize(
    ("effects", "gone"),
    [
        ((ran("rm"), path("delete", "/r/x")), ()),
        ((ran("rm"), path("delete", "/r/y")), ("/r/x",)),
        ((ran("cat"), path("read", "/r/x")), ("/r/x",)),
    ],
)
def test_a_removal_that_is_not_proved_clears_nothing(story, effects, gone):
    story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    n = story.asks("b", *effects)
    story.returns("b", n, gone=gone)
    assert story.state.file_labels("/r/x")


def test_nothing_is_looked_for_when_what_is_deleted_carries_nothing(story):
    n = story.asks("b", ran("rm"), path("delete", "/r/x"))
    assert story.state.expects_gone(n) == ()


def test_new_content_of_a_whole_file_carries_only_its_writers_labels(story):
    story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    n = story.asks("clean", path("write", "/r/x"), tool="write")
    assert story.state.file_labels("/r/x")
    story.returns("clean", n)
    assert story.state.file_labels("/r/x") == ()
    m = story.asks("a", path("write", "/r/x"), tool="edit")
    story.returns("a", m)
    assert story.state.file_labels("/r/x")


def test_what_was_written_meanwhile_is_not_cleared(story):
    story.asks("a", path("write", "/r/x"), adds=(SECRET,))
    n = story.asks("clean", path("write", "/r/x"), tool="write")
    story.asks("a", path("write", "/r/x"))
    story.returns("clean", n)
    assert story.state.file_labels("/r/x")


def test_only_the_earliest_origins_are_kept_and_the_name_stays(story):
    for _ in range(20):
        story.returns("a", story.asks("a", adds=(Label("untrusted", -1),)))
    labels = story.state.labels_of("a")
    assert len(labels) == MAX_ORIGINS
    assert labels[0] == Label("untrusted", 0)


def test_calls_whose_results_never_come_do_not_pile_up(story):
    for _ in range(3 * MAX_OPEN):
        story.asks("a", adds=(SECRET,))
    assert len(story.state.labels_of("a")) <= MAX_OPEN + MAX_ORIGINS


def test_labels_outlive_the_end_of_an_agent_that_may_be_resumed(story):
    n = story.asks("a", adds=(SECRET,))
    story.ends("a")
    story.returns("a", n, ok=False, ran=False)
    assert story.state.labels_of("a") == (Label("secret", n),)


AGENTS = st.sampled_from(["a", "b", "c"])
PATHS = st.sampled_from(["/r/x", "/r/y", "/r/d/z", "/r/d", "~/h"])
NAMES = st.sampled_from(["secret", "untrusted", "pii"])
EFFECTS = st.lists(
    st.one_of(
        st.builds(path, st.sampled_from(["read", "write"]), PATHS),
        st.builds(lambda p: path("delete", p, "recursive"), PATHS),
        st.builds(lambda p: path("write", p, "recursive"), PATHS),
        st.builds(ran, st.sampled_from(["rm", "mv", "cat"])),
    ),
    max_size=3,
)
ADDS = st.lists(NAMES.map(lambda name: Label(name, -1)), max_size=2, unique=True).map(tuple)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("born"), AGENTS),
        st.tuples(st.just("ends"), AGENTS),
        st.tuples(
            st.just("asks"), AGENTS, EFFECTS, ADDS, st.sampled_from(["allow", "ask", "deny"]),
            st.sampled_from(["shell", "write", "edit"]),
        ),
        st.tuples(st.just("returns"), AGENTS, st.integers(0, 30), st.booleans(), st.booleans(), ADDS, st.booleans()),
        st.tuples(st.just("joins"), AGENTS, AGENTS),
    ),
    max_size=30,
)  # fmt: skip


def play(story, step):
    kind, agent, *rest = step
    if kind == "born":
        story.born(agent, home=f"/home/{agent}")
    elif kind == "ends":
        story.ends(agent)
    elif kind == "asks":
        effects, adds, verdict, tool = rest
        story.asks(agent, *effects, adds=adds, verdict=verdict, tool=tool)
    elif kind == "returns":
        intent, ok, did_run, adds, found_gone = rest
        gone = story.state.expects_gone(intent) if found_gone else ()
        story.returns(agent, min(intent, story.n), ok=ok, ran=did_run, adds=adds, gone=gone)
    else:
        story.joins(agent, story.state.labels_of(rest[0]), rest[0])


def names(labels):
    return {label.name for label in labels}


@given(STEPS)
@settings(max_examples=200)
def test_no_event_but_a_clearing_one_loses_a_label(steps):
    story = Story()
    for step in steps:
        before = {agent: names(story.state.labels_of(agent)) for agent in "abc"}
        files = {p: names(story.state.file_labels(p)) for p in ("/r/x", "/r/y", "/r/d/z", "/home/a/h")}
        play(story, step)
        never_ran = step[0] == "returns" and not step[4]
        cleared = step[0] == "returns"
        for agent, held in before.items():
            assert never_ran or held <= names(story.state.labels_of(agent))
        for p, held in files.items():
            assert cleared or held <= names(story.state.file_labels(p))


@given(STEPS, st.integers(0, 30))
@settings(max_examples=200)
def test_a_state_that_is_dumped_and_loaded_goes_on_as_if_nothing_had_happened(steps, cut):
    story = Story()
    other = Story()
    for place, step in enumerate(steps):
        if place == cut:
            other.state = FlowState.load(other.state.dump())
        play(story, step)
        play(other, step)
        assert other.state.dump() == story.state.dump()
        assert FlowState.load(story.state.dump()).dump() == story.state.dump()
        for agent in "abc":
            assert other.state.labels_of(agent) == story.state.labels_of(agent)


@given(STEPS)
def test_what_is_said_of_a_file_is_in_order_and_named_by_events_of_the_past(steps):
    story = Story()
    for step in steps:
        play(story, step)
    for p in ("/r/x", "/r/d/z", "/home/b/h"):
        labels = story.state.file_labels(p)
        assert list(labels) == sorted(labels)
        assert all(0 <= label.origin < story.n for label in labels)
