"""Contents beside the chain: kept encrypted, disclosed with what proves them, and gone for good when erased."""

from __future__ import annotations

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import RecordError, TamperedError, UnavailableError
from outrider.events.codec import commit
from outrider.ledger.content.contents import Contents, Item, checks, checks_kept
from outrider.ledger.content.staging import Staged

ADA, BOB = "p_ada", "p_bob"
# outrider: allow code.python-fixed-salt -- no secret is under it, and a test wants the same bytes each time
SALT = b"s" * 32


def opened(tmp_path, *, write=True):
    (tmp_path / "keys").mkdir(exist_ok=True)
    return Contents(tmp_path / "content", tmp_path / "keys" / "content.key", write=write)


@pytest.fixture
def contents(tmp_path):
    with opened(tmp_path) as made:
        yield made


def item(contents, n, text=b"what was said", *, subject=ADA, agent="a-1", slot=None, **more):
    slot = contents.keyring.take() if slot is None else slot
    salt = more.pop("salt", SALT)
    return Item(
        n=n, ts=n, agent=agent, subject=subject, slot=slot, salt=salt, media="text/plain", text=text, **more
    )  # fmt: skip


def test_a_content_is_disclosed_with_what_proves_it_against_the_leaf(contents):
    text = b"deploy the thing " * 100
    (kept,) = contents.keep([item(contents, 7, text)])
    content = contents.read(7)
    assert (content.text, content.media, content.salt, content.exact) == (text, "text/plain", SALT, True)
    assert checks(content, commit(text, SALT))
    assert not checks(content, commit(text + b"!", SALT))
    assert checks_kept(content, kept)
    assert kept.stored < len(text)  # It was compressed.
    assert kept.content != commit(text, SALT)  # Under a salt of its own.


def test_a_content_that_lost_a_secret_is_proved_by_the_event_that_says_it_is_kept(contents):
    (kept,) = contents.keep([item(contents, 7, b"key [secret:x:1]", taken=1)])
    content = contents.read(7)
    assert not content.exact
    assert not checks(content, commit(b"key [secret:x:1]", SALT))  # It is not what the leaf was made over.
    assert checks_kept(content, kept)


def test_without_a_text_only_the_salt_is_kept(contents):
    assert contents.keep([item(contents, 3, None)]) == []
    content = contents.read(3)
    assert (content.text, content.salt, content.kept) == (None, SALT, None)


def test_nothing_is_known_of_an_event_that_nothing_was_kept_of(contents):
    assert contents.read(12) is None


def test_the_same_text_lies_once_for_one_subject_and_twice_for_two(contents):
    contents.keep([item(contents, 1), item(contents, 2, agent="a-2"), item(contents, 3, subject=BOB)])
    ciphers = [contents.cipher_of(n) for n in (1, 2, 3)]
    assert ciphers[0] == ciphers[1]
    assert ciphers[0] != ciphers[2]
    assert [contents.read(n).text for n in (1, 2, 3)] == [b"what was said"] * 3


def test_a_text_that_two_agents_brought_outlives_the_erasure_of_one(contents):
    one, two = item(contents, 1), item(contents, 2, agent="a-2")
    contents.keep([one, two])
    gone = contents.erase(agent="a-1", slots=[one.slot])
    assert gone.contents == 1
    assert contents.read(1) is None
    assert contents.read(2).text == b"what was said"
    contents.erase(agent="a-2", slots=[two.slot])
    assert contents.database.one("SELECT count(*) FROM blobs") == (0,)


def test_the_erasure_of_a_subject_takes_all_of_its_agents_and_nobody_else(contents):
    contents.keep([item(contents, n, b"text %d" % n, agent=f"a-{n}") for n in range(20)])
    contents.keep([item(contents, 30, subject=BOB)])
    kid = contents.keyring.kid(ADA)
    assert contents.count(subject=ADA).contents == 20
    assert contents.erase(subject=ADA).contents == 20
    assert [contents.read(n) for n in range(20)] == [None] * 20
    assert contents.read(30).text == b"what was said"
    contents.keep([item(contents, 40)])  # She comes back, under another key.
    assert contents.keyring.kid(ADA) != kid
    assert contents.read(40).text == b"what was said"


