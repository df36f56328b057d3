"""Readers of file programs with a language of their own: find, dd, split, rsync and their kin."""

from __future__ import annotations

import itertools
import posixpath
import re

from outrider.effects.commands.escape import escaped, is_shell, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.traces import hunted
from outrider.effects.commands.roles import ROLES, split_remote
from outrider.effects.place import INTO
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_FIND_VALUES = frozenset(
    [
        "-name",
        "-iname",
        "-path",
        "-ipath",
        "-wholename",
        "-iwholename",
        "-regex",
        "-iregex",
        "-type",
        "-xtype",
        "-size",
        "-mtime",
        "-atime",
        "-ctime",
        "-mmin",
        "-amin",
        "-cmin",
        "-maxdepth",
        "-mindepth",
        "-perm",
        "-user",
        "-group",
        "-uid",
        "-gid",
        "-links",
        "-inum",
        "-printf",
        "-regextype",
        "-fstype",
        "-used",
        "-lname",
        "-ilname",
        "-context",
        "-D",
    ]
)
_FIND_READS = frozenset({"-newer", "-anewer", "-cnewer", "-samefile", "-files0-from"})
_FIND_EXEC = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
MAX_NAMES = 16
"""Names that an expression of ``find`` may ask for before what it finds counts as anything below its roots."""
_FIND_WRITES = {"-fprint": 1, "-fprint0": 1, "-fls": 1, "-fprintf": 2}


def part(arg: Arg, text: str) -> Arg:
    """Return ``text`` as a part of ``arg``: same place, same doubts."""
    return Arg(text, arg.start, arg.end, arg.exact, arg.glob, arg.hidden, arg.made)


def under(root: Arg) -> Arg:
    """Return the pattern of everything at and under ``root``."""
    text = root.text.rstrip("/")
    return Arg(f"{text}/**" if text or root.text else "**", root.start, root.end, root.exact, glob=True, made=root.made)


def below(root: Arg, name: str) -> Arg:
    """Return the pattern of everything at and under ``root``, or of what has that one name."""
    found = under(root)
    return part(found, f"{found.text}/{name}") if name else found


def find(run: Invocation) -> Flow:
    """``find ROOT... EXPRESSION``; what it finds lies under its roots, whatever the expression says."""
    words = run.words
    at = next((k for k, word in enumerate(words) if word.text not in {"-H", "-L", "-P"}), len(words))
    roots: list[Arg] = []
    while at < len(words) and words[at].text[:1] not in {"-", "(", "!"}:
        roots.append(words[at])
        at += 1
    roots = roots or [Arg(".", run.at.start, run.at.end)]
    only = _only_names(words)
    hunted(run, roots, words[at:])
    is_run = any(word.text in _FIND_EXEC and not _lists(after) for word, after in itertools.pairwise(words[at:]))
    for root in roots:
        run.path("read", root, ("recursive",) if is_run else ("names", "recursive"))
    while at < len(words):
        at = _find_primary(run, words, at, [below(root, name) for root in roots for name in only])
    if any(word.text == "-printf" for word in words):
        return UNKNOWN
    return Flow(paths=tuple(below(root, name) for root in roots for name in only))


def _lists(program: Arg) -> bool:
    """Whether a program that ``find`` runs only names what it is given."""
    return program.text in {"du", "ls", "echo", "printf", "basename", "dirname", "realpath"}


_FIND_ACTS = frozenset({"-print", "-print0", "-delete", "-ls", "-fls", "-fprint", "-fprint0", "-printf", "-fprintf"})


def _only_names(words: list[Arg]) -> tuple[str, ...]:
    """Return the names that everything found has one of; one empty text if the expression does not say so plainly.

    Of ``-name a -o -name b`` every alternative must say a name. What is only pruned is not found where an action is
    named.
    """
    texts = [word.text for word in words]
    if any(sign in {"!", "-not"} and opened == "(" for sign, opened in itertools.pairwise(texts)):
        return ("",)
    is_told = any(text in _FIND_ACTS or text in _FIND_EXEC for text in texts)
    found: list[str] = []
    rest = list(words)
    while rest:
        cut = next((at for at, word in enumerate(rest) if word.text in {"-o", "-or", ","}), len(rest))
        one, rest = rest[:cut], rest[cut + 1 :]
        acts = any(word.text in _FIND_ACTS or word.text in _FIND_EXEC for word in one)
        if is_told and not acts and any(word.text == "-prune" for word in one):
            continue
        names = _named_by(one)
        if not names:
            return ("",)
        found += names
    return tuple(dict.fromkeys(found))[:MAX_NAMES] if len(found) <= MAX_NAMES and found else ("",)


