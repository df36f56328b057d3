"""Readers of programs that run another, or that have a console or a language of their own."""

from __future__ import annotations

import posixpath
import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import escaped, is_shell, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.guard import aims_at_guard, guarded
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_LIMIT = 64
_ARCHES = re.compile(r"(?:x86_64|i[3-6]86|aarch64|arm\w*|ppc\w*|s390x?|mips\w*|riscv\w*|linux(?:32|64)|uname26)\Z")


def exiftool(run: Invocation) -> Flow:
    """``exiftool -filename=OUT FILE``: options name tags, some of them files."""
    run.read_options()
    for word in run.words:
        name, _, value = word.text.partition("=")
        if name.lower() in {"-filename", "-directory", "-testname", "-hardlink", "-symlink"} and value:
            run.path("write", part(word, value))
        elif name.endswith("<") and value:
            run.path("read", part(word, value))
    run.rest = [arg for arg in run.rest if arg.text[:1] != "-"]
    run.apply()
    return UNKNOWN


def printer(run: Invocation) -> Flow:
    """Printing is sending, if the printer's host is named."""
    run.flags.add("upload")
    return run.run()


def csvtool(run: Invocation) -> Flow:
    """``csvtool call COMMAND FILE``."""
    words = [word for word in run.words if word.text[:1] != "-"]
    if words and words[0].text == "call" and len(words) > 1:
        escaped(run.runner, run.name, words[1], "runs a command for every line")
        run.runner.text(words[1].text, words[1], run.state.fork(), run.stdin)
    for word in words[1:]:
        if "/" in word.text or "." in word.text:
            run.path("read", word)
    for name, value in zip(run.words, run.words[1:], strict=False):
        if name.text == "-o":
            run.path("write", value)
    return UNKNOWN


def dosbox(run: Invocation) -> Flow:
    """``dosbox -c 'mount c DIR'``: a folder of this host is handed over."""
    run.read_options()
    for role, arg in run.given:
        found = re.match(r"""(?i)\s*mount\s+\w\s+["']?([^\s"']+)""", arg.text)
        if role == "dos-text" and found:
            run.path("read", part(arg, found[1]), ("recursive",))
            run.path("write", part(arg, found[1]), ("recursive",))
    return UNKNOWN


def xdg(run: Invocation) -> Flow:
    """``xdg-user-dir NAME``: the name is evaluated by a shell."""
    for word in run.words:
        if re.search(r"[;}`$]", word.text):
            escaped(run.runner, run.name, word, "its argument is evaluated by a shell")
            run.runner.text(word.text.partition(";")[2].rstrip("# "), word, run.state.fork(), run.stdin)
    return UNKNOWN


def setarch(run: Invocation) -> Flow:
    """``setarch [ARCH] [OPTIONS] COMMAND``; ``linux64 COMMAND`` has the architecture in its name."""
    run.read_options()
    words = run.rest
    if words and (not words[0].exact or words[0].glob or _ARCHES.match(words[0].text)):
        words = words[1:]
    while words and words[0].text[:1] == "-":
        words = words[1:]
    if words:
        return run.runner.program(words, run.state, run.stdin)
    if run.rest:
        shell_opened(run.runner, run.name, run.at)
    return UNKNOWN


_TWO = frozenset({"--bind", "--ro-bind", "--dev-bind", "--bind-try", "--ro-bind-try", "--dev-bind-try", "--symlink",
                  "--setenv", "--file", "--bind-data", "--ro-bind-data"})  # fmt: skip
_ONE = frozenset({"--proc", "--dev", "--tmpfs", "--dir", "--chdir", "--unsetenv", "--uid", "--gid", "--hostname",
                  "--cap-add", "--cap-drop", "--seccomp", "--args", "--lock-file", "--sync-fd"})  # fmt: skip


def opens(run: Invocation) -> Flow:
    """Programs that are nothing but a console."""
    if run.stdin.text is not None:
        read_code(run, run.stdin.text, run.at)
    else:
        shell_opened(run.runner, run.name, run.at, "an interactive console")
    return UNKNOWN


def bwrap(run: Invocation) -> Flow:
    """``bwrap OPTIONS COMMAND``: some options take two values; what is bound is this host's own."""
    words, at = run.words, 0
    while at < len(words) and words[at].text[:1] == "-":
        name = words[at].text
        at += 1
        if name == "--":
            break
        at += 2 if name in _TWO else 1 if name in _ONE else 0
    return run.runner.program(words[at:], run.state.fork(), run.stdin) if words[at:] else UNKNOWN


