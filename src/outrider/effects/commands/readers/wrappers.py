"""Readers of programs that run other programs: sudo, env, xargs, ssh and their kin."""

from __future__ import annotations

import itertools
import re

from outrider.effects.commands.escape import is_shell_in, shell_opened
from outrider.effects.commands.invocation import Invocation, change_directory
from outrider.effects.commands.loading import loads
from outrider.effects.commands.readers.files import part, substitute
from outrider.effects.commands.readers.network import after_host, ssh_host
from outrider.effects.commands.readers.shells import ASSIGNMENT, environment, piped
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow, State
from outrider.effects.shell.tree import Arg


def sudo(run: Invocation) -> Flow:
    """``sudo``, ``doas``: everything behind it is elevated."""
    run.read_options()
    run.chdirs()
    runner = run.runner.with_flag("elevated")
    rest = run.rest
    while rest and ASSIGNMENT.match(rest[0].text):
        rest = rest[1:]
    if "edit" in run.flags:
        for arg in rest:
            runner.path("write", arg, run.state)
        return UNKNOWN
    if not rest:
        if "login" in run.flags:
            shell_opened(runner, run.name, run.at)
        elif "list" not in run.flags:
            runner.emit("exec", "command", run.name, run.at)
        return UNKNOWN
    return runner.program(rest, run.state, run.stdin)


def su(run: Invocation) -> Flow:
    """``su USER -c TEXT``."""
    runner = run.runner.with_flag("elevated")
    for name, value in zip(run.words, run.words[1:], strict=False):
        if name.text in {"-c", "--command"}:
            return runner.text(value.text, value, run.state.fork(), run.stdin)
    if "--" in {word.text for word in run.words}:
        at = next(place for place, word in enumerate(run.words) if word.text == "--")
        if run.words[at + 1 :]:
            return runner.program(run.words[at + 1 :], run.state, run.stdin)
    shell_opened(runner, run.name, run.at)
    return UNKNOWN


def env(run: Invocation) -> Flow:
    """``env [-i] [-u NAME] [NAME=VALUE...] COMMAND``."""
    words, at = run.words, 0
    state = run.state.fork()
    while at < len(words):
        text = words[at].text
        if text in {"-u", "--unset", "-C", "--chdir", "-S", "--split-string"} and at + 1 < len(words):
            if text in {"-C", "--chdir"}:
                change_directory(state, words[at + 1])
            elif text[:2] in {"-S", "--"} and "s" in text.lower() and text != "--unset":
                return run.runner.text(words[at + 1].text, words[at + 1], state, run.stdin)
            at += 2
            continue
        if text.startswith(("-S", "--split-string=")):
            return run.runner.text(text.partition("=")[2] or text[2:], words[at], state, run.stdin)
        found = ASSIGNMENT.match(text)
        if found:
            state.vars[found[1]] = (part(words[at], found[3]),)
            env_value(run, found[1], part(words[at], found[3]))
        elif (text[:1] != "-" or len(text) == 1) and text != "-":
            break
        at += 1
    if at < len(words):
        return run.runner.program(words[at:], state, run.stdin)
    if not {"-i", "-", "--ignore-environment", "--help", "--version"} & {word.text for word in words}:
        environment(run)
    return Flow(origin="file")


def env_value(run: Invocation, name: str, value: Arg) -> None:
    """Note what a variable given to a program makes it run."""
    from outrider.effects.commands.table import DANGEROUS_ENV, RUN_ENV  # noqa: PLC0415 - the table knows this module

    if (name in RUN_ENV or name.endswith(("PAGER", "EDITOR"))) and value.text:
        run.runner.text(value.text.lstrip("|-!:"), value, run.state.fork(), NOTHING)
    elif name in DANGEROUS_ENV or name.startswith(("GIT_CONFIG_KEY_", "DYLD_INSERT")):
        loads(run.runner, name, (value,), value, run.state)
    elif is_shell_in(name, value.text):
        shell_opened(run.runner, name, value)


def watch(run: Invocation) -> Flow:
    """``watch COMMAND``: its arguments are joined and given to a shell."""
    run.read_options()
    if run.name == "entr":
        return (
            run.runner.program([substitute(word, "/_", _found(run)) for word in run.rest], run.state, NOTHING)
            if run.rest
            else UNKNOWN
        )
    if any(word.text in {"-x", "--exec"} for word in run.words):
        rest = [word for word in run.rest if word.text not in {"-x", "--exec"}]
        return run.runner.program(rest, run.state, NOTHING) if rest else UNKNOWN
    if not run.rest:
        return UNKNOWN
    if len(run.rest) == 1:
        return run.runner.text(run.rest[0].text, run.rest[0], run.state.fork(), NOTHING)
    return run.runner.program(run.rest, run.state.fork(), NOTHING)