def _named_by(words: list[Arg]) -> list[str]:
    """Return the name that ``-name`` and ``-iname`` ask for, or nothing if they do not ask for just one."""
    before = [Arg(""), *words]
    names = [
        (option.text, value)
        for sign, option, value in zip(before, words, words[1:], strict=False)
        if option.text in {"-name", "-iname"} and sign.text not in {"!", "-not"}
    ]
    if len(names) != 1 or not names[0][1].exact or "/" in names[0][1].text:
        return []
    option, name = names[0][0], names[0][1].text
    return [name] if option == "-name" else list(dict.fromkeys([name, name.lower(), name.upper()]))


def _find_primary(run: Invocation, words: list[Arg], at: int, founds: list[Arg]) -> int:
    """Note what the primary at ``at`` does, and return where the next one stands."""
    text = words[at].text
    at += 1
    if text in _FIND_EXEC:
        ends = (k for k in range(at, len(words)) if words[k].text in {";", "+"})
        stop = next(ends, len(words))
        _find_exec(run, words[at:stop], founds)
        return stop + 1
    if text == "-delete":
        for found in founds:
            run.path("delete", found)
    elif text in _FIND_WRITES and at < len(words):
        run.path("write", words[at])
        return at + _FIND_WRITES[text]
    elif text in _FIND_READS and at < len(words):
        run.path("read", words[at])
        return at + 1
    elif text in _FIND_VALUES:
        return at + 1
    return at


def _find_exec(run: Invocation, words: list[Arg], founds: list[Arg]) -> None:
    if not words:
        return
    if not any("{}" in word.text for word in words):
        run.runner.program(words, run.state, run.stdin)
        return
    for found in founds:
        run.runner.program([substitute(word, "{}", found) for word in words], run.state, run.stdin)


def substitute(word: Arg, mark: str, found: Arg) -> Arg:
    """Return ``word`` with ``mark`` replaced by a found path."""
    if word.text == mark:
        return found
    if mark not in word.text:
        return word
    if any(sign in word.text for sign in " ;|&`$"):
        return Arg(word.text.replace(mark, found.text), word.start, word.end, found.exact)
    if word.text.startswith("-"):
        return part(word, word.text.replace(mark, found.text))
    return Arg(word.text.replace(mark, found.text), word.start, word.end, found.exact and word.exact, glob=True)


def fd(run: Invocation) -> Flow:
    """``fd PATTERN ROOT... -x COMMAND``."""
    words = run.words
    at = next((k for k, word in enumerate(words) if word.text in {"-x", "-X", "--exec", "--exec-batch"}), len(words))
    run.words = words[:at]
    run.read_options()
    roots = run.rest[1:] or [Arg(".", run.at.start, run.at.end)]
    for root in roots:
        run.path("read", root, ("recursive",) if words[at:] else ("names", "recursive"))
    if words[at + 1 :]:
        command = words[at + 1 :]
        if is_shell(" ".join(word.text for word in command)):
            shell_opened(run.runner, run.name, command[0])
        if not any("{}" in word.text for word in command):
            command = [*command, Arg("{}")]
        _find_exec(run, command, [under(root) for root in roots])
    return Flow(paths=tuple(under(root) for root in roots))


def dd(run: Invocation) -> Flow:
    """``dd if=... of=...``."""
    for word in run.words:
        name, _, value = word.text.partition("=")
        if name == "if":
            run.path("read", part(word, value))
        elif name == "of":
            run.path("write", part(word, value))
    return Flow(origin="file")


def realpath(run: Invocation) -> Flow:
    """``readlink``, ``realpath``: prints the path itself where that can be known."""
    run.read_options()
    if len(run.rest) == 1 and run.rest[0].exact and not run.rest[0].glob and run.state.cwd is not None:
        text = run.rest[0].text
        path = text if text.startswith("/") else posixpath.join(run.state.cwd, text)
        return Flow(text=posixpath.normpath(path) + "\n")
    return Flow(paths=tuple(run.rest)) if run.rest and all(arg.exact for arg in run.rest) else UNKNOWN


