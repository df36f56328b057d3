"""Packed segments: the same events, read block by block, and a clear word where a pack is not what was written."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import tracemalloc
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.conftest import ORIGIN, Scribe

from outrider.errors import BadInputError, OutriderError, TamperedError
from outrider.ledger import packs
from outrider.ledger.frame import pack
from outrider.ledger.journal import Journal, head, list_segments
from outrider.ledger.ledger import Ledger
from outrider.ledger.packs import pack_path, pack_segment
from outrider.ledger.reader import Reader
from outrider.ledger.verify import parallel, verify

BLOCK = 4 << 10
EVENTS = 600


@pytest.fixture(scope="module")
def made(tmp_path_factory, key):
    """A sealed record of 600 real events in several segments, made once."""
    where = tmp_path_factory.mktemp("made") / "record"
    with Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=48 << 10) as ledger:
        scribe = Scribe(ledger)
        scribe.open()
        for n in range(1, EVENTS):
            scribe.decide(n)
            if n % 37 == 0:
                ledger.commit()
        ledger.tiles()
    return where


@pytest.fixture
def copy(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "copy"))


def put_packs(where: Path, block: int = BLOCK) -> list[Path]:
    """Put a pack in the place of every closed segment."""
    there, done = list_segments(where / "journal"), []
    (where / "pack").mkdir(exist_ok=True)
    for (first, path), (following, _) in pairwise(there):
        done.append(pack_path(where, first))
        done[-1].write_bytes(pack_segment(path.read_bytes(), first, following - first, block=block))
        path.unlink()
    return done


def leaves(where: Path) -> list[tuple[int, bytes, bytes]]:
    return list(Reader(where).entries())


def test_a_pack_is_read_as_the_segment_that_it_was(copy, made, key):
    there = put_packs(copy)
    assert len(there) > 4
    assert len(list((copy / "journal").iterdir())) == 1
    assert leaves(copy) == leaves(made)
    dice, reader = random.Random(1), Reader(copy)
    for start in (dice.randrange(EVENTS) for _ in range(200)):
        stop = min(start + dice.randint(1, 60), EVENTS)
        assert [one.n for one in reader.entries(start, stop)] == list(range(start, stop))
    with Ledger.open(copy, origin=ORIGIN, key=key) as ledger:
        assert [ledger.read(n)[0] for n in range(EVENTS)] == [leaf for _, leaf, _ in leaves(made)]
        assert [one.n for one in ledger.entries(100, 500)] == list(range(100, 500))


def test_a_packed_record_verifies_to_the_same_report_and_grows_on(copy, made, key):
    put_packs(copy)
    assert verify(copy) == verify(made)
    with Ledger.open(copy, origin=ORIGIN, key=key) as ledger:
        scribe = Scribe(ledger)
        scribe.heads = {}
        ledger.append(lambda n: (b'{"n":%d,"v":1}' % n, b""))
        assert ledger.flush() == EVENTS + 1
    assert Reader(copy).size() == EVENTS + 1


def test_several_processes_verify_packs_and_find_what_one_finds(copy, monkeypatch):
    there = put_packs(copy)
    monkeypatch.setattr(parallel, "LEAST", 0)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 2)
    assert verify(copy).ok
    data = bytearray(there[2].read_bytes())
    data[len(data) // 2] ^= 1
    there[2].write_bytes(data)
    together = verify(copy)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 1)
    assert not together.ok
    assert together == verify(copy)


def test_the_program_zstd_makes_a_pack_into_the_segment_byte_for_byte(copy, made, tmp_path):
    program = shutil.which("zstd")
    if program is None:
        pytest.skip("zstd is not installed")
    for one in put_packs(copy):
        out = tmp_path / one.name.removesuffix(".zst")
        subprocess.run([program, "-q", "-d", one, "-o", out], check=True)
        assert out.read_bytes() == (made / "journal" / out.name).read_bytes()


def test_any_reader_of_zstd_makes_a_pack_into_the_segment(copy, made):
    for one in put_packs(copy):
        with zstandard.ZstdDecompressor().stream_reader(one.read_bytes(), read_across_frames=True) as reader:
            assert reader.read() == (made / "journal" / one.name.removesuffix(".zst")).read_bytes()


def test_one_event_is_read_by_unpacking_one_block(copy, monkeypatch):
    put_packs(copy)
    real, asked = packs._unpacked, []
    monkeypatch.setattr(packs, "_unpacked", lambda *one: asked.append(one[1]) or real(*one))
    reader = Reader(copy)
    assert next(reader.entries(321, 322)).n == 321
    assert len(asked) == 1
    assert next(reader.entries(321, 322)).n == 321
    assert len(asked) == 1


def test_where_segment_and_pack_are_both_there_the_segment_counts(copy, made):
    before = {path.name: path.read_bytes() for path in (copy / "journal").iterdir()}
    there = put_packs(copy)
    for name, data in before.items():
        (copy / "journal" / name).write_bytes(data)
    there[0].write_bytes(b"a pack that was not finished")
    (copy / "pack" / f"{there[1].name}.new").write_bytes(b"one that is being made")
    assert leaves(copy) == leaves(made)
    assert verify(copy).ok


def test_a_segment_that_is_packed_under_an_open_reader_is_read_from_its_pack(copy, made, key):
    reader, ledger = Reader(copy), Ledger.open(copy, origin=ORIGIN, key=key)
    begun = reader.entries()
    assert next(begun).n == 0
    assert ledger.read(EVENTS - 1)
    put_packs(copy)
    assert [one.n for one in begun] == list(range(1, EVENTS))
    assert [one.n for one in reader.entries()] == list(range(EVENTS))
    assert [ledger.read(n)[0] for n in range(EVENTS)] == [leaf for _, leaf, _ in leaves(made)]
    ledger.close()


def test_a_record_whose_last_segment_was_lost_empty_goes_on_behind_its_last_pack(copy, key):
    put_packs(copy)
    (last,) = (copy / "journal").iterdir()
    first = int(last.stem)
    last.write_bytes(head(first).ljust(4096, b"\0"))
    (copy / "durable").unlink()
    assert Reader(copy).size() == first
    journal = Journal(copy, known=0, segment_bytes=8192)
    assert journal.size == first
    assert not list((copy / "journal").iterdir())
    journal.write(first, [pack(first, first, b"next", b"")])
    assert journal.read(first).leaf == b"next"
    journal.close()
    assert Reader(copy).size() == first + 1


def test_a_name_that_no_pack_has_is_told(copy, key):
    put_packs(copy)
    (copy / "pack" / "notes.txt").write_text("hello")
    with pytest.raises(TamperedError, match=r"notes\.txt is no pack"):
        list(Reader(copy).entries())
    assert "pack/notes.txt is no pack of the journal" in str(verify(copy).problems[0])


# --- what a pack may not hold --------------------------------------------------------------------------------------


def small(where: Path) -> tuple[Path, list[tuple[int, bytes, bytes]]]:
    """A journal of two segments, the first packed in blocks of a few events; and its events."""
    (where / "journal").mkdir(parents=True)
    frames = [pack(n, n - n % 3, b'{"n":%d,"v":1}' % n, b"b" * (n % 7)) for n in range(14)]
    segment = (head(0) + b"".join(frames[:12])).ljust(800, b"\0")
    (where / "journal" / f"{12:020d}.seg").write_bytes((head(12) + b"".join(frames[12:])).ljust(900, b"\0"))
    path = pack_path(where, 0)
    path.parent.mkdir()
    path.write_bytes(pack_segment(segment, 0, 12, block=120))
    return path, leaves(where)


def readings(where: Path, events: list[tuple[int, bytes, bytes]]) -> int:
    """Read every event by its index, afresh; each is right or refused. Return how many were refused."""
    refused = 0
    for n in range(12):
        try:
            (one,) = Reader(where).entries(n, n + 1)
        except OutriderError:
            refused += 1
        else:
            assert one == events[n]
    return refused


def told(where: Path) -> list[str]:
    return [str(one) for one in verify(where).problems if one.check in {"pack", "frame", "segments"}]


def test_every_flipped_bit_of_a_pack_is_found_and_never_gives_a_wrong_event(tmp_path):
    path, events = small(tmp_path)
    assert told(tmp_path) == []
    whole = path.read_bytes()
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        assert any(one.startswith("pack: ") for one in told(tmp_path)), at
        assert readings(tmp_path, events), at


def test_a_pack_cut_short_anywhere_is_found_and_never_gives_a_wrong_event(tmp_path):
    path, events = small(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert any(one.startswith("pack: ") for one in told(tmp_path)), length
        assert readings(tmp_path, events) == 12
    path.write_bytes(whole + b"\0")
    assert told(tmp_path) == [f"pack: pack/{path.name} cannot be unpacked: 1 bytes stand behind its last block"]


def test_a_damaged_block_is_named_with_its_events_and_the_others_are_read(tmp_path):
    path, events = small(tmp_path)
    blocks = packs.read_index(path, 0).blocks
    assert len(blocks) > 3
    data = bytearray(path.read_bytes())
    data[blocks[1].at + 9] ^= 4
    path.write_bytes(data)
    last = blocks[1].first + blocks[1].events - 1
    which = f"block 1 of pack/{path.name}, which holds events {blocks[1].first} to {last},"
    assert told(tmp_path) == [f"pack: {which} cannot be unpacked: its checksum does not hold"]
    assert readings(tmp_path, events) == blocks[1].events
    assert verify(tmp_path).events == 14 - blocks[1].events


def test_a_pack_of_another_log_does_not_come_out_at_the_checkpoint(copy, key, tmp_path):
    (victim, *_) = put_packs(copy)
    other = tmp_path / "other"
    with Ledger.open(other, origin=ORIGIN, key=key, segment_bytes=48 << 10) as ledger:
        scribe = Scribe(ledger)
        scribe.open()
        for n in range(1, EVENTS):
            scribe.decide(n, "deny")
    (theirs, *_) = put_packs(other)
    victim.write_bytes(theirs.read_bytes())
    report = verify(copy)
    assert {"root", "tile"} <= {one.check for one in report.problems}
    with Ledger.open(copy, origin=ORIGIN, key=key) as ledger, pytest.raises(TamperedError, match="not what was app"):
        ledger.read(5)


def test_a_pack_under_another_name_is_refused(tmp_path):
    path, _ = small(tmp_path)
    moved = path.with_name(path.name.replace("0.seg", "1.seg"))
    path.rename(moved)
    assert "its index is of another segment" in " ".join(told(tmp_path))
    with pytest.raises(TamperedError):
        list(Reader(tmp_path).entries())


ROW = struct.Struct(">4I")


def lying(path: Path, rows: list[tuple[int, int, int, int]], blocks: bytes, size: int | None = None) -> None:
    """Write a pack whose index says so, checksums and all."""
    index = struct.pack(">4sQQI", b"ORP1", 0, sum(row[1] for row in rows) if size is None else size, len(rows))
    index += b"".join(ROW.pack(*row) for row in rows)
    index += struct.pack(">I", crc32(index))
    path.write_bytes(struct.pack("<II", 0x184D2A57, len(index)) + index + blocks)


def parsed(path: Path) -> tuple[list[tuple[int, int, int, int]], list[bytes]]:
    data = path.read_bytes()
    rows = [(one.packed, one.size, one.events, one.crc) for one in packs.read_index(path, 0).blocks]
    return rows, [data[one.at : one.at + one.packed] for one in packs.read_index(path, 0).blocks]


LIES = st.sampled_from([0, 1, 2, 3, 27, 28, 29, 1 << 16, 3 << 20, 1 << 26, 0xFFFFFFFF])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_index_that_lies_is_found_and_never_gives_a_wrong_event(tmp_path_factory, data):
    where = tmp_path_factory.mktemp("lies")
    path, events = small(where)
    rows, blocks = parsed(path)
    at, field = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 3))
    changed = list(rows[at])
    changed[field] = data.draw(LIES | st.integers(0, 0xFFFFFFFF))
    kind = data.draw(st.sampled_from(["field", "swap", "drop", "twice", "size", "move"]))
    size = None
    if kind == "field":
        rows[at] = tuple(changed)
    elif kind == "swap":
        rows[at], rows[at - 1] = rows[at - 1], rows[at]
        if data.draw(st.booleans()):
            blocks[at], blocks[at - 1] = blocks[at - 1], blocks[at]
    elif kind == "drop":
        del rows[at]
        if data.draw(st.booleans()):
            del blocks[at]
    elif kind == "twice":
        rows.insert(at, rows[at])
        blocks.insert(at, blocks[at])
    elif kind == "size":
        size = changed[field]
    else:  # An event is said to be in the block before it.
        rows[at] = (*rows[at][:2], rows[at][2] - 1, rows[at][3])
        rows[at - 1] = (*rows[at - 1][:2], rows[at - 1][2] + 1, rows[at - 1][3])
    before = parsed(path)
    lying(path, rows, b"".join(blocks), size)
    if (rows, blocks) == before and size in {None, 800}:
        assert told(where) == []
        return
    assert told(where)
    readings(where, events)


def test_a_block_that_begins_within_what_lies_beside_an_event_is_found(tmp_path):
    """The forged frames have right indexes and checksums, and only the place of the block's edge is wrong."""
    forged = b"".join(pack(n, 1, b'{"n":%d,"v":1,"forged":1}' % n, b"") for n in range(1, 4))
    (tmp_path / "journal").mkdir()
    first = pack(0, 0, b'{"n":0,"v":1}', b"beside" + forged)
    segment = head(0) + first + b"".join(pack(n, 1, b'{"n":%d,"v":1}' % n, b"") for n in range(1, 4))
    cut = len(head(0) + first) - len(forged)
    pieces = [segment[:cut], segment[cut : cut + len(forged)], segment[cut + len(forged) :]]
    made = [zstandard.ZstdCompressor().compress(one) for one in pieces]
    path = pack_path(tmp_path, 0)
    path.parent.mkdir()
    rows = [(len(z), len(raw), n, crc32(z)) for z, raw, n in zip(made, pieces, (1, 3, 3), strict=True)]
    lying(path, rows, b"".join(made))
    (tmp_path / "journal" / f"{4:020d}.seg").write_bytes(head(4) + pack(4, 4, b'{"n":4,"v":1}', b""))
    assert any(one.startswith("pack: block 0 ") for one in told(tmp_path))