def test_single_events_and_what_is_due_are_erased_and_nothing_else(contents):
    contents.keep([item(contents, n, until=n * 10) for n in range(1, 6)])
    contents.erase(events=[2])
    contents.erase(before=40)
    assert [n for n in range(1, 6) if contents.read(n)] == [5]


def test_an_erasure_names_one_thing(contents):
    with pytest.raises(RecordError):
        contents.erase()
    with pytest.raises(RecordError):
        contents.erase(subject=ADA, agent="a-1")


def test_what_was_sealed_for_an_erased_subject_says_nothing_even_when_she_comes_back(contents):
    slot = contents.keyring.take()
    sealed = contents.keyring.seal(ADA, slot, b"Ada Lovelace", b"names")
    assert contents.keyring.open(ADA, slot, sealed, b"names") == b"Ada Lovelace"
    contents.erase(subject=ADA)
    contents.keyring.ensure(ADA)
    assert contents.keyring.open(ADA, slot, sealed, b"names") is None


def test_what_is_sealed_and_changed_is_tampered_with_and_not_erased(contents):
    slot = contents.keyring.take()
    sealed = contents.keyring.seal(ADA, slot, b"Ada Lovelace", b"names")
    with pytest.raises(TamperedError):
        contents.keyring.open(ADA, slot, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"names")


def test_an_edited_ciphertext_is_noticed(contents):
    contents.keep([item(contents, 1)])
    with contents.database.transaction() as db:
        db.execute("UPDATE blobs SET data = ?", (os.urandom(60),))
    with pytest.raises(TamperedError):
        contents.read(1)


def test_two_contents_swapped_are_noticed(contents):
    contents.keep([item(contents, 1, b"one " * 9), item(contents, 2, b"two " * 9)])
    with contents.database.transaction() as db:
        db.execute("UPDATE records SET blob = 3 - blob")
    with pytest.raises(TamperedError):
        contents.read(1)


def test_keys_of_one_event_do_not_open_anothers(contents):
    slot = contents.keyring.take()
    contents.keep([item(contents, 1, slot=slot), item(contents, 2, slot=slot)])
    with contents.database.transaction() as db:
        db.execute("UPDATE records SET held = (SELECT held FROM records WHERE n = 2) WHERE n = 1")
    with pytest.raises(TamperedError):
        contents.read(1)


def test_an_old_copy_of_the_database_is_noise_after_an_erasure(tmp_path, contents):
    contents.keep([item(contents, 1)])
    contents.database.scour()
    before = (tmp_path / "content" / "content.sqlite").read_bytes()
    contents.erase(subject=ADA)
    contents.close()
    (tmp_path / "content" / "content.sqlite").write_bytes(before)
    with opened(tmp_path, write=False) as back:
        assert back.read(1) is None  # The root that wrapped its keys is gone.


def test_a_database_put_back_with_its_root_is_readable_and_says_which_key_it_is(tmp_path, contents):
    contents.keep([item(contents, 1)])
    contents.database.scour()
    kid = contents.keyring.kid(ADA)
    places = [tmp_path / "content" / "content.sqlite", tmp_path / "keys" / "content.key"]
    before = [place.read_bytes() for place in places]
    contents.erase(subject=ADA)
    contents.close()
    for place, data in zip(places, before, strict=True):
        place.write_bytes(data)
    with opened(tmp_path, write=False) as back:
        assert back.read(1).text == b"what was said"
        assert dict(back.kids())[ADA] == kid  # Which is what `content.erased` names.


