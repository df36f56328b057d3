"""Where an agent stands: its repository, the commit and branch, and the human behind it.

git is not run (it starts slowly, and executes what a repository's configuration says). Its files are read instead,
bounded: gitrepository-layout(5), gitglossary(7), git-config(1). ``include.path`` is not followed. Whatever cannot be
read is absent, never an error.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
from pathlib import Path

import msgspec

from outrider.identity.process import small_file

MAX_FILE = 1024 * 1024
MAX_UP = 64
_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_ACCOUNT = re.compile(rb'"emailAddress"\s*:\s*"([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255})"')
_SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')


class RepoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a directory's repository says.

    Attributes:
        root: Absolute root of the work tree; empty outside a repository.
        branch: Branch that is checked out; empty when detached or outside.
        commit: Commit of HEAD, 40 or 64 hex digits; empty if there is none yet.
        human: ``Name <mail>`` of git's own configuration, or as much of it as there is.
    """

    root: str = ""
    branch: str = ""
    commit: str = ""
    human: str = ""


def repository(cwd: str, *, home: str = "") -> RepoFacts:
    """Return the facts of the repository that ``cwd`` is in; ``human`` also outside of one.

    Args:
        cwd: Absolute directory. It need not exist.
        home: Home whose ``.gitconfig`` names the human, or empty for none.
    """
    found = _find(cwd)
    if found is None:
        return RepoFacts(human=_human([], home))
    root, git = found
    commit, branch = _head(git)
    shared = _common(git)
    return RepoFacts(root=root, branch=branch, commit=commit, human=_human([git, shared], home))


def head_of(repo_root: str) -> tuple[str, str]:
    """Return ``(commit, branch)`` of the repository whose work tree stands at ``repo_root``; empty where unknown."""
    git = _git_dir(repo_root)
    return _head(git) if git else ("", "")


def shared_git(root: str) -> tuple[str, ...]:
    """Return the git directories of a work tree that lie outside of it: those of a linked work tree."""
    git = _git_dir(root)
    found = (git, _common(git)) if git else ()
    return tuple(one for one in dict.fromkeys(found) if not one.startswith(root.rstrip("/") + "/"))


def os_user(uid: int) -> str:
    """Return the login name of a user id, or ``uid:<n>`` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid:{uid}"


def os_groups(uid: int) -> frozenset[str]:
    """Return the names of the groups that the user database puts a user id in; none for one that it does not know."""
    try:
        known = pwd.getpwuid(uid)
        numbers = os.getgrouplist(known.pw_name, known.pw_gid)
    except (KeyError, OverflowError, OSError):
        return frozenset()
    names = set()
    for number in numbers:
        with contextlib.suppress(KeyError):
            names.add(grp.getgrgid(number).gr_name)
    return frozenset(names)


def os_home(uid: int) -> str:
    """Return the home directory that the user database names, or empty."""
    try:
        return pwd.getpwuid(uid).pw_dir
    except (KeyError, OverflowError):
        return ""


def host_account(home: str) -> str:
    """Return the e-mail address that the coding agent's own host is logged in with, or empty.

    Claude Code keeps it in ``~/.claude.json`` (``oauthAccount.emailAddress``), a file that grows to megabytes: the
    field is looked for in its first MiB rather than the whole parsed.
    """
    match = _ACCOUNT.search(small_file(f"{home}/.claude.json", MAX_FILE)) if home else None
    return match[1].decode("ascii") if match else ""


def sponsor(*, configured: str, human: str, uid: int, account: str = "") -> str:
    """Return who answers for an agent: as configured, else git's identity, the host's account, the OS user."""
    return configured.strip() or human.strip() or account or os_user(uid)


def _find(cwd: str) -> tuple[str, str] | None:
    """Return the work tree's root and its git directory, or None."""
    if not cwd.startswith("/"):
        return None
    here = os.path.normpath(cwd)
    for _ in range(MAX_UP):
        git = _git_dir(here)
        if git:
            return here, git
        above = os.path.dirname(here)  # noqa: PTH120 - lexical, on text that need not exist
        if above == here:
            return None
        here = above
    return None


