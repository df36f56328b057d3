import msgspec
import pytest

from outrider.errors import BadInputError
from outrider.events.call import Effect, Label
from outrider.events.decision import Decision, RuleHit
from outrider.events.record import CallDecided, CharterLoaded
from outrider.investigate.why import why

HIT = RuleHit(
    rule="coder.flow.secret", verdict="deny", charter="coder", digest="sha256:c", effect=0, reason="a secret",
    advice="do not", unlock="add it",
)  # fmt: skip


@pytest.fixture
def refused(world):
    world.put(CharterLoaded, heard="daemon", name="coder", digest="sha256:c", signer="builtin", source="{}")
    world.born("a")
    world.page = world.fetch("a", "docs.example")[1]
    for _ in range(12):
        world.read("a", "/r/x")
    world.n = world.put(
        CallDecided, agent="a", call="t", tool="shell", name="Bash", chain=("sha256:c", "sha256:unknown"),
        effects=(Effect(verb="connect", kind="host", value="drop.example", flags=("upload",)),),
        decision=Decision(verdict="deny", enforced="deny", hits=(HIT,)), content=_nothing(),
        labels=(Label("secret", -1), Label("untrusted", world.page)),
    )  # fmt: skip
    return world


def _nothing():
    from tests.store.record import NOTHING

    return NOTHING


def test_a_refusal_is_explained_whole(refused):
    with refused.view() as view:
        answer = why(view, refused.n)
        assert answer.decision.hits == (HIT,)
        assert answer.unlock == ("add it",)
        assert answer.effects[0].value == "drop.example"
        assert [(one.name, one.event and one.event.n) for one in answer.labels] == [
            ("secret", None), ("untrusted", refused.page),
        ]  # fmt: skip
        assert [(one.name, one.signer) for one in answer.charters] == [("coder", "builtin"), ("", "")]
        assert len(answer.before) == 10
        assert [one.n for one in answer.before] == list(range(refused.n - 10, refused.n))
        assert answer.outcome == "refused"
        assert answer.agent.id == "a"
        assert "upload drop.example" in answer.event.what
        assert msgspec.json.encode(answer)


def test_an_allow_needs_nothing_to_allow_it_and_a_result_is_explained_by_its_call(refused):
    with refused.view() as view:
        answer = why(view, refused.page)
        assert answer.event.n == refused.page - 1
        assert answer.unlock == ()
        assert (answer.outcome, answer.result) == ("done", refused.page)


def test_an_event_that_is_no_call_is_told_without_a_decision(refused):
    with refused.view() as view:
        answer = why(view, 0)
        assert answer.decision is None
        assert answer.agent is None
        assert answer.effects == ()


def test_an_event_that_is_not_there_is_an_error(refused):
    with refused.view() as view, pytest.raises(BadInputError, match="no event 9999"):
        why(view, 9999)


def test_a_refusal_and_the_call_that_corrects_it_name_each_other(refused):
    fetch = Effect(verb="connect", kind="host", value="api.github.com")
    n = refused.call("a", fetch, corrects=refused.n)
    with refused.view() as view:
        assert why(view, n).corrects.n == refused.n
        assert why(view, refused.n).corrected.n == n
        assert why(view, n).corrected is None
        assert why(view, refused.page).corrects is None
