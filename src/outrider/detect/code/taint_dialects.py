"""What the pass over functions knows of Go, Java, PHP, C# and Ruby: where values come from, and where they do harm.

The tables are ``dialects.toml``; each expression is Python's.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

NUMBERS: Final = re.compile(
    r"\b(?:Atoi|ParseInt|ParseUint|ParseFloat|ParseBool|parseInt|parseLong|parseDouble|intval|floatval|to_i|to_f|Integer|"
    r"valueOf|Long\.parse\w*|UUID\.(?:fromString|Parse)|(?:int|long|Guid|decimal|DateTime)\.(?:Try)?Parse|count|strlen|"
    r"size|length|Length|len|md5|sha1|sha256|hash|password_hash|bcrypt)\b\(|\((?:int|float|bool)\)|\.to_i\b|\.Length\b"
)
"""What makes a number, or something of fixed form, of whatever it is given."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that a value from outside must not reach.

    Attributes:
        kind: The kind of place.
        called: What the function's name matches, as it is written: ``os.Open``, ``$db->query``, ``new File``.
        leads: True if the value must stand at the beginning, where it chooses the host.
        at: Positions of the arguments that count; empty for all.
        clean: What makes it harmless when it stands in the call; None for nothing.
        needs: What must stand in the call as well.
        elsewhere: What must not stand in its function.
    """

    kind: str
    called: re.Pattern[str]
    leads: bool = False
    at: tuple[int, ...] = ()
    clean: re.Pattern[str] | None = None
    needs: re.Pattern[str] | None = None
    elsewhere: re.Pattern[str] | None = None

    def counts(self, position: int) -> bool:
        """Return whether an argument at a position counts."""
        return not self.at or position in self.at


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language.

    Attributes:
        source: What frameworks hand over of what a client sent.
        functions: Kinds of nodes that are functions.
        settings: Kinds of nodes that set variables.
        calls: Kinds of nodes that call something.
        hands_on: Functions whose result is as much from outside as what they are given.
        places: Where values do harm.
        filled: A call that fills a variable with what a client sent; group 1 is its name.
        given: A parameter that a framework fills with what a client sent; group 1 is its name.
        handles: What a function's head matches if its own texts are from a client.
    """

    source: re.Pattern[str]
    functions: tuple[str, ...]
    settings: tuple[str, ...]
    calls: tuple[str, ...]
    hands_on: re.Pattern[str]
    places: tuple[Place, ...]
    filled: re.Pattern[str] | None = None
    given: re.Pattern[str] | None = None
    handles: re.Pattern[str] | None = None


LANGUAGES: Final = ("go", "java", "php", "csharp", "ruby")


@cache
def _tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = msgspec.toml.decode(
        files("outrider.detect.code").joinpath("dialects.toml").read_bytes(), type=dict[str, dict[str, Any]]
    )
    return found


@cache
def dialect_of(language: str) -> Dialect:
    """Return what is known of a language.

    Raises:
        ValueError: The table is not whole. It is part of the package, so that is a fault of the package.
    """
    try:
        return msgspec.convert(_tables()[language], type=Dialect, dec_hook=_expression)
    except (msgspec.ValidationError, KeyError) as error:
        raise ValueError(f"dialects.toml: {language}: {error}") from error


def _expression(_type: type, text: Any) -> Any:
    return re.compile(text)