def flock(run: Invocation) -> Flow:
    """``flock FILE COMMAND`` or ``flock FILE -c TEXT``."""
    run.read_options()
    if run.rest:
        run.path("write", run.rest[0])
    rest = run.rest[1:]
    if len(rest) > 1 and rest[0].text in {"-c", "--command"}:
        return run.runner.text(rest[1].text, rest[1], run.state.fork(), run.stdin)
    return run.runner.program(rest, run.state, run.stdin) if rest else UNKNOWN


def remote_program(run: Invocation) -> Flow:
    """A program whose paths are not this host's (``chroot``)."""
    run.read_options()
    root = run.rest[0].text if run.rest else ""
    runner = run.runner if root == "/" else run.runner.with_flag("remote")
    if len(run.rest) == 1:
        shell_opened(runner, run.name, run.at)
    return runner.program(run.rest[1:], run.state.fork(), run.stdin) if len(run.rest) > 1 else UNKNOWN


_SERVES = re.compile(r"httpd|ftpd|telnetd|tcpsvd|udpsvd|inetd|tftpd|dnsd|fakeidentd")


def busybox(run: Invocation) -> Flow:
    """``busybox APPLET``: some applets share a name with a program of other habits."""
    words = run.words
    if not words or words[0].text[:1] == "-":
        return UNKNOWN
    if not _SERVES.fullmatch(words[0].text):
        return run.runner.program(words, run.state, run.stdin)
    name = words[0].text
    port = next((one.text.rpartition(":")[2] for word, one in itertools.pairwise(words) if word.text == "-p"), "")
    folder = next((one for word, one in itertools.pairwise(words) if word.text == "-h"), None)
    if name in {"httpd", "ftpd", "tftpd"}:
        run.path("read", folder if folder is not None else Arg(".", run.at.start, run.at.end), ("recursive",))
    else:
        run.unparsed(words[0], "hands a program to another host")
    run.emit("connect", "host", f"0.0.0.0:{port}".rstrip(":"), words[0], ("upload",))
    return UNKNOWN


def enter(run: Invocation) -> Flow:
    """``nsenter``, ``unshare``: a program in other namespaces; without one, a shell."""
    run.read_options()
    if run.rest:
        return run.runner.program(run.rest, run.state, run.stdin)
    if not {"--help", "--version", "-h", "-V"} & {word.text for word in run.words}:
        shell_opened(run.runner, run.name, run.at)
    return UNKNOWN


def script_log(run: Invocation) -> Flow:
    """``script -c TEXT FILE``."""
    run.read_options()
    run.apply()
    if not any(role == "shell" for role, _ in run.given):
        shell_opened(run.runner, run.name, run.at)
    return UNKNOWN


def _found(run: Invocation) -> Arg:
    """Return what a line of the input can be, as an argument."""
    flow = run.stdin
    if flow.paths is not None and len(flow.paths) == 1:
        return flow.paths[0]
    if flow.slashless:
        return Arg("*", run.at.start, run.at.end, glob=True)
    return Arg("{}", run.at.start, run.at.end, exact=False)


def xargs(run: Invocation) -> Flow:
    """``xargs COMMAND``: the command is given what comes in."""
    run.read_options()
    for role, arg in run.given:
        if role == "read":
            run.path("read", arg)
            draft = run.runner.drafted(arg, run.state)
            if draft is not None:
                run.stdin = Flow(text=draft)
            elif not arg.text.startswith("/dev/fd/"):
                run.stdin = Flow(origin="file")
    words = run.rest or [Arg("echo", run.at.start, run.at.end)]
    mark = ""
    for place, word in enumerate(run.words[: len(run.words) - len(run.rest)]):
        if word.text.startswith("-I") or word.text in {"--replace", "-J"} or word.text.startswith("--replace="):
            follows = run.words[place + 1].text if place + 1 < len(run.words) else "{}"
            mark = word.text[2:] if word.text.startswith("-I") and len(word.text) > 2 else follows
            break
        if word.text == "-i":
            mark = "{}"
    return each(run, words, mark)


def each(run: Invocation, words: list[Arg], mark: str) -> Flow:
    """Run a command for what comes in, put in at ``mark`` or behind it."""
    flow = run.stdin
    founds: list[Arg]
    if flow.text is not None:
        texts = flow.text.split()
        founds = [Arg(text, run.at.start, run.at.end) for text in texts[:64]]
        if len(texts) > len(founds):
            founds.append(Arg("{}", run.at.start, run.at.end, exact=False))
    elif flow.paths is not None:
        founds = list(flow.paths)
    else:
        founds = [_found(run)]
    if mark:
        out: Flow = UNKNOWN
        for found in founds[:16] or [_found(run)]:
            out = run.runner.program([substitute(word, mark, found) for word in words], run.state.fork(), NOTHING)
        return out
    return run.runner.program([*words, *founds], run.state.fork(), NOTHING)


