"""The doors there are."""

from __future__ import annotations

import pytest

from outrider.doors.registry import DOORS
from outrider.errors import BadInputError
from outrider.events.message import Answer, SessionStarted, Wire


def test_every_door_goes_by_its_own_name():
    assert list(DOORS) == [door.name for door in DOORS.values()] == ["claude_code"]


def test_a_door_turns_a_hosts_bytes_into_a_message_and_an_answer_into_a_wire():
    door = DOORS["claude_code"]
    assert isinstance(door.parse(b'{"session_id":"s"}', "SessionStart"), SessionStarted)
    with pytest.raises(BadInputError):
        door.parse(b"", "SessionStart")
    assert door.render("SessionStart", Answer()) == Wire()
    assert door.undecided("PreToolUse", "deny", "why").code == 2
