"""Writes a sealed bundle: events with their proofs, what came with them, what was held back, and a signed manifest.

The format is described in docs/record.md; what checks it is :mod:`outrider.ledger.verify.bundle` and shares no code
with this. Two bundles of the same events, sealed at the same time with the same key, are equal byte for byte.
"""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Any

import msgspec

from outrider.ledger.envelope import envelope, statement
from outrider.ledger.verify.bundle.single import source

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from outrider.ledger.note import Checkpoint
    from outrider.ledger.proving import Prover

KIND = "tag:outrider,2026:bundle/v1"
"""Type of the manifest's predicate."""

_STAMP = (1980, 1, 1, 0, 0, 0)
_WHY = {
    "content": "content leaves only where it was asked for, one event at a time",
    "beside": "what lies beside events (names of people, places, salts, fingerprints) stays with the record",
}


class Disclosed(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of content with the salt under which an event promised it.

    Attributes:
        event: Index of the event that promised it.
        at: Where in that event the commitment stands, a JSON pointer.
        of: Index of the event whose content it is.
        salt: The salt.
        content: The content.
        media: Its media type.
    """

    event: int
    at: str
    salt: bytes
    content: bytes
    of: int = -1
    media: str = "text/plain"


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a bundle beside what is proven.

    Attributes:
        events: Indices of the events.
        asked: What was asked for, in words.
        created: When it is sealed, UTC, ISO 8601.
        made_by: The program and its version.
        coverage: What the record could not see.
        policy: A witness policy (c2sp.org/tlog-policy), or empty.
        disclosed: Content that leaves.
        besides: Whether what lies beside events leaves as well.
        tiles: Whether the tree's hash tiles come along.
        more: Other files by name, such as a case's report.
        about: More for the manifest's predicate, such as the case.
        stamp: Returns a timestamp (RFC 3161) over a checkpoint's bytes; None for no timestamp.
        notes: What else was held back: what, which events, and why.
        beside_of: Events of which what lies beside them leaves, where ``besides`` is false.
        ask: The command by which whoever keeps the record can let what was held back leave.
    """

    events: tuple[int, ...]
    asked: str
    created: str
    made_by: str
    coverage: Any
    policy: bytes = b""
    disclosed: tuple[Disclosed, ...] = ()
    besides: bool = False
    tiles: bool = False
    more: dict[str, bytes] = {}
    about: dict[str, Any] = {}
    stamp: Callable[[bytes], bytes] | None = None
    notes: tuple[tuple[str, tuple[int, ...], str], ...] = ()
    beside_of: frozenset[int] = frozenset()
    ask: str = "outrider export --events EVENTS --disclose EVENTS --besides"


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What was sealed.

    Attributes:
        events: Number of events.
        files: Number of files.
        vkey: The key that sealed it.
        size: Events that its checkpoint covers.
        cosigned: Events that the cosigned checkpoint covers, or 0.
    """

    events: int
    files: int
    vkey: str
    size: int
    cosigned: int


def seal(out: IO[bytes], prover: Prover, key: Ed25519PrivateKey, contents: Contents) -> Sealed:
    """Write a bundle to ``out``.

    Args:
        out: Where to; empty, can be sought in.
        prover: The record.
        key: The log's key, which signs the manifest.
        contents: What goes in.

    Raises:
        BadInputError: An event is not covered by the checkpoint.
        TamperedError: An event is not what was sealed.
    """
    digests: dict[str, str] = {}
    main = _main(prover, contents)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:

        def put(name: str, data: bytes) -> None:
            info = zipfile.ZipInfo(name, _STAMP)
            info.external_attr = 0o100600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)

        for name, data in _files(prover, contents, main):
            digests[name] = hashlib.sha256(data).hexdigest()
            put(name, data)
        name = main.origin
        predicate = {
            **contents.about,
            "origin": name,
            "size": main.size,
            "root": main.root.hex(),
            "events": len(contents.events),
            "asked": contents.asked,
            "created": contents.created,
            "made_by": contents.made_by,
        }
        put("MANIFEST.json", envelope(statement(digests, KIND, predicate), name, key))
    return Sealed(
        events=len(contents.events),
        files=len(digests) + 1,
        vkey=prover.vkey,
        size=main.size,
        cosigned=prover.cosigned.size if prover.cosigned else 0,
    )


def _main(prover: Prover, contents: Contents) -> Checkpoint:
    """Return the checkpoint that events are proven under: the cosigned one if it covers them all."""
    cosigned = prover.cosigned
    if cosigned is None or contents.tiles or cosigned.size <= max(contents.events, default=0):
        return prover.head
    return cosigned


def _files(prover: Prover, contents: Contents, main: Checkpoint) -> Iterator[tuple[str, bytes]]:
    """Give every file but the manifest."""
    vkey = prover.vkey
    guide = (files(__package__) / "VERIFY.md").read_text(encoding="utf-8")
    yield "VERIFY.md", guide.replace("{vkey}", vkey).replace("{log}", main.origin).encode()
    yield "verify.py", source().encode()
    yield "keys/log.vkey", f"{vkey}\n".encode()
    if contents.policy:
        yield "keys/witnesses.policy", contents.policy
    yield "checkpoint", main.text.encode()
    if contents.stamp is not None:
        yield "checkpoint.tsr", contents.stamp(main.text.encode())
    if prover.cosigned is not None and prover.cosigned is not main:
        path = prover.consistency(prover.cosigned, main)
        yield "cosigned", prover.cosigned.text.encode()
        yield "cosigned.consistency", "".join(f"{b64encode(one).decode()}\n" for one in path).encode()
    promises: dict[int, frozenset[str]] = {}
    for entry in prover.entries(contents.events):
        yield f"events/{entry.n}.json", entry.leaf
        yield f"events/{entry.n}.tlog-proof", prover.proof_text(entry.n, main).encode()
        leaves = contents.besides or entry.n in contents.beside_of
        if entry.beside and leaves:
            yield f"beside/{entry.n}.msgpack", entry.beside
        pieces = sum(piece.event == entry.n for piece in contents.disclosed)
        promises[entry.n] = frozenset(_held(entry.leaf, pieces, beside=bool(entry.beside) and not leaves))
    yield from _disclosed(contents.disclosed)
    yield "redactions.json", _redactions(promises, contents, main.origin)
    yield "coverage.json", _pretty(contents.coverage)
    if contents.tiles:
        yield from prover.tiles()
    yield from sorted(contents.more.items())


def _held(leaf: bytes, pieces: int, *, beside: bool) -> Iterator[str]:
    """Give what an event promises and does not come along, ``pieces`` of its contents being here."""
    if leaf.count(b'"c":') > pieces:
        yield "content"
    if beside:
        yield "beside"


def _disclosed(pieces: Iterable[Disclosed]) -> Iterator[tuple[str, bytes]]:
    counts: dict[int, int] = {}
    for one in sorted(pieces, key=lambda piece: (piece.event, piece.at)):
        number = counts.get(one.event, 0)
        counts[one.event] = number + 1
        data = {
            "event": one.event, "at": one.at, "of": one.of, "media": one.media,
            "salt": b64encode(one.salt).decode(), "content": b64encode(one.content).decode(),
        }  # fmt: skip
        yield f"disclosed/{one.event}{f'-{number}' if number else ''}.json", _pretty(data)


def _redactions(promises: Mapping[int, frozenset[str]], contents: Contents, origin: str) -> bytes:
    """Return the file that says what was held back; an event of which only some content left is in it as well."""
    held = [
        {"what": what, "events": spans([n for n, of in promises.items() if what in of]), "why": why}
        for what, why in _WHY.items()
    ]
    held += [{"what": what, "events": spans(events), "why": why} for what, events, why in contents.notes]
    return _pretty(
        {
            "v": 1,
            "held": [one for one in held if one["events"]],
            "held_by": f"whoever runs the log {origin}, on the host where its record is",
            "ask": contents.ask,
        }
    )


def spans(numbers: Iterable[int]) -> list[int | list[int]]:
    """Return numbers in order, each run of three or more as a pair of its first and last."""
    out: list[int | list[int]] = []
    run: list[int] = []
    for n in [*sorted(set(numbers)), None]:
        if run and n is not None and n == run[-1] + 1:
            run.append(n)
            continue
        out += [[run[0], run[-1]]] if len(run) > 2 else run
        run = [] if n is None else [n]
    return out


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
