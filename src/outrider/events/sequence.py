"""Steps over several calls that together say more than each alone: what a sequence is made of."""

from __future__ import annotations

import msgspec

from outrider.events.call import VERBS, Confidence, Severity

MAX_WITHIN = 60
"""Most calls that a sequence may span: so many of each agent are kept."""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step: a call with an effect that is all of what is said here.

    Attributes:
        verbs: The effect's verb is one of these.
        values: Its resource fits one of these patterns (``*`` within a name, ``**`` across), if there are any.
        flags: It has all of these flags.
        beside: The same call also has an effect with one of these verbs, if there are any.
        brings: The call brings one of these labels, if there are any.
        stores: Its resource is a store of secrets.
        tied: Its resource is that of the step before.
        count: How many different resources it takes, within the sequence's calls.
        repeated: The same resource counts each time.
        refused: A refused call counts, too.
    """

    verbs: tuple[str, ...]
    values: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    stores: bool = False
    tied: bool = False
    count: int = 1
    repeated: bool = False
    refused: bool = False


class Sequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A sequence.

    Attributes:
        message: What was seen, one sentence.
        advice: What to do instead, one sentence.
        severity: How bad it is if it is meant so.
        confidence: How sure the steps make it.
        within: Most calls from the first step to the last, both counted.
        steps: The steps, in order.
    """

    message: str
    advice: str
    severity: Severity
    within: int
    steps: tuple[Step, ...]
    confidence: Confidence = "high"


def fault(one: Sequence) -> str:
    """Return why a sequence could never be found or never be missed, or an empty text."""
    wrong = {verb for step in one.steps for verb in (*step.verbs, *step.beside)} - set(VERBS)
    if wrong:
        return f"{', '.join(sorted(wrong))}: no verbs"
    if not one.steps or not all(step.verbs for step in one.steps):
        return "it takes steps, and each of them verbs"
    if not 1 <= one.within <= MAX_WITHIN:
        return f"within is between 1 and {MAX_WITHIN} calls"
    if one.steps[0].tied:
        return "the first step is tied to nothing"
    if any(step.count != 1 for step in one.steps[:-1]) or one.steps[-1].count < 1:
        return "only the last step counts, from 1 on"
    return ""
