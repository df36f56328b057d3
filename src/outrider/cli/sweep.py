"""What ``outrider scan`` looks at: files of a folder, or only what a change adds; and what came of each look."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from outrider.cli.survey import is_passed_over
from outrider.detect.code.listing import MAX_TEXT as MAX_LIST
from outrider.detect.code.listing import NAME, Listing, listing
from outrider.detect.code.rule import Persona
from outrider.detect.code.scan import MAX_TEXT, scan_code
from outrider.detect.code.suppression import Suppressions
from outrider.detect.secrets import secrets
from outrider.errors import BadInputError
from outrider.events.call import Excused, Finding

_HUNK = re.compile(r"^@@ -[0-9,]+ \+([0-9]+)(?:,([0-9]+))? @@")
_KEY: Final = b"nobody's key: prints of a scan are not kept"
_PATIENCE: Final = 120


class Target(msgspec.Struct, frozen=True):
    """One text to look at.

    Attributes:
        path: The file, as it is shown.
        text: What it holds.
        added: The lines, from 1, that a change adds; None for all.
    """

    path: str
    text: str
    added: frozenset[int] | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, with where it stands.

    Attributes:
        path: The file.
        line: Its first line, from 1.
        column: Its first column, from 1, in characters.
        end_line: Its last line.
        end_column: The column behind its end.
        finding: What was found.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    finding: Finding


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a scan.

    Attributes:
        found: What was found, by file and line; suppressed findings too.
        files: How many texts were looked at for secrets.
        code: How many of them were looked at by rules about code, by language.
        partly: Files of which some text does not fit the grammar of their language.
        passed_over: Files that were not looked at, by why: ``binary``, ``too-large``, ``unreadable``.
        faults: What in the repository's list of suppressions counts for nothing, and why.
    """

    found: tuple[Found, ...]
    files: int
    code: dict[str, int]
    partly: tuple[str, ...]
    passed_over: dict[str, int]
    faults: tuple[str, ...] = ()


def sweep(targets: Iterable[Target], *, persona: Persona, skipped: Counter[str]) -> Swept:
    """Look at every target with the detectors of secrets and the rules about code."""
    found: list[Found] = []
    languages: Counter[str] = Counter()
    partly: list[str] = []
    files = 0
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    known, faults = _listing(today)
    for target in targets:
        files += 1
        seen = scan_code(target.text, "file", path=target.path, added=target.added, persona=persona, today=today)
        if seen.outcome in {"scanned", "partly"}:
            languages[seen.language] += 1
        if seen.outcome == "partly":
            partly.append(target.path)
        unsure = persona != "everyday"  # Whoever is strict wants to see what is not sure, too.
        told = [one for one in (*seen.findings, *_secrets(target, today)) if unsure or one.confidence != "low"]
        told = [_let_be(target, one, known, today) for one in told]
        found += [_placed(target, one) for one in sorted(told, key=lambda one: (one.start, one.rule))]
    return Swept(
        found=tuple(found), files=files, code=dict(sorted(languages.items())), partly=tuple(partly),
        passed_over=dict(sorted(skipped.items())), faults=faults,
    )  # fmt: skip


def everything(paths: Sequence[Path], skipped: Counter[str]) -> Iterator[Target]:
    """Yield every file at and below some paths: in a repository what git knows and does not ignore.

    Raises:
        BadInputError: A path is not there.
    """
    for top in paths:
        if not top.exists():
            raise BadInputError(f"{top} is not there")
        for path in [top] if top.is_file() else _below(top):
            text = _read(path, skipped)
            if text is not None:
                yield Target(str(path), text)


def changed(revision: str | None, skipped: Counter[str]) -> Iterator[Target]:
    """Yield the files that a change adds lines to: the index against HEAD, or the work tree against a revision.

    Args:
        revision: What the work tree is held against; None for what is staged.
        skipped: Takes count of what is not looked at.

    Raises:
        BadInputError: This is no repository, or there is no such revision.
    """
    top = Path(_git(["rev-parse", "--show-toplevel"]).strip())
    against = ["--cached"] if revision is None else [revision]
    diff = _git(["diff", "--no-color", "--no-ext-diff", "-U0", "--diff-filter=AMR", "--no-prefix", *against])
    for name, added in _added(diff).items():
        text = _text(_git(["show", f":{name}"]).encode(), skipped) if revision is None else _read(top / name, skipped)
        if text is not None:
            yield Target(name, text, frozenset(added))


