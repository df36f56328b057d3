"""Readers of archivers: tar, cpio, zip and their kin, and what their hooks run."""

from __future__ import annotations

from outrider.effects.commands.escape import escaped
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow, State
from outrider.effects.shell.tree import Arg

_TAR_LONG = {
    "--file": "f", "--directory": "C", "--files-from": "T", "--exclude-from": "X", "--create": "c", "--extract": "x",
    "--get": "x", "--list": "t", "--append": "r", "--update": "u", "--delete": "D", "--remove-files": "R",
    "--to-command": "!", "--checkpoint-action": "!", "--use-compress-program": "!", "--rsh-command": "!", "--diff": "t",
    "--compare": "t", "--info-script": "!", "--new-volume-script": "!", "--concatenate": "r", "--catenate": "r",
}  # fmt: skip
_TAR_VALUES = frozenset("fCTXbNgIKLVHF")


def _tar_letter(name: str) -> str:
    """Return the letter of a long option of tar, which may be cut short as far as it stays clear."""
    letter = _TAR_LONG.get(name)
    if letter is None and len(name) > _LEAST_CUT:
        near = {one for full, one in _TAR_LONG.items() if full.startswith(name)}
        letter = near.pop() if len(near) == 1 else None
    return letter or ""


_LEAST_CUT = 3


def tar(run: Invocation) -> Flow:  # noqa: C901 - one option a branch
    """tar: ``c`` reads its members and writes the archive, ``x`` the other way round."""
    letters: set[str] = set()
    members: list[Arg] = []
    archive: Arg | None = None
    words, at = run.words, 0
    started = run.state  # The archive stands where tar was started, whatever -C says.

    def value(letter: str, arg: Arg) -> None:
        nonlocal archive
        if letter == "f":
            archive = arg
        elif letter == "C":
            run.chdir(arg)
        elif letter in "TX":
            run.path("read", arg)
        elif letter in "!I" and (letter == "!" or "/" in arg.text or " " in arg.text):
            command = arg.text.partition("exec=")[2] or arg.text
            if letter == "!" and "=" in arg.text and "exec=" not in arg.text:
                return
            if "exec=" in arg.text:
                escaped(run.runner, run.name, arg, "an option that runs a command")
            run.runner.text(command, arg, run.state, NOTHING)

    while at < len(words):
        word = words[at]
        text = word.text
        at += 1
        if text.startswith("--"):
            name, equals, tail = text.partition("=")
            letter = _tar_letter(name)
            if letter in {"f", "C", "T", "X", "!"}:
                if equals:
                    value(letter, part(word, tail))
                elif at < len(words):
                    value(letter, words[at])
                    at += 1
            elif letter:
                letters.add(letter)
        elif (text.startswith("-") and len(text) > 1) or (at == 1 and text.isalpha()):
            is_old = not text.startswith("-")
            body = text if is_old else text[1:]
            for place, letter in enumerate(body):
                letters.add(letter)
                if letter in _TAR_VALUES:
                    if not is_old and body[place + 1 :]:
                        value(letter, part(word, body[place + 1 :]))
                        break
                    if at < len(words):
                        value(letter, words[at])
                        at += 1
        else:
            members.append(word)
    return _tar_effects(run, letters, members, archive, started)


def _tar_effects(run: Invocation, letters: set[str], members: list[Arg], archive: Arg | None, started: State) -> Flow:
    is_remote = archive is not None and ":" in archive.text and not archive.text.startswith(("/", "."))
    if is_remote and archive is not None:
        run.emit("connect", "host", archive.text.split(":")[0].rpartition("@")[2].lower(), archive, ("upload",))
    elif archive is not None:
        run.runner.path("write" if letters & set("cruAD") else "read", archive, started)
    if letters & set("cru"):
        for member in members:
            run.path("read", member, ("recursive",))
            if "R" in letters:
                run.path("delete", member, ("recursive",))
        return Flow(origin="file")
    if "x" in letters and "O" not in letters:
        run.path("write", Arg(".", run.at.start, run.at.end), ("recursive",))
        if "P" in letters:
            run.path("write", Arg("/", run.at.start, run.at.end), ("recursive",))
    return Flow(origin="decoded")


def cpio(run: Invocation) -> Flow:
    """``cpio -o``: packs the files whose names come in."""
    run.read_options()
    run.apply()
    if run.stdin.text is not None and "keep" not in run.flags:
        for name in run.stdin.text.split()[:64]:
            run.path("read", Arg(name, run.at.start, run.at.end))
    elif run.stdin.paths is not None:
        for path in run.stdin.paths:
            run.path("read", path)
    return run.finish()


