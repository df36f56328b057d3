"""What ``status`` and ``doctor`` say of those who cosign this host's record."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.cli import show
from outrider.cli.finding import Finding, bad, ok, warn
from outrider.config import load_config
from outrider.errors import BadInputError
from outrider.ledger.separation import Assurance, Separation, assured, separation, user_id

if TYPE_CHECKING:
    from outrider.config import Home


def level(home: Home, running: dict[str, Any] | None) -> Assurance:
    """Return how much the record of ``home`` proves: as its daemon computed it, else as the disk says."""
    told = (running or {}).get("assurance")
    if isinstance(told, dict):
        return msgspec.convert(told, Assurance)
    try:
        users = load_config(home).daemon.users
    except BadInputError:
        users = ()
    ids = {user_id(one) for one in users} if users else {_owner(home), os.getuid()}
    return assured(separation(home, ids), witnessed=False)


def _owner(home: Home) -> int:
    try:
        return home.record.stat().st_uid
    except OSError:
        return -1


def words(level: str, told: dict[str, Any] | None = None) -> str:
    """Return an assurance level in words."""
    if level == "separate-user":
        return f"{level}: no user that agents run as can touch it; nobody outside this machine vouches for it"
    if level != "witnessed":
        return f"{level}: nobody outside this machine vouches for it, and a process of its user could rewrite it"
    since = f" {_ago(told['since'])} ago, over {told['size']} events" if told else ""
    return f"witnessed: a quorum of others cosigned it{since}"


def separated(found: Separation) -> list[Finding]:
    """Return what stands between agents and the record, or what does not."""
    agents = ", ".join(found.agents) or "nobody"
    if found.separate:
        out = [ok(f"the record is {found.owner}'s, and agents, who run as {agents}, can neither write nor sign it")]
    else:
        fix = "`outrider install --system` gives it a user of its own; a witness helps without one."
        out = [warn(f"the record is not out of the agents' reach: {'; '.join(found.why)}", fix)]
    return out + [warn(f"{note}, and so reach the record") for note in found.notes]


def look(running: dict[str, Any] | None) -> list[Finding]:
    """Return what is so with the witnesses of this host's record; nothing where none are configured."""
    told = (running or {}).get("witnesses") or {}
    if not told.get("policy"):
        return []
    if told["problem"]:
        return [bad(f"nobody is asked to cosign: {told['problem']}", "Correct it and start the daemon again.")]
    out = []
    for one in told["asked"]:
        last = f"the last time {_ago(one['seconds'])} ago" if one["seconds"] else "never"
        if one["problem"]:
            fix = f"See that it runs at {one['url']} and knows this log (record/log.vkey)."
            out.append(warn(f"witness {one['name']} does not cosign ({last}): {one['problem']}", fix))
        elif one["seconds"]:
            out.append(ok(f"witness {one['name']} cosigned {one['size']} events {_ago(one['seconds'])} ago"))
        else:
            out.append(warn(f"witness {one['name']} was not heard yet"))
    if told["assurance"] != "witnessed":
        last = f"the last quorum is {_ago(told['since'])} old" if told["since"] else "no quorum ever cosigned it"
        out.append(bad(f"the record is not witnessed: {last}, and {told['age']} s are allowed"))
    return out


def stamps(running: dict[str, Any] | None) -> list[Finding]:
    """Return how it goes with timestamps; nothing where no authority is named."""
    told = (running or {}).get("timestamps") or {}
    if not told.get("url"):
        return []
    last = f"{told['size']} events {_ago(told['seconds'])} ago" if told["seconds"] else "nothing yet"
    if told["problem"] or told["late"]:
        why = told["problem"] or "it is late"
        return [warn(f"{told['url']} does not stamp checkpoints (the last: {last}): {why}", "See [timestamps].")]
    return [ok(f"{told['url']} stamped {last}")]


def _ago(seconds: int) -> str:
    return show.lasting((int(time.time()) - seconds) * 1_000_000)
