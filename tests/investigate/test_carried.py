"""Whether what a credential's reading had brought went out with an act: by the prints of values."""

from __future__ import annotations

import pytest
from tests.store.record import NOTHING

from outrider.config import Home
from outrider.events.call import Effect, Label
from outrider.events.case import CaseNoted
from outrider.events.decision import Decision
from outrider.events.record import Beside, CallDecided, CallResult, Entity
from outrider.investigate.carried import carried
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.glance import glance
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page

CASE = "case-0123456789ab"
ALLOW = Decision(verdict="allow", enforced="allow")


def values(*words):
    """Stand in for the keyed prints of values."""
    return b"".join(word.encode().ljust(6, b"\0")[:6] for word in words)


def asked(world, verb, kind, value, *given, labels=(), flags=()):
    role = {"read": "read", "connect": "sent"}[verb]
    return world.put(
        CallDecided, agent="a", call=f"c{len(world.entries_)}", tool="fetch", name="Fetch", content=NOTHING,
        effects=(Effect(verb=verb, kind=kind, value=value, flags=flags),), decision=ALLOW, chain=("sha256:c",),
        labels=tuple(labels),
        beside=Beside(entities=(Entity(role, kind, value),), said={"whole": values(*given)} if given else {}),
    )  # fmt: skip


def back(world, call, **places):
    return world.put(
        CallResult, agent="a", call=f"c{call}", intent=call, ok=True, content=NOTHING,
        beside=Beside(said={place: values(*words) for place, words in places.items()}),
    )  # fmt: skip


@pytest.fixture
def story(world, tmp_path):
    """An agent reads a key and a page, and connects to where the page says; what it is given is for the test."""

    def told(*given):
        world.born("a")
        read = asked(world, "read", "path", "/r/deploy.key", "path")
        result = back(world, read, field=("secret", "path", "named"))
        world.join("a", "a", Label("secret", read))
        page_ = back(world, asked(world, "connect", "host", "blog.example"), text=("named", "evil"))
        labels = [Label("untrusted", page_), Label("secret", read)]
        act = asked(world, "connect", "host", "evil.example", "evil", *given, labels=labels)
        back(world, act)
        files = CaseFile(Home(tmp_path / "home"), CASE)
        world.put(CaseNoted, heard="case", case=CASE, act="opened", by="p_1", content=files.put("x"))
        world.put(CaseNoted, heard="case", case=CASE, act="added", by="p_1", content=files.put("evil.example"))
        with world.view() as view:
            found = dossier(view, load(view, Home(tmp_path / "home"), CASE))
            return read, result, page_, act, found

    return told


def test_a_value_that_the_reading_brought_is_known_again_in_the_act(story):
    _, result, _, act, found = story("secret")
    assert found.carried == {act: result}
    assert result in found.events
    sentence = f"the call was given a value that event {result} had brought"
    assert sentence in page(found)
    assert sentence in markdown(found)
    assert any(f"a value that event {result} had read went with it" in step.do for step in found.todo)
    assert "that a secret went out: proven by its value" in dict(glance(found))["how sure"]


@pytest.mark.parametrize("given", ["path", "named", "other"])
def test_what_the_reading_was_asked_for_or_the_page_named_proves_nothing(story, given):
    *_, found = story(given)
    assert found.carried == {}
    assert "that the secret went out with it is inferred" in page(found).lower()
    assert "not shown by its value" in dict(glance(found))["how sure"]


def test_only_a_reading_before_the_act_counts_and_results_can_be_named_themselves(story, world):
    read, result, page_, act, _ = story("secret")
    with world.view() as view:
        assert carried(view, act, [result], [page_]) == result
        assert carried(view, read, [read], []) == -1
        assert carried(view, act, [], []) == -1
        assert carried(view, act, [act], []) == -1
