from __future__ import annotations

from pathlib import Path

from outrider.config import Home, add_repository, load_config
from outrider.daemon.repositories import Repositories


def test_a_repository_set_up_later_counts_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    known = Repositories(home, load_config(home))
    assert known("/repo") is None
    add_repository(home, "/repo", "coder", "observe")
    assert known("/repo/below") == ("coder", "observe")


def test_a_broken_file_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    home = Home(tmp_path)
    add_repository(home, "/repo", "coder")
    known = Repositories(home, load_config(home))
    home.config.write_text("[[")
    assert known("/repo") == ("coder", "enforce")