def start_daemon(run: Invocation) -> Flow:
    """``start-stop-daemon -S -x PROGRAM -- ARGUMENTS``."""
    run.read_options()
    program = next((arg for role, arg in reversed(run.given) if role == "start"), None)
    if program is not None:
        at = next((k for k, word in enumerate(run.words) if word.text == "--"), len(run.words))
        run.runner.with_flag("detached").program([program, *run.words[at + 1 :]], run.state.fork(), run.stdin)
    else:
        run.opaque("starts or stops a program")
    return UNKNOWN


def run_parts(run: Invocation) -> Flow:
    """``run-parts DIR``: every program in it is run; the system's own folders of programs hold shells."""
    run.read_options()
    for arg in run.rest:
        run.path("read", arg, ("recursive",))
        if re.fullmatch(r"/(?:usr/)?(?:local/)?s?bin/?", arg.text) and "--list" not in {w.text for w in run.words}:
            escaped(run.runner, run.name, arg, "runs the system's programs by a pattern")
    run.opaque("runs the programs of a folder")
    return UNKNOWN


def group_shell(run: Invocation) -> Flow:
    """``sg GROUP -c TEXT``, ``newgrp GROUP``: a shell, if it is given nothing to run."""
    run.read_options()
    if run.name == "sg" and run.rest and run.rest[0].text in {"scan", "run", "test", "new", "lsp", "completions"}:
        run.opaque("ast-grep, by the same name")
        return UNKNOWN
    runner = run.runner.with_flag("elevated")
    text = next((arg for role, arg in run.given if role in {"shell", "escape"}), None)
    text = text if text is not None else run.rest[1] if len(run.rest) > 1 else None
    if text is None:
        shell_opened(runner, run.name, run.at)
        return UNKNOWN
    return runner.text(text.text, text, run.state.fork(), run.stdin)


def capsh(run: Invocation) -> Flow:
    """``capsh [OPTIONS] -- ARGUMENTS``: bash with those arguments."""
    at = next((k for k, word in enumerate(run.words) if word.text in {"--", "=="}), -1)
    if at < 0:
        return UNKNOWN
    shell = Arg("bash", run.words[at].start, run.words[at].end)
    return run.runner.program([shell, *run.words[at + 1 :]], run.state, run.stdin)


def rest_runs(run: Invocation) -> Flow:
    """``pidstat -e PROGRAM ARGUMENTS``."""
    at = next((k for k, word in enumerate(run.words) if word.text == "-e"), -1)
    if at >= 0 and run.words[at + 1 :]:
        return run.runner.program(run.words[at + 1 :], run.state, run.stdin)
    return UNKNOWN


def after_word(run: Invocation) -> Flow:
    """``xdotool exec [--sync] COMMAND``, ``cabal exec [OPTIONS] -- COMMAND``, ``ip netns exec NAME COMMAND``."""
    at = next((k for k, word in enumerate(run.words) if word.text == "exec"), -1)
    rest = run.words[at + 1 :] if at >= 0 else []
    if run.name == "ip":
        rest = rest[1:]
    while rest and rest[0].text[:1] == "-":
        rest = rest[1:]
    if rest:
        return run.runner.program(rest, run.state, run.stdin)
    if run.spec.opaque:
        run.opaque(run.spec.opaque)
    return UNKNOWN


def subshell(run: Invocation) -> Flow:
    """``ansible-test shell``, ``cdist shell``: a shell, or the one that is named."""
    run.read_options()
    run.apply_options()
    if any(word.text == "shell" for word in run.words):
        shell_opened(run.runner, run.name, run.at)
    else:
        run.opaque("runs what its files say")
    return UNKNOWN


def fail2ban(run: Invocation) -> Flow:
    """``fail2ban-client set JAIL action NAME actionban TEXT``: run by the server."""
    for name, value in zip(run.words, run.words[1:], strict=False):
        if re.fullmatch(r"action(?:ban|unban|start|stop|check|flush)", name.text):
            escaped(run.runner, run.name, value, "a command that the server runs")
            run.runner.with_flag("elevated").text(value.text, value, run.state.fork(), NOTHING)
    run.opaque("talks to a server of this host")
    return UNKNOWN


def rpm(run: Invocation) -> Flow:
    """``rpm``: installing changes the host; ``--eval`` expands macros, and those run commands and Lua."""
    run.read_options()
    run.apply_options()
    letters = {c for word in run.words if re.match(r"-[a-zA-Z]+\Z", word.text) for c in word.text[1:]}
    words = {word.text for word in run.words}
    is_query = bool(letters & set("qVK")) or run.name in {"rpmquery", "rpmverify", "rpmkeys"} or "--query" in words
    if not is_query and (letters & set("iUFe") or words & {"--install", "--upgrade", "--erase", "--reinstall"}):
        for arg in run.rest:
            run.path("read", arg)
        run.emit("install", "package", "rpm:.", run.at)
    elif run.name == "rpmbuild":
        run.opaque("runs what its build file says")
    elif is_query and "p" in letters:
        for arg in run.rest:
            run.path("read", arg)
    return UNKNOWN