def zip_files(run: Invocation) -> Flow:
    """``zip ARCHIVE FILES``; ``-TT TEXT`` runs a command of one's own for the test."""
    for option, value in zip(run.words, [*run.words[1:], run.at], strict=False):
        if option.text.startswith("--unzip-command="):
            ROLES["escape"](run, part(option, option.text.partition("=")[2]))
        if option.text in {"-TT", "--unzip-command"}:
            escaped(run.runner, run.name, value, "an option that runs a command")
            run.runner.text(value.text, value, run.state.fork(), run.stdin)
    run.words = [word for word in run.words if word.text not in {"-T", "-TT", "--unzip-command"}]
    run.read_options()
    for place, arg in enumerate(run.rest):
        if place == 0:
            run.path("write", arg)
        elif "delete" not in run.flags:
            run.path("read", arg)
            if "move" in run.flags:
                run.path("delete", arg)
    return UNKNOWN


def unzip(run: Invocation) -> Flow:
    """``unzip ARCHIVE [-d DIR]``."""
    run.read_options()
    if run.rest:
        run.path("read", run.rest[0])
    target = next((arg for role, arg in run.given if role == "target"), Arg(".", run.at.start, run.at.end))
    if "list" not in run.flags:
        run.path("write", target, ("recursive",))
    return Flow(origin="decoded")


def seven(run: Invocation) -> Flow:
    """``7z COMMAND ARCHIVE FILES``; with ``-an`` there is no archive's name."""
    options = [word for word in run.words if word.text[:1] == "-" and len(word.text) > 1]
    rest = [word for word in run.words if word not in options]
    command = rest[0].text if rest else ""
    if any(word.text == "-an" for word in options):
        rest.insert(1, Arg("-", run.at.start, run.at.end))
    if len(rest) > 1:
        run.path("write" if command in {"a", "u", "d"} else "read", rest[1])
    if command in {"x", "e"}:
        target = next((part(word, word.text[2:]) for word in options if word.text.startswith("-o")), None)
        run.path("write", target or Arg(".", run.at.start, run.at.end), ("recursive",))
    else:
        for arg in rest[2:]:
            run.path("read", part(arg, arg.text.removeprefix("@")), ("recursive",))
    return UNKNOWN


def arj(run: Invocation) -> Flow:
    """``arj e ARCHIVE FOLDER``, ``unrar x ARCHIVE FOLDER/``: the command is the first word."""
    words = [word for word in run.words if word.text[:1] != "-"]
    command = words[0].text if words else ""
    is_out = command[:1] in {"e", "x"}
    for place, arg in enumerate(words[1:]):
        if place == 0:
            run.path("write" if command[:1] in {"a", "u", "m", "d", "c"} else "read", arg)
        elif is_out:
            run.path("write", arg, ("recursive",))
        elif command[:1] not in {"l", "t", "v", "d"}:
            run.path("read", arg, ("recursive",))
    if is_out and len(words) < 3:
        run.path("write", Arg(".", run.at.start, run.at.end), ("recursive",))
    return UNKNOWN


def gzip(run: Invocation) -> Flow:
    """``gzip`` and its kin replace a file by its other form, unless they print it."""
    run.read_options()
    unpacks = (
        run.name.startswith("un") or run.name == "gunzip" or any(w.text in {"-d", "--decompress"} for w in run.words)
    )
    for role, arg in run.given:
        if role == "write":
            run.path("write", arg)
    for arg in run.rest:
        run.path("read", arg)
        if "stdout" not in run.flags:
            run.path("write", arg)
    return Flow(origin="decoded" if unpacks or any("d" in w.text for w in run.words if w.text[:1] == "-") else "file")


def xorriso(run: Invocation) -> Flow:
    """``xorriso``: ``-map`` and ``-add`` take files of this host in, ``-extract FROM TO`` puts them there."""
    words = run.words
    for place, word in enumerate(words[:-1]):
        name, value = word.text, words[place + 1]
        if name in {"-indev", "-dev", "-add", "-map", "-path_list", "-options_from_file", "-update", "-update_r"}:
            run.path("read", value, ("recursive",))
        if name in {"-outdev", "-dev", "-o", "-log_file", "-overwrite"} and "/" in value.text:
            run.path("write", value)
        if name in {"-extract", "-extract_single", "-osirrox_extract", "-cpx", "-cpax"} and place + 2 < len(words):
            run.path("write", words[place + 2], ("recursive",))
    return UNKNOWN


READERS = {
    "xorriso": xorriso,
    "tar": tar, "cpio": cpio, "zip": zip_files, "unzip": unzip, "seven": seven, "arj": arj, "gzip": gzip,
}  # fmt: skip
