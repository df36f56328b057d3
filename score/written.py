"""Code as it is written, against sets of safe and unsafe code that a user fetches: CWEval and OWASP BenchmarkPython.

Nothing of these sets is part of the project. ``CODE_SETS`` names a folder in which they lie under the names of their
repositories, ``CWEval`` and ``BenchmarkPython``; a set that is not there is not measured. A file counts as flagged if a
rule of everyday work finds a weakness of the right class in it, whatever else it finds.
"""

from __future__ import annotations

import ast
import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from outrider.detect.code.rule import everything
from outrider.detect.code.scan import scan_code
from score.row import Row, Wrong, missing

_SAME: Final[dict[int, frozenset[int]]] = {
    20: frozenset({20, 601, 918, 22}), 22: frozenset({22, 73, 23}), 78: frozenset({77, 78, 88}),
    94: frozenset({94, 95}), 95: frozenset({94, 95}), 326: frozenset({326, 327}),
    327: frozenset({326, 327, 328, 916}), 328: frozenset({327, 328, 916}), 329: frozenset({329, 1204}),
    330: frozenset({330, 338}), 338: frozenset({330, 338}), 400: frozenset({400, 770, 1333}),
    614: frozenset({614, 1004}), 760: frozenset({760, 916}), 798: frozenset({321, 798}), 943: frozenset({89, 943}),
    1333: frozenset({400, 1333}), 79: frozenset({79, 80}),
}  # fmt: skip
"""Weaknesses of one class: the wanted one, and those that MITRE's catalogue puts above, below or beside it."""

_CWEVAL: Final = (("py", 0.50, 0.08), ("js", 0.40, 0.05), ("go", 0.40, 0.05), ("c", None, None))


class File(NamedTuple):
    """One file of a set: its name, its text, the weakness, and whether that is in it."""

    name: str
    path: str
    text: str
    weakness: int
    unsafe: bool


def measure(_corpora: Path) -> list[Row]:
    """Return the figures about code, for the sets that are there."""
    folder = os.environ.get("CODE_SETS", "")
    rows = []
    for ending, least, most in _CWEVAL:
        files = list(_cweval(Path(folder) / "CWEval" / "benchmark" / "core" / ending, ending)) if folder else []
        rows += _shares(f"CWEval, {ending}", files, least, most)
    files = list(_owasp(Path(folder) / "BenchmarkPython")) if folder else []
    rows += _shares("OWASP BenchmarkPython", files, None, None)
    if files:
        apart = 100 * (rows[-2].share - rows[-1].share)
        note = f"everyday rules; {apart:.1f} points between unsafe and safe files flagged, 30 wanted"
        rows[-2] = msgspec.structs.replace(rows[-2], note=note)
    return rows


def _shares(name: str, files: list[File], least: float | None, most: float | None) -> list[Row]:
    if not files:
        why = "fetch the set and name its folder in CODE_SETS"
        return [missing("code", f"{name}: unsafe, flagged", why), missing("code", f"{name}: safe, flagged", why)]
    bad = [one for one in files if one.unsafe]
    good = [one for one in files if not one.unsafe]
    return [
        _share(f"{name}: unsafe, flagged", bad, at_least=least, at_most=None),
        _share(f"{name}: safe, flagged", good, at_least=None, at_most=most),
    ]


def _share(what: str, files: Iterable[File], *, at_least: float | None, at_most: float | None) -> Row:
    classes = {rule.id: rule.cwe for rule in everything()}
    hit, count, wrong = 0, 0, []
    for one in files:
        found = {finding.rule for finding in scan_code(one.text, "file", path=one.path).findings}
        wanted = _SAME.get(one.weakness, frozenset({one.weakness}))
        flagged = any(wanted.intersection(classes[rule]) for rule in found)
        count += 1
        hit += flagged
        if flagged != one.unsafe:
            said = "flagged" if flagged else "passed"
            wrong.append(
                Wrong(id=one.name, family=f"CWE-{one.weakness}", said=said,
                      wanted="flagged" if one.unsafe else "passed", why=", ".join(sorted(found)))
            )  # fmt: skip
    return Row(section="code", what=what, hit=hit, of=count, at_least=at_least, at_most=at_most, wrong=tuple(wrong))


def _cweval(folder: Path, ending: str) -> Iterator[File]:
    for safe in sorted(folder.glob(f"*_task.{ending}")):
        weakness = int(safe.name.split("_")[1])
        unsafe = safe.with_name(safe.name.replace("_task.", "_unsafe."))
        text = unsafe.read_text("utf-8") if unsafe.is_file() else _unsafe_functions(safe)
        if text:
            yield File(unsafe.name, f"app.{ending}", text, weakness, unsafe=True)
            yield File(safe.name, f"app.{ending}", safe.read_text("utf-8"), weakness, unsafe=False)


def _unsafe_functions(safe: Path) -> str:
    """Return the unsafe variants of a Python task, which stand as functions in its test."""
    test = safe.with_name(safe.name.replace("_task.", "_test."))
    if not test.is_file():
        return ""
    source = test.read_text("utf-8")
    body = ast.parse(source).body
    imports = [one for one in body if isinstance(one, ast.Import)]
    bad = [one for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name.find("unsafe") > 0]
    bad = [one for one in bad if not one.name.startswith(("test_", "_test"))]
    parts = [ast.get_source_segment(source, one) or "" for one in (*imports, *bad)]
    return "\n\n".join(parts) if bad else ""


def _owasp(folder: Path) -> Iterator[File]:
    for results in sorted(folder.glob("expectedresults-*.csv"))[:1]:
        with results.open(encoding="utf-8") as file:
            for row in csv.reader(file):
                source = folder / "testcode" / f"{row[0]}.py"
                if row and source.is_file():
                    yield File(row[0], "testcode.py", source.read_text("utf-8"), int(row[3]), unsafe=row[2] == "true")
