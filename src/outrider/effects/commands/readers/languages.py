"""Readers of interpreters, compilers and formatters."""

from __future__ import annotations

import itertools
import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import escaped, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.guard import guarded
from outrider.effects.commands.readers.python_source import read_source
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_MODULES = {"pip": "pip", "uv": "uv", "pytest": "pytest", "black": "black", "isort": "isort", "mypy": "mypy",
    "ruff": "ruff",
            "coverage": "coverage", "unittest": "unittest", "flake8": "flake8", "pylint": "pylint", "build": "",
            "virtualenv": "virtualenv", "pipx": "pipx", "twine": "twine", "tox": "tox", "nox": "nox"}  # fmt: skip


def stdin_code(run: Invocation) -> Flow:
    """An interpreter without a file: it runs what comes in."""
    flow = run.stdin
    if flow.origin in {"network", "decoded"} and flow.text is None:
        run.unparsed(
            run.at, "runs what it downloads" if flow.origin == "network" else "runs text that is decoded while it runs"
        )
    elif flow.some or flow.text is not None:
        run.opaque("runs code given as text")
        read_code(run, flow.text or "", run.at)
    else:
        run.opaque("an interactive interpreter")
    return UNKNOWN


def python(run: Invocation) -> Flow:
    """python: a file, ``-m MODULE``, ``-c TEXT``, or what comes in."""
    words, at = run.words, 0
    while at < len(words) and words[at].text[:1] == "-" and len(words[at].text) > 1:
        text = words[at].text
        at += 1
        if text in {"--version", "--help", "-V", "-h", "-VV"}:
            return UNKNOWN
        if text.startswith("--"):
            continue
        letters = text[1:]
        for place, letter in enumerate(letters):
            if letter in "cm":
                tail = letters[place + 1 :]
                value = part(words[at - 1], tail) if tail else words[at] if at < len(words) else None
                rest = words[at:] if tail else words[at + 1 :]
                return _code(run, value) if letter == "c" else _module(run, value, rest)
            if letter in "WX":
                at += 0 if letters[place + 1 :] else 1
                break
    if at >= len(words) or words[at].text == "-":
        if run.stdin.text is not None:
            read_source(run, run.stdin.text, run.at)
            return UNKNOWN
        return stdin_code(run)
    if words[at].text.startswith("/dev/fd/"):
        return stdin_code(run)
    return _file(run, words[at])


def _file(run: Invocation, arg: Arg) -> Flow:
    if arg.text.endswith("outrider/hook/client.py"):
        guarded(run, elsewhere=False)
    ROLES["script"](run, arg)
    draft = run.runner.drafted(arg, run.state)
    if draft is not None:
        read_source(run, draft, arg, (arg.text,))
    return UNKNOWN


def _code(run: Invocation, value: Arg | None) -> Flow:
    if value is None:
        return UNKNOWN
    if value.made and not value.exact:
        run.unparsed(value, "runs text that is made while it runs")
    else:
        read_source(run, value.text, value)
    return UNKNOWN


def _module(  # noqa: C901 - one module a branch
    run: Invocation, value: Arg | None, rest: list[Arg]
) -> Flow:
    if value is None:
        return UNKNOWN
    if value.text == "venv":
        run.rest = [arg for arg in rest if arg.text[:1] != "-"]
        for arg in run.rest:
            run.path("write", arg, ("recursive",))
        return UNKNOWN
    if value.text == "http.server":
        port = next((arg.text for arg in rest if arg.text.isdigit()), "8000")
        _served(run, rest, ("-d", "--directory"))
        run.emit("connect", "host", f"0.0.0.0:{port}", value, ("upload",))
        return UNKNOWN
    if value.text in {"json.tool", "py_compile", "compileall", "this", "site", "sysconfig", "tokenize", "ast", "dis"}:
        for arg in rest:
            if arg.text[:1] != "-":
                run.path("read", arg)
        return UNKNOWN
    if value.text.partition(".")[0] == "outrider":
        ours = "outrider" if value.text == "outrider" else "outrider-daemon"
        return run.runner.program([part(value, ours), *rest], run.state, run.stdin)
    if value.text == "pty":
        shell_opened(run.runner, run.name, value)
    name = _MODULES.get(value.text)
    if name:
        return run.runner.program([part(value, name), *rest], run.state, run.stdin)
    run.opaque(f"runs the module {value.text[:80]}")
    return UNKNOWN


def _served(run: Invocation, words: list[Arg], names: tuple[str, ...]) -> None:
    """Note the folder that a server hands out."""
    for word, value in zip(words, [*words[1:], run.at], strict=True):
        name, equals, tail = word.text.partition("=")
        if name in names:
            run.path("read", part(word, tail) if equals else value, ("recursive",))


def _other_code(run: Invocation) -> None:
    """Note code behind options that only some interpreters have, and what PHP's own server hands out."""
    for role, arg in run.given:
        if role == "code":
            read_code(run, arg.text, arg)
    for word in run.words:
        if word.text.startswith("--eval:"):
            ROLES["code"](run, part(word, word.text[7:]))
    if run.name == "php":
        _served(run, run.words, ("-t", "--docroot"))


