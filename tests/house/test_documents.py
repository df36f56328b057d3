"""The documents tell the truth about the tree: what they link to and name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = [path for path in sorted([*REPO.glob("*.md"), *REPO.glob("docs/**/*.md")]) if path.is_file()]
SRC = REPO / "src" / "outrider"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as repository hosts make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", path.read_text())
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPO).as_posix())
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        assert path.exists(), f"{document.name} links to {target}"
        assert not anchor or anchor in anchors(path), f"{document.name} links to {target}"


def test_where_architecture_says_to_start_reading_there_is_a_file() -> None:
    rows = re.findall(r"(?m)^\| (?:apart|\d) \| `(\w+)/` \| .* \| (.*) \|$", (REPO / "ARCHITECTURE.md").read_text())
    assert len(rows) > 10
    named = [SRC / room / name for room, cell in rows for name in re.findall(r"`([\w.]+)`", cell)]
    assert [str(path.relative_to(SRC)) for path in named if not path.exists()] == []


def test_every_decision_is_listed_and_numbered_in_a_row() -> None:
    pages = sorted(path.name for path in (REPO / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    index = (REPO / "docs" / "adr" / "README.md").read_text()
    assert [name for name in pages if f"({name})" not in index] == []
    for name in pages:
        title = (REPO / "docs" / "adr" / name).read_text().splitlines()[0]
        assert title.startswith(f"# {int(name[:4])}. ")
