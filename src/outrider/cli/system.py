"""What a system installation is: a user of its own, directories, a service, and hooks that no user can take out.

Every step is data, so that what is shown beforehand is what is done. Nothing here asks or prints.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

import outrider
from outrider.config import BUILTIN_CHARTERS, Config, Daemon, Home, Mode, Repository, render_config
from outrider.doors.claude_code import files, settings
from outrider.errors import RefusedError, UnavailableError
from outrider.hook.find import SYSTEM, client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USER: Final = "outrider"
HOME: Final = Home(Path("/var/lib/outrider"))
CLIENT: Final = SYSTEM
UNIT: Final = Path("/etc/systemd/system/outrider.service")
HOOKS: Final = files.MANAGED / "managed-settings.d" / "50-outrider.json"
_PACKAGE: Final = Path(outrider.__file__).resolve().parent

Does = Literal["run", "directory", "file", "copy", "remove"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is done.

    Attributes:
        does: What.
        path: Where, or empty for a command.
        owner: Name of the user who will own it.
        mode: Its permissions.
        text: What a file will hold; what a copy is of.
        command: The words of a command.
        why: Half a sentence for a person.
    """

    does: Does
    path: str = ""
    owner: str = "root"
    mode: int = 0
    text: str = ""
    command: tuple[str, ...] = ()
    why: str

    @property
    def told(self) -> str:
        """The step in a line."""
        if self.does == "run":
            return f"run     {' '.join(self.command)}"
        if self.does == "remove":
            return f"remove  {self.path}"
        return f"{self.does:<9} {self.mode:04o} {self.owner:<8} {self.path}"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator asks for.

    Attributes:
        users: The users whose agents are judged.
        charter: The charter of agents that work in their homes.
        mode: ``observe`` or ``enforce``.
        on_failure: Whether the hosts' versions can be told that a failed hook blocks.
    """

    users: tuple[str, ...]
    charter: str
    mode: Mode
    on_failure: bool = True


def steps(wanted: Wanted, homes: dict[str, str]) -> tuple[Step, ...]:
    """Return everything that installing does, in order.

    Args:
        wanted: What is asked for.
        homes: Home directory of each user.
    """
    repositories = tuple(Repository(path=homes[one], charter=wanted.charter, mode=wanted.mode) for one in wanted.users)
    config = Config(daemon=Daemon(users=wanted.users), repositories=repositories)
    return (
        Step(
            does="run",
            command=(
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                str(HOME.root),
                "--shell",
                "/usr/sbin/nologin",
                USER,
            ),
            why="a user that owns the record, and that nobody logs in as",
        ),
        *(
            Step(does="directory", path=str(path), owner=USER, mode=0o711, why="agents' users may pass through")
            for path in (HOME.root, HOME.run)
        ),
        *(
            Step(does="directory", path=str(path), owner=USER, mode=0o700, why=why)
            for path, why in (
                (HOME.record, "the record"),
                (HOME.keys, "the keys that sign it"),
                (HOME.charters, "charters of your own"),
                (HOME.view.parent, "what can be made anew"),
            )
        ),
        Step(
            does="file",
            path=str(HOME.config),
            owner=USER,
            mode=0o644,
            text=render_config(config),
            why="whose agents are judged, and by which charter",
        ),
        Step(does="directory", path=str(CLIENT.parent), mode=0o755, why="the hook client's place"),
        Step(does="copy", path=str(CLIENT), mode=0o755, text=client()[0], why="the hook client, out of users' reach"),
        Step(does="file", path=str(UNIT), mode=0o644, text=unit(), why="the daemon as a service"),
        Step(does="run", command=("systemctl", "daemon-reload"), why="systemd reads the unit"),
        Step(does="run", command=("systemctl", "enable", "--now", UNIT.name), why="it starts now and at every boot"),
        Step(does="directory", path=str(HOOKS.parent), mode=0o755, why="the host's managed settings"),
        Step(
            does="file",
            path=str(HOOKS),
            mode=0o644,
            text=hooks(on_failure=wanted.on_failure),
            why="hooks of every user, which none of them can take out",
        ),
    )


def undoing() -> tuple[Step, ...]:
    """Return everything that uninstalling does; the record, its keys and their user stay."""
    return (
        Step(does="remove", path=str(HOOKS), why="no host asks any more"),
        Step(does="run", command=("systemctl", "disable", "--now", UNIT.name), why="the daemon ends"),
        Step(does="remove", path=str(UNIT), why="no service any more"),
        Step(does="run", command=("systemctl", "daemon-reload"), why="systemd forgets the unit"),
        Step(does="remove", path=str(CLIENT), why="no hook starts it any more"),
    )


def daemon_command() -> tuple[str, ...]:
    """Return the words that start the system's daemon."""
    return (sys.executable, "-P", "-m", "outrider.daemon", str(HOME.root))


