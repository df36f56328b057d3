"""Readers of git's subcommands."""

from __future__ import annotations

import re
from itertools import pairwise

from outrider.effects.commands.escape import escaped
from outrider.effects.commands.git import EXECUTING, HARMLESS
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.consoles import taken
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.git_push import LOST, OWN, git_folder, here, push, reach, switched, work_tree
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_AIMS = ("push.", "branch.", "remote.")
"""Keys that say where a push goes."""
_NAMES = frozenset({"ls-files", "ls-tree", "status", "rev-parse", "check-ignore", "help", "version", "--version"})
"""Looks that print names of files, not what is in them."""


def git(run: Invocation) -> Flow:
    """``git [options] SUBCOMMAND``; ``-c`` and an unknown subcommand (an alias) may run anything."""
    run.read_options()
    run.chdirs()
    for role, arg in run.given:
        if role == "git-key":
            _key(run, arg)
        elif role == "library":
            ROLES["library"](run, arg)
    if not run.rest:
        return UNKNOWN
    subcommand = run.rest[0]
    if subcommand.text not in run.spec.subs:
        run.opaque(f"git {subcommand.text[:40]}: an alias or a program of its own")
        return UNKNOWN
    return run.sub()


def _key(run: Invocation, arg: Arg) -> None:
    """``-c key=value``: an executing key runs its value."""
    key, _, value = arg.text.partition("=")
    if key.lower().startswith(_AIMS):
        switched(run, None)
    if not EXECUTING.fullmatch(key):
        return
    low = key.lower()
    if low.startswith("alias."):
        if value.startswith("!"):
            run.runner.text(value[1:], arg, run.state.fork(), UNKNOWN)
    elif low in {
        "core.pager",
        "core.editor",
        "sequence.editor",
        "core.sshcommand",
        "core.fsmonitor",
        "diff.external",
    } or low.startswith(("pager.", "filter.", "credential")):
        run.runner.text(value.lstrip("!"), arg, run.state.fork(), UNKNOWN)
    elif not HARMLESS.match(key) and value not in {"", "/dev/null"}:
        run.runner.emit("exec", "command", "git", arg, ("git-exec",), f"{key} may run a program")


def _look_outside(run: Invocation) -> None:
    """Note the files beside the work tree that a look is given, and the pager that ``git grep -O`` opens."""
    for arg in run.rest:
        if arg.text.startswith(("/", "~", "../")):
            run.path("read", arg)
    for word in run.words if run.name == "grep" else ():
        if word.text.startswith(("-O", "--open-files-in-pager=")) and len(word.text) > 2:
            ROLES["escape"](run, part(word, word.text.partition("=")[2] or word.text[2:]))


def look(run: Invocation) -> Flow:
    """Looking at the repository; some look at files, ``--output`` writes one."""
    if run.name == "reflog" and {"expire", "delete"} & {word.text for word in run.words}:
        return own(run)
    run.read_options()
    run.apply_options()
    if run.name == "symbolic-ref" and len(run.rest) > 1:
        switched(run, None)
        return own(run)
    _look_outside(run)
    run.path("read", here(run), ("recursive", "names") if run.name in _NAMES else ("recursive",))
    if run.name == "ls-files":
        return Flow(paths=(Arg("**", run.at.start, run.at.end, glob=True),))
    if run.name == "rev-parse":
        if any(word.text == "--show-toplevel" for word in run.words):
            return Flow(text=work_tree(run) + "\n")
        return Flow(slashless=not any(word.text.startswith("--abbrev-ref") for word in run.words))
    if run.name in {"diff", "log", "show", "status", "grep"} and any(
        word.text in {"--name-only", "-l", "--files-with-matches", "--diff-filter=U"} for word in run.words
    ):
        return Flow(paths=(Arg(work_tree(run) + "/**", run.at.start, run.at.end, glob=True),))
    if run.name == "describe":
        return Flow(slashless=True)
    return Flow(origin="file")


