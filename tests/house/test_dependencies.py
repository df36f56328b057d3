"""What the project stands on: each dependency has its reason, its pin and its hashes, and no lock names an address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
LOCKS = sorted((REPO / "requirements").glob("*.txt"))
PROJECT: dict[str, Any] = tomllib.loads((REPO / "pyproject.toml").read_text())


def normal(requirement: str) -> str:
    """Return the normalised project name of a requirement (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared(group: str = "") -> set[str]:
    """Return the names that pyproject declares to run, or in one dependency group."""
    listed = PROJECT["dependency-groups"][group] if group else PROJECT["project"]["dependencies"]
    return {normal(entry) for entry in listed if isinstance(entry, str)}


EVERYTHING = sorted(declared() | declared("build") | declared("dev"))


def pinned(lock: Path) -> dict[str, str]:
    """Return name and whole entry of every pin in a lock."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)
    return {normal(entry): entry for entry in entries if entry.strip() and not entry.startswith("#")}


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_dependency_has_a_sentence(name: str) -> None:
    rows = [line for line in (REPO / "docs" / "dependencies.md").read_text().splitlines() if f"`{name}`" in line]
    assert rows, f"docs/dependencies.md says nothing about {name}"
    assert any(len(row.split()) > 6 for row in rows), f"docs/dependencies.md names {name} and gives no reason"


def test_no_sentence_is_left_behind_by_a_dependency_that_went() -> None:
    rows = re.findall(r"(?m)^\| `([a-z0-9-]+)` \|", (REPO / "docs" / "dependencies.md").read_text())
    assert set(rows) - set(EVERYTHING) == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_carries_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_is_exact_and_hashed(lock: Path) -> None:
    pins = pinned(lock)
    assert pins
    assert [name for name, entry in pins.items() if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(("lock", "group"), [("run", ""), ("build", "build"), ("dev", "dev"), ("dev", "")])
def test_what_is_declared_is_pinned(lock: str, group: str) -> None:
    assert declared(group) - set(pinned(REPO / "requirements" / f"{lock}.txt")) == set()


def test_the_locks_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, entry in pinned(lock).items():
            versions.setdefault(name, set()).add(entry.split()[0])
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_there_is_no_lock_that_carries_download_addresses() -> None:
    assert [name for name in ("uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock") if (REPO / name).exists()] == []
