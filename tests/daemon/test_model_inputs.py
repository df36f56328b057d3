"""What models are sent, on a running daemon: recorded once, across restarts, and said where it is not seen."""

from __future__ import annotations

import json

from tests.daemon.house import until
from tests.doors.claude_code.test_sent import asked, line, name, said

from outrider.events.model_input import ModelInput
from outrider.events.record import AgentEnded, RecordGap


def transcript(house, session="s-1"):
    path = house.user / ".claude" / "projects" / "p" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write(path, *rows):
    with path.open("ab") as file:
        file.write(b"".join(row + b"\n" for row in rows))


def message(text):
    return {"role": "user", "content": text}


def inputs(house, count=1):
    return until(lambda: (found := house.events(ModelInput))[count - 1 :] and found)


def test_each_request_is_recorded_once_although_the_daemon_is_killed_between_them(house):
    house.start()
    path, host = transcript(house), house.host()
    write(path, said("user", "one"), asked([name(message("one"))]))
    host.hook("UserPromptSubmit", prompt="one", transcript_path=str(path))
    inputs(house)
    house.kill(house.pid)
    house.start()
    write(path, said("user", "two"), asked([name(message("two"))], id="r2", base="r1", keep=1))
    host.hook("UserPromptSubmit", prompt="two", transcript_path=str(path))
    first, second = inputs(house, 2)
    assert [first.request, second.request] == ["r1", "r2"]
    assert (second.base, second.keep, second.messages, second.unseen) == ("r1", 1, 1, 0)
    assert house.verify().ok


def test_the_last_answer_is_recorded_when_the_session_is_over(house):
    house.start()
    path, host = transcript(house), house.host()
    write(
        path, said("user", "one"), asked([name(message("one"))]), said("assistant", [{"type": "text", "text": "bye"}])
    )
    host.hook("SessionEnd", reason="done", transcript_path=str(path))
    until(lambda: house.events(AgentEnded))
    *_, last = inputs(house, 2)
    assert (last.what, last.messages) == ("rest", 1)


def test_a_frame_is_recorded_once_however_many_requests_name_it(house):
    house.start()
    path, host = transcript(house), house.host()
    shape = {"system": [{"type": "text", "text": "be good"}], "tools": []}
    frame = line(type="api-request-shape", shapeHash=name(shape), shape=shape)
    write(path, frame, asked([]), frame, asked([], id="r2"))
    host.hook("UserPromptSubmit", prompt="x", transcript_path=str(path))
    found = inputs(house, 3)
    assert [one.what for one in found] == ["frame", "request", "request"]
    assert not any("be good" in json.dumps(str(one)) for one in found)


def test_a_transcript_that_cannot_be_read_is_a_gap_with_a_name_once(house):
    house.start()
    host = house.host()
    file = house.user / "file"
    file.write_text("")
    for _ in range(2):
        host.hook("UserPromptSubmit", prompt="x", transcript_path=str(file / "s.jsonl"))
        until(lambda: any(one.what == "model-input-unseen" for one in house.events(RecordGap)))
    [gap] = [one for one in house.events(RecordGap) if one.what == "model-input-unseen"]
    assert "Not a directory" in gap.detail
    assert gap.agent
