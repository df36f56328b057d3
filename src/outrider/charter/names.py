"""The matcher for what is neither a path nor a host: programs, tools, packages, branches, credentials, charters.

``*`` is any run of characters, ``/`` included (``origin/*`` covers ``origin/feature/x``), ``?`` is one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from outrider.charter.groups import ECOSYSTEMS, KNOWN, LISTED
from outrider.charter.paths import MAX_STARS
from outrider.errors import CharterError

_PLAIN = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._/+:-]{0,213}")
_ADDRESS = re.compile(r"^(?:[./~]|[a-z+]+://|git\+|git@|file:|link:|https?:|github:|.*\.(?:tgz|tar\.gz|whl|zip)$)|://")
_RUNS = re.compile(r"[-_.]+")


def parse_name(text: str) -> re.Pattern[str]:
    """Return the pattern that ``text`` says, to be fullmatched.

    Raises:
        CharterError: It is empty or holds too many wildcards.
    """
    if not text:
        raise CharterError("an empty pattern names nothing")
    if text.count("*") > MAX_STARS:
        raise CharterError(f'"{text}" holds more than {MAX_STARS} "*"')
    return re.compile("(?s)" + "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text))


def parse_package(text: str) -> re.Pattern[str] | str:
    """Return the pattern of a package, or the name of a ``known`` or ``listed`` group.

    Raises:
        CharterError: It names no ecosystem.
    """
    if text in KNOWN or text in LISTED:
        return text
    ecosystem, colon, name = text.partition(":")
    if text != "*" and (not colon or not name):
        raise CharterError(f'"{text}" names no ecosystem', fix=f'Write "pypi:{text}" or "npm:{text}".')
    if text != "*" and "*" not in ecosystem and ecosystem not in ECOSYSTEMS:
        raise CharterError(f'"{ecosystem}" is not an ecosystem', fix="Known are " + ", ".join(ECOSYSTEMS) + ".")
    return parse_name(package(text) if "*" not in text and "?" not in text else text)


def package(value: str) -> str:
    """Return the normal form of ``ecosystem:name``: Python names as PEP 503 says, others in lower case."""
    ecosystem, _, name = value.partition(":")
    if ecosystem == "pypi" and any(char.isalnum() for char in value[5:]):
        return "pypi:" + _RUNS.sub("-", name).lower()
    return value.lower() if ecosystem == "npm" else value


def known(group: str, value: str, groups: Mapping[str, tuple[str, ...]], flags: Collection[str] = ()) -> bool:
    """Return whether a package in normal form falls in a group (see :data:`groups.KNOWN` and :data:`groups.LISTED`).

    ``?``, what a manifest or a variable names, falls in ``known``: what is in it is not seen, so ``opaque`` decides. A
    name that is suspect falls in neither.

    Args:
        group: The group.
        value: The package.
        groups: The host's own lists.
        flags: Of the effect.
    """
    ecosystem, _, name = value.partition(":")
    of, _, kind = group.partition(":")
    if ecosystem != of or not name or "suspect" in flags:
        return False
    if name == ".":
        return True
    if kind == "listed":
        return "listed" in flags
    if name == "?":
        return True
    listed = groups.get(group)
    if listed is not None:
        return value in listed or name in listed
    return _PLAIN.fullmatch(name) is not None and _ADDRESS.search(name) is None