def bombs() -> list[bytes]:
    """Blocks of a few bytes that would become gigabytes: one that says so, one that does not, one that says less."""
    long = zstandard.ZstdCompressor(level=1)
    honest = long.compress(bytes(1 << 28))
    silent = zstandard.ZstdCompressor(level=1, write_content_size=False).compress(bytes(1 << 28))
    frame = bytearray(honest)
    assert zstandard.frame_content_size(bytes(frame)) == 1 << 28
    at = bytes(frame).index(struct.pack("<I", 1 << 28))
    frame[at : at + 4] = struct.pack("<I", 1 << 20)
    return [honest, silent, bytes(frame)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_bomb_is_refused_before_it_takes_memory(tmp_path, which):
    path, _ = small(tmp_path)
    bomb = bombs()[which]
    lying(path, [(len(bomb), 1 << 20, 12, crc32(bomb))], bomb)
    tracemalloc.start()
    try:
        found = told(tmp_path)
        with pytest.raises(TamperedError, match="block 0"):
            list(Reader(tmp_path).entries())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found[0].startswith(f"pack: block 0 of pack/{path.name}, which holds events 0 to 11, cannot be unpacked")
    assert most < 16 << 20


@pytest.mark.parametrize("rows", [[(1 << 22, 1 << 31, 12, 0)], [(1, 3 << 20, 12, 0)] * 23, [(1, 60, 2, 0)] * 4097])
def test_an_index_that_promises_more_than_a_segment_holds_is_refused_unread(tmp_path, rows):
    path, _ = small(tmp_path)
    lying(path, rows, bytes(100))
    assert "its index" in " ".join(told(tmp_path)) or "begin with an index" in " ".join(told(tmp_path))
    with pytest.raises(TamperedError, match=r"index|begin"):
        list(Reader(tmp_path).entries())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_in_a_pack_get_a_verdict(tmp_path_factory, junk, begun):
    where = tmp_path_factory.mktemp("junk")
    path, events = small(where)
    path.write_bytes((path.read_bytes()[:60] if begun else b"") + junk)
    assert told(where)
    assert readings(where, events)


@pytest.mark.parametrize(
    ("segment", "count", "why"),
    [
        (lambda whole: whole, 13, "event 12 is damaged or gone"),
        (lambda whole: whole, 11, "behind its last event"),
        (lambda whole: whole[:60] + b"!" + whole[61:], 12, "event 1 is damaged or gone"),
        (lambda whole: whole + b"x", 12, "behind its last event"),
        (lambda whole: whole + bytes(3 << 20), 12, "behind its last event"),
        (lambda whole: whole + bytes(65 << 20), 12, "is not packed"),
    ],
)
def test_a_segment_that_is_not_whole_is_not_packed(segment, count, why):
    whole = head(0) + b"".join(pack(n, 0, b"%d" % n, b"") for n in range(12)) + bytes(50)
    with pytest.raises(BadInputError, match=why):
        pack_segment(segment(whole), 0, count)
