"""What cannot be read."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec


class NotReadError(ValueError):
    """A manifest does not have the form that its name promises; the message says what is wrong with it."""


def toml(text: str) -> dict[str, Any]:
    """Return a TOML document.

    Raises:
        NotReadError: It is none.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotReadError(f"it is not valid TOML ({error})") from error


def json(text: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        NotReadError: It is none.
    """
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotReadError(f"it is not valid JSON ({error})") from error
    return table(value)


def table(value: object) -> dict[str, Any]:
    """Return a value if it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list, or none if it is none."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
