"""A charter's text with a pattern moved from what a person is asked about to what is permitted.

The text is changed where the pattern stands and nowhere else, so that comments and layout survive. What comes out is
parsed and has to be the charter that was meant; else there is no proposal.
"""

from __future__ import annotations

import re
import tomllib

import msgspec

from outrider.charter.covering import holds, permitted
from outrider.charter.model import Charter, Rules
from outrider.charter.parse import parse
from outrider.errors import CharterError

_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_QUOTED = '"{}"'


def without_question(text: str, verb: str, pattern: str) -> str:
    """Return the text of a charter that permits what it asks a person about; empty where it cannot be told how.

    Args:
        text: The charter's TOML.
        verb: The verb.
        pattern: The pattern in ``[ask]``, as written.
    """
    try:
        before = parse(text)
        if pattern not in before.ask.get(verb, ()):
            return ""
        changed = _taken(text, verb, pattern)
        now = permitted(before, verb)
        if not any(holds(verb, wide, pattern) for wide in now):
            changed = _added(changed, verb, pattern, now if verb not in before.may else ())
        return changed if _same(parse(changed), _meant(before, verb, pattern)) else ""
    except (CharterError, ValueError):
        return ""


def _meant(before: Charter, verb: str, pattern: str) -> Charter:
    ask = {key: tuple(one for one in value if (key, one) != (verb, pattern)) for key, value in before.ask.items()}
    now = permitted(before, verb)
    may = before.may
    if not any(holds(verb, wide, pattern) for wide in now):
        may = {**may, verb: (*now, pattern)}
    return msgspec.structs.replace(before, ask=ask, may=may)


def _same(one: Charter, other: Charter) -> bool:
    def rules(found: Rules) -> Rules:
        return {verb: patterns for verb, patterns in found.items() if patterns}

    bare = [msgspec.structs.replace(each, ask=rules(each.ask), may=each.may) for each in (one, other)]
    return bare[0].canonical() == bare[1].canonical()


def _array(text: str, section: str, key: str) -> tuple[int, int, int] | None:
    """Return where a key's line begins, and where the inside of its list begins and ends; None if it is not there."""
    head = re.search(rf"^[ \t]*\[[ \t]*{section}[ \t]*\][ \t]*(?:#.*)?$", text, re.MULTILINE)
    if head is None:
        return None
    rest = re.compile(r"^[ \t]*\[[ \t]*[A-Za-z\"'\[].*$", re.MULTILINE).search(text, head.end())
    end = rest.start() if rest else len(text)
    found = re.compile(rf"^[ \t]*[\"']?{key}[\"']?[ \t]*=[ \t]*\[", re.MULTILINE).search(text, head.end(), end)
    if found is None:
        return None
    at = found.end()
    while at < len(text) and text[at] != "]":
        string = _STRING.match(text, at)
        if string is not None:
            at = string.end()
        elif text[at] == "#":
            at = text.find("\n", at)
        else:
            at += 1
    return found.start(), found.end(), at


def _taken(text: str, verb: str, pattern: str) -> str:
    """Return the text without a pattern of ``[ask]``; without the whole key where it was the last."""
    place = _array(text, "ask", verb)
    if place is None:
        raise ValueError(verb)
    line, start, end = place
    strings = [one for one in _STRING.finditer(text, start, end) if "#" not in _before(text, start, one.start())]
    one = next(each for each in strings if tomllib.loads(f"x = {each[0]}")["x"] == pattern)
    if len(strings) == 1:
        newline = text.find("\n", end)
        return text[:line] + (text[newline + 1 :] if newline >= 0 else "")
    behind = re.compile(r"[ \t]*,[ \t]*").match(text, one.end(), end)
    if behind is not None:
        return text[: one.start()] + text[behind.end() :]
    before = text.rindex(",", start, one.start())
    return text[:before] + text[one.end() :]


def _before(text: str, start: int, at: int) -> str:
    """Return what stands on a line of a list before a string, other strings left out."""
    return _STRING.sub("", text[max(start, text.rfind("\n", 0, at) + 1) : at])


def _added(text: str, verb: str, pattern: str, inherited: tuple[str, ...]) -> str:
    """Return the text with a pattern more in ``[may]``; a new key begins with ``inherited``."""
    place = _array(text, "may", verb)
    if place is not None:
        _, start, end = place
        strings = list(_STRING.finditer(text, start, end))
        if not strings:
            return text[:start] + _QUOTED.format(pattern) + text[start:]
        at = strings[-1].end()
        return f"{text[:at]}, {_QUOTED.format(pattern)}{text[at:]}"
    written = f"{verb} = [{', '.join(_QUOTED.format(one) for one in (*inherited, pattern))}]\n"
    head = re.search(r"^[ \t]*\[[ \t]*may[ \t]*\].*$\n?", text, re.MULTILINE)
    if head is None:
        return f"{text.rstrip()}\n\n[may]\n{written}"
    return text[: head.end()] + written + text[head.end() :]
