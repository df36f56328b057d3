"""Spools come in any order, in pieces and more than once: each of their lines is one gap of the record, named."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.config import Home
from outrider.daemon import spool
from outrider.daemon.spool import import_spool
from outrider.events.codec import decode, decode_beside
from outrider.events.record import RecordGap, RecordOpened
from outrider.gate.scribe import Scribe
from outrider.gate.state import State, fold
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.verify import verify

KEY = b"k" * 32


class Daemon:
    """What of a daemon takes spools in; it can die and be started again."""

    def __init__(self, top):
        self.home = Home(top)
        self.home.make()
        self.start()

    def start(self):
        self.ledger = Ledger.open(
            self.home.record, origin="outrider.test/spool", key=log_key(self.home.keys / "log.key")
        )
        state = fold(State(), ((decode(e.leaf), decode_beside(e.beside), _hash(e.leaf)) for e in self.ledger.entries()))
        scribe = Scribe(self.ledger, state, KEY)
        if not self.ledger.size:
            scribe.write(RecordOpened, origin=self.ledger.origin, vkey=self.ledger.vkey)
        self.parts = SimpleNamespace(home=self.home, state=state, ledger=self.ledger, scribe=scribe)

    def close(self):
        self.ledger.close()

    def gaps(self):
        """What is told of each source's lines."""
        self.ledger.commit()
        found: dict[str, list[str]] = {}
        for event in [decode(entry.leaf) for entry in self.ledger.entries()][1:]:
            assert isinstance(event, RecordGap)
            assert (event.what, event.src.lost) == ("spool", 1)
            found.setdefault(event.src.id, []).append(event.detail)
        return found


def _hash(leaf):
    return hashlib.sha256(b"\0" + leaf).hexdigest()


def line(source, at):
    why = f"nobody listened to {source} at {at};"
    told = {
        "ts": 1_790_000_000_000_000 - at,
        "door": "claude_code",
        "event": "PreToolUse",
        "answered": "deny",
        "why": why,
    }
    return json.dumps(told).encode() + b"\n"


@pytest.fixture
def daemon(tmp_path):
    one = Daemon(tmp_path / "o")
    yield one
    one.close()


SPOOLS = st.lists(st.integers(1, 9), min_size=1, max_size=4)
DEEDS = st.lists(
    st.tuples(st.sampled_from(["comes", "comes cut", "import", "dies"]), st.integers(0, 3), st.floats(0, 1)),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(lengths=SPOOLS, deeds=DEEDS)
def test_any_order_and_any_repetition_gives_each_line_once(lengths, deeds, tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("spools") / "o")
    sources = [f"spool-{16 - at:x}" for at in range(len(lengths))]
    whole = {name: [line(name, at) for at in range(count)] for name, count in zip(sources, lengths, strict=True)}
    before, spool.MOST = spool.MOST, 3
    try:
        for deed, which, share in deeds:
            name = sources[which % len(sources)]
            if deed.startswith("comes"):
                data = b"".join(whole[name])
                cut = int(share * len(data)) if deed == "comes cut" else len(data)
                (daemon.home.run / f"{name}.taken").write_bytes(data[:cut])
            elif deed == "import":
                import_spool(daemon.parts)
            else:
                daemon.close()
                daemon.start()
        for name in sources:
            (daemon.home.run / f"{name}.taken").write_bytes(b"".join(whole[name]))
        while import_spool(daemon.parts):
            pass
        told = daemon.gaps()
        daemon.ledger.seal()
    finally:
        spool.MOST = before
        daemon.close()
    assert set(told) == set(sources)
    for name, lines in whole.items():
        assert len(told[name]) == len(lines)
        for at, said in enumerate(told[name]):
            # A line that was cut when it was taken in is a gap too, and says that it could not be read.
            assert f"listened to {name} at {at};" in said or "could not be read" in said
    assert sum("could not be read" in said for lines in told.values() for said in lines) <= len(deeds)
    assert list(daemon.home.run.glob("*.taken")) == []
    assert verify(daemon.home.record).ok


def test_a_clock_that_stands_or_goes_back_hides_no_spool(daemon, monkeypatch):
    monkeypatch.setattr(spool.time, "time_ns", lambda: 1_790_000_000_000_000_000)
    for at in range(3):
        daemon.home.spool.write_bytes(line("a hook", at))
        assert import_spool(daemon.parts) == 1
    told = daemon.gaps()
    assert len(told) == 3
    assert [f"at {at};" in said for at, (said,) in enumerate(told.values())] == [True] * 3


def test_a_spool_that_waits_is_not_overwritten_by_one_of_the_same_time(daemon, monkeypatch):
    monkeypatch.setattr(spool.time, "time_ns", lambda: 1_790_000_000_000_000_000)
    waits = daemon.home.run / f"spool-{1_790_000_000_000_000_000:x}.taken"
    waits.write_bytes(line("the first", 0))
    daemon.home.spool.write_bytes(line("the second", 1))
    while import_spool(daemon.parts):
        pass
    assert sorted(len(lines) for lines in daemon.gaps().values()) == [1, 1]
