"""Writes ``vectors/tamper``: folders of 10 events, and the table of verdicts with digests of the larger folders."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from tamper import dialogues
from tamper.cases import CASES, SITUATIONS
from tamper.folders import LOG, WITNESSES, Honest
from tamper.history import Places
from tamper.judge import VERSION, lay

FOLDERS = 10
DIGESTS = 10_000


def digest(where: Path) -> str:
    """Return the SHA-256 over a folder: a line ``SHA-256 of the file, two spaces, path`` each, sorted by path.

    ``content/`` is left out: what SQLite writes depends on its version.
    """
    found = sorted(path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file())
    files = [one for one in found if not one.startswith("content/")]
    lines = [f"{hashlib.sha256((where / one).read_bytes()).hexdigest()}  {one}\n" for one in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def publish(where: Path) -> None:
    """Write everything that is published under ``where``; the README and the schemas stand there already."""
    shutil.rmtree(where / str(FOLDERS), ignore_errors=True)
    digests = {str(size): _folders(size, where / str(size)) for size in (FOLDERS, DIGESTS)}
    shutil.rmtree(where / str(DIGESTS))
    _json(where / "table.json", {"v": VERSION, "cells": _cells(), "folders": digests})
    _json(where / "witness.json", witness())


def _folders(size: int, where: Path) -> dict[str, str]:
    found = {}
    with tempfile.TemporaryDirectory() as base:
        honest = Honest.write(Places.of(size), Path(base) / "record")
        for case in CASES:
            for situation in SITUATIONS:
                lay(case, situation, honest, where / case.name / situation)
                found[f"{case.name}/{situation}"] = digest(where / case.name / situation)
    return found


def _cells() -> list[dict[str, str]]:
    cells = []
    for case in CASES:
        for situation, verdict in zip(SITUATIONS, case.verdicts, strict=True):
            cell = {"case": case.name, "situation": situation, "what": case.what, "verdict": verdict}
            if situation == SITUATIONS[2]:
                cell["offline"] = case.offline
            if case.why and "accepted" in (verdict, cell.get("offline")):
                cell["why"] = case.why
            cells.append(cell)
    return cells


def witness() -> dict[str, object]:
    """Return the dialogues with a witness, as they are published."""
    told = [
        {"name": one.name, "what": one.what, "body": one.body.decode(), "status": one.status}
        | ({"says": one.says} if one.says else {})
        for one in dialogues.dialogues()
    ]
    known = {"log": LOG.vkey, "witness": WITNESSES[0].vkey, "state": dialogues.state()}
    return {"v": VERSION} | known | {"dialogues": told}


def _json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
