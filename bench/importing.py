"""How fast a host's transcript is read into a record, and what it takes of memory.

    PYTHONPATH=src python bench/importing.py --calls 20000

The transcript is made up (one seed): a session of Claude Code that searches, reads and edits; outputs are twelve lines.
The baseline of the same run is decoding the same lines as JSON and nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from outrider.config import Home
from outrider.daemon.imports import imports
from outrider.transcripts.registry import FORMATS

_WORDS = [
    "service", "returns", "account", "payments", "review", "customer", "path", "module", "function", "import", "config",
    "server", "table", "deploy", "branch", "merge", "commit", "release",
]  # fmt: skip


def transcript(path: Path, calls: int) -> None:
    """Write a transcript of so many calls and as many results."""
    rnd = random.Random(7)
    with path.open("w") as file:
        for n in range(2 * calls + 1):
            row = {"uuid": f"u{n}", "parentUuid": f"u{n - 1}" if n else None, "sessionId": "s", "cwd": "/home/dev/repo",
                   "timestamp": "2026-11-20T10:00:00.000Z", "version": "2.1.330", **_said(rnd, n)}  # fmt: skip
            file.write(json.dumps(row) + "\n")


def _said(rnd: random.Random, n: int) -> dict[str, Any]:
    if n == 0:
        return {"type": "user", "message": {"role": "user", "content": "tidy the payments module"}}
    if n % 2 == 0:
        rows = [" ".join(rnd.choices(_WORDS, k=8)) + f" src/mod{rnd.randrange(300)}.py:{n}" for _ in range(12)]
        block = {"type": "tool_result", "tool_use_id": f"t{n - 1}", "content": "\n".join(rows)}
        return {"type": "user", "message": {"role": "user", "content": [block]}}
    file = f"/home/dev/repo/src/mod{rnd.randrange(300)}.py"
    name, given = rnd.choice(
        [
            ("Bash", {"command": f'cd src && grep -rn "{rnd.choice(_WORDS)}" mod1.py | head -20 && git status'}),
            ("Read", {"file_path": file}),
            ("Edit", {"file_path": file, "old_string": " ".join(rnd.choices(_WORDS, k=20)), "new_string": "done"}),
        ]
    )
    block = {"type": "tool_use", "id": f"t{n}", "name": name, "input": given}
    return {"type": "assistant", "message": {"role": "assistant", "content": [block]}}


def run(calls: int) -> dict[str, float]:
    """Return transcript events a second, those of the baseline, and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "t.jsonl"
        transcript(path, calls)
        began = time.perf_counter()
        with path.open("rb") as file:
            lines = sum(bool(msgspec.json.decode(line)) for line in file)
        alone = lines / (time.perf_counter() - began)
        began = time.perf_counter()
        done = imports(Home(Path(name) / "home"), FORMATS["claude"], [path], lambda _: None)
        rate = done.steps / (time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"events_per_second": rate, "baseline_json_alone": alone, "peak_rss_mb": peak}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    print(json.dumps(run(parser.parse_args().calls)))
    sys.exit(0)
