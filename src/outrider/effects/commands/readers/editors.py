"""Readers of editors and pagers: their own commands, given as options or on standard input, can run others.

Sources: the manuals of Vim, ex, ed, nano, Emacs and less.
"""

from __future__ import annotations

import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import MAX_CODE, escaped, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_RANGE = re.compile(r"[:\s%$.,0-9'<>]*(?:(?:sil|silent|keepalt|noautocmd|exe|execute)!?\s+[\"']?)*")
_COMMAND = re.compile(r"([A-Za-z]+|!)(!?)\s*(.*)\Z", re.DOTALL)
_LANGUAGES = re.compile(r"(?:py3?|python3?|pyx|py3do|lua|luado|luafile|perl|perldo|ruby|rubydo|tcl|tcldo|mz)\Z")
_READS = frozenset({"r", "read", "e", "edit", "ed", "E", "sp", "split", "vs", "vsplit", "new", "tabe", "tabedit", "so",
                    "source", "view", "find", "sv"})  # fmt: skip
_WRITES = frozenset({"w", "write", "wq", "x", "xit", "sav", "saveas", "W", "up", "update"})
_SHELLING = frozenset({"!", "sh", "shell", "te", "ter", "term", "terminal"})
_LIMIT = 64


def ex(run: Invocation, text: str, at: Arg) -> None:
    """Note what commands of ex, vi or ed do."""
    for line in text[:MAX_CODE].splitlines()[:_LIMIT]:
        pieces = [line] if "!" in line else re.split(r"(?<![\\|])\|(?!\|)", line)
        for piece in pieces:
            _ex_command(run, piece, at)


def _ex_command(run: Invocation, line: str, at: Arg) -> None:
    found = _COMMAND.match(_RANGE.sub("", line, count=1))
    if found is None:
        return
    name, bang, tail = found.groups()
    if name in _SHELLING:
        _run_text(run, tail or "sh", at)
    elif _LANGUAGES.match(name) and tail:
        escaped(run.runner, run.name, at, "an editor's command that runs code")
        read_code(run, tail, at)
    elif name in _READS or name in _WRITES:
        if tail[:1] == "!" or (bang and name in {"r", "read"}):
            _run_text(run, tail.lstrip("!"), at)
        elif tail:
            run.path("read" if name in _READS else "write", part(at, tail.split(" ")[-1]))
    elif "system" in line or "term_start" in line or "jobstart" in line:
        read_code(run, line, at)
    elif "!" in line and re.search(r"shell=.*shell|!\s*/bin/", line):
        shell_opened(run.runner, run.name, at)


def _run_text(run: Invocation, text: str, at: Arg) -> None:
    escaped(run.runner, run.name, at, "an editor's command that runs another")
    run.runner.text(text.rstrip("\"'") if text.count('"') % 2 else text, at, run.state.fork(), run.stdin)


def _lisp_shell(run: Invocation) -> None:
    """``emacs --eval '(shell)'``: a shell in a window that no agent has."""
    if run.name != "emacs" or {"--batch", "-batch"} & {word.text for word in run.words}:
        return
    for role, arg in run.given:
        if role == "code" and re.search(r"\((?:e?shell|term|ansi-term|vterm)\b", arg.text):
            shell_opened(run.runner, run.name, arg)


def editor(run: Invocation) -> Flow:
    """Editors: ``-c`` and ``+command`` run a command of theirs; ed and ex take commands from standard input."""
    if run.name == "code" and [word.text for word in run.words[:1]] == ["tunnel"]:
        run.emit("connect", "host", "code:tunnel", run.at, ("tunnel", "upload"))
        run.opaque("opens this host to the outside")
        return UNKNOWN
    run.read_options()
    for role, arg in run.given:
        if role == "ex":
            ex(run, arg.text, arg)
    _lisp_shell(run)
    plus = [arg for arg in run.rest if arg.text.startswith("+")]
    for arg in plus:
        ex(run, arg.text[1:], arg)
    run.rest = [arg for arg in run.rest if not arg.text.startswith(("+", "!"))]
    for word in run.words:
        if word.text.startswith("!") and run.name in {"ed", "red"}:
            _run_text(run, word.text[1:], word)
    run.given = [(role, arg) for role, arg in run.given if role != "ex"]
    run.apply()
    if run.stdin.text is not None:
        ex(run, run.stdin.text, run.at)
    if any("!" in word.text for word in run.words):
        run.opaque("runs a command from its arguments")
    return UNKNOWN


def pager(run: Invocation) -> Flow:
    """Pagers: ``+!command`` runs one; what they show is read."""
    run.read_options()
    for word in run.words:
        if word.text.startswith("+") and "!" in word.text:
            _run_text(run, word.text.partition("!")[2], word)
    run.rest = [arg for arg in run.rest if not arg.text.startswith("+")]
    run.apply()
    return run.finish()


def console(run: Invocation) -> Flow:
    r"""Consoles that take their orders from standard input or ``-c``: ``!sh``, ``\! sh``, ``.shell sh``."""
    run.read_options()
    run.apply()
    for role, arg in run.given:
        if role == "order" or (role == "text" and re.match(r"\s*(?:\\?!|\.shell|shell\s|system\s)", arg.text)):
            orders(run, arg.text, arg)
    if run.stdin.text is not None:
        orders(run, run.stdin.text, run.at)
    return run.finish()


_ORDER = re.compile(
    r"\s*(?:\\?!|@exec\s+|\.(?:shell|system)\s|(?:platform\s+)?shell\b|system\s|\\system\s)\s*(.*)", re.DOTALL
)
_ORDER_READ = re.compile(r"\s*(?:\.(?:read|import|restore|open)|\\i|\\ir|source|\\\.)\s+([^\s]+)")
_ORDER_WRITE = re.compile(r"\s*(?:\.(?:output|once|backup|save|log|excel)|\\o|\\w|tee|\\T)\s+([^\s]+)")
_ORDER_COPY = re.compile(r"""(?i)\s*\\copy\b.*\b(from|to)\s+(?:(program)\s+)?'?([^\s']+)'?""")


def orders(run: Invocation, text: str, at: Arg) -> None:
    """Note what a console's own commands do."""
    for line in text[:MAX_CODE].splitlines()[:_LIMIT]:
        found = _ORDER.match(line)
        read, write, copied = _ORDER_READ.match(line), _ORDER_WRITE.match(line), _ORDER_COPY.match(line)
        if found:
            escaped(run.runner, run.name, at, "a console's command that runs another")
            run.runner.text(found[1] or "sh", at, run.state.fork(), run.stdin)
        elif copied and not copied[2]:
            run.path("read" if copied[1].lower() == "from" else "write", part(at, copied[3]))
        elif read:
            run.path("read", part(at, read[1]))
        elif write:
            if write[1].startswith("|"):
                escaped(run.runner, run.name, at, "a console's command that runs another")
                run.runner.text(line.partition("|")[2], at, run.state.fork(), run.stdin)
            else:
                run.path("write", part(at, write[1]))


READERS = {"editor": editor, "pager": pager, "orders": console}
