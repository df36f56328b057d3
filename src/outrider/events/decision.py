"""What was decided about a call, and why."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["allow", "amend", "ask", "deny", "error"]
WORSE: dict[str, int] = {"allow": 0, "amend": 1, "ask": 2, "error": 3, "deny": 4}
"""Order of verdicts, mildest first. The worst of several verdicts is the verdict."""


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the worst of ``verdicts``; ``allow`` for an empty list (a call without effects does nothing)."""
    return max(verdicts, key=WORSE.__getitem__, default="allow")


class RuleHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule that took part in a decision.

    Attributes:
        rule: Rule id, such as ``coder.never.read.0`` or ``floor.host-settings``.
        verdict: What the rule says.
        charter: Name of the charter (or ``floor``) that the rule stands in.
        digest: Digest of that charter's version, ``sha256:...``.
        effect: Position of the effect in the decision's effects, or -1 for the call as a whole.
        reason: One sentence.
        advice: What the agent can do instead, one sentence, or empty.
        unlock: What would allow it, for a person: ``add "github.com" to [may] connect of charter coder``.
    """

    rule: str
    verdict: Verdict
    charter: str
    digest: str
    effect: int = -1
    reason: str = ""
    advice: str = ""
    unlock: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict on a call.

    Attributes:
        verdict: What the charters say.
        enforced: What the host was told: equal to ``verdict`` (with ``error`` replaced by what the charter's
            ``undecided`` says), except under ``observe``, where it is ``allow``.
        hits: The rules that decided, the worst first.
        grant: True if the host is told an affirmative allow, so that its own prompt does not appear.
        mode: The charter's mode that was in force.
    """

    verdict: Verdict
    enforced: Verdict
    hits: tuple[RuleHit, ...] = ()
    grant: bool = False
    mode: Literal["enforce", "observe"] = "enforce"
