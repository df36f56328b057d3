"""What the record says about content that lies beside it: that it is kept, and that it is gone.

Content itself is never here. A leaf carries a commitment with a salt that is kept with the content and goes with it.
"""

from __future__ import annotations

import msgspec

from outrider.events.event import Event


class Commitment(msgspec.Struct, frozen=True, kw_only=True):
    """A promise about content that lies elsewhere or nowhere: SHA-256 over domain, salt and content.

    Attributes:
        c: Hex digest. Without the salt (kept beside) nothing about the content can be guessed from it.
        size: Length of the content in bytes.
    """

    c: str
    size: int


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """Part of a beside that only the keys of its subject open. Destroy a key, and it is noise in the journal for good.

    Attributes:
        subject: Pseudonym of whom it is about: the agent's sponsor, or the person who acted; ``host`` for nobody.
        slot: Number of the agent's key, 0 where there is no agent.
        data: The sealed bytes, which begin with the id of the subject's key.
    """

    subject: str
    slot: int
    data: bytes


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One content that is kept beside the record, encrypted.

    Attributes:
        of: Index of the event whose content it is.
        content: Commitment to the text as it is kept, under a salt of its own. Where nothing was taken out and nothing
            cut, the text is that of the event's own commitment too.
        hash: SHA-256 (hex) of the ciphertext.
        stored: Length of the ciphertext in bytes.
        media: Its media type: ``text/plain``, or ``application/json`` for a call's arguments.
        taken: How many secrets were replaced by their keyed prints before anything was stored.
        cut: Bytes that found no room under the charter's ``max`` and were left out of the middle.
        until: When the charter's age is up and it is erased, microseconds since 1970 UTC, or 0.
    """

    of: int
    content: Commitment
    hash: str
    stored: int
    media: str
    taken: int = 0
    cut: int = 0
    until: int = 0


class ContentKept(Event, frozen=True, kw_only=True, tag="content.kept"):
    """Contents of earlier events lie beside the record from now on, and why that of others does not.

    Attributes:
        kept: What is kept.
        left: Why others are not kept, and how many each: ``charter`` (its charter keeps none of that kind),
            ``sampled`` (not in the charter's sample), ``lost`` (the disk did not take them), ``age`` (the charter's age
            was up before they were kept).
    """

    kept: tuple[Kept, ...] = ()
    left: dict[str, int] = {}  # noqa: RUF012 - a struct's default is copied


class ContentErased(Event, frozen=True, kw_only=True, tag="content.erased"):
    """Contents, salts and names were made unreadable for good by destroying their keys.

    Attributes:
        what: ``subject``, ``agent``, ``event`` or ``age``.
        handle: The subject's pseudonym, the agent's id, or empty.
        events: The indices, where ``what`` is ``event``.
        before: What was due by then is gone, microseconds since 1970 UTC, where ``what`` is ``age``.
        upto: Number of events in the record then: nothing of an earlier one is kept under that handle any more. 0 where
            ``what`` is ``age``.
        keys: Ids (hex) of the subjects' keys that were destroyed.
        slots: Numbers of the agents' keys that were destroyed.
        contents: How many contents are gone.
        size: How many bytes of ciphertext went with them.
        basis: Why, in the words of who asked for it, or ``the charter's age``; redacted.
        by: Pseudonym of who asked for it, or ``charter``.
    """

    what: str
    upto: int
    basis: str
    by: str
    handle: str = ""
    events: tuple[int, ...] = ()
    before: int = 0
    keys: tuple[str, ...] = ()
    slots: tuple[int, ...] = ()
    contents: int = 0
    size: int = 0


class ContentRead(Event, frozen=True, kw_only=True, tag="content.read"):
    """Somebody read what is kept of an event.

    Attributes:
        of: Index of the event.
        by: Pseudonym of who read it.
        why: Their reason, or empty; redacted.
    """

    of: int
    by: str
    why: str = ""
