"""The view of a real record, written by the real ledger while it is followed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.ledger.conftest import Scribe

from outrider.config import Home
from outrider.errors import UnavailableError
from outrider.investigate.coverage import coverage
from outrider.investigate.involved import involved
from outrider.investigate.reach import Pairs, rebuilt, record_of, view_of
from outrider.ledger.ledger import Ledger
from outrider.store.follow import catch_up


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def ledger(home):
    with Ledger.open(
        home.record, origin="outrider.test/log", key=Ed25519PrivateKey.generate(), segment_bytes=16 << 10
    ) as opened:  # fmt: skip
        yield opened


def test_a_view_follows_a_ledger_over_many_segments_and_finds_no_gap(home, ledger):
    scribe = Scribe(ledger)
    scribe.open()
    ledger.commit()
    pairs = Pairs(record_of(home))
    with view_of(home) as view:
        for start in range(0, 120, 10):
            for n in range(start, start + 10):
                scribe.decide(n)
            ledger.commit()
            catch_up(view, pairs)
            assert view.size == ledger.size == start + 11
        found = involved(view, "/tmp/77").agents
        assert [one.agent.id for one in found] == ["a2"]
        assert [piece.value for piece in found[0].evidence] == ["/tmp/77"]
        assert coverage(view).sources == ()
    again, taken = rebuilt(home)
    with again:
        assert taken == ledger.size
        assert not again.note


def test_what_is_not_durable_yet_is_not_in_the_view(home, ledger):
    scribe = Scribe(ledger)
    scribe.open()
    ledger.commit()
    scribe.decide(1)
    with view_of(home) as view:
        assert view.size == 1


def test_a_home_without_a_record_says_what_to_do(tmp_path):
    with pytest.raises(UnavailableError) as caught:
        view_of(Home(tmp_path / "nothing"))
    assert "outrider" in caught.value.fix
