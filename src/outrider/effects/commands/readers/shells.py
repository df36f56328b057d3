"""Readers of the shell's own commands and of programs that run programs."""

from __future__ import annotations

import itertools
import re

from outrider.effects.commands.escape import shell_opened
from outrider.effects.commands.invocation import Invocation, change_directory
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.traces import forgotten, history_unset
from outrider.effects.commands.security import ATTACKS
from outrider.effects.shell.expand import split_at
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

MAX_KNOWN = 16 * 1024
"""Characters of what comes in that are split into lines or words."""

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)\Z", re.DOTALL)
_SAFE_EVAL = frozenset(
    {"ssh-agent", "brew", "conda", "mamba", "micromamba", "pyenv", "rbenv", "nodenv", "direnv", "starship", "opam",
     "dircolors", "fnm", "mise", "zoxide", "luarocks", "docker-machine", "minikube", "register-python-argcomplete",
     "thefuck", "atuin", "gh", "kubectl", "resize", "keychain", "lesspipe", "fzf", "sdk", "rtx", "asdf", "volta",
         "jenv"}
)  # fmt: skip


_STACK = "directory stack"
"""Not a name that a variable can have: where ``pushd`` came from."""


def cd(run: Invocation) -> Flow:
    """``cd``: the directory of everything that follows."""
    run.read_options()
    if not run.rest:
        if run.name != "pushd":
            run.state.cwd = run.runner.place.home
        elif run.state.vars.get(_STACK):
            *rest, last = run.state.vars[_STACK]
            here = run.state.cwd
            run.state.vars[_STACK] = (*rest, Arg(here or "", exact=here is not None))
            run.state.cwd = last.text if last.exact else None
        return NOTHING
    arg = run.rest[0]
    if run.name == "pushd":
        here = run.state.cwd
        run.state.vars[_STACK] = (*run.state.vars.get(_STACK, ()), Arg(here or "", exact=here is not None))
    if arg.text == "-":
        before = run.state.vars.get("OLDPWD", (Arg("", exact=False),))[0]
        arg = before
    if run.state.cwd is not None:
        run.state.vars["OLDPWD"] = (Arg(run.state.cwd),)
    change_directory(run.state, arg)
    return NOTHING


def popd(run: Invocation) -> Flow:
    """``popd``: back to where ``pushd`` came from, if that is known."""
    stack = run.state.vars.get(_STACK, ())
    if stack:
        run.state.vars[_STACK] = stack[:-1]
    run.state.cwd = stack[-1].text if stack and stack[-1].exact else None
    return NOTHING


def pwd(run: Invocation) -> Flow:
    """``pwd``."""
    return Flow(text=run.state.cwd + "\n") if run.state.cwd is not None else UNKNOWN


SECRET_NAME = re.compile(
    r"(?i)(?:^|_)(?:secret|token|passw(?:or)?d|passphrase|credentials?|api_?key|access_?key|private_?key|auth|key|pwd|"
    r"pat|cookie|session)(?![a-z])(?!_(?:file|path|dir|url|id|name|count|limit|ttl|type|length|size))"
)
"""Names of variables that hold what nobody else should see."""
_KEPT = re.compile(r"\s*\|\s*(?:e|f)?grep\s+(?:-[inEwFx]+\s+)*['\"]?\^?(\w{3,})=?['\"]?\s*(?:$|[|;&>)\n])")


_SOUGHT = re.compile(
    r"(?i)\s*\|\s*(?:sort\s*\|\s*)?(?:[ef]?grep|rg|ag|awk|sed)\b[^|;\n]*(?:secret|token|passw|credential|api.?key|_key|aws|auth)"
)
"""What picks the secrets out of a listing."""


def environment(run: Invocation, *, sought: bool = False) -> None:
    """Note that the whole environment is printed: keys that were handed to the agent stand in it.

    Of what a ``grep`` lets through, only what it is asked for is printed. Where neither that nor ``sought`` says that a
    secret is wanted, the effect carries ``shown``.
    """
    behind = run.runner.behind(run.words[-1] if run.words else run.at)
    kept = _KEPT.match(behind)
    if kept and not SECRET_NAME.search(kept[1]):
        return
    sought = sought or kept is not None or _SOUGHT.match(behind) is not None
    run.path("read", Arg("/proc/self/environ", run.at.start, run.at.end), () if sought else ("shown",))


def declare(run: Invocation) -> Flow:
    """``export NAME=VALUE`` where the text was not read as an assignment (``export "$x=1"``); alone it prints all."""
    shows = all(re.fullmatch(r"-[px]+", word.text) for word in run.words)
    if shows and run.name in {"export", "declare", "typeset"}:
        environment(run)
        return Flow(origin="file")
    for word in run.words:
        found = ASSIGNMENT.match(word.text)
        if found:
            run.state.vars[found[1]] = (part(word, found[3]),)
    return NOTHING


def unset(run: Invocation) -> Flow:
    """``unset``: gone, in text form: an empty value."""
    history_unset(run.runner, run.words, run.state)
    for word in run.words:
        if word.text[:1] != "-":
            run.state.vars[word.text] = ()
            run.state.funcs.pop(word.text, None)
    return NOTHING