def parallel(run: Invocation) -> Flow:
    """GNU parallel: ``parallel COMMAND ::: ARGS``; the command is shell text."""
    run.read_options()
    run.apply_options()
    words = run.rest
    at = next((place for place, word in enumerate(words) if word.text in {":::", "::::", ":::+"}), len(words))
    given = [word for word in words[at + 1 :] if not word.text.startswith(":::")]
    command = words[:at]
    if not command:
        return UNKNOWN
    found = given[0] if given else _found(run)
    if len(command) == 1 and any(mark in command[0].text for mark in " ;|"):
        text = command[0].text.replace("{}", found.text if found.exact else "$ARG")
        return run.runner.text(text, command[0], run.state.fork(), NOTHING)
    if any("{" in word.text for word in command):
        made = [substitute(word, "{}", found) for word in command]
    else:
        made = [*command, *(given or [found])]
    return run.runner.program(made, run.state.fork(), NOTHING)


def ssh(run: Invocation) -> Flow:
    """``ssh HOST COMMAND``: the command's effects are on the other host."""
    run.read_options()
    for role, arg in run.given:
        if role in {"read", "write"}:
            run.path("read" if role == "read" else "write", arg)
        elif role in {"shell", "proxy"}:
            ROLES[role](run, arg)
    if not run.rest:
        return UNKNOWN
    host = run.rest[0]
    port = next((run.words[k + 1].text for k, w in enumerate(run.words[:-1]) if w.text == "-p"), "")
    flags = (*after_host(host, has_input=run.stdin.some), *_back(run, host))
    run.emit("connect", "host", ssh_host(host.text, port), host, flags)
    command = run.rest[1:]
    if not command:
        if not any(word.text.startswith("-") and set(word.text[1:]) & set("NfO") for word in run.words):
            if run.stdin.text is not None:
                run.runner.with_flag("remote").text(run.stdin.text, run.at, _elsewhere(run), NOTHING)
            else:
                run.runner.emit("opaque", "command", "ssh", run.at, ("remote",), "a shell on another host")
        return Flow(origin="network")
    text = " ".join(word.text for word in command)
    whole = Arg(text, command[0].start, command[-1].end, all(w.exact for w in command))
    run.runner.with_flag("remote").text(text, whole, _elsewhere(run), run.stdin)
    return Flow(origin="network")


_BACK = re.compile(r"-[46AaCfGgKkMNnqsTtVvXxYy]*R")


def _back(run: Invocation, host: Arg) -> tuple[str, ...]:
    """``ssh -R``: whoever reaches that host then reaches this one."""
    before = run.words[: run.words.index(host)]
    return ("tunnel",) if any(_BACK.match(word.text) for word in before) else ()


def _elsewhere(run: Invocation) -> State:
    state = run.state.fork()
    state.cwd = None
    return state


def at_(run: Invocation) -> Flow:
    """``at``, ``batch``: what comes in is run later."""
    if any(word.text in {"-l", "-d", "-r", "-c"} for word in run.words):
        return UNKNOWN
    run.emit("deploy", "tool", f"schedule:{run.name}", run.at)
    run.runner = run.runner.with_flag("detached")
    run.read_options()
    run.apply_options()
    if any(role == "script" for role, _ in run.given):
        return UNKNOWN
    return piped(run, run.stdin)


def crontab(run: Invocation) -> Flow:
    """``crontab FILE``: what is in it is run later, again and again."""
    run.read_options()
    runner = run.runner
    table = Arg("/var/spool/cron", run.at.start, run.at.end)
    if "delete" in run.flags:
        runner.path("delete", table, run.state)
    elif run.rest:
        run.path("read", run.rest[0])
        runner.path("write", table, run.state)
        run.opaque("runs later what the table says")
    elif "edit" in run.flags:
        runner.path("write", table, run.state)
    elif "keep" in run.flags:
        runner.path("read", table, run.state)
    elif run.stdin.some and not run.words:
        runner.path("write", table, run.state)
    return UNKNOWN


READERS = {
    "sudo": sudo,
    "su": su,
    "env": env,
    "watch": watch,
    "flock": flock,
    "remote-program": remote_program,
    "script-log": script_log,
    "enter": enter,
    "busybox": busybox,
    "xargs": xargs,
    "parallel": parallel,
    "ssh": ssh,
    "at": at_,
    "crontab": crontab,
}
