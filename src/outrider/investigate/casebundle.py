"""What leaves with a case: its events, its texts against their commitments, and its report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.errors import BadInputError
from outrider.events.case import CaseNoted
from outrider.investigate.casefile import CaseFile
from outrider.investigate.disclosing import Disclosure
from outrider.investigate.dossier import Words
from outrider.investigate.exports.material import Material
from outrider.investigate.exports.registry import FORMS
from outrider.investigate.markdown import markdown
from outrider.investigate.meeting import counted
from outrider.investigate.questions import sources
from outrider.investigate.report import page
from outrider.investigate.sealing import Contents, Disclosed
from outrider.investigate.selecting import Wanted, select
from outrider.investigate.telling import banner, exactly
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.dossier import Dossier
    from outrider.store.view import View


_MOST_NAMED = 5
_START = """# Start here: {id}
{banner}
1. Check the bundle before you believe any of it: `VERIFY.md` says how.
2. Then read `report.html` (or `report.md`, the same as text): what was done, why, what to do now.
3. `agents.json` lists everybody who met it, `coverage.json` says what could not be seen, `redactions.json` what was
   held back and who has it. `events/`, `beside/` and `disclosed/` are what the report rests on, `views/` the same
   events for other tools.
"""


def packed(view: View, home: Home, told: Dossier, shown: Disclosure, *, created: str, made_by: str) -> Contents:
    """Return what a case's bundle holds.

    Args:
        view: The view, caught up by the caller.
        home: Where the case's texts lie.
        told: The case, and what the record says of it.
        shown: Content that leaves as well.
        created: When it is sealed, UTC, ISO 8601.
        made_by: The program and its version.
    """
    selection = select(view, Wanted(events=told.events))
    events = tuple(sorted({*selection.events, *shown.promised_by}))
    told = _as_it_leaves(view, told, shown, events)
    return Contents(
        events=events,
        asked=f"the case {told.case.id}",
        created=created,
        made_by=made_by,
        coverage=_coverage(view, told, events),
        disclosed=(*shown.pieces, *_texts(view, home, told)),
        more=_pages(told) | _views(view, events),
        about={"case": told.case.id},
        notes=shown.notes,
        beside_of=_naming(told),
        ask=f"outrider case export {told.case.id} --disclose EVENTS (numbers, or: story, cause, act, prompts)",
    )


def chosen(told: Dossier, words: Iterable[str]) -> tuple[int, ...]:
    """Return the events whose content ``words`` mean: ``cause``, ``act``, ``prompts``, or ``story`` for all of them.

    Raises:
        BadInputError: A word is none of these.
    """
    meant = {"cause": (*told.sources, *told.causes), "act": (*told.acts, *told.results), "prompts": told.prompts}
    meant["story"] = tuple(n for one in meant.values() for n in one)
    wanted = tuple(words)
    if unknown := [word for word in wanted if word not in meant]:
        raise BadInputError(f"{unknown[0]!r} is no part of a case", fix=f"Numbers of events, or: {', '.join(meant)}.")
    return tuple(sorted({n for word in wanted for n in meant[word]}))


def people(told: Dossier) -> dict[str, str]:
    """Return the names behind the pseudonyms of a case's agents, as far as they are not erased."""
    came = [one.agent for blast in told.impact for one in blast.agents]
    return {one.sponsor: one.sponsor_name for one in (*told.agents, *came) if one.sponsor and one.sponsor_name}


