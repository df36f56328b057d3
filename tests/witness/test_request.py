"""The codec: what is rendered is read back, what is read is written in one way only, and nothing else is read."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.witness.conftest import Log

from outrider.errors import BadInputError
from outrider.ledger.note import sign
from outrider.ledger.verify.bundle import notes as bundle
from outrider.ledger.verify.notes import LOG as LOG_KEY
from outrider.ledger.verify.notes import Note, cosigned_by, head_of, parse_note, parse_size, parse_verifier
from outrider.witness.proof import extends
from outrider.witness.request import parse, render
from outrider.witness.witness import cosign, verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LATTICE_KEY = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
HASHES = st.binary(min_size=32, max_size=32)
SIZES = st.integers(0, (1 << 63) - 1)
GOOD = render(7, (bytes(32), sha256(b"").digest()), sign("log.example/a", 9, bytes(32), KEY).text)


@given(SIZES, st.lists(HASHES, max_size=63), SIZES, HASHES)
def test_what_is_rendered_is_read_back(old, proof, size, root):
    checkpoint = sign("log.example/a", size, root, KEY).text
    read = parse(render(old, tuple(proof), checkpoint))
    assert (read.old, read.proof, read.head.size, read.head.root) == (old, tuple(proof), size, root)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_reason(body):
    with contextlib.suppress(BadInputError):
        parse(body)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_request_is_refused_or_means_something_else_to_the_signature(at, put, cut):
    body = GOOD[:at] + put + GOOD[at + cut :]
    try:
        read = parse(body)
    except BadInputError:
        return
    lines = "".join(f"{one.line}\n" for one in read.note.signatures)
    assert render(read.old, read.proof, f"{read.note.body}\n{lines}") == body


@pytest.mark.parametrize("text", ["", "01", "+1", " 1", "1 ", "1_0", "-0", str(1 << 63), "\uff19"])
def test_a_size_is_written_in_one_way(text):
    with pytest.raises(BadInputError):
        parse_size(text)


@pytest.mark.parametrize("key", [KEY, LATTICE_KEY], ids=["ed25519", "ml-dsa-44"])
@given(seconds=st.integers(1, (1 << 63) - 1), size=SIZES, root=HASHES)
def test_a_cosignature_holds_for_its_note_its_time_and_its_name_alone(key, seconds, size, root):
    own, checkpoint = verifier("witness.example/w1", key), sign("log.example/a", size, root, KEY).text
    line = cosign(parse_note(checkpoint.encode()), own, key, seconds)
    assert cosigned_by(parse_note(f"{checkpoint}{line}\n".encode()), own) == (
        parse_note(f"{checkpoint}{line}\n".encode()).signatures[1],
        seconds,
    )
    another = sign("log.example/a", size ^ 1, root, KEY).text
    with pytest.raises(BadInputError, match="does not hold"):
        cosigned_by(parse_note(f"{another}{line}\n".encode()), own)
    assert cosigned_by(parse_note(f"{checkpoint}{line}\n".encode()), verifier("witness.example/w2", key)) is None


def test_a_cosignature_is_the_one_of_the_specification():
    body = "log.example/a\n9\n" + "A" * 43 + "=\n"
    line = cosign(Note(body, ()), verifier("witness.example/w1", KEY), KEY, 1_679_315_147)
    text = b"cosignature/v1\ntime 1679315147\n" + body.encode()
    note = parse_note(f"{body}\n{line}\n".encode())
    KEY.public_key().verify(note.signatures[0].raw[8:], text)
    public = KEY.public_key().public_bytes_raw()
    assert note.signatures[0].hint == sha256(b"witness.example/w1\n\x04" + public).digest()[:4]
    assert note.signatures[0].raw[:8] == (1_679_315_147).to_bytes(8, "big")


def test_a_cosignature_of_ml_dsa_44_is_the_one_of_the_specification():
    """It commits to the cosigner's name, and not to extension lines; two checks of ours agree on it."""
    root, body = b"\x01" * 32, "log.example/a\n9\n" + b64encode(b"\x01" * 32).decode() + "\nmore\n"
    own = verifier("witness.example/w1", LATTICE_KEY)
    line = cosign(Note(body, ()), own, LATTICE_KEY, 1_679_315_147)
    note = parse_note(f"{body}\n{line}\n".encode())
    public = LATTICE_KEY.public_key()
    message = (
        b"subtree/v1\n\0" + b"\x12witness.example/w1" + (1_679_315_147).to_bytes(8, "big")
        + b"\x0dlog.example/a" + bytes(8) + (9).to_bytes(8, "big") + root
    )  # fmt: skip
    public.verify(note.signatures[0].raw[8:], message)
    assert note.signatures[0].hint == sha256(b"witness.example/w1\n\x06" + public.public_bytes_raw()).digest()[:4]
    assert len(note.signatures[0].raw) == 8 + 2420
    mine = bundle.parse_key(own.vkey, bundle.WITNESS)
    assert bundle.cosigned(bundle.parse_note(f"{body}\n{line}\n".encode()), mine) == 1_679_315_147
    forged = f"{body.replace('9', '8')}\n{line}\n".encode()
    with pytest.raises(bundle.WrongError, match="does not hold"):
        bundle.cosigned(bundle.parse_note(forged), mine)
    with pytest.raises(BadInputError, match="is wanted"):
        parse_verifier(own.vkey, kind=LOG_KEY)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_proof_of_the_tree_is_believed(old, new):
    old, new = sorted((old, new))
    tree = LOG.tree
    assert extends((old, tree.root(old)), (new, tree.root(new)), tree.consistency(old, new))


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_a_changed_proof_is_not_believed(old, new, data):
    old, new = sorted((old, new))
    tree = LOG.tree
    proof = list(tree.consistency(old, new))
    how = data.draw(st.sampled_from(["add", "drop", "flip", "old", "new"]))
    roots = [tree.root(old), tree.root(new)]
    if how == "add" or not proof:
        proof.insert(data.draw(st.integers(0, len(proof))), data.draw(HASHES))
    elif how == "drop":
        del proof[data.draw(st.integers(0, len(proof) - 1))]
    elif how == "flip":
        proof[data.draw(st.integers(0, len(proof) - 1))] = data.draw(HASHES)
    else:
        roots[how == "new"] = data.draw(HASHES)
    assert not extends((old, roots[0]), (new, roots[1]), proof)


LOG = Log().grow(300)


@pytest.mark.parametrize("change", [("\n9\n", "\n09\n"), ("log.example/a\n9", "log.example/a\n\n9"), ("\u2014 ", "- ")])
def test_a_checkpoint_is_written_in_one_way(change):
    text = sign("log.example/a", 9, bytes(32), KEY).text.replace(*change, 1)
    with pytest.raises(BadInputError):
        head_of(parse_note(text.encode()))
