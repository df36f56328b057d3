"""What somebody may do to a bundle: each with the check that finds it, and what Go's verifier says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledger.bundles import resign

from outrider.ledger.note import sign

Files = dict[str, bytes]
Attack = Callable[[Files, Ed25519PrivateKey], None]


def edited_event(files: Files, key: Ed25519PrivateKey) -> None:
    files["events/5.json"] = files["events/5.json"].replace(b"toolu_5", b"toolu_6")


def edited_event_resigned(files: Files, key: Ed25519PrivateKey) -> None:
    edited_event(files, key)
    resign(files, key)


def dropped_event(files: Files, key: Ed25519PrivateKey) -> None:
    del files["events/5.json"], files["events/5.tlog-proof"]


def swapped_events(files: Files, key: Ed25519PrivateKey) -> None:
    files["events/5.json"], files["events/6.json"] = files["events/6.json"], files["events/5.json"]
    resign(files, key)


def swapped_proofs(files: Files, key: Ed25519PrivateKey) -> None:
    first, second = "events/5.tlog-proof", "events/6.tlog-proof"
    files[first], files[second] = files[second], files[first]
    resign(files, key)


def forged_event(files: Files, key: Ed25519PrivateKey) -> None:
    files["events/299.json"] = files["events/5.json"].replace(b'"n":5', b'"n":299')
    files["events/299.tlog-proof"] = files["events/5.tlog-proof"].replace(b"index 5", b"index 299")
    resign(files, key)


def edited_content(files: Files, key: Ed25519PrivateKey) -> None:
    said = json.loads(files["disclosed/3.json"])
    said["content"] = base64.b64encode(b"look at the rage").decode()
    files["disclosed/3.json"] = json.dumps(said).encode()
    resign(files, key)


def dropped_content(files: Files, key: Ed25519PrivateKey) -> None:
    del files["disclosed/3.json"]


def swapped_salt(files: Files, key: Ed25519PrivateKey) -> None:
    said = json.loads(files["disclosed/3.json"])
    said["salt"] = base64.b64encode(b"t" * 32).decode()
    files["disclosed/3.json"] = json.dumps(said).encode()
    resign(files, key)


def edited_manifest(files: Files, key: Ed25519PrivateKey) -> None:
    envelope = json.loads(files["MANIFEST.json"])
    payload = base64.b64decode(envelope["payload"]).replace(b'"asked":"tests"', b'"asked":"other"')
    envelope["payload"] = base64.b64encode(payload).decode()
    files["MANIFEST.json"] = json.dumps(envelope).encode()


def manifest_of_another_key(files: Files, key: Ed25519PrivateKey) -> None:
    resign(files, Ed25519PrivateKey.generate())


def edited_checkpoint(files: Files, key: Ed25519PrivateKey) -> None:
    files["checkpoint"] = files["checkpoint"].replace(b"\n300\n", b"\n301\n")


def checkpoint_of_another_key(files: Files, key: Ed25519PrivateKey) -> None:
    origin, size, root = files["checkpoint"].decode().split("\n")[:3]
    new = sign(origin, int(size), base64.b64decode(root), Ed25519PrivateKey.generate())
    files["checkpoint"] = new.text.encode()
    resign(files, key)


def rewritten_with_the_stolen_key(files: Files, key: Ed25519PrivateKey) -> None:
    """Another root, signed with the log's own key: the proofs do not lead there."""
    origin = files["checkpoint"].decode().split("\n")[0]
    files["checkpoint"] = sign(origin, 300, b"\7" * 32, key).text.encode()
    resign(files, key)


def flipped_cosignature(files: Files, key: Ed25519PrivateKey) -> None:
    text = files["checkpoint"].decode()
    line = text.rstrip("\n").split("\n")[-1]
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[-1] ^= 1
    forged = f"\u2014 {line.split(' ')[1]} {base64.b64encode(bytes(raw)).decode()}"
    for name, data in files.items():
        if name == "checkpoint" or name.endswith(".tlog-proof"):
            files[name] = data.replace(line.encode(), forged.encode())
    resign(files, key)


def moved_cosignature_time(files: Files, key: Ed25519PrivateKey) -> None:
    text = files["checkpoint"].decode()
    line = text.rstrip("\n").split("\n")[-1]
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[11] ^= 1
    forged = f"\u2014 {line.split(' ')[1]} {base64.b64encode(bytes(raw)).decode()}"
    for name, data in files.items():
        if name == "checkpoint" or name.endswith(".tlog-proof"):
            files[name] = data.replace(line.encode(), forged.encode())
    resign(files, key)


def dropped_cosignature(files: Files, key: Ed25519PrivateKey) -> None:
    for name, data in files.items():
        if name == "checkpoint" or name.endswith(".tlog-proof"):
            files[name] = re.sub("\u2014 witness[^\n]*\n".encode(), b"", data)
    resign(files, key)


def added_file(files: Files, key: Ed25519PrivateKey) -> None:
    files["alibi.txt"] = b"it was not me"


def hidden_redaction(files: Files, key: Ed25519PrivateKey) -> None:
    files["redactions.json"] = b'{"v":1,"held":[]}'
    resign(files, key)


ATTACKS: dict[Attack, tuple[str, str]] = {
    edited_event: ("files", "events/5.json is not what was sealed"),
    edited_event_resigned: ("proof", "event 5: invalid transparency proof"),
    dropped_event: ("files", "events/5.json is in the manifest and not in the bundle"),
    swapped_events: ("event", "event 5 says that it is event 6"),
    swapped_proofs: ("proof", "event 5: its proof is of event 6"),
    forged_event: ("proof", "event 299: invalid transparency proof"),
    edited_content: ("disclosed", "disclosed/3.json is not what event 3 promised"),
    dropped_content: ("files", "disclosed/3.json is in the manifest and not in the bundle"),
    swapped_salt: ("disclosed", "disclosed/3.json is not what event 3 promised"),
    edited_manifest: ("manifest", "the manifest is not signed by the key"),
    manifest_of_another_key: ("manifest", "the manifest is not signed by the key"),
    edited_checkpoint: ("checkpoint", "checkpoint"),
    checkpoint_of_another_key: ("checkpoint", "checkpoint"),
    rewritten_with_the_stolen_key: ("cosigned", "not cosigned"),
    flipped_cosignature: ("cosigned", "cosignature"),
    moved_cosignature_time: ("cosigned", "cosignature"),
    dropped_cosignature: ("cosigned", "not cosigned"),
    added_file: ("files", "alibi.txt is not in the manifest"),
    hidden_redaction: ("held", "neither here nor said to be held back"),
}
"""The attack, the check of ours that names it, and what Go's verifier says of it."""
