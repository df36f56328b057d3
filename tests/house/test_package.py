"""The wheel: what is in it, and that it holds everything that an installed Outrider reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from the tracked files alone, so that nothing left lying about gets in."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in listed.stdout.split("\0"):
        if name and not name.startswith("tests/") and (REPO / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, tree / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_and_every_data_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "src/outrider"], cwd=REPO, capture_output=True, text=True, check=True
    )
    expected = {name.removeprefix("src/") for name in tracked.stdout.split("\0") if name and (REPO / name).is_file()}
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_holds_the_builtin_charters(wheel: zipfile.ZipFile) -> None:
    expected = {f"outrider/charters/{path.name}" for path in (REPO / "charters").glob("*.toml")}
    assert expected
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_carries_the_native_hook_client_as_a_program_where_it_could_be_built(wheel: zipfile.ZipFile) -> None:
    if not any(map(shutil.which, ("musl-gcc", "cc", "gcc", "clang"))):
        pytest.skip("no C compiler, so there is no native client to carry")
    info = wheel.getinfo("outrider/hook/outrider-hook")
    assert info.external_attr >> 16 & 0o111 == 0o111
    assert wheel.read(info).startswith((b"\x7fELF", b"\xcf\xfa\xed\xfe"))
    assert "-py3-none-" in str(wheel.filename)
    assert "any.whl" not in str(wheel.filename)


def test_the_wheel_holds_the_licence_and_the_command_and_no_tests(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    [points] = [name for name in names if name.endswith("entry_points.txt")]
    assert "outrider = outrider.__main__:main" in wheel.read(points).decode()
    [licence] = [name for name in names if name.endswith("/LICENSE")]
    assert wheel.read(licence) == (REPO / "LICENSE").read_bytes()
    assert not [name for name in names if name.startswith("tests")]
