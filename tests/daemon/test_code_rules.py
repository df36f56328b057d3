"""The daemon knows whether its rules about code see anything at all."""

from __future__ import annotations

from tests.daemon.house import until


def test_a_daemon_lets_its_rules_about_code_find_their_canaries(running):
    until(lambda: running.status()["blind"] is not None)
    assert running.status()["blind"] == []
