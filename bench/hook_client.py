"""From the spawn of a hook client to its answer, both clients, against a server that answers at once.

    python bench/hook_client.py --json

A C parent starts each client with a real-sized event on stdin and waits for its end. Baselines of the same run: an
empty program linked the same way (what a spawn costs on this machine) and an empty interpreter. What the daemon adds
is measured elsewhere. Needs a C compiler; says so and ends where there is none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

from outrider.doors.wire import encode_answer, read_head
from outrider.events.message import Wire

ROOT = Path(__file__).resolve().parents[1]
HOOK = ROOT / "src" / "outrider" / "hook"
EVENT = {
    "session_id": "2a70e949-b83c-4de1-82cf-127a6e850aee",
    "transcript_path": "/home/dev/.claude/projects/-home-dev-proj/2a70e949-b83c-4de1-82cf-127a6e850aee.jsonl",
    "cwd": "/home/dev/proj",
    "permission_mode": "acceptEdits",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "make -C /home/dev/proj test && git add -A && git commit -m 'x'", "description": "d"},
    "tool_use_id": "toolu_530d899dfac141a3a2dd",
}


class Echo(asyncio.Protocol):
    """Answers with silence as soon as the whole request is there."""

    def connection_made(self, transport):
        """Start with nothing."""
        self.transport, self.data = transport, b""

    def data_received(self, data):
        """Collect, answer, hang up."""
        self.data += data
        head = read_head(self.data)
        if head is not None and len(self.data) >= head.end:
            self.transport.write(encode_answer(head.nonce, Wire()))
            self.transport.close()


def serve(path: str, ready) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_unix_server(Echo, path, backlog=1024)
        ready.set()
        await server.serve_forever()

    uvloop.run(run())


def compile_c(source: str, out: Path, *flags: str) -> list[str]:
    path = out.with_suffix(".c")
    path.write_text(source)
    for compiler in ("musl-gcc", "cc", "gcc", "clang"):
        for static in (["-static"], []):
            if shutil.which(compiler):
                command = [compiler, "-Os", "-s", *static, *flags, str(path), "-o", str(out)]
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    return command
    raise SystemExit("bench/hook_client.py needs a C compiler, and none works here")


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = lambda share: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000, 3)  # noqa: E731
    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object instead of a table")
    parser.add_argument("-n", type=int, default=500, help="spawns of each program")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orb") as name:
        here = Path(name)
        compile_c((ROOT / "bench" / "spawn.c").read_text(), here / "spawn")
        compile_c("int main(void) { return 0; }\n", here / "floor")
        compile_c((HOOK / "client.c").read_text(), here / "hook", "-std=c99")
        (here / "in").write_text(json.dumps(EVENT))
        ready = multiprocessing.Event()
        server = multiprocessing.Process(target=serve, args=(str(here / "s"), ready), daemon=True)
        server.start()
        ready.wait(10)
        words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(here / "s")]
        words += ["--spool", str(here / "spool"), "--undecided", "deny"]
        python = [sys.executable, "-I", "-S"]
        programs = {
            "an empty static program": [str(here / "floor")],
            "native client": [str(here / "hook"), *words],
            "an empty interpreter (-I -S)": [*python, "-c", ""],
            "Python client": [*python, str(HOOK / "client.py"), *words],
        }
        out = {}
        for label, program in programs.items():
            for wide in (1, 50):
                command = [str(here / "spawn"), str(options.n), str(wide), str(here / "in"), *program]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                key = label if wide == 1 else f"{label}, 50 at once"
                out[key] = percentiles([float(line) for line in done.stdout.split()])
                out[key]["wrong"] = int(done.stderr.split()[-1])
        server.terminate()
        server.join()
    rows = [{"name": name, **row} for name, row in out.items()]
    if options.json:
        json.dump({"v": 1, "bench": "hook_client", "unit": "ms", "n": options.n, "rows": rows}, sys.stdout)
        return
    print(f"{'spawn to answer, ms':42} {'p50':>8} {'p95':>8} {'p99':>8} {'wrong':>6}")
    for row in rows:
        print(f"{row['name']:42} {row['p50']:8.3f} {row['p95']:8.3f} {row['p99']:8.3f} {row['wrong']:6}")


if __name__ == "__main__":
    main()
