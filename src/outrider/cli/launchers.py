"""The small programs that settings files point at, and the daemon as a service of the user's."""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import outrider
from outrider.doors.claude_code import files
from outrider.errors import BadInputError, UnavailableError
from outrider.hook.find import NATIVE, client

if TYPE_CHECKING:
    from outrider.config import Home

NAME = "outrider-hook"
_SOCKET_MAX = 108 if sys.platform == "linux" else 104
_PACKAGE = Path(outrider.__file__).resolve().parent
UNIT = "outrider.service"


def daemon(home: Home) -> Path:
    """Return the program that starts the daemon of this home; a hook runs it when nobody listens."""
    return home.bin / "outrider-daemon"


def hook(home: Home) -> Path:
    """Return the program behind the name that a shared settings file calls."""
    return home.bin / NAME


def daemon_text(home: Home) -> str:
    """Return the launcher of the daemon: what it inherits is not for an agent to choose."""
    env = {"HOME": str(Path.home()), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    if str(_PACKAGE.parent) not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        env["PYTHONPATH"] = str(_PACKAGE.parent)  # A checkout, which the interpreter does not find by itself.
    words = ["env", "-i", *(f"{name}={value}" for name, value in env.items())]
    words += [sys.executable, "-P", "-m", "outrider.daemon", str(home.root)]
    return (
        f"#!/bin/sh\n# Written by `outrider init`: starts the daemon of {_one_line(home)}.\nexec {shlex.join(words)}\n"
    )


def hook_text(home: Home) -> str:
    """Return the launcher behind the shared name: it adds what differs from user to user."""
    places = ["--socket", str(home.socket), "--spool", str(home.spool), "--start", str(daemon(home))]
    return (
        f"#!/bin/sh\n# Written by `outrider init --shared`: asks the daemon of {_one_line(home)}.\n"
        f'exec {shlex.join(client())} "$@" {shlex.join(places)}\n'
    )


def command(home: Home, undecided: str) -> list[str]:
    """Return the hook's command line for this user's own settings, without ``--event``."""
    return [
        *client(),
        "--door", "claude_code",
        "--socket", str(home.socket),
        "--spool", str(home.spool),
        "--undecided", undecided,
        "--start", str(daemon(home)),
    ]  # fmt: skip


def shared_command(undecided: str) -> list[str]:
    """Return the hook's command line for settings that colleagues share: a name that each has on PATH."""
    return [NAME, "--door", "claude_code", "--undecided", undecided]


def check(home: Home) -> None:
    """Refuse a home that hooks could not reach.

    Raises:
        BadInputError: The path of its socket is too long for this system.
    """
    if len(str(home.socket).encode()) >= _SOCKET_MAX:
        raise BadInputError(
            f"{home.socket} is too long for a socket's path", fix="Set OUTRIDER_HOME to a shorter path."
        )


def unsteady(repository: Path) -> str:
    """Say why the hook client may not stay where it is; empty if nothing speaks against it."""
    for place in {Path(client()[0]), Path(client()[-1]), _PACKAGE}:
        if place.is_relative_to(repository):
            return f"{place} is inside this repository, where agents write: install Outrider outside of it"
        if any(place.is_relative_to(tmp) for tmp in ("/tmp", "/var/tmp", "/dev/shm")):  # noqa: S108 - not used as one
            return f"{place} is in a temporary directory, and the hooks fail once it is cleared"
        if "archive-v0" in place.parts:
            return f"{place} is in a cache of uvx, and the hooks fail once it is cleared: use `uv tool install`"
    return ""


def is_native() -> bool:
    """Say whether hooks run the native client."""
    return client() == [str(NATIVE)]


def write(home: Home, *, shared: bool) -> None:
    """Write the launchers, 0700.

    Raises:
        UnavailableError: They cannot be written.
    """
    files.write(daemon(home), daemon_text(home).encode(), 0o700)
    if shared or hook(home).exists():
        files.write(hook(home), hook_text(home).encode(), 0o700)


def unit_path() -> Path:
    """Return where systemd looks for this user's service."""
    return Path.home() / ".config" / "systemd" / "user" / UNIT


def unit_text(home: Home) -> str:
    """Return the service: systemd.service(5)."""
    start = str(daemon(home)).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return (
        "# Written by `outrider up --service`.\n"
        "[Unit]\nDescription=Outrider: judges and records what coding agents do\n\n"
        f'[Service]\nExecStart="{start}"\nRestart=on-failure\nRestartSec=1\nUMask=0077\n\n'
        "[Install]\nWantedBy=default.target\n"
    )


def systemctl(*arguments: str) -> None:
    """Run ``systemctl --user``.

    Raises:
        UnavailableError: It is not there, does not answer, or says no.
    """
    fix = "Without it, hooks start the daemon by themselves; or run `outrider up --foreground` under your own service."
    try:
        done = subprocess.run(
            ["systemctl", "--user", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("systemd does not run user services here", fix=fix) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UnavailableError(f"systemctl --user {arguments[0]}: {said[0] if said else 'failed'}", fix=fix)


def _one_line(home: Home) -> str:
    return "".join(char if char.isprintable() else "?" for char in str(home.root))