def clone(run: Invocation) -> Flow:
    """``git clone URL [DIR]``: writes a directory named like the repository."""
    run.read_options()
    run.apply()
    if len(run.rest) > 1:
        run.path("write", run.rest[1], ("recursive",))
    for role, arg in run.given:
        key, _, _ = arg.text.partition("=")
        if role == "text" and EXECUTING.fullmatch(key) and not HARMLESS.match(key):
            run.opaque(f"{key} may run a program")
    if len(run.rest) == 1:
        name = run.rest[0].text.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
        run.path("write", part(run.rest[0], name or "*"), ("recursive",))
    return run.finish()


def fetch(run: Invocation) -> Flow:
    """``git fetch``, ``git pull``: writes the repository; pull the work tree as well."""
    run.read_options()
    run.apply_options()
    first = run.rest[0] if run.rest else None
    reach(run, first, is_upload=False)
    if first is not None and first.text.startswith("ext::"):
        run.runner.text(first.text[5:], first, run.state.fork(), UNKNOWN)
    if run.name == "pull":
        run.path("write", here(run), ("recursive",))
    elif run.name == "fetch":
        run.path("write", git_folder(run), OWN)
    return UNKNOWN


def commit(run: Invocation) -> Flow:
    """``git commit`` and what else makes commits."""
    run.read_options()
    run.apply_options()
    tree = work_tree(run)
    run.emit("commit", "repo", tree, run.at, () if tree != "?" else ("inexact",))
    if run.name != "commit":
        if run.name == "rebase" and len(run.rest) > 1:
            switched(run, None)
        run.path("write", here(run), ("recursive",))
    return UNKNOWN


def index(run: Invocation) -> Flow:
    """``git add``: reads what it adds, into the repository's own folder."""
    run.read_options()
    run.apply_options()
    for arg in run.rest:
        run.path("read", arg)
    run.path("write", Arg(work_tree(run) + "/.git/index", run.at.start, run.at.end))
    return UNKNOWN


def remove(run: Invocation) -> Flow:
    """``git rm``: with ``--cached`` the files stay."""
    run.read_options()
    if "dry" not in run.flags:
        for arg in run.rest:
            run.path("delete", arg)
    return UNKNOWN


def checkout(run: Invocation) -> Flow:
    """``git checkout`` and ``switch``: paths behind ``--`` are overwritten; a branch changes the work tree."""
    words = run.words
    at = next((place for place, word in enumerate(words) if word.text == "--"), -1)
    run.read_options()
    forced = LOST if "forced" in run.flags else ()
    if at >= 0 and words[at + 1 :]:
        for arg in words[at + 1 :]:
            run.path("write", arg, _whole(run, arg))
        return UNKNOWN
    for option, name in pairwise(words):
        if option.text in {"-b", "-B", "-c", "-C", "--orphan", "--create", "--force-create"}:
            switched(run, name)
            return UNKNOWN
    if len(run.rest) == 1 and run.rest[0].text in {".", "*", ":/"}:
        run.path("write", here(run), (*LOST, "recursive"))
    elif len(run.rest) > 1 or (run.rest and run.name == "checkout" and re.search(r"\.\w{1,5}\Z|/\Z", run.rest[0].text)):
        for arg in run.rest if len(run.rest) == 1 else run.rest[1:]:
            run.path("write", arg, _whole(run, arg))
    elif run.rest:
        switched(run, run.rest[0])
        run.path("write", here(run), ("recursive", *forced))
    return UNKNOWN


def restore(run: Invocation) -> Flow:
    """``git restore``: overwrites, unless only the index is meant."""
    run.read_options()
    if "dry" not in run.flags or "keep" in run.flags:
        for arg in run.rest:
            run.path("write", arg, _whole(run, arg))
    return UNKNOWN


def _whole(run: Invocation, arg: Arg) -> tuple[str, ...]:
    """Return the flags of overwriting one file, or a whole tree, with what is committed."""
    is_whole = arg.text.rstrip("/") in {".", "*", ":", ":/", "..", ""} or arg.text == work_tree(run)
    return (*LOST, "recursive") if is_whole else ("forced", "recursive")


