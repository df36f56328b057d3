"""What a charter writes in ``[code.rules]``, held against the rules that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from outrider.charter.model import Code
from outrider.charter.narrow import effective
from outrider.charter.treatment import STRICT, Settings, key_of, treated
from outrider.detect.catalogue import Known, catalogue
from outrider.detect.code.second_look import LANGUAGES
from outrider.events.call import Finding
from outrider.flow import sequences

if TYPE_CHECKING:
    from outrider.charter.model import Charter

_SHOWN = 3
_OTHERS = tuple(f"{name}." for name in LANGUAGES)
"""What the rules of other people's scanners begin with: which there are is theirs to say."""


def known(line: Sequence[Charter]) -> dict[str, Known]:
    """Return every rule that can find something under a line of charters."""
    shipped = {one.id: Known(one.severity, one.confidence) for one in sequences.everything()}
    own = {
        f"sequence.{name}": Known(one.severity, one.confidence)
        for charter in line
        for name, one in charter.sequences.items()
    }
    return {**catalogue(), **shipped, **own}


def unknown(charter: Charter) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that mean no rule there is: the key, what is wrong, and what was probably meant."""
    if not charter.code.rules:
        return
    rules = known((charter,))
    classes = sorted({f"CWE-{number}" for one in rules.values() for number in one.classes})
    for key in charter.code.rules:
        if key.startswith("CWE-"):
            if key not in classes:
                fix = "`outrider rules list --json` has the classes."
                yield key, f'no rule is for "{key}"', _meant(key, classes, fix)
        elif key.startswith(_OTHERS):
            continue
        elif "*" in key:
            if not any(key_of(Code(rules={key: "note"}), rule) for rule in rules):
                yield key, f'no rule is like "{key}"', "`outrider rules list` names those about code."
        elif key not in rules:
            yield (
                key,
                f'"{key}" is no rule',
                _meant(key, sorted(rules), "`outrider rules list` names those about code."),
            )


def without_effect(line: Sequence[Charter]) -> Iterator[str]:
    """Yield, for each key of the first charter that its ancestors are stricter about, what holds instead."""
    own = line[0]
    if not own.code.rules:
        return
    now = effective(line)
    settings = Settings(now.unsure, now.comments)
    for key, wrote in own.code.rules.items():
        lost: dict[str, list[str]] = {}
        for rule, one in known(line).items():
            if key_of(own.code, rule, one.classes) != key:
                continue
            finding = Finding(
                rule=rule, severity=one.severity, confidence=one.confidence, where="", message="", advice=""
            )
            said = treated(line, settings, finding, one.classes)
            if STRICT[said.treatment] < STRICT[wrote]:
                lost.setdefault(f"{said.treatment} ({' and '.join(said.charters)})", []).append(rule)
        for holds, rules in lost.items():
            more = f" and {len(rules) - _SHOWN} more" if len(rules) > _SHOWN else ""
            about = "" if rules == [key] else f" for {', '.join(rules[:_SHOWN])}{more}"
            yield f'code.rules "{key}": it says {wrote}, and {holds} holds{about}'


def _meant(key: str, words: Sequence[str], otherwise: str) -> str:
    near = difflib.get_close_matches(key, words, 2, 0.6) or [word for word in words if word.endswith(f"-{key}")][:2]
    return f"Did you mean {' or '.join(near)}?" if near else otherwise
