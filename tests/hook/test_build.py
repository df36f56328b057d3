"""The native client comes with the package: compiled by the build hook, found at run time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.hook import find

ROOT = Path(__file__).parents[2]


@pytest.fixture
def build_hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class App:
    """Collects what the build says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def display_info(self, message: str) -> None:
        self.said.append(message)

    display_warning = display_info


@pytest.fixture
def tree(tmp_path) -> Path:
    parts = ("confine/launch.c", "confine/apply.c", "confine/pass.c", "confine/watch.c", "confine/launch.h")
    for name in ("hook/client.c", *parts):
        path = tmp_path / "src/outrider" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / "src/outrider" / name).read_bytes())
    return tmp_path


def build(build_hook, tree: Path, version: str) -> tuple[dict, list[str]]:
    app = App()
    hook = build_hook.NativeHookClient(str(tree), {}, None, None, str(tree), "wheel", app)
    data: dict = {"pure_python": True, "force_include": {}}
    hook.initialize(version, data)
    return data, app.said


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_where_there_is_a_compiler_the_wheel_carries_the_client(build_hook, tree, version):
    if not build_hook.attempts():
        pytest.skip("no C compiler on this machine")
    data, said = build(build_hook, tree, version)
    client = tree / "src/outrider/hook/outrider-hook"
    assert os.access(client, os.X_OK)
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-")
    carried = {
        str(tree / "src" / name): name for name in ("outrider/hook/outrider-hook", "outrider/confine/outrider-run")
    }
    assert data["force_include"] == (carried if version == "standard" else {})
    assert "native" in said[0]
    done = subprocess.run([str(client)], input=b"", capture_output=True, timeout=30, check=False)
    assert done.returncode == 2


def test_where_there_is_none_the_wheel_is_pure_and_says_so(build_hook, tree, monkeypatch):
    stale = tree / "src/outrider/hook/outrider-hook"
    stale.write_text("of another machine")
    monkeypatch.setattr(build_hook, "attempts", list)
    data, said = build(build_hook, tree, "standard")
    assert data == {"pure_python": True, "force_include": {}}
    assert "Python client" in said[0]
    assert not stale.exists()


def test_a_compiler_that_fails_is_as_good_as_none(build_hook, tree, monkeypatch):
    monkeypatch.setattr(build_hook, "attempts", lambda: [["false"], ["false"]])
    data, _ = build(build_hook, tree, "standard")
    assert data["pure_python"] is True
    assert not list(tree.glob("**/*.part"))


def test_a_compiler_that_cannot_link_statically_is_tried_without(build_hook, tree, monkeypatch):
    if not build_hook.attempts():
        pytest.skip("no C compiler on this machine")
    plain = [build_hook.attempts()[-1][0]]
    monkeypatch.setattr(build_hook, "attempts", lambda: [["false", "-static"], plain])
    data, _ = build(build_hook, tree, "standard")
    assert data["pure_python"] is False


def test_the_native_client_is_preferred_where_it_was_built(tmp_path, monkeypatch):
    native = tmp_path / "outrider-hook"
    native.write_text("#!/bin/sh\n")
    native.chmod(0o755)
    monkeypatch.setattr(find, "NATIVE", native)
    assert find.client() == [str(native)]


def test_the_python_client_is_run_isolated_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "NATIVE", tmp_path / "outrider-hook")
    assert find.client() == [sys.executable, "-I", "-S", str(ROOT / "src/outrider/hook/client.py")]
