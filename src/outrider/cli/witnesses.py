"""What ``status`` and ``doctor`` say of those who cosign this host's record."""

from __future__ import annotations

import time
from typing import Any

from outrider.cli import show
from outrider.cli.finding import Finding, bad, ok, warn


def level(running: dict[str, Any] | None) -> str:
    """Return the assurance level that the daemon computed; ``local`` while none runs."""
    return str(((running or {}).get("witnesses") or {}).get("assurance", "local"))


def words(assurance: str, told: dict[str, Any] | None = None) -> str:
    """Return an assurance level in words."""
    if assurance != "witnessed":
        return f"{assurance}: nobody outside this machine vouches for it"
    since = f" {_ago(told['since'])} ago, over {told['size']} events" if told else ""
    return f"witnessed: a quorum of others cosigned it{since}"


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


def _ago(seconds: int) -> str:
    return show.lasting((int(time.time()) - seconds) * 1_000_000)
