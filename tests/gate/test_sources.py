"""The numbers and links of sources: every event names the one before, and a name that was forgotten begins anew."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from outrider.gate.sources import Sources
from outrider.ledger.verify.report import Problems
from outrider.ledger.verify.story import Story

NAMES = st.sampled_from(["daemon", "claude_code:s", "claude_code:s~5", "claude_code:s~1", "~3", "x~", ""])
STEPS = st.lists(st.tuples(st.sampled_from(["event", "event", "event", "forget", "restart"]), NAMES), max_size=60)


@given(STEPS)
def test_whatever_is_forgotten_every_source_counts_from_zero_and_links_to_its_own_last_event(steps):
    sources, problems, n, said = Sources(), Problems(), 0, {}
    story = Story(problems)
    for what, name in steps:
        if what == "forget":
            sources.forget(name)
            said.pop(name, None)
        elif what == "restart":
            sources = Sources(dict(sources.heads), forgot=sources.forgot)
        else:
            told, leaf = sources.next(name, n), hashlib.sha256(b"%d" % n).hexdigest()
            sources.apply(told, leaf)
            # As the verifier, which knows no more than what stands in the events, holds them against each other.
            story._source(n, {"id": told.id, "seq": told.seq, "prev": told.prev}, leaf)
            said[name] = said.get(name, 0) + 1
            assert sources.count(name) == said[name]
            n += 1
    assert problems.found == []


def test_names_are_plain_as_long_as_nobody_was_forgotten():
    sources = Sources()
    for n in range(3):
        told = sources.next("claude_code:s", n)
        assert (told.id, told.seq) == ("claude_code:s", n)
        sources.apply(told, "00" * 32)
    sources.forget("claude_code:s")
    assert sources.next("claude_code:s", 9).id == "claude_code:s~9"
