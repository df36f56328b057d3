"""Checkpoints that somebody else vouches for, kept beside the record; a record that does not extend them is refused."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from outrider.errors import BadInputError, RecordError, TamperedError
from outrider.ledger.disk import flush_directory, refusal
from outrider.ledger.tiles import write_atomically
from outrider.ledger.verify.notes import LOG, Note, head_of, parse_note, parse_verifier, signed_by
from outrider.ledger.verify.quorum import COSIGNED

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.ledger.ledger import Ledger
    from outrider.ledger.verify.formats import Head

log = logging.getLogger("outrider.daemon")

CONTESTED = "contested"
"""A checkpoint that a witness brought and that the record does not extend; proof that it is not what it was."""


class ContestedError(TamperedError):
    """Somebody else holds a checkpoint, signed with this log's key, that the record does not extend."""


def keep(record: Path, name: str, text: str) -> None:
    """Put a cosigned checkpoint beside the record's own; it is on disk when this returns.

    Raises:
        RecordError: The disk refuses.
    """
    try:
        write_atomically(record / name, text.encode(), durable=True)
        flush_directory(record)
    except OSError as error:
        raise refusal(record, error) from error


def cosigned(record: Path) -> Note | None:
    """Return the checkpoint that was cosigned last, None if there is none that can be read."""
    try:
        return parse_note((record / COSIGNED).read_bytes())
    except (OSError, BadInputError):
        return None


def refuse_rewritten(record: Path, ledger: Ledger) -> None:
    """Raise if the record does not extend what was cosigned, as far as that is kept here.

    Raises:
        ContestedError: It was rewritten or put back.
        RecordError: What is kept cannot be read.
    """
    for name in (COSIGNED, CONTESTED):
        path = record / name
        try:
            head = signed_head(parse_note(path.read_bytes()), ledger)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RecordError(f"{path} cannot be read: {error.strerror}") from error
        except BadInputError as error:
            log.warning("%s says nothing: %s", path, error)
            continue
        if not extends(ledger, head):
            raise ContestedError(
                f"this record of {ledger.size} events does not extend the checkpoint over {head.size} that was signed "
                "and shown to a witness: it was put back or rewritten",
                fix=f"Do not delete anything. Restore the newest record; {path} says what it must extend.",
            )
        if name == CONTESTED:
            path.unlink(missing_ok=True)


def signed_head(note: Note, ledger: Ledger) -> Head:
    """Return what a checkpoint says that this log's own key signed.

    Raises:
        BadInputError: It did not sign it, or it is of another log.
    """
    head = head_of(note)
    if head.origin != ledger.origin or signed_by(note, parse_verifier(ledger.vkey, kind=LOG)) is None:
        raise BadInputError("it is not a checkpoint of this log")
    return head


def extends(ledger: Ledger, head: Head) -> bool:
    """Return whether the record begins with the tree of that checkpoint."""
    return head.size <= ledger.size and ledger.root(head.size) == head.root
