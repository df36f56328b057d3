"""The examples that a charter carries, held against what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from outrider.charter.examples import Example, examples, placed
from outrider.charter.lines import Lines
from outrider.cli import judge
from outrider.effects.place import Place

if TYPE_CHECKING:
    from outrider.charter.model import Charter
    from outrider.gate.judge import Judged
    from outrider.gate.rehearse import Rehearsal

_PLACE: Final = Place(home="/home/example", repo="/home/example/repo", cwd="/home/example/repo")
"""Where examples are called: in the repository of a made-up user. Nothing is looked up on the disk."""
_WORDS: Final = {"allow": "lets it through", "ask": "asks a person", "deny": "refuses it"}


def failed(text: str, source: str, line: tuple[Charter, ...]) -> tuple[int, list[dict[str, Any]]]:
    """Return how many examples a charter carries, and an error for each that comes out otherwise.

    Args:
        text: The charter's text, known to parse.
        source: Its name for errors.
        line: The charter and all that it extends.
    """
    told = examples(text)
    if not told:
        return 0, []
    lines, rehearsal = Lines(text), judge.rehearsal_of(line, look=False)
    errors = []
    for one in told:
        judged = _judged(rehearsal, one)
        came = _came_of(judged)
        if came != one.expected:
            number = lines.of(("examples", one.expected), one.written)
            errors.append(
                {"line": number, "message": f"{source}:{number}: {_message(one, came, judged)}", "fix": _fix(judged)}
            )
    return len(told), errors


def _judged(rehearsal: Rehearsal, one: Example) -> Judged:
    given = placed(one.input, _PLACE.home, _PLACE.repo)
    return rehearsal.judge(judge.call_of(one.tool, given, _PLACE.cwd), _PLACE).judged


def _came_of(judged: Judged) -> str:
    """Return what came of a call, whether it would only be observed or not."""
    decision = judged.decision
    if decision.verdict == "error":
        return decision.enforced if decision.enforced in _WORDS else "deny"
    return "allow" if decision.verdict == "amend" else decision.verdict


def _message(one: Example, came: str, judged: Judged) -> str:
    shown = one.written if one.tool == "Bash" else f"{one.tool} {one.written}"
    why = judged.decision.hits[0].reason if judged.decision.hits and came != "allow" else ""
    return f'example "{shown}" stands under {one.expected}, and the charter {_WORDS[came]}. {why}'.strip()


def _fix(judged: Judged) -> str:
    unlock = judged.decision.hits[0].unlock if judged.decision.hits else ""
    return f"To let it through: {unlock}." if unlock else ""
