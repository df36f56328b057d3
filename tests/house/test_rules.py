"""The house rules that no linter knows, held over every tracked file."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SRC = REPO / "src" / "outrider"
SOURCES = sorted(SRC.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in SRC.glob("*/__init__.py"))
TESTS = sorted((REPO / "tests").rglob("test_*.py"))

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "engine", "misc", "common"}
CATCH_ALL = {"gate/apply.py": 1, "hook/client.py": 1}
"""Where ``except Exception`` may stand, and how often: the gate's outer edge, and the hook client's main."""

PURE = ("charter", "effects", "detect", "flow", "events")
OPENERS = {"open", "print", "input", "eval", "exec", "__import__"}
COMPILES = "charter/program.py"
"""The one place that runs text as code: policies that it has itself translated from Cedar."""


def relative(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from ``def`` to the end, the docstring left out: saying what is true costs nothing."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def tracked() -> list[Path]:
    """Return every file that is committed or about to be, or skip where this is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [path for name in listed.stdout.split("\0") if name and (path := REPO / name).is_file()]


def test_no_file_is_longer_than_the_wall() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in SOURCES}
    too_long = [f"{path}: {length} lines" for path, length in lengths.items() if length > LONGEST_FILE]
    assert not too_long, "\n".join(too_long)


def test_every_function_fits_a_screen() -> None:
    too_long = [
        f"{relative(path)}:{function.lineno} {function.name}: {lines_of_code(function)}"
        for path in SOURCES
        for function in functions(path)
        if lines_of_code(function) > LONGEST_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [relative(path) for path in SOURCES if path.stem.strip("_") in EMPTY_NAMES] == []


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """True for a handler of every error that does not hand it on with a bare ``raise`` at its end."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}) for name in caught
    )
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise) and last.exc is None)


def test_only_the_two_outer_edges_catch_everything() -> None:
    found: dict[str, int] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and swallows_everything(node):
                name = path.relative_to(SRC).as_posix()
                found[name] = found.get(name, 0) + 1
    assert {name: count for name, count in found.items() if count > CATCH_ALL.get(name, 0)} == {}


# A character in brackets keeps each pattern from matching itself.
FORBIDDEN = {
    "a package registry's host": re.compile(
        r"\b(pypi[.]org|pythonhosted[.]org|npmjs[.]org|proxy[.]golang[.]org|crates[.]io|deb[.]debian[.]org|maven[.]apache[.]org)\b"
    ),
    "a workplace's absolute path": re.compile(r"/wor[k]/(main|shared|\.)|/roo[t]/\.(pyenv|cache|local)|/tmp/pla[n]\b"),
    "an issue's number": re.compile(r"(?i)\bissue\s*#\s*\d|\bsee\s+#\d"),
    "something left to do": re.compile(r"(#|//|/\*|<!--|--)\s*(TOD[O]|FIXM[E]|XX[X])\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what: str) -> None:
    pattern = FORBIDDEN[what]
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a binary file
        found += [
            f"{relative(path)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    assert not found, f"{what} is named in:\n" + "\n".join(found)


def test_architecture_names_every_room() -> None:
    text = (REPO / "ARCHITECTURE.md").read_text()
    assert [room for room in ROOMS if f"{room}/" not in text] == []


def test_every_room_with_code_has_tests_under_its_own_name() -> None:
    tested = {path.relative_to(REPO / "tests").parts[0] for path in TESTS}
    with_code = [room for room in ROOMS if len(list((SRC / room).rglob("*.py"))) > 1]
    untested = [room for room in with_code if room not in tested]
    assert not untested, " ".join(untested)


def test_tests_stand_under_the_name_of_a_room() -> None:
    beyond = {"house", "real", "redteam", "bench", "score", "tamper", "."}
    modules = {path.stem for path in SRC.glob("*.py")}
    folders = {path.relative_to(REPO / "tests").parent.as_posix().split("/")[0] for path in TESTS}
    assert folders - beyond - set(ROOMS) - modules == set()


def test_the_name_of_every_test_is_a_sentence() -> None:
    terse = [
        f"{relative(path)}:{function.lineno} {function.name}"
        for path in TESTS
        for function in functions(path)
        if function.name.startswith("test_") and len(function.name.split("_")) < 4
    ]
    assert not terse, "\n".join(terse)


def test_the_import_contracts_hold() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(SRC.parent), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_judging_opens_nothing_in_ways_that_import_contracts_cannot_see() -> None:
    found = []
    for path in (path for room in PURE for path in sorted((SRC / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            opens = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPENERS
            network = isinstance(node, ast.ImportFrom) and node.module in {"urllib.request", "urllib"}
            if network or (opens and not path.as_posix().endswith(COMPILES)):
                found.append(f"{relative(path)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def test_every_builtin_charter_parses() -> None:
    from outrider.charter.parse import parse

    files = sorted((REPO / "charters").glob("*.toml"))
    expected = {"base", "coder", "developer", "reviewer", "researcher", "ci", "ops", "unclaimed"}
    assert expected <= {path.stem for path in files}
    for path in files:
        assert parse(path.read_text(), source=path.name).name == path.stem


def test_no_builtin_charter_lets_a_call_through_because_nobody_decided() -> None:
    settings = {
        path.stem: tomllib.loads(path.read_text())["charter"].get("undecided", "deny")
        for path in (REPO / "charters").glob("*.toml")
    }
    assert {name for name, undecided in settings.items() if undecided != "deny"} == set()


def test_the_version_is_said_once() -> None:
    from outrider import __version__

    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    assert project.get("version", __version__) == __version__
    assert f"[{__version__}]" in (REPO / "CHANGELOG.md").read_text()
