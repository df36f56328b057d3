"""Keys that sign credentials: one at a time, private to the user, and every public half known for good."""

from __future__ import annotations

import pytest

from outrider.errors import RecordError, RefusedError
from outrider.identity.jose import jwk_of
from outrider.ledger.issuing import AHEAD, HISTORY, keyring, past, told, turn

DAY = 24 * 3600 * 1_000_000
NOW = 1_800_000_000_000_000


def ring(at, now=NOW):
    return keyring(at / "issuer", now=now, lasts=90 * DAY)


def test_a_key_is_made_once_and_is_private_to_the_user(tmp_path):
    first, second = ring(tmp_path), ring(tmp_path, NOW + DAY)
    assert first.history == second.history
    [file] = (tmp_path / "issuer").glob("*.key")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_signed_for_long_enough_is_followed_by_another_and_its_private_half_is_gone(tmp_path):
    first = ring(tmp_path)
    second = ring(tmp_path, NOW + 90 * DAY)
    assert [(one.since, one.until) for one in second.history] == [(NOW, NOW + 90 * DAY), (NOW + 90 * DAY, 0)]
    assert second.history[0].jwk == first.history[0].jwk
    assert [path.stem for path in (tmp_path / "issuer").glob("*.key")] == [second.history[1].jwk.kid]


def test_a_clock_that_jumps_back_makes_no_new_key(tmp_path):
    ring(tmp_path)
    assert ring(tmp_path, NOW - 400 * DAY).history == ring(tmp_path).history
    assert len(ring(tmp_path).history) == 1


def kid(found):
    return jwk_of(found.key.public_key()).kid


def test_the_next_key_is_published_a_week_before_it_signs(tmp_path):
    first = ring(tmp_path)
    assert len(ring(tmp_path, NOW + 90 * DAY - AHEAD - 1).history) == 1
    ahead = ring(tmp_path, NOW + 90 * DAY - AHEAD)
    assert [one.since for one in ahead.history] == [NOW, NOW + 90 * DAY]
    assert kid(ahead) == kid(first) == kid(ring(tmp_path, NOW + 90 * DAY - 1))
    after = ring(tmp_path, NOW + 91 * DAY)
    assert kid(after) == ahead.history[1].jwk.kid
    assert [(one.since, one.until) for one in after.history] == [(NOW, NOW + 90 * DAY), (NOW + 90 * DAY, 0)]
    assert len(list((tmp_path / "issuer").glob("*.key"))) == 1


def test_until_it_is_written_down_who_signs_it_is_asked_for_again(tmp_path):
    """A crash between the key and the record leaves a key that signs and that nobody heard of."""
    first = ring(tmp_path)
    assert first.fresh
    assert ring(tmp_path).fresh
    told(tmp_path / "issuer", kid(first))
    assert not ring(tmp_path).fresh
    assert ring(tmp_path, NOW + 90 * DAY).fresh


def test_a_key_that_a_person_turns_signs_nothing_more_nor_does_the_one_that_was_to_follow(tmp_path):
    ring(tmp_path)
    ring(tmp_path, NOW + 85 * DAY)
    now = NOW + 86 * DAY
    turned = turn(tmp_path / "issuer", now=now)
    assert kid(turned) == turned.history[2].jwk.kid == kid(ring(tmp_path, now))
    assert [one.until for one in turned.history] == [now, now, 0]
    assert not any(turned.history[1].signed_at(now + at * DAY) for at in range(10))
    assert [path.stem for path in (tmp_path / "issuer").glob("*.key")] == [kid(turned)]


def test_where_the_private_half_is_lost_another_follows_and_the_public_half_stays(tmp_path):
    ring(tmp_path)
    [file] = (tmp_path / "issuer").glob("*.key")
    file.unlink()
    assert [bool(one.until) for one in ring(tmp_path, NOW + DAY).history] == [True, False]


def test_what_a_crash_left_half_done_is_finished(tmp_path):
    (tmp_path / "issuer").mkdir()
    (tmp_path / "issuer" / ".history-x").write_text("[")
    first = ring(tmp_path)
    (tmp_path / "issuer" / f"{first.history[0].jwk.kid}.key").rename(tmp_path / "issuer" / "next.key")
    (tmp_path / "issuer" / HISTORY).unlink()
    assert ring(tmp_path).history[0].jwk == first.history[0].jwk


def test_a_key_that_others_can_read_or_a_history_that_is_damaged_is_refused(tmp_path):
    ring(tmp_path)
    [file] = (tmp_path / "issuer").glob("*.key")
    file.chmod(0o640)
    with pytest.raises(RefusedError, match="read by others"):
        ring(tmp_path)
    (tmp_path / "issuer" / HISTORY).write_text("{")
    with pytest.raises(RecordError, match="history"):
        past(tmp_path / "issuer")
