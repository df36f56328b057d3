"""The page about the record says what is so."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.ledger.compact import compact

PAGE = Path(__file__).parents[2] / "docs" / "record.md"


def test_the_program_on_the_page_finds_the_root_that_was_signed(open_ledger, scribe, where):
    ledger = open_ledger()
    writes = scribe(ledger)
    writes.open()
    for n in range(1, 700):
        writes.decide(n)
    made = ledger.seal()
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=where.parent, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["700", made.root.hex()]


def test_the_command_on_the_page_makes_packs_segments_that_the_program_reads(open_ledger, scribe, where):
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    ledger = open_ledger()
    writes = scribe(ledger)
    writes.open()
    for n in range(1, 300):
        writes.decide(n)
    made = ledger.seal()
    assert compact(where, progress=lambda *_: None).segments > 2
    text = PAGE.read_text()
    (line,) = re.findall(r"`(zstd -d --output-dir-flat [^`]+)`", text)
    subprocess.run(["sh", "-c", f"{line} -q"], cwd=where.parent, check=True)
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=where.parent, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["300", made.root.hex()]
