"""Sealed bundles: whole ones verify with nothing of ours, changed ones do not, hostile ones are not even read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.attacks import ATTACKS
from tests.ledger.bundles import SEEN, bundle, contents, cosign, members, policy, raw_zip, record, resign, rewrite

from outrider.errors import BadInputError
from outrider.investigate.sealing import spans
from outrider.ledger.note import sign
from outrider.ledger.proving import Prover
from outrider.ledger.tree import Tree, leaf_hash
from outrider.ledger.verify.bundle import BundleError, parse_policy, verify
from outrider.ledger.verify.bundle.archive import Archive
from outrider.ledger.verify.bundle.leaves import spans as read_spans
from outrider.ledger.verify.bundle.notes import Note
from outrider.ledger.verify.bundle.single import source
from outrider.ledger.verify.bundle.tree import extends, includes, root_of
from outrider.ledger.verify.notes import LOG, WITNESS, Verifier

EVENTS = [0, 3, *range(5, 40), 255, 256, 298]


@pytest.fixture
def sealed(open_ledger, scribe, where, key, tmp_path):
    """A cosigned record and a bundle of it."""
    ledger = open_ledger()
    record(ledger, scribe(ledger))
    cosign(where)
    return bundle(where, key, tmp_path / "b.zip", contents(EVENTS, policy=policy(ledger.vkey).encode()))


@pytest.fixture
def vkey(sealed):
    return members(sealed)["keys/log.vkey"].decode().strip()


def checks(path: Path, **how) -> list[str]:
    return [check for check, _ in verify(path, **how).problems]


@pytest.fixture(scope="session")
def verify_py(tmp_path_factory):
    """Run the one file by a Python that has the standard library and cryptography, and cannot find us."""
    where = tmp_path_factory.mktemp("stranger")
    (where / "verify.py").write_text(source())
    import cryptography

    site = Path(cryptography.__file__).parents[1]
    (where / "only").mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend*", "pycparser"):
        for found in site.glob(name):
            (where / "only" / found.name).symlink_to(found)

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-S", str(where / "verify.py"), *map(str, arguments)],
            env={"PYTHONPATH": str(where / "only"), "PYTHONUTF8": "1"},
            cwd=where,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_bundle_verifies_by_the_one_file_in_it_without_us(sealed, vkey, verify_py, tmp_path):
    (tmp_path / "mine.policy").write_text(policy(vkey))
    code, said = verify_py(sealed, "--vkey", vkey, "--policy", tmp_path / "mine.policy")
    assert (code, "The bundle is whole: 40 events" in said) == (0, True), said
    assert "w1 saw the first 300 events" in said
    assert members(sealed)["verify.py"].decode() == source()
    assert "import outrider" not in source()
    assert "from outrider" not in source()


@pytest.mark.slow
def test_a_bundle_verifies_in_a_new_environment_that_has_only_cryptography(sealed, vkey, tmp_path):
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    got = subprocess.run(
        [python, "-m", "pip", "install", "-q", "cryptography"], capture_output=True, text=True, timeout=300, check=False
    )
    if got.returncode:
        pytest.skip(f"cryptography cannot be installed here: {got.stderr.strip().splitlines()[-1:]}")
    (tmp_path / "verify.py").write_bytes(members(sealed)["verify.py"])
    done = subprocess.run(
        [python, "-I", tmp_path / "verify.py", sealed, "--vkey", vkey, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"], said["events"], said["pinned"]) == (0, True, 40, True), done.stderr


def test_a_whole_bundle_says_what_it_proves_and_by_whose_word(sealed, vkey):
    report = verify(sealed)
    assert (report.ok, report.pinned, report.events, report.cosigned, report.quorum) == (
        True,
        False,
        40,
        {"w1": SEEN},
        "",
    )
    pinned = verify(sealed, vkey=vkey, policy=parse_policy(policy(vkey)))
    assert (pinned.ok, pinned.pinned, pinned.quorum) == (True, True, "yes")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_every_change_is_found_and_named(attack, sealed, vkey, key, tmp_path, verify_py):
    changed = rewrite(sealed, tmp_path / "changed.zip", lambda files: attack(files, key))
    found = verify(changed, vkey=vkey, policy=parse_policy(policy(vkey)))
    assert ATTACKS[attack][0] in [check for check, _ in found.problems], found.problems
    (tmp_path / "mine.policy").write_text(policy(vkey))
    code, said = verify_py(changed, "--vkey", vkey, "--policy", tmp_path / "mine.policy")
    assert (code, "NOT WHAT WAS SEALED" in said, f"problem  {ATTACKS[attack][0]}: " in said) == (6, True, True), said


def test_a_bundle_made_with_another_key_is_whole_and_not_the_one_that_was_asked_for(sealed, vkey, tmp_path):
    """A stranger's whole bundle proves nothing until the key is known from elsewhere."""
    other = vkey.replace("+", "x+", 1)
    assert checks(sealed, vkey=other) == ["key"]
    named, rest = vkey.split("+", 1)
    assert checks(sealed, vkey=f"{named}+00000000+{rest.split('+')[1]}") == ["key"]
    assert checks(sealed, vkey="nonsense") == ["key"]


