"""A running daemon judges packages by what is known now: lists that a user brings count without a restart."""

from __future__ import annotations

from tests.daemon.house import until

from outrider.daemon.facts import bring_names


def bring(house, *names):
    path = house.top / "pypi.txt"
    path.write_text("\n".join(names) + "\n")
    bring_names(house.home, path, "pypi", "2031-01-02")
    until(lambda: house.status()["facts"] == [["pypi", "names", len(names), "2031-01-02"]])


def test_a_suspect_name_is_not_known_to_the_charter_of_a_running_daemon(running):
    host = running.host()
    refused = host.bash("pip install reqeusts")
    assert refused.verdict == "deny"
    assert "coder.may.install" in refused.reason
    assert host.bash("pip install requests", call="c2").verdict == "silent"


def test_a_list_that_is_brought_counts_in_a_running_daemon_and_so_does_its_going(running):
    host, command = running.host(), "pip install made-up-by-a-model"
    assert host.bash(command, call="c1").verdict == "silent"
    bring(running, "requests", "flask")
    refused = host.bash(command, call="c2")
    assert refused.verdict == "deny"
    assert "none of the names of pypi" in refused.reason
    bring(running, "requests", "flask", "made-up-by-a-model")
    assert host.bash(command, call="c3").verdict == "silent"
    (running.home.facts / "pypi.names.facts").write_bytes(b"nothing of the kind")
    until(lambda: running.status()["facts"] == [])
    assert host.bash(command, call="c4").verdict == "silent"
    assert "left out" in (running.home.run / "daemon.log").read_text()
