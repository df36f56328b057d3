"""Where in a TOML text a key or an item stands, so that an error can point at it.

``tomllib`` keeps no positions. This reads the text only after ``tomllib`` accepted it, and only to say where something
is: a wrong answer here is a wrong line number, never a wrong charter.
"""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*(?:=|\.)""")


def _bare(key: str) -> str:
    return key[1:-1] if key[:1] in {'"', "'"} else key


class Lines:
    """Finds lines in one TOML text.

    Attributes:
        text: The text's lines.
    """

    def __init__(self, text: str) -> None:
        self.text = text.splitlines()
        self._where: dict[tuple[str, ...], int] = {}
        self._scan()

    def _scan(self) -> None:
        table: tuple[str, ...] = ()
        closing = ""
        depth = 0
        for number, line in enumerate(self.text, 1):
            if closing:
                closing = "" if closing in line else closing
                continue
            if depth == 0 and (match := _TABLE.fullmatch(line)):
                table = tuple(_bare(part.strip()) for part in match[1].split("."))
                self._where.setdefault(table, number)
                continue
            if depth == 0 and (match := _KEY.match(line)):
                self._where.setdefault((*table, _bare(match[1])), number)
            for mark in ('"""', "'''"):
                if line.count(mark) % 2:
                    closing = mark
            if not closing:
                code = re.sub(r"""("(?:[^"\\]|\\.)*"|'[^']*')|#.*""", "", line)
                depth = max(0, depth + code.count("[") + code.count("{") - code.count("]") - code.count("}"))

    def of(self, path: tuple[str, ...], item: str = "") -> int:
        """Return the 1-based line of the key at ``path``, or of ``item`` in its value; 0 if it is not found.

        Args:
            path: Table names and the key.
            item: Text of a string in the value, or the name of a key in an inline table.
        """
        start = 0
        while path and not start:
            start = self._where.get(path, 0)
            if not start:
                item = item or path[-1]
                path = path[:-1]
        if not start or not item:
            return start
        for number in range(start, len(self.text) + 1):
            if number > start and self._where_starts(number):
                break
            if item in self.text[number - 1]:
                return number
        return start

    def _where_starts(self, number: int) -> bool:
        return _TABLE.fullmatch(self.text[number - 1]) is not None
