"""That a host's own transcript was read into the record. What came of it was not witnessed by anybody."""

from __future__ import annotations

from outrider.events.decision import Decision, RuleHit
from outrider.events.event import Event

IMPORTED = "imported"
"""How an agent was born, its charter, and the rule of its calls: nobody judged them, a transcript tells of them."""

NOT_JUDGED = Decision(
    verdict="allow",
    enforced="allow",
    mode="observe",
    hits=(
        RuleHit(
            rule=IMPORTED,
            verdict="allow",
            charter="",
            digest="",
            reason="it was read from the host's own transcript: nobody judged it, and nobody witnessed it",
        ),
    ),
)
"""Stands for the decision of a call that a transcript tells of."""


def was_judged(decision: Decision) -> bool:
    """Tell whether a decision was made by anybody; False for a call out of a transcript."""
    return not any(hit.rule == IMPORTED for hit in decision.hits)


class TranscriptRead(Event, frozen=True, kw_only=True, tag="transcript.read"):
    """A transcript was read, as far as it went then.

    Attributes:
        host: The host whose form it has, such as ``claude``.
        file: Keyed print of its path; the path itself lies beside.
        digest: SHA-256 (hex) of its bytes.
        size: How many bytes they were.
        lines: The last line, message or row that was taken.
        steps: How many prompts, calls and results it told of, this time.
        unread: Lines that could not be read, or were of an unknown kind.
        doubts: Places where it does not fit together: a line is missing, or stands twice, or what was read before is
            no longer what it was.
        detail: The first reasons, for a person.
    """

    host: str
    file: str
    digest: str
    size: int
    lines: int
    steps: int
    unread: int = 0
    doubts: int = 0
    detail: str = ""
