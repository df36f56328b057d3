"""The zip file of a bundle, read so that a hostile one does no harm: bounded, in memory, never extracted."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

MOST_MEMBERS = 500_000
MOST_DIRECTORY = 64 << 20
MOST_MEMBER = 64 << 20
MOST_TOTAL = 2 << 30
MOST_RATIO = 200
"""Limits: members, bytes of their list, bytes of one unpacked, of all, and how many times larger one may unpack."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", re.ASCII)


class BundleError(Exception):
    """The file is no bundle, or one that is not safe to read. ``str(error)`` says why."""


class Archive:
    """A zip file that is safe to read: members are read into memory one by one, and never more than they may be."""

    def __init__(self, file: BinaryIO) -> None:
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError) as error:
            raise BundleError(f"it is not a zip file that can be read: {error}") from error
        self.members: dict[str, zipfile.ZipInfo] = {}
        total = 0
        for info in self._zip.infolist():
            _check_member(info)
            if info.filename in self.members:
                raise BundleError(f"the archive holds {info.filename!r} twice")
            self.members[info.filename] = info
            total += info.file_size
        if total > MOST_TOTAL:
            raise BundleError(f"the archive unpacks to {total} bytes, more than {MOST_TOTAL}")
        self.total = total

    def read(self, name: str) -> bytes:
        """Return the bytes of a member."""
        info = self.members[name]
        try:
            with self._zip.open(info) as member:
                data = member.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            EOFError,
            zlib.error,
            NotImplementedError,
            OSError,
            struct.error,
            ValueError,
        ) as error:
            raise BundleError(f"member {name!r} cannot be unpacked: {error}") from error
        if len(data) != info.file_size:
            raise BundleError(f"member {name!r} unpacks to another size than it says")
        return data


def _check_directory(file: BinaryIO) -> None:
    """Bound the list of members before anything reads it. Source: APPNOTE 4.3.16, 4.3.14; no comment is allowed."""
    file.seek(0, 2)
    length = file.tell()
    file.seek(max(0, length - 98))
    tail = file.read(98)
    if len(tail) < 22 or tail[-22:-18] != b"PK\5\6" or tail[-2:] != b"\0\0":
        raise BundleError("it does not end as a plain zip file does")
    count, size = struct.unpack_from("<HI", tail, len(tail) - 12)
    if count == 0xFFFF or size == 0xFFFFFFFF or tail[-42:-38] == b"PK\6\7":
        if len(tail) < 98 or tail[:4] != b"PK\6\6" or tail[-42:-38] != b"PK\6\7":
            raise BundleError("it does not end as a large zip file does")
        count, size = struct.unpack_from("<QQ", tail, 32)
    if count > MOST_MEMBERS or size > MOST_DIRECTORY:
        raise BundleError(f"the archive holds {count} members, or their list is too long ({size} bytes)")


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    if not _NAME.fullmatch(name) or name != info.filename or len(name) > 255:
        raise BundleError(f"the archive holds a member whose name is not safe: {name!r}")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise BundleError(f"member {name!r} is a link or a device, not a file")
    if info.flag_bits & 0x1:
        raise BundleError(f"member {name!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleError(f"member {name!r} is packed in a way that is not read")
    if info.file_size > MOST_MEMBER:
        raise BundleError(f"member {name!r} unpacks to {info.file_size} bytes, more than {MOST_MEMBER}")
    if info.file_size > 1 << 20 and info.file_size > MOST_RATIO * max(1, info.compress_size):
        raise BundleError(f"member {name!r} unpacks to more than {MOST_RATIO} times its size: a zip bomb")