def test_a_policy_that_means_another_log_or_another_witness_is_not_met(sealed, vkey):
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    stranger = Verifier("witness.test/w2", WITNESS, raw).vkey
    assert checks(sealed, policy=parse_policy(f"witness w2 {stranger}\nquorum w2\n")) == ["cosigned"]
    another = Verifier("outrider.test/other", LOG, raw).vkey
    assert checks(sealed, policy=parse_policy(f"log {another}\nquorum none\n")) == ["key"]


def test_a_key_and_a_policy_copied_from_the_bundle_are_named_as_such_and_prove_nothing(
    open_ledger, scribe, where, key, tmp_path, verify_py
):
    ledger = open_ledger()
    record(ledger, scribe(ledger), 20)
    cosign(where)
    for address, near in (
        ("http://127.0.0.1:8443/", True),
        ("http://[broken", False),
        ("https://witness.example/", False),
    ):
        own = policy().replace("https://witness.example", address)
        path = bundle(where, key, tmp_path / f"{len(address)}.zip", contents(range(9), policy=own.encode()))
        (tmp_path / "copied.policy").write_bytes(members(path)["keys/witnesses.policy"])
        code, said = verify_py(path, "--vkey", ledger.vkey, "--policy", tmp_path / "copied.policy")
        assert (code, "your policy" in said, "assurance `local`" in said) == (0, False, True), said
        assert "the same as the bundle carries: it proves nothing by itself" in said
        assert "The key you gave is the same as the bundle carries" in said
        assert ("on the same host" in said) == near, said
    guide = members(path)["VERIFY.md"].decode()
    assert ("unzip -p" in guide, "1 the package `cryptography` is missing" in guide, "{" in guide) == (
        True,
        True,
        False,
    )


