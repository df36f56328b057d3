"""Check 13: the checkpoint that the witnesses of a policy cosigned last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from outrider.errors import BadInputError
from outrider.ledger.verify.formats import Head
from outrider.ledger.verify.notes import LOG, Note, cosigned_by, head_of, parse_note, parse_verifier, signed_by
from outrider.ledger.verify.policy import Policy
from outrider.ledger.verify.report import Cosigned

COSIGNED = "cosigned"
"""Name of the file beside the checkpoint."""


@dataclass(frozen=True)
class Demand:
    """What the caller demands of witnesses.

    Attributes:
        policy: Whose word is enough.
        now: Seconds since 1970 UTC.
        age: For how many seconds a quorum's word makes a record ``witnessed``.
    """

    policy: Policy
    now: int
    age: int


def witnessed(directory: Path, demand: Demand, vkey: str) -> tuple[Head | None, Cosigned, list[str]]:
    """Return what the cosigned checkpoint says, by whom and since when, and what is wrong with it.

    Raises:
        OSError: It cannot be read.
    """
    try:
        note = parse_note((directory / COSIGNED).read_bytes())
        head = head_of(note)
        key = parse_verifier(vkey, kind=LOG)
        signed = signed_by(note, key)
    except FileNotFoundError:
        return None, Cosigned(), _lacking(demand.policy, "no checkpoint of it was cosigned")
    except BadInputError as error:
        return None, Cosigned(), [f"the cosigned checkpoint cannot be believed: {error}"]
    if signed is None or head.origin != key.name:
        return None, Cosigned(), ["the cosigned checkpoint is not signed by the log's key"]
    times, problems = cosigners(note, demand.policy)
    since = demand.policy.since(times)
    found = Cosigned(head.size, since, tuple(sorted(times)))
    if not demand.policy.enough(frozenset(times)):
        problems += [f"the checkpoint over {head.size} events was cosigned by {', '.join(sorted(times)) or 'nobody'}"]
        problems[-1] += f", which is not the quorum {demand.policy.quorum!r}"
    return head, found, problems


def cosigners(note: Note, policy: Policy) -> tuple[dict[str, int], list[str]]:
    """Return when each witness of the policy cosigned a note, and what is wrong with cosignatures that do not hold."""
    times, problems = {}, []
    for name, one in policy.witnesses.items():
        try:
            found = cosigned_by(note, one.key)
        except BadInputError as error:
            problems.append(f"the cosigned checkpoint: {error}")
        else:
            if found is not None:
                times[name] = found[1]
    return times, problems


def _lacking(policy: Policy, what: str) -> list[str]:
    return [] if policy.enough(frozenset()) else [f"{what}, and the policy demands the quorum {policy.quorum!r}"]
