"""``outrider backup`` and ``outrider restore``."""

from __future__ import annotations

import json

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.cli import cli
from outrider.config import Home
from outrider.ledger.ledger import Ledger


def test_a_record_is_backed_up_and_restored_from_the_command_line(tmp_path, monkeypatch):
    home = Home(tmp_path / "one")
    home.make()
    with Ledger.open(home.record, origin="outrider.test/log", key=Ed25519PrivateKey.generate()) as ledger:
        told = f'{{"kind":"record.opened","n":0,"origin":"outrider.test/log","v":1,"vkey":"{ledger.vkey}"}}'
        ledger.append(lambda n: (told.encode(), b""))
    monkeypatch.setenv("OUTRIDER_HOME", str(home.root))
    made = CliRunner().invoke(cli, ["backup", str(tmp_path / "b"), "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["data"]["events"] == 1
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "two"))
    back = CliRunner().invoke(cli, ["restore", str(tmp_path / "b")])
    assert back.exit_code == 0, back.output
    assert "1 events are back, verified" in back.output
    assert "No witness was asked" in back.output
    assert "holds no keys" in back.output
