"""The charters of this host as they stand in their files: what each says, who signed it, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from outrider.charter.model import Charter
from outrider.charter.parse import parse
from outrider.charter.seal import charter_in, public_key
from outrider.charter.shelf import Shelf
from outrider.config import Signing, load_config
from outrider.daemon.charter_files import charter_texts
from outrider.errors import BadInputError, CharterError, OutriderError
from outrider.ledger.keys import log_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from outrider.config import Home
    from outrider.daemon.charter_files import CharterText


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What the signature beside a charter's file says.

    Attributes:
        state: ``builtin`` (it came with Outrider), ``unsigned``, ``signed`` or ``invalid``: no signature that counts,
            where there is one or this home demands one.
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
        signing: Whose signatures count.
    """

    shelf: Shelf
    found: dict[str, CharterText]
    bad: dict[str, CharterError]
    signing: Signing = Signing()


def load(home: Home, signing: Signing | None = None) -> Files:
    """Read every charter of this host; ``signing`` is the configuration's own if not given."""
    found, good, bad = charter_texts(home), list[Charter](), dict[str, CharterError]()
    for name, file in sorted(found.items()):
        try:
            good.append(one(file, name))
        except CharterError as error:
            bad[name] = error
    return Files(shelf=Shelf(good), found=found, bad=bad, signing=_configured(home) if signing is None else signing)


def _configured(home: Home) -> Signing:
    try:
        return load_config(home).charters
    except BadInputError:
        return Signing(signed=True)  # What a broken file demands cannot be known: nothing new is shown as good.


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


def trusted(home: Home, signing: Signing) -> tuple[Ed25519PublicKey, ...]:
    """Return the keys whose signatures count here.

    Raises:
        OutriderError: This host's own key cannot be read.
    """
    if signing.keys:
        return tuple(public_key(one) for one in signing.keys)
    return (signing_key(home).public_key(),) if (home.keys / "charter.key").exists() else ()


def seal_of(home: Home, charter: Charter, file: CharterText, signing: Signing) -> Seal:
    """Say who signed this version of a charter, and whether that counts."""
    if file.builtin:
        return Seal(state="builtin")
    if file.signature is None:
        return (
            Seal(state="invalid", why="it is not signed, and this home demands that")
            if signing.signed
            else Seal(state="unsigned")
        )
    try:
        keys = trusted(home, signing)
        if not keys:
            raise CharterError("there is no key here to check it with", fix="`outrider charter trust KEY`")
        signed, by = charter_in(file.signature, keys)
    except OutriderError as error:
        return Seal(state="invalid", why=str(error))
    if signed.digest != charter.digest:
        return Seal(state="invalid", why="another version was signed; sign this one again")
    return Seal(state="signed", by=by)