def _added(diff: str) -> dict[str, set[int]]:
    """Return the lines that a diff without context adds, by file."""
    out: dict[str, set[int]] = {}
    name = ""
    for line in diff.split("\n"):
        if line.startswith("+++ "):
            name = line[4:].split("\t")[0].strip('"')
        elif name and (hunk := _HUNK.match(line)):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            out.setdefault(name, set()).update(range(first, first + count))
    return out


def _below(top: Path) -> Iterator[Path]:
    listed = _git(["-C", str(top), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], quiet=True)
    if listed:
        yield from (top / name for name in sorted(set(listed.split("\0"))) if name and (top / name).is_file())
        return
    for path in sorted(top.rglob("*")):
        if path.is_file() and not is_passed_over(PurePosixPath(path.relative_to(top))):
            yield path


def _read(path: Path, skipped: Counter[str]) -> str | None:
    try:
        if path.stat().st_size > 4 * MAX_TEXT:
            skipped["too-large"] += 1
            return None
        return _text(path.read_bytes(), skipped)
    except OSError:
        skipped["unreadable"] += 1
        return None


def _text(raw: bytes, skipped: Counter[str]) -> str | None:
    if b"\0" in raw[:8_192]:
        skipped["binary"] += 1
        return None
    text = raw.decode("utf-8", "replace")
    if len(text) > MAX_TEXT:
        skipped["too-large"] += 1
        return None
    return text


def _secrets(target: Target, today: str) -> Iterator[Finding]:
    reasons = Suppressions(target.text, today)
    for one in secrets(target.text, "file", _KEY, path=target.path):
        line = target.text.count("\n", 0, one.start) + 1
        if target.added is None or line in target.added:
            comment = reasons.about(one.rule, line, line)
            if comment is None or comment.over:
                yield one
            else:
                fresh = target.added is not None and comment.line in target.added
                said: Excused = "added" if fresh else "standing"
                yield msgspec.structs.replace(one, suppressed=comment.reason, excused=said)


def _listing(today: str) -> tuple[tuple[Listing, Path], tuple[str, ...]]:
    """Return the list of suppressions of the repository that one stands in, its folder, and what is wrong in it."""
    top = Path(_git(["rev-parse", "--show-toplevel"], quiet=True).strip() or ".")
    try:
        text = (top / NAME).read_bytes()[:MAX_LIST].decode("utf-8", "replace")
    except OSError:
        return (Listing(), top), ()
    known = listing(text)
    return (known, top.resolve()), tuple(f"{NAME}: {why}" for why in (*known.faults, *known.over(today)))


def _let_be(target: Target, one: Finding, known: tuple[Listing, Path], today: str) -> Finding:
    """Return a finding with the reason that the list gives; a comment in a file that no change is about stands."""
    if one.suppressed:
        return msgspec.structs.replace(one, excused="standing") if target.added is None else one
    said = ""
    if known[0].entries:
        path = Path(target.path).resolve()
        path = path if path.is_relative_to(known[1]) else known[1] / target.path
        said = known[0].reason(one.rule, str(path.relative_to(known[1])), today)
    return msgspec.structs.replace(one, suppressed=said, excused="listed") if said else one


def _placed(target: Target, finding: Finding) -> Found:
    text = target.text
    line, end_line = text.count("\n", 0, finding.start) + 1, text.count("\n", 0, finding.end) + 1
    column = finding.start - (text.rfind("\n", 0, finding.start) + 1) + 1
    end_column = finding.end - (text.rfind("\n", 0, finding.end) + 1) + 1
    return Found(path=target.path, line=line, column=column, end_line=end_line, end_column=end_column, finding=finding)


def _git(words: list[str], *, quiet: bool = False) -> str:
    """Return what git says; empty where it says no and ``quiet`` is set."""
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *words]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        if quiet:
            return ""
        raise BadInputError(f"git cannot be asked: {error}", fix="Give paths instead.") from error
    if done.returncode:
        if quiet:
            return ""
        why = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise BadInputError(f"git says: {why}", fix="Run this in a repository, or give paths.")
    return done.stdout.decode("utf-8", "replace")
