"""A model that follows a script: enough of the Anthropic Messages API for a real coding agent to work with.

It listens on loopback, in a thread of the test's own process, so that a step of the script may look at (or break)
whatever the test holds. A script is a list of steps a conversation. A step is a :class:`Turn`, or a function from what
the model has :class:`Heard` so far to a turn; the latter is how an agent reads a refusal and does better.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True)
class Use:
    """One tool call that the model asks for."""

    tool: str
    input: Json


@dataclass(frozen=True)
class Turn:
    """One answer of the model: some text, and tool calls that the host runs before it asks again.

    A turn without calls ends the conversation.
    """

    text: str = ""
    uses: tuple[Use, ...] = ()


def use(tool: str, **arguments: Any) -> Turn:
    """Return a turn that asks for one tool call."""
    return Turn(uses=(Use(tool, arguments),))


def bash(command: str) -> Turn:
    """Return a turn that asks for one shell command."""
    return use("Bash", command=command, description="a step of the script")


def task(prompt: str, *, agent: str = "general-purpose") -> Turn:
    """Return a turn that starts a sub-agent in the foreground; ``prompt`` must hold the key of its conversation."""
    return use("Agent", description="a sub-task", prompt=prompt, subagent_type=agent)


@dataclass(frozen=True)
class Result:
    """What the host told the model about one tool call."""

    tool: str
    input: Json
    text: str
    failed: bool


@dataclass(frozen=True)
class Heard:
    """What the model knows when it takes a turn.

    Attributes:
        results: Every tool result so far, oldest first.
        told: Everything that user messages and the system prompt say, tool results left out: prompts, and what the
            host's hooks put into the context.
    """

    results: tuple[Result, ...]
    told: str

    @property
    def last(self) -> Result:
        """The newest tool result.

        Raises:
            IndexError: There is none yet.
        """
        return self.results[-1]


Step = Turn | Callable[[Heard], Turn]


@dataclass(frozen=True)
class Script:
    """The main agent's steps, and those of each sub-agent by a key that its prompt holds.

    A conversation whose steps are used up says ``done`` and ends.
    """

    main: Sequence[Step]
    tasks: Mapping[str, Sequence[Step]] = field(default_factory=dict)

    def steps(self, first_prompt: str) -> Sequence[Step]:
        """Return the steps of the conversation that starts with ``first_prompt``."""
        for key, steps in self.tasks.items():
            if key in first_prompt:
                return steps
        return self.main


@dataclass(frozen=True)
class Request:
    """One request that a client made."""

    path: str
    headers: Mapping[str, str]
    body: Json


class ScriptedModel:
    """The server. Use it as a context manager; ``url`` is what the client's base URL must be.

    Attributes:
        requests: Every request, in the order of arrival.
        errors: What steps raised. The client is told ``script error`` and ends; :meth:`check` raises the first.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.errors: list[Exception] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Base URL on loopback."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def check(self) -> None:
        """Raise the first error that a step of the script raised, if any did."""
        if self.errors:
            raise self.errors[0]

    def answer(self, body: Json) -> Turn:
        """Return the turn for one request; which step it is follows from the request alone, so retries are harmless."""
        messages = body.get("messages") or []
        if not body.get("tools"):  # The client's own side questions (titles, summaries) offer no tools.
            return Turn(text="a title")
        steps = self.script.steps(_prose(messages[0].get("content")) if messages else "")
        taken = sum(1 for m in messages if m["role"] == "assistant" and any(_blocks(m, "tool_use")))
        if taken >= len(steps):
            return Turn(text="done")
        step = steps[taken]
        try:
            return step if isinstance(step, Turn) else step(_heard(body))
        except Exception as error:  # noqa: BLE001 - kept for check(); an answer without one would make the client retry
            self.errors.append(error)
            return Turn(text=f"script error: {error!r}")


def _blocks(message: Json, kind: str) -> Iterator[Json]:
    content = message.get("content")
    if isinstance(content, list):
        yield from (block for block in content if block.get("type") == kind)


def _prose(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content or () if block.get("type") == "text")


def _heard(body: Json) -> Heard:
    asked = {
        block["id"]: block
        for message in body["messages"]
        if message["role"] == "assistant"
        for block in _blocks(message, "tool_use")
    }
    results = tuple(
        Result(
            tool=asked[block["tool_use_id"]]["name"],
            input=asked[block["tool_use_id"]]["input"],
            text=_prose(block.get("content")),
            failed=bool(block.get("is_error")),
        )
        for message in body["messages"]
        for block in _blocks(message, "tool_result")
    )
    told = [_prose(body.get("system"))] + [
        _prose(m.get("content")) for m in body["messages"] if m["role"] != "assistant"
    ]
    return Heard(results=results, told="\n".join(told))


def _message(turn: Turn, model: str) -> Json:
    content: list[Json] = [{"type": "text", "text": turn.text}] if turn.text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": u.tool, "input": u.input}
        for u in turn.uses
    ]
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if turn.uses else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _stream(message: Json) -> Iterator[Json]:
    """Yield the events that the streaming API would send for ``message``."""
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ScriptedModel


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Stay silent; ``requests`` holds everything."""

    def do_HEAD(self) -> None:
        self._send({})

    def do_GET(self) -> None:
        self._note({})
        self._send({"data": [], "models": []})

    def do_POST(self) -> None:
        body: Json = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        self._note(body)
        path = self.path.partition("?")[0]
        if path.endswith("/messages/count_tokens"):
            self._send({"input_tokens": 10})
        elif path.endswith("/messages"):
            message = _message(self.server.model.answer(body), str(body.get("model", "scripted")))
            if body.get("stream"):
                self._send_stream(_stream(message))
            else:
                self._send(message)
        else:
            self._send({})

    def _note(self, body: Json) -> None:
        self.server.model.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))

    def _send(self, value: Json) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_stream(self, events: Iterator[Json]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.close_connection = True
