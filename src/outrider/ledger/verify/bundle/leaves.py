"""One event of a bundle: its leaf, its proof, and what it promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outrider.ledger.verify.bundle.notes import Note, WrongError, unbase64
from outrider.ledger.verify.bundle.tree import hash_leaf, includes

_MOST_NUMBERS = 5_000_000


@dataclass
class Event:
    """What later checks need of an event: its hash, its promises, its source's name and number, what it names."""

    hashed: bytes
    content: dict[str, str]
    beside: str
    source: tuple[str, int]
    before: str


def parse_json(data: bytes) -> Any:
    """Return what a JSON object says; one that names a key twice is refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise WrongError("is JSON that says a key twice")
        return dict(pairs)

    try:
        value = json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise WrongError(f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WrongError("is not a JSON object")
    return value


def read_event(index: int, leaf: bytes) -> Event:
    """Check 7."""
    event = parse_json(leaf)
    try:
        again = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise WrongError(f"is not JSON: {error}") from error
    if again != leaf:
        raise WrongError("is not in canonical form")
    if event.get("v") != 1:
        raise WrongError(f"is of version {event.get('v')}, which is not known")
    if event.get("n") != index:
        raise WrongError(f"says that it is event {event.get('n')}")
    said = event.get("src")
    source: dict[str, Any] = said if isinstance(said, dict) else {}
    number = source.get("seq")
    content = dict(_promises("", event))
    where = (str(source.get("id", "")), number if isinstance(number, int) else -1 - index)
    return Event(hash_leaf(leaf), content, str(event.get("beside", "")), where, str(source.get("prev", "")))


def _promises(at: str, value: Any) -> Iterator[tuple[str, str]]:
    """Give every commitment in an event: where it stands (a JSON pointer), and its digest."""
    if isinstance(value, dict):
        if set(value) == {"c", "size"}:
            yield at, str(value["c"])
            return
        for name, one in value.items():
            yield from _promises(f"{at}/{name}", one)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _promises(f"{at}/{number}", one)


def check_proof(proof: bytes | None, checkpoint: bytes, index: int, note: Note, leaf: bytes) -> None:
    """Check 8. A proof file is its heading, the index, the path, an empty line, and the bundle's checkpoint."""
    if proof is None:
        raise WrongError("has no proof")
    head, blank, signed = proof.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    if not blank or lines[:2] != ["c2sp.org/tlog-proof@v1", f"index {index}"]:
        raise WrongError("has a proof file that is not its own, or not one")
    if signed != checkpoint:
        raise WrongError("is proven against another checkpoint than the bundle's")
    try:
        path = [unbase64(line) for line in lines[2:]]
    except ValueError as error:
        raise WrongError("has a proof that is not base64") from error
    if not includes(path, index, note.size, hash_leaf(leaf), note.root):
        raise WrongError("is not what the log holds at that place: its proof does not lead to the root")


def spans(said: list[Any]) -> list[int]:
    """Return the numbers of a list in which a pair stands for all from its first to its last."""
    found: list[int] = []
    for one in said:
        first, last = (one, one) if isinstance(one, int) else map(int, one)
        if last - first + len(found) > _MOST_NUMBERS:
            raise WrongError("names too many events")
        found += range(first, last + 1)
    return found


def tile_path(number: int) -> str:
    """Return a tile's number as a path. Source: c2sp.org/tlog-tiles."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))
