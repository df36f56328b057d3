"""Which coding agents are installed here, and what their version can do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.doors.claude_code import files
from outrider.doors.claude_code.installed import installations
from outrider.doors.claude_code.settings import ON_FAILURE_SINCE, supports_on_failure
from outrider.errors import BadInputError, UnavailableError

if TYPE_CHECKING:
    from outrider.config import Home

_PATIENCE = 10.0
_USUAL = (".claude/local/claude", ".local/bin/claude", ".npm-global/bin/claude")


class Claude(msgspec.Struct, frozen=True, kw_only=True):
    """Claude Code as it is installed here.

    Attributes:
        path: The program, empty where only its directory was found.
        version: What it says of itself, empty where it does not answer.
        on_failure: Whether it can be told that a failed hook blocks.
    """

    path: str
    version: str
    on_failure: bool

    @property
    def told(self) -> str:
        """What a person is told it is."""
        return f"Claude Code {self.version.split(' ')[0]}" if self.version else "Claude Code of an unknown version"


SINCE = ".".join(str(part) for part in ON_FAILURE_SINCE)
CANNOT_FAIL_CLOSED = (
    f"CANNOT FAIL CLOSED: this version lets calls through if the hook itself fails; {SINCE} and later block."
)


def find_claude(explicit: Path | None = None) -> Claude | None:
    """Return the Claude Code that is installed here, or None.

    Args:
        explicit: Its program, if the user named it.

    Raises:
        UnavailableError: The named program is not there.
    """
    if explicit is not None:
        found = shutil.which(str(explicit.absolute()))
        if found is None:
            raise UnavailableError(f"{explicit} is not a program", fix="Give the path of the program `claude`.")
    else:
        usual = (str(Path.home() / name) for name in _USUAL)
        found = shutil.which("claude") or next((path for path in usual if os.access(path, os.X_OK)), None)
    if found is None:
        return Claude(path="", version="", on_failure=False) if user_settings().parent.is_dir() else None
    version = _version(found)
    return Claude(path=found, version=version, on_failure=supports_on_failure(version))


def named(home: Home) -> Path | None:
    """Return the program that the user named when a repository was set up, if it is still there."""
    try:
        programs = [Path(one.program) for one in installations(home) if one.program]
    except BadInputError:
        return None  # `status` says so elsewhere.
    return next((path for path in programs if os.access(path, os.X_OK)), None)


def user_settings() -> Path:
    """Return Claude Code's settings file of this user."""
    return files.user_settings(Path.home(), os.environ.get("CLAUDE_CONFIG_DIR"))


def settings_read_in(repository: Path | None) -> list[Path]:
    """Return every settings file that the host reads when it works in a repository, the strongest first."""
    here = [files.local_settings(repository), files.shared_settings(repository)] if repository else []
    return [*files.managed_settings(), *here, user_settings()]


def _version(program: str) -> str:
    """Ask the program for its version; what does not answer within ten seconds has none."""
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:100] if lines and done.returncode == 0 else ""
