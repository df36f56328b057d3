"""The charters in force follow their files; what is refused leaves the last good version in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.charter.seal import sign
from outrider.config import Home
from outrider.daemon import shelf as files
from outrider.daemon.charters import Charters
from outrider.errors import CharterError
from outrider.events.codec import decode
from outrider.events.record import AnyEvent, CharterLoaded, CharterRefused, CharterRemoved
from outrider.gate.scribe import Scribe
from outrider.gate.state import State
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger

SCRIBE = """\
[charter]
name = "scribe"
extends = "base"

[may]
read = ["repo/**"]
"""


class Host:
    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home")
        self.home.make()
        self.ledger = Ledger.open(self.home.record, origin="test/log", key=log_key(self.home.keys / "log.key"))
        self.state = State()
        self.scribe = Scribe(self.ledger, self.state, b"k" * 32)
        self.file = self.home.charters / "scribe.toml"

    def charters(self) -> Charters:
        return Charters(self.home, self.scribe, self.state, {})

    def events(self, name: str = "scribe") -> list[AnyEvent]:
        self.ledger.commit()
        found = [decode(entry.leaf) for entry in self.ledger.entries()]
        return [e for e in found if isinstance(e, CharterLoaded | CharterRefused | CharterRemoved) and e.name == name]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.ledger.close()


def test_every_builtin_charter_is_loaded_once_and_not_again_by_the_next_daemon(host: Host) -> None:
    first = host.charters()
    size = host.ledger.size
    assert {"base", "coder", "developer", "reviewer", "researcher", "ci", "ops", "unclaimed"} <= set(first.names)
    again = host.charters()
    assert host.ledger.size == size
    assert again.names == first.names


def test_an_edit_is_in_force_after_the_next_look_and_is_an_event(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charters = host.charters()
    before = charters.line("scribe")[0].digest
    host.file.write_text(SCRIBE + 'write = ["repo/docs/**"]\n')
    assert charters.refresh()
    assert charters.line("scribe")[0].digest != before
    assert [type(event) for event in host.events()] == [CharterLoaded, CharterLoaded]
    assert not charters.refresh()


def test_a_charter_that_breaks_leaves_the_last_good_version_in_force_and_says_so_once(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charters = host.charters()
    good = charters.line("scribe")
    host.file.write_text(SCRIBE + "reed = 1\n")
    charters.refresh()
    assert charters.line("scribe") == good
    refused = host.events()[-1]
    assert isinstance(refused, CharterRefused)
    assert refused.in_force == good[0].digest
    assert "reed" in refused.reason
    host.home.charters.joinpath("other.toml").write_text("[charter]\n")
    charters.refresh()
    assert len(host.events()) == 2


def test_a_charter_that_was_never_good_is_not_in_force(host: Host) -> None:
    host.file.write_text("[charter]\nname = 3\n")
    with pytest.raises(CharterError):
        host.charters().line("scribe")


def test_a_user_charter_that_cannot_be_read_does_not_fall_back_to_the_builtin_it_hides(host: Host) -> None:
    (host.home.charters / "coder.toml").write_bytes(b"\xff\xfe")
    charters = host.charters()
    with pytest.raises(CharterError):
        charters.line("coder")
    assert isinstance(host.events("coder")[-1], CharterRefused)


CLERK = SCRIBE.replace('"scribe"', '"clerk"').replace('"base"', '"scribe"')


def test_an_edit_that_extends_what_is_not_there_is_refused_and_the_last_good_version_stays(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charters = host.charters()
    good = charters.line("scribe")
    for above in ("nobody", "clerk"):
        (host.home.charters / "clerk.toml").write_text(CLERK)
        host.file.write_text(SCRIBE.replace('"base"', f'"{above}"') + f"# {above}\n")
        charters.refresh()
        assert charters.line("scribe") == good
        refused = host.events()[-1]
        assert isinstance(refused, CharterRefused)
        assert refused.in_force == good[0].digest
    assert "circle" in refused.reason


def test_a_version_whose_file_is_gone_stays_in_force_while_another_extends_it(host: Host) -> None:
    host.file.write_text(SCRIBE)
    (host.home.charters / "clerk.toml").write_text(CLERK)
    charters = host.charters()
    line = charters.line("clerk")
    host.file.unlink()
    charters.refresh()
    assert charters.line("clerk") == line
    assert "clerk extends it" in charters.refused["scribe"]
    assert host.charters().line("clerk") == line
    (host.home.charters / "clerk.toml").unlink()
    charters.refresh()
    assert {"clerk", "scribe"}.isdisjoint(charters.names)
    assert {"clerk", "scribe"}.isdisjoint(host.state.in_force)
    removed = host.events()[-1]
    assert isinstance(removed, CharterRemoved)
    assert removed.digest == line[1].digest


def test_a_charter_that_was_removed_does_not_come_back_by_a_file_that_does_not_validate(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charters = host.charters()
    host.file.unlink()
    charters.refresh()
    host.file.write_text("[charter")
    charters.refresh()
    assert "scribe" not in charters.names


def test_a_signature_put_beside_the_version_in_force_is_recorded(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charters = host.charters()
    charter = charters.line("scribe")[0]
    host.file.with_name("scribe.toml.sig").write_bytes(sign(charter, files.signing_key(host.home)))
    charters.refresh()
    first, second = host.events()
    assert isinstance(first, CharterLoaded)
    assert isinstance(second, CharterLoaded)
    assert (first.signer, first.digest) == ("", second.digest)
    assert second.signer


def test_a_signed_charter_names_its_signer_and_a_changed_one_is_refused(host: Host) -> None:
    host.file.write_text(SCRIBE)
    charter = host.charters().line("scribe")[0]
    signature = host.file.with_name("scribe.toml.sig")
    signature.write_bytes(sign(charter, files.signing_key(host.home)))
    host.state.in_force.pop("scribe")
    charters = host.charters()
    loaded = host.events()[-1]
    assert isinstance(loaded, CharterLoaded)
    assert loaded.signer
    host.file.write_text(SCRIBE + 'write = ["repo/**"]\n')
    charters.refresh()
    assert charters.line("scribe")[0].digest == charter.digest
    refused = host.events()[-1]
    assert isinstance(refused, CharterRefused)
    assert "signature" in refused.reason
