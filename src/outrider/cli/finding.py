"""What ``status`` and ``doctor`` found: how bad it is, what it is, and what to do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Literal

import click
import msgspec

from outrider.cli import show

_MARK = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "bad": ("BAD ", "red")}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        level: ``bad`` leaves something unprotected, unprovable or broken; ``warn`` is worth knowing.
        what: What is so.
        fix: What to do about it, or empty.
    """

    level: Literal["ok", "warn", "bad"]
    what: str
    fix: str = ""


def ok(what: str) -> Finding:
    """Return what is as it should be."""
    return Finding(level="ok", what=what)


def warn(what: str, fix: str = "") -> Finding:
    """Return what is worth knowing."""
    return Finding(level="warn", what=what, fix=fix)


def bad(what: str, fix: str = "") -> Finding:
    """Return what is wrong."""
    return Finding(level="bad", what=what, fix=fix)


def tell(findings: list[Finding]) -> None:
    """Print findings, each with what to do in a line of its own."""
    for one in findings:
        mark, colour = _MARK[one.level]
        parts = _wrapped(show.safe(one.what)) + (_wrapped(f"> {show.safe(one.fix)}") if one.fix else [])
        for position, part in enumerate(parts):
            click.echo(f"{click.style(mark, fg=colour) if position == 0 else '    '}  {part}".rstrip())


def _wrapped(line: str) -> list[str]:
    if not sys.stdout.isatty():
        return [line]
    room = max(40, shutil.get_terminal_size((80, 24)).columns - 6)
    return textwrap.wrap(line, room, break_on_hyphens=False) or [""]