def reset(run: Invocation) -> Flow:
    """``git reset --hard`` overwrites the work tree."""
    run.read_options()
    if run.flags & {"forced", "hard"}:
        run.path("write", here(run), ("recursive", *(LOST if "hard" in run.flags else ())))
    return UNKNOWN


def clean(run: Invocation) -> Flow:
    """``git clean -f`` deletes what git does not know."""
    run.read_options()
    if "dry" not in run.flags and "forced" in run.flags:
        for arg in run.rest or [here(run)]:
            run.path("delete", arg, LOST)
    return UNKNOWN


def stash(run: Invocation) -> Flow:
    """``git stash``: takes changes away or puts them back; ``drop`` and ``clear`` lose them."""
    run.read_options()
    what = run.rest[0].text if run.rest else "push"
    if what in {"drop", "clear"}:
        run.path("delete", Arg(work_tree(run) + "/.git/refs/stash", run.at.start, run.at.end), LOST)
    elif what not in {"list", "show"}:
        run.path("write", here(run), ("recursive",))
    return UNKNOWN


def own(run: Invocation) -> Flow:
    """What changes git's own folder only."""
    run.read_options()
    run.apply_options()
    if run.name in {
        "filter-branch",
        "filter-repo",
        "lfs",
        "flow",
        "svn",
        "p4",
        "send-email",
        "daemon",
        "instaweb",
        "maintenance",
    }:
        run.opaque(f"git {run.name} runs programs")
    renames = run.name == "branch" and any(re.fullmatch(r"-[mMcC]|--move|--copy", word.text) for word in run.words)
    if renames:
        switched(run, None)
    is_list = run.name in {"branch", "tag", "notes", "replace"} and not run.rest and "delete" not in run.flags
    if is_list and not renames:
        return UNKNOWN
    lost = LOST if _discards(run) else ()
    run.path("write", git_folder(run), (*OWN, *lost))
    return UNKNOWN


def _discards(run: Invocation) -> bool:
    """Whether a command on git's own folder throws away what is reachable by nothing else."""
    words = {word.text for word in run.words}
    letters = {letter for word in words if re.fullmatch(r"-[A-Za-z]+", word) for letter in word}
    if run.name == "branch":
        return "D" in letters or ("delete" in run.flags and bool(letters & {"f"} or "--force" in words))
    if run.name == "reflog":
        return bool(words & {"expire", "delete"})
    if run.name == "gc":
        return any(word.startswith("--prune=") for word in words)
    if run.name == "update-ref":
        return "d" in letters
    return run.name in {"filter-branch", "filter-repo", "prune"}


def config(run: Invocation) -> Flow:
    """``git config``: a key that runs something is told apart from one that does not."""
    run.read_options()
    rest = run.rest
    verbs = {"get", "list", "set", "unset", "rename-section", "remove-section", "edit"}
    is_new_form = bool(rest) and rest[0].text in verbs
    verb = rest[0].text if is_new_form else ""
    rest = rest[1:] if is_new_form else rest
    target = _config_file(run)
    if (
        "list" in run.flags
        or verb in {"get", "list"}
        or (not verb and len(rest) == 1 and not run.flags & {"delete", "edit"})
    ):
        run.path("read", target)
        return UNKNOWN
    if "edit" in run.flags or verb == "edit":
        run.runner.path("write", target, run.state, ("git-exec",), "an editor may set any key")
        return UNKNOWN
    if not rest:
        return UNKNOWN
    key, value = rest[0], rest[1].text if len(rest) > 1 else ""
    if key.text.lower().startswith(_AIMS) or not key.exact:
        switched(run, None)
    is_gone = "delete" in run.flags or verb in {"unset", "remove-section", "rename-section"}
    runs = _runs(key, value, is_gone=is_gone)
    flag = "git-exec" if runs else "git-safe"
    at = Arg(target.text, key.start, rest[-1].end, target.exact)
    run.runner.path("write", at, run.state, (flag,), f"sets {key.text[:60]}")
    return UNKNOWN


