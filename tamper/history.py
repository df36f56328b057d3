"""What happened, made up from a seed: the same events every time, as Outrider's record tells them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

START = 1_790_000_000_000_000
"""Wall clock of the first event, microseconds since 1970 UTC."""

EVERY = 250_000
"""Microseconds between two events."""

AGENTS = 7
DENIED = 4
"""Of every ten events the one with this number is a refusal."""

KEPT, ERASED = 6, 5
"""Of every ten events the first says that content of three others is kept, and the next that that of the second of
these two is erased."""

CONTENT = 64
"""Length of every ciphertext in bytes."""

Happened = tuple[dict[str, Any], bytes]
"""An event without what follows from its place in the record, and what lies beside it."""


@dataclass(frozen=True)
class Places:
    """Where in a record of ``size`` events things happen; from the size alone.

    Attributes:
        size: Number of events.
        stem: Events before this one are never touched, so that one copy of them serves for every case.
        segment: Events in one segment of the journal.
        at: The event that is tampered with, a refusal.
        backup: Number of events when somebody made a copy of the record.
        cosigned: Number of events that the witnesses cosigned last.
    """

    size: int
    stem: int
    segment: int
    at: int
    backup: int
    cosigned: int

    @classmethod
    def of(cls, size: int) -> Places:
        """Return the places for a record of that size: 10, or a multiple of 1,000."""
        tail = size if size <= 10_000 else size // 50
        stem = size - tail
        near = stem + tail * 4 // 10
        return cls(
            size=size,
            stem=stem,
            segment=tail * 4 // 10,
            at=near - near % 10 + DENIED,
            backup=stem + tail * 6 // 10,
            cosigned=stem + tail * 8 // 10,
        )


def happened(seed: int, index: int, origin: str, vkey: str) -> Happened:
    """Return event ``index`` of the history of that seed."""
    ts = START + index * EVERY
    if index == 0:
        return {"kind": "record.opened", "ts": ts, "src": {"id": "daemon"}, "origin": origin, "vkey": vkey}, b""
    token = hashlib.sha256(f"{seed}/{index}".encode())
    step, agent = index % 10, index // 10 % AGENTS
    source = {"id": f"claude_code:s{agent}"}
    content = {"c": token.hexdigest(), "size": 40 + token.digest()[0]}
    if step in (0, 9):
        return {"kind": "record.heartbeat", "ts": ts, "src": {"id": "daemon"}, "living": AGENTS}, b""
    if step == KEPT:
        kept = [_kept(seed, index - KEPT + of) for of in (1, 2, ERASED)]
        return {"kind": "content.kept", "ts": ts, "src": {"id": "daemon"}, "kept": kept}, b""
    if step == KEPT + 1:
        gone = {"what": "event", "events": [index - step + ERASED], "upto": index, "contents": 1, "size": CONTENT}
        told = {"kind": "content.erased", "ts": ts, "src": {"id": "daemon"}, "basis": "asked for", "by": "p_0"}
        return told | gone, b""
    common = {"ts": ts, "src": source, "agent": f"a{agent}", "content": content}
    if step == ERASED:
        return common | {"kind": "agent.prompted"}, _beside(index, token.digest())
    if step in (2, 8):
        intent = index - (1 if step == 2 else 5)
        result = {"kind": "call.result", "call": f"toolu_{intent}", "intent": intent, "ok": True, "ms": 7}
        return common | result, _beside(index, token.digest())
    verdict = "deny" if step == DENIED else "allow"
    decided = {
        "kind": "call.decided",
        "call": f"toolu_{index}",
        "tool": "read",
        "name": "Read",
        "effects": [],
        "decision": {"verdict": verdict, "enforced": verdict},
        "chain": ["sha256:" + hashlib.sha256(b"coder").hexdigest()],
        "us": 100 + token.digest()[1],
    }
    return common | decided, _beside(index, token.digest())


def ciphertext(seed: int, index: int) -> bytes:
    """Return the ciphertext of the content of event ``index``; always as long."""
    return hashlib.sha512(f"{seed}/{index}/content".encode()).digest()


def _kept(seed: int, index: int) -> dict[str, Any]:
    data = ciphertext(seed, index)
    commitment = {"c": hashlib.sha256(data).hexdigest(), "size": 40}
    return {
        "of": index,
        "content": commitment,
        "hash": hashlib.sha256(data).hexdigest(),
        "stored": CONTENT,
        "media": "text/plain",
    }


def _beside(index: int, salt: bytes) -> bytes:
    """Return the MessagePack of one path that was read and a salt; always as long."""
    path = f"/srv/work/{index:08d}.txt".encode()
    read = b"\x93\xa4read\xa4path" + bytes([0xA0 | len(path)]) + path
    return b"\x82\xa8entities\x91" + read + b"\xa4salt\xc4\x20" + salt
