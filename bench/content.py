"""Content beside the chain: what is paid before the answer, what after it, and what an erasure costs."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Row, spread, timed

from outrider.events.codec import canonical
from outrider.flow.prints import EVERYDAY, fingerprints
from outrider.gate.keeping import JSON, items
from outrider.ledger.content.contents import Contents
from outrider.ledger.content.staging import Staged

KEY = b"bench key of 32 bytes or so ...."
SUBJECT = "p_bench"
SIZE = 4096
_SEED = 7
_BATCH = 32


def text(chance: random.Random, size: int = SIZE) -> str:
    """Return lines as tools print them: words, numbers, paths."""
    words = sorted(EVERYDAY)
    lines = []
    while sum(map(len, lines)) < size:
        said = " ".join(chance.choices(words, k=7))
        lines.append(
            f"src/module_{chance.randrange(99)}.py:{chance.randrange(999)}: {said} {chance.randrange(10**6)}\n"
        )
    return "".join(lines)[:size]


@contextmanager
def opened() -> Iterator[Contents]:
    """A content store in a directory of its own."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "keys").mkdir()
        with Contents(Path(name) / "content", Path(name) / "keys" / "content.key", write=True) as contents:
            yield contents


def staged(n: int, slot: int, body: bytes) -> Staged:
    """Return one content as the gate stages it."""
    return Staged(n, n, "ag_bench", SUBJECT, slot, os.urandom(32), JSON, body, b"", len(body), 65_536, 2**60)


def rows(repeat: int, contents_erased: int) -> list[Row]:
    """Return every row about content."""
    chance = random.Random(_SEED)
    return [*_kept(chance, repeat), _prints(chance, repeat), *_erased(chance, contents_erased)]


def _kept(chance: random.Random, repeat: int) -> list[Row]:
    given = [{"command": text(chance, SIZE - 16)} for _ in range(64)]
    before, plain, after = list[int](), list[int](), list[float]()
    with opened() as contents, tempfile.TemporaryFile() as bare:
        staging, slot = contents.staging, contents.keyring.take()
        assert staging is not None
        for n in range(repeat):
            args = given[n % 64]
            before.append(timed(lambda: staging.append(staged(n, slot, canonical(args)))))  # noqa: B023 - called at once
            plain.append(timed(lambda: os.write(bare.fileno(), b"x" * SIZE)))
        for at in range(max(4, repeat // 256)):
            batch = [staged(at * _BATCH + k, slot, canonical({"command": text(chance)})) for k in range(_BATCH)]
            after.append(timed(lambda: contents.keep(items(batch, KEY))) / _BATCH)  # noqa: B023 - called at once
    first = Row("content, staged before the answer, 4 kB", "us", spread(before), budgets={"p50": 15.0})
    first.baseline, first.beside = "4 kB written to a file in clear", spread(plain)["p50"]
    then = Row("content, kept after the answer, 4 kB", "us", spread(after))
    then.baseline, then.beside = "the same", first.beside
    then.notes = f"detection, compression and encryption; groups of {_BATCH}, each flushed to disk"
    return [first, then]


def _prints(chance: random.Random, repeat: int) -> Row:
    texts = [text(chance) for _ in range(64)]
    spent = [timed(lambda: fingerprints(texts[n % 64], KEY, limit=64)) / 4 for n in range(max(200, repeat // 8))]  # noqa: B023
    hashed = [timed(lambda: sorted(set(texts[n % 64].split()))) / 4 for n in range(200)]  # noqa: B023
    row = Row("fingerprints of a content, per kB", "us", spread(spent), budgets={"p50": 60.0})
    row.baseline, row.beside = "its different words, sorted", spread(hashed)["p50"]
    return row


def _erased(chance: random.Random, count: int) -> list[Row]:
    with opened() as contents:
        slots = [contents.keyring.take() for _ in range(100)]
        body = text(chance)[:600]
        for at in range(0, count, 1000):
            made = ((n, canonical({"n": n, "text": body})) for n in range(at, at + 1000))
            contents.keep(items((staged(n, slots[n % 100], one) for n, one in made), KEY))
        flushed = timed(lambda: contents.note("bench", os.urandom(32))) / 1e6
        destroy, spent = contents.keyring.destroy, list[int]()
        contents.keyring.destroy = lambda **named: spent.append(timed(lambda: destroy(**named)))  # type: ignore[method-assign]
        spent.append(timed(lambda: contents.erase(subject=SUBJECT)))
        wrong = int(contents.read(0) is not None)
    unreadable = Row(f"erasing {count:,} contents, until nobody can read them", "ms", spread(spent[:1], "ms"))
    row = Row(f"erasing {count:,} contents, until nothing is left", "ms", spread(spent[1:], "ms"), wrong=wrong)
    for one in (unreadable, row):
        one.baseline, one.beside = "one durable note in the same file", flushed
    unreadable.notes = "once: keys destroyed, all others wrapped by a new root, the old root overwritten"
    row.notes = "once: rows and ciphertexts overwritten, the log emptied"
    return [unreadable, row]