def _runs(key: Arg, value: str, *, is_gone: bool) -> bool:
    """Return whether a key with this value makes git run something."""
    if not key.exact:
        return True
    if is_gone or not EXECUTING.fullmatch(key.text):
        return False
    low = key.text.lower()
    if low.startswith("alias."):
        return value.lstrip().startswith("!") or not value
    return not HARMLESS.match(low) and not (
        low in {"core.fsmonitor", "core.pager"} and value in {"true", "false", "cat", ""}
    )


def _config_file(run: Invocation) -> Arg:
    at = run.at
    named = next((arg for role, arg in run.given if role == "git-file"), None)
    if named is not None:
        return named
    if "global" in run.flags:
        return Arg(run.runner.place.home + "/.gitconfig", at.start, at.end)
    if "system" in run.flags:
        return Arg("/etc/gitconfig", at.start, at.end)
    return Arg(work_tree(run) + "/.git/config", at.start, at.end, exact=run.state.cwd is not None)


def remote(run: Invocation) -> Flow:
    """``git remote add NAME URL``: harmless until something is fetched or pushed."""
    run.read_options()
    what = run.rest[0].text if run.rest else ""
    if what in {"add", "set-url", "remove", "rm", "rename", "set-head", "set-branches", "prune"}:
        target = Arg(work_tree(run) + "/.git/config", run.at.start, run.at.end)
        run.runner.path("write", target, run.state, ("git-safe",), f"remote {what}")
        for arg in run.rest[2:]:
            if arg.text.startswith("ext::"):
                run.opaque("a remote that runs a command")
    elif what == "update":
        run.path("write", git_folder(run), OWN)
    return UNKNOWN


def apply_patch(run: Invocation) -> Flow:
    """``git apply``: writes what the patch names."""
    run.read_options()
    for arg in run.rest:
        run.path("read", arg)
    if "dry" not in run.flags:
        run.path("write", Arg(work_tree(run), run.at.start, run.at.end), ("recursive",))
        for name, arg in zip(run.words, [*run.words[1:], run.at], strict=True):
            option, equals, value = name.text.partition("=")
            if option == "--directory":
                run.path("write", part(name, value) if equals else arg, ("recursive",))
        if any(word.text == "--unsafe-paths" for word in run.words):
            escaped(run.runner, run.name, run.at, "an option that lets a patch write anywhere")
    return UNKNOWN


def daemon(run: Invocation) -> Flow:
    """``git daemon``: hands out the repositories below a folder."""
    run.read_options()
    run.apply()
    port = next((arg.text for role, arg in run.given if role == "listen" and arg.text.isdigit()), "9418")
    run.emit("connect", "host", f"0.0.0.0:{port}", run.at, ("upload",))
    return UNKNOWN


def mailed(run: Invocation) -> Flow:
    """``git send-email``: what is sent leaves this host."""
    run.read_options()
    run.apply()
    server = next((arg for role, arg in run.given if role == "mailer" and "/" not in arg.text), None)
    run.emit("connect", "host", server.text.lower() if server is not None else "mail", run.at, ("upload",))
    return UNKNOWN


def worktree(run: Invocation) -> Flow:
    """``git worktree add PATH``, ``remove PATH``."""
    run.read_options()
    what = run.rest[0].text if run.rest else ""
    if len(run.rest) > 1 and what in {"add", "move"}:
        run.path("write", run.rest[-1] if what == "move" else run.rest[1], ("recursive",))
    elif len(run.rest) > 1 and what == "remove":
        run.path("delete", run.rest[1], ("recursive", *(LOST if "forced" in run.flags else ())))
    return UNKNOWN


def submodule(run: Invocation) -> Flow:
    """``git submodule``: ``foreach`` runs a command."""
    run.read_options()
    what = run.rest[0].text if run.rest else ""
    if what == "foreach" and len(run.rest) > 1:
        text = " ".join(arg.text for arg in run.rest[1:] if arg.text != "--recursive")
        run.runner.text(text, run.rest[1], run.state.fork(), UNKNOWN)
        return UNKNOWN
    for arg in run.rest[1:]:
        reach(run, arg, is_upload=what == "push")
    if what not in {"status", "summary", ""}:
        run.path("write", here(run), ("recursive",))
    return UNKNOWN


