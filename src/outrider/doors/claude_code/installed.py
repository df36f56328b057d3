"""What Outrider put into settings files, so that it can be taken out again, byte for byte, and be missed when gone.

The list stands in Outrider's home, with a copy of each file as it was before. It is written before the settings file:
after a crash in between, taking out finds nothing of ours and changes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from outrider.config import Home
from outrider.doors.claude_code import files, settings
from outrider.errors import BadInputError, UnavailableError

Scope = Literal["user", "local", "shared"]
Undone = Literal["restored", "removed", "kept", "gone"]


class Installation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One settings file that holds our hooks.

    Attributes:
        path: Where the host looks.
        target: Where that led.
        scope: ``user``, ``local`` (one user, one repository) or ``shared`` (committed).
        repository: The repository for ``local`` and ``shared``.
        on_failure: Whether the entries block if our hook fails.
        http: Origin for HTTP hooks, or empty.
        version: What the host said of itself.
        program: The host's program, where the user named one; empty for the one on PATH.
        before: Digest of the file before, empty if there was none.
        after: Digest of the file as we left it.
        made: Directories made for it, the outermost first.
    """

    path: str
    target: str
    scope: Scope
    repository: str = ""
    on_failure: bool = False
    http: str = ""
    version: str = ""
    program: str = ""
    before: str = ""
    after: str
    made: tuple[str, ...] = ()


def place(home: Home) -> Path:
    """Return the file that lists the installations."""
    return home.root / "installed.json"


def backups(home: Home) -> Path:
    """Return the directory of the files as they were before, each under its digest."""
    return home.root / "backups"


def installations(home: Home) -> tuple[Installation, ...]:
    """Return every settings file that holds our hooks, as far as we put them there.

    Raises:
        BadInputError: The list cannot be read.
    """
    try:
        return msgspec.json.decode(place(home).read_bytes(), type=tuple[Installation, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"{place(home)} cannot be read: {error}",
            fix="Move it away; `outrider uninstall` also looks where hooks usually are.",
        ) from error


def put(home: Home, now: files.Settings, text: str, about: Installation) -> Installation:
    """Write ``text`` into a settings file and remember what was there.

    Args:
        home: Outrider's home, whose directories exist.
        now: The file as it was read.
        text: What it is to be.
        about: What is installed; digests and directories are filled in here.

    Raises:
        BadInputError: The list of installations cannot be read; nothing is changed.
        UnavailableError: Something cannot be written; the settings file is untouched then.
    """
    others = installations(home)
    raw = text.encode()
    before, made = now.raw, tuple[str, ...]()
    known = next((one for one in others if one.path == about.path), None)
    if known is not None:
        made = known.made
        if now.raw is not None and known.after == digest(now.raw):
            before = _backup(home, known)
        elif now.text is not None and now.text.strip():
            before = settings.uninstall(now.text).encode()
    if before is not None:
        backups(home).mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(backups(home) / digest(before), before, 0o600)
    made = made or tuple(str(path) for path in files.make_parents(now.target))
    new = msgspec.structs.replace(
        about, before="" if before is None else digest(before), after=digest(raw), made=made, target=str(now.target)
    )
    _save(home, (*(one for one in others if one.path != about.path), new))
    if raw != now.raw:
        files.write(now.target, raw, now.mode)
    return new


def take_out(home: Home, one: Installation) -> Undone:
    """Take our hooks out of one settings file, and forget it.

    Returns:
        ``restored`` byte for byte; ``removed`` only our entries, since the file was changed meanwhile; ``kept`` as it
        is, since nothing of ours was in it; ``gone`` if there is no such file any more.

    Raises:
        BadInputError: The file is not such that we could edit it, and is untouched.
        UnavailableError: It cannot be written.
    """
    now = files.read(Path(one.path))
    done: Undone = "gone"
    if now.raw is not None:
        done = _restore(home, one, now) if digest(now.raw) == one.after else _edit(one, now)
    for directory in reversed(one.made):
        with contextlib.suppress(OSError):
            Path(directory).rmdir()  # Only if nothing else came to be in it.
    left = tuple(other for other in installations(home) if other.path != one.path)
    _save(home, left)
    if one.before and all(other.before != one.before for other in left):
        with contextlib.suppress(OSError):
            (backups(home) / one.before).unlink()
    return done


def harmless(home: Home, path: str, content: bytes) -> bool:
    """Tell whether a changed settings file of the host leaves our hooks in force.

    Args:
        home: Outrider's home.
        path: The file.
        content: What it holds now.

    Returns:
        True if it switches no hooks off and, where it is a file that we installed into, our entries are all there.
        What cannot be read, here or in our own list, is never harmless.
    """
    try:
        ours = {name: one for one in installations(home) for name in (one.path, one.target)}
        one = ours.get(path) or ours.get(str(Path(path).resolve()))
        text = content.decode("utf-8")
        if one is None:
            return not settings.switched_off(text)
        return settings.in_force(text, on_failure=one.on_failure)
    except (BadInputError, UnicodeDecodeError, OSError, RuntimeError, ValueError):
        return False


def digest(raw: bytes) -> str:
    """Return the SHA-256 of some bytes, hex."""
    return hashlib.sha256(raw).hexdigest()


def _backup(home: Home, one: Installation) -> bytes | None:
    if not one.before:
        return None
    path = backups(home) / one.before
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"the copy of {one.path} as it was before, {path}, cannot be read: {error.strerror}",
            fix="Remove Outrider's hooks from the settings by hand.",
        ) from error
    if digest(raw) != one.before:
        raise BadInputError(f"the copy of {one.path} as it was before, {path}, is damaged")
    return raw


def _restore(home: Home, one: Installation, now: files.Settings) -> Undone:
    try:
        raw = _backup(home, one)
    except (UnavailableError, BadInputError):
        return _edit(one, now)
    if raw is None:
        _unlink(now.target)
    elif raw != now.raw:
        files.write(now.target, raw, now.mode)
    return "restored"


def _edit(one: Installation, now: files.Settings) -> Undone:
    text = now.text
    if text is None or not text.strip():
        return "kept"
    left = settings.uninstall(text)
    if left == text:
        return "kept"
    if not one.before and msgspec.json.decode(left) == {}:
        _unlink(now.target)
    else:
        files.write(now.target, left.encode(), now.mode)
    return "removed"


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(f"cannot remove {path}: {error.strerror}") from error


def _save(home: Home, all_of_them: tuple[Installation, ...]) -> None:
    if all_of_them:
        files.write(place(home), msgspec.json.format(msgspec.json.encode(all_of_them), indent=2) + b"\n", 0o600)
    else:
        _unlink(place(home))
