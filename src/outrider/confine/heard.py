"""What a launcher, or the sensor, hears from the kernel about processes, as it tells the daemon (``watch.c``). Pure.

A process is named by pid and start time, ``PID.TICKS``, because pids are used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from outrider.errors import BadInputError


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One deed.

    Attributes:
        ts: When, microseconds since 1970 UTC.
        process: The process.
        above: Those above it, nearest first, up to the nearest whose program was told before. Empty if the process's
            own program was, and where the launcher itself is all that is above.
    """

    ts: int
    process: str
    above: tuple[str, ...]


class Started(Heard, frozen=True, kw_only=True):
    """A program is started.

    Attributes:
        path: As it was asked for, absolute where that could be known.
        real: Where that leads in the process's own view of files, or empty if it is the same or not known.
        words: Its first arguments, at most six, cut.
    """

    path: str
    real: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """Where the program lies."""
        return self.real or self.path


class Dialled(Heard, frozen=True, kw_only=True):
    """A connection is asked for. ``peer`` is ``address:port``, or ``unix:`` and a path."""

    peer: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Deeds that found no room. They came before what is told next."""

    count: int


def heard(fields: Mapping[str, Sequence[str]]) -> Iterator[Started | Dialled | Lost]:
    """Yield what a frame tells, in the order of time.

    Raises:
        BadInputError: A field has not the form of its kind.
    """
    try:
        lost = sum(int(text) for key in ("lost-exec", "lost-connect", "lost") for text in fields.get(key, ()))
        found: list[Started | Dialled] = [_started(text) for text in fields.get("exec", ())]
        found += [_dialled(text) for text in fields.get("connect", ())]
    except ValueError as error:
        raise BadInputError("a word about a process tree has not the form that it must have") from error
    if lost:
        yield Lost(count=lost)
    yield from sorted(found, key=lambda one: one.ts)


def _started(text: str) -> Started:
    ts, process, above, path, real, *words = text.split("\t")
    return Started(ts=int(ts), process=process, above=_listed(above), path=path, real=real, words=tuple(words))


def _dialled(text: str) -> Dialled:
    ts, process, above, peer = text.split("\t")
    return Dialled(ts=int(ts), process=process, above=_listed(above), peer=peer)


def _listed(above: str) -> tuple[str, ...]:
    return tuple(above.split(",")) if above else ()
