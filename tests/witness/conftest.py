"""Logs that are only trees and a key, and witnesses with a home of their own."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.ledger.note import sign, vkey
from outrider.ledger.tree import Tree, leaf_hash
from outrider.witness.home import WitnessHome
from outrider.witness.request import render


class Log:
    """A log in memory: what an attacker with its key has, too."""

    def __init__(self, origin: str = "log.example/a", key: Ed25519PrivateKey | None = None) -> None:
        self.origin = origin
        self.key = key or Ed25519PrivateKey.generate()
        self.tree = Tree(None)

    @property
    def vkey(self) -> str:
        return vkey(self.origin, self.key.public_key().public_bytes_raw())

    def grow(self, size: int, salt: bytes = b"") -> Log:
        while self.tree.size < size:
            self.tree.append(leaf_hash(salt + sha256(bytes([self.tree.size % 251])).digest()))
        return self

    def checkpoint(self, size: int | None = None) -> str:
        size = self.tree.size if size is None else size
        return sign(self.origin, size, self.tree.root(size), self.key).text

    def ask(self, old: int, size: int | None = None) -> bytes:
        size = self.tree.size if size is None else size
        return render(old, self.tree.consistency(old, size) if old <= size else (), self.checkpoint(size))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def other(log) -> Log:
    """The same log with the same key, and another history from its third event on."""
    forked = Log(log.origin, log.key).grow(2)
    return forked.grow(3, b"other")


@pytest.fixture(params=[False, True], ids=["ed25519", "ml-dsa-44"])
def home(request, tmp_path, log) -> WitnessHome:
    made = WitnessHome(tmp_path / "witness")
    made.make("witness.example/w1", lattice=request.param)
    made.know(log.vkey)
    return made


@pytest.fixture
def witness(home):
    opened, state = home.open(lambda: 1_790_000_000)
    yield opened
    state.close()
