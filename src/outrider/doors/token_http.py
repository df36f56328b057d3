"""HTTP for credentials: one request, one answer, end. ``GET /token``, and what those who check credentials fetch.

The protocol is h11's, and nothing here does I/O. A parameter or a header that counts and is given twice is refused,
since two readers could take it for two things (RFC 6749, 3.1).
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import h11
import msgspec

from outrider.doors.show import show

MOST_HEAD = 16 * 1024
MOST_BODY = 64 * 1024
_MOST_FIELDS = 32
_ONCE = frozenset({b"host", b"dpop", b"content-type", b"content-length"})
_FORM = b"application/x-www-form-urlencoded"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants.

    Attributes:
        method: ``GET`` or ``POST``.
        path: What stands before the query.
        said: The parameters: of the query, or of the form that was posted.
        host: Whom the sender means.
        proof: The ``DPoP`` header (RFC 9449), or empty.
        is_page: Whether a web page sent it.
    """

    method: str
    path: str
    said: dict[str, str] = {}
    host: str = ""
    proof: str = ""
    is_page: bool = False


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered: a JSON object. What holds for everybody may be kept by whoever fetched it, ``keep`` seconds."""

    status: int
    body: dict[str, object]
    keep: int = 0


def speaks(data: bytes) -> bool:
    """Tell by the first byte of a connection whether it is to be HTTP. Our own frames begin otherwise."""
    return data[:1] in {b"G", b"P"}


def error(status: int, name: str, why: str, fix: str = "") -> Response:
    """Return an error as OAuth has it (RFC 6749, 5.2): a name of its lists, and a sentence."""
    return Response(status=status, body={"error": name, "error_description": f"{why}. {fix}".strip() if fix else why})


class Exchange:
    """One request and its answer, without I/O."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Request | bytes | None:
        """Take bytes from the client (none: it hung up).

        Returns:
            What is asked, to be answered by :meth:`answer`; or the bytes of a refusal, to be sent before the
            connection is closed (none: just close it); or None while there is more to come.
        """
        try:
            self._http.receive_data(data)
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    return None
                if isinstance(event, h11.Request):
                    self._head = event
                elif isinstance(event, h11.Data):
                    self._size += len(event.data)
                    if self._size > MOST_BODY:
                        return self.answer(error(413, "invalid_request", f"more than {MOST_BODY} bytes"))
                    self._body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                    got = _read(self._head, b"".join(self._body))
                    return self.answer(got) if isinstance(got, Response) else got
                else:
                    return b""
        except h11.RemoteProtocolError as broken:
            why = f"not HTTP as we speak it: {show(str(broken))}"
            return self.answer(error(broken.error_status_hint, "invalid_request", why))

    def answer(self, response: Response) -> bytes:
        """Return the bytes of an answer."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return b""
        body = msgspec.json.encode(response.body)
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", f"public, max-age={response.keep}" if response.keep else "no-store"),
            ("Connection", "close"),
        ]
        parts = (h11.Response(status_code=response.status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        return b"".join(self._http.send(part) or b"" for part in parts)


def _read(head: h11.Request, body: bytes) -> Request | Response:
    """Return what a whole request asks, or why it is not answered."""
    headers: dict[bytes, bytes] = {}
    for name, value in head.headers:
        if name in headers and name in _ONCE:
            return error(400, "invalid_request", f"the header {show(name.decode('latin-1'))} is given twice")
        headers[name] = value
    method = head.method.decode("latin-1")
    if method not in {"GET", "POST"}:
        return error(405, "invalid_request", "only GET and POST are answered")
    if method == "POST" and headers.get(b"content-type", b"").split(b";")[0].strip().lower() != _FORM:
        return error(415, "invalid_request", f"what is posted is {_FORM.decode()}")
    path, _, query = head.target.decode("latin-1").partition("?")
    said = _fields(query if method == "GET" else body.decode("latin-1"))
    if said is None:
        return error(400, "invalid_request", "the parameters cannot be read, or one is given twice")
    return Request(
        method=method,
        path=path,
        said=said,
        host=headers.get(b"host", b"").decode("latin-1").lower(),
        proof=headers.get(b"dpop", b"").decode("latin-1"),
        is_page=bool(headers.keys() & {b"origin", b"sec-fetch-site"}),
    )


def _fields(text: str) -> dict[str, str] | None:
    """Return parameters by name; None if one is there twice, or they are no such text."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None
