"""Bundles of small records, and ways to change them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.events.codec import commit
from outrider.events.record import Beside, Prompted
from outrider.investigate.sealing import Contents, Disclosed, seal
from outrider.ledger.envelope import envelope, statement
from outrider.ledger.proving import Prover
from outrider.ledger.verify.notes import LOG, WITNESS, Verifier, cosigned_text, parse_note, parse_verifier

# outrider: allow code.python-fixed-salt -- no secret is under it, and a test wants the same bytes each time
SALT = b"s" * 32
SAID = b"look at the page"
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WITNESS_VKEY = Verifier("witness.test/w1", WITNESS, WITNESS_KEY.public_key().public_bytes_raw())
SEEN = 1_790_000_000


def contents(events, **more) -> Contents:
    """Return contents with those events and the one content that :func:`record` discloses."""
    disclosed = Disclosed(event=3, at="/content", salt=SALT, content=SAID)
    given = {"coverage": {"whole": True}, "disclosed": (disclosed,)} | more
    return Contents(events=tuple(events), asked="tests", created="2026-11-23T14:00:00Z", made_by="tests", **given)


def record(ledger, writes, count: int = 300) -> None:
    """Write a record of ``count`` events, the fourth of them a prompt whose content can be disclosed."""
    writes.open()
    for n in range(1, count):
        if n == 3:
            beside = Beside(salt=SALT)
            writes.write(Prompted, source="claude_code:s0", beside=beside, agent="a0", content=commit(SAID, SALT))
        else:
            writes.decide(n)
    ledger.seal()


def cosign(where: Path) -> None:
    """Leave the record's checkpoint as one that the witness cosigned."""
    text = (where / "checkpoint").read_text()
    raw = SEEN.to_bytes(8, "big") + WITNESS_KEY.sign(cosigned_text(parse_note(text.encode()), WITNESS_VKEY, SEEN))
    line = f"\u2014 {WITNESS_VKEY.name} {base64.b64encode(WITNESS_VKEY.hint + raw).decode()}\n"
    (where / "cosigned").write_text(text + line)


def policy(vkey: str = "") -> str:
    """Return a policy that demands the one witness."""
    log = f"log {vkey}\n" if vkey else ""
    return f"{log}witness w1 {WITNESS_VKEY.vkey} https://witness.example\nquorum w1\n"


def bundle(where: Path, key: Ed25519PrivateKey, path: Path, inside: Contents) -> Path:
    """Seal a bundle of the record at ``where``."""
    with path.open("wb") as file:
        seal(file, Prover(where), key, inside)
    return path


def members(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def rewrite(path: Path, new: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Copy a bundle with its files changed."""
    inside = members(path)
    change(inside)
    with zipfile.ZipFile(new, "w") as archive:
        for name, data in inside.items():
            archive.writestr(name, data)
    return new


def resign(inside: dict[str, bytes], key: Ed25519PrivateKey) -> None:
    """Make the manifest anew over the files as they are, as whoever has the key could."""
    said = json.loads(base64.b64decode(json.loads(inside["MANIFEST.json"])["payload"]))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in inside.items() if name != "MANIFEST.json"}
    name = parse_verifier(inside["keys/log.vkey"].decode(), kind=LOG).name
    inside["MANIFEST.json"] = envelope(statement(digests, said["predicateType"], said["predicate"]), name, key)


def raw_zip(*written: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    """Return a zip file of such members."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # A name that is there twice is what some tests are about.
        for name, data in written:
            archive.writestr(name, data)
    return out.getvalue()
