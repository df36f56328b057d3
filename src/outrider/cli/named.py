"""Charters as a person names them on the command line: by name, or by file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from outrider.errors import BadInputError, CharterError

if TYPE_CHECKING:
    from outrider.charter.model import Charter
    from outrider.daemon import shelf


def line_of(given: str, read: shelf.Files) -> tuple[Charter, ...]:
    """Return the line of a charter that is given by its name or by its file.

    Raises:
        CharterError: There is none of that name, or it does not parse.
    """
    from outrider.charter.parse import parse

    if given in read.bad:
        raise read.bad[given]
    if given in read.found or not ("/" in given or given.endswith(".toml")):
        return read.shelf.line(given)
    return with_above(parse(text_of(Path(given)), source=given), read)


def with_above(one: Charter, read: shelf.Files) -> tuple[Charter, ...]:
    """Return the line of a charter that stands on no shelf yet.

    Raises:
        CharterError: What it extends is not there.
    """
    from outrider.charter.shelf import Shelf

    return Shelf([*(known for name in read.shelf.names if (known := read.shelf.get(name))), one]).line(one.name)


def text_of(file: Path) -> str:
    """Return what a file says.

    Raises:
        BadInputError: It cannot be read.
        CharterError: It is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CharterError("not UTF-8", source=str(file)) from error