def lxc(run: Invocation) -> Flow:
    """``lxc config device add C NAME disk source=/``: a folder of this host is handed over."""
    for word in run.words:
        if word.text.startswith("source=/"):
            run.path("read", part(word, word.text[7:]), ("recursive",))
            run.path("write", part(word, word.text[7:]), ("recursive",))
    if any("privileged=true" in word.text for word in run.words):
        run.emit("exec", "command", run.name, run.at, ("elevated", "shell-escape"))
    words = [word for word in run.words if word.text[:1] != "-"]
    if words and words[0].text == "exec" and len(words) > 2:
        at = next((place for place, word in enumerate(run.words) if word.text == "--"), -1)
        inside = run.words[at + 1 :] if at >= 0 else words[2:]
        if len(inside) == 1 and is_shell(inside[0].text):
            shell_opened(run.runner, run.name, inside[0])
        elif inside:
            run.runner.with_flag("remote").program(inside, run.state.fork(), run.stdin)
    run.opaque("changes containers")
    return UNKNOWN


def virsh(run: Invocation) -> Flow:
    """``virsh create FILE``: a machine, or another object, that a file describes."""
    run.read_options()
    words = [arg.text for arg in run.rest]
    if words and words[0] in {"create", "define", "pool-create", "vol-upload", "edit", "start", "destroy", "undefine",
                              "pool-create-as", "vol-create-as", "vol-download"}:  # fmt: skip
        for arg in run.rest[1:]:
            if "/" in arg.text or "." in arg.text:
                run.path("read", arg)
        run.emit("deploy", "tool", f"virsh:{words[0]}", run.at)
    return UNKNOWN


def socket_(run: Invocation) -> Flow:
    """``socket [-p COMMAND] HOST PORT``; with ``-s`` it listens."""
    run.read_options()
    run.apply_options()
    if run.rest:
        host, port = run.rest[0], run.rest[-1].text
        is_listener = any(word.text[:1] == "-" and "s" in word.text for word in run.words)
        name = "0.0.0.0" if is_listener or len(run.rest) < 2 else host.text.lower()  # noqa: S104 - what it listens on
        run.emit("connect", "host", f"{name}:{port}", host, ("upload",))
    return UNKNOWN


def sends(run: Invocation) -> Flow:
    """Programs that hand files of this host to their own network."""
    for word in run.words:
        if "/" in word.text:
            run.path("read", word)
    opens = any(word.text in {"funnel", "serve"} for word in run.words[:1])
    run.emit("connect", "host", run.name, run.at, ("tunnel", "upload") if opens else ("upload",))
    return run.finish()


_GIVES = frozenset({"upload", "upload-file", "upload_file", "put", "sync", "send", "file", "push", "share"})


def uploads(run: Invocation) -> Flow:
    """Clients of a service that keeps files, such as ``b2 upload-file``: some subcommands hand files over."""
    run.read_options()
    run.apply_options()
    verb = next((word.text for word in run.rest if word.text in _GIVES), "")
    if verb:
        for word in run.rest:
            if "/" in word.text and "://" not in word.text:
                run.path("read", word)
        run.emit("connect", "host", run.name, run.at, ("upload",))
    return run.finish()


def backup(run: Invocation) -> Flow:
    """``duplicity SOURCE TARGET``, ``kopia snapshot create SOURCE``: the source is read as a whole, and goes away."""
    for word in run.words:
        if "://" in word.text:
            run.emit("connect", "host", re.sub(r"\A[\w+-]+://(?:[^@/]*@)?|/.*", "", word.text), word, ("upload",))
        elif "/" in word.text and word.text[:1] != "-":
            run.path("read", word, ("recursive",))
    run.opaque("keeps copies of files")
    return UNKNOWN


def sops(run: Invocation) -> Flow:
    """``sops -d FILE``, ``sops exec-env FILE TEXT``: a secret is decrypted, and shown or given to a program."""
    run.read_options()
    words = [word.text for word in run.rest]
    if "decode" in run.flags or (words[:1] and words[0] in {"decrypt", "exec-env", "exec-file"}):
        run.emit("use_credential", "credential", f"sops:{words[-1] if words else ''}"[:200], run.at)
    if words[:1] and words[0] in {"exec-env", "exec-file"} and len(words) > 2:
        run.runner.text(words[2], run.rest[2], run.state.fork(), run.stdin)
    run.opaque("opens or closes a file of secrets")
    return Flow(origin="file")


