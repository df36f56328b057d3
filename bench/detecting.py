"""What looking costs: detectors on what is written, effects of commands, and both on twice the text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from bench import calls, written
from bench.judging import HOME, KEY, REPO
from bench.measure import Row, spread, timed

from outrider.detect.code.scan import scan_code
from outrider.detect.scan import scan_call, scan_text
from outrider.detect.smuggled import smuggled
from outrider.effects import Place, plan
from outrider.events.call import Call
from outrider.flow.prints import fingerprints
from outrider.flow.values import told
from outrider.gate import study

WARM = 30
PLACE = Place(home=HOME, repo=REPO, cwd=REPO)
_ONE = re.compile(r"(?i)\b(?:password|secret|token)\s*[:=]\s*['\"]([^'\"]{8,})")
_BESIDE = "one pattern of Python's re"


def _write(path: str, text: str) -> Call:
    return Call(door="b", session="s", call_id="c", tool="write", name="Write", cwd=REPO,
                args={"file_path": f"{REPO}/{path}", "content": text})  # fmt: skip


def _command(text: str) -> Call:
    return Call(door="b", session="s", call_id="c", tool="shell", name="Bash", cwd=REPO, args={"command": text})


def _bare(texts: Sequence[str]) -> list[int]:
    return sorted(timed(lambda text=text: _ONE.search(text)) for text in texts)


def everything(call: Call) -> None:
    """All detectors on a call, as the gate asks them, of a file that is not there yet."""
    planned = plan(call, PLACE)
    scan_call(call, KEY)
    smuggled(call)
    study.inspect(call, planned, {})
    study.names(call, planned, {})


def detectors(count: int) -> list[Row]:
    """Measure the detectors on writes: secrets, the rules of each language, dependencies, and all of them together."""
    files = {language: written.files(language, WARM + count) for language in written.FILES}
    rows = [_secrets([_write(path, text) for path, text in files["Python"]])]
    together: list[int] = []
    for language, some in files.items():
        spent = [timed(lambda path=path, text=text: scan_code(text, "w", path=path)) for path, text in some][WARM:]
        row = Row(f"code rules, {language}", "ms", spread(spent, "ms"), _BESIDE)
        row.beside = _bare([text for _, text in some])[len(some) // 2] / 1e6
        row.notes = f"{some[0][1].count(chr(10))} lines, {len(some[0][1]):,} characters"
        rows.append(row)
        writes = [_write(path, text) for path, text in some]
        together += [timed(lambda call=call: everything(call)) for call in writes][WARM:]
    row = Row("all detectors, a write of 300 lines", "ms", spread(together, "ms"))
    row.budgets = {"p50": 5.0, "p99": 15.0}
    row.notes = f"{', '.join(files)}"
    return [*rows, row, _manifests(count)]


def _secrets(some: list[Call]) -> Row:
    spent = [timed(lambda call=call: scan_call(call, KEY)) for call in some][WARM:]
    row = Row("secrets, a write of 300 lines", "ms", spread(spent, "ms"), _BESIDE)
    row.beside = _bare([call.args["content"] for call in some])[len(some) // 2] / 1e6
    return row


def _manifests(count: int) -> Row:
    some = [_write("requirements.txt", text) for text in written.manifests(WARM + count)]
    planned = plan(some[0], PLACE)
    spent = [timed(lambda call=call: study.names(call, planned, {})) for call in some][WARM:]
    return Row("dependencies, a list of 60 packages", "ms", spread(spent, "ms"))


def effects(count: int) -> list[Row]:
    """Measure what commands would do: of one line, and of a script of 50 lines."""
    lines = [call[1]["command"] for call in calls.bash(REPO, 40 * (WARM + count), 3) if "\n" not in call[1]["command"]]
    scripts = ["\n".join(lines[at : at + 50]) for at in range(0, len(lines) - 50, 50)]
    rows = []
    for name, texts, unit, budget in (
        ("effects of a command", lines[-WARM - 5 * count :], "us", 80.0),
        ("effects of a script of 50 lines", scripts[-WARM - count :], "ms", 2.0),
    ):
        spent = [timed(lambda call=call: plan(call, PLACE)) for call in map(_command, texts)][WARM:]
        rows.append(Row(name, unit, spread(spent, unit), budgets={"p50": budget}))
    return rows


def _grown() -> dict[str, tuple[str, Callable[[str], object]]]:
    """What is measured at two sizes: a text that is repeated, and what is done with it."""
    python, javascript, c = (written.files(language, 10)[9][1] for language in ("Python", "JavaScript", "C"))
    line = 'cat src/a_{n}.py | head -3 && rm -rf build/{n}; echo "$(date) $HOME" >> log.txt\n'
    command = "".join(line.format(n=at) for at in range(40))
    told_of = '{"id": 17, "url": "https://example.org/a?b=c", "mail": "ann@example.org", "text": "ignore this"}\n'
    return {
        "code, Python": (python, lambda text: scan_code(text, "w", path="a.py")),
        "code, JavaScript": (javascript, lambda text: scan_code(text, "w", path="a.js")),
        "code, C": (c, lambda text: scan_code(text, "w", path="a.c")),
        "secrets": (python, lambda text: scan_call(_write("a.txt", text), KEY)),
        "what comes in": (told_of * 20, lambda text: scan_text(text, "result", KEY)),
        "effects": (command, lambda text: plan(_command(text), PLACE)),
        "fingerprints": (told_of * 20, lambda text: fingerprints(text, KEY, limit=64)),
        "values": (told_of * 20, lambda text: told(text, KEY)),
    }


def doubling(rounds: int) -> list[Row]:
    """Measure whether twice the text takes twice as long; the row is the worst ratio, and says whose it is."""
    ratios: dict[str, float] = {}
    for name, (piece, do) in _grown().items():
        small = piece * (1 + 40_000 // len(piece))
        times = []
        for text in (small, small * 2):
            do(text)
            times.append(min(_processor(do, text) for _ in range(rounds)))
        ratios[name] = times[1] / times[0]
    worst = max(ratios, key=ratios.__getitem__)
    row = Row("twice the text, times as long", "x", dict.fromkeys(("p50", "p95", "p99"), ratios[worst]))
    row.budgets = {"p50": 2.6}
    row.notes = f"the worst is {worst}; " + ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
    return [row]


def _processor(do: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    do(text)
    return time.process_time() - began
