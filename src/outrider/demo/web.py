"""The internet of the story, on loopback: every host of it, told apart by the Host header."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class Web:
    """Serves pages, and remembers what was sent to hosts that take anything.

    Attributes:
        address: Host and port on loopback.
        taken: ``(host, query)`` of every request to a host that has no pages.
    """

    def __init__(self, pages: Mapping[tuple[str, str], str], sinks: frozenset[str]) -> None:
        """Start serving.

        Args:
            pages: Text by host and path.
            sinks: Hosts that answer everything with ``ok`` and keep the query.
        """
        self.taken: list[tuple[str, str]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers.get("Host", "")
                parts = urlsplit(self.path)
                if host in sinks:
                    web.taken.append((host, parts.query))
                    self._answer(200, "ok")
                    return
                page = pages.get((host, parts.path))
                self._answer(200 if page is not None else 404, page or "not found")

            def _answer(self, code: int, text: str) -> None:
                body = text.encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
