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


def charter(install, code="note"):
    text = f"""
[charter]
name = "installs"
sponsor = "optional"
[may]
read = ["*"]
write = ["*"]
exec = ["*"]
connect = ["*"]
install = {json.dumps(install)}
opaque = "allow"
[code]
high = "{code}"
medium = "tell"
"""
    return ("installs", text)


def test_a_suspect_name_is_not_known_whatever_findings_come_to(make):
    world = make(charter="installs", charters=[charter(["pypi:known"])])
    host = world.host()
    refused = host.bash("pip install reqeusts")
    assert refused.verdict == "deny"
    assert "installs.may.install" in refused.reason
    assert "it is almost requests" in refused.reason
    assert [effect.flags for effect in last(world).effects if effect.verb == "install"] == [("suspect",)]
    assert host.bash("pip install requests").verdict == "silent"
    told = host.bash("pip install quaternion-toolbench")
    assert told.verdict == "silent"
    assert "not checked" in told.context


def test_only_listed_names_are_installed_where_a_charter_says_so(make):
    world = make(charter="installs", charters=[charter(["pypi:listed"])])
    host = world.host()
    assert host.bash("pip install requests .").verdict == "silent"
    refused = host.bash("pip install quaternion-toolbench")
    assert refused.verdict == "deny"
    assert "no list of names" in refused.reason


def test_a_charter_that_names_a_suspect_package_lets_it_be_installed(make):
    world = make(charter="installs", charters=[charter(["pypi:known", "pypi:reqeusts"])])
    assert world.host().bash("pip install reqeusts").verdict == "silent"


def test_a_list_that_a_command_names_is_read_and_each_of_its_packages_judged(world, host):
    names = world.repo / "names.txt"
    names.write_text("# what we need\nrequests[socks]==2.31.0\nflask\n")
    assert host.bash("pip install -r names.txt").verdict == "silent"
    said = {effect.value: effect.flags for effect in last(world).effects if effect.verb == "install"}
    assert said == {"pypi:requests": ("listed",), "pypi:flask": ("listed",)}
    names.write_text("requests\nreqeusts\n")
    assert "If requests is meant" in host.bash("python3 -m pip install -r names.txt").reason
    assert host.bash("printf 'numpyy\\n' > other.txt && uv pip install -r other.txt").verdict == "deny"


def test_a_list_that_cannot_be_read_is_said_to_be_not_checked(world, host):
    assert host.bash("pip install -r nowhere.txt").verdict == "silent"
    assert rules(world) == ["dependency.not-checked"]
    (world.repo / "names.txt").write_text("requests\n-r more.txt\n")
    assert host.bash("pip install -r names.txt").verdict == "silent"
    assert rules(world) == ["dependency.not-checked"]
    assert "pypi:?" in [effect.value for effect in last(world).effects]


def test_of_a_long_list_the_suspect_names_are_among_the_effects(world, host):
    names = [f"quaternion-toolbench-{number:03}" for number in range(200)]
    (world.repo / "names.txt").write_text("\n".join([*names, "reqeusts"]))
    assert host.bash("pip install -r names.txt").verdict == "deny"
    said = [effect.value for effect in last(world).effects if effect.verb == "install"]
    assert said[0] == "pypi:reqeusts"
    assert said[-1] == "pypi:?"
    assert len(said) < 60
