"""How fast a host's transcript is read into a record, and what it takes of memory.

    PYTHONPATH=src python bench/importing.py --calls 20000
    PYTHONPATH=src python bench/importing.py --calls 20000 --unlike

The transcripts are made up (one seed): sessions of Claude Code, forty calls each, that work on a repository, which is
Python's own library. They read its files, whole or from some line on, search it, edit it, run its tests and look at its
state; a few files, words and tasks are met by many, and most by few (Zipf). With ``--unlike`` it is one session in
which no two outputs are alike: twelve lines of words in random order. The baseline of the same run is decoding the same
lines as JSON and nothing else. Processor time is that of all processes together, so that the figure for a core holds on
a machine that others use.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from itertools import accumulate
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


SESSION = 40
"""Calls of one session that works on a repository."""

_PACKAGES = ("asyncio", "concurrent/futures", "email", "http", "json", "logging", "unittest", "urllib", "xml/dom")


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


class Work:
    """Sessions that work on a repository: Python's own library."""

    def __init__(self) -> None:
        self._rnd = random.Random(7)
        root = Path(json.__file__).parents[1]
        found = [path for pattern in ("*.py", *(f"{name}/*.py" for name in _PACKAGES)) for path in root.glob(pattern)]
        self._files = {str(path.relative_to(root)): path.read_text("utf-8", "replace") for path in sorted(found)}
        self._names = list(self._files)
        self._rnd.shuffle(self._names)
        self._zipf = list(accumulate(1 / (rank + 1) for rank in range(len(self._names))))
        counted = Counter(word for text in self._files.values() for word in re.findall(r"[a-z_]{5,}", text))
        self._sought = [word for word, count in counted.most_common(2_000) if count < 60]
        self._words = list(accumulate(1 / (rank + 1) for rank in range(len(self._sought))))

    def session(self, path: Path, number: int, calls: int) -> None:
        """Write one session's transcript."""
        rows: list[dict[str, Any]] = []
        task = f"please tidy {self._name()}, its tests fail; run them before you commit"
        rows.append({"type": "user", "message": {"role": "user", "content": task}})
        for n in range(calls):
            name, given, output = self._call()
            use = {"type": "tool_use", "id": f"t{number}-{n}", "name": name, "input": given}
            rows.append({"type": "assistant", "message": {"role": "assistant", "content": [use]}})
            block = {"type": "tool_result", "tool_use_id": f"t{number}-{n}", "content": output}
            rows.append({"type": "user", "message": {"role": "user", "content": [block]}})
        for n, row in enumerate(rows):
            row |= {"uuid": f"u{number}-{n}", "parentUuid": f"u{number}-{n - 1}" if n else None,
                    "sessionId": f"s{number}",
                    "cwd": "/home/dev/repo", "timestamp": "2026-11-20T10:00:00.000Z", "version": "2.1.330"}  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def _name(self) -> str:
        return self._rnd.choices(self._names, cum_weights=self._zipf)[0]

    def _numbered(self, name: str, first: int, count: int) -> str:
        lines = self._files[name].split("\n")[first : first + count]
        return "\n".join(f"{first + at + 1:6}\t{line}" for at, line in enumerate(lines))

    def _call(self) -> tuple[str, dict[str, Any], str]:
        rnd, draw, name = self._rnd, self._rnd.random(), self._name()
        path = f"/home/dev/repo/{name}"
        if draw < 0.22:
            return "Read", {"file_path": path}, self._numbered(name, 0, 2_000)
        if draw < 0.32:
            first = rnd.randrange(120)
            return "Read", {"file_path": path, "offset": first, "limit": 60}, self._numbered(name, first, 60)
        if draw < 0.5:
            word = rnd.choices(self._sought, cum_weights=self._words)[0]
            found = [f"{one}:{at}:{line}" for one, text in self._files.items() if word in text
                     for at, line in enumerate(text.split("\n")) if word in line]  # fmt: skip
            return "Grep", {"pattern": word, "output_mode": "content"}, "\n".join(found[:40])
        if draw < 0.72:
            lines = self._files[name].split("\n")
            at = rnd.randrange(max(1, len(lines) - 6))
            old = "\n".join(lines[at : at + 5])
            given = {"file_path": path, "old_string": old, "new_string": old.replace("return", "yield")}
            said = f"The file {path} has been updated. Here's the result of running `cat -n` on a snippet of it:\n"
            return "Edit", given, said + self._numbered(name, max(0, at - 4), 13)
        if draw < 0.86:
            test = f"tests/test_{name.replace('/', '_')}"
            ran = f"{rnd.randint(3, 80)} passed in {rnd.random() * 9:.2f}s"
            return "Bash", {"command": f"cd repo && python -m pytest -q {test} 2>&1 | tail -5"}, "." * 60 + f"\n{ran}"
        if draw < 0.95:
            changed = "\n".join(f" M {self._name()}" for _ in range(rnd.randint(1, 3)))
            return "Bash", {"command": "git status --short && git diff --stat"}, changed
        words = f"{rnd.choice(['tidy', 'mend', 'test'])} {name}"
        commit = f"[main {rnd.randbytes(4).hex()[:7]}] {words}\n 1 file changed, {rnd.randint(1, 40)} insertions(+)"
        return "Bash", {"command": f"git commit -am '{words}'"}, commit


def run(calls: int, *, unlike: bool = False) -> dict[str, float]:
    """Return transcript events a second of this machine and of one core, those of the baseline, and memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "transcripts"
        folder.mkdir()
        if unlike:
            transcript(folder / "t.jsonl", calls)
        else:
            work = Work()
            for number in range(calls // SESSION):
                work.session(folder / f"s{number}.jsonl", number, SESSION)
        size = lines = 0
        began = time.perf_counter()
        for path in folder.iterdir():
            size += path.stat().st_size
            with path.open("rb") as file:
                lines += sum(bool(msgspec.json.decode(line)) for line in file)
        alone = lines / (time.perf_counter() - began)
        began, before = time.perf_counter(), _processor()
        done = imports(Home(Path(name) / "home"), FORMATS["claude"], [folder], lambda _: None)
        took, spent = time.perf_counter() - began, _processor() - before
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return {
        "events": done.steps, "bytes_per_event": round(size / done.steps),
        "events_per_second": round(done.steps / took),
        "events_per_second_of_a_core": round(done.steps / spent), "baseline_json_alone": round(alone),
        "peak_rss_mb": round(peak),
    }  # fmt: skip


def _processor() -> float:
    """Return the processor time of this process and of those that it has waited for, in seconds."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--unlike", action="store_true", help="no two outputs alike")
    args = parser.parse_args()
    print(json.dumps(run(args.calls, unlike=args.unlike)))
    sys.exit(0)
