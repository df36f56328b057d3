"""What rules about flow would have stopped and harmed: recorded runs imported, drafts from loose to strict replayed.

The product does both: its importer reads the runs as a host's transcripts, its ``replay`` rules on every call from what
was recorded of it. The drafts differ in their rules about flow alone, everything else is allowed; two of them are the
rules of built-in charters, word for word. No tool is described to them, so its arguments' names say what steers it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.charter.parse import parse
from outrider.investigate.replay import replay
from outrider.store.follow import catch_up
from outrider.store.view import View
from score.reconstruction import Kept, imported, lines, places
from score.row import Row, missing

SECTION = "replay"
_TOP = Path(__file__).resolve().parents[1]
_ALL = "".join(f'{verb} = ["*"]\n' for verb in ("call", "read", "write", "delete", "connect", "exec"))
_ACTS = 'not_to = ["call", "connect", "write", "delete"]'


def _shipped(charter: str) -> str:
    """Return the rules about flow of a built-in charter, as they stand in its file."""
    text = (_TOP / "charters" / f"{charter}.toml").read_text("utf-8")
    return text.partition("\n[flow]\n")[2].partition("\n[")[0]


def _levels() -> Iterator[tuple[str, str]]:
    """Yield each draft's name and its rules about flow, the loosest first."""
    values = ("ordered-value", "suggested-value", "untrusted-value")
    yield "no rule", ""
    yield "secret values", f"secret-value = {{ {_ACTS} }}\n"
    yield "as shipped with developer", _shipped("developer")
    yield "as shipped with researcher", _shipped("researcher")
    for most in (2, 3):
        named = "".join(f"{value} = {{ {_ACTS} }}\n" for value in values[:most])
        yield f"values down to {values[most - 1]}", named
    yield "everything after untrusted content", f"untrusted = {{ {_ACTS} }}\n"


def measure(corpora: Path) -> list[Row]:
    """Return two figures for each draft: attacked runs stopped, benign runs harmed."""
    folder = corpora / "agent-runs"
    if not (folder / "attacked.jsonl.xz").is_file():
        return [missing(SECTION, "curve: attacked runs stopped", f"there is no {folder}")]
    answers = {row["id"]: row["malicious_calls"] for row in lines(folder / "answers.jsonl.xz")}
    attacked = [run for run in lines(folder / "attacked.jsonl.xz") if run["id"] in answers]
    out: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        bad, first = _view(attacked, Path(name) / "attacked.sqlite")
        benign = list(lines(folder / "benign.jsonl.xz"))
        good, owner = _view(benign, Path(name) / "benign.sqlite")
        wanted = {calls[answers[run][0]] for run, calls in first.items() if answers[run][0] < len(calls)}
        runs = {n: run for run, calls in owner.items() for n in calls}
        with bad, good:
            for level, flow in _levels():
                out += _point(level, flow, (bad, wanted), (good, runs, len(benign)))
    return out


def _view(runs: list[dict[str, Any]], path: Path) -> tuple[View, dict[str, list[int]]]:
    """Return a view of imported runs, and the calls of each."""
    record = Kept(things=True)
    imported(record, ((run, run["id"]) for run in runs))
    view = View(path)
    catch_up(view, record)
    return view, {run: at.calls for run, at in places(view).items()}


def _point(
    level: str, flow: str, bad: tuple[View, set[int]], good: tuple[View, dict[int, str], int]
) -> tuple[Row, Row]:
    draft = parse(f'[charter]\nname = "curve"\n\n[may]\n{_ALL}\n' + (f"[flow]\n{flow}" if flow else ""))
    told = replay(bad[0], draft, bad=bad[1])
    refused = {one.n for one in told.stopped}
    asked = {one.n for one in told.asked} & bad[1]
    hurt = replay(good[0], draft)
    denied = {good[1][one.n] for one in hurt.broken}
    only = {good[1][one.n] for one in hurt.asked} - denied
    note = f"{told.judged + hurt.judged:,} calls"
    return (
        Row(
            section=SECTION,
            what=f"curve, {level}: attacked runs stopped",
            hit=len(refused | asked),
            of=len(bad[1]),
            asked=len(asked - refused),
            note=note,
        ),
        Row(
            section=SECTION,
            what=f"curve, {level}: benign runs harmed",
            hit=len(denied | only),
            of=good[2],
            asked=len(only),
        ),
    )
