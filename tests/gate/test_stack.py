"""An agent is taught what its repository calls for, and no more than it can keep in mind."""

from __future__ import annotations

import json

import pytest
from tests.gate.world import World

from outrider.gate.stack import MOST_BYTES, MOST_LESSONS, lessons, stack, taught


def test_frameworks_are_found_in_manifests_and_languages_by_their_files(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["Django>=5", "requests"]\n')
    (tmp_path / "web").mkdir()
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"react": "19", "express-validator": "7"}}))
    assert stack(str(tmp_path)) == ("django", "react", "python", "javascript")


def test_a_package_whose_name_holds_anothers_is_not_that_one(tmp_path):
    (tmp_path / "requirements.txt").write_text("flask-unsign\nmy-django\nfastapi_utils\n")
    assert stack(str(tmp_path)) == ("python",)


def test_workflows_are_yaml_in_their_own_place(tmp_path):
    (tmp_path / "mkdocs.yml").write_text("")
    assert stack(str(tmp_path)) == ()
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "ci.yml").write_text("")
    assert stack(str(tmp_path)) == ("actions",)


@pytest.mark.parametrize("repository", ["", "relative", "/nonexistent"])
def test_where_nothing_can_be_seen_nothing_is_taught(repository):
    assert stack(repository) == ()
    assert taught(()) == []


def test_a_manifest_that_is_too_large_or_no_text_is_passed_over(tmp_path):
    (tmp_path / "package.json").write_bytes(b"\xff\xfe react " * MOST_BYTES)
    assert stack(str(tmp_path)) == ("javascript",)


def test_a_stack_of_everything_is_still_ten_lines_of_advice_frameworks_first():
    lines = taught(one.part for one in lessons())
    assert len(lines) == MOST_LESSONS
    assert lines[0].startswith("Django")
    assert len(set(lines)) == len(lines)


def test_every_lesson_is_one_line_that_a_model_can_keep(tmp_path):
    for one in lessons():
        assert one.names or (one.manifests and one.words), one.part
        for line in one.teach:
            assert "\n" not in line
            assert len(line) <= 260, line


def test_an_agent_hears_its_charter_and_the_lessons_when_it_starts(make):
    world: World = make()
    (world.repo / "app.py").write_text("")
    said = world.host().start().context
    assert "charter `coder`" in said
    assert "shell=True" in said
    assert len(said.splitlines()) <= 40 + MOST_LESSONS
