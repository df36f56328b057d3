"""Runs other people's scanners over one text: bandit and semgrep, where they are installed and configured.

Each run is a process of its own with a folder of its own, little memory and time and the lowest priority, and sees no
more of the environment than a path. Nothing is fetched: semgrep gets rules from a file only. A scanner that does not
find its canary is blind, and nothing that it says counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.daemon import limited
from outrider.detect.code.language import USUAL, language_of
from outrider.detect.code.second_look import LANGUAGES, Asked, Reported, read_report

if TYPE_CHECKING:
    from outrider.config import SecondLooks

MISSING: Final = "it is not installed"
NO_RULES: Final = "it has no rules: set semgrep_rules to a file or folder of rules"
BLIND: Final = "it does not find its canary"
TIMED_OUT: Final = "it took too long"
TOO_LARGE: Final = "the text is too large"
FRAGMENT: Final = "only a part of the file is known"

_CANARY: Final = "import os\n\n\ndef run(name):\n    os.system('ls ' + name)\n    return eval(name)\n"
_MAX_REPORT: Final = 8 << 20
_STATE = Literal["ready", "unready"]


class Scanner(msgspec.Struct, frozen=True, kw_only=True):
    """One scanner as it is configured.

    Attributes:
        name: ``bandit`` or ``semgrep``.
        program: Absolute path of its program, or empty where it is not installed.
        rules: Absolute path of semgrep's rules.
        seconds: What one run may take.
        memory: Bytes of address space that one run may have.
    """

    name: str
    program: str
    rules: str = ""
    seconds: int = 20
    memory: int = 1 << 30

    @property
    def lacks(self) -> str:
        """Why it cannot run at all, or empty."""
        if not self.program:
            return MISSING
        if self.name == "semgrep" and not (self.rules and os.path.exists(self.rules)):  # noqa: PTH110 - plain text
            return NO_RULES
        return ""

    def looks_at(self, path: str, text: str) -> bool:
        """Tell whether a text is in a language that it is given."""
        return language_of(path, text) in LANGUAGES[self.name]


def scanners(config: SecondLooks) -> tuple[Scanner, ...]:
    """Return the scanners that are configured, found on PATH, beside this interpreter, or at the path that is named."""
    return tuple(
        Scanner(
            name=Path(tool).name,
            program=_found(tool),
            rules=config.semgrep_rules,
            seconds=config.seconds,
            memory=config.memory_mb << 20,
        )
        for tool in config.tools
    )


def _found(tool: str) -> str:
    if tool.startswith("/"):
        return tool if os.access(tool, os.X_OK) else ""
    beside = Path(sys.executable).parent / tool
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(tool) or ""


async def canary(scanner: Scanner) -> str:
    """Return why nothing that a scanner says can count, or empty: it must find what a small text holds."""
    if scanner.lacks:
        return scanner.lacks
    seen = await scan(scanner, Asked(text=_CANARY, path="canary.py", where="canary"))
    if seen.problem:
        return seen.problem
    # Somebody's own rules for semgrep need hold none for Python: there a report on the text is enough.
    return "" if seen.findings or scanner.name == "semgrep" else BLIND


async def scan(scanner: Scanner, asked: Asked) -> Reported:
    """Return what a scanner says of a text; whatever goes wrong is named in the report."""
    if scanner.lacks:
        return Reported(problem=scanner.lacks)
    with tempfile.TemporaryDirectory(prefix="outrider-look-") as folder:
        name = _name(asked)
        path = Path(folder) / name
        data = asked.text.encode("utf-8", "replace")
        if scanner.name == "semgrep":
            path.write_bytes(data)
            data = b""
        try:
            report = await _run(scanner, folder, str(path), data)
        except TimeoutError:
            return Reported(problem=TIMED_OUT)
        except OSError as error:
            return Reported(problem=f"failed: it could not be started ({error.strerror})")
    return read_report(scanner.name, report, asked) if report else Reported(problem="failed: it said nothing")


def _name(asked: Asked) -> str:
    """Return a name for the text's file by which its language is known, and that nobody else has chosen."""
    language = language_of(asked.path, asked.text)
    return Path(USUAL.get(language, "text.txt")).name


def _command(scanner: Scanner, path: str) -> list[str]:
    if scanner.name == "bandit":
        return [scanner.program, "-f", "json", "-q", "--exit-zero", "--ignore-nosec", "-"]
    return [
        scanner.program, "scan", "--json", "--quiet", "--metrics", "off", "--disable-version-check", "--disable-nosem",
        "--no-git-ignore", "--jobs", "1", "--config", scanner.rules, path,
    ]  # fmt: skip


async def _run(scanner: Scanner, folder: str, path: str, data: bytes) -> bytes:
    """Return what a scanner prints.

    Raises:
        TimeoutError: It took longer than it may; it is killed, and what it started with it.
        OSError: It could not be started.
    """
    given = [str(scanner.seconds), str(scanner.memory), *_command(scanner, path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", limited.__file__, *given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        cwd=folder, env=_environment(scanner, folder), start_new_session=True,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(data), scanner.seconds)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return out[:_MAX_REPORT]


def _environment(scanner: Scanner, folder: str) -> dict[str, str]:
    beside = str(Path(scanner.program).parent)
    return {
        "PATH": f"{beside}:/usr/bin:/bin", "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1", "SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0",
        "SEMGREP_SETTINGS_FILE": f"{folder}/settings.yml",
    }  # fmt: skip
