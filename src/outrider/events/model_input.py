"""What the record says about what an agent's model was sent: which messages, by digest, and what of them is new."""

from __future__ import annotations

from typing import Literal

from outrider.events.content import Commitment
from outrider.events.event import Event


class ModelInput(Event, frozen=True, kw_only=True, tag="model.input"):
    """Something that an agent's model was given, as the host writes it down. Each text is in one event of an agent.

    Digests are the host's own (SHA-256 over a message's JSON with sorted keys), and stand here as keyed prints: with
    the key, who holds a message finds the requests that carried it; without it, nobody can guess one.

    Attributes:
        what: ``request`` (one request to the model), ``frame`` (the system prompt and the tools that requests name by
            ``frame``), ``rest`` (what the host wrote down and no request that was seen has carried: the last answer of
            an agent that has ended, and everything where a host writes no requests).
        content: Commitment to the texts that are new: canonical JSON, for a frame the host's own object, else the list
            of messages, each hashing to its digest.
        messages: How many messages that list has.
        model: Which model was asked, in the host's words, or empty.
        request: The host's id of the request, or empty.
        base: Id of the request that this one goes on from, or empty.
        keep: How many messages of that one it begins with.
        added: Prints of the digests of the messages that follow, the first 64.
        cut: How many more there are.
        frame: Print of the digest of system prompt and tools, or empty.
        unseen: How many of the messages that follow stand nowhere in what the host wrote down.
        asked: When the host sent it, microseconds since 1970 UTC by the host's word, or 0. The event stands in the
            record a moment later, behind the calls that came of it.
        at: Where the host's file was read up to, in bytes: a restart goes on from there.
    """

    what: Literal["request", "frame", "rest"]
    content: Commitment
    messages: int = 0
    model: str = ""
    request: str = ""
    base: str = ""
    keep: int = 0
    added: tuple[str, ...] = ()
    cut: int = 0
    frame: str = ""
    unseen: int = 0
    asked: int = 0
    at: int = 0
