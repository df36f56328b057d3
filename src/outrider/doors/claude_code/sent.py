"""What Claude Code sends its model, read from the transcript that it keeps of a session.

The host writes each request down by digest: ``api-request`` names the request that it goes on from (``base``), how many
of that one's messages it begins with (``keep``), the SHA-256 of each message that follows (``tail``), and that of the
system prompt and the tools (``shapeHash``), which stand in ``api-request-shape``. A message that is a line of the
conversation is not written again; every other one stands in ``api-request-blob``. A digest is over the JSON with sorted
keys and no spaces, and an answer whose blocks stand in several lines is sent as one message. Seen with Claude Code
2.1.330, where every message of every request was found; the format is the host's own and may change, and then what it
says of the conversation is kept all the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from outrider.doors.claude_code.follow import Followed
from outrider.transcripts.lines import micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_WAITING: Final = 64
"""Most messages that wait for the request that carries them."""

MOST_BYTES: Final = 256 * 1024
"""Most bytes of them; from then on they are handed over without their request."""

MOST_TAIL: Final = 4_096
"""Most digests that are read of one request."""

MOST_GIVEN: Final = 1_024
"""Most messages that were handed over and are known again."""

_MARKS: Final = (b'"api-request', b'"user"', b'"assistant"', b'"instructions"')


class Message(msgspec.Struct, frozen=True):
    """One message: its digest (hex), its JSON as it was hashed, and whether the host put it there by itself."""

    digest: str
    data: bytes
    added: bool = False


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the model was sent.

    Attributes:
        what: ``request``, ``frame`` or ``rest``.
        messages: What is new in it.
        model: The model that was asked.
        request: Id of the request.
        base: Id of the one that it goes on from.
        keep: How many messages of that one it begins with.
        tail: Digests (hex) of those that follow.
        frame: Digest (hex) of system prompt and tools.
        unseen: How many of ``tail`` were not found.
        read: Paths of the instruction files that the host has put into the context.
        asked: When it was sent, microseconds since 1970 UTC, or 0.
        at: Where the file was read up to when all before was handed over, in bytes; 0 for a frame.
    """

    what: str
    messages: tuple[Message, ...] = ()
    model: str = ""
    request: str = ""
    base: str = ""
    keep: int = 0
    tail: tuple[str, ...] = ()
    frame: str = ""
    unseen: int = 0
    read: tuple[str, ...] = ()
    asked: int = 0
    at: int = 0


class _Line(msgspec.Struct):
    type: str = ""
    message: Any = None
    attachment: Any = None
    hash: str = ""
    shape: Any = None
    shape_hash: str = msgspec.field(name="shapeHash", default="")
    id: str = ""
    base: str = ""
    keep: int = 0
    tail: list[str] = []
    params: Any = None
    timestamp: Any = None


_line = msgspec.json.Decoder(_Line)


def digest(value: Any) -> tuple[str, bytes]:
    """Return the host's digest (hex) of a JSON value, and the bytes that it is over.

    Raises:
        ValueError: It holds text that has no UTF-8 form.
    """
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(data).hexdigest(), data


def _short(name: str) -> bytes:
    try:
        return bytes.fromhex(name[:16])
    except ValueError:
        return b""


class _Said(msgspec.Struct, frozen=True):
    """A line of the conversation that waits: a message, or blocks of one."""

    group: str
    role: str
    content: Any
    message: Message


