"""Secrets: files that hold one and files that nearly do, and what fires in ordinary code of this machine."""

from __future__ import annotations

import base64
import json
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from outrider.detect.secrets import secrets
from outrider.events.call import Finding
from score.row import Row, Wrong, missing

SECTION = "secrets"
_KEY = b"score"
_MAX_FILES = 1_500
_MAX_BYTES = 400_000
_CODE = {".py", ".go", ".js", ".ts", ".json", ".mjs", ".cjs"}


def measure(corpora: Path) -> list[Row]:
    """Score the secrets detector. A finding of low confidence is no flag: it is redacted and nothing else."""
    rows = [_ordinary()]
    leaks = corpora / "secrets" / "fake-leaks.jsonl"
    if not leaks.is_file():
        return [missing(SECTION, "files with a secret and near misses", f"no {leaks.name}"), *rows]
    return [*_leaks(leaks), *rows]


def _flags(text: str, path: str) -> list[Finding]:
    return [one for one in secrets(text, "file", _KEY, path=path) if one.confidence != "low"]


def _leaks(leaks: Path) -> list[Row]:
    counts = {0: 0, 1: 0}
    flagged = {0: 0, 1: 0}
    wrong: dict[int, list[Wrong]] = {0: [], 1: []}
    for line in leaks.read_text("utf-8").splitlines():
        row = json.loads(line)
        label = int(row["label"])
        found = _flags(base64.b64decode(row["b64"]).decode("utf-8", "replace"), row["path"])
        counts[label] += 1
        flagged[label] += bool(found)
        if bool(found) != bool(label):
            wrong[label].append(
                Wrong(
                    id=row["path"],
                    family=row["path"].split("/")[0],
                    said="flag" if found else "nothing",
                    wanted="nothing" if found else "flag",
                    why=", ".join(sorted({one.rule for one in found})),
                )
            )
    found_right, false = flagged[1], flagged[0]
    f1 = round(1000 * 2 * found_right / (counts[1] + found_right + false))
    note = "2 TP / (2 TP + FP + FN), in thousandths; the best tool measured beside had 0.627"
    return [
        Row(section=SECTION, what="leaks, F1", hit=f1, of=1000, at_least=0.80, note=note),
        Row(section=SECTION, what="files with a secret, flagged", hit=found_right, of=counts[1], wrong=tuple(wrong[1])),
        Row(section=SECTION, what="near misses, flagged", hit=false, of=counts[0], wrong=tuple(wrong[0])),
    ]


def _ordinary() -> Row:
    lines = 0
    wrong: list[Wrong] = []
    for folder in _folders():
        for path in _files(folder):
            text = path.read_text("utf-8", "replace")
            lines += text.count("\n") + 1
            where = str(path.relative_to(folder))
            wrong += [
                Wrong(
                    id=f"{where}:{text.count(chr(10), 0, one.start) + 1}",
                    family=folder.name,
                    said="flag",
                    wanted="nothing",
                    why=one.rule,
                )
                for one in _flags(text, where)
            ]
    return Row(
        section=SECTION,
        what="lines of ordinary code, flagged",
        hit=len(wrong),
        of=lines,
        at_most=0.001,
        note="Python's standard library and, where they are, npm's modules and Go's own source",
        wrong=tuple(wrong),
    )


def _folders() -> Iterator[Path]:
    yield Path(sysconfig.get_path("stdlib"))
    npm, go = shutil.which("npm"), shutil.which("go")
    if npm:
        yield Path(npm).resolve().parents[1]
    if go:
        yield Path(go).resolve().parents[1] / "src"


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix in _CODE and path.is_file() and path.stat().st_size <= _MAX_BYTES:
            yield path
            count += 1
            if count >= _MAX_FILES:
                return
