"""Sealing a bundle into a file: what ``export`` and ``case export`` share."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from outrider import __version__
from outrider.cli import reach, show
from outrider.errors import BadInputError, OutriderError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from outrider.config import Home
    from outrider.investigate.disclosing import Disclosure
    from outrider.investigate.sealing import Contents, Sealed
    from outrider.ledger.proving import Prover
    from outrider.store.view import View

MADE_BY = f"outrider {__version__}"
_LOOK = 0.25


def now() -> str:
    """Return the time as a bundle says it: UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def policy(at: Home) -> bytes:
    """Return the witness policy of a home's configuration, empty if there is none.

    Raises:
        BadInputError: It is named and cannot be read.
    """
    from pathlib import Path

    from outrider.config import load_config

    named = load_config(at).witnesses.policy
    try:
        return Path(named).read_bytes() if named else b""
    except OSError as error:
        raise BadInputError(f"the witness policy {named} cannot be read: {error.strerror}") from error


def _stamp(at: Home) -> Callable[[bytes], bytes] | None:
    """Return what has a bundle's checkpoint stamped; None where no timestamp authority is configured.

    Raises:
        BadInputError: The roots that are named cannot be read.
    """
    from pathlib import Path

    from outrider.config import load_config
    from outrider.ledger import stamping

    named = load_config(at).timestamps
    if not named.url:
        return None
    try:
        roots = Path(named.roots).read_bytes()
    except OSError as error:
        raise BadInputError(f"{named.roots} cannot be read: {error.strerror}") from error
    return lambda text: stamping.stamp(named.url, text, roots).token


def prover(at: Home, last: int, *, wait: int) -> Prover:
    """Return a prover of the record; where witnesses are configured, wait for them to cosign event ``last``.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    from outrider.ledger.proving import Prover

    found = Prover(at.record)
    until = time.monotonic() + (wait if policy(at) and reach.status(at) is not None else 0)
    while (found.cosigned is None or found.cosigned.size <= last) and time.monotonic() < until:
        time.sleep(_LOOK)
        found = Prover(at.record)
    return found


def disclosed(opened: View, at: Home, numbers: Iterable[int], *, why: str) -> Disclosure:
    """Return the content of events that leaves with a bundle; that it was read is recorded first.

    Raises:
        UnavailableError: No daemon answers: nobody reads content without the record knowing.
    """
    from outrider.investigate.disclosing import disclose

    wanted = list(numbers)
    for n in wanted:
        try:
            reach.daemon({"do": "content", "of": n, "why": f"for a bundle: {why}"}, at, seconds=60)
        except OutriderError as error:
            if error.exit_code != BadInputError.exit_code:  # Nothing is kept of it: the bundle will say so.
                raise
    if wanted:
        reach.daemon({"do": "sync"}, at)
        reach.refresh(opened, at)
    return disclose(opened, at, wanted)


def write(path: Path, at: Home, proves: Prover, contents: Contents) -> Sealed:
    """Seal ``contents`` into a new file at ``path``, private to the user, whole or not at all.

    Raises:
        BadInputError: There is something at ``path``, or it cannot be written.
        UnavailableError: The log's key is not here.
    """
    from outrider.investigate.sealing import seal
    from outrider.ledger.keys import log_key

    key = at.keys / "log.key"
    if not key.exists():
        raise UnavailableError(
            "the log's key is not here, and nothing can be sealed without it",
            fix="Seal where the record is written, as the user who owns it.",
        )
    if path.exists():
        raise BadInputError(f"{path} is already there", fix="Choose another name with --output.")
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            sealed = seal(file, proves, log_key(key), msgspec.structs.replace(contents, stamp=_stamp(at)))
        new.rename(path)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
    return sealed


def tell(path: Path, sealed: Sealed) -> None:
    """Say on stderr what was sealed, and what to do with it."""
    show.say(f"Sealed {sealed.events:,} events in {sealed.files:,} files: {path} ({path.stat().st_size:,} bytes)")
    if sealed.cosigned:
        show.say(f"Witnesses cosigned the first {sealed.cosigned:,} events of the log.")
    show.say("It can be checked without Outrider: VERIFY.md in it says how. Give its reader the key by another way:")
    show.say(f"  {sealed.vkey}")
