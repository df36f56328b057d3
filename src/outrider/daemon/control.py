"""The control channel: what the command line asks a running daemon. Same socket, its own magic, JSON both ways.

Frame: ``ORC1``, four bytes length (big endian), JSON. One request a connection, one answer.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.errors import BadInputError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"ORC1"
MAX = 4 * 1024 * 1024
_HEAD = struct.Struct(">4sI")


def pack(value: Any) -> bytes:
    """Return the frame of a request or an answer."""
    body = msgspec.json.encode(value)
    return _HEAD.pack(MAGIC, len(body)) + body


def complete(data: bytes) -> bool:
    """Tell whether ``data`` holds a whole frame."""
    if len(data) < _HEAD.size:
        return False
    magic, length = _HEAD.unpack_from(data)
    if magic != MAGIC or length > MAX:
        raise BadInputError("not a control frame")
    return bool(len(data) >= _HEAD.size + length)


def unpack(data: bytes) -> Any:
    """Return what a whole frame holds.

    Raises:
        BadInputError: It is not a control frame, or not JSON.
    """
    if not complete(data):
        raise BadInputError("a control frame was cut short")
    _, length = _HEAD.unpack_from(data)
    try:
        return msgspec.json.decode(data[_HEAD.size : _HEAD.size + length])
    except msgspec.DecodeError as error:
        raise BadInputError(f"a control frame is not JSON: {error}") from error


def ask(path: Path, request: dict[str, Any], *, timeout: float = 5.0) -> dict[str, Any]:
    """Ask the daemon behind ``path`` and return its answer.

    Raises:
        UnavailableError: Nobody listens, or no answer came within ``timeout`` seconds.
        BadInputError: What came back is not an answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect(str(path))
            sock.sendall(pack(request))
            data = b""
            while not (data and complete(data)):
                chunk = sock.recv(65536)
                if not chunk:
                    break
                data += chunk
        except (OSError, TimeoutError) as error:
            raise UnavailableError(
                f"no daemon answers at {path}: {error}", fix="Start it with `outrider up`, or see `outrider doctor`."
            ) from error
    answer = unpack(data) if data else None
    if not isinstance(answer, dict):
        raise UnavailableError("the daemon hung up without an answer", fix="See `outrider doctor`.")
    return answer
