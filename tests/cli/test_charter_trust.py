"""Signed charters on a real daemon: what counts comes into force, and what does not leaves the last good one there."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tests.daemon.house import House

from outrider.charter.parse import parse
from outrider.charter.seal import key_id, sign, written
from outrider.cli import main
from outrider.config import load_config
from outrider.events.record import AgentBorn, CharterLoaded, CharterRefused

THEIRS = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
TEAM = """
[charter]
name = "team"
extends = "coder"

[may]
read = ["**"]
exec = ["*"]
opaque = "allow"
{more}
"""


@pytest.fixture
def house(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        monkeypatch.setenv("OUTRIDER_HOME", str(one.home.root))
        monkeypatch.setenv("HOME", str(one.user))
        yield one
        one.close()


@pytest.fixture
def file(house):
    """The charter of the repository, in force and unsigned."""
    path = house.home.charters / "team.toml"
    path.write_text(TEAM.format(more=""))
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "team"\n')
    house.start()
    return path


@pytest.fixture
def run(capsys):
    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def team(house):
    return house.control(do="charters")["charters"]["team"]


def edit(path, more):
    path.write_text(TEAM.format(more=more))
    return parse(path.read_text()).digest


def signed_by(path, key):
    path.with_name("team.toml.sig").write_bytes(sign(parse(path.read_text()), key))


def test_where_signatures_are_demanded_only_a_signed_edit_comes_into_force(house, file, run):
    good = team(house)["in_force"]
    assert "need no signature" in run("charter", "trust")[1]
    assert "only with a signature that counts" in run("charter", "trust", "--require")[1]
    wider = edit(file, 'write = ["**"]')
    assert team(house)["in_force"] == good
    assert "it is not signed" in team(house)["refused"]
    house.host().bash("ls")
    assert house.events(AgentBorn)[0].digest == good
    code, said = run("charter", "sign", str(file))
    assert code == 0
    assert "outrider charter trust ed25519:" in said
    assert team(house)["in_force"] == wider
    assert house.events(CharterLoaded)[-1].signer == team(house)["signer"] != ""
    [refused] = [event for event in house.events(CharterRefused) if event.in_force == good]
    assert refused.name == "team"


def test_a_signature_by_an_unknown_key_or_of_another_version_leaves_the_last_good_one(house, file, run):
    run("charter", "sign", str(file))
    run("charter", "trust", "--require")
    good = team(house)["in_force"]
    other = edit(file, 'write = ["**"]')
    assert "another version was signed" in team(house)["refused"]
    signed_by(file, THEIRS)
    assert "no trusted key signed" in team(house)["refused"]
    file.with_name("team.toml.sig").write_text("{}")
    assert "not a signed charter" in team(house)["refused"]
    assert team(house)["in_force"] == good
    house.kill(house.pid)
    house.start()
    assert team(house)["in_force"] == good
    assert "REFUSED since" in run("charter", "list")[1]
    assert "its signature is invalid" in run("status")[1]
    signed_by(file, THEIRS)
    pem = house.top / "team.pem"
    public = THEIRS.public_key()
    pem.write_bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    assert key_id(public)[:16] in run("charter", "trust", str(pem))[1]
    assert team(house) | {"in_force": other, "refused": "", "signer": key_id(public)} == team(house)


def test_show_and_list_name_who_lives_under_an_older_version_until_they_are_rolled(house, file, run):
    first, second = house.host(session="a"), house.host(session="b")
    first.bash("ls")
    old = team(house)["in_force"]
    new = edit(file, 'write = ["repo/**"]')
    assert team(house)["in_force"] == new
    second.bash("ls")
    told = team(house)
    assert (told["in_force"], told["living"]) == (new, 2)
    [older] = told["older"]
    assert (older["agent"], older["digest"]) == (house.events(AgentBorn)[0].agent, old)
    assert "1 of 2 older" in run("charter", "list")[1]
    shown = run("charter", "show", "team")[1]
    assert older["agent"] in shown
    assert old[:19] in shown
    assert "2, 1 of them under another version" in shown
    assert run("charter", "roll", "team")[0] == 0
    assert team(house)["older"] == []


def test_keys_are_added_and_taken_away_but_never_all(house, file, run):
    run("charter", "sign", str(file))
    theirs = written(THEIRS.public_key())
    assert run("charter", "trust", theirs)[0] == 0
    assert len(load_config(house.home).charters.keys) == 2
    own = next(one for one in load_config(house.home).charters.keys if one != theirs)
    assert run("charter", "trust", own, "--remove")[0] == 0
    assert load_config(house.home).charters.keys == (theirs,)
    assert "no trusted key signed" in team(house)["refused"]
    code, said = run("charter", "trust", key_id(THEIRS.public_key())[:16], "--remove")
    assert code == 2
    assert "last key" in said
    assert "no such key" in run("charter", "trust", "0123456789abcdef", "--remove")[1]
    assert run("charter", "trust", "--remove")[0] == 2


@pytest.mark.parametrize("text", ["ed25519:AAAA", "ed25519:%%%", "hello", "x25519"])
def test_what_is_no_key_is_not_trusted(house, run, text):
    path = house.top / "key"
    path.write_text(text)
    if text == "x25519":
        public = X25519PrivateKey.generate().public_key()
        path.write_bytes(
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    code, said = run("charter", "trust", text if text.startswith("ed25519:") else str(path))
    assert code == 2
    assert "public key" in said
    assert load_config(house.home).charters.keys == ()


def test_a_configuration_that_names_no_key_is_refused_with_its_line_and_changes_nothing(house, file, run):
    good = team(house)["in_force"]
    run("charter", "trust", "--require")
    edit(file, 'write = ["**"]')
    assert "not signed" in team(house)["refused"]
    text = house.home.config.read_text()
    house.home.config.write_text(text.replace("signed = true", 'signed = true\nkeys = ["mine"]'))
    assert team(house)["in_force"] == good
    assert "is not a public key" in run("charter", "trust")[1]


def test_an_agent_trusts_no_key(house, file):
    host = house.host()
    host.bash("ls")
    outrider = ["/usr/bin/env", f"OUTRIDER_HOME={house.home.root}", sys.executable, "-m", "outrider"]
    done = host.run([*outrider, "charter", "trust", written(THEIRS.public_key())])[0]
    assert "agents cannot change their guard" in done.err
    assert load_config(house.home).charters.keys == ()


def test_a_file_that_is_gone_while_another_charter_extends_it_is_listed_and_told(house, file, run):
    below = file.with_name("below.toml")
    below.write_text(TEAM.format(more="").replace('"coder"', '"team"').replace('name = "team"', 'name = "below"'))
    before = team(house)["in_force"]
    assert house.control(do="charters")["charters"]["below"]["in_force"]
    file.unlink()
    assert team(house)["in_force"] == before
    assert "its file is gone, and below extends it" in run("charter", "list")[1]
    told = run("status")[1]
    assert "its file is gone, and below extends it" in " ".join(told.split())