def bisect(run: Invocation) -> Flow:
    """``git bisect run COMMAND``."""
    if run.words and run.words[0].text == "run" and run.words[1:]:
        return run.runner.program(run.words[1:], run.state.fork(), UNKNOWN)
    switched(run, None)
    run.path("write", here(run), ("recursive",))
    return UNKNOWN


_FORGE_LOOKS = frozenset({"view", "list", "ls", "status", "diff", "checks", "search", "browse", "watch",
    "download", "--version",
                          "auth", "help"})  # fmt: skip


_FORGE_LOCAL = frozenset({"search", "status", "config", "alias", "completion", "browse"})
_FORGE_SENDS = frozenset({"-X", "--method", "-f", "-F", "--field", "--raw-field", "--input"})
_FORGE_FILES = frozenset({"--body-file", "-F", "--notes-file", "--template", "--input"})
_FORGE_UPLOADS = (["gist", "create"], ["release", "upload"], ["release", "create"])


def forge(run: Invocation) -> Flow:
    """``gh``, ``glab``: everything goes to the forge; what is not a look changes something there."""
    host = {"glab": "gitlab.com"}.get(run.name, "api.github.com")
    words = [word.text for word in run.words if word.text[:1] != "-"]
    looks = len(words) < 2 or words[1] in _FORGE_LOOKS or words[0] in _FORGE_LOCAL
    if words[:2] == ["auth", "token"] or (words[:2] == ["auth", "status"] and _shows_token(run)):
        run.emit("use_credential", "credential", f"{run.name}:token", run.at)
    if words[:1] == ["api"]:
        looks = not any(word.text in _FORGE_SENDS for word in run.words)
    for name, value in pairwise(run.words):
        if name.text in _FORGE_FILES and "=" not in value.text:
            run.path("read", value)
    _forge_files(run, words)
    what = taken(run) if words[1:2] != ["list"] else ""
    if words[:1] == ["api"] and any("DELETE" in word.text for word in run.words):
        what = "delete"
    if what and words[:1] not in (["alias"], ["extension"], ["config"], ["cache"]):
        run.emit("deploy", "tool", f"{run.name}:{words[0]}-{what}", run.at, ("forced",))
    if words[:1] == ["extension"]:
        run.opaque("runs an extension")
    flags = ("published", "upload") if words[:2] in _FORGE_UPLOADS else ("upload",)
    run.emit("connect", "host", host, run.at, () if looks else flags)
    return Flow(origin="network")


def _shows_token(run: Invocation) -> bool:
    return any(word.text in {"-t", "--show-token"} for word in run.words)


def _forge_files(run: Invocation, words: list[str]) -> None:
    """Note what a forge's client writes here, and which files it sends."""
    if words[:2] == ["repo", "clone"] and len(words) > 2:
        run.path("write", here(run, words[3] if len(words) > 3 else words[2].rpartition("/")[2]), ("recursive",))
    elif words[:2] in (["pr", "checkout"], ["mr", "checkout"], ["repo", "sync"]):
        switched(run, None)
        run.path("write", here(run), ("recursive",))
    elif words[:2] in _FORGE_UPLOADS:
        for word in run.words[2:]:
            if word.text[:1] != "-" and ("." in word.text or "/" in word.text):
                run.path("read", word)


READERS = {
    "git-daemon": daemon, "git-mail": mailed,
    "git": git, "git-look": look, "git-clone": clone, "git-fetch": fetch, "git-push": push, "git-commit": commit,
    "git-index": index, "git-rm": remove, "git-checkout": checkout, "git-restore": restore, "git-reset": reset,
    "git-clean": clean, "git-stash": stash, "git-own": own, "git-config": config, "git-remote": remote,
    "git-apply": apply_patch, "git-worktree": worktree, "git-submodule": submodule, "git-bisect": bisect,
        "forge": forge,
}  # fmt: skip
