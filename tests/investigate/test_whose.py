"""Whose hook it was that met no daemon: by the process that its line names, and the time of it."""

from __future__ import annotations

import pytest

from outrider.config import Home
from outrider.events.attestation import Attestation
from outrider.events.case import CaseNoted
from outrider.events.record import AgentEnded, AgentResumed, RecordGap
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.coverage import coverage
from outrider.investigate.dossier import dossier
from outrider.investigate.extent import extent
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page

LINE = "claude_code, PreToolUse: no answer in time (process {}, 412 bytes)"
SECOND = 1_000_000


def hook(world, pid, ts, **more):
    """A hook of the process ``pid`` met no daemon at ``ts``; it is taken in now."""
    return world.put(
        RecordGap, heard="spool-1", what="spool", count=1, since=ts, until=ts, door="claude_code",
        detail=LINE.format(pid), **more,
    )  # fmt: skip


def told(world, n):
    with world.view() as view:
        return next((gap.agent, gap.whose) for gap in coverage(view).gaps if gap.n == n)


@pytest.fixture
def lived(world):
    """An agent of the process 4711 that has ended; ``born`` and ``ended`` are the times of it."""
    born = world.born("gone", attested=Attestation(pid=4711))
    end = world.put(AgentEnded, agent="gone", how="completed")
    with world.view() as view:
        times = dict(view.rows("SELECT n, ts FROM events WHERE n IN (?, ?)", born, end))
    world.birth, world.death = times[born], times[end]
    return world


def test_a_hook_is_its_agents_by_the_process_that_was_its_hosts_while_it_lived(lived):
    n = hook(lived, 4711, lived.birth)
    assert told(lived, n) == ("gone", "of gone: the process 4711 was its host's")
    early = hook(lived, 4711, lived.birth - SECOND)
    assert told(lived, early) == ("gone", "of gone: the process 4711 was its host's, shortly before its birth")
    late = hook(lived, 4711, lived.death + SECOND)
    assert told(lived, late) == ("gone", "of gone: the process 4711 was its host's, just after its end")


def test_it_is_said_where_it_cannot_be_told_whose_it_was(lived):
    other = hook(lived, 4712, lived.birth)
    assert told(lived, other) == ("", "whose cannot be told: no agent of this record had the process 4712 then")
    later = hook(lived, 4711, lived.death + 3600 * SECOND)
    assert told(lived, later)[0] == ""
    none = lived.put(RecordGap, heard="spool-1", what="spool", count=1, detail="the line could not be read")
    assert told(lived, none) == ("", "whose cannot be told: its line names no process")


def test_of_two_agents_with_one_process_number_neither_is_named_and_a_child_in_its_hosts_process_is(lived):
    lived.born("child", "gone", attested=Attestation(pid=4711))
    with lived.view() as view:
        now = view.one("SELECT ts FROM agents WHERE id = 'child'")[0]
    both = hook(lived, 4711, lived.birth)
    assert told(lived, both)[0] == "gone"
    lived.born("other", attested=Attestation(pid=4711))
    again = hook(lived, 4711, now + SECOND)
    agent, words = told(lived, again)
    assert agent == ""
    assert words.startswith("one of ")
    assert "other" in words


def test_a_session_that_went_on_in_another_process_is_known_by_that_too(lived):
    lived.born("back", attested=Attestation(pid=1))
    lived.put(AgentResumed, agent="back", attested=Attestation(pid=4713))
    with lived.view() as view:
        now = view.one("SELECT max(ts) FROM events")[0]
    assert told(lived, hook(lived, 4713, now)) == ("back", "of back: the process 4713 was its host's")


def test_the_daemons_own_word_counts_first_and_a_gap_is_put_down_to_its_agent(lived):
    lived.born("known")
    named = hook(lived, 4711, lived.birth, agent="known")
    assert told(lived, named) == ("known", "of known: the daemon found its host's process alive")
    hook(lived, 4711, lived.birth, answered="allow")
    with lived.view() as view:
        mine = {one.agent.id: [lack.what for lack in one.lacks] for one in extent(view).agents}
    assert "spool" in mine["gone"]


def test_a_report_says_whose_hooks_met_no_daemon_and_whether_they_are_of_its_agents(lived, tmp_path):
    n = hook(lived, 4711, lived.birth, answered="deny")
    home, case = Home(tmp_path / "home"), "case-0123456789ab"
    files = CaseFile(home, case)
    lived.put(CaseNoted, heard="case", case=case, act="opened", by="p_1", content=files.put("x"))
    lived.put(CaseNoted, heard="case", case=case, act="added", by="p_1", about="gone")
    with lived.view() as view:
        found = dossier(view, load(view, home, case))
    sentence = (
        f"Hooks that met no daemon: 1 of agents of this case (event {n}: of gone: the process 4711 was its host's)."
    )
    assert sentence in page(found).replace("&#x27;", "'")
    assert sentence in markdown(found)
    assert "1 hooks met no daemon" in markdown(found)
    hook(lived, 99, lived.birth)
    hook(lived, 99, lived.birth)
    with lived.view() as view:
        found = dossier(view, load(view, home, case))
    assert "; 2 of which it cannot be told whose they were (events 6, 7: no agent of this record had the" in page(found)
    assert "of gone: the process 4711 was its host's" in markdown(found).partition("## What could not be seen")[2]
