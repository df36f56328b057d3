"""Readers of what would change or end Outrider itself, and of what starts a program out of sight."""

from __future__ import annotations

import re
from itertools import pairwise

from outrider.effects.commands.escape import shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.traces import LOOKED, ended
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_FREE = frozenset({"status", "doctor", "agents", "lineage", "log", "why", "involved", "verify", "demo", "help"})
"""Commands of ``outrider`` that change nothing of it."""
_FREE_CHARTER = frozenset({"list", "show", "check"})
_HOOKED = frozenset({"init", "uninstall"})
"""Commands that write the hosts' settings, whatever home they are given."""
NAMED = "outrider"
"""Where :attr:`State.disk` says that this call looked at, or for, Outrider's process."""


def guarded(run: Invocation, *, hosts: bool = False, elsewhere: bool = True) -> None:
    """Note that Outrider itself would be changed: its own files written, and the guard off.

    ``OUTRIDER_HOME`` in front of the command says whose files, if ``elsewhere`` may count.
    """
    at = run.at
    default = Arg(f"{run.runner.place.home}/.outrider", at.start, at.end)
    named = run.state.vars.get("OUTRIDER_HOME") if elsewhere else None
    home = Arg(named[0].text, at.start, at.end, named[0].exact) if named and named[0].text else default
    if home.text == default.text or not home.exact or hosts:
        run.emit("exec", "command", run.program, at, ("guard_off",))
    run.runner.path("write", home, run.state, (), "changes Outrider itself")
    if hosts:
        for name in (".claude/settings.json", ".outrider"):
            run.runner.path(
                "write", Arg(f"{run.runner.place.home}/{name}", at.start, at.end), run.state, (), "changes Outrider"
            )


def outrider(run: Invocation) -> Flow:
    """``outrider``: looking is free; what changes it writes its own files."""
    words = [word for word in run.words if word.text[:1] != "-"]
    if not words or any(word.text in {"-h", "--help", "--version"} for word in run.words):
        return UNKNOWN
    name = words[0].text
    if name in _FREE and words[0].exact:
        return UNKNOWN
    if name == "charter" and (len(words) < 2 or (words[1].text in _FREE_CHARTER and words[1].exact)):
        for arg in words[2:]:
            if "/" in arg.text or arg.text.endswith(".toml"):
                run.path("read", arg)
        return UNKNOWN
    if name == "up" and words[0].exact and not any(word.text.startswith("--s") for word in run.words):
        run.opaque("starts Outrider's daemon")
        return UNKNOWN
    if name == "spawn" and words[0].exact:
        return _spawned(run)
    if name == "credential" and words[0].exact:
        return _lent(run, words[1:])
    guarded(run, hosts=name in _HOOKED)
    return UNKNOWN


def _lent(run: Invocation, words: list[Arg]) -> Flow:
    """``outrider credential``: what it prints is a secret. Git's own questions are judged by the daemon alone.

    A new key for all agents is for a person to make.
    """
    what = words[0].text if words else ""
    if what == "rotate" or (words and not words[0].exact):
        guarded(run)
    named = words[1] if what == "aws" and len(words) > 1 else None
    kind = "aws"
    if what == "token":
        kind = "audience"
        rest = list(run.words)
        for at, word in enumerate(rest):
            if word.text == "--audience" and at + 1 < len(rest):
                named = rest[at + 1]
            elif word.text.startswith("--audience="):
                named = Arg(word.text.partition("=")[2], word.start, word.end, word.exact)
    if named is not None:
        flags = () if named.exact else ("inexact",)
        run.emit("use_credential", "credential", f"brokered:{kind}:{named.text}", named, flags)
    return UNKNOWN


def _spawned(run: Invocation) -> Flow:
    """``outrider spawn --charter X -- COMMAND``: a child is made, and the command is what it does first.

    The charter of a token is not seen here; the daemon judges it when the token is shown.
    """
    words = list(run.words)
    end = next((at for at, word in enumerate(words) if word.text == "--" and word.exact), len(words))
    for at, word in enumerate(words[:end]):
        named = words[at + 1] if word.text == "--charter" and at + 1 < end else word
        name = named.text if named is not word else word.text.partition("--charter=")[2]
        if name:
            run.emit("spawn", "charter", name, named, () if named.exact else ("inexact",))
    if words[end + 1 :]:
        return run.runner.program(words[end + 1 :], run.state.fork(), UNKNOWN)
    return UNKNOWN


def client(run: Invocation) -> Flow:
    """The hook client: hosts run it, and nobody by hand."""
    guarded(run, elsewhere=False)
    return UNKNOWN


def kill(run: Invocation) -> Flow:
    """``kill``, ``pkill``, ``killall``: ending Outrider's daemon switches the guard off."""
    aimed = [word for word in run.words if word.text[:1] != "-" or not word.exact]
    is_named = any("outrider" in word.text.lower() for word in run.words)
    is_aimed = aims_at_guard(run)
    is_found = NAMED in run.state.disk and any(not word.exact or word.glob for word in aimed)
    if is_named or is_found or is_aimed:
        guarded(run, elsewhere=False)
    elif what := ended(run):
        run.emit("deploy", "tool", f"kill:{what}", run.at, ("forced",))
    elif _everybodys(run):
        run.emit("deploy", "tool", "kill:every", run.at, ("forced",))
    return UNKNOWN