def _git_dir(root: str) -> str:
    """Return the git directory of a work tree: ``.git`` itself, or where its ``gitdir:`` line points."""
    path = f"{root}/.git"
    if small_file(f"{path}/HEAD", 4096):
        return path
    line = small_file(path, 4096).decode("utf-8", "replace").strip()
    if not line.startswith("gitdir:"):
        return ""
    target = os.path.normpath(Path(root) / line[7:].strip())
    return target if small_file(f"{target}/HEAD", 4096) else ""


def _common(git: str) -> str:
    """Return the directory that a work tree's git directory shares with its main one (``commondir``)."""
    line = small_file(f"{git}/commondir", 4096).decode("utf-8", "replace").strip()
    return os.path.normpath(Path(git) / line) if line else git


def _head(git: str) -> tuple[str, str]:
    head = _line(f"{git}/HEAD")
    if not head.startswith("ref:"):
        return (head if _OBJECT.match(head) else ""), ""
    ref = head[4:].strip()
    branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
    shared = _common(git)
    for _ in range(5):
        if not _safe(ref):
            return "", branch
        value = _line(f"{git}/{ref}") or _line(f"{shared}/{ref}") or _packed(shared, ref)
        if not value.startswith("ref:"):
            return (value if _OBJECT.match(value) else ""), branch
        ref = value[4:].strip()
    return "", branch


def _safe(ref: str) -> bool:
    return ref.startswith("refs/") and ".." not in ref and "\0" not in ref and len(ref) <= 1024


def _line(path: str) -> str:
    return small_file(path, 4096).decode("utf-8", "replace").partition("\n")[0].strip()


def _packed(shared: str, ref: str) -> str:
    """Return a packed ref's commit (gitrepository-layout(5), ``packed-refs``)."""
    want = b" " + ref.encode("utf-8", "replace")
    for line in small_file(f"{shared}/packed-refs", MAX_FILE).split(b"\n"):
        if line.endswith(want) and not line.startswith((b"#", b"^")):
            return line[: -len(want)].decode("ascii", "replace")
    return ""


def _human(gits: list[str], home: str) -> str:
    """Return the identity that git would use: the repository's configuration beats the user's."""
    files = []
    if home:
        files += [f"{home}/.config/git/config", f"{home}/.gitconfig"]
    files += [f"{git}/config" for git in reversed(gits)]
    found: dict[str, str] = {}
    for path in dict.fromkeys(files):
        found.update(read_config(small_file(path, MAX_FILE).decode("utf-8", "replace"), "user"))
    name, mail = found.get("name", ""), found.get("email", "")
    return f"{name} <{mail}>" if name and mail else name or mail


def read_config(text: str, section: str) -> dict[str, str]:
    """Return the variables of one section without a subsection, the last of each name; names in lower case.

    A small reader of git-config(1)'s syntax: comments, quotes, escapes and continued lines. Linear in the text.
    """
    found: dict[str, str] = {}
    here = ""
    lines = iter(text.split("\n"))
    for line in lines:
        rest = line.strip()
        header = _SECTION.match(rest)
        if header:
            here = header[1].lower() + (f".{header[2]}" if header[2] is not None else "")
            rest = rest[header.end() :].strip()
        if here != section or not rest or rest[0] in "#;":
            continue
        while rest.endswith("\\") and not rest.endswith("\\\\"):
            rest = rest[:-1] + next(lines, "")
        name, equals, value = rest.partition("=")
        found[name.strip().lower()] = _value(value) if equals else "true"
    return found


def _value(raw: str) -> str:
    out: list[str] = []
    quoted = False
    letters = iter(raw.strip())
    for letter in letters:
        if letter == '"':
            quoted = not quoted
        elif letter == "\\":
            escaped = next(letters, "")
            out.append({"n": "\n", "t": "\t", "b": "\b"}.get(escaped, escaped))
        elif letter in "#;" and not quoted:
            break
        else:
            out.append(letter)
    text = "".join(out)
    return " ".join(text.split())
