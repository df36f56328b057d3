"""The tamper suite: each way to change the record, and the check that shows it."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import outrider.ledger.verify as package
from outrider.errors import UnavailableError
from outrider.events.record import CallResult, Commitment, DaemonStarted, DaemonStopped, RecordGap, RecordRecovered
from outrider.ledger.frame import pack
from outrider.ledger.journal import HEAD, head
from outrider.ledger.ledger import Ledger
from outrider.ledger.note import sign
from outrider.ledger.note import vkey as vkey_of
from outrider.ledger.reader import Reader
from outrider.ledger.verify import parallel, verify

ORIGIN = "outrider.test/log"


@pytest.fixture(scope="module")
def made(tmp_path_factory, key):
    """A sealed and tiled record of 600 real events with three sources, made once; and an earlier checkpoint of it."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("ledger_conftest", Path(__file__).with_name("conftest.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    where = tmp_path_factory.mktemp("made") / "record"
    with Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=64 << 10) as ledger:
        scribe = module.Scribe(ledger)
        scribe.open()
        for n in range(1, 600):
            scribe.decide(n, "deny" if n % 50 == 0 else "allow")
            if n % 37 == 0:
                ledger.commit()
            if n == 300:
                earlier = ledger.seal().text
        ledger.tiles()
        vkey = ledger.vkey
    return where, vkey, earlier


@pytest.fixture
def copy(made, tmp_path):
    """A copy of it to change."""
    return Path(shutil.copytree(made[0], tmp_path / "copy"))


def events(where: Path) -> list[tuple[bytes, bytes]]:
    return [(e.leaf, e.beside) for e in Reader(where).entries()]


