"""A disk for tests: notes every change below a directory, refuses on demand, and shows what a power cut could leave.

The ledger runs on a real directory; the calls of ``os`` that it makes are noted on the way. What a cut leaves follows
the strict reading of POSIX: a file's bytes are certain once that file was flushed, and a name once its directory was.
Of what was not flushed any 512-byte sectors are there and the others are not, and of each directory's changes of names
any beginning. A flush that fails drops what it was to flush, and the next one succeeds, as Linux does it.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SECTOR = 512


class Op(NamedTuple):
    """One change.

    ``make``, ``directory``, ``move`` and ``drop`` change names; ``write`` and ``cut`` a file; ``sync`` and ``flush``
    make a file or a directory's names certain; ``lose`` is a flush that failed; ``said`` is an acknowledgement.
    """

    what: str
    file: int = -1
    path: str = ""
    to: str = ""
    at: int = 0
    data: bytes = b""


class Refusal(NamedTuple):
    """The operations that fail: ``times`` of one ``kind`` (``write`` or ``sync``) from the ``at``-th on."""

    kind: str
    at: int
    code: int = errno.EIO
    times: int = 1


class Disk:
    """What happened below ``root``, in order."""

    def __init__(self, root: Path, refusal: Refusal | None = None) -> None:
        self.root = root
        self.refusal = refusal
        self.ops: list[Op] = []
        self.counts = {"write": 0, "sync": 0}
        self.refused = 0
        self._names: dict[str, int] = {}
        self._files: dict[int, int] = {}
        self._directories: dict[int, str] = {}
        self._made = 0

    def adopt(self, there: dict[str, bytes | None]) -> None:
        """Begin with these files, numbered in the order given, and directories (None)."""
        for path, content in there.items():
            if content is not None:
                self._names[path], self._made = self._made, self._made + 1

    def said(self, size: int) -> None:
        """Note that so many events were acknowledged."""
        self.ops.append(Op("said", at=size))

    def _inside(self, path: object) -> str | None:
        text = os.fspath(path) if isinstance(path, str | Path) else ""
        return "" if text == str(self.root) else text[len(str(self.root)) + 1 :] if self._below(text) else None

    def _below(self, text: str) -> bool:
        return text.startswith(f"{self.root}/")

    def _refuse(self, kind: str, file: int) -> None:
        at = self.counts[kind]
        self.counts[kind] += 1
        wanted = self.refusal
        if wanted is not None and wanted.kind == kind and wanted.at <= at < wanted.at + wanted.times:
            self.refused += 1
            if kind == "sync":
                self.ops.append(Op("lose", file))
            raise OSError(wanted.code, os.strerror(wanted.code))

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        """Note what is done from now on, until ``patch`` is undone."""
        for name in ("open", "close", "write", "pwrite", "ftruncate", "fsync", "fdatasync", "unlink", "mkdir"):
            patch.setattr(os, name, getattr(self, f"_{name.removeprefix('f')}")(getattr(os, name)))
        for name in ("rename", "replace"):
            patch.setattr(os, name, self._rename(getattr(os, name)))

    def _open(self, real):
        def opened(path, flags, mode=0o777, **more) -> int:
            place = self._inside(path)
            new = place is not None and not Path(path).exists()
            fd = real(path, flags, mode, **more)
            if place is not None and Path(path).is_dir():
                self._directories[fd] = place
            elif place is not None:
                if new:
                    self._names[place], self._made = self._made, self._made + 1
                    self.ops.append(Op("make", self._names[place], place))
                self._files[fd] = self._names[place]
                if flags & os.O_TRUNC and not new:
                    self.ops.append(Op("cut", self._files[fd]))
            return fd

        return opened

    def _close(self, real):
        def closed(fd: int) -> None:
            self._files.pop(fd, None)
            self._directories.pop(fd, None)
            real(fd)

        return closed

    def _pwrite(self, real):
        def wrote(fd: int, data, at: int) -> int:
            if fd in self._files:
                self._refuse("write", self._files[fd])
                self.ops.append(Op("write", self._files[fd], at=at, data=bytes(data)))
            return real(fd, data, at)

        return wrote

    def _write(self, real):
        def wrote(fd: int, data) -> int:
            if fd in self._files:
                self._refuse("write", self._files[fd])
                self.ops.append(Op("write", self._files[fd], at=os.lseek(fd, 0, os.SEEK_CUR), data=bytes(data)))
            return real(fd, data)

        return wrote

    def _truncate(self, real):
        def truncated(fd: int, size: int) -> None:
            real(fd, size)
            if fd in self._files:
                self.ops.append(Op("cut", self._files[fd], at=size))

        return truncated

    def _sync(self, real):
        def synced(fd: int) -> None:
            if fd in self._files:
                self._refuse("sync", self._files[fd])
                self.ops.append(Op("sync", self._files[fd]))
            elif fd in self._directories:
                self._refuse("sync", -1)
                self.ops.append(Op("flush", path=self._directories[fd]))
            real(fd)

        return synced

    _datasync = _sync

    def _rename(self, real):
        def renamed(old, new, **more) -> None:
            real(old, new, **more)
            there, here = self._inside(old), self._inside(new)
            if there is not None and here is not None and there in self._names:
                self._names[here] = self._names.pop(there)
                self.ops.append(Op("move", self._names[here], there, here))

        return renamed

    def _unlink(self, real):
        def unlinked(path, **more) -> None:
            real(path, **more)
            place = self._inside(path)
            if place is not None and place in self._names:
                self.ops.append(Op("drop", self._names.pop(place), place))

        return unlinked

    def _mkdir(self, real):
        def made(path, mode=0o777, **more) -> None:
            real(path, mode, **more)
            place = self._inside(path)
            if place is not None:
                self.ops.append(Op("directory", path=place))

        return made


class Moment:
    """The state of a disk after some operations: what is certain, and what may or may not have reached it."""

    def __init__(self) -> None:
        self.said = 0
        self._certain: dict[int, bytearray] = {}
        self._pending: dict[int, list[Op]] = {}
        self._names: list[Op] = []
        self._lasting: set[int] = set()  # Places in _names that are certain.

    def adopt(self, there: dict[str, bytes | None]) -> None:
        """Begin with these files and directories (None), all of them certain, numbered as :meth:`Disk.adopt` does."""
        for path, content in there.items():
            if content is None:
                self._names.append(Op("directory", path=path))
            else:
                self._names.append(Op("make", len(self._certain), path))
                self._certain[len(self._certain)] = bytearray(content)
        self._lasting = set(range(len(self._names)))

    def after(self, op: Op) -> None:
        """Go on by one operation."""
        if op.what == "said":
            self.said = op.at
        elif op.what in {"write", "cut"}:
            self._pending.setdefault(op.file, []).append(op)
        elif op.what == "lose":
            self._pending.pop(op.file, None)
        elif op.what == "sync":
            whole = self._certain.setdefault(op.file, bytearray())
            for change in self._pending.pop(op.file, []):
                _change(whole, change, lambda: True)
        elif op.what == "flush":
            self._lasting |= {at for at, one in enumerate(self._names) if op.path in _directories(one)}
        else:
            self._names.append(op)

    def image(self, target: Path, dice: random.Random, share: float) -> None:
        """Write what a cut at this moment may leave to ``target``; ``share`` of what is not certain is there."""
        names: dict[str, int] = {}
        cut = {place: dice.random() < share for one in self._names for place in _directories(one)}
        target.mkdir()
        for at, one in enumerate(self._names):
            if at not in self._lasting and not cut[(one.to or one.path).rpartition("/")[0]]:
                continue
            if one.what == "directory":
                names[one.path] = -1
            elif one.what == "drop":
                names.pop(one.path, None)
            else:
                names.pop(one.path, None)
                names[one.to or one.path] = one.file
            if dice.random() > share:  # What comes behind in this directory did not make it.
                cut[(one.to or one.path).rpartition("/")[0]] = False
        for place, file in sorted(names.items()):
            path = target / place
            if not path.parent.is_dir():
                continue  # The directory's own name was lost.
            if file < 0:
                path.mkdir()
                continue
            whole = bytearray(self._certain.get(file, b""))
            for change in self._pending.get(file, []):
                _change(whole, change, lambda: dice.random() < share)
            path.write_bytes(whole)


def _directories(op: Op) -> set[str]:
    return {path.rpartition("/")[0] for path in (op.path, op.to) if path}


def _change(whole: bytearray, op: Op, there) -> None:
    if op.what == "cut":
        if there():
            del whole[op.at :]
            whole.extend(bytes(op.at - len(whole)))
        return
    at = op.at
    while at < op.at + len(op.data):
        end = min((at // SECTOR + 1) * SECTOR, op.at + len(op.data))
        if there():
            whole.extend(bytes(max(at - len(whole), 0)))
            whole[at:end] = op.data[at - op.at : end - op.at]
        at = end


def moments(ops: list[Op], start: Moment | None = None) -> Iterator[Moment]:
    """Yield the state before the first operation and after each; one object, which moves on."""
    moment = start or Moment()
    yield moment
    for op in ops:
        moment.after(op)
        yield moment