def test_the_one_file_without_its_package_says_so_and_ends_as_its_guide_says(tmp_path):
    (tmp_path / "verify.py").write_text(source())
    done = subprocess.run(
        [sys.executable, "-S", "-I", tmp_path / "verify.py", "x.zip"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "needs the package cryptography" in done.stderr) == (1, True)


def test_events_behind_the_cosigned_checkpoint_come_with_a_proof_that_the_log_extends_it(
    open_ledger, scribe, where, key, tmp_path
):
    ledger = open_ledger()
    writes = scribe(ledger)
    record(ledger, writes, 100)
    cosign(where)
    for n in range(100, 300):
        writes.decide(n)
    ledger.seal()
    path = bundle(where, key, tmp_path / "b.zip", contents([0, 3, 42, 299], policy=policy().encode()))
    report = verify(path, policy=parse_policy(policy(ledger.vkey)))
    assert (report.problems, report.covered, report.quorum) == ([], 100, "yes")
    only_old = bundle(where, key, tmp_path / "old.zip", contents([0, 3, 42]))
    assert "cosigned" not in members(only_old)
    forged = sign(ledger.origin, 100, b"\1" * 32, key).text.encode()

    def change(files):
        files["cosigned"] = forged
        resign(files, key)

    assert "cosigned" in checks(rewrite(path, tmp_path / "forked.zip", change))


def test_the_tiles_make_the_root_and_a_changed_one_does_not(open_ledger, scribe, where, key, tmp_path):
    ledger = open_ledger()
    record(ledger, scribe(ledger), 600)
    path = bundle(where, key, tmp_path / "b.zip", contents([0, 3, 599], tiles=True))
    assert verify(path).told["tiles"] == "the hashes of all 600 events are here, and make the root"

    def change(files):
        files["tile/0/001"] = bytes(8192)
        resign(files, key)

    assert checks(rewrite(path, tmp_path / "changed.zip", change)) == ["tiles"]


def test_what_lies_beside_events_leaves_only_where_it_was_asked_for(open_ledger, scribe, where, key, tmp_path):
    ledger = open_ledger()
    record(ledger, scribe(ledger))
    without = members(bundle(where, key, tmp_path / "a.zip", contents([0, 3, 5])))
    assert not [name for name in without if name.startswith("beside/")]
    assert b"/tmp/5" not in b"".join(without.values())
    path = bundle(where, key, tmp_path / "b.zip", contents([0, 3, 5], besides=True))
    assert verify(path).ok
    assert b"/tmp/5" in members(path)["beside/5.msgpack"]

    def change(files):
        files["beside/5.msgpack"] = files["beside/5.msgpack"].replace(b"/tmp/5", b"/tmp/6")
        resign(files, key)

    assert checks(rewrite(path, tmp_path / "changed.zip", change)) == ["disclosed"]


def test_two_bundles_of_the_same_are_equal_byte_for_byte(open_ledger, scribe, where, key, tmp_path):
    ledger = open_ledger()
    record(ledger, scribe(ledger))
    one, two = (bundle(where, key, tmp_path / name, contents(EVENTS)) for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == two.read_bytes()


def test_only_what_is_sealed_can_be_proven(open_ledger, scribe, where, key, tmp_path):
    ledger = open_ledger()
    record(ledger, scribe(ledger))
    with pytest.raises(BadInputError, match="covers 300 events"):
        bundle(where, key, tmp_path / "b.zip", contents([0, 300]))


def test_a_prover_makes_the_tree_from_the_journal_where_tiles_are_gone_or_changed(open_ledger, scribe, where):
    ledger = open_ledger()
    record(ledger, scribe(ledger), 700)
    whole = Prover(where).proof_text(650, Prover(where).head)
    tile = where / "tile" / "0" / "001"
    tile.write_bytes(bytes(8192))
    assert Prover(where).proof_text(650, Prover(where).head) == whole
    tile.unlink()
    assert Prover(where).proof_text(650, Prover(where).head) == whole


HOSTILE = {
    "a traversal": raw_zip(("../../etc/passwd", b"x")),
    "an absolute path": raw_zip(("/etc/passwd", b"x")),
    "a backslash": raw_zip(("a\\..\\b", b"x")),
    "a hidden name": raw_zip((".bashrc", b"x")),
    "a folder": raw_zip(("events/", b"")),
    "a member twice": raw_zip(("MANIFEST.json", b"1"), ("MANIFEST.json", b"2")),
    "no manifest": raw_zip(("checkpoint", b"x")),
    "not a zip": b"hello" * 100,
    "nothing": b"",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_before_it_is_read(what, tmp_path, verify_py):
    path = tmp_path / "hostile.zip"
    path.write_bytes(HOSTILE[what])
    with pytest.raises(BundleError):
        verify(path)
    assert verify_py(path)[0] == 2


def test_a_symlink_a_device_and_an_encrypted_member_are_refused(tmp_path):
    for mode in (0o120777, 0o020666, 0o040755):
        info = zipfile.ZipInfo("MANIFEST.json")
        info.external_attr = mode << 16
        with pytest.raises(BundleError, match="not a file"):
            Archive(io.BytesIO(raw_zip((info, b"/etc/passwd"))))
    data = bytearray(raw_zip(("MANIFEST.json", b"x")))
    at = data.index(b"PK\1\2") + 8
    data[at] |= 1
    with pytest.raises(BundleError, match="encrypted"):
        Archive(io.BytesIO(bytes(data)))


def test_a_zip_bomb_is_refused_by_what_it_claims_and_by_what_it_unpacks_to(tmp_path):
    with pytest.raises(BundleError, match="zip bomb"):
        Archive(io.BytesIO(raw_zip(("a", bytes(20 << 20)))))
    with pytest.raises(BundleError, match="more than"):
        Archive(io.BytesIO(raw_zip(("a", bytes(65 << 20)))))
    honest = raw_zip(("a", bytes(5_000)))
    lying = bytearray(honest)
    at = lying.rindex(b"PK\1\2") + 24
    lying[at : at + 4] = (10).to_bytes(4, "little")
    archive = Archive(io.BytesIO(bytes(lying)))
    with pytest.raises(BundleError, match=r"cannot be unpacked|another size"):
        archive.read("a")
    crowded = bytearray(honest)
    at = len(crowded) - 12
    crowded[at : at + 2] = b"\xff\xff"
    with pytest.raises(BundleError, match="large zip"):
        Archive(io.BytesIO(bytes(crowded)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_bundle_with_any_bytes_changed_never_verifies_unnoticed_and_never_breaks_the_verifier(data):
    whole = raw_zip(
        ("MANIFEST.json", b'{"payload":"e30=","payloadType":"x","signatures":[]}'), ("checkpoint", b"x\n1\n")
    )
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = whole[:at] + bytes([byte]) + whole[at + 1 :]
    try:
        archive = Archive(io.BytesIO(changed))
        for name in archive.members:
            archive.read(name)
    except BundleError:
        return
    assert set(archive.members) == {"MANIFEST.json", "checkpoint"} or at < len(changed)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=40))
def test_spans_of_events_read_back_as_they_were_written(numbers):
    assert read_spans(json.loads(json.dumps(spans(numbers)))) == sorted(set(numbers))


class _NoTiles:
    def full(self, level, index):
        return None

    def again(self, level, index):
        raise AssertionError


def test_proofs_of_every_leaf_and_every_pair_of_small_trees_hold_and_no_other_does():
    tree = Tree(_NoTiles())
    hashes = [leaf_hash(bytes([n])) for n in range(40)]
    for one in hashes:
        tree.append(one)
    heads = [Note("x", size, tree.root(size), "", ()) for size in range(41)]
    for size in range(1, 41):
        assert root_of(hashes[:size]) == heads[size].root
        for index in range(size):
            path = tree.inclusion(index, size)
            assert includes(path, index, size, hashes[index], heads[size].root)
            assert not includes(path, index, size, hashes[index - 1], heads[size].root) or size == 1
            assert not includes([*path, hashes[0]], index, size, hashes[index], heads[size].root)
            assert not path or not includes(path[:-1], index, size, hashes[index], heads[size].root)
        for old in range(1, size + 1):
            path = list(tree.consistency(old, size))
            assert extends(path, heads[old], heads[size])
            forged = Note("x", old, b"\1" * 32, "", ())
            assert not extends(path, forged, heads[size])
            assert not extends([*path, hashes[0]], heads[old], heads[size])
