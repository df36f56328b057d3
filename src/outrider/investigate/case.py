"""A case: what people did in it, folded from the record and from the bundles that others made of it.

Entries of two people merge: each keeps the log that it stands in, and none is written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.errors import BadInputError
from outrider.events.case import CaseNoted
from outrider.investigate.casefile import CaseFile
from outrider.investigate.foreign import Foreign, read
from outrider.ledger.verify.bundle import BundleError
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.store.view import View


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did in a case.

    Attributes:
        origin: The log that it stands in; empty for this host's own.
        n: Its index there.
        ts: Its time, microseconds since 1970 UTC.
        act: See :class:`outrider.events.case.CaseNoted`.
        by: Pseudonym of who did it; another log's pseudonyms are its own.
        refs: Events that it names.
        about: An agent, a question, or a log.
        text: Its text; None where there should be one and it is gone or does not open its commitment.
        digest: Digest of a bundle.
    """

    origin: str
    n: int
    ts: int
    act: str
    by: str
    refs: tuple[str, ...] = ()
    about: str = ""
    text: str | None = ""
    digest: str = ""


DEMO: Final = "outrider.demo/"
"""How the name of a log begins that a demonstration writes: it is in every checkpoint, under the log's signature."""

IMPORTED: Final = "imported"
"""Stands in an entry for the record of what `outrider import` read: as what it is about, and before its events."""


class Transcribed(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about in the record of what was imported.

    Attributes:
        artefacts: What is sought there.
        agents: Ids of its agents that were added by hand.
        pinned: Its events that were added by hand.
    """

    artefacts: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    pinned: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.artefacts or self.agents or self.pinned)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case.

    Attributes:
        id: Its id.
        title: Its title.
        opened: When, microseconds since 1970 UTC.
        closed: When it was closed, or 0.
        entries: Everything, in the order of time.
        artefacts: What it is about, as responders named it.
        agents: Ids of agents added by hand.
        pinned: Own events added by hand.
        abroad: Events of other logs added there, as ``origin#index``.
        transcribed: What is sought, and what was pinned, in the record of what was imported, which nobody witnessed.
        foreign: What others' bundles hold.
        problems: Bundles that are no longer what they were, one sentence each.
    """

    id: str
    title: str
    opened: int
    closed: int
    entries: tuple[Entry, ...]
    artefacts: tuple[str, ...]
    agents: tuple[str, ...]
    pinned: tuple[int, ...]
    abroad: tuple[str, ...]
    transcribed: Transcribed
    foreign: tuple[Foreign, ...]
    problems: tuple[str, ...]

    def of(self, act: str) -> Iterator[Entry]:
        """Give the entries of one kind."""
        return (one for one in self.entries if one.act == act)


def ids(view: View) -> list[str]:
    """Return the ids of all cases of this record, in the order in which they were opened."""
    return list(dict.fromkeys(event.case for event in _events(view)))


def named(view: View, text: str) -> str:
    """Return the id of the case that ``text`` is, or ends; of the only one, where it is empty.

    Raises:
        BadInputError: None, or several.
    """
    known = ids(view)
    if not text and len(known) == 1:
        return known[0]
    found = [one for one in known if one == text] or [one for one in known if text and one.endswith(text)]
    if len(found) == 1:
        return found[0]
    if not known:
        what = 'there is no case: `outrider case new "what happened" --artefact evil.example` opens one'
        raise BadInputError(what)
    if not text:
        raise BadInputError(f"which case? There are {len(known)}", fix="`outrider case list` lists them.")
    several = f"several cases end in {text!r}: {', '.join(found)}" if found else f"there is no case {text!r}"
    raise BadInputError(several, fix="`outrider case list` lists them.")


def load(view: View, home: Home, case: str) -> Case:
    """Return a case. Bundles of others are verified again, and left out, with a problem, where they no longer hold.

    Raises:
        BadInputError: The record knows no such case.
    """
    files = CaseFile(home, case)
    texts = files.texts()
    own = []
    for event in _events(view):
        if event.case == case:
            promised = event.content.c if event.content is not None else ""
            kept = texts.get(promised)
            own.append(_entry(event, "", "" if not promised else kept.text if kept else None))
    if not own:
        raise BadInputError(f"there is no case {case!r}", fix="`outrider case list` lists them.")
    foreign, problems = _abroad(files, own)
    entries = own + [_entry(event, one.origin, text) for one in foreign for event, text in one.entries]
    return fold(case, entries, foreign, problems)


def fold(case: str, entries: Iterable[Entry], foreign: list[Foreign], problems: list[str]) -> Case:
    """Return the case that entries make; one that is told twice counts once."""
    once = {(one.origin, one.n): one for one in entries}
    ordered = tuple(sorted(once.values(), key=lambda one: (one.ts, one.origin, one.n)))
    opened = [one for one in ordered if one.act == "opened"]
    closed = [one for one in ordered if one.act == "closed"]
    every = [one for one in ordered if one.act == "added"]
    told = [one for one in every if not one.origin and one.about.partition("#")[0] == IMPORTED]
    added = [one for one in every if one not in told]
    refs = list(dict.fromkeys((one.origin, ref) for one in ordered for ref in one.refs))
    pinned = {int(ref.partition("#")[2]) for origin, ref in refs if not origin and ref.startswith(f"{IMPORTED}#")}
    refs = [one for one in refs if one[0] or not one[1].startswith(f"{IMPORTED}#")]
    return Case(
        id=case,
        title=next((one.text for one in opened if one.text), "(its title is gone)"),
        opened=opened[0].ts if opened else ordered[0].ts,
        closed=closed[-1].ts if closed else 0,
        entries=ordered,
        artefacts=tuple(dict.fromkeys(one.text for one in added if one.text)),
        agents=tuple(dict.fromkeys(one.about for one in added if one.about)),
        pinned=tuple(sorted({int(ref) for origin, ref in refs if not origin and "#" not in ref})),
        abroad=tuple(ref if "#" in ref else f"{origin}#{ref}" for origin, ref in refs if origin or "#" in ref),
        transcribed=Transcribed(
            artefacts=tuple(dict.fromkeys(one.text for one in told if one.text)),
            agents=tuple(dict.fromkeys(agent for one in told if (agent := one.about.partition("#")[2]))),
            pinned=tuple(sorted(pinned)),
        ),
        foreign=tuple(foreign),
        problems=tuple(problems),
    )


def _events(view: View) -> Iterator[CaseNoted]:
    numbers = reading.of_kind(view, "case.noted")
    return (event for event in reading.leaves(view, numbers) if isinstance(event, CaseNoted))


def _entry(event: CaseNoted, origin: str, text: str | None) -> Entry:
    return Entry(
        origin=origin, n=event.n, ts=event.ts, act=event.act, by=event.by, refs=event.refs, about=event.about,
        text=text, digest=event.digest,
    )  # fmt: skip


def _abroad(files: CaseFile, own: list[Entry]) -> tuple[list[Foreign], list[str]]:
    found: dict[str, Foreign] = {}
    problems = []
    for one in own:
        if one.act != "imported":
            continue
        kept = files.bundle(one.digest)
        if kept is None:
            problems.append(f"the bundle {one.digest[:16]} of {one.about} is gone or was changed")
            continue
        try:
            told = read(kept[0], vkey=kept[1])
        except (BundleError, BadInputError) as error:
            problems.append(f"the bundle {one.digest[:16]} of {one.about} does not verify any more: {error}")
            continue
        known = found.get(told.origin)
        found[told.origin] = told if known is None else known.joined(told)
    return list(found.values()), problems