def test_nothing_of_the_erased_is_in_any_file(tmp_path, contents):
    slot = contents.keyring.take()
    contents.keep([item(contents, n, os.urandom(3000), slot=slot) for n in range(40)])
    contents.keep([item(contents, 99, subject=BOB)])
    wrapped = contents.database.one("SELECT key FROM subjects WHERE id = ?", ADA)[0]
    held = contents.database.rows("SELECT held FROM records WHERE subject = ?", ADA)
    data = contents.database.rows("SELECT data FROM blobs WHERE subject = ?", ADA)
    root = (tmp_path / "keys" / "content.key").read_bytes()
    contents.erase(subject=ADA)
    disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for needle in (wrapped, root[8:], *(row[0] for row in held), *(row[0][:200] for row in data)):
        assert needle not in disk
    assert contents.read(99).text == b"what was said"


@pytest.mark.parametrize("when", ["advance", "commit", "drop"])
def test_a_crash_in_an_erasure_takes_nothing_that_should_stay(tmp_path, contents, monkeypatch, when):
    contents.keep([item(contents, 1), item(contents, 2, subject=BOB)])

    def crash(*_):
        raise KeyboardInterrupt

    root = contents.keyring.root
    if when == "advance":
        monkeypatch.setattr(type(root), "_write", crash)
    elif when == "commit":
        monkeypatch.setattr(type(contents.keyring), "_rewrap", crash)
    else:
        monkeypatch.setattr(type(root), "drop_older", crash)
    with pytest.raises(KeyboardInterrupt):
        contents.erase(subject=ADA)
    monkeypatch.undo()
    contents.close()
    with opened(tmp_path) as again:
        assert again.read(2).text == b"what was said"
        assert (again.read(1) is None) == (when == "drop")
        assert (tmp_path / "keys" / "content.key").stat().st_size == 40  # One root, and the other is gone.
        again.erase(subject=ADA)
        assert again.read(1) is None
        assert again.read(2).text == b"what was said"


def test_a_wrong_root_key_opens_nothing_and_says_so(tmp_path, contents):
    contents.keep([item(contents, 1)])
    contents.close()
    key = tmp_path / "keys" / "content.key"
    key.write_bytes(key.read_bytes()[:8] + b"x" * 32)
    with opened(tmp_path, write=False) as other, pytest.raises(TamperedError):
        other.read(1)


def test_a_root_key_that_is_no_key_is_told_with_what_helps(tmp_path, contents):
    contents.close()
    (tmp_path / "keys" / "content.key").write_bytes(b"short")
    with pytest.raises(RecordError) as told:
        opened(tmp_path)
    assert "backup" in told.value.fix


def test_a_reader_finds_no_content_where_none_was_ever_kept(tmp_path):
    with pytest.raises(UnavailableError):
        opened(tmp_path, write=False)


def test_a_reader_sees_what_the_writer_keeps_and_erases(tmp_path, contents):
    contents.keep([item(contents, 1)])
    with opened(tmp_path, write=False) as reader:
        assert reader.read(1).text == b"what was said"
        contents.erase(subject=ADA)
        reader.keyring.forget()
        assert reader.read(1) is None
        contents.keep([item(contents, 2, subject=BOB)])
        assert reader.read(2).text == b"what was said"


def test_keys_of_agents_are_never_given_twice(tmp_path, contents):
    first = [contents.keyring.take() for _ in range(300)]
    contents.close()
    with opened(tmp_path) as again:
        assert not set(first) & {again.keyring.take() for _ in range(300)}


def test_a_disk_that_refuses_keeps_nothing_of_a_batch(contents, monkeypatch):
    one = item(contents, 1)
    contents.keyring.ensure(ADA)
    contents.database.db.execute("PRAGMA max_page_count=1")
    pages = contents.database.one("PRAGMA page_count")[0]
    contents.database.db.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(RecordError) as told:
        contents.keep([one, item(contents, 2, os.urandom(100_000), slot=one.slot)])
    assert "space" in told.value.fix
    assert contents.read(1) is None
    contents.database.db.execute("PRAGMA max_page_count=1000000")
    assert [kept.of for kept in contents.keep([one])] == [1]


