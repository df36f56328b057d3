"""Ways out of a program: a shell for somebody at a terminal, and code run by an option that honest work does not need.

Two flags of an ``exec`` say so. ``interactive``: a shell is opened that waits for somebody to type. ``shell-escape``: a
program whose work is something else (a pager, an archiver, a debugger) is made to run a command or to load a library.
Sources: the programs' manual pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg

if TYPE_CHECKING:
    from outrider.effects.shell.state import Flow, Runner, State

INTERACTIVE = "interactive"
ESCAPE = "shell-escape"

MAX_CODE = 16 * 1024
"""Characters of code in a language that is not parsed that are looked at: one behind them does not make the walk "
"long."""

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash", "fish", "csh", "tcsh", "yash", "posh",
                    "sash", "elvish", "oksh", "lksh", "rksh", "rzsh"})  # fmt: skip
"""Names of shells."""

_SHELL = r"(?:/(?:usr/)?(?:local/)?bin/)?(?:ba|da|z|k|a|c|tc|fi|mk|ya|po|sa)?sh"
_IS_SHELL = re.compile(_SHELL + r"(?:\s+-[ipl]+)*\s*\Z")
_PATH = re.compile(r"/(?:usr/)?bin/(?:ba|da|z|k|a|c|tc)?sh\Z")
_OPENS = re.compile(
    rf"""(?x)
    (?i:start|system|exec\w*|execute|spawn\w*|popen\w*|open3|call\w*|run\w*|shell_exec|passthru|command|cmd|term|sh|start|
       write18|spawnlp?|_exit|eval|invoke|subprocess)
    \W{{1,6}}\s*(?:exec\s+)?{_SHELL}(?:\s+-[ipl]+)*\s*(?:["'`)\]}};,\#|]|[012]?[<>]|\Z)(?!\s*,?\s*["'\[ ]*-c)
    | /bin/(?:ba|da|z|k)?sh (?:\s+-[ip]+)* \s* (?:[012]?[<>]&\d | [012]?[<>]\s*/dev/tty | </dev/tty)
    | "scripts"\s*:\s*\{{[^{{}}]*:\s*"/bin/(?:ba|da|z|k)?sh"
    | (?i:system)["']?\s+(?i:using)\s+["']{_SHELL}["']
    | (?<![\w$])\$@\s*\|\s*(?:/bin/)?(?:ba|da|z|k)?sh\b
    | \bexec\s+(?:/bin/)?(?:ba|da|z|k)?sh\s+(?:-[ip]+\s*)?[012][<>]&[012]
    | [!`|]\s*/(?:usr/)?bin/(?:ba|da|z|k)?sh(?:\s+-[ip]+)*\s*(?:["'`)\]}};,\#|]|[012]?[<>]|\Z)
    | (?<![\w-])(?i:shell|unix|run-(?:program|process|command))[\s("'\[]{{1,4}}
      /(?:usr/)?bin/(?:ba|da|z|k)?sh\s*(?:["')\]]|\Z)
    | ["']\s*/(?:usr/)?bin/(?:ba|da|z|k)?sh["']\s*(?:\.?!|\.(?:execute|run|lines|spawn)|system\b)
    | s"\s+/(?:usr/)?bin/(?:ba|da|z|k)?sh"\s
    """
)
_WHOLE = re.compile(r"(?:/|~/|file:///)[\w.@+*-]+/[^\s:|;]+\Z|/[\w.@+-]+\Z")
_STRAY = re.compile(
    r"(?:\A@?|\A\w{2,}:|\A\w+=@?|,\w+=|\A-\w+=)((?:~|/(?:etc|root|home|Users|var|proc|dev|sys|boot|opt|srv|usr|mnt|media|run|tmp|"
    r"private|Library))/[^\s:;|,=]+)(?:\Z|,)"
)
"""What is written like the place of a file: alone, or behind ``@``, ``KIND:`` or ``name=``."""
_QUOTED = re.compile(r"""["']((?:~|/(?:etc|root|home|Users|proc|dev|boot))/[^\s"'`:|;,]+)["']""")
"""A place that is quoted inside an argument: code or a query of some language."""
_LINE = re.compile(r"\s*(?:[A-Za-z_]\w*=\S*\s+)*(?:\S*/)?([\w.+-]+)\s+\S")
_OUTSIDE = re.compile(r"(?:^|[\s=@<>])(?:~|/)[\w.]|[|>$]")
_SHELL_TEXT = re.compile(rf"(?:exec\s+)?{_SHELL}\s+-\w.*\Z", re.DOTALL)
_TYPED = re.compile(r":?!.|:(?:sh|set|py|lua|term|perl|ruby|tcl|r|e|w|silent)\b|\\!|\.(?:shell|system)\Z|@exec\Z")


def is_shell(text: str) -> bool:
    """Return whether ``text`` is a shell's name or path, with nothing for it to run."""
    return _IS_SHELL.match(text) is not None


def is_shell_path(text: str) -> bool:
    """Return whether ``text`` is the path of a shell."""
    return _PATH.match(text) is not None


