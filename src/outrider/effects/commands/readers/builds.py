"""Readers of what builds and packs: make, cmake, dotnet, buildah, dpkg-deb. Sources: the programs' manuals."""

from __future__ import annotations

import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import MAX_CODE, escaped, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_LIMIT = 64


def make(run: Invocation) -> Flow:
    """``make``: ``--eval`` is text of a build file; so is what comes in for ``-f -``."""
    run.read_options()
    for role, arg in run.given:
        if role == "make-text":
            recipe(run, arg.text, arg)
        elif role == "read":
            recipe(run, run.runner.drafted(arg, run.state) or "", arg)
    if run.stdin.text is not None and any(
        role == "read" and arg.text in {"-", "/dev/stdin"} for role, arg in run.given
    ):
        recipe(run, run.stdin.text, run.at)
    run.given = [(role, arg) for role, arg in run.given if role != "make-text"]
    run.apply()
    return run.finish()


def recipe(run: Invocation, text: str, at: Arg) -> None:
    """Note what the text of a build file runs, reads and writes when it is read or its rules are made."""
    for line in text[:MAX_CODE].splitlines()[:_LIMIT]:
        behind = re.match(r"[^\t#=;:][^#=;:]*:[^=;]*;(.*)", line)
        if behind:
            run.runner.text(behind[1].strip().lstrip("@-+"), at, run.state.fork(), NOTHING)
        elif line.startswith("\t"):
            run.runner.text(line.strip().lstrip("@-+"), at, run.state.fork(), NOTHING)
    for command in re.findall(r"\$\(shell\s+((?:[^()]|\([^()]*\))*)\)", text[:MAX_CODE])[:_LIMIT]:
        run.runner.text(command, at, run.state.fork(), NOTHING)
    for sign, name in re.findall(r"\$\(file\s*(>>?|<)\s*([^,)\s]+)", text[:MAX_CODE])[:_LIMIT]:
        run.path("write" if sign[0] == ">" else "read", part(at, name))


def dotnet(run: Invocation) -> Flow:
    """``dotnet fsi [--exec] [FILE]``: F#'s own console; ``dotnet msbuild FILE`` and the rest run the project's code."""
    run.read_options()
    run.apply_options()
    words = [arg for arg in run.rest if arg.text[:1] != "-"]
    if words and words[0].text == "fsi":
        files = words[1:]
        if run.stdin.text is not None:
            read_code(run, run.stdin.text, run.at)
        elif not files and not any(role == "script" for role, _ in run.given):
            shell_opened(run.runner, run.name, words[0], "an interactive interpreter")
        for arg in files[:1]:
            ROLES["script"](run, arg)
    return run.finish()


_CMAKE = {
    "cat": "cat", "copy": "cp", "copy_if_different": "cp", "copy_directory": "cp -r", "rename": "mv", "rm": "rm",
    "remove": "rm", "remove_directory": "rm -r", "make_directory": "mkdir", "touch": "touch", "create_symlink": "ln -s",
    "create_hardlink": "ln", "env": "env", "time": "time", "tar": "tar", "md5sum": "md5sum", "sha256sum": "sha256sum",
    "echo": "echo", "compare_files": "cmp", "chdir": "env -C",
}  # fmt: skip
"""Programs that the small ones of ``cmake -E`` do the same as."""


def cmake(run: Invocation) -> Flow:
    """cmake: ``-E`` has small programs of its own, ``-P`` runs a script."""
    words = run.words
    if words and words[0].text == "-E":
        named = _CMAKE.get(words[1].text) if len(words) > 1 else None
        if named is None:
            return UNKNOWN
        program = [part(words[1], one) for one in named.split()]
        return run.runner.program([*program, *words[2:]], run.state, run.stdin)
    for word, value in zip(words, [*words[1:], run.at], strict=True):
        if word.text == "-P":
            ROLES["script"](run, value)
        elif word.text in {"-C", "--toolchain"}:
            run.path("read", value)
        elif word.text == "-B" or (
            word.text in {"--install", "--install-prefix", "--prefix"} and value.text.startswith(("/", "~"))
        ):
            run.path("write", value, ("recursive",))
    run.own_drafts()
    run.opaque("runs what its build file says")
    return UNKNOWN


def buildah(run: Invocation) -> Flow:
    """``buildah run CONTAINER COMMAND``; ``buildah unshare`` opens a shell of this host."""
    words = run.words
    command = words[0].text if words else ""
    rest = [word for word in words[1:] if word.text[:1] != "-"]
    if command == "unshare":
        if rest:
            return run.runner.program(words[words.index(rest[0]) :], run.state.fork(), run.stdin)
        shell_opened(run.runner, run.name, run.at)
    elif command == "run" and len(rest) > 1:
        state = run.state.fork()
        state.cwd = None
        if any(word.text.startswith("--isolation") for word in words):
            escaped(run.runner, run.name, run.at, "runs with less between it and this host")
        return run.runner.with_flag("remote").program(words[words.index(rest[1]) :], state, run.stdin)
    elif command in {"add", "copy"}:
        for arg in rest[1:-1]:
            run.path("read", arg, ("recursive",))
    run.opaque("changes containers")
    return UNKNOWN


def dpkg_deb(run: Invocation) -> Flow:
    """``dpkg-deb -x ARCHIVE FOLDER`` unpacks, ``-b FOLDER ARCHIVE`` packs."""
    letters = {word.text.lstrip("-")[:1] for word in run.words if word.text[:1] == "-"}
    names = {word.text for word in run.words}
    rest = [word for word in run.words if word.text[:1] != "-"]
    is_out = bool(letters & set("xXeR")) or bool(names & {"--extract", "--vextract", "--control", "--raw-extract"})
    for place, arg in enumerate(rest):
        is_written = place > 0 and (is_out or "b" in letters or "--build" in names)
        run.path("write" if is_written else "read", arg, ("recursive",))
    return UNKNOWN


READERS = {"make": make, "dotnet": dotnet, "cmake": cmake, "buildah": buildah, "dpkg-deb": dpkg_deb}
