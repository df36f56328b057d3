"""The charters in force, kept in step with their files: an edit counts for births from the next second on.

Living agents stay bound to the version that they were born under. A file that does not parse, that extends what is not
there, or whose signature does not count, is refused as an event, and the last good version stays in force, as the
record holds it. So does a version whose file is gone while another charter extends it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from outrider.charter.model import Charter, from_canonical
from outrider.charter.shelf import Shelf
from outrider.config import Signing, builtin_charters, load_config
from outrider.daemon import shelf as files
from outrider.detect.redact import redact
from outrider.errors import BadInputError, CharterError
from outrider.events.codec import canonical
from outrider.events.record import CharterLoaded, CharterRefused, CharterRemoved
from outrider.gate.clean import cut

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.config import Home
    from outrider.daemon.charter_files import CharterText
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State

log = logging.getLogger("outrider.daemon")

_MOST_REASON = 500
_MOST_TEXT = 15 * 1024
"""Bytes of a charter as JSON text, with the groups, that an event of 16 KiB can hold."""


class Charters:
    """A shelf that follows its files; every change of what is in force is an event."""

    def __init__(self, home: Home, scribe: Scribe, state: State, groups: dict[str, tuple[str, ...]]) -> None:
        self._home = home
        self._scribe = scribe
        self._state = state
        self._groups = groups
        self._shelf = Shelf(())
        self._seen: tuple[object, ...] = ()
        self._signing = Signing()
        self._refused: dict[str, str] = {}
        self.refresh()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the charters in force, sorted."""
        return self._shelf.names

    def get(self, name: str) -> Charter | None:
        """Return the version of a charter that is in force."""
        return self._shelf.get(name)

    def line(self, name: str) -> tuple[Charter, ...]:
        """Return a charter and all that it extends, itself first.

        Raises:
            CharterError: A name is unknown, or the line bites its tail.
        """
        return self._shelf.line(name)

    def refresh(self) -> bool:
        """Read the files again if one of them has changed; tell whether one had."""
        seen = (*_stamps(builtin_charters()), *_stamps(self._home.charters), *_stamp(self._home.config))
        if seen == self._seen:
            return False
        self._seen = seen
        self._configure()
        found = files.load(self._home, self._signing)
        good = {name: found.shelf.get(name) for name in found.shelf.names}
        refused = {name: error.diagnostics() for name, error in found.bad.items()}
        seals = {}
        for name, charter in good.items():
            assert charter is not None
            seal = seals[name] = files.seal_of(self._home, charter, found.found[name], self._signing)
            if seal.state == "invalid":
                refused[name] = f"its signature is not right: {seal.why}"
            elif why := self._unfit(charter):
                refused[name] = why
        kept = self._fit([charter for charter in good.values() if charter is not None], refused)
        self._shelf = Shelf([*kept, *self._last_good(refused)])
        for charter in kept:
            self._load(charter, found.found[charter.name], seals[charter.name])
        for name in sorted(set(self._state.in_force) - {*self._shelf.names, *refused}):
            digest = self._state.in_force[name]
            self._scribe.write(CharterRemoved, name=name, digest=digest, seal=True)
        for name, reason in refused.items():
            if self._refused.get(name) != reason:
                in_force = self._state.in_force.get(name, "")
                self._scribe.write(
                    CharterRefused,
                    name=name,
                    reason=cut(reason, _MOST_REASON, self._scribe.key),
                    in_force=in_force,
                    seal=True,
                )
        self._refused = refused
        return True

    @property
    def refused(self) -> dict[str, str]:
        """Why a file is refused, by the name of its charter."""
        return self._refused

    def _configure(self) -> None:
        """Take whose signatures count from the configuration; one that makes no sense leaves it as it was."""
        try:
            self._signing = load_config(self._home).charters
        except BadInputError as error:
            log.warning("whose signatures on charters count stays as it was: %s", error)

    def _fit(self, good: list[Charter], refused: dict[str, str]) -> list[Charter]:
        """Return the charters whose line stands; those at whose fault one does not are added to ``refused``."""
        while True:
            kept = {charter.name: charter for charter in good if charter.name not in refused}
            shelf = Shelf([*kept.values(), *self._last_good(refused)])
            faults: dict[str, str] = {}
            for name in shelf.names:
                charter = shelf.get(name)
                assert charter is not None
                above = charter.extends
                gone = bool(above) and shelf.get(above) is None
                if gone and above in self._state.in_force and above not in refused:
                    faults[above] = f"its file is gone, and {name} extends it"
                elif name in kept and (gone or _in_circle(shelf, charter)):
                    faults[name] = _fault(shelf, name)
            if not faults:
                return list(kept.values())
            refused |= faults

    def _unfit(self, charter: Charter) -> str:
        """Say why the record cannot hold a charter as it is; empty if it can."""
        text = canonical(charter).decode()
        if len(canonical([text, self._groups])) > _MOST_TEXT:
            return f"it is larger than {_MOST_TEXT} bytes, and an event cannot hold it"
        if redact(text, self._scribe.key) != text:
            return "it holds what looks like a secret, and the record keeps none"
        return ""

    def _load(self, charter: Charter, file: CharterText, seal: files.Seal) -> None:
        signer = "builtin" if file.builtin else seal.by
        known = self._state.in_force.get(charter.name), self._state.signers.get(charter.name, "")
        if known == (charter.digest, signer):
            return
        self._scribe.write(
            CharterLoaded,
            name=charter.name,
            digest=charter.digest,
            signer=signer,
            source=canonical(charter).decode(),
            groups=self._groups,
            seal=True,
        )

    def _last_good(self, refused: dict[str, str]) -> list[Charter]:
        """Return the versions that stay in force in place of refused files."""
        kept = []
        for name in refused:
            known = self._state.charters.get(self._state.in_force.get(name, ""))
            if known is not None:
                try:
                    kept.append(from_canonical(known[1].encode()))
                except CharterError:
                    continue
        return kept


def _in_circle(shelf: Shelf, charter: Charter) -> bool:
    """Tell whether a charter extends itself, through others."""
    seen = set[str]()
    above = shelf.get(charter.extends)
    while above is not None and above.name not in seen and above.name != charter.name:
        seen.add(above.name)
        above = shelf.get(above.extends)
    return above is not None and above.name == charter.name


def _fault(shelf: Shelf, name: str) -> str:
    try:
        shelf.line(name)
    except CharterError as error:
        return error.diagnostics()
    return "what it extends is not there"


def _stamp(path: Path) -> list[tuple[str, int, int]]:
    try:
        stat = path.stat()
    except OSError:
        return []
    return [(str(path), stat.st_size, stat.st_mtime_ns)]


def _stamps(directory: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of change of every charter's file and signature."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.name.endswith((".toml", ".toml.sig")))
        return [stamp for path in paths for stamp in _stamp(path)]
    except OSError:
        return []