def test_what_no_event_says_yet_is_known_after_a_crash(tmp_path, contents):
    told = contents.keep([item(contents, 1), item(contents, 2)])
    contents.tell(told[:1], 9)
    assert (contents.read(1).told, contents.read(2).told) == (9, -1)
    contents.close()
    with opened(tmp_path) as again:
        assert again.untold() == told[1:]


# --- staging --------------------------------------------------------------------------------------------------------


def staged(n, text=b"text", **more):
    return Staged(n=n, ts=n, agent="a", subject=ADA, slot=1, salt=SALT, media="text/plain", text=text, **more)


def drained(contents):
    contents.staging.roll()
    return [one for path in contents.staging.waiting() for one in contents.staging.read(path)]


def test_what_is_staged_is_read_back_in_order_and_is_nowhere_in_clear(tmp_path, contents):
    said = [staged(n, b"a very plain word %d" % n) for n in range(5)]
    assert all(contents.staging.append(one) for one in said)
    assert not any(b"plain word" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert drained(contents) == said


def test_what_a_killed_daemon_had_staged_is_read_at_the_next_start(tmp_path, contents):
    contents.staging.append(staged(1))
    with opened(tmp_path) as again:  # The first one is never closed.
        assert drained(again) == [staged(1)]


@given(cut=st.integers(0, 400))
def test_a_torn_segment_gives_what_is_whole(tmp_path_factory, cut):
    with opened(tmp_path_factory.mktemp("torn")) as contents:
        said = [staged(n) for n in range(3)]
        for one in said:
            contents.staging.append(one)
        contents.staging.roll()
        (path,) = contents.staging.waiting()
        whole = path.read_bytes()
        path.write_bytes(whole[: max(0, len(whole) - cut)])
        assert said[: max(0, len(whole) - cut) * 3 // len(whole)] == list(contents.staging.read(path))


def test_a_dropped_segment_is_noise_even_if_its_file_is_put_back(contents):
    contents.staging.append(staged(1))
    contents.staging.roll()
    (path,) = contents.staging.waiting()
    data = path.read_bytes()
    contents.staging.drop(path)
    path.write_bytes(data)
    assert list(contents.staging.read(path)) == []


def test_a_disk_that_takes_nothing_fails_no_answer_and_is_counted(contents):
    contents.staging.append(staged(1))
    os.close(contents.staging._fd)
    contents.staging._fd = os.open("/dev/full", os.O_WRONLY)
    assert not contents.staging.append(staged(2))
    assert contents.staging.failed == 1
    contents.staging.prepare()
    assert contents.staging.append(staged(3))
    assert [one.n for one in drained(contents)] == [1, 3]


def test_keeping_drops_the_segment_in_the_same_transaction(contents):
    contents.staging.append(staged(1))
    contents.staging.roll()
    (path,) = contents.staging.waiting()
    contents.keep([item(contents, 1)], drop=path)
    assert list(contents.staging.read(path)) == []


@given(text=st.binary(max_size=2000), taken=st.integers(0, 3), cut=st.integers(0, 3))
def test_any_text_comes_back_as_it_was_kept(tmp_path_factory, text, taken, cut):
    with opened(tmp_path_factory.mktemp("any")) as contents:
        (kept,) = contents.keep([item(contents, 5, text, taken=taken, cut=cut)])
        content = contents.read(5)
        assert content.text == text
        assert checks_kept(content, kept)
        assert checks(content, commit(text, SALT)) == (taken == cut == 0)


def test_a_database_of_another_version_is_refused(tmp_path, contents):
    contents.close()
    with sqlite3.connect(tmp_path / "content" / "content.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(RecordError) as told:
        opened(tmp_path)
    assert "Upgrade" in told.value.fix
