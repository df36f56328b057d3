"""A verifier that we did not write: Go's own transparency-log packages."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.ledger.note import sign

pytestmark = pytest.mark.real


@pytest.fixture
def made(open_ledger, scribe, where):
    """A record of 1,000 real events, tiled, with a checkpoint kept at 640."""
    ledger = open_ledger()
    writes = scribe(ledger)
    writes.open()
    for n in range(1, 1000):
        writes.decide(n)
        if n == 639:
            (where.parent / "old").write_text(ledger.seal().text)
    ledger.tiles()
    return ledger


def test_go_opens_our_checkpoint(check, made, where):
    assert check("checkpoint", made.vkey, where / "checkpoint") == (
        0,
        f"checkpoint 1000 {b64encode(made.root()).decode()}",
    )


def test_go_refuses_a_forged_root_and_a_forged_signature(check, made, where, tmp_path):
    text = (where / "checkpoint").read_text()
    root = b64encode(made.root()).decode()
    (tmp_path / "forged").write_text(text.replace(root, b64encode(bytes(32)).decode()))
    code, said = check("checkpoint", made.vkey, tmp_path / "forged")
    assert (code, "invalid signature" in said) == (1, True)
    (tmp_path / "other").write_text(sign(made.origin, 1000, made.root(), Ed25519PrivateKey.generate()).text)
    assert check("checkpoint", made.vkey, tmp_path / "other")[0] == 1


@pytest.mark.parametrize("index", [0, 255, 256, 511, 777, 999])
def test_go_checks_our_inclusion_proofs_and_refuses_an_edited_event(check, made, tmp_path, index):
    proof, leaf = tmp_path / "e.tlog-proof", tmp_path / "leaf"
    proof.write_text(made.proof_text(index))
    leaf.write_bytes(made.read(index)[0])
    assert check("inclusion", made.vkey, proof, leaf) == (0, f"inclusion {index} of 1000")
    leaf.write_bytes(made.read(index)[0].replace(b'"v":1', b'"v":2'))
    code, said = check("inclusion", made.vkey, proof, leaf)
    assert (code, "invalid transparency proof" in said) == (1, True)


def test_go_refuses_a_proof_for_another_place(check, made, tmp_path):
    proof, leaf = tmp_path / "e.tlog-proof", tmp_path / "leaf"
    proof.write_text(made.proof_text(777).replace("index 777", "index 778"))
    leaf.write_bytes(made.read(777)[0])
    assert check("inclusion", made.vkey, proof, leaf)[0] == 1


def test_go_checks_our_consistency_proof_and_refuses_a_forged_root(check, made, where, key, tmp_path):
    path = [b64encode(one).decode() for one in made.consistency(640, 1000)]
    old = where.parent / "old"
    assert check("consistency", made.vkey, old, where / "checkpoint", *path) == (0, "consistency 640 1000")
    (tmp_path / "forged").write_text(sign(made.origin, 640, bytes(32), key).text)
    code, said = check("consistency", made.vkey, tmp_path / "forged", where / "checkpoint", *path)
    assert (code, "invalid transparency proof" in said) == (1, True)


def test_go_proves_every_event_from_our_tiles_and_refuses_a_changed_one(check, made, where):
    assert check("tiles", made.vkey, where / "checkpoint", where) == (0, "tiles 1000")
    bundle = where / "tile" / "entries" / "002"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b"toolu_600", b"toolu_601"))
    code, said = check("tiles", made.vkey, where / "checkpoint", where)
    assert (code, said) == (1, "event 600: invalid transparency proof")
    bundle.write_bytes(whole)
    tile = where / "tile" / "0" / "001"
    tile.write_bytes(bytes(8192))
    assert check("tiles", made.vkey, where / "checkpoint", where)[0] == 1
