"""How far each source's events have come: the number and leaf hash of its last one, which the next one names.

A source is forgotten with the last agent of its session. Whoever comes again under its name is another source, called
``NAME~N`` after the event that it begins with: its numbers begin at 0 again, and a name of its own keeps them apart.
As long as nobody was forgotten, names are plain. A ``~`` within a name is written twice.
"""

from __future__ import annotations

import hashlib

from outrider.events.event import Source

_SEQ, _BORN = 8, 7


class Sources:
    """The last event of every source, by a print of its name: the sizes are those that fill their blocks of memory."""

    def __init__(self, heads: dict[bytes, bytes] | None = None, *, forgot: bool = False) -> None:
        """Take over what :attr:`heads` and :attr:`forgot` were."""
        self.heads = heads or {}
        self.forgot = forgot

    def next(self, told_by: str, n: int, lost: int = 0) -> Source:
        """Return what event ``n`` says of its source.

        Args:
            told_by: The source's name.
            n: Index of the event.
            lost: How many of its messages are known to be missing before it.
        """
        name = _name(told_by)
        held = self.heads.get(_print(name))
        if held is None:
            return Source(id=f"{name}~{n}" if self.forgot else name, seq=0, lost=lost)
        seq, born, leaf = _unpacked(held)
        return Source(id=f"{name}~{born}" if born else name, seq=seq + 1, prev=leaf.hex(), lost=lost)

    def apply(self, told: Source, leaf_hash: str) -> None:
        """Take over what an event said of its source; its leaf has that hash (hex)."""
        name, born = _whose(told.id)
        self.heads[_print(name)] = (
            told.seq.to_bytes(_SEQ, "big", signed=True) + born.to_bytes(_BORN, "big") + bytes.fromhex(leaf_hash)
        )

    def count(self, told_by: str) -> int:
        """Return how many events a source has."""
        held = self.heads.get(_print(_name(told_by)))
        return 0 if held is None else _unpacked(held)[0] + 1

    def forget(self, told_by: str) -> None:
        """Forget a source; its name means another one from now on."""
        if self.heads.pop(_print(_name(told_by)), None) is not None:
            self.forgot = True


def _unpacked(held: bytes) -> tuple[int, int, bytes]:
    """Return the number of a source's last event, the event that it begins with, and its last event's leaf hash."""
    middle = _SEQ + _BORN
    return int.from_bytes(held[:_SEQ], "big", signed=True), int.from_bytes(held[_SEQ:middle], "big"), held[middle:]


def _name(told_by: str) -> str:
    return told_by.replace("~", "~~") if "~" in told_by else told_by


def _whose(known: str) -> tuple[str, int]:
    """Return the name in a source's id, and the event that the source begins with, 0 for a plain one."""
    name, mark, tail = known.rpartition("~")
    alone = (len(name) - len(name.rstrip("~"))) % 2 == 0
    return (name, int(tail)) if mark and alone and tail.isdecimal() and len(tail) < 17 else (known, 0)


def _print(name: str) -> bytes:
    data = name.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=15).digest()
