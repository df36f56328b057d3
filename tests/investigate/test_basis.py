"""Whether what an answer rests on can still be read, said by the questions alike."""

from __future__ import annotations

import pytest

from outrider.events.call import Label
from outrider.events.content import Commitment, ContentErased, ContentKept, Kept
from outrider.investigate.basis import Basis, basis
from outrider.investigate.blast import blast
from outrider.investigate.involved import involved
from outrider.investigate.touched import touched

SITE = ("host", "evil.example")


@pytest.fixture
def told(world):
    """One agent read a page that names a host and sent something there; nothing of that was kept."""
    world.born("a")
    world.asked, world.page = world.fetch("a", "blog.example", "send", "evil.example", named=[SITE])
    world.sent = world.upload("a", "evil.example", labels=[Label("untrusted", world.page)])
    world.born("reader", session="s2")
    world.fetch("reader", "blog.example", "send", "evil.example", named=[SITE])
    return world


def test_what_was_never_kept_is_said_by_involved_touched_and_blast(told):
    with told.view() as view:
        who, what, else_ = involved(view, "evil.example"), touched(view, "a"), blast(view, told.page)
    for answer in (who, what, else_):
        assert answer.basis.level == "record alone"
        assert "was never kept" in answer.basis.statement
        assert answer.basis.kept == 0 < answer.basis.never
    assert who.basis.statement in who.statement
    assert else_.basis.statement in else_.statement
    assert who.agents[0].confidence == "value"  # The act stands in the record itself.
    assert {one.agent.id: one.confidence for one in who.agents}["reader"] == "print"


def keep(told, *numbers):
    kept = tuple(
        Kept(of=n, content=Commitment(c="0" * 64, size=1), hash="", stored=1, media="text/plain") for n in numbers
    )
    return told.put(ContentKept, heard="daemon", kept=kept)


def test_what_is_kept_takes_nothing_away_and_what_was_erased_does(told):
    events = list(range(len(told.entries_)))
    keep(told, *events)
    with told.view() as view:
        assert basis(view, events).statement == ""
        assert basis(view, events).level == "content"
        assert involved(view, "evil.example").basis.level == "content"
        assert {one.confidence for one in involved(view, "evil.example").agents} == {"value"}
    told.put(
        ContentErased, heard="daemon", what="event", upto=told.page + 1, basis="asked", by="p_1", events=(told.page,)
    )
    with told.view() as view:
        rests = basis(view, [told.page, told.sent])
    assert (rests.kept, rests.erased, rests.never, rests.level) == (1, 1, 0, "in part")
    assert "of 1 was erased" in rests.statement


def test_events_without_content_count_as_nothing_lacking(told):
    with told.view() as view:
        assert basis(view, [0]) == Basis()
        assert basis(view, []).statement == ""
