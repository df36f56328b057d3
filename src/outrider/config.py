"""Where things are on this host, and the user's configuration file. Nothing here decides anything.

The home of Outrider is ``$OUTRIDER_HOME`` or ``~/.outrider``; the hook client alone never reads the environment and
is told by its own arguments instead.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

BUILTIN_CHARTERS = Path(__file__).parent / "charters"
"""The built-in charters in an installed package; in a checkout they stand at the top of the repository."""


@dataclass(frozen=True)
class Home:
    """The directories and files of one Outrider on one host. All are made 0700 or 0600.

    Attributes:
        root: Absolute path of the home.
    """

    root: Path

    @classmethod
    def default(cls) -> Home:
        """Return the home named by ``OUTRIDER_HOME``, else ``~/.outrider``."""
        named = os.environ.get("OUTRIDER_HOME")
        return cls(Path(named).absolute() if named else Path.home() / ".outrider")

    @property
    def config(self) -> Path:
        """The user's configuration, TOML."""
        return self.root / "config.toml"

    @property
    def run(self) -> Path:
        """The directory of the socket, locks and the spool (0700)."""
        return self.root / "run"

    @property
    def socket(self) -> Path:
        """The daemon's UNIX socket."""
        return self.run / "daemon.sock"

    @property
    def spool(self) -> Path:
        """Where a hook client that found no daemon leaves one line a call."""
        return self.run / "spool.jsonl"

    @property
    def record(self) -> Path:
        """The record: journal, tiles, checkpoint, verifier key, state snapshot."""
        return self.root / "record"

    @property
    def keys(self) -> Path:
        """Private keys (0700): ``log.key`` signs checkpoints, ``print.key`` keys the fingerprints."""
        return self.root / "keys"

    @property
    def charters(self) -> Path:
        """The user's own charters, one TOML file each; a name here hides a built-in one."""
        return self.root / "charters"

    @property
    def view(self) -> Path:
        """The queryable view of the record: SQLite, can be deleted and rebuilt."""
        return self.root / "view" / "view.sqlite"

    @property
    def bin(self) -> Path:
        """Launchers written by ``init``."""
        return self.root / "bin"

    def make(self) -> None:
        """Create the directories that are missing, private to the user.

        Raises:
            OSError: A directory cannot be made.
        """
        for directory in (
            self.root,
            self.run,
            self.record,
            self.keys,
            self.charters,
            self.view.parent,
            self.bin,
        ):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def builtin_charters() -> Path:
    """Return the directory of the built-in charters, installed or in a checkout."""
    if BUILTIN_CHARTERS.is_dir():
        return BUILTIN_CHARTERS
    return Path(__file__).parents[2] / "charters"
