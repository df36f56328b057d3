"""The table of other programs' records: what is not installed is said, and what is installed tells what it sees."""

from __future__ import annotations

import importlib.metadata

import pytest
from tamper.rivals import CHANGES, RIVALS, Rival, main, play


def installed(kind: type[Rival]) -> bool:
    try:
        importlib.metadata.version(kind.package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.parametrize("kind", RIVALS, ids=lambda kind: kind.package)
def test_a_change_that_needs_a_key_is_not_seen_by_whoever_trusts_that_key_alone(kind: type[Rival]) -> None:
    if not installed(kind):
        pytest.skip(f"{kind.package} is not installed here")
    seen = play(kind)
    assert set(seen) == set(CHANGES)
    assert not any(with_key for _, with_key in seen.values())


def test_what_is_not_installed_is_named_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    said = capsys.readouterr().out
    assert all(kind.package in said for kind in RIVALS)
    absent = [kind.package for kind in RIVALS if not installed(kind)]
    assert all(f"{package}: skipped, it is not installed here" in said for package in absent)
