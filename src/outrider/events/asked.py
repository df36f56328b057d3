"""A question to a person about a call, and the answer to it, as the record holds them."""

from __future__ import annotations

from typing import Literal

import msgspec

By = Literal["host", "outrider"]
Reach = Literal["once", "agent", "charter"]


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a person decides a call, and what came of it.

    Attributes:
        until: When the question counts as answered with no, microseconds since 1970 UTC.
        by: Who asks: the ``host`` at its own prompt, or ``outrider``; then the call was refused for now.
        question: Index of the decision that asked this first, or -1 where this one does.
        answer: Index of the answer that decided, or -1 where none has.
    """

    until: int
    by: By = "host"
    question: int = -1
    answer: int = -1


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person said to a question.

    Attributes:
        question: Index of the decision that asked.
        yes: Whether the call may be made.
        reach: How far a yes goes: this call ``once``; the same rules and resources for this ``agent`` until its end; a
            change of the ``charter``, which lets nothing through by itself.
        until: When a yes that goes ``once`` ends if it is not used, microseconds since 1970 UTC, or 0.
        by: Pseudonymous id of who answered.
        why: Their reason; redacted.
    """

    question: int
    yes: bool
    by: str
    reach: Reach = "once"
    until: int = 0
    why: str = ""
