"""The charters of a host, by name, and the lines that ``extends`` makes of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from outrider.charter.model import Charter
from outrider.errors import CharterError


class Shelf:
    """Charters by name. Later ones hide earlier ones of the same name, so a user's stand after the built-in."""

    def __init__(self, charters: Iterable[Charter]) -> None:
        self._by_name = {charter.name: charter for charter in charters}

    @property
    def names(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted(self._by_name))

    def get(self, name: str) -> Charter | None:
        """Return the charter of that name, or None."""
        return self._by_name.get(name)

    def line(self, name: str) -> tuple[Charter, ...]:
        """Return a charter and everything that it extends, itself first, the root last.

        Raises:
            CharterError: A name is unknown, or the line bites its tail.
        """
        line: list[Charter] = []
        source = ""
        while name:
            charter = self._by_name.get(name)
            if charter is None:
                near = difflib.get_close_matches(name, self._by_name, 1)
                who = f'charter "{source}" extends "{name}", which' if source else f'charter "{name}"'
                raise CharterError(
                    f"{who} is not there", fix=f'Did you mean "{near[0]}"?' if near else "See outrider charter list."
                )
            if charter in line:
                names = " -> ".join([*(one.name for one in line), name])
                raise CharterError(f"the charters extend each other in a circle: {names}")
            line.append(charter)
            source, name = name, charter.extends
        return tuple(line)
