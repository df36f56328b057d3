"""An answer lets through the call that was asked about, as often as it says, and never another."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.charter.narrow import Effective
from outrider.events.asked import Answered
from outrider.events.call import Call, Effect
from outrider.events.codec import commit
from outrider.events.decision import Decision, RuleHit
from outrider.events.record import AgentEnded, AskAnswered, AskTimedOut, Beside, CallDecided
from outrider.gate.asks import KEPT, Asks, Made, Question, settle
from outrider.gate.judge import MAX_HITS, Judged
from outrider.gate.study import canonical_or_text

NOW = 1_000_000_000
HOUR = 3_600_000_000
# outrider: allow code.python-fixed-salt -- no secret is under it, and a test wants the same bytes each time
SALT = b"s" * 32
HELD = Effective(ask_by="outrider")

few = st.sampled_from(["a", "b"])
effects = st.lists(
    st.builds(
        Effect,
        verb=st.sampled_from(["push", "delete", "opaque"]),
        kind=st.just("repo"),
        value=few,
        flags=st.sampled_from([(), ("forced",), ("inexact",)]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
hits = st.lists(
    st.builds(
        RuleHit,
        rule=st.sampled_from(["c.ask.push.0", "c.ask.delete.0", "c.flow.ordered-value.call"]),
        verdict=st.just("ask"),
        charter=st.just("c"),
        digest=st.sampled_from(["sha256:1", "sha256:2"]),
        effect=st.integers(-1, 2),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
calls = st.builds(
    Call,
    door=st.just("d"),
    session=st.just("s"),
    call_id=st.sampled_from(["1", "2"]),
    tool=st.sampled_from(["shell", "mcp"]),
    name=few,
    args=st.fixed_dictionaries({"command": few}),
    cwd=few,
)
asked = st.tuples(st.tuples(few, calls, effects).map(lambda parts: Made(*parts)), hits)


def judged(said, enforced="ask"):
    verdict = "deny" if enforced == "deny" else "ask"
    return Judged(decision=Decision(verdict=verdict, enforced=enforced, hits=said), labels=(), adds=())


class Room:
    """The questions of some agents, with nothing around them."""

    def __init__(self):
        self.asks = Asks()
        self.n = 0

    def make(self, made, said, *, now=NOW, effective=HELD, permission=False):
        """Judge a call and record it; return the event."""
        settled = settle(judged(said), made, self.asks, effective, now, permission=permission)
        self.n += 1
        event = CallDecided(
            v=1, n=self.n, ts=now, agent=made.agent, call=made.call.call_id, tool=made.call.tool, name=made.call.name,
            effects=made.effects, decision=settled.decision, chain=(), asked=settled.asked, permission=permission,
            content=commit(canonical_or_text(made.call.args), SALT),
        )  # fmt: skip
        self.asks.apply(event, Beside(salt=SALT, private={"cwd": made.call.cwd}))
        return event

    def answer(self, agent, question, *, yes=True, reach="once", until=NOW + HOUR):
        self.n += 1
        given = Answered(question=question, yes=yes, by="p_1", reach=reach, until=until)
        self.asks.apply(AskAnswered(v=1, n=self.n, ts=NOW, agent=agent, answer=given), Beside())

    def time_out(self, now):
        """Record what the daemon would; return the questions that it was about."""
        found = self.asks.out_of_time(now)
        for one, unused in found:
            self.n += 1
            event = AskTimedOut(v=1, n=self.n, ts=now, agent=one.agent, question=one.n, unused=unused)
            self.asks.apply(event, Beside())
        return [(one.n, unused) for one, unused in found]


def same(one, other):
    """Tell, field by field, whether a call is the very one that was asked about."""
    (made, said), (again, now_said) = one, other
    mine, its = made.call, again.call
    return (
        made.agent == again.agent
        and made.effects == again.effects
        and (mine.tool, mine.name, mine.args, mine.cwd) == (its.tool, its.name, its.args, its.cwd)
        and {(hit.rule, hit.digest, hit.effect) for hit in now_said}
        <= {(hit.rule, hit.digest, hit.effect) for hit in said}
    )


@given(asked, st.lists(asked, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_yes_lets_the_call_that_was_asked_about_through_once_and_never_another(one, others):
    room = Room()
    question = room.make(*one)
    room.answer(one[0].agent, question.n)
    used = False
    for other in [*others, one, one]:
        passes = room.make(*other).decision.enforced == "allow"
        assert passes == (same(one, other) and not used)
        used = used or passes


@given(asked, st.lists(asked, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_yes_for_the_agent_is_about_the_same_rules_and_things_of_the_same_agent(one, others):
    room = Room()
    made, said = one
    question = room.make(made, said)
    if room.asks.everyone()[0].no_standing_yes():
        return
    room.answer(made.agent, question.n, reach="agent")
    known = {(hit.rule, hit.digest, made.effects[hit.effect]) for hit in said}
    for again, now_said in [*others, one, one]:
        within = all(
            0 <= hit.effect < len(again.effects) and (hit.rule, hit.digest, again.effects[hit.effect]) in known
            for hit in now_said
        )
        passes = room.make(again, now_said).decision.enforced == "allow"
        assert passes == (again.agent == made.agent and within)


@given(asked, st.sampled_from(["once", "agent"]), st.sampled_from(["deny", "error"]))
@settings(deadline=None)
def test_what_is_refused_stays_refused_whatever_was_answered(one, reach, enforced):
    room = Room()
    made, said = one
    question = room.make(made, said)
    room.answer(made.agent, question.n, reach=reach)
    refused = judged(said, enforced)
    assert settle(refused, made, room.asks, HELD, NOW, permission=False) == refused


@given(asked)
@settings(deadline=None)
def test_a_question_that_nobody_answers_is_over_and_the_next_try_asks_anew(one):
    room = Room()
    first = room.make(*one)
    again = room.make(*one, now=first.asked.until - 1)
    assert again.asked.question == first.n
    late = room.make(*one, now=first.asked.until)
    assert late.decision.enforced == "deny"
    assert late.asked.question == -1


@given(asked)
@settings(deadline=None)
def test_a_yes_that_is_not_used_in_time_is_a_no(one):
    room = Room()
    question = room.make(*one)
    room.answer(one[0].agent, question.n, until=NOW + 5)
    assert room.make(*one, now=NOW + 5).decision.enforced == "deny"


@given(asked)
@settings(deadline=None)
def test_everything_about_questions_survives_as_bytes(one):
    room = Room()
    question = room.make(*one)
    room.answer(one[0].agent, question.n)
    data = msgspec.msgpack.encode(room.asks.questions)
    again = Asks(msgspec.msgpack.decode(data, type=dict[str, tuple[Question, ...]]))
    assert again.questions == room.asks.questions


def plain(n="a", agent="a"):
    call = Call(door="d", session="s", call_id="1", tool="shell", name="Bash", args={"command": n}, cwd="/r")
    return Made(agent, call, (Effect(verb="push", kind="repo", value="origin/main"),))


def hit(rule="c.ask.push.0"):
    return RuleHit(rule=rule, verdict="ask", charter="c", digest="sha256:1", effect=0)


def test_a_flood_of_questions_drops_the_oldest_that_nobody_answered():
    room = Room()
    kept = room.make(plain("kept"), (hit(),))
    room.answer("a", kept.n)
    for n in range(2 * KEPT):
        room.make(plain(str(n)), (hit(),))
    assert len(room.asks.everyone()) == KEPT
    assert room.make(plain("kept"), (hit(),)).decision.enforced == "allow"


def test_more_rules_than_the_record_names_are_never_let_through():
    room = Room()
    said = tuple(hit(f"c.ask.push.{n}") for n in range(MAX_HITS))
    question = room.make(plain(), said)
    assert not room.asks.everyone()[0].whole
    for reach in ("once", "agent"):
        room.answer("a", question.n, reach=reach)
        assert room.make(plain(), said).decision.enforced == "deny"


def test_questions_end_with_their_agent():
    room = Room()
    question = room.make(plain(), (hit(),))
    room.answer("a", question.n, reach="agent")
    room.asks.apply(AgentEnded(v=1, n=99, ts=NOW, agent="a", how="completed"), Beside())
    assert room.asks.everyone() == []
    assert room.make(plain(), (hit(),)).decision.enforced == "deny"


@given(asked, st.sampled_from(["", "no", "once", "used", "agent", "charter"]), st.integers(0, 3 * HOUR))
@settings(max_examples=200, deadline=None)
def test_time_runs_out_once_on_what_nobody_answered_or_used_and_on_nothing_else(one, said, later):
    room = Room()
    question = room.make(*one)
    if said:
        reach = said if said in {"agent", "charter"} else "once"
        room.answer(one[0].agent, question.n, yes=said != "no", reach=reach, until=NOW + 2 * HOUR)
    if said == "used":
        assert room.make(*one).decision.enforced == "allow"
    found = room.time_out(NOW + later)
    if said in {"", "charter"}:
        assert found == ([(question.n, -1)] if later >= HOUR else [])
    elif said == "once":
        assert found == ([(question.n, question.n + 1)] if later >= 2 * HOUR else [])
    else:
        assert found == []
    assert room.time_out(NOW + later) == []
    if found:
        assert not room.asks.waiting(NOW)
        assert room.make(*one).asked.question == -1
