"""Where git writes, which branch it is on, and what a push sends where."""

from __future__ import annotations

import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.roles import net_flags, split_remote
from outrider.effects.place import AT_HEAD
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

OWN = ("recursive", "git-own")
"""Flags of what git writes in its own folder: it sets no key and puts no program there."""
LOST = ("discards", "forced")
"""Flags of what throws away work that git cannot bring back."""

_BRANCH = re.compile(r"[\w./@{}~^+-]+\Z")
_SEVERAL = frozenset({"--all", "--mirror", "--tags", "--branches"})
_ON = "git branch"
"""Not a name that a variable can have: which branch the call itself switched to."""


def here(run: Invocation, text: str = ".") -> Arg:
    """Return a path in the directory of the command, as evidence of the command itself."""
    return Arg(text, run.at.start, run.at.end)


def work_tree(run: Invocation) -> str:
    """Return the work tree as far as the text tells: the repository if the directory lies in it, else the directory."""
    cwd = run.state.cwd
    repo = run.runner.place.repo
    if cwd is None:
        return "?"
    return repo if cwd == repo or cwd.startswith(repo + "/") else cwd


def git_folder(run: Invocation) -> Arg:
    """Return git's own folder."""
    return here(run, work_tree(run) + "/.git")


def reach(run: Invocation, arg: Arg | None, *, is_upload: bool) -> None:
    """Note the connection to a remote given by its address; a named one is known to git alone."""
    if arg is None:
        return
    remote = split_remote(arg.text)
    if remote is not None:
        run.emit("connect", "host", remote[0].rpartition("@")[2], arg, net_flags(arg, is_upload=is_upload))


def switched(run: Invocation, name: Arg | None) -> None:
    """Note that the work tree is on another branch now; None if nobody can say on which."""
    known = name if name is not None and name.exact and not name.glob and _BRANCH.match(name.text) else None
    if known is None or known.text.startswith(("-", "@")) or known.text == "HEAD":
        known = Arg("?", exact=False)
    run.state.vars[_ON] = (known,)
    run.state.disk[_ON] = known.text


def _branch(run: Invocation) -> tuple[str, str]:
    """Return the branch that the work tree is on, or ``?`` and the note that says where it can be looked up.

    What the call did in a process of its own (``(git checkout main)``) changed the disk but not this shell's memory:
    then nobody can say.
    """
    last = run.state.disk.get(_ON)
    if last is None:
        return "?", AT_HEAD + work_tree(run) if run.state.cwd is not None else ""
    mine = run.state.vars.get(_ON)
    return (last, "") if mine and mine[0].exact and mine[0].text == last else ("?", "")


def _emit(run: Invocation, at: Arg, remote: str, branch: str, flags: tuple[str, ...], note: str = "") -> None:
    more = ("inexact",) if branch == "?" else ()
    run.runner.emit("push", "repo", f"{remote}/{branch}", at, (*more, *flags), note)


def _is_leased(run: Invocation) -> bool:
    """Whether it overwrites only what is as it was last fetched: that work is here, and can be brought back."""
    return any(word.text.partition("=")[0] == "--force-with-lease" for word in run.words)


def push(run: Invocation) -> Flow:
    """``git push [REMOTE [REFSPEC...]]``."""
    run.read_options()
    run.apply_options()
    rest = run.rest
    remote = rest[0] if rest else None
    reach(run, remote, is_upload=True)
    name = remote.text if remote is not None else "origin"
    forced = LOST if "forced" in run.flags else ("forced",) if _is_leased(run) else ()
    doubt = () if remote is None or remote.exact else ("inexact",)
    specs = rest[1:]
    if not specs:
        branch, note = ("?", "") if _SEVERAL & {word.text for word in run.words} else _branch(run)
        if note and remote is None:
            note = "to where it comes from: " + note
        _emit(run, remote or run.at, name, branch, (*forced, *doubt), note)
    for spec in specs:
        text = spec.text.removeprefix("+")
        lost = LOST if spec.text.startswith("+") else forced
        source, colon, branch = text.partition(":")
        branch = (branch if colon else source).removeprefix("refs/heads/").removeprefix("refs/tags/")
        if (colon and not source) or "delete" in run.flags:
            lost = LOST
        note = ""
        if text in {"HEAD", "@"}:
            branch, note = _branch(run)
        elif branch in {"HEAD", "@", ""} or not spec.exact or not _BRANCH.match(branch):
            branch = "?"
        _emit(run, spec, name, branch, (*lost, *doubt), note)
    return UNKNOWN
