# ruff: noqa: INP001 - a script, not a module
"""Draws docs/answer.svg, the picture in the README, from a real run: ``python docs/draw_answer.py``."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from outrider.cli.demo import command
from outrider.demo.play import play
from outrider.demo.tell import tell

_HERE = Path(__file__).parent
_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def main() -> None:
    """Play the story at full size and draw what it tells."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        played = play(agents, 1, case=Path(folder) / "case")
    played.case = "./outrider-case-20261123-140311"
    told = io.StringIO()
    with contextlib.redirect_stdout(told), click.Context(command, color=True):
        tell(played)
    text = re.sub(r"/[^ ]*(?=(/homes|…))", "~", told.getvalue())
    console = Console(record=True, width=84, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("$ outrider demo\n" + text))
    svg = console.export_svg(title="outrider demo", font_aspect_ratio=0.61)
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if "textualize" not in line) + "\n"
    (_HERE / "answer.svg").write_text(_FONTS.sub("\n", svg).replace("Fira Code, monospace", "monospace"))


main()
