"""Keys: made once, private, never replaced, never read where others could have."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from outrider.errors import RecordError, RefusedError
from outrider.ledger.keys import PRINT_KEY, log_key, print_key


@pytest.mark.parametrize("load", [log_key, print_key])
def test_a_key_is_made_once_and_is_private(tmp_path, load):
    path = tmp_path / "some.key"
    load(path)
    made = path.read_bytes()
    load(path)
    assert path.read_bytes() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_log_key_comes_back(tmp_path):
    first, second = log_key(tmp_path / "k"), log_key(tmp_path / "k")
    assert first.public_key() == second.public_key()
    assert log_key(tmp_path / "other").public_key() != first.public_key()


def test_a_print_key_has_32_bytes_that_differ_from_host_to_host(tmp_path):
    assert len(print_key(tmp_path / "a")) == PRINT_KEY
    assert print_key(tmp_path / "a") != print_key(tmp_path / "b")


def test_all_who_make_a_key_at_once_get_the_same_one(tmp_path):
    got: list[bytes] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        got.append(print_key(tmp_path / "k"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["k"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
@pytest.mark.parametrize("load", [log_key, print_key])
def test_a_key_that_others_could_read_is_refused_with_the_command_that_helps(tmp_path, load, mode):
    path = tmp_path / "k"
    load(path)
    path.chmod(mode)
    with pytest.raises(RefusedError) as caught:
        load(path)
    assert caught.value.fix == f"Run: chmod 600 {path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(tmp_path):
    path = tmp_path / "k"
    print_key(path)
    os.chown(path, 12345, -1)
    with pytest.raises(RefusedError, match="another user"):
        print_key(path)


def test_a_symbolic_link_is_not_followed_to_a_key(tmp_path):
    print_key(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(RecordError):
        print_key(tmp_path / "link")


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_file_that_is_no_key_is_never_replaced(tmp_path, content):
    for load in (log_key, print_key):
        path = tmp_path / load.__name__
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(RecordError):
            load(path)
        assert path.read_bytes() == content


def test_a_key_of_another_kind_is_named(tmp_path):
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "k").write_bytes(pem)
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(RecordError, match="not Ed25519"):
        log_key(tmp_path / "k")


def test_a_directory_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(RecordError, match="cannot be read or made"):
        log_key(tmp_path / "no" / "k")