def dirname(run: Invocation) -> Flow:
    """``dirname``, ``basename``."""
    run.read_options()
    if not run.rest or not run.rest[0].exact or run.rest[0].glob:
        return Flow(slashless=True) if run.name == "basename" else UNKNOWN
    text = run.rest[0].text.rstrip("/") or "/"
    if run.name == "dirname":
        return Flow(text=(posixpath.dirname(text) or ".") + "\n")
    base = posixpath.basename(text)
    return Flow(text=(base.removesuffix(run.rest[1].text) if len(run.rest) > 1 else base) + "\n")


def copy(run: Invocation) -> Flow:
    """``cp``, ``mv``: what is copied lands below a destination that is a folder; what is moved brings all it holds."""
    run.read_options()
    if run.name in {"mv", "gmv"} and run.rest[-1:] and run.rest[-1].text.endswith("/"):
        # It must be a folder, which stays as it is: what is moved comes to be below it.
        folder = run.rest.pop()
        for arg in run.rest:
            ROLES["move"](run, arg)
        run.path("write", folder)
        run.rest.append(folder)
        run.flags.add("recursive")
    else:
        if run.name in {"mv", "gmv"}:
            run.flags.add("recursive")
        run.apply()
    land(run)
    if "link" in run.flags and len(run.rest) > 1:
        for source in run.rest[:-1]:
            name = posixpath.basename(source.text.rstrip("/"))
            run.runner.linked(f"{run.rest[-1].text}/{name}", source.text, run.state)
        run.runner.linked(run.rest[-1].text, run.rest[0].text, run.state)
    return run.finish()


def land(run: Invocation) -> None:
    """Note the files that come to be below the destination, should it be a folder."""
    target = next((arg for role, arg in run.given if role == "target"), None)
    sources = run.rest if target is not None else run.rest[:-1]
    target = target if target is not None else run.rest[-1] if len(run.rest) > 1 else None
    if target is None or target.text in {"/dev/null", "-"}:
        return
    flags = ("recursive",) if "recursive" in run.flags else ()
    for source in sources[:64]:
        name = posixpath.basename(source.text.rstrip("/"))
        if not name or name in {".", ".."} or not source.exact:
            continue
        at = Arg(
            f"{target.text.rstrip('/')}/{name}", target.start, target.end, target.exact, target.glob or source.glob
        )
        run.runner.path("write", at, run.state, flags, INTO)


def install(run: Invocation) -> Flow:
    """``install``: copies, or with ``-d`` makes directories."""
    run.read_options()
    for name, value in zip(run.words, [*run.words[1:], run.at], strict=True):
        mode = value.text if name.text in {"-m", "--mode"} else name.text.removeprefix("--mode=").removeprefix("-m")
        if mode != name.text and _SETUID.match(mode):
            escaped(run.runner, run.name, name, "whoever runs it gets its owner's rights")
    if "create" in run.flags:
        for arg in run.rest:
            run.path("write", arg)
        return UNKNOWN
    run.apply()
    land(run)
    return run.finish()


def ln(run: Invocation) -> Flow:
    """``ln``: the link is written; what it leads to is not, but whoever may use the link may use that."""
    run.read_options()
    given = [arg for role, arg in run.given if role == "target"]
    if len(run.rest) == 1 and not given:
        run.path("read", run.rest[0])
        link = part(run.rest[0], posixpath.basename(run.rest[0].text.rstrip("/")) or ".")
        run.path("write", link, ("recursive",))
        run.runner.linked(link.text, run.rest[0].text, run.state)
        return UNKNOWN
    targets = run.rest if given else run.rest[:-1]
    links = given or run.rest[-1:]
    found = []
    for target in targets:
        text = target.text
        if not given and "link" in run.flags and not text.startswith("/") and "/" in links[0].text:
            text = posixpath.join(posixpath.dirname(links[0].text), text)
        run.path("read", part(target, text))
        if "link" not in run.flags:  # A second name of the same file: what is written to it is written here.
            run.path("write", part(target, text))
        found.append(text)
    land(run)
    for link in links:
        run.path("write", link, ("recursive",) if "link" in run.flags else ())
        for text in found:  # Into a directory, or as the name itself: which of them is not known before it runs.
            run.runner.linked(posixpath.join(link.text, posixpath.basename(text)), text, run.state)
        if len(found) == 1 and not given:
            run.runner.linked(link.text, found[0], run.state)
    return UNKNOWN


_SETUID = re.compile(r"(?:.*,)?[ugoa]*[+=][rwxXt]*s|0*[4567]\d{3}\Z")


