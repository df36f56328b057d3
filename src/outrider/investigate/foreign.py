"""What another log's bundle says of a case, taken only from what its checklist has proven."""

from __future__ import annotations

import base64
import re
import zipfile
from pathlib import Path
from typing import Any, Self

import msgspec

from outrider.errors import BadInputError, TamperedError
from outrider.events.case import CaseNoted
from outrider.events.codec import decode
from outrider.events.record import AnyEvent, CallDecided
from outrider.investigate.words import summary
from outrider.ledger.verify.bundle import Policy, Report, verify

_ID = re.compile(r"case-[0-9a-f]{12}", re.ASCII)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """An event of another log in a line. ``what`` was written by an attacker in parts."""

    n: int
    ts: int
    kind: str
    agent: str
    what: str


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of a case from another log.

    Attributes:
        origin: The log.
        vkey: Its key, which the bundle was checked with.
        case: The case.
        created: When it was sealed, as it says.
        entries: Its entries of the case with their texts; None where a text was not disclosed.
        events: Its other events, by index.
        witnesses: Who cosigned, and when (seconds since 1970 UTC), by the policy in it.
    """

    origin: str
    vkey: str
    case: str
    created: str
    entries: tuple[tuple[CaseNoted, str | None], ...]
    events: dict[int, Sight]
    witnesses: dict[str, int]

    def joined(self, other: Self) -> Self:
        """Return this and an earlier or later bundle of the same log as one."""
        entries = {event.n: (event, text) for event, text in (*self.entries, *other.entries)}
        return msgspec.structs.replace(
            other, entries=tuple(entries[n] for n in sorted(entries)), events={**self.events, **other.events}
        )


def read(path: Path, *, vkey: str, policy: Policy | None = None, name: str = "") -> Foreign:
    """Return what a bundle says of its case, if it is whole under ``vkey``.

    Raises:
        BundleError: It is no bundle that is safe to read.
        TamperedError: It is not what was sealed, or sealed under another key.
        BadInputError: It is of no case, or of a version that is not known.
    """
    report = verify(path, vkey=vkey, policy=policy)
    if not report.ok:
        wrong = "; ".join(f"{check}: {detail}" for check, detail in report.problems[:3])
        raise TamperedError(
            f"{name or path} is not what was sealed: {wrong}", fix="Nothing of it was taken. Ask for it anew."
        )
    case = str(report.about.get("case", ""))
    if not _ID.fullmatch(case):
        raise BadInputError(f"{name or path} is a bundle of events and of no case", fix="`outrider verify` checks it.")
    with zipfile.ZipFile(path) as archive:
        return _read(archive, report, case)


def _read(archive: zipfile.ZipFile, report: Report, case: str) -> Foreign:
    names = archive.namelist()
    texts: dict[tuple[int, str], str] = {}
    for name in names:
        if name.startswith("disclosed/"):
            said: dict[str, Any] = msgspec.json.decode(archive.read(name))
            texts[said["event"], said["at"]] = base64.b64decode(said["content"]).decode("utf-8", "replace")
    entries, events = [], {}
    for name in names:
        if not name.startswith("events/") or not name.endswith(".json"):
            continue
        try:
            event = decode(archive.read(name))
        except BadInputError:  # Of a kind that a newer Outrider writes: proven, and not ours to explain.
            continue
        if isinstance(event, CaseNoted):
            if event.case == case:
                text = "" if event.content is None else texts.get((event.n, "/content"))
                entries.append((event, text))
        else:
            events[event.n] = _sight(event)
    return Foreign(
        origin=str(report.about.get("origin", "")),
        vkey=report.vkey,
        case=case,
        created=str(report.about.get("created", "")),
        entries=tuple(sorted(entries, key=lambda one: one[0].n)),
        events=events,
        witnesses=report.cosigned,
    )


def _sight(event: AnyEvent) -> Sight:
    kind = str(event.__struct_config__.tag)
    what = f"{summary(event)}: {event.decision.verdict}" if isinstance(event, CallDecided) else kind
    return Sight(n=event.n, ts=event.ts, kind=kind, agent=event.agent, what=what)
