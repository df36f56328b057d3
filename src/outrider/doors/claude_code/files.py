"""Settings files on disk: read whole, written all or nothing, links kept as links. Knows where the host looks."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from outrider.errors import BadInputError, RefusedError, UnavailableError

MAX = 16 * 1024 * 1024
"""Largest settings file that is read, in bytes."""

MANAGED = Path("/etc/claude-code")
"""Where an administrator's settings are on Linux; the host merges ``managed-settings.d`` into them."""


class Settings(NamedTuple):
    """One settings file as it is now.

    Attributes:
        path: Where the host looks.
        target: Where that leads when links are followed; what is written.
        raw: Its bytes, None where there is none.
        mode: Its permissions; those that a new one gets where there is none.
    """

    path: Path
    target: Path
    raw: bytes | None
    mode: int

    @property
    def text(self) -> str | None:
        """Return the text, None where there is no file.

        Raises:
            BadInputError: It is not UTF-8.
        """
        if self.raw is None:
            return None
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"{self.path} is not UTF-8 text", fix="Outrider leaves it as it is; repair it and try again."
            ) from error


def read(path: Path, *, mode: int = 0o600, within: Path | None = None) -> Settings:
    """Read one settings file.

    Args:
        path: Where the host looks.
        mode: Permissions for the file if it is yet to be made.
        within: Directory that links may not lead out of. A repository can bring links of its own; those in a user's
            home were put there by the user.

    Raises:
        RefusedError: It leads out of ``within``, or to what is not a file.
        BadInputError: It is larger than :data:`MAX`.
        UnavailableError: It cannot be read.
    """
    try:
        target = path.resolve()
        if within is not None and not target.is_relative_to(within.resolve()):
            raise RefusedError(f"{path} leads out of the repository, to {target}", fix="Remove that link first.")
        facts = target.stat()
    except FileNotFoundError:
        return Settings(path, target, None, mode)
    except (OSError, RuntimeError) as error:
        raise _cannot("read", path, error) from error
    if not stat.S_ISREG(facts.st_mode):
        raise RefusedError(f"{path} is not a file", fix="Outrider leaves it as it is.")
    if facts.st_size > MAX:
        raise BadInputError(f"{path} is larger than {MAX} bytes", fix="Outrider leaves it as it is.")
    try:
        return Settings(path, target, target.read_bytes(), stat.S_IMODE(facts.st_mode))
    except OSError as error:
        raise _cannot("read", path, error) from error


def write(target: Path, raw: bytes, mode: int) -> None:
    """Write a file all or nothing, with these permissions.

    Raises:
        UnavailableError: It cannot be written; what was there is untouched.
    """
    name = ""
    try:
        fd, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(fd, "wb") as file:
            file.write(raw)
            file.flush()
            os.fchmod(fd, mode)
            os.fsync(fd)
        os.replace(name, target)  # noqa: PTH105 - a path of mkstemp's is a string
    except OSError as error:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise _cannot("write", target, error) from error


def make_parents(target: Path) -> list[Path]:
    """Make the directories that a file needs, private to the user, and return those made, the outermost first.

    Raises:
        UnavailableError: One cannot be made.
    """
    missing = []
    parent = target.parent
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    made = list(reversed(missing))
    try:
        for directory in made:
            directory.mkdir(mode=0o700)
    except OSError as error:
        raise _cannot("make", target.parent, error) from error
    return made


def user_settings(home: Path, config_dir: str | None) -> Path:
    """Return the user's own settings file.

    Args:
        home: The user's home directory.
        config_dir: ``CLAUDE_CONFIG_DIR`` of the environment: the host's directory instead of ``~/.claude``.
    """
    return (Path(config_dir) if config_dir else home / ".claude") / "settings.json"


def local_settings(repository: Path) -> Path:
    """Return the settings file of one user in one repository, which is not meant to be committed."""
    return repository / ".claude" / "settings.local.json"


def shared_settings(repository: Path) -> Path:
    """Return the settings file that a repository's users share."""
    return repository / ".claude" / "settings.json"


def managed_settings() -> list[Path]:
    """Return the administrator's settings files that exist on this host."""
    found = [MANAGED / "managed-settings.json"]
    with contextlib.suppress(OSError):
        found += sorted((MANAGED / "managed-settings.d").glob("*.json"))
    return [path for path in found if path.exists()]


def texts(paths: list[Path]) -> dict[str, str]:
    """Return the text of each file that exists, by path; what cannot be read has a text that is not JSON either."""
    out = {}
    for path in paths:
        try:
            text = read(path).text
        except (BadInputError, RefusedError, UnavailableError) as error:
            text = f"unreadable: {error}"
        if text is not None:
            out[str(path)] = text
    return out


def _cannot(do: str, path: Path, error: OSError | RuntimeError) -> UnavailableError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UnavailableError(f"cannot {do} {path}: {why}", fix="Nothing was changed there; see to its permissions.")
