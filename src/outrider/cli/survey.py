"""What a repository is, and which charter suits it to begin with."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from outrider.errors import BadInputError
from outrider.identity.place import repository

_MOST = 20_000
_SKIP = frozenset((".git", "node_modules", ".venv", "venv", "vendor", "__pycache__", "target", "dist", "build"))
_OPS = frozenset((".tf", ".tfvars", ".hcl", ".bicep"))
_OPS_NAMES = frozenset(("Chart.yaml", "kustomization.yaml", "kustomization.yml", "helmfile.yaml", "ansible.cfg"))
_SOURCE = frozenset((
    ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".go", ".rs", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs",
    ".java", ".kt", ".kts", ".scala", ".swift", ".m", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".ex", ".exs", ".erl",
    ".hs", ".ml", ".clj", ".dart", ".zig", ".nim", ".v", ".sv", ".vhd", ".sh", ".bash", ".ps1", ".sql", ".vue",
    ".svelte", ".ipynb", ".proto", ".asm", ".s", ".f90", ".pas", ".groovy",
))  # fmt: skip
_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^@/\s]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)[:/]")
_DOCS = frozenset((".md", ".mdx", ".rst", ".txt", ".adoc", ".tex", ".org"))


def here(start: Path | None = None) -> Path:
    """Return the top of the repository that a directory lies in; without git, the directory itself.

    Raises:
        BadInputError: That is the root directory or the user's home: everything below would be meant.
    """
    cwd = (start or Path.cwd()).resolve()
    root = Path(repository(str(cwd), home=str(Path.home())).root or cwd)
    if root in (Path("/"), Path.home().resolve()):
        raise BadInputError(f"{root} is not a repository", fix="Change to the repository that agents work in.")
    return root


def pattern(root: Path) -> str:
    """Return the path as the configuration matches it: a bracket would mean a choice of letters there."""
    return str(root).replace("[", "?")


def is_tracked(path: Path, root: Path) -> bool:
    """Say whether git has this file in its index: a change to it would be committed."""
    return _git(root, "ls-files", "--error-unmatch", "--", str(path)) is not None


def is_ignored(path: Path, root: Path) -> bool:
    """Say whether git would leave this file out of a commit."""
    return _git(root, "check-ignore", "-q", "--", str(path)) is not None


def suits(root: Path) -> tuple[str, str]:
    """Return the charter that suits a repository to begin with, and why, in half a sentence."""
    count: Counter[str] = Counter()
    for name in islice(_names(root), _MOST):
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        if suffix in _OPS or path.name in _OPS_NAMES:
            count["ops"] += 1
        elif suffix in _SOURCE:
            count["source"] += 1
        elif suffix in _DOCS:
            count["docs"] += 1
    if count["ops"] and count["ops"] >= 2 * count["source"]:
        return "ops", f"of its files, {count['ops']} describe infrastructure and {count['source']} hold programs"
    if count["source"]:
        return "coder", f"of its files, {count['source']} hold programs"
    if count["docs"]:
        return "coder", "it holds texts and no programs, and writing them needs what writing code needs"
    return "coder", "it holds nothing yet that says otherwise"


def remote_host(root: Path) -> str:
    """Return the host that a repository's `origin` lies on, or empty: none, a path, or nothing that names a host."""
    told = (_git(root, "remote", "get-url", "origin") or "").strip()
    found = _REMOTE.match(told)
    return found[1].lower() if found else ""


def is_passed_over(path: PurePosixPath) -> bool:
    """Say whether a path lies in a folder that nobody writes by hand: installed packages, caches, what was built."""
    return not _SKIP.isdisjoint(path.parts)


def _names(root: Path) -> Iterator[str]:
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed:
        yield from (name for name in listed.split("\0") if name and _SKIP.isdisjoint(name.split("/")))
        return
    for directory, below, names in os.walk(root):
        below[:] = sorted(set(below) - _SKIP)
        yield from (f"{directory}/{name}" for name in names)


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git says, None if it is not there, says no, or takes longer than ten seconds."""
    # A repository's own configuration may name a program for git to run here (core.fsmonitor).
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
