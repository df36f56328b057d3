"""Bundles and cosignatures, checked by Go's own transparency-log packages and nothing of ours."""

from __future__ import annotations

import pytest
from tests.ledger.attacks import ATTACKS
from tests.ledger.bundles import (
    SEEN,
    WITNESS_VKEY,
    bundle,
    contents,
    cosign,
    members,
    policy,
    raw_zip,
    record,
    rewrite,
)

from outrider.ledger.compact import compact

pytestmark = pytest.mark.real

EVENTS = [0, 3, *range(5, 40), 255, 256, 298]


@pytest.fixture
def sealed(open_ledger, scribe, where, key, tmp_path):
    ledger = open_ledger()
    record(ledger, scribe(ledger))
    cosign(where)
    return bundle(where, key, tmp_path / "b.zip", contents(EVENTS, policy=policy(ledger.vkey).encode()))


@pytest.fixture
def vkey(sealed):
    return members(sealed)["keys/log.vkey"].decode().strip()


def test_go_checks_our_bundle_and_that_a_witness_cosigned_it(check, sealed, vkey, where):
    assert check("bundle", vkey, sealed) == (0, "bundle 40 events of 300")
    assert check("bundle", vkey, sealed, WITNESS_VKEY.vkey) == (0, "bundle 40 events of 300")
    assert check("cosigned", vkey, where / "cosigned", WITNESS_VKEY.vkey) == (0, f"cosigned {SEEN}")
    code, said = check("cosigned", vkey, where / "checkpoint", WITNESS_VKEY.vkey)
    assert (code, said) == (1, "the checkpoint is not cosigned by witness.test/w1")


def test_go_checks_a_bundle_of_a_packed_record_which_is_the_same_bundle(check, sealed, vkey, where, key, tmp_path):
    assert compact(where, progress=lambda *_: None).segments > 2
    given = contents(EVENTS, policy=policy(vkey).encode())
    again = bundle(where, key, tmp_path / "packed.zip", given)
    assert members(again) == members(sealed)
    assert check("bundle", vkey, again, WITNESS_VKEY.vkey) == (0, "bundle 40 events of 300")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_go_finds_every_change_too_and_names_it(check, attack, sealed, vkey, key, tmp_path):
    changed = rewrite(sealed, tmp_path / "changed.zip", lambda files: attack(files, key))
    code, said = check("bundle", vkey, changed, WITNESS_VKEY.vkey)
    assert (code, ATTACKS[attack][1] in said) == (1, True), said


def test_go_refuses_members_that_are_not_safe(check, vkey, tmp_path):
    for name in ("../x", "/x", ".x", "a/../x"):
        path = tmp_path / "hostile.zip"
        path.write_bytes(raw_zip((name, b"x")))
        code, said = check("bundle", vkey, path)
        assert (code, "not safe" in said or "insecure" in said) == (1, True), said
