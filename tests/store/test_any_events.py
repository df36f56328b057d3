"""Any sequence of events that could be written at all is taken, and can be asked about."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.strategies import events, of_struct
from tests.store.test_follow import contents

from outrider.errors import OutriderError
from outrider.events.codec import encode, encode_beside
from outrider.events.record import Beside
from outrider.store import reading
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

FEW = st.sampled_from(["", "a", "b"])


class Record:
    def __init__(self, pairs):
        self.pairs = [(encode(msgspec.structs.replace(one, n=n)), blob) for n, (one, blob) in enumerate(pairs)]
        self.until = len(self.pairs)

    def entries(self, start):
        return iter(self.pairs[start : self.until])


def tied(event, agent, parent, intent):
    """Let events meet: a few agents only, and results of calls that may be there."""
    fields = set(event.__struct_fields__)
    changes = {"agent": agent}
    if "intent" in fields:
        changes["intent"] = intent
    if "parent" in fields:
        changes["parent"] = parent
    return msgspec.structs.replace(event, **changes)


EVENTS = st.builds(tied, events, FEW, FEW, st.integers(-1, 8))
PAIRS = st.lists(st.tuples(EVENTS, st.just(b"") | of_struct(Beside).map(encode_beside)), max_size=8)


@settings(max_examples=25)
@given(PAIRS, st.integers(0, 8))
def test_any_events_are_taken_alike_in_one_go_and_in_two(tmp_path_factory, pairs, cut):
    directory = tmp_path_factory.mktemp("any")
    record = Record(pairs)
    with View(directory / "a") as one, View(directory / "b") as two:
        record.until = min(cut, len(record.pairs))
        catch_up(one, record)
        record.until = len(record.pairs)
        catch_up(one, record)
        rebuild(two, record)
        assert contents(one) == contents(two)


@settings(max_examples=15)
@given(PAIRS)
def test_any_events_can_be_listed_and_read_back(tmp_path_factory, pairs):
    with View(tmp_path_factory.mktemp("any") / "v") as view:
        catch_up(view, Record(pairs))
        numbers = range(view.size)
        assert [row.n for row in reading.log(view, limit=100)] == list(numbers)
        assert [event.n for event in reading.leaves(view, numbers)] == list(numbers)
        assert len(list(reading.besides(view, numbers))) == view.size
        for agent in reading.agents(view):
            reading.ancestors(view, agent.id)
            reading.descendants(view, agent.id)
        assert set(reading.outcomes(view, numbers)) <= set(numbers)
        try:
            reading.event(view, view.size)
        except OutriderError as error:
            assert "no event" in str(error)  # noqa: PT017