class Inputs:
    """What the lines of one transcript say that the model was sent."""

    def __init__(self) -> None:
        self._out: list[Sent] = []
        self._said: list[_Said] = []
        self._added: dict[str, Message] = {}
        self._bytes = 0
        self._given: dict[bytes, None] = {}
        self._read: tuple[str, ...] = ()
        self._group = 0
        self._at = 0

    def take(self, line: bytes, at: int = 0) -> None:
        """Read a line that ends ``at`` bytes into the file; one that means nothing says nothing."""
        if any(mark in line for mark in _MARKS):
            with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
                self._row(_line.decode(line), at)
        self._at = at

    def done(self) -> list[Sent]:
        """Return what was found since the last time."""
        out, self._out = self._out, []
        return out

    def rest(self) -> list[Sent]:
        """Return what was found, and what no request has carried."""
        self._hand_over()
        return self.done()

    def _row(self, row: _Line, at: int) -> None:
        if row.type in ("user", "assistant") and isinstance(row.message, dict):
            self._line_of(row.message)
        elif row.type == "api-request-blob" and row.message is not None:
            found, data = digest(row.message)
            # What does not hash to its name is kept under what it does hash to.
            self._room(data)
            self._added[found] = Message(found, data, added=True)
        elif row.type == "api-request-shape" and row.shape is not None:
            found, data = digest(row.shape)
            self._out.append(Sent(what="frame", messages=(Message(found, data),), frame=found))
        elif row.type == "attachment" and isinstance(row.attachment, dict):
            self._instructed(row.attachment)
        elif row.type == "api-request":
            self._asked(row, at)

    def _instructed(self, attachment: dict[str, Any]) -> None:
        files = attachment.get("files") if attachment.get("type") == "instructions" else None
        if isinstance(files, list):
            paths = (one.get("path") for one in files if isinstance(one, dict))
            self._read = (*self._read, *(path for path in paths if isinstance(path, str)))[:MOST_WAITING]

    def _line_of(self, message: dict[str, Any]) -> None:
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not isinstance(content, str | list):
            return
        found, data = digest({"role": role, "content": content})
        self._room(data)
        if not self._said or self._said[-1].role != role:
            self._group += 1
        name = message.get("id")
        group = name if isinstance(name, str) and name else str(self._group)
        self._said.append(_Said(group, role, content, Message(found, data)))

    def _room(self, data: bytes) -> None:
        if len(self._said) + len(self._added) >= MOST_WAITING or self._bytes + len(data) > MOST_BYTES:
            self._hand_over()
        self._bytes += len(data)

    def _whole(self) -> Iterator[tuple[Message, list[Message]]]:
        """Yield each message that waits, in order: put together from its lines, and those lines."""
        groups: dict[str, list[_Said]] = {}
        for one in self._said:
            groups.setdefault(one.group, []).append(one)
        for lines in groups.values():
            if len(lines) == 1 or not all(isinstance(one.content, list) for one in lines):
                yield from ((one.message, [one.message]) for one in lines)
                continue
            content = [block for one in lines for block in one.content]
            yield Message(*digest({"role": lines[0].role, "content": content})), [one.message for one in lines]

    def _asked(self, row: _Line, at: int) -> None:
        tail = tuple(row.tail[:MOST_TAIL])
        wanted = set(tail)
        messages = [*self._added.values()]
        for whole, lines in self._whole():
            # As one message, or as its lines if the host has sent them so.
            messages += lines if wanted.intersection(one.digest for one in lines) else [whole]
        order = {name: place for place, name in enumerate(tail)}
        # What stands in no request goes with the one that came after it.
        messages.sort(key=lambda one: order.get(one.digest, len(order)))
        found = {one.digest for one in messages}
        params = row.params if isinstance(row.params, dict) else {}
        model = params.get("model")
        self._out.append(
            Sent(
                what="request",
                messages=tuple(messages),
                model=model if isinstance(model, str) else "",
                request=row.id,
                base=row.base,
                keep=max(0, row.keep),
                tail=tail,
                frame=row.shape_hash,
                unseen=sum(one not in found and _short(one) not in self._given for one in tail),
                read=self._read,
                asked=micros(row.timestamp),
                at=at,
            )
        )
        self._forget(messages)

    def _hand_over(self) -> None:
        """Give away what waits, without a request."""
        messages = (*self._added.values(), *(whole for whole, _ in self._whole()))
        if messages or self._read:
            self._out.append(Sent(what="rest", messages=messages, read=self._read, at=self._at))
        self._forget(messages)

    def _forget(self, messages: Iterable[Message]) -> None:
        for one in (*messages, *(said.message for said in self._said)):
            self._given[_short(one.digest)] = None
        while len(self._given) > MOST_GIVEN:
            del self._given[next(iter(self._given))]
        self._said, self._added, self._bytes, self._read = [], {}, 0, ()


class Conversation(Followed):
    """A transcript, and what it says that the model was sent."""

    def __init__(self, path: str, at: int = 0) -> None:
        self.inputs = Inputs()
        super().__init__(path, self._line, at)

    def _line(self, line: bytes) -> None:
        self.inputs.take(line, self.at)


def context(message: Message) -> list[str]:
    """Return the texts that the host put into the context by itself: reminders, instruction files, words of hooks.

    What a person wrote, what calls brought and what the model said are known from elsewhere.
    """
    if not message.added:
        return []
    value = msgspec.json.decode(message.data)
    if not isinstance(value, dict):
        return []
    content = value.get("content")
    blocks = [{"text": content}] if isinstance(content, str) else content if isinstance(content, list) else []
    texts = [one["text"] for one in blocks if isinstance(one, dict) and isinstance(one.get("text"), str)]
    return texts if value.get("role") == "system" else [text for text in texts if text.startswith("<system-reminder>")]
