"""Compiles the native hook client and launcher into the wheel where there is a C compiler; else the wheel is pure.

``musl-gcc`` gives the smallest program, ``cc -static`` one that needs no loader (which costs half a millisecond a
spawn and listens to the environment), plain ``cc`` one that works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAMS = {
    Path("src/outrider/hook/outrider-hook"): (Path("src/outrider/hook/client.c"),),
    Path("src/outrider/confine/outrider-run"): (
        Path("src/outrider/confine/launch.c"),
        Path("src/outrider/confine/apply.c"),
        Path("src/outrider/confine/pass.c"),
        Path("src/outrider/confine/watch.c"),
    ),
}
"""What is compiled, and from what."""

WITHOUT = {
    "outrider-hook": "hooks will use the slower Python client",
    "outrider-run": "`outrider run` will not be there",
}
FLAGS = ("-std=c99", "-Os", "-Wall", "-Wextra")


def attempts() -> list[list[str]]:
    """Return the compiler commands to try, the best first."""
    found = [[path, "-static", "-s"] for name in ("musl-gcc",) if (path := shutil.which(name))]
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            found += [[path, "-static", "-s"], [path]]
            break
    return found


def compile_program(sources: list[Path], target: Path) -> str:
    """Compile one program.

    Returns:
        The command that did it, or the empty string where none could.
    """
    part = target.with_suffix(".part")
    for attempt in attempts():
        command = [*attempt, *FLAGS, *map(str, sources), "-o", str(part)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            part.chmod(0o755)
            part.replace(target)  # In one step: a hook may be running it at this moment.
            return " ".join(command)
    part.unlink(missing_ok=True)
    return ""


class NativeHookClient(BuildHookInterface):  # type: ignore[type-arg]
    """The build hook. See the module."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell the wheel that it now is one for this platform."""
        root = Path(self.root)
        native = [target for target, sources in PROGRAMS.items() if self._made(root / target, sources)]
        if not native:
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        if version != "editable":
            for target in native:
                build_data["force_include"][str(root / target)] = str(target.relative_to("src"))

    def _made(self, target: Path, sources: tuple[Path, ...]) -> bool:
        root = Path(self.root)
        how = "" if os.name != "posix" else compile_program([root / source for source in sources], target)
        if not how:
            target.unlink(missing_ok=True)  # One of another source or machine would be worse than none.
            self.app.display_warning(f"outrider: no C compiler makes {target.name} here: {WITHOUT[target.name]}")
            return False
        self.app.display_info(f"outrider: built the native {target.name}: {how}")
        return True
