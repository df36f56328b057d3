r"""SQL given as text: which files its statements touch, and which programs they or a client's ``\!`` run.

Sources: the manuals of PostgreSQL (COPY, server-side file functions), MySQL (LOAD DATA, INTO OUTFILE) and SQLite.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from outrider.effects.commands.escape import MAX_CODE, escaped
from outrider.effects.commands.sql_drops import dropped
from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg

if TYPE_CHECKING:
    from outrider.effects.commands.invocation import Invocation

_SHELL = re.compile(r"""(?im)(?:^|;|\s)(?:\\!|!!|system\s|\\system\s|\.shell\s|\.system\s|\\[og]\s*\|)\s*([^\n]+)""")
_PROGRAM = re.compile(r"""(?is)\b(?:from|to)\s+program\s+(?:E)?'([^']+)'""")
_FILES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""(?is)\b(?:load_file|pg_read_file|pg_read_binary_file|lo_import|pg_ls_dir|readfile|read_csv|
        read_text|read_blob|read_json|read_parquet|file)\s*\(\s*['"]([^'"]+)""", re.VERBOSE), "read"),
    (re.compile(r"""(?is)\b(?:copy|\\copy)\s+[\w."]+\s*(?:\([^)]*\))?\s+from\s+'?([^'\s;]+)'?"""), "read"),
    (re.compile(r"""(?is)\bload\s+data\s+(?:local\s+)?infile\s+'([^']+)'"""), "read"),
    (re.compile(r"""(?im)^\s*\.(?:read|import|restore|open)\s+([^\s;]+)"""), "read"),
    (re.compile(r"""(?im)(?:^|\s)(?:\\i|\\ir|source)\s+([^\s;]+)"""), "read"),
    (re.compile(r"""(?is)\binto\s+(?:out|dump)file\s+'([^']+)'"""), "write"),
    (re.compile(r"""(?is)\bto\s+'([^']+)'"""), "write"),
    (re.compile(r"""(?is)\b(?:writefile|lo_export)\s*\((?:[^,)]*,)?\s*['"]([^'"]+)"""), "write"),
    (re.compile(r"""(?im)^\s*(?:\.(?:output|once|backup|save|log|excel)|\\o|\\w|tee|\\T)\s+([^\s;|]+)"""), "write"),
)  # fmt: skip
_LIMIT = 64
_TABLES = {"shadow": "/etc/shadow", "user_ssh_keys": "/root/.ssh", "process_envs": "/proc/self/environ"}
"""Tables of osquery that hold what a file holds."""
_FROM = re.compile(r"(?i)\b(?:from|join)\s+(\w+)")
_LIBRARY = re.compile(r"""(?i)(?:load_extension\s*\(\s*['"]([^'"]+)|^\s*\.load\s+(\S+))""", re.MULTILINE)


def read_sql(run: Invocation, text: str, at: Arg) -> None:
    """Note the files that SQL text touches and the programs that it runs."""
    text = text[:MAX_CODE]
    for found in itertools.islice(_SHELL.finditer(text), _LIMIT):
        escaped(run.runner, run.name, at, "a client's command that runs another")
        run.runner.text(found[1], at, run.state.fork(), NOTHING)
    dropped(run, text, at)
    for found in itertools.islice(_PROGRAM.finditer(text), _LIMIT):
        escaped(run.runner, run.name, at, "a statement that runs a program")
        run.runner.text(found[1], at, run.state.fork(), NOTHING)
    for pattern, verb in _FILES:
        for name in pattern.findall(text)[:_LIMIT]:
            if name.lower() not in {"program", "stdin", "stdout"}:
                run.path(verb, Arg(name, at.start, at.end))  # type: ignore[arg-type]
    for name in _FROM.findall(text) if run.name.startswith("osquery") else ():
        if name.lower() in _TABLES:
            run.path("read", Arg(_TABLES[name.lower()], at.start, at.end))
    for found in _LIBRARY.finditer(text):
        run.runner.emit("opaque", "command", run.name, at, (), "loads an extension")
        run.path("read", Arg(found[1] or found[2], at.start, at.end))
