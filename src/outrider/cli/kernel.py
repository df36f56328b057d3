"""What this host's kernel can hold an agent of ``outrider run`` to, for ``outrider doctor``."""

from __future__ import annotations

import subprocess

from outrider.cli.finding import Finding, ok, warn
from outrider.confine.find import launcher
from outrider.errors import UnavailableError

_WAIT_S = 5
_SIGNALS = 6
"""Version of Landlock's interface that keeps signals inside (landlock(7))."""


def check() -> list[Finding]:
    """Ask the launcher what it can apply here, and return it as findings."""
    try:
        asked = [*launcher(), "--probe"]
    except UnavailableError as error:
        return [warn(f"`outrider run` is not there: {error}", error.fix)]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=_WAIT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return [warn(f"`outrider run` does not say what it can hold: {error}", "Install Outrider again.")]
    return findings(done.stdout)


def findings(said: str) -> list[Finding]:
    """Return what a launcher's answer, such as ``landlock=7 namespaces=1 seccomp=1 seen=1``, means for a person."""
    pairs = [word.partition("=") for word in said.split()]
    found = {name: int(number) for name, _, number in pairs if number.isdigit()}
    return [_landlock(found.get("landlock", 0)), _namespaces(found), _seccomp(found), _seen(found)]


def _landlock(version: int) -> Finding:
    if not version:
        return warn("no Landlock: `outrider run` cannot hold files", "Boot a kernel with Landlock in its lsm= list.")
    if version < _SIGNALS:
        why = f"Landlock {version}: files are held, but processes outside can be sent signals"
        return warn(why, "A kernel from 6.12 on holds signals too.")
    return ok(f"Landlock {version}: `outrider run` holds files, ports and signals")


def _namespaces(found: dict[str, int]) -> Finding:
    if found.get("namespaces"):
        return ok("user namespaces: `outrider run` gives a view of files and a network of its own")
    why = "no user namespaces: `outrider run` cannot close files inside of a repository, nor sockets of other programs"
    return warn(why, "Let users make them: kernel.unprivileged_userns_clone, or AppArmor's userns restriction.")


def _seccomp(found: dict[str, int]) -> Finding:
    if found.get("seccomp"):
        return ok("seccomp: `outrider run` filters system calls")
    return warn("no seccomp: `outrider run` cannot filter system calls", "Boot a kernel with CONFIG_SECCOMP_FILTER.")


def _seen(found: dict[str, int]) -> Finding:
    if found.get("seen"):
        return ok("seccomp notification: `outrider run` sees which programs and connections its processes ask for")
    why = "no seccomp notification: under `outrider run`, what processes do is not compared with what calls said"
    return warn(why, "Linux 5.5 or later has it; one tree has room for one listener, so not inside of another.")