def rewrite(where: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    """Write a journal of ``pairs`` with good checksums, as one who knows the format would."""
    for path in (where / "journal").iterdir():
        path.unlink()
    data = b"".join(pack(n, 0, *pair) for n, pair in enumerate(pairs))
    (where / "journal" / f"{0:020d}.seg").write_bytes(head(0) + data)


def renumber(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give every leaf the index of its new place."""
    changed = []
    for n, (leaf, beside) in enumerate(pairs):
        event = json.loads(leaf) | {"n": n}
        text = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        changed.append((text.encode(), beside))
    return changed


def checks(report) -> set[str]:
    return {problem.check for problem in report.problems}


def test_an_honest_record_has_no_problem(made):
    where, vkey, earlier = made
    report = verify(where, vkey, earlier=[earlier])
    assert (report.ok, report.problems, report.events, report.sealed) == (True, (), 600, 600)
    assert (report.last_index, report.vkey_given, report.assurance, report.tail) == (599, True, "local", 0)
    assert report.kinds == {"record.opened": 1, "call.decided": 599}
    assert sum(report.sources.values()) == 600
    assert len(report.unknowable) == 3


def test_without_a_key_the_records_own_is_used_and_that_is_said(made):
    report = verify(made[0])
    assert (report.ok, report.vkey_given, report.vkey) == (True, False, made[1])


def test_an_edited_event_is_found_by_its_checksum_by_the_root_and_by_its_tile(copy, made):
    path = next(p for p in (copy / "journal").iterdir() if b'"call":"toolu_77"' in p.read_bytes())
    path.write_bytes(path.read_bytes().replace(b'"call":"toolu_77"', b'"call":"toolu_78"'))
    report = verify(copy, made[1])
    assert {"frame", "root", "tile", "source"} <= checks(report)
    assert {p.event for p in report.problems if p.check in {"frame", "tile"}} == {77, -1}


def test_a_flipped_decision_with_good_checksums_is_found_and_located(copy, made):
    pairs = events(copy)
    assert b'"deny"' in pairs[100][0]
    pairs[100] = (pairs[100][0].replace(b'"deny"', b'"allow"'), pairs[100][1])
    rewrite(copy, pairs)
    report = verify(copy, made[1])
    assert {"root", "tile", "source"} == checks(report)
    assert 100 in {p.event for p in report.problems if p.check == "tile"}


@pytest.mark.parametrize("tidy", [False, True])
def test_a_deleted_event_is_found(copy, made, tidy):
    pairs = events(copy)
    del pairs[123]
    rewrite(copy, renumber(pairs) if tidy else pairs)
    report = verify(copy, made[1])
    assert {"source", "truncated"} <= checks(report)
    assert ("leaf" in checks(report)) is not tidy


@pytest.mark.parametrize("tidy", [False, True])
def test_an_inserted_event_is_found(copy, made, tidy):
    pairs = events(copy)
    pairs.insert(200, pairs[199])
    rewrite(copy, renumber(pairs) if tidy else pairs)
    report = verify(copy, made[1])
    assert {"root", "source", "tile"} <= checks(report)


@pytest.mark.parametrize("tidy", [False, True])
def test_reordered_events_are_found(copy, made, tidy):
    pairs = events(copy)
    pairs[50], pairs[51] = pairs[51], pairs[50]
    rewrite(copy, renumber(pairs) if tidy else pairs)
    report = verify(copy, made[1])
    assert {"root", "tile"} <= checks(report)
    assert ("leaf" in checks(report)) is not tidy


def test_a_frame_cut_out_of_the_file_is_told_once_and_not_six_hundred_times(copy, made):
    path = min((copy / "journal").iterdir())
    data = path.read_bytes()
    first, second = (data.index(b'"call":"toolu_%d"' % n) for n in (10, 11))
    path.write_bytes(data[:first] + data[second:])
    report = verify(copy, made[1])
    assert not report.ok
    assert 0 < len(report.problems) < 20


@pytest.mark.parametrize("keep", [0, 1, 299, 599])
def test_a_record_cut_below_its_checkpoint_is_found(copy, made, keep):
    rewrite(copy, events(copy)[:keep])
    report = verify(copy, made[1])
    assert "truncated" in checks(report)
    assert report.events == keep


def test_a_record_rolled_back_with_its_checkpoint_shows_only_against_one_kept_elsewhere(copy, made):
    newest = (copy / "checkpoint").read_text()
    rewrite(copy, events(copy)[:301])
    (copy / "checkpoint").write_text(made[2])
    shutil.rmtree(copy / "tile")
    assert verify(copy, made[1]).ok
    assert checks(verify(copy, made[1], earlier=[newest])) == {"truncated"}


def test_another_history_signed_with_the_right_key_shows_only_against_a_checkpoint_kept_elsewhere(copy, made, key):
    pairs = events(copy)
    pairs[600 - 1] = (pairs[599][0].replace(b'"allow"', b'"deny"'), pairs[599][1])
    pairs[100] = (pairs[100][0].replace(b'"size":100', b'"size":101'), pairs[100][1])
    # The forger mends the chain of the source as well.
    heads = {}
    for n, (leaf, beside) in enumerate(pairs):
        event = json.loads(leaf)
        event["src"]["prev"] = heads.get(event["src"]["id"], "")
        if not event["src"]["prev"]:
            del event["src"]["prev"]
        mended = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        heads[event["src"]["id"]] = package.Roots.of_leaf(mended).hex()
        pairs[n] = (mended, beside)
    rewrite(copy, pairs)
    shutil.rmtree(copy / "tile")
    roots = package.Roots()
    for leaf, _ in pairs:
        roots.add(package.Roots.of_leaf(leaf))
    (copy / "checkpoint").write_text(sign(ORIGIN, 600, roots.root(), key).text)
    assert verify(copy, made[1]).ok  # What assurance level `local` cannot show.
    assert checks(verify(copy, made[1], earlier=[made[2]])) == {"root"}


def test_a_checkpoint_of_another_key_is_not_believed(copy, made):
    forged = sign(ORIGIN, 600, bytes(32), Ed25519PrivateKey.generate())
    (copy / "checkpoint").write_text(forged.text)
    assert "checkpoint" in checks(verify(copy, made[1]))


def test_a_forged_root_is_not_believed(copy, made, key):
    text = (copy / "checkpoint").read_text()
    lines = text.split("\n")
    lines[2] = sign(ORIGIN, 600, bytes(32), key).text.split("\n")[2]
    (copy / "checkpoint").write_text("\n".join(lines))
    assert checks(verify(copy, made[1])) == {"checkpoint"}


def test_a_root_that_is_not_the_journals_is_found_even_if_it_is_signed(copy, made, key):
    (copy / "checkpoint").write_text(sign(ORIGIN, 600, bytes(32), key).text)
    assert checks(verify(copy, made[1])) == {"root"}


def test_a_key_that_is_not_the_logs_vouches_for_nothing(made):
    other = vkey_of(ORIGIN, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    report = verify(made[0], other)
    assert {"checkpoint", "opened"} == checks(report)
    assert (report.ok, report.root) == (False, "")


@pytest.mark.parametrize("vkey", ["", "nonsense", "a+00000000+AQ=="])
def test_a_malformed_key_is_a_problem_and_not_an_exception(made, vkey):
    assert "key" in checks(verify(made[0], vkey))


def test_a_swapped_log_key_in_the_record_itself_is_found_by_the_first_event(copy, made):
    other = Ed25519PrivateKey.generate()
    (copy / "log.vkey").write_text(vkey_of(ORIGIN, other.public_key().public_bytes_raw()) + "\n")
    roots = package.Roots()
    for leaf, _ in events(copy):
        roots.add(package.Roots.of_leaf(leaf))
    (copy / "checkpoint").write_text(sign(ORIGIN, 600, roots.root(), other).text)
    assert checks(verify(copy)) == {"opened"}


@pytest.mark.parametrize("name", ["checkpoint", "log.vkey"])
def test_a_missing_file_is_a_problem_and_not_an_exception(copy, name):
    (copy / name).unlink()
    assert {"checkpoint", "key"} & checks(verify(copy))


def test_changed_and_missing_besides_are_found(copy, made):
    pairs = events(copy)
    pairs[5], pairs[6] = (pairs[5][0], pairs[5][1] + b"x"), (pairs[6][0], b"")
    rewrite(copy, pairs)
    report = verify(copy, made[1])
    assert [(p.check, p.event) for p in report.problems] == [("beside", 5), ("beside", 6)]


def test_a_leaf_that_says_the_same_in_other_bytes_is_found(copy, made):
    pairs = events(copy)
    pairs[5] = (pairs[5][0].replace(b'{"agent"', b'{ "agent"'), pairs[5][1])
    rewrite(copy, pairs)
    assert ("leaf", 5) in [(p.check, p.event) for p in verify(copy, made[1]).problems]


@pytest.mark.parametrize("leaf", [b"\xff", b"[]", b"{", b'{"n":5,"v":2}', b"[" * 50_000, b'{"n":true,"v":1}'])
def test_a_leaf_that_is_no_event_of_ours_is_a_problem_and_not_an_exception(copy, made, leaf):
    pairs = events(copy)
    pairs[5] = (leaf, b"")
    rewrite(copy, pairs)
    assert ("leaf", 5) in [(p.check, p.event) for p in verify(copy, made[1]).problems]


def test_a_changed_tile_and_a_changed_bundle_are_found(copy, made):
    tile = copy / "tile" / "1" / "000.p" / "2"
    tile.write_bytes(bytes(64))
    bundle = copy / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"toolu_99", b"toolu_98"))
    report = verify(copy, made[1])
    assert [p.check for p in report.problems] == ["tile", "tile"]


def test_a_missing_segment_is_found_and_the_rest_is_still_read(copy, made):
    victim = sorted((copy / "journal").iterdir())[1]
    victim.unlink()
    report = verify(copy, made[1])
    assert {"segments", "truncated"} <= checks(report)
    assert report.events > 300


def test_a_stranger_among_the_segments_is_found(copy, made):
    (copy / "journal" / "extra").write_bytes(b"x")
    (problem,) = verify(copy, made[1]).problems
    assert str(problem) == "segments: extra is no segment of the journal"


def test_bytes_hidden_behind_the_events_of_a_finished_segment_are_found(copy, made):
    path = min((copy / "journal").iterdir())
    data = bytearray(path.read_bytes())
    data[-10:] = b"hidden-it!"
    path.write_bytes(data)
    assert "padding" in checks(verify(copy, made[1]))


def test_a_torn_tail_behind_the_checkpoint_is_told_and_is_no_problem(copy, made):
    path = max((copy / "journal").iterdir())
    data = path.read_bytes()
    end = len(data.rstrip(b"\0"))
    torn = pack(600, 600, b'{"n":600,"v":1}' + b" " * 40, b"")[:50]
    path.write_bytes(data[:end] + torn + data[end + len(torn) :])
    report = verify(copy, made[1])
    assert (report.ok, report.tail, report.events) == (True, 50, 600)


@pytest.mark.parametrize("length", [0, 5, HEAD])
def test_a_segment_made_for_a_commit_that_never_came_is_no_problem(copy, made, length):
    (copy / "journal" / f"{600:020d}.seg").write_bytes(head(600)[:length].ljust(100, b"\0"))
    report = verify(copy, made[1])
    assert (report.ok, report.tail, report.events) == (True, len(head(600)[:length].rstrip(b"\0")), 600)


def test_what_the_record_says_about_itself_is_reported(open_ledger, scribe, where):
    ledger = open_ledger()
    writes = scribe(ledger)
    writes.open()
    writes.write(DaemonStarted, version="1", pid=1, boot="b")
    call = writes.decide(1)
    writes.decide(2)
    writes.write(CallResult, source="claude_code:s1", call="toolu_1", intent=call, ok=True, content=NOTHING)
    denied = writes.decide(3, "deny")
    writes.write(CallResult, source="s", call="c", intent=denied, ok=True, content=NOTHING, despite=True)
    writes.write(DaemonStarted, version="1", pid=2, boot="b")
    writes.write(RecordRecovered, cut=17, size=7)
    writes.write(RecordGap, what="spool", count=3, since=5, until=9)
    writes.write(DaemonStopped, reason="asked", back=1000)
    ledger.seal()
    report = verify(where)
    assert report.ok
    assert [(gap.what, gap.event, gap.count) for gap in report.gaps] == [
        ("killed", 7, 1),
        ("recovered", 8, 17),
        ("spool", 9, 3),
        ("clock", 10, 1000),
    ]
    assert report.open_calls == {"claude_code:s2": 1}
    assert report.despite == (6,)


NOTHING = Commitment(c="0" * 64, size=0)


def test_a_record_with_a_writer_at_work_verifies(open_ledger, scribe, where):
    ledger = open_ledger()
    writes = scribe(ledger)
    writes.open()
    for n in range(1, 400):
        writes.decide(n)
        ledger.flush()
        if n % 50 == 0:
            ledger.seal()
            assert verify(where, ledger.vkey).ok


def test_a_directory_without_a_record_is_named(tmp_path):
    with pytest.raises(UnavailableError):
        verify(tmp_path)


@pytest.fixture
def together(monkeypatch):
    """Let even a small journal be checked by several processes."""
    monkeypatch.setattr(parallel, "LEAST", 0)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 2)


def test_several_processes_find_a_record_whole_as_one_does(made, monkeypatch, together):
    with monkeypatch.context() as context:
        context.setattr(parallel, "LEAST", 1 << 40)
        alone = verify(made[0], made[1], earlier=[made[2]])
    told = []
    assert verify(made[0], made[1], earlier=[made[2]], progress=told.append) == alone
    assert alone.ok
    assert told[-1] == 600
    assert len(told) > 2  # One of each part: it was really done so.


def test_what_a_part_cannot_know_of_those_before_it_is_settled(open_ledger, scribe, where, monkeypatch, together):
    ledger = open_ledger(segment_bytes=4 << 10)
    writes = scribe(ledger)
    writes.open()
    for round_ in range(40):
        writes.write(DaemonStarted, version="1", pid=1, boot="b")
        calls = [writes.decide(3 * round_ + n) for n in range(5)]
        writes.write(RecordGap, what="spool", count=3, since=5, until=9)
        for call in calls[1:]:
            writes.write(CallResult, source="s", call="c", intent=call, ok=True, content=NOTHING, despite=call % 2 == 0)
        if round_ % 3 == 0:
            writes.write(DaemonStopped, reason="asked", back=1000)
        ledger.commit()
    ledger.seal()
    report = verify(where)
    monkeypatch.setattr(parallel, "LEAST", 1 << 40)
    assert report == verify(where)
    assert report.ok
    assert sum(gap.what == "killed" for gap in report.gaps) == 26
    assert sum(report.open_calls.values()) == 40


@pytest.mark.parametrize("victim", range(3))
def test_several_processes_find_what_one_finds_and_tell_it_in_the_same_words(copy, made, monkeypatch, together, victim):
    path = sorted((copy / "journal").iterdir())[victim]
    data = bytearray(path.read_bytes())
    data[900] ^= 1
    path.write_bytes(data)
    report = verify(copy, made[1])
    monkeypatch.setattr(parallel, "LEAST", 1 << 40)
    assert report == verify(copy, made[1])
    assert not report.ok


def test_several_processes_tell_wrong_roots_and_tiles_in_the_same_words(copy, made, key, monkeypatch, together):
    forged = [sign(ORIGIN, size, bytes(32), key).text for size in (1, 256, 599, 600, 700)]
    (copy / "tile" / "0" / "001").write_bytes(bytes(8192))
    told = []
    report = verify(copy, made[1], earlier=[made[2], *forged], progress=told.append)
    assert len(told) > 2
    monkeypatch.setattr(parallel, "LEAST", 1 << 40)
    assert report == verify(copy, made[1], earlier=[made[2], *forged])
    assert checks(report) == {"root", "truncated", "tile"}


def test_a_part_that_is_whole_by_itself_and_does_not_go_on_from_the_one_before_is_found(copy, made, together):
    for path in sorted((copy / "journal").iterdir())[1:2]:
        path.unlink()
    (copy / "checkpoint").unlink()
    assert {"segments", "source"} <= checks(verify(copy, made[1]))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_byte_changed_in_the_journal_is_found_and_no_change_is_ever_an_exception(made, tmp_path_factory, data):
    where = tmp_path_factory.mktemp("fuzz") / "record"
    shutil.copytree(made[0], where)
    path = data.draw(st.sampled_from(sorted((where / "journal").iterdir())))
    content = bytearray(path.read_bytes())
    used = len(content.rstrip(b"\0"))
    for at in data.draw(st.lists(st.integers(0, used - 1), min_size=1, max_size=4, unique=True)):
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert not verify(where, made[1]).ok


@settings(max_examples=40, deadline=None)
@given(junk=st.binary(max_size=2000))
def test_arbitrary_bytes_for_a_journal_are_problems_and_not_exceptions(made, tmp_path_factory, junk):
    where = tmp_path_factory.mktemp("junk") / "record"
    (where / "journal").mkdir(parents=True)
    for name in ("checkpoint", "log.vkey"):
        shutil.copy(made[0] / name, where / name)
    (where / "journal" / f"{0:020d}.seg").write_bytes(head(0) + junk)
    assert "truncated" in checks(verify(where, made[1]))


def test_the_verifier_imports_nothing_of_the_writer():
    allowed = {"outrider.errors", "cryptography"}
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                root = name.partition(".")[0]
                assert root != "msgspec"
                if root in {"outrider", "cryptography"}:
                    assert name.startswith("outrider.ledger.verify.") or any(name.startswith(a) for a in allowed), name


def test_a_journal_head_is_not_part_of_any_frame():
    assert len(head(5)) == HEAD
