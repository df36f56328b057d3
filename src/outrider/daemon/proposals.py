"""What to change in charters so that a question is not asked again: as differences that a person applies."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.model import from_canonical
from outrider.charter.proposal import without_question
from outrider.daemon.charter_files import charter_texts
from outrider.errors import CharterError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.gate.asks import Question
    from outrider.gate.state import State


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one charter's file.

    Attributes:
        charter: Its name.
        path: The file as it is.
        to: The file that the change belongs into: another one where the charter is built in, which a copy hides.
        diff: The change, as a unified difference.
    """

    charter: str
    path: str
    to: str
    diff: str


def proposals(question: Question, state: State, home: Home) -> list[Proposal]:
    """Return the changes under which a question would not have been asked, as far as they can be told.

    Nothing is written. What asks for another reason than ``[ask]`` has no proposal; its hits say what would allow it.
    """
    files, changed = charter_texts(home), dict[str, str]()
    for rule, digest, verdict, _ in question.said:
        name, _, rest = rule.partition(".ask.")
        verb, _, number = rest.partition(".")
        file = files.get(name)
        if verdict != "ask" or not number.isdecimal() or file is None:
            continue
        pattern = _pattern(state, digest, verb, int(number))
        after = without_question(changed.get(name, file.text), verb, pattern) if pattern else ""
        if after:
            changed[name] = after
    return [_proposal(home, name, files[name].text, after, str(files[name].path)) for name, after in changed.items()]


def _pattern(state: State, digest: str, verb: str, number: int) -> str:
    """Return the pattern that asked, in the version that asked."""
    try:
        patterns = from_canonical(state.charters[digest][1].encode()).ask.get(verb, ())
    except (KeyError, CharterError):
        return ""
    return patterns[number] if number < len(patterns) else ""


def _proposal(home: Home, name: str, before: str, after: str, path: str) -> Proposal:
    to = str(home.charters / f"{name}.toml")
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, to)
    return Proposal(charter=name, path=path, to=to, diff="".join(lines))