def environment() -> dict[str, str]:
    """Return what the system's daemon finds in its environment, and nothing else of ours."""
    found = {"HOME": str(HOME.root), "OUTRIDER_HOME": str(HOME.root), "TMPDIR": str(HOME.run), "LANG": "C.UTF-8"}
    if str(_PACKAGE.parent) not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        found["PYTHONPATH"] = str(_PACKAGE.parent)
    return found


CAPABILITIES: Final = ("CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE")
"""What the daemon may beyond its user: see where paths in users' homes lead and what stands there, and read which
program, home and parents a process has. Not write, not signal, not become anybody: capabilities(7)."""


def unit() -> str:
    """Return the service: systemd.service(5), systemd.exec(5)."""
    start = " ".join(quoted(word) for word in daemon_command())
    env = "".join(f"Environment={quoted(f'{name}={value}')}\n" for name, value in environment().items())
    return f"""# Written by `outrider install --system`.
[Unit]
Description=Outrider: judges and records what coding agents do
After=local-fs.target nss-user-lookup.target

[Service]
Type=exec
ExecStart={start}
User={USER}
Group={USER}
{env}UMask=0077
Restart=always
RestartSec=1
OOMScoreAdjust=-500
LimitNOFILE=65536

# It reads where agents' paths lead and which process asks; it writes its own home and nothing else.
AmbientCapabilities={" ".join(CAPABILITIES)}
CapabilityBoundingSet={" ".join(CAPABILITIES)}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={HOME.root}
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""


def hooks(*, on_failure: bool) -> str:
    """Return the managed settings: every hook, without a way for a user's hook to start a daemon."""
    command = [str(CLIENT), "--door", "claude_code", "--socket", str(HOME.socket), "--spool", str(HOME.spool)]
    return settings.install(None, [*command, "--undecided", "deny"], on_failure=on_failure)


def quoted(word: str) -> str:
    """Return a word as systemd reads it back: systemd.service(5), "Command lines"."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if safe != word or " " in word else word


def loose(users: Iterable[str]) -> list[str]:
    """Say which parts of Outrider's own program a user could replace; empty if none."""
    found = []
    ids = {name: pwd.getpwnam(name) for name in users}
    paths = {Path(sys.executable).resolve(), _PACKAGE, BUILTIN_CHARTERS if BUILTIN_CHARTERS.is_dir() else _PACKAGE}
    for path in sorted(paths):
        for above in (path, *path.parents):
            facts = above.stat()
            sticky = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
            if facts.st_mode & 0o002 and not sticky:
                found.append(f"everybody can write {above}")
            found += [f"{name} owns {above}" for name, user in ids.items() if user.pw_uid == facts.st_uid]
    return list(dict.fromkeys(found))


def native() -> bool:
    """Whether there is the one hook client that can be copied: the native one."""
    return len(client()) == 1


def do(step: Step, root: Path) -> None:
    """Do one step, below ``root`` (``/`` but for images).

    Raises:
        UnavailableError: It failed.
        RefusedError: Something stands there that is not ours to change.
    """
    try:
        if step.does == "run":
            _run(step, root)
        elif step.does == "remove":
            _below(root, step.path).unlink(missing_ok=True)
        else:
            _make(step, _below(root, step.path))
    except OSError as error:
        raise UnavailableError(f"{step.path or step.command[0]}: {error.strerror or error}") from error


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _run(step: Step, root: Path) -> None:
    if step.command[0] == "useradd" and _exists(USER):
        return
    if root != Path("/"):
        return  # An image: who builds it runs these in it.
    done = subprocess.run(
        list(step.command), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise UnavailableError(f"{' '.join(step.command)}: {said[0] if said else 'failed'}")


def _make(step: Step, path: Path) -> None:
    if path.is_symlink():
        raise RefusedError(f"{path} is a link, and is left alone", fix="Remove it, then install again.")
    if step.does == "directory":
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(step.mode)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = Path(step.text).read_bytes() if step.does == "copy" else step.text.encode()
        files.write(path, raw, step.mode)
    if os.geteuid() == 0 and _exists(step.owner):
        owner = pwd.getpwnam(step.owner)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def homes(users: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each user with their home.

    Raises:
        RefusedError: There is no such user, it is root, or it has no home.
    """
    for name in users:
        try:
            found = pwd.getpwnam(name)
        except KeyError as error:
            raise RefusedError(f"there is no user {name!r}", fix="Name users of this machine: --user NAME.") from error
        if found.pw_uid == 0:
            raise RefusedError("root's agents could touch any record", fix="Run agents as another user.")
        if found.pw_dir in {"", "/"} or not found.pw_dir.startswith("/"):
            raise RefusedError(f"{name} has no home of their own", fix="Give them one: usermod --home DIR.")
        yield name, found.pw_dir
