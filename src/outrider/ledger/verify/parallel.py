"""A large journal checked by several processes, a part each.

Only a journal whose events are all sound is settled so. Where a part finds a problem, or does not go on where the one
before it ends, everything is walked once more from the first event to the last, which tells exactly what is wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.ledger.verify.packs import pack_of, size_of

LEAST = 24 << 20
"""Bytes of journal below which one process is as fast."""

_MOST = 8
_HASH = 32


@dataclass(frozen=True)
class Part:
    """What one process found.

    Attributes:
        told: Its plain data; see :mod:`outrider.ledger.verify.part`.
        hashes: Of its leaves, 32 bytes each.
    """

    told: dict[str, Any]
    hashes: bytes

    def leaves(self) -> list[bytes]:
        """Return the hash of every leaf."""
        return [self.hashes[at : at + _HASH] for at in range(0, len(self.hashes), _HASH)]


def parts(segments: Sequence[tuple[int, Path]], sealed: int) -> Iterator[Part | None] | None:
    """Return what the parts of a journal are found to be, in order; None where it is not worth it.

    The iteration ends with None where a part has a problem or does not fit the one before it.
    """
    cores = min(os.cpu_count() or 1, _MOST)
    sizes = [_size(path) for _, path in segments]
    if cores < 2 or len(segments) < 2 or sum(sizes) < LEAST:
        return None
    return _checked(_cut(segments, sizes, 2 * cores), sealed, cores)


def _size(path: Path) -> int:
    """Return the bytes of a segment, also where it is packed."""
    if path.suffix == ".seg":
        try:
            return path.stat().st_size
        except FileNotFoundError:  # Packed since its name was read.
            path = pack_of(path)
    return size_of(path)


def _cut(segments: Sequence[tuple[int, Path]], sizes: Sequence[int], count: int) -> list[Sequence[tuple[int, Path]]]:
    """Cut the segments into about ``count`` runs of about the same size."""
    share, runs, first, weight = sum(sizes) / count, list[Sequence[tuple[int, Path]]](), 0, 0
    for at, size in enumerate(sizes):
        weight += size
        if weight >= share or at + 1 == len(segments):
            runs.append(segments[first : at + 1])
            first, weight = at + 1, 0
    return runs


def _checked(runs: Sequence[Sequence[tuple[int, Path]]], sealed: int, cores: int) -> Iterator[Part | None]:
    with ThreadPoolExecutor(cores) as pool:
        waiting = [pool.submit(_part, run, sealed, ends=run is runs[-1]) for run in runs]
        try:
            following, group = 0, 0
            for one in waiting:
                part = one.result()
                if part is None or not part.told["sound"] or part.told["begins"] != following:
                    yield None
                    return
                before, after = part.told["groups"]
                if following and before not in (-1, group, following):
                    yield None
                    return
                following, group = part.told["next"], max(group, after)
                yield part
        finally:
            for one in waiting:
                one.cancel()


def _part(run: Sequence[tuple[int, Path]], sealed: int, *, ends: bool) -> Part | None:
    asked = json.dumps(
        {"segments": [(first, str(path.absolute())) for first, path in run], "sealed": sealed, "ends": ends}
    )
    here = str(Path(__file__).parents[3])
    # Without -P a module in the working directory, which may be what is being checked, would be taken for ours.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "outrider.ledger.verify.part"],
        input=asked.encode() + b"\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": here},
        check=False,
    )
    head, newline, hashes = done.stdout.partition(b"\n")
    if done.returncode or not newline:
        return None
    told = json.loads(head)
    return Part(told, hashes) if len(hashes) == _HASH * (told["next"] - told["begins"]) else None