def nix(run: Invocation) -> Flow:
    """``nix run nixpkgs#NAME -- ARGUMENTS``, ``nix develop -c COMMAND``, ``guix shell PACKAGES -- COMMAND``."""
    run.read_options()
    run.apply_options()
    words = run.words
    named = next((word for word in words if "#" in word.text), None)
    at = next((place for place, word in enumerate(words) if word.text in {"--", "-c", "--command"}), -1)
    behind = words[at + 1 :] if at >= 0 else []
    if named is not None and words[0].text == "run":
        run.runner.program([part(named, named.text.rpartition("#")[2]), *behind], run.state.fork(), run.stdin)
    elif behind and words[0].text in {"develop", "shell"}:
        run.runner.program(behind, run.state.fork(), run.stdin)
    return run.finish()


def opens_inside(run: Invocation) -> Flow:
    """``apptainer shell IMAGE``, ``apptainer exec IMAGE COMMAND``: this host's home is there, and what is bound."""
    run.read_options()
    run.apply_options()
    words = run.rest
    if words and words[0].text == "shell":
        if not {"-h", "--help"} & {word.text for word in run.words}:
            shell_opened(run.runner, run.name, words[0])
    elif words and words[0].text == "exec" and len(words) > 2:
        run.runner.program(words[2:], run.state.fork(), run.stdin)
    return run.finish()


def addresses(run: Invocation) -> Flow:
    """``finger NAME@HOST``: what stands before the ``@`` is sent."""
    run.read_options()
    for arg in run.rest:
        name, at, host = arg.text.rpartition("@")
        if at and host:
            flags = ("upload",) if arg.exact else ("inexact", "upload")
            run.emit("connect", "host", host.lower(), arg, flags if name else ())
    return UNKNOWN


def sysctl(run: Invocation) -> Flow:
    """``sysctl``: names are files below ``/proc/sys``; ``=`` and ``-w`` set them, ``-p`` takes them from files."""
    words = [word for word in run.words if word.text[:1] != "-"]
    for word in words:
        name, equals, _ = word.text.partition("=")
        if "/" in name and not equals and "-p" not in {one.text for one in run.words}:
            run.path("read", part(word, posixpath.normpath("/proc/sys/" + name)))
        elif "/" in name:
            run.path("read", word)
    if any("=" in word.text or word.text in {"-w", "-p", "--system"} for word in run.words):
        run.emit("deploy", "tool", f"{run.name}:{run.words[0].text[:40]}", run.at)
        run.opaque("changes what runs on this host")
    return UNKNOWN


def gdb(run: Invocation) -> Flow:
    """``gdb -ex COMMAND``: ``!``, ``shell`` and ``python`` run code, ``dump`` writes files."""
    from outrider.effects.commands.readers.editors import orders  # noqa: PLC0415 - kept out of the common way

    if aims_at_guard(run):
        guarded(run, elsewhere=False)
    run.read_options()
    for role, arg in run.given:
        if role == "gdb-text":
            orders(run, arg.text, arg)
            read_code(run, arg.text, arg)
            found = re.match(r"\s*(?:python|py|guile|gu)\b(.*)", arg.text, re.DOTALL)
            if found:
                run.opaque("runs code given as text")
                read_code(run, found[1], arg)
            written = re.match(r"\s*(?:dump|append)\s+(?:\w+\s+)?(?:value|memory)\s+(\S+)|\s*source\s+(\S+)", arg.text)
            if written:
                run.path("write" if written[1] else "read", part(arg, written[1] or written[2]))
    run.given = [(role, arg) for role, arg in run.given if role != "gdb-text"]
    run.apply_options()
    program = next((arg for arg in run.rest if not arg.text.isdigit()), None)
    if program is not None:
        if is_shell(program.text):
            shell_opened(run.runner, run.name, program)
        if "/" in program.text:
            run.path("read", program)
    run.opaque("runs a program under its control")
    return UNKNOWN


READERS = {
    "uploads": uploads, "backup": backup, "sops": sops, "nix": nix, "opens-inside": opens_inside,
    "bwrap": bwrap, "exiftool": exiftool, "printer": printer,
    "csvtool": csvtool,
    "dosbox": dosbox, "xdg": xdg, "setarch": setarch, "start-daemon": start_daemon, "run-parts": run_parts,
    "group-shell": group_shell, "capsh": capsh, "rest-runs": rest_runs, "after-word": after_word,
    "subshell": subshell, "fail2ban": fail2ban, "rpm-own": rpm, "lxc": lxc, "virsh": virsh, "socket": socket_,
    "sends": sends, "addresses": addresses, "sysctl": sysctl, "gdb": gdb, "opens": opens,
}  # fmt: skip
