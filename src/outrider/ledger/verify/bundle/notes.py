"""Keys, checkpoints, cosignatures and policies, read a second time and for checking only.

Sources: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature (Ed25519, ML-DSA-44), tlog-policy.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, WITNESS, LATTICE = 1, 4, 6
"""Types of a verifier key: one that signs notes, one that cosigns checkpoints, one that does so with ML-DSA-44."""
LENGTH = {LOG: 32, WITNESS: 32, LATTICE: 1312}


class WrongError(Exception):
    """Something in the bundle is not what was sealed. ``str(error)`` says what."""


@dataclass(frozen=True)
class Key:
    """A verifier key. ``kind`` is its signature type; ``raw`` its bytes."""

    name: str
    kind: int
    raw: bytes

    @property
    def hint(self) -> bytes:
        """The four bytes that notes name it by."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text."""
        return f"{self.name}+{self.hint.hex()}+{base64.b64encode(bytes([self.kind]) + self.raw).decode()}"

    def signed(self, signature: bytes, text: bytes) -> bool:
        """Return whether it signed ``text``."""
        try:
            if self.kind == LATTICE:
                _check_lattice(self, signature, text)
            else:
                Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except InvalidSignature:
            return False
        return True


def _check_lattice(key: Key, signature: bytes, text: bytes) -> None:
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415 - 47 and later

        MLDSA44PublicKey.from_public_bytes(key.raw).verify(signature, text)
    except (ImportError, UnsupportedAlgorithm) as error:
        raise WrongError(f"the key of {key.name} is of ML-DSA-44: cryptography 47 or later is needed") from error


def parse_key(text: str, kind: int) -> Key:
    """Return the key in ``name+hash+base64``, one of that kind; a witness's may be of ML-DSA-44."""
    try:
        name, hint, encoded = text.strip().split("+", 2)
        raw = unbase64(encoded)
    except ValueError as error:
        raise WrongError("a verifier key reads name+hash+base64") from error
    wanted = raw[:1] == bytes([kind]) or (kind, raw[:1]) == (WITNESS, bytes([LATTICE]))
    if not wanted or len(raw) != 1 + LENGTH[raw[0]] or not name or name.split() != [name]:
        raise WrongError(f"{text.strip()[:80]!r} is not a key of a {'log' if kind == LOG else 'witness'}")
    key = Key(name, raw[0], raw[1:])
    if key.hint.hex() != hint:
        raise WrongError(f"the hash in the verifier key of {name} is not that of its name and key")
    return key


def unbase64(text: str) -> bytes:
    """Return the bytes; raise ValueError for anything but the one way to write them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the one base64 of its bytes")
    return raw


@dataclass(frozen=True)
class Note:
    """A checkpoint: what it says, its text, and its signatures by name and hint."""

    origin: str
    size: int
    root: bytes
    body: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def by(self, key: Key) -> list[bytes]:
        """Return what stands as the signatures of a key."""
        return [raw for name, hint, raw in self.signatures if name == key.name and hint == key.hint]


def parse_note(data: bytes) -> Note:
    """Return a checkpoint, its signatures not checked yet."""
    try:
        body, blank, rest = data.decode().rpartition("\n\n")
        if not blank or not rest.endswith("\n"):
            raise WrongError("a checkpoint is text, a blank line, and lines of signatures")
        signatures = []
        for line in rest[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            raw = unbase64(encoded)
            if dash != "\u2014" or len(raw) <= 4:
                raise WrongError("a line of its signatures is malformed")
            signatures.append((name, raw[:4], raw[4:]))
        origin, size, root, *_ = body.split("\n")
        found = Note(origin, int(size), unbase64(root), body + "\n", tuple(signatures))
    except ValueError as error:
        raise WrongError(f"a checkpoint says origin, size and root, and who signed it: {error}") from error
    if str(found.size) != size or not 0 <= found.size < 1 << 63 or len(found.root) != 32:
        raise WrongError("its size or root is malformed")
    return found


def cosigned(note: Note, key: Key) -> int:
    """Return when a witness cosigned it, seconds since 1970 UTC, 0 if it did not."""
    latest = 0
    for raw in note.by(key):
        when = int.from_bytes(raw[:8], "big")
        if not when or not key.signed(raw[8:], _cosigned_text(note, key, when)):
            raise WrongError(f"the cosignature of {key.name} does not hold")
        latest = max(latest, when)
    return latest


def _cosigned_text(note: Note, key: Key, when: int) -> bytes:
    if key.kind == WITNESS:
        return f"cosignature/v1\ntime {when}\n{note.body}".encode()
    name, origin = key.name.encode(), note.origin.encode()
    if max(len(name), len(origin)) > 255:
        raise WrongError("names of logs and cosigners have at most 255 bytes")
    named = bytes([len(name)]) + name + when.to_bytes(8, "big") + bytes([len(origin)]) + origin
    return b"subtree/v1\n\0" + named + bytes(8) + note.size.to_bytes(8, "big") + note.root


@dataclass
class Policy:
    """Whose word is enough: logs and witnesses by their keys, groups of them, and the quorum."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""
    addresses: dict[str, str] = field(default_factory=dict, compare=False)

    def near(self) -> dict[str, str]:
        """Return the hosts of witnesses that are of the machine itself or of a private network, by witness."""
        hosts = {name: _host_of(url) for name, url in self.addresses.items()}
        return {name: host for name, host in hosts.items() if _is_near(host)}

    def enough(self, names: set[str], what: str = "") -> bool:
        """Return whether the witnesses of these names make the quorum."""
        what = what or self.quorum
        if what == "none":
            return True
        if what not in self.groups:
            return what in names
        least, members = self.groups[what]
        return sum(self.enough(names, member) for member in members) >= least


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_near(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def parse_policy(text: str) -> Policy:
    """Return what a policy file says."""
    policy = Policy()
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        known = {"none", *policy.witnesses, *policy.groups}
        if words[0] == "log" and len(words) in (2, 3):
            policy.logs.append(parse_key(words[1], LOG))
        elif words[0] == "witness" and len(words) in (3, 4) and words[1] not in known:
            policy.witnesses[words[1]] = parse_key(words[2], WITNESS)
            policy.addresses[words[1]] = words[3] if len(words) == 4 else ""
        elif words[0] == "group" and len(words) > 3 and words[1] not in known and known.issuperset(words[3:]):
            least = {"any": "1", "all": str(len(words) - 3)}.get(words[2], words[2])
            if not least.isdecimal() or not 1 <= int(least) <= len(set(words[3:])):
                raise WrongError(f"policy, line {number}: {words[2]!r} of {len(words) - 3} members cannot be wanted")
            policy.groups[words[1]] = (int(least), words[3:])
        elif words[0] == "quorum" and len(words) == 2 and words[1] in known and not policy.quorum:
            policy.quorum = words[1]
        else:
            raise WrongError(f"policy, line {number}: it cannot be read: {line[:80]!r}")
    if not policy.quorum:
        raise WrongError("the policy has no line `quorum`")
    return policy
