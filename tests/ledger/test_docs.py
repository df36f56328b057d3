"""The page about the record says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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
