import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.charter.model import Charter
from outrider.charter.seal import charter_in, key_id, sign, verify_signature
from outrider.errors import CharterError

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
CHARTER = Charter(name="mine", may={"read": ("repo/**",)})


def test_a_signed_charter_names_its_signer_and_comes_back_whole():
    envelope = sign(CHARTER, KEY)
    assert verify_signature(envelope, [OTHER.public_key(), KEY.public_key()]) == key_id(KEY.public_key())
    charter, signer = charter_in(envelope, [KEY.public_key()])
    assert (charter, signer) == (CHARTER, key_id(KEY.public_key()))
    assert charter.digest == CHARTER.digest


def test_a_signature_is_over_the_dsse_encoding():
    envelope = json.loads(sign(CHARTER, KEY))
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"]
    told = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    KEY.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), told)
    assert payload == CHARTER.canonical()


def damaged(change):
    envelope = json.loads(sign(CHARTER, KEY))
    change(envelope)
    return json.dumps(envelope).encode()


def reword(envelope):
    payload = base64.b64decode(envelope["payload"]).replace(b"repo/**", b"repo/*.")
    envelope["payload"] = base64.b64encode(payload).decode()


@pytest.mark.parametrize(
    "envelope",
    [
        damaged(reword),
        damaged(lambda one: one["signatures"].clear()),
        damaged(lambda one: one.update(payloadType="application/json")),
        damaged(lambda one: one.update(payload="***")),
        damaged(lambda one: one["signatures"][0].update(sig=base64.b64encode(b"\0" * 64).decode())),
        b"{}", b"", b"\xff", b"[" * 5000,
    ],
)  # fmt: skip
def test_a_damaged_envelope_is_refused(envelope):
    with pytest.raises(CharterError):
        verify_signature(envelope, [KEY.public_key()])


def test_a_key_id_in_the_envelope_is_not_believed():
    envelope = json.loads(sign(CHARTER, OTHER))
    envelope["signatures"][0]["keyid"] = key_id(KEY.public_key())
    with pytest.raises(CharterError, match="no trusted key"):
        verify_signature(json.dumps(envelope).encode(), [KEY.public_key()])


def test_nobody_is_trusted_by_default():
    with pytest.raises(CharterError):
        verify_signature(sign(CHARTER, KEY), [])
