"""A fuzz target for the reader of command lines, run on demand: it must answer any text, and in bounded work.

    pip install atheris
    python tests/fuzz/shell.py -max_total_time=300 [CORPUS_FOLDER]

Atheris is not among the project's dependencies. What it finds becomes a line of ``vectors/hard/shell.jsonl``.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

if importlib.util.find_spec("atheris") is None:
    sys.exit("atheris is missing; it drives the fuzzing: pip install atheris")

import atheris

with atheris.instrument_imports(include=["outrider.effects"]):
    from outrider.effects import Place
    from outrider.effects.planning import read_commands

_spec = importlib.util.spec_from_file_location("effects_hard", Path(__file__).parents[1] / "effects" / "hard.py")
hard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hard)

PLACE = Place(home="/home/dev", repo="/home/dev/proj", cwd="/home/dev/proj")
LONGEST = 4096
SLOW = 20.0
"""Seconds, instrumented, after which a text of :data:`LONGEST` characters counts as a finding."""


def one(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")[:LONGEST]
    started = time.perf_counter()
    read_commands(text, PLACE)
    if time.perf_counter() - started > SLOW:
        raise TimeoutError(text)


def seeded(folder: Path) -> str:
    """Put the hard snippets into a corpus folder, one a file."""
    for at, text in enumerate([*hard.SNIPPETS, *hard.BROKEN, *(grow(3) for grow in hard.GROWING.values())]):
        (folder / f"{at:04}").write_bytes(text.encode("utf-8", "surrogatepass"))
    return str(folder)


def main() -> None:
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    arguments = sys.argv if given else [*sys.argv, seeded(Path(tempfile.mkdtemp(prefix="fuzz-shell-")))]
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