def _as_it_leaves(view: View, told: Dossier, shown: Disclosure, events: tuple[int, ...]) -> Dossier:
    """Return the case with the texts that leave and what the bundle holds, less the step that is being taken."""
    why = dict.fromkeys(told.prompts, "an instruction that it or an agent above it was given")
    why |= dict.fromkeys(told.results, "what the act returned") | dict.fromkeys(
        told.acts, "the act: what was asked for"
    )
    why |= dict.fromkeys(told.sources, "what was asked for when the cause was read")
    why |= dict.fromkeys(told.causes, "the cause: what was read")
    order = (*told.sources, *told.causes, *told.acts, *told.results)
    pieces = sorted(shown.pieces, key=lambda one: (order.index(one.of) if one.of in order else len(order), one.of))
    words = [
        Words(event=one.of, why=why.get(one.of, "asked for"), text=one.content.decode("utf-8", "replace"))
        for one in pieces
    ]
    holds = (
        f"This bundle holds {len(events):,} of the record's {view.size:,} events: those that the report cites, births"
        " and ends, charters, calls with their results. The rest is left out because it is not about the case, not"
        " because it is missing: numbers that are absent here are in the record."
    )
    if named := sorted(_naming(told)):
        files = ", ".join(f"beside/{n}.msgpack" for n in named[:_MOST_NAMED])
        holds += f" The ids of commits stand beside their events: {files} (VERIFY.md says how to check that)."
    steps = tuple(step for step in told.todo if not step.command.startswith("outrider case export"))
    return msgspec.structs.replace(told, words=tuple(words), holds=holds, todo=steps)


def _naming(told: Dossier) -> frozenset[int]:
    """Return the events beside which the commits stand that a report names: without it nobody could check them."""
    return frozenset(t.first for one in told.impact for t in one.commits if t.kind == "commit")


def _coverage(view: View, told: Dossier, events: tuple[int, ...]) -> dict[str, Any]:
    """Return what the record covers, and apart from it what of that the bundle holds."""
    first = reading.peek(view, 0)
    doors = [door for (door,) in view.rows("SELECT DISTINCT door FROM agents ORDER BY door")]
    boots = view.rows("SELECT boot, count(*) FROM agents WHERE boot != '' GROUP BY boot ORDER BY boot")
    seen: dict[str, Any] = msgspec.to_builtins(told.coverage)
    return {
        **seen,
        "hosts": [getattr(first, "origin", "")],
        "boots": [{"boot": boot, "agents": count} for boot, count in boots],
        "doors": doors,
        "span": {"since": exactly(told.coverage.since), "until": exactly(told.coverage.until), "zone": "UTC"},
        "bundle": {"events": len(events), "of": view.size, "statement": told.holds},
    }


def _texts(view: View, home: Home, told: Dossier) -> Iterable[Disclosed]:
    """Give the texts of the case's own entries, as they can be disclosed."""
    texts = CaseFile(home, told.case.id).texts()
    own = [entry.n for entry in told.case.entries if not entry.origin]
    for event in reading.leaves(view, own):
        if isinstance(event, CaseNoted) and event.content is not None and (kept := texts.get(event.content.c)):
            yield Disclosed(event=event.n, at="/content", of=event.n, salt=kept.salt, content=kept.text.encode())


def _views(view: View, events: tuple[int, ...]) -> dict[str, bytes]:
    """Return the events in the forms of other people's tools, for whoever works with those."""
    return {f"views/events{form.suffix}": b"".join(form.write(Material(view, events))) for form in FORMS.values()}


def _pages(told: Dossier) -> dict[str, bytes]:
    case = {
        "id": told.case.id, "title": told.case.title, "opened": told.case.opened, "closed": told.case.closed,
        "entries": told.case.entries, "edges": told.edges, "todo": told.todo,
        "imported": [{"origin": one.origin, "vkey": one.vkey, "created": one.created} for one in told.case.foreign],
    }  # fmt: skip
    return {
        "agents.json": msgspec.json.format(
            msgspec.json.encode({"statement": counted(told.met), "met": told.met}), indent=1
        ),
        "README.md": _START.format(id=told.case.id, banner=f"\n{shown}\n" if (shown := banner(told)) else "").encode(),
        "report.html": page(told).encode(),
        "report.md": markdown(told).encode(),
        "case.json": msgspec.json.format(msgspec.json.encode(case), indent=1),
        **{f"dfiq/{name}": text.encode() for name, text in sources().items()},
    }
