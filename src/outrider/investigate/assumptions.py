"""Assumptions as people write them: sentences about the fleet, each with a check over the record.

A TOML file of tables; the name of a table is the assumption's. :mod:`outrider.investigate.assume` checks them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec

from outrider.charter.lines import Lines
from outrider.errors import BadInputError
from outrider.events.call import VERBS
from outrider.investigate.extent import WORDS

MAX_FILE: Final = 1024 * 1024
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
READY_MADE: Final = "assumptions.toml"

Texts = str | tuple[str, ...]


class Who(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Agents. Every key that is given must fit; a key fits if one of its patterns does (``*`` and ``?``).

    Attributes:
        charter: Names of charters.
        not_charter: Names of charters that it is not about.
        sponsor: Who answers for them: name or pseudonym.
        door: Doors.
        mode: ``enforce`` or ``observe``.
        how: How they were born: ``session``, ``subagent``, ``descendant``, ``run``, ``spawn``.
        repo: Roots of repositories.
        parent: Charters of their parents; ``none`` for an agent without one.
    """

    charter: Texts = ()
    not_charter: Texts = ()
    sponsor: Texts = ()
    door: Texts = ()
    mode: Texts = ()
    how: Texts = ()
    repo: Texts = ()
    parent: Texts = ()


class What(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls that were let through. Every key that is given must fit.

    Attributes:
        verb: What an effect does.
        value: What it does it to; patterns (``*`` and ``?``; ``*`` crosses ``/``).
        flags: Flags that the effect must all have.
        label: Labels that the agent's context must all have carried.
        finding: Rules of which a finding must be there; patterns.
        tool: Normal tools.
        tried: Whether calls that were refused count as well.
    """

    verb: Texts = ()
    value: Texts = ()
    flags: Texts = ()
    label: Texts = ()
    finding: Texts = ()
    tool: Texts = ()
    tried: bool = False


class Must(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold of a call. Every key that is given must.

    Attributes:
        mode: ``enforce``: it was not only observed.
        looked: ``whole``: all of the code that it writes was looked at.
        asked: A person was asked about it.
        heard: Its result was heard.
    """

    mode: Literal["", "enforce"] = ""
    looked: Literal["", "whole"] = ""
    asked: bool = False
    heard: bool = False


class Assumption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence and its check, which is one of ``never``, ``every`` with ``must``, ``born`` with ``by``, ``lacks``.

    Attributes:
        that: The sentence.
        who: The agents that it is about; all if nothing is said.
        never: Calls that break it.
        every: Calls that it is about.
        must: What must hold of each of them.
        born: Births that it is about.
        by: What must hold of each of them; nothing can, where it is left out.
        lacks: Names of what coverage must not lack (see :data:`outrider.investigate.extent.WORDS`).
        name: Its name.
        source: Where it stands: a file, or ``ready-made``.
    """

    that: str
    who: Who = Who()
    never: What | None = None
    every: What | None = None
    must: Must | None = None
    born: Who | None = None
    by: Who | None = None
    lacks: Texts = ()
    name: str = ""
    source: str = ""


def texts(given: Texts) -> tuple[str, ...]:
    """Return one text or several as several."""
    return (given,) if isinstance(given, str) else given


def ready_made() -> tuple[Assumption, ...]:
    """Return the assumptions that come with Outrider."""
    raw = files("outrider.investigate").joinpath(READY_MADE).read_bytes()
    return parse(raw, source="ready-made")


def parse(raw: bytes, *, source: str) -> tuple[Assumption, ...]:
    """Return the assumptions in a file's bytes, in its order.

    Raises:
        BadInputError: It is too large, not TOML, or says something that is not known. The message names the line, the
            fix what was probably meant.
    """
    if len(raw) > MAX_FILE:
        raise BadInputError(f"{source}: is larger than {MAX_FILE} bytes")
    try:
        text = raw.decode("utf-8")
        data = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInputError(f"{source}: not TOML: {error}", fix="`outrider assume list --toml` shows how.") from error
    lines = Lines(text)
    return tuple(_one(name, given, _Place(source, lines, (name,))) for name, given in data.items())


class _Place:
    """Where in a file something stands."""

    def __init__(self, source: str, lines: Lines, path: tuple[str, ...]) -> None:
        self.source, self.lines, self.path = source, lines, path

    def wrong(self, what: str, *path: str, item: str = "", fix: str = "") -> BadInputError:
        line = self.lines.of((*self.path, *path), item)
        return BadInputError(f"{self.source}:{line}: {what}" if line else f"{self.source}: {what}", fix=fix)


_PARTS: Final[dict[str, type[msgspec.Struct]]] = {
    "who": Who, "never": What, "every": What, "must": Must, "born": Who, "by": Who,
}  # fmt: skip


def _one(name: str, given: Any, place: _Place) -> Assumption:
    if not isinstance(given, dict):
        raise place.wrong(f"{name!r} is not an assumption", fix=f"Write it as a table: [{name}] with that = ...")
    if not NAME.fullmatch(name):
        raise place.wrong(
            f"{name!r} is no name for an assumption", fix="Small letters, digits and hyphens, at most 63."
        )
    own = [key for key in Assumption.__struct_fields__ if key not in {"name", "source"}]
    for key, value in given.items():
        _known(key, own, place, (key,))
        if key in _PARTS and isinstance(value, dict):
            for below, words in value.items():
                _known(below, _PARTS[key].__struct_fields__, place, (key, below))
                _words(below, words, place, (key, below))
        elif key == "lacks":
            _words(key, value, place, (key,))
    try:
        found = msgspec.convert({**given, "name": name, "source": place.source}, Assumption)
    except msgspec.ValidationError as error:
        at = re.search(r"at `\$\.?([^`]*)`", str(error))
        path = re.findall(r"[A-Za-z_]+", at[1]) if at else []
        raise place.wrong(f"[{name}]: {error}", *path) from error
    return _whole(found, place)


def _known(key: str, keys: Iterable[str], place: _Place, path: tuple[str, ...]) -> None:
    known = list(keys)
    if key in known:
        return
    near = difflib.get_close_matches(key, known, 1, 0.5)
    fix = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    raise place.wrong(f"there is no key {key!r}", *path[:-1], item=key, fix=fix)


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "verb": VERBS,
    "lacks": tuple(word for word in WORDS if word not in {"opaque", "under-way", "asked"}),
    "how": ("session", "subagent", "descendant", "run", "spawn"),
}


def _words(key: str, given: Any, place: _Place, path: tuple[str, ...]) -> None:
    choices = _CHOICES.get(key)
    for word in (given,) if isinstance(given, str) else given if isinstance(given, list) else ():
        if choices and isinstance(word, str) and word not in choices:
            near = difflib.get_close_matches(word, choices, 1, 0.5)
            fix = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(choices)}."
            raise place.wrong(f"{word!r} is no word for {key}", *path, item=word, fix=fix)


def _whole(found: Assumption, place: _Place) -> Assumption:
    checks = [name for name in ("never", "every", "born", "lacks") if getattr(found, name)]
    if len(checks) != 1:
        said = f"has {' and '.join(checks)}" if checks else "has no check"
        raise place.wrong(f"[{found.name}] {said}", fix="One of: never; every and must; born and by; lacks.")
    if not found.that.strip() or "\n" in found.that:
        raise place.wrong(f"[{found.name}]: that is no sentence", "that", fix="One line that says what is assumed.")
    for part, needs in (("must", "every"), ("by", "born")):
        if getattr(found, part) is not None and getattr(found, needs) is None:
            raise place.wrong(f"[{found.name}] has {part} without {needs}", part)
    if found.every is not None and (found.must is None or found.must == Must()):
        raise place.wrong(
            f"[{found.name}] does not say what must hold", "every", fix='Such as must = { mode = "enforce" }.'
        )
    return found