def set_(run: Invocation) -> Flow:
    """``set -- a b``: the positional parameters."""
    if not run.words:
        environment(run)
        return Flow(origin="file")
    for place, word in enumerate(run.words):
        if word.text == "--" or word.text[:1] not in {"-", "+"}:
            args = tuple(run.words[place + (word.text == "--") :])
            for at in range(1, 10):
                run.state.vars.pop(str(at), None)
            for at, arg in enumerate(args[:9], 1):
                run.state.vars[str(at)] = (arg,)
            run.state.vars["@"] = run.state.vars["*"] = args
            return NOTHING
        if word.text == "+o" and run.words[place + 1 : place + 2] and run.words[place + 1].text == "history":
            forgotten(run.runner, word, run.state)
        if word.text in {"-o", "+o"}:
            break
    return NOTHING


def shift(run: Invocation) -> Flow:
    """``shift``."""
    args = run.state.vars.get("@", ())[1:]
    run.state.vars["@"] = run.state.vars["*"] = args
    for at in range(1, 10):
        if at <= len(args):
            run.state.vars[str(at)] = (args[at - 1],)
        else:
            run.state.vars.pop(str(at), None)
    return NOTHING


def read(run: Invocation) -> Flow:
    """``read NAME``: a line of what comes in, or with several names its words."""
    names, letters = _names(run)
    flow = run.stdin
    known = flow.text if flow.text is not None and len(flow.text) <= MAX_KNOWN else None
    if run.name != "read" or "a" in letters:
        return _listed(run, names[-1] if names else "MAPFILE", known)
    if len(names) > 1 and known is not None and known.count("\n") <= 1:
        given = run.state.vars.get("IFS")
        blanks = given[0].text if given and given[0].exact else " \t\n"
        fields = split_at(known.strip("\n").strip(blanks), blanks, len(names) - 1)
        for name, text in itertools.zip_longest(names, fields[: len(names)], fillvalue=""):
            run.state.vars[name] = (Arg(text),)
        return NOTHING
    for name in names or ["REPLY"]:
        if len(names) <= 1 and flow.paths is not None and len(flow.paths) == 1:
            run.state.vars[name] = flow.paths
        elif len(names) <= 1 and known is not None and (known.count("\n") <= 1 or "d" in letters):
            run.state.vars[name] = (Arg(known.strip()),)
        elif flow.slashless:
            run.state.vars[name] = (Arg("*", glob=True),)
        else:
            run.state.vars[name] = (Arg(f"${name}", exact=False, made=True),)
    return NOTHING


def _names(run: Invocation) -> tuple[list[str], str]:
    """Return the names that ``read`` or ``mapfile`` is given, and the letters of its options."""
    names, skip, letters = [], False, ""
    takes = set("diNnptu" if run.name == "read" else "dnOscCu")
    for word in run.words:
        if skip:
            skip = False
        elif word.text[:1] == "-":
            skip = word.text[-1:] in takes
            letters += word.text[1:]
        else:
            names.append(word.text)
    return names, letters


def _listed(run: Invocation, name: str, known: str | None) -> Flow:
    """``mapfile NAME``, ``read -a NAME``: all lines, or words, as a list."""
    if known is None:
        run.state.vars[name] = run.stdin.paths or (Arg(f"${name}", exact=False, made=True),)
    else:
        run.state.vars[name] = tuple(map(Arg, known.splitlines() if run.name != "read" else split_at(known)))
    return NOTHING


def history(run: Invocation) -> Flow:
    """``history``: ``-c`` and ``-d`` change this shell's own list, ``-w`` and ``-a`` the file of past commands.

    The list of a process of its own ends with it.
    """
    kept = Arg(run.runner.place.home + "/.bash_history", run.at.start, run.at.end)
    letters = {letter for word in run.words if word.text[:1] == "-" for letter in word.text[1:]}
    if letters & set("wa" if run.state.is_child else "cdwa"):
        run.path("write", kept)
    return UNKNOWN


def alias(run: Invocation) -> Flow:
    """``alias name=text``."""
    for word in run.words:
        found = ASSIGNMENT.match(word.text)
        if found and word.exact:
            run.state.aliases[found[1]] = found[3]
    return NOTHING


def eval_(run: Invocation) -> Flow:
    """``eval``: its arguments, joined, are shell text."""
    if not run.words:
        return NOTHING
    whole = Arg(
        " ".join(word.text for word in run.words), run.at.start, run.words[-1].end, all(w.exact for w in run.words),
        made=any(w.made for w in run.words),
    )  # fmt: skip
    if whole.made:
        program = re.match(r"\$\(\s*(?:command\s+)?(?:\S*/)?([\w.-]+)", whole.text) or re.match(
            r"`\s*(?:\S*/)?([\w.-]+)", whole.text
        )
        if program and program[1] in _SAFE_EVAL:
            run.runner.emit("opaque", "command", program[1], whole, (), "evaluates what this program prints")
        else:
            run.unparsed(whole, "evaluates text that is made while it runs")
        return UNKNOWN
    return run.runner.text(whole.text, whole, run.state, run.stdin)