def _asks(run: Invocation) -> bool:
    return "list" in run.flags or any(word.text in {"--version", "--help", "-v", "-V", "-h"} for word in run.words)


_PROJECT = re.compile(r"[a-z][a-z-]*\Z")


def _subcommand(run: Invocation, rest: list[Arg]) -> list[Arg]:
    """Read ``deno eval CODE``, ``deno run FILE``, ``dart test``; return the words from the file that is run on."""
    words = [arg for arg in rest[1:] if arg.text[:1] != "-"]
    if rest[0].text == "eval":
        for arg in words[:1]:
            ROLES["code"](run, arg)
        return []
    if rest[0].text in {"run", "test", "task", "install", "check", "cache"} and words:
        return words
    if _PROJECT.match(rest[0].text):
        run.opaque("runs code of the project")
        return []
    return rest


def interpreter(run: Invocation) -> Flow:
    """Interpreters of other languages: a file, text, or what comes in."""
    run.read_options()
    run.apply_options()
    _other_code(run)
    if _asks(run) or any(role in {"code", "script"} for role, _ in run.given):
        return UNKNOWN
    rest = run.rest
    if run.name in {"node", "deno"} and any(word.text in {"--check", "-c", "--test"} for word in run.words):
        run.opaque("runs code of the project")
        return UNKNOWN
    if run.name in {"deno", "dart"} and rest:
        rest = _subcommand(run, rest)
        if not rest:
            return UNKNOWN
    if not rest or rest[0].text == "-":
        return stdin_code(run)
    if "://" in rest[0].text:
        ROLES["url"](run, rest[0])
        run.unparsed(rest[0], "runs what it downloads")
        return run.finish()
    ROLES["script"](run, rest[0])
    return UNKNOWN


def perl(run: Invocation) -> Flow:
    """perl: ``-e TEXT FILE...``; with ``-i`` the files are edited."""
    words, code, is_edit = run.words, None, False
    rest: list[Arg] = []
    at = 0
    while at < len(words):
        text = words[at].text
        if text[:1] == "-" and len(text) > 1 and not rest:
            is_edit = is_edit or "i" in text.split("e")[0]
            if text[-1] in "eE" and at + 1 < len(words):
                code = words[at + 1]
                at += 1
            elif text in {"-v", "--version"}:
                return UNKNOWN
        else:
            rest.append(words[at])
        at += 1
    if code is not None:
        ROLES["code"](run, code)
        read_code(run, code.text, code)
        for arg in rest:
            run.path("read", arg)
            if is_edit:
                run.path("write", arg)
        return UNKNOWN
    if not rest:
        return stdin_code(run)
    ROLES["script"](run, rest[0])
    return UNKNOWN


def compiler(run: Invocation) -> Flow:
    """Compilers: sources are read; without ``-o`` the result goes into the directory.

    ``@FILE`` holds more arguments; ``-wrapper PROGRAM,ARGUMENT`` runs every step by another program.
    """
    for option, value in itertools.pairwise(run.words):
        if option.text == "-wrapper":
            escaped(run.runner, run.name, value, "an option that runs a command")
            run.runner.text(value.text.replace(",", " "), value, run.state.fork(), run.stdin)
        elif option.text in {"-plugin", "--plugin"}:
            ROLES["library"](run, value)
    for word in run.words:
        if word.text.startswith("@"):
            run.path("read", part(word, word.text[1:]))
        elif word.text.startswith("-fplugin="):
            ROLES["library"](run, part(word, word.text[9:]))
    run.words = [word for word in run.words if word.text[:1] != "@" and word.text != "-wrapper"]
    run.read_options()
    run.apply()
    if not any(role == "write" for role, _ in run.given) and run.rest:
        run.path("write", Arg("a.out", run.at.start, run.at.end))
    return UNKNOWN


def formatter(run: Invocation) -> Flow:
    """Formatters: some write unless told to check, some only when told to write."""
    run.read_options()
    words = {word.text for word in run.words}
    rest = run.rest
    if run.name in {"ruff", "biome"} and rest:
        is_format = rest[0].text == "format"
        rest = rest[1:]
    else:
        is_format = run.name in {"black", "isort", "docformatter", "pyupgrade"}
    writes = ("edit" in run.flags or is_format) and not words & {"--check", "--diff", "--check-only"}
    if run.name in {"prettier", "eslint"}:
        run.opaque("loads plug-ins of the project")
    for arg in rest or [Arg(".", run.at.start, run.at.end)]:
        run.path("read", arg, ("recursive",))
        if writes:
            run.path("write", arg, ("recursive",))
    return UNKNOWN


def converter(run: Invocation) -> Flow:
    """``ffmpeg -i IN OUT``, ``convert IN OUT``: the last argument is written."""
    words = list(run.words)
    for name, value in itertools.pairwise(words):
        if name.text == "-i":
            run.path("read", value)
    last = words[-1] if words else None
    if last is not None and last.text[:1] != "-" and run.name in {"ffmpeg", "sox"}:
        run.path("write", last)
    return UNKNOWN


READERS = {
    "python": python, "interpreter": interpreter, "perl": perl, "compiler": compiler, "formatter": formatter,
    "converter": converter,
}  # fmt: skip