def opens_shell(text: str) -> bool:
    """Return whether code of some language, given as text, plainly opens a shell with nothing for it to run."""
    return "sh" in text and _OPENS.search(text[:MAX_CODE]) is not None


def is_shell_in(name: str, value: str) -> bool:
    """Return whether a variable that a program is given holds a shell, and does not just say which one is preferred."""
    return "sh" in value and not name.endswith("SHELL") and (is_shell_path(value) or opens_shell(value))


def is_typed(name: str) -> bool:
    """Return whether a command's name is what somebody types inside a pager, an editor or a console: ``!sh``."""
    return _TYPED.match(name) is not None


def shell_opened(runner: Runner, name: str, at: Arg, why: str = "an interactive shell") -> None:
    """Note a shell that waits for somebody to type."""
    runner.emit("exec", "command", name, at, (INTERACTIVE,), why)
    runner.emit("opaque", "command", name, at, (), why)


def escaped(runner: Runner, name: str, at: Arg, why: str) -> None:
    """Note that a program is made to run what is not its work."""
    runner.emit("exec", "command", name, at, (ESCAPE,), why)


def is_program(text: str) -> bool:
    """Return whether ``text`` is the name or the path of a program that is known here."""
    from outrider.effects.commands.table import TABLE  # noqa: PLC0415 - the table knows this module

    found = TABLE.get(text.rpartition("/")[2])
    return found is not None and not found.quiet


def is_line(text: str) -> bool:
    """Return whether ``text`` reads like a command line that reaches beyond itself: a program, then a path or pipe."""
    found = _LINE.match(text)
    return found is not None and _OUTSIDE.search(text) is not None and is_program(found[1])


def handed(runner: Runner, words: list[Arg], state: State, stdin: Flow) -> None:
    """Walk the command that a program whose inner effects are not seen is given: behind ``--``, ``exec`` or ``run``."""
    at = next((place for place, word in enumerate(words) if word.text == "--"), -1)
    if at < 0:
        at = next((place for place, word in enumerate(words[:3]) if word.text in {"exec", "run"}), -1)
    rest = words[at + 1 :] if at >= 0 else []
    if len(rest) == 1 and words[at].text == "run" and "/" not in rest[0].text and " " not in rest[0].text:
        return  # ``run script``, ``run watch``: a task of the project far more often than a program.
    if rest and rest[0].text[:1] == "-":  # Options of its own, some of which take a value.
        first = next((place for place, word in enumerate(rest[:5]) if is_program(word.text)), len(rest))
        rest = rest[first:]
    if not rest:
        return
    if is_program(rest[0].text):
        runner.program(rest, state.fork(), stdin)
    elif len(rest) == 1 and is_line(rest[0].text):
        runner.text(rest[0].text, rest[0], state.fork(), NOTHING)


def stray(runner: Runner, name: str, arg: Arg, state: State, *, is_run: bool = False) -> None:
    """Note what can be told of an argument that a program's entry says nothing of: a shell, or a file.

    What is written like the place of a file is one more often than not, and counts as read. With ``is_run``, where
    nobody knows what the program does inside, a command line among its arguments counts as run.
    """
    text = arg.text
    if is_shell_path(text) or opens_shell(text):
        shell_opened(runner, name, arg)
    elif _SHELL_TEXT.match(text) or (is_run and is_line(text)):
        runner.text(text, arg, state.fork(), NOTHING)
    elif "/" in text:
        for found in (*_STRAY.finditer(text[:MAX_CODE]), *(_QUOTED.finditer(text[:MAX_CODE]) if is_run else ())):
            runner.path("read", Arg(found[1], arg.start, arg.end, arg.exact, arg.glob), state)


def strange(runner: Runner, args: list[Arg], state: State, stdin: Flow) -> None:
    """Note what can be told of a program that nobody here knows: shells that it is given, and paths that it could read.

    Its options are not known, so an absolute path that stands alone, or behind ``=`` or ``@``, counts as read.
    """
    name = args[0].text
    words = args[1:]
    if is_typed(name):
        escaped(runner, name, args[0], "typed inside another program")
    is_told = any(word.text in {"-c", "-s", "--shell", "completion", "completions"} for word in words)
    for place, word in enumerate(words):
        text = word.text
        is_named = is_shell_path(text) or (text in SHELLS and place == len(words) - 1 and place > 0)
        if opens_shell(text) or is_typed(text) or (is_named and not is_told):
            shell_opened(runner, name, word)
        told = text.partition("=")[2] if text[:1] == "-" else text
        if _SHELL_TEXT.match(told) or is_line(told):
            runner.text(told, word, state.fork(), NOTHING)
        path = text.partition("=")[2] if text[:1] == "-" else text.removeprefix("@")
        if "/" in path and path is not text and is_shell(path) and not is_told:
            shell_opened(runner, name, word)
        if "/" in path and not _WHOLE.match(path):
            stray(runner, name, word, state, is_run=True)
        elif "/" in path:
            runner.path("read", Arg(path, word.start, word.end, word.exact, word.glob), state)
    handed(runner, words, state, stdin)
    if any(opens_shell(text) for text in (*runner.drafts_of(words, state), stdin.text or "")):
        shell_opened(runner, name, args[0])
