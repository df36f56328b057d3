"""Witnesses as processes of their own, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from outrider.witness.home import WitnessHome


@dataclass
class Serving:
    """A witness that runs."""

    home: WitnessHome
    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, str]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()


@contextlib.contextmanager
def serving(home: WitnessHome, port: int = 0) -> Iterator[Serving]:
    """Run the witness that lives at ``home`` until the block ends."""
    command = [sys.executable, "-m", "outrider", "witness", "serve", "--port", str(port), "--home", str(home.root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", told)
            assert found, told
            yield Serving(home, process, int(found[1]))
        finally:
            process.terminate()
            process.wait(20)
