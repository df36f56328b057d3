"""Where a witness keeps its things: its name, its key, the logs that it knows, and its state."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.errors import BadInputError, RecordError, UnavailableError
from outrider.ledger.keys import witness_key
from outrider.ledger.tiles import write_atomically
from outrider.ledger.verify.notes import LOG, WITNESS, Verifier, parse_verifier
from outrider.witness.state import State
from outrider.witness.witness import Witness, verifier


def _now() -> int:
    return int(time.time())


@dataclass(frozen=True)
class WitnessHome:
    """The files of one witness. All are private to its user.

    Attributes:
        root: Absolute path.
    """

    root: Path

    @classmethod
    def default(cls) -> WitnessHome:
        """Return the home named by ``OUTRIDER_WITNESS_HOME``, else ``~/.outrider-witness``."""
        named = os.environ.get("OUTRIDER_WITNESS_HOME")
        return cls(Path(named).absolute() if named else Path.home() / ".outrider-witness")

    @property
    def key(self) -> Path:
        """What it cosigns with."""
        return self.root / "witness.key"

    @property
    def vkey(self) -> Path:
        """Its verifier key, for those who are to trust it; it holds its name too."""
        return self.root / "witness.vkey"

    @property
    def logs(self) -> Path:
        """The verifier keys of the logs that it knows, one a line, behind the word ``log``."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """The checkpoints that it cosigned last."""
        return self.root / "state"

    @property
    def marks(self) -> Path:
        """Their sizes and roots; may be a link to another disk."""
        return self.root / "marks"

    def make(self, name: str, *, lattice: bool = False) -> Verifier:
        """Make the key of a witness of that name, and return its public half.

        Args:
            name: Its name.
            lattice: Whether the key is of ML-DSA-44 rather than Ed25519.

        Raises:
            BadInputError: There is a key already, or the name cannot name one.
            RecordError: The disk refuses.
        """
        if self.key.exists() or self.vkey.exists():
            raise BadInputError(f"there is a witness at {self.root} already", fix="`outrider witness show` shows it.")
        verifier(name, Ed25519PrivateKey.generate())  # Its name is refused before anything is made.
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = verifier(name, witness_key(self.key, lattice=lattice))
            write_atomically(self.vkey, f"{own.vkey}\n".encode(), durable=True)
        except OSError as error:
            raise RecordError(f"{self.root} cannot be written: {error.strerror}") from error
        return own

    def own(self) -> Verifier:
        """Return the public half of the witness's key.

        Raises:
            UnavailableError: There is no witness here.
            BadInputError: What is there is no verifier key of a witness.
        """
        try:
            text = self.vkey.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fix = "Make one: `outrider witness keygen NAME`."
            raise UnavailableError(f"there is no witness at {self.root}", fix=fix) from error
        return parse_verifier(text, kind=WITNESS)

    def know(self, vkey: str) -> Verifier:
        """Add a log to those that are known, and return its key. One that is known already is not added again.

        Raises:
            BadInputError: It is no log's verifier key.
            RecordError: The disk refuses.
        """
        key = parse_verifier(vkey, kind=LOG)
        known = self.known()
        if key not in known.get(key.name, ()):
            keys = [*(one for keys in known.values() for one in keys), key]
            try:
                write_atomically(self.logs, "".join(f"log {one.vkey}\n" for one in keys).encode(), durable=True)
            except OSError as error:
                raise RecordError(f"{self.logs} cannot be written: {error.strerror}") from error
        return key

    def known(self) -> dict[str, tuple[Verifier, ...]]:
        """Return the keys of each log that is known, by origin.

        Raises:
            BadInputError: The file holds something else; the message names the line.
            RecordError: It cannot be read.
        """
        try:
            lines = self.logs.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise RecordError(f"{self.logs} cannot be read") from error
        known: dict[str, tuple[Verifier, ...]] = {}
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] != "log" or len(words) < 2:
                raise BadInputError(f"{self.logs}:{number}: a line reads `log` and a verifier key")
            try:
                key = parse_verifier(words[1], kind=LOG)
            except BadInputError as error:
                raise BadInputError(f"{self.logs}:{number}: {error}") from error
            known[key.name] = (*known.get(key.name, ()), key)
        return known

    def open(self, clock: Callable[[], int] = _now) -> tuple[Witness, State]:
        """Return the witness that lives here, and its state, which the caller closes.

        Raises:
            UnavailableError: There is none, or another process is it.
            BadInputError: Its key is not the one of its verifier key, or the list of logs cannot be read.
            TamperedError: Its state was put back or is damaged.
            RecordError: The disk refuses.
        """
        own = self.own()
        if not self.key.exists():
            raise UnavailableError(f"the key of the witness at {self.root} is gone", fix="Restore it from a backup.")
        key, logs = witness_key(self.key), self.known()
        if verifier(own.name, key) != own:
            raise BadInputError(f"{self.key} is not the key that {self.vkey} names")
        state = State.open(self.state, self.marks, own, logs)
        return Witness(own, key, logs, state, clock), state