def source(run: Invocation) -> Flow:
    """``source FILE``."""
    if run.words:
        if run.words[0].text.startswith("/dev/fd/") or run.words[0].text == "/dev/stdin":
            return piped(run, run.stdin)
        run.path("read", run.words[0])
        run.runner.emit("opaque", "command", "source", run.words[0], (), f"runs {run.words[0].text[:120]}")
        draft = run.runner.drafted(run.words[0], run.state)
        if draft is not None:
            run.runner.text(draft, run.words[0], run.state, run.stdin)
    return UNKNOWN


def shell(run: Invocation) -> Flow:
    """``sh``, ``bash``: ``-c TEXT``, a script, or what comes in."""
    words, at = run.words, 0
    while at < len(words) and words[at].text[:1] in {"-", "+"} and len(words[at].text) > 1:
        text = words[at].text
        at += 1
        if text in {"--rcfile", "--init-file"} and at < len(words):
            run.path("read", words[at])
            run.opaque("runs a start-up file")
            at += 1
        elif text.startswith("--"):
            continue
        elif "c" in text and text[0] == "-":
            return _shell_text(run, words[at:])
        elif "s" in text and text[0] == "-":
            return piped(run, run.stdin)
        elif text[-1] in "oO":
            at += 1
    if at < len(words):
        if words[at].text.startswith("/dev/fd/") or words[at].text in {"/dev/stdin", "-"}:
            return piped(run, run.stdin)
        return _shell_file(run, words[at:])
    return _shell_bare(run)


def _shell_bare(run: Invocation) -> Flow:
    """A shell that is given no script: what comes in, or whatever somebody types if that is what ``-i`` says."""
    if any(word.text in {"--version", "--help"} for word in run.words):
        return UNKNOWN
    if run.stdin.text is None and any(re.match(r"-\w*i", word.text) for word in run.words):
        shell_opened(run.runner, run.name, run.at)
        return UNKNOWN
    return piped(run, run.stdin)


def _shell_file(run: Invocation, words: list[Arg]) -> Flow:
    """A script, with its arguments behind it; one that the call wrote itself is read."""
    run.path("read", words[0])
    run.runner.emit("opaque", "command", run.name, words[0], (), f"runs {words[0].text[:120]}")
    name = words[0].text.rpartition("/")[2]
    if name in ATTACKS:
        run.emit("deploy", "tool", f"attack:{name}", words[0])
    draft = run.runner.drafted(words[0], run.state)
    if draft is not None:
        inner = run.state.fork()
        inner.vars["@"] = inner.vars["*"] = tuple(words[1:])
        inner.vars |= {str(place): (arg,) for place, arg in enumerate(words[:10])}
        run.runner.text(draft, words[0], inner, run.stdin)
    return UNKNOWN


def _shell_text(run: Invocation, words: list[Arg]) -> Flow:
    words = words[1:] if words and words[0].text == "--" else words
    if not words:
        return UNKNOWN
    if words[0].made and not words[0].exact:
        run.unparsed(words[0], "runs text that is made while it runs")
        return UNKNOWN
    inner = run.state.fork()
    for at, arg in enumerate(words[1:11]):
        inner.vars[str(at)] = (arg,)
    inner.vars["@"] = inner.vars["*"] = tuple(words[2:])
    return run.runner.text(words[0].text, words[0], inner, run.stdin)


def piped(run: Invocation, flow: Flow) -> Flow:
    """A shell that runs what comes in."""
    if flow.text is not None:
        return run.runner.text(flow.text, run.at, run.state.fork(), NOTHING)
    if not flow.some:
        shell_opened(run.runner, run.name, run.at)
    elif flow.origin == "network":
        run.unparsed(run.at, "runs what it downloads")
    elif flow.origin == "decoded":
        run.unparsed(run.at, "runs text that is decoded while it runs")
    elif flow.origin == "file":
        run.opaque("runs the text of a file")
    else:
        run.unparsed(run.at, "runs text that is made while it runs")
    return UNKNOWN


def foreign_shell(run: Invocation) -> Flow:
    """PowerShell and cmd: not read here."""
    run.unparsed(run.at, f"{run.name} text is not read")
    return UNKNOWN


def command(run: Invocation) -> Flow:
    """``command -v NAME`` asks; ``command NAME`` runs."""
    run.read_options()
    if "list" in run.flags:
        return Flow(text=run.rest[0].text + "\n") if len(run.rest) == 1 and run.rest[0].exact else UNKNOWN
    return run.runner.program(run.rest, run.state, run.stdin) if run.rest else NOTHING


READERS = {
    "cd": cd, "popd": popd, "pwd": pwd, "declare": declare, "unset": unset, "set": set_, "shift": shift, "read": read,
    "alias": alias, "history": history, "eval": eval_, "source": source, "shell": shell,
    "foreign-shell": foreign_shell, "command": command,
}  # fmt: skip
