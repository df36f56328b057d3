"""Whatever stands in the record, every question gets an answer that can be written down."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.test_any_events import PAIRS, Record

from outrider.investigate.answer import answer
from outrider.investigate.blast import blast
from outrider.investigate.cause import cause
from outrider.investigate.coverage import coverage
from outrider.investigate.touched import touched
from outrider.investigate.why import why
from outrider.store import reading
from outrider.store.follow import catch_up
from outrider.store.view import View


@settings(max_examples=20)
@given(PAIRS, st.text(max_size=10))
def test_every_question_about_any_record_is_answered(tmp_path_factory, pairs, text):
    with View(tmp_path_factory.mktemp("any") / "v") as view:
        catch_up(view, Record(pairs))
        for agent in reading.agents(view):
            msgspec.json.encode(touched(view, agent.id, lineage=True))
            msgspec.json.encode(blast(view, agent.id))
        for n in range(view.size):
            for ask in (cause, blast, why):
                msgspec.json.encode(ask(view, n))
        known = [value for (value,) in view.rows("SELECT value FROM entities LIMIT 5")]
        for artefact in (text, *known):
            msgspec.json.encode(answer(view, artefact))
        msgspec.json.encode(coverage(view))
