"""Entries of cases on a real daemon: a person writes them, an agent does not."""

from __future__ import annotations

import json
import sys

from tests.daemon.test_levers import _ASK

from outrider.daemon.casework import note
from outrider.events.case import CaseNoted

CASE = "case-0123456789ab"


def test_a_person_writes_entries_with_and_without_a_daemon_and_the_record_goes_on_unbroken(running):
    first = note(running.home, {"case": CASE, "act": "opened", "content": {"c": "a" * 64, "size": 3}})
    running.stop()
    second = note(running.home, {"case": CASE, "act": "noted", "refs": ["0", "other/log#4"]})
    running.start()
    third = note(running.home, {"case": CASE, "act": "closed"})
    events = running.events(CaseNoted)
    assert [event.n for event in events] == [first, second, third]
    assert [event.src.seq for event in events] == [0, 1, 2]
    assert len({event.by for event in events}) == 1


def test_an_agent_writes_no_entry(running):
    host = running.host()
    host.bash("git status")
    request = {"do": "case", "case": CASE, "act": "closed"}
    said = host.run([sys.executable, "-c", _ASK, str(running.home.socket), json.dumps(request)])[0]
    assert "agents cannot change their guard" in (said.out or said.err)
    assert running.events(CaseNoted) == []


def test_what_is_no_entry_is_refused_by_the_daemon(running):
    for wrong in (
        {"case": "../../x", "act": "noted"},
        {"case": CASE, "act": "erased"},
        {"case": CASE, "act": "noted", "refs": ["x"]},
        {"case": CASE, "act": "noted", "about": "x" * 300},
        {"case": CASE, "act": "noted", "more": 1},
    ):
        assert running.control(do="case", **wrong)["exit_code"] == 2
    assert running.events(CaseNoted) == []
