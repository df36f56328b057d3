"""What the host sends its model, read from what it writes down: nothing lost, nothing twice, whatever the lines say."""

from __future__ import annotations

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.claude_code import Conversation, Message, context
from outrider.doors.claude_code.sent import MOST_BYTES, MOST_WAITING, Inputs, digest

words = st.text(max_size=40)
blocks = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": words}), min_size=1, max_size=3)


def name(value):
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def line(**row):
    return json.dumps(row).encode()


def said(role, content, **more):
    return line(type=role, message={"role": role, "content": content, **more})


def asked(tail, *, base="", keep=0, id="r1"):  # noqa: A002 - the host's word
    return line(type="api-request", id=id, base=base, keep=keep, tail=tail, shapeHash="f" * 64,
                params={"model": "opus"}, timestamp="2026-11-27T17:14:27.115Z")  # fmt: skip


def read(*lines):
    one, at = Inputs(), 0
    for row in lines:
        at += len(row) + 1
        one.take(row, at)
    return one


def test_a_request_holds_the_messages_it_names_and_each_hashes_to_its_name():
    first, blob = {"role": "user", "content": "hi"}, {"role": "system", "content": [{"type": "text", "text": "ctx"}]}
    one = read(said("user", "hi"), line(type="api-request-blob", hash=name(blob), message=blob),
               asked([name(first), name(blob)]))  # fmt: skip
    [request] = one.done()
    assert [message.digest for message in request.messages] == [name(first), name(blob)]
    assert [json.loads(message.data) for message in request.messages] == [first, blob]
    assert (request.unseen, request.model, request.asked) == (0, "opus", 1795799667115000)


def test_an_answer_that_stands_in_several_lines_is_one_message():
    parts = [[{"type": "text", "text": "I look."}], [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]]
    whole = {"role": "assistant", "content": parts[0] + parts[1]}
    one = read(*(said("assistant", part, id="msg_1") for part in parts), asked([name(whole)]))
    [request] = one.done()
    assert [json.loads(message.data) for message in request.messages] == [whole]


def test_lines_that_were_sent_as_they_stand_are_not_put_together():
    parts = [{"role": "user", "content": [{"type": "text", "text": text}]} for text in ("a", "b")]
    one = read(*(said("user", part["content"]) for part in parts), asked([name(part) for part in parts]))
    [request] = one.done()
    assert [json.loads(message.data) for message in request.messages] == parts
    assert request.unseen == 0


def test_what_no_request_carries_is_given_with_the_next_one_or_at_the_end():
    one = read(said("user", "of no request"), asked([]), said("assistant", [{"type": "text", "text": "done"}]))
    request, rest = one.rest()
    assert json.loads(request.messages[0].data)["content"] == "of no request"
    assert (rest.what, json.loads(rest.messages[0].data)["content"][0]["text"]) == ("rest", "done")


def test_a_message_that_stands_nowhere_is_counted_as_not_seen():
    [request] = read(asked(["0" * 64, "not hex at all", ""])).done()
    assert request.unseen == 3


def test_a_message_that_an_earlier_request_brought_is_not_missed_when_it_is_named_again():
    first = {"role": "user", "content": "hi"}
    _, again = read(said("user", "hi"), asked([name(first)]), asked([name(first)], id="r2")).done()
    assert (again.messages, again.unseen) == ((), 0)


def test_system_prompt_and_tools_come_once_a_shape_and_are_named_by_their_digest():
    shape = {"system": [{"type": "text", "text": "be good"}], "tools": []}
    [frame] = read(line(type="api-request-shape", shapeHash=name(shape), shape=shape)).done()
    assert (frame.what, frame.frame, json.loads(frame.messages[0].data)) == ("frame", name(shape), shape)


def test_a_host_that_writes_no_requests_has_its_messages_handed_over_in_bounded_parts():
    one = read(*(said("user", f"message {n}") for n in range(3 * MOST_WAITING)))
    parts = one.rest()
    assert [part.what for part in parts] == ["rest"] * 3
    assert sum(len(part.messages) for part in parts) == 3 * MOST_WAITING
    large = read(*(said("user", str(n) + "x" * (MOST_BYTES // 2)) for n in range(4))).rest()
    assert sum(len(part.messages) for part in large) == 4
    assert all(sum(len(one.data) for one in part.messages) <= MOST_BYTES for part in large)


def test_only_what_the_host_added_by_itself_is_context():
    user = {"role": "user", "content": [{"type": "text", "text": "<system-reminder>rules</system-reminder>"},
                                        {"type": "text", "text": "the prompt"}]}  # fmt: skip
    assert context(Message(*digest(user), added=True)) == ["<system-reminder>rules</system-reminder>"]
    assert context(Message(*digest({"role": "system", "content": "a hook says"}), added=True)) == ["a hook says"]
    assert context(Message(*digest(user))) == []
    for odd in ([], 7, "x", {"role": "user", "content": 3}, {"role": "system", "content": [{"text": 1}, "y", None]}):
        assert context(Message(*digest(odd), added=True)) == []


NOISE = st.one_of(
    st.binary(max_size=60).map(lambda data: b'"user"' + data),
    st.recursive(st.none() | st.integers() | words, lambda inner: st.lists(inner) | st.dictionaries(words, inner))
    .map(lambda value: line(type="user", message=value)),
    st.sampled_from([
        b'{"type":"api-request","tail":[1,2]}', b'{"type":"api-request","keep":-4}',
        b'{"type":"api-request","params":3}',
        b'{"type":"user","message":{"role":"user","content":"\\ud800"}}', b'{"type":"assistant","message":{"role":1}}',
        b'{"type":"attachment","attachment":{"type":"instructions","files":[1,{"path":2}]}}', b"[" * 3000 + b'"user"',
    ]),
)  # fmt: skip


@given(st.lists(st.one_of(NOISE, st.tuples(st.sampled_from(["user", "assistant"]), blocks))), st.data())
def test_every_line_of_the_conversation_comes_out_once_among_any_noise(rows, data):
    one, wanted = Inputs(), []
    for number, row in enumerate(rows):
        if isinstance(row, tuple):
            content = [{**block, "n": number} for block in row[1]]
            wanted += content
            one.take(said(row[0], content), number)
        else:
            one.take(row, number)
        if data.draw(st.booleans()):
            one.take(asked([]), number)
    given_out = [json.loads(message.data) for part in one.rest() for message in part.messages]
    found = [
        block
        for value in given_out
        if isinstance(value.get("content"), list)
        for block in value["content"]
        if isinstance(block, dict) and "n" in block
    ]
    assert sorted(map(name, found)) == sorted(map(name, wanted))


def test_a_file_is_read_on_from_where_everything_before_was_handed_over(tmp_path):
    path = tmp_path / "s.jsonl"
    first, second = {"role": "user", "content": "one"}, {"role": "user", "content": "two"}
    rows = [said("user", "one"), asked([name(first)]), said("user", "two")]
    path.write_bytes(b"".join(row + b"\n" for row in rows))
    one = Conversation(str(path))
    one.read()
    [request] = one.inputs.done()
    again = Conversation(str(path), request.at)
    with path.open("ab") as file:
        file.write(asked([name(second)], id="r2", base="r1", keep=1) + b"\n")
    again.read()
    [later] = again.inputs.done()
    assert [json.loads(message.data) for message in later.messages] == [second]
    assert later.unseen == 0
