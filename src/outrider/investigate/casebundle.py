"""What leaves with a case: its events, its texts against their commitments, and its report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from outrider.events.case import CaseNoted
from outrider.investigate.casefile import CaseFile
from outrider.investigate.disclosing import Disclosure
from outrider.investigate.exports.material import Material
from outrider.investigate.exports.registry import FORMS
from outrider.investigate.markdown import markdown
from outrider.investigate.questions import sources
from outrider.investigate.report import page
from outrider.investigate.sealing import Contents, Disclosed
from outrider.investigate.selecting import Wanted, select
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.dossier import Dossier
    from outrider.store.view import View


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
    return Contents(
        events=events,
        asked=f"the case {told.case.id}",
        created=created,
        made_by=made_by,
        coverage=told.coverage,
        disclosed=(*shown.pieces, *_texts(view, home, told)),
        more=_pages(told) | _views(view, events),
        about={"case": told.case.id},
        notes=shown.notes,
    )


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
        "report.html": page(told).encode(),
        "report.md": markdown(told).encode(),
        "case.json": msgspec.json.format(msgspec.json.encode(case), indent=1),
        **{f"dfiq/{name}": text.encode() for name, text in sources().items()},
    }
