"""The charters of this host as they stand in their files: what each says, who signed it, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from outrider.charter.model import Charter
from outrider.charter.parse import parse
from outrider.charter.seal import charter_in, key_id
from outrider.charter.shelf import Shelf
from outrider.config import charter_texts
from outrider.errors import CharterError, OutriderError
from outrider.ledger.keys import log_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from outrider.config import CharterText, Home


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What the signature beside a charter's file says.

    Attributes:
        state: ``builtin`` (it came with Outrider), ``unsigned``, ``signed`` or ``invalid``.
        by: Id of the key that signed, or empty.
        why: What is wrong with it, or empty.
    """

    state: Literal["builtin", "unsigned", "signed", "invalid"]
    by: str = ""
    why: str = ""

    @property
    def told(self) -> str:
        """What a person is told."""
        words = {"builtin": "built in", "unsigned": "unsigned", "signed": f"signed by {self.by[:16]}"}
        return words.get(self.state, f"INVALID: {self.why}")


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Every charter file of this host.

    Attributes:
        shelf: The charters that parse.
        found: Each file by name.
        bad: What is wrong with those that do not parse, by name.
    """

    shelf: Shelf
    found: dict[str, CharterText]
    bad: dict[str, CharterError]


def load(home: Home) -> Files:
    """Read every charter of this host."""
    found, good, bad = charter_texts(home), list[Charter](), dict[str, CharterError]()
    for name, file in sorted(found.items()):
        try:
            good.append(one(file, name))
        except CharterError as error:
            bad[name] = error
    return Files(shelf=Shelf(good), found=found, bad=bad)


def one(file: CharterText, name: str) -> Charter:
    """Return the charter in a file of a home.

    Raises:
        CharterError: It cannot be read, does not parse, or names itself otherwise than its file.
    """
    if not file.text:
        raise CharterError("the file is empty, too large, not UTF-8, or cannot be read", source=str(file.path))
    charter = parse(file.text, source=str(file.path))
    if charter.name != name:
        raise CharterError(
            f'the charter is named "{charter.name}" and its file "{name}.toml"',
            source=str(file.path),
            fix="Give both the same name.",
        )
    return charter


def signing_key(home: Home) -> Ed25519PrivateKey:
    """Return the key that signs charters here, made on first use.

    Raises:
        RefusedError: Others could read it.
        RecordError: It cannot be read or made.
    """
    return log_key(home.keys / "charter.key")


def seal_of(home: Home, charter: Charter, file: CharterText) -> Seal:
    """Say who signed this version of a charter."""
    if file.builtin:
        return Seal(state="builtin")
    if file.signature is None:
        return Seal(state="unsigned")
    try:
        if not (home.keys / "charter.key").exists():
            raise CharterError("there is no key here to check it with")
        key = signing_key(home).public_key()
        signed, _ = charter_in(file.signature, [key])
    except OutriderError as error:
        return Seal(state="invalid", why=str(error))
    if signed.digest != charter.digest:
        return Seal(state="invalid", why="another version was signed; sign this one again")
    return Seal(state="signed", by=key_id(key))
