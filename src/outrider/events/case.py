"""What the record says about an investigation. Texts are commitments here; they lie with the case's files."""

from __future__ import annotations

from typing import Literal

from outrider.events.content import Commitment
from outrider.events.event import Event

Act = Literal["opened", "added", "noted", "answered", "closed", "exported", "imported"]


class CaseNoted(Event, frozen=True, kw_only=True, tag="case.noted"):
    """Somebody did something in a case.

    Attributes:
        case: Id of the case.
        act: ``opened`` (its text is the title), ``added`` (events, an agent, or an artefact, which is its text),
            ``noted``, ``answered`` (a question; its text is the conclusion), ``closed`` (its text says why),
            ``exported`` and ``imported`` (a bundle of it).
        by: Pseudonym of who did it.
        refs: Events that it is about: indices, of another log ``origin#index``.
        about: Id of an agent or of a question, or the origin of an imported bundle.
        content: Commitment to its text, or None.
        digest: SHA-256 (hex) of the bundle, or empty.
    """

    case: str
    act: Act
    by: str
    refs: tuple[str, ...] = ()
    about: str = ""
    content: Commitment | None = None
    digest: str = ""
