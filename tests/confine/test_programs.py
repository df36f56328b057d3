"""What a command is lent so that it runs: its installation, its interpreter, the links on the way; never a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.confine.programs import file_alone, program_files


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ada"


def program(path: Path, text: str = "\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def lent(path: Path, home: Path, search: str = "/usr/bin:/bin") -> set[str]:
    return set(program_files(str(path), home=str(home), search=search))


def test_a_version_managers_shim_brings_the_managers_whole_root_and_its_interpreter(home: Path) -> None:
    shim = program(home / ".pyenv/shims/python3", "#!/bin/sh\nexec pyenv exec python3\n")
    assert {str(shim), str(home / ".pyenv"), "/bin/sh"} <= lent(shim, home)


def test_every_link_on_the_way_is_lent_as_it_is_written(home: Path) -> None:
    real = program(home / ".local/share/uv/python/cpython-3.12.5/bin/python3.12")
    (home / ".local/share/uv/python/cpython-3.12").symlink_to("cpython-3.12.5")
    link = home / "src/app/.venv/bin/python"
    link.parent.mkdir(parents=True)
    link.symlink_to(home / ".local/share/uv/python/cpython-3.12/bin/python3.12")
    python = home / ".local/share/uv/python"
    expected = {str(home / "src/app/.venv"), str(python / "cpython-3.12"), str(python / "cpython-3.12.5"), str(real)}
    assert expected <= lent(link, home)


def test_a_package_of_node_brings_its_neighbours_and_the_node_that_its_first_line_names(home: Path) -> None:
    node = program(home / ".nvm/versions/node/v20/bin/node")
    main = program(home / "tools/node_modules/@x/cli/main.js", "#!/usr/bin/env -S FORCE=1 node --quiet\n")
    link = home / "tools/node_modules/.bin/cli"
    link.parent.mkdir()
    link.symlink_to("../@x/cli/main.js")
    found = lent(link, home, search=f"{node.parent}:/usr/bin")
    assert {str(main), str(home / "tools/node_modules"), str(node), str(home / ".nvm/versions/node/v20")} <= found


@pytest.mark.parametrize("where", ["bin/tool", ".local/bin/tool", "shims/tool", "node_modules/.bin/tool"])
def test_a_home_is_part_of_no_installation_and_neither_is_what_is_above_it(home: Path, where: str) -> None:
    for top in (home, home.parent):
        found = lent(program(top / where), home)
        assert not found & {str(home), str(home.parent), str(home / ".local"), str(home.parent / ".local"), "/"}


def test_a_file_that_cannot_be_read_and_a_loop_of_links_bring_nothing_more(home: Path) -> None:
    home.mkdir(parents=True)
    loop = home / "loop"
    loop.symlink_to(loop)
    assert lent(loop, home) == {str(loop)}
    assert lent(home / "gone", home) == {str(home / "gone")}
    assert program_files("", home=str(home), search="") == file_alone("") == ()
