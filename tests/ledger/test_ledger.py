"""The writer: append, durable, sealed, proved, reopened."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from base64 import b64decode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from outrider.errors import BadInputError, RecordError, TamperedError, UnavailableError
from outrider.ledger.journal import HEAD, SEGMENT
from outrider.ledger.ledger import Ledger
from outrider.ledger.note import open_checkpoint
from outrider.ledger.sealer import SEAL_EVENTS, SEAL_LEAST_US, SEAL_US
from outrider.ledger.tree import leaf_hash


class Clock:
    def __init__(self) -> None:
        self.us = 0

    def __call__(self) -> int:
        return self.us


def test_the_index_is_known_while_the_leaf_is_built(open_ledger):
    ledger = open_ledger()
    assert [ledger.append(lambda n: (b"leaf %d" % n, b"")) for _ in range(3)] == [0, 1, 2]
    assert ledger.read(1) == (b"leaf 1", b"")
    assert ledger.leaf_hash(2) == sha256(b"\0leaf 2").digest()


def test_what_is_appended_is_durable_only_once_it_is_committed(open_ledger, plain):
    ledger = open_ledger()
    ledger.append(plain())
    assert (ledger.size, ledger.durable_size) == (1, 0)
    assert ledger.commit() == 1
    assert [e.n for e in ledger.entries()] == [0]


def test_a_build_that_fails_appends_nothing(open_ledger, plain):
    ledger = open_ledger()
    with pytest.raises(ZeroDivisionError):
        ledger.append(lambda n: (b"%d" % (1 // 0), b""))
    with pytest.raises(BadInputError):
        ledger.append(lambda n: (b"", b""))
    assert ledger.append(plain()) == 0
    assert ledger.root() == leaf_hash(ledger.read(0)[0])


def test_everything_is_there_again_after_a_restart(open_ledger, plain):
    ledger = open_ledger()
    for count in (1, 255, 1, 300, 77):
        for _ in range(count):
            ledger.append(plain())
        ledger.flush()
    root, proof, checkpoint = ledger.root(), ledger.inclusion(400, 634), ledger.seal()
    ledger.close()
    again = open_ledger()
    assert again.recovered is None
    assert (again.size, again.root(), again.inclusion(400, 634)) == (634, root, proof)
    assert again.checkpoint == checkpoint
    assert [e.leaf for e in again.entries(630)] == [plain()(n)[0] for n in range(630, 634)]


@pytest.mark.parametrize("loss", ["all tiles", "one tile", "a garbled tile", "a swapped tile"])
def test_tiles_that_are_lost_or_wrong_are_made_again_from_the_journal(open_ledger, where, plain, loss):
    ledger = open_ledger()
    for _ in range(1100):
        ledger.append(plain())
    root = ledger.seal().root
    ledger.close()
    tiles = where / "tile" / "0"
    if loss == "all tiles":
        shutil.rmtree(where / "tile")
    elif loss == "one tile":
        (tiles / "002").unlink()
    elif loss == "a garbled tile":
        (tiles / "002").write_bytes(bytes(8192))
    else:
        (tiles / "002").write_bytes((tiles / "001").read_bytes())
    again = open_ledger()
    assert again.root(1100) == root
    assert again.inclusion(600, 1100)
    again.append(plain())
    again.tiles()
    assert sorted(p.name for p in tiles.iterdir() if p.is_file()) == ["000", "001", "002", "003"]


def test_an_event_edited_below_the_checkpoint_is_noticed_when_it_is_read(open_ledger, where, plain):
    ledger = open_ledger(segment_bytes=SEGMENT)
    for _ in range(600):
        ledger.append(plain())
    ledger.seal()
    path = next((where / "journal").iterdir())
    data = bytearray(path.read_bytes())
    frame = len(data[HEAD:].split(b"event 1 ")[0])
    data[HEAD + frame] ^= 1
    path.write_bytes(data)
    with pytest.raises(TamperedError):
        ledger.read(1)


def test_a_record_shorter_than_its_checkpoint_is_refused(open_ledger, where, plain):
    ledger = open_ledger()
    for _ in range(5):
        ledger.append(plain())
        ledger.flush()
    ledger.close()
    path = next((where / "journal").iterdir())
    data = path.read_bytes()
    at = data.rindex(b"event 4 ") - 28
    path.write_bytes(data[:at].ljust(len(data), b"\0"))
    with pytest.raises(TamperedError):
        open_ledger()


def test_a_record_rewritten_with_good_checksums_is_refused(open_ledger, where, plain, tmp_path):
    for directory, text in ((where, b"true"), (tmp_path / "other", b"false")):
        ledger = open_ledger(directory)
        for _ in range(10):
            ledger.append(lambda n, text=text: (b"%d %s" % (n, text), b""))
        ledger.seal()
        ledger.close()
    shutil.rmtree(where / "journal")
    shutil.copytree(tmp_path / "other" / "journal", where / "journal")
    with pytest.raises(TamperedError, match="signed over"):
        open_ledger()


def test_a_checkpoint_of_another_key_or_log_is_refused(open_ledger, plain):
    ledger = open_ledger()
    ledger.append(plain())
    ledger.close()
    with pytest.raises(TamperedError, match="not signed"):
        open_ledger(key=Ed25519PrivateKey.generate())
    with pytest.raises(TamperedError, match="not signed"):
        open_ledger(origin="outrider.test/another")


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"no note", b"a\n1\nAAAA\n\n\xe2\x80\x94 outrider.test/log !!!\n"])
def test_a_garbled_checkpoint_is_refused(open_ledger, where, plain, text):
    ledger = open_ledger()
    ledger.append(plain())
    ledger.close()
    (where / "checkpoint").write_bytes(text)
    with pytest.raises(TamperedError):
        open_ledger()


def test_a_second_writer_is_turned_away(open_ledger, where):
    open_ledger()
    with pytest.raises(UnavailableError, match="another process"):
        open_ledger()


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_note_can_carry_is_refused(open_ledger, origin):
    with pytest.raises(BadInputError):
        open_ledger(origin=origin)


def test_a_closed_ledger_takes_nothing_more_and_closing_twice_is_fine(open_ledger, plain):
    ledger = open_ledger()
    ledger.append(plain())
    ledger.close()
    ledger.close()
    with pytest.raises(UnavailableError):
        ledger.append(plain())
    assert open_ledger().size == 1


def test_everything_in_the_record_is_private_to_its_user(open_ledger, where, plain):
    ledger = open_ledger()
    for _ in range(300):
        ledger.append(plain())
    ledger.tiles()
    for path in [where, *where.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_checkpoints_come_with_256_events_after_a_second_or_with_what_must_be_sealed(open_ledger, plain):
    clock = Clock()
    ledger = open_ledger(clock=clock)
    ledger.append(plain())
    ledger.flush()
    assert ledger.checkpoint.size == 1  # The first commit, so that a record is vouched for from the start.
    assert ledger.seal_in() is None
    ledger.append(plain())
    ledger.flush()
    assert ledger.checkpoint.size == 1
    assert ledger.seal_in() == SEAL_US / 1e6
    clock.us += SEAL_US
    ledger.flush()
    assert ledger.checkpoint.size == 2
    clock.us += SEAL_LEAST_US
    for _ in range(SEAL_EVENTS):
        ledger.append(plain())
    ledger.flush()
    assert ledger.checkpoint.size == 2 + SEAL_EVENTS
    clock.us += SEAL_LEAST_US
    ledger.append(plain(), seal=True)
    ledger.flush()
    assert ledger.checkpoint.size == 3 + SEAL_EVENTS


def test_checkpoints_are_coalesced_to_at_most_50_a_second(open_ledger, plain):
    clock, made = Clock(), set()
    ledger = open_ledger(clock=clock)
    for _ in range(1000):
        ledger.append(plain(), seal=True)
        ledger.flush()
        made.add(ledger.checkpoint.size)
        clock.us += 1000
    assert 45 <= len(made) <= 51


def test_a_clock_that_jumps_back_does_not_hold_up_checkpoints(open_ledger, plain):
    clock = Clock()
    clock.us = 10**12
    ledger = open_ledger(clock=clock)
    ledger.append(plain())
    ledger.flush()
    clock.us = 0
    ledger.append(plain())
    ledger.flush()
    assert ledger.checkpoint.size == 2


def test_the_checkpoint_on_disk_is_signed_and_tells_size_and_root(open_ledger, where, plain, key):
    ledger = open_ledger()
    for _ in range(5):
        ledger.append(plain())
    ledger.seal()
    found = open_checkpoint((where / "checkpoint").read_text(), ledger.origin, key.public_key())
    assert (found.size, found.root) == (5, ledger.root(5))
    assert (where / "log.vkey").read_text() == ledger.vkey + "\n"


def test_a_proof_file_holds_the_path_and_a_checkpoint_over_the_event(open_ledger, plain):
    ledger = open_ledger()
    for _ in range(10):
        ledger.append(plain())
    lines = ledger.proof_text(7).split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 7"]
    assert tuple(b64decode(line) for line in lines[2 : lines.index("")]) == ledger.inclusion(7, 10)
    assert lines[lines.index("") + 1 : lines.index("") + 3] == [ledger.origin, "10"]
    with pytest.raises(BadInputError):
        ledger.proof_text(10)


def test_appends_from_many_threads_each_get_a_place_of_their_own(open_ledger):
    ledger = open_ledger()
    places: list[tuple[int, int]] = []

    def work(me: int) -> None:
        for _ in range(200):
            places.append((me, ledger.append(lambda n: (b"%d by %d" % (n, me), b""))))
            ledger.commit()

    threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for _, n in places) == list(range(800))
    assert all(ledger.read(n)[0] == b"%d by %d" % (n, me) for me, n in places)


def test_nothing_is_half_acknowledged_when_the_disk_refuses_and_all_goes_on_when_it_takes_again(
    open_ledger, plain, monkeypatch
):
    ledger = open_ledger()
    ledger.append(plain())
    ledger.commit()
    ledger.append(plain())

    def full(fd: int, data: object, at: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        for _ in range(2):
            with pytest.raises(RecordError, match="No space left") as caught:
                ledger.commit()
            assert "Free some space" in caught.value.fix
        assert (ledger.size, ledger.durable_size) == (2, 1)
        with pytest.raises(RecordError):
            ledger.append(plain())
        assert ledger.size == 2
        assert ledger.read(1) == plain()(1)
    assert ledger.append(plain()) == 2
    assert ledger.commit() == 3
    root = ledger.root()
    ledger.close()
    assert open_ledger().root() == root


def test_a_checkpoint_that_cannot_be_written_stops_no_event_and_is_tried_again(open_ledger, where, plain):
    clock = Clock()
    ledger = open_ledger(clock=clock)
    (where / "checkpoint.new").mkdir()
    ledger.append(plain(), seal=True)
    clock.us += SEAL_US
    assert ledger.flush() == 1
    assert "cannot be written" in ledger.seal_problem
    with pytest.raises(RecordError):
        ledger.seal()
    (where / "checkpoint.new").rmdir()
    clock.us += SEAL_US
    ledger.flush()
    assert (ledger.seal_problem, ledger.checkpoint.size) == ("", 1)


class Machine(RuleBasedStateMachine):
    """Any order of appends, commits, seals, tilings and restarts, against a plain list."""

    make: staticmethod

    def __init__(self) -> None:
        super().__init__()
        self.model: list[tuple[bytes, bytes]] = []
        self.ledger: Ledger = type(self).make(fresh=True)

    @rule(count=st.integers(1, 300), size=st.integers(1, 600))
    def append(self, count: int, size: int) -> None:
        for _ in range(count):
            pair = (b"%d" % len(self.model) + b"x" * size, b"y" * (size % 7))
            assert self.ledger.append(lambda _, pair=pair: pair) == len(self.model)
            self.model.append(pair)

    @rule()
    def commit(self) -> None:
        assert self.ledger.commit() == len(self.model)

    @rule()
    def seal(self) -> None:
        assert self.ledger.seal().size == len(self.model)

    @rule()
    def tiles(self) -> None:
        self.ledger.tiles()

    @rule()
    def restart(self) -> None:
        root = self.ledger.root()
        self.ledger.close()
        self.ledger = type(self).make(fresh=False)
        assert self.ledger.root() == root

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        if self.model:
            n = data.draw(st.integers(0, len(self.model) - 1))
            assert self.ledger.read(n) == self.model[n]

    @invariant()
    def sizes_agree(self) -> None:
        assert self.ledger.size == len(self.model)
        assert self.ledger.checkpoint.size <= self.ledger.durable_size <= len(self.model)

    def teardown(self) -> None:
        self.ledger.commit()
        assert [(e.leaf, e.beside) for e in self.ledger.entries()] == self.model
        self.ledger.close()


def test_the_ledger_behaves_as_a_list_that_forgets_nothing(tmp_path_factory, key):
    here = {}

    def make(*, fresh: bool) -> Ledger:
        if fresh:
            here["at"] = tmp_path_factory.mktemp("record")
        return Ledger.open(here["at"], origin="outrider.test/log", key=key, segment_bytes=32 << 10)

    Machine.make = staticmethod(make)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    quick = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Machine, settings=quick)
