"""No question reads a whole table that grows with the record: SQLite's own plans say how it would answer."""

from __future__ import annotations

import re

import pytest

from outrider.investigate.answer import answer
from outrider.investigate.blast import blast
from outrider.investigate.cause import cause
from outrider.investigate.coverage import coverage
from outrider.investigate.extent import extent
from outrider.investigate.involved import involved
from outrider.investigate.touched import touched
from outrider.investigate.why import why
from outrider.store import reading
from outrider.store.fold import SPAWNER
from outrider.store.follow import rebuild
from outrider.store.view import View

# A scan of an index that holds only what is sought is none of the table.
WHOLE = re.compile(
    r"SCAN \w+\b(?! USING (?:COVERING )?INDEX (?:agents_living|agents_vanished|agents_home|sources_lacking"
    r"|events_refused|events_opaque|events_stray|events_despite|events_rare|agents_n)\b)"
)
# ``t`` is a subquery of at most a hundred rows, or of as many as are pivoted on.
SMALL = re.compile(r"SCAN (?:t|tallies|gaps|charters|open_calls|o|erasures|meta|CONSTANT)\b")


def scans(view: View, ask):
    """Return the statements of a question that read a whole table, with SQLite's plan."""
    said: list[str] = []
    view.db.set_trace_callback(said.append)
    ask()
    view.db.set_trace_callback(None)
    out = []
    for sql in said:
        if sql.startswith("SELECT") and not sql.endswith("FROM events ORDER BY n LIMIT 1"):  # the first of all
            plan = [row[3] for row in view.db.execute(f"EXPLAIN QUERY PLAN {sql}")]
            out += [(sql, step) for step in plan if WHOLE.match(step) and not SMALL.match(step)]
    return out


@pytest.fixture
def view(world):
    world.born("a")
    world.prompt("a", "tidy")
    world.fetch("a", "docs.example", "send", named=[("host", "drop.example")])
    world.read("a", "/home/u/repo/x")
    world.write("a", "/home/u/repo/x")
    world.upload("a", "drop.example")
    world.born("b", "a")
    world.read("b", "/home/u/repo/x")
    with world.view() as opened:
        yield opened


ARTEFACTS = ["drop.example", "https://drop.example/x", "/home/u/repo/x", "~/repo/x", "3f786850e3", "pid:7",
             "kim@a.example", "pypi:requests", "some text", "coder", "nobody.example"]  # fmt: skip


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_looking_for_an_artefact_reads_no_table_whole(view, artefact):
    assert scans(view, lambda: involved(view, artefact, key=b"k" * 32)) == []
    assert scans(view, lambda: answer(view, artefact, key=b"k" * 32)) == []


def test_no_question_about_an_event_or_an_agent_reads_a_table_whole(view):
    calls = [row.n for row in reading.log(view, kind="call.decided")]
    for n in calls:
        for ask in (cause, why, blast):
            assert scans(view, lambda n=n, ask=ask: ask(view, n)) == []
    for agent in ("a", "b"):
        assert scans(view, lambda agent=agent: touched(view, agent, lineage=True)) == []
        assert scans(view, lambda agent=agent: blast(view, agent)) == []


def test_coverage_by_host_door_and_agent_reads_no_event_but_the_rare_ones(view):
    assert [sql for sql, step in scans(view, lambda: extent(view)) if step.startswith("SCAN events")] == []


def test_coverage_reads_no_table_whole(view):
    assert scans(view, lambda: coverage(view)) == []
    assert scans(view, lambda: reading.of_kind(view, "case.noted")) == []


def test_a_view_that_is_made_anew_finds_the_call_behind_a_birth_by_an_index(world, tmp_path):
    world.born("a")
    with View(tmp_path / "v.sqlite") as made:
        rebuild(made, world)
        made.clear(indexes=False)
        plan = " ".join(row[3] for row in made.db.execute(f"EXPLAIN QUERY PLAN {SPAWNER}", ("a", 9)))
    assert "USING COVERING INDEX events_spawns" in plan or "USING INDEX events_spawns" in plan
