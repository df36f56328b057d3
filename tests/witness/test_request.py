"""The codec: what is rendered is read back, what is read is written in one way only, and nothing else is read."""

from __future__ import annotations

import contextlib
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.witness.conftest import Log

from outrider.errors import BadInputError
from outrider.ledger.note import sign
from outrider.ledger.verify.notes import cosigned_by, head_of, parse_note, parse_size
from outrider.witness.proof import extends
from outrider.witness.request import parse, render
from outrider.witness.witness import cosign, verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
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


@given(st.integers(1, (1 << 63) - 1), SIZES, HASHES)
def test_a_cosignature_holds_for_its_note_its_time_and_its_name_alone(seconds, size, root):
    own, checkpoint = verifier("witness.example/w1", KEY), sign("log.example/a", size, root, KEY).text
    line = cosign(parse_note(checkpoint.encode()).body, own, KEY, seconds)
    assert cosigned_by(parse_note(f"{checkpoint}{line}\n".encode()), own) == (
        parse_note(f"{checkpoint}{line}\n".encode()).signatures[1],
        seconds,
    )
    another = sign("log.example/a", size ^ 1, root, KEY).text
    with pytest.raises(BadInputError, match="does not hold"):
        cosigned_by(parse_note(f"{another}{line}\n".encode()), own)
    assert cosigned_by(parse_note(f"{checkpoint}{line}\n".encode()), verifier("witness.example/w2", KEY)) is None


def test_a_cosignature_is_the_one_of_the_specification():
    body = "log.example/a\n9\n" + "A" * 43 + "=\n"
    line = cosign(body, verifier("witness.example/w1", KEY), KEY, 1_679_315_147)
    text = b"cosignature/v1\ntime 1679315147\n" + body.encode()
    note = parse_note(f"{body}\n{line}\n".encode())
    KEY.public_key().verify(note.signatures[0].raw[8:], text)
    public = KEY.public_key().public_bytes_raw()
    assert note.signatures[0].hint == sha256(b"witness.example/w1\n\x04" + public).digest()[:4]
    assert note.signatures[0].raw[:8] == (1_679_315_147).to_bytes(8, "big")


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