def chmod(run: Invocation) -> Flow:
    """``chmod``: a mode may begin with ``-``, and a file comes behind it."""
    words = [
        word for word in run.words if word.text not in {"-R", "--recursive", "-f", "-v", "-c", "--silent", "--quiet"}
    ]
    if any(word.text in {"-R", "--recursive"} for word in run.words):
        run.flags.add("recursive")
    has_reference = any(word.text.startswith("--reference") for word in words)
    words = [word for word in words if not word.text.startswith("--")]
    for word in words if has_reference else words[1:]:
        run.path("write", word)
    if words and run.name == "chmod" and _SETUID.match(words[0].text) and (not words[0].text.startswith(("g+", "o+"))):
        escaped(run.runner, run.name, words[0], "whoever runs it gets its owner's rights")
    return UNKNOWN


def split(run: Invocation) -> Flow:
    """``split FILE PREFIX``: writes PREFIX and two letters; ``--filter`` hands each piece to a command instead.

    ``csplit FILE PATTERN...`` writes ``xx`` and two digits.
    """
    run.read_options()
    if run.rest:
        run.path("read", run.rest[0])
    prefix = run.rest[1] if len(run.rest) > 1 and run.name == "split" else Arg("x", run.at.start, run.at.end)
    prefix = next((arg for role, arg in run.given if role == "prefix"), prefix)
    piece = Arg(prefix.text + "*", prefix.start, prefix.end, prefix.exact, glob=True)
    filters = [arg for role, arg in run.given if role == "filter"]
    for arg in filters:
        state = run.state.fork()
        state.vars["FILE"] = (piece,)
        run.runner.text(arg.text, arg, state, run.stdin)
    if not filters:
        run.path("write", piece)
    return UNKNOWN


def rsync(run: Invocation) -> Flow:
    """rsync: a destination on another host is an upload, ``--delete`` deletes at the destination."""
    run.read_options()
    is_delete = "delete" in run.flags
    run.flags.discard("delete")
    takes_away = is_delete and any(word.text == "--remove-source-files" for word in run.words)
    if len(run.rest) == 1:
        run.apply_options()
        ROLES["from"](run, run.rest[0])
        return run.finish()
    run.apply()
    if takes_away:
        for arg in run.rest[:-1]:
            run.path("delete", arg)
    elif is_delete and run.rest and "upload" not in run.flags:
        run.path("delete", run.rest[-1], ("recursive",))
    elif is_delete and run.rest:
        far = split_remote(run.rest[-1].text)
        if far is not None:
            run.runner.with_flag("remote").path("delete", part(run.rest[-1], far[1]), run.state, ("recursive",))
    return run.finish()


def mktemp(run: Invocation) -> Flow:
    """``mktemp``: a new name that nobody else has, in the temporary directory or where the template says."""
    run.read_options()
    folder = "/tmp"  # noqa: S108 - where mktemp makes its files
    for place, word in enumerate(run.words):
        if word.text in {"-p", "--tmpdir"} and place + 1 < len(run.words):
            folder = run.words[place + 1].text
        elif word.text.startswith("--tmpdir="):
            folder = word.text[9:]
    shape = run.rest[0] if run.rest else Arg("tmp.XXXXXXXXXX")
    in_folder = not run.rest or any(w.text in {"-t", "-p", "-dt"} or w.text.startswith("--tmpdir") for w in run.words)
    name = f"{folder}/{shape.text}" if in_folder and "/" not in shape.text else shape.text
    path = Arg(name, run.at.start, run.at.end, shape.exact, shape.glob)
    run.path("write", path)
    # The template stands for the name: nobody has that either, and it lies in the same folder.
    return Flow(text=name + "\n") if path.exact and not path.glob else Flow(paths=(path,))


def patch(run: Invocation) -> Flow:
    """``patch``: writes the files that the patch names, under its directory."""
    run.read_options()
    run.apply()
    if not run.rest:
        run.path("write", Arg(".", run.at.start, run.at.end), ("recursive",))
    return UNKNOWN


def which(run: Invocation) -> Flow:
    """``which PROGRAM``: the program's name stands for where it is."""
    run.read_options()
    if run.name == "which" and len(run.rest) == 1 and run.rest[0].exact:
        return Flow(text=run.rest[0].text + "\n")
    return UNKNOWN


READERS = {
    "copy": copy,
    "find": find, "fd": fd, "dd": dd, "realpath": realpath, "dirname": dirname, "install": install,
    "ln": ln,
    "chmod": chmod, "split": split, "rsync": rsync,
    "mktemp": mktemp, "patch": patch, "which": which,
}  # fmt: skip
