"""What an install or a manifest adds is judged by name, with what to install instead."""

from __future__ import annotations

import json

import pytest

from outrider.events.record import CallDecided


@pytest.fixture
def host(world):
    return world.host()


def last(world):
    return world.events(CallDecided)[-1]


def rules(world):
    return [finding.rule for finding in last(world).findings]


def test_a_mistyped_package_is_refused_with_the_right_name_and_the_right_one_passes(world, host):
    refused = host.bash("pip install reqeusts")
    assert refused.verdict == "deny"
    assert "If requests is meant" in refused.reason
    assert host.bash("pip install requests pytest").verdict == "silent"
    assert rules(world) == []


def test_the_name_of_a_module_is_refused_with_its_package(world, host):
    refused = host.bash("uv add cv2")
    assert refused.verdict == "deny"
    assert "opencv-python" in refused.reason


def test_a_name_of_which_nothing_is_known_passes_and_is_recorded_as_not_checked(world, host):
    assert host.bash("npm install quaternion-toolbench").verdict == "silent"
    assert rules(world) == ["dependency.not-checked"]


def test_a_manifest_is_judged_for_what_a_write_or_an_edit_adds(world, host):
    path = world.repo / "package.json"
    path.write_text(json.dumps({"dependencies": {"lodahs": "1"}}, indent=1))
    asked = {"file_path": str(path), "old_string": '"lodahs": "1"', "new_string": '"lodahs": "1",\n  "express": "4"'}
    assert host.ask("Edit", asked).verdict == "silent"
    asked["new_string"] = asked["new_string"].replace("express", "expresss")
    assert host.ask("Edit", asked).verdict == "deny"
    assert rules(world) == ["dependency.typosquat"]
    text = (world.repo / "requirements.txt", "numpyy\n")
    assert host.ask("Write", {"file_path": str(text[0]), "content": text[1]}).verdict == "deny"


def test_a_mention_of_a_name_installs_nothing(world, host):
    assert host.bash("echo pip install reqeusts; grep -r reqeusts .").verdict == "silent"
    assert rules(world) == []