def aims_at_guard(run: Invocation) -> bool:
    """Return whether one of Outrider's own processes is named by its id: ``kill 12``, ``kill -- -12``, ``gdb -p12``."""
    guards = {str(pid) for pid in run.runner.place.guards}
    return bool(guards) and any(not guards.isdisjoint(re.split(r"\D+", word.text)) for word in run.words)


def traced(run: Invocation) -> Flow:
    """``strace -p PID``: looking into Outrider's daemon is holding it, and ends in its keys."""
    if aims_at_guard(run):
        guarded(run, elsewhere=False)
    return run.run()


def _everybodys(run: Invocation) -> bool:
    """Whether all processes of a user are ended, whatever they are, or the first of all."""
    words = [word.text for word in run.words]
    if run.name == "kill":
        return "-1" in words[1:] or "1" in words
    by_user = any(word in {"-u", "-U", "--user", "--euid", "--uid"} for word in words)
    named = [word for word in words if word[:1] != "-"]
    return by_user and len(named) < 2


def notice(run: Invocation) -> None:
    """Remember that this call looked for processes, and whether for Outrider's."""
    run.state.disk[LOOKED] = run.name
    if any("outrider" in word.text.lower() for word in run.words):
        run.state.disk[NAMED] = run.name


def detached(run: Invocation) -> Flow:
    """``setsid``, ``systemd-run`` and their kin: what they start is nobody's child any more."""
    run.runner = run.runner.with_flag("detached")
    if run.name == "systemd-run" and any(re.fullmatch(r"-[a-zA-Z]*S|--shell", word.text) for word in run.words):
        shell_opened(run.runner, run.name, run.at)
    if any(word.text.startswith(("--on-", "--timer-property")) for word in run.words):
        run.emit("deploy", "tool", f"schedule:{run.name}", run.at)
    return run.run()


_KEY = re.compile(r"(C-.|M-.|Enter|Space|Tab|BSpace|Escape|Up|Down|Left|Right|KPEnter|Home|End)\Z")
_TMUX_LOOKS = frozenset(
    {"ls", "list-sessions", "list-windows", "list-panes", "has-session", "kill-session", "kill-server", "kill-window",
     "capture-pane", "display-message", "attach", "a", "attach-session", "set", "set-option", "resize-pane",
     "rename-session", "select-window", "select-pane", "detach", "info", "has", "capturep", "display"}
)  # fmt: skip
_TMUX_VALUES = frozenset({"-c", "-e", "-F", "-n", "-s", "-t", "-x", "-y", "-l", "-N", "-T", "-L", "-S", "-f"})


def tmux(run: Invocation) -> Flow:
    """``tmux new -d COMMAND``, ``send-keys TEXT``; ``screen -dm COMMAND``: a terminal that outlives the call."""
    run.runner = run.runner.with_flag("detached")
    words = list(run.words)
    at = _behind_options(words, 0)
    command = words[at].text if at < len(words) else ""
    _terminal_options(run, words, at)
    if not words:
        shell_opened(run.runner, run.name, run.at)
    elif run.name != "tmux":
        _start(run, words[at:])
    elif command in _TMUX_LOOKS:
        return UNKNOWN
    elif command in {"send-keys", "send"}:
        for word in words[_behind_options(words, at + 1) :]:
            if not _KEY.match(word.text):
                run.runner.text(word.text, word, run.state.fork(), UNKNOWN)
    else:
        _start(run, words[_behind_options(words, at + 1) :])
    run.opaque("a terminal that runs what it is typed")
    return UNKNOWN


def _terminal_options(run: Invocation, words: list[Arg], at: int) -> None:
    """``screen -Logfile FILE``; ``tmux -f FILE`` and ``tmux -c TEXT`` before a command."""
    for place, (option, value) in enumerate(pairwise(words)):
        is_global = run.name == "tmux" and place < at
        if option.text in {"-Logfile", "-logfile"}:
            run.path("write", value)
        elif option.text == "-f" and is_global:
            run.path("read", value)
        elif option.text == "-c" and is_global:
            run.runner.text(value.text, value, run.state.fork(), UNKNOWN)


def _behind_options(words: list[Arg], at: int) -> int:
    while at < len(words) and words[at].text[:1] == "-" and words[at].text != "-":
        at += 2 if words[at].text[:1] + words[at].text[-1:] in _TMUX_VALUES and words[at].text != "--" else 1
    return at


def _start(run: Invocation, words: list[Arg]) -> None:
    if len(words) == 1:
        run.runner.text(words[0].text, words[0], run.state.fork(), NOTHING)
    elif words:
        run.runner.program(words, run.state.fork(), NOTHING)


READERS = {"outrider": outrider, "outrider-client": client, "kill": kill, "detached": detached, "tmux": tmux,
           "traced": traced}  # fmt: skip
