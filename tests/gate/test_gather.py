from __future__ import annotations

import os

import pytest

from outrider.events.call import Want
from outrider.gate.gather import MAX_CONTENT, MAX_WANTS, gather, look


def test_a_link_leads_to_its_target_and_the_target_is_named(tmp_path):
    (tmp_path / "key").write_text("k")
    (tmp_path / "x").symlink_to(tmp_path / "key")
    fact = look(Want(path=str(tmp_path / "x")))
    assert (fact.state, fact.real) == ("file", str(tmp_path / "key"))


def test_a_loop_of_links_cannot_be_resolved(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "a/below", "b/../a"):
        fact = look(Want(path=str(tmp_path / name)))
        assert (fact.state, fact.real) == ("unresolvable", "")


def test_a_dangling_link_leads_to_what_writing_to_it_would_make(tmp_path):
    (tmp_path / "x").symlink_to(tmp_path / "not" / "there")
    fact = look(Want(path=str(tmp_path / "x")))
    assert (fact.state, fact.real) == ("missing", str(tmp_path / "not" / "there"))


def test_a_missing_path_below_a_link_is_resolved_as_far_as_it_exists(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / "real")
    assert look(Want(path=str(tmp_path / "x" / "new"))).real == str(tmp_path / "real" / "new")


def test_dots_behind_a_link_are_the_links_targets_parents(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "x").symlink_to(tmp_path / "deep" / "er")
    assert look(Want(path=f"{tmp_path}/x/../y")).real == str(tmp_path / "deep" / "y")


def test_a_path_through_a_file_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    assert look(Want(path=str(tmp_path / "file" / "below"))).state == "missing"


@pytest.mark.parametrize(
    "path", ["relative", "", "/a\0b", "/" + "x" * 5000, "/proc/self/cwd/.ssh/id_rsa", "/proc/thread-self/cwd"]
)
def test_what_means_nothing_or_something_else_to_us_cannot_be_resolved(path):
    assert look(Want(path=path)).state == "unresolvable"


def test_case_is_kept_as_the_disk_has_it(tmp_path):
    (tmp_path / "Key").write_text("")
    assert look(Want(path=str(tmp_path / "KEY"))).state == "missing"


def test_content_comes_whole_or_not_at_all(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert look(Want(path=str(path), content_limit=5)).content == b"12345"
    fact = look(Want(path=str(path), content_limit=4))
    assert (fact.content, fact.digest) == (None, "")
    with path.open("wb") as file:
        file.truncate(MAX_CONTENT + 1)
    assert look(Want(path=str(path), content_limit=1 << 40)).content is None


def test_a_pipe_does_not_hold_us(tmp_path):
    os.mkfifo(tmp_path / "p")
    assert look(Want(path=str(tmp_path / "p"), content_limit=10)).state == "other"


def test_more_paths_than_we_look_at_are_not_resolved(tmp_path):
    facts = gather(Want(path=str(tmp_path / str(n))) for n in range(MAX_WANTS + 5))
    assert len(facts) == MAX_WANTS + 5
    assert sum(1 for fact in facts.values() if fact.state == "unresolvable") == 5


def test_every_path_of_a_directory_is_told_apart(tmp_path):
    assert look(Want(path=str(tmp_path))).state == "dir"
