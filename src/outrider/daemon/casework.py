"""Entries of cases, written into the record: by a running daemon, or by who asks where none runs.

Texts never come here, only commitments to them. A person writes entries; an agent does not.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.daemon.callers import person
from outrider.daemon.control import ask
from outrider.daemon.wiring import open_ledger
from outrider.errors import BadInputError, OutriderError, UnavailableError
from outrider.events.case import Act, CaseNoted
from outrider.events.codec import decode, encode
from outrider.events.content import Commitment
from outrider.events.event import VERSION, Source
from outrider.identity import place
from outrider.identity.people import Pseudonyms
from outrider.ledger.keys import print_key

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer

SOURCE = "case"
"""The source of entries."""

_ID = re.compile(r"case-[0-9a-f]{12}")
_REF = re.compile(r"([^\s#]{1,200}#)?[0-9]{1,15}")
_MOST = 500


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry as it was asked for; see :class:`CaseNoted`."""

    case: str
    act: Act
    refs: tuple[str, ...] = ()
    about: str = ""
    content: Commitment | None = None
    digest: str = ""


class Casework:
    """Writes entries on a running daemon."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def note(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Write the entry of one request and return its event's index.

        Raises:
            BadInputError: It is no entry.
            RefusedError: An agent asks.
        """
        person(self._parts, peer)
        order = checked({key: value for key, value in request.items() if key != "do"})
        scribe = self._parts.scribe
        by = Pseudonyms(scribe.key).of(place.os_user(peer.uid))
        event = scribe.write(CaseNoted, told_by=SOURCE, seal=True, by=by, **_fields(order))
        await scribe.durable(event)
        return {"event": event.n, "by": by}


def checked(request: dict[str, Any]) -> Order:
    """Return the entry that a request asks for.

    Raises:
        BadInputError: It is none.
    """
    try:
        order = msgspec.convert(request, Order)
    except msgspec.ValidationError as error:
        raise BadInputError(f"not an entry of a case: {error}") from error
    if not _ID.fullmatch(order.case) or len(order.refs) > _MOST or len(order.about) > 200:
        raise BadInputError("not an entry of a case: its id, what it is about, or what it names is malformed")
    if not all(_REF.fullmatch(one) for one in order.refs):
        raise BadInputError("an entry names events by their numbers")
    return order


def note(home: Home, request: dict[str, Any]) -> int:
    """Write an entry and return its event's index: through the daemon, or into the record itself where none runs.

    Raises:
        BadInputError: It is no entry.
        RefusedError: An agent asks.
        RecordError: The disk refuses.
        UnavailableError: There is no record, or somebody else writes it.
    """
    order = checked(request)
    try:
        answer = ask(home.socket, {"do": "case", **request})
    except UnavailableError:
        return _alone(home, order)
    if "error" in answer:
        error = OutriderError(str(answer["error"]), fix=str(answer.get("fix", "")))
        error.exit_code = int(answer.get("exit_code", 1))
        raise error
    return int(answer["event"])


def _alone(home: Home, order: Order) -> int:
    if not (home.record / "journal").is_dir():
        raise UnavailableError(f"there is no record at {home.record}", fix="Start the daemon once: outrider up.")
    by = Pseudonyms(print_key(home.keys / "print.key")).of(place.os_user(os.geteuid()))
    with open_ledger(home) as ledger:
        seq, prev, last = -1, "", 0
        for entry in ledger.entries():
            before = decode(entry.leaf)
            last = before.ts
            if before.src is not None and before.src.id == SOURCE:
                seq, prev = before.src.seq, ledger.leaf_hash(entry.n).hex()
        now = time.time_ns() // 1000

        def build(n: int) -> tuple[bytes, bytes]:
            source = Source(id=SOURCE, seq=seq + 1, prev=prev)
            event = CaseNoted(v=VERSION, n=n, ts=now, src=source, back=max(0, last - now), by=by, **_fields(order))
            return encode(event), b""

        return ledger.append(build, seal=True)


def _fields(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in Order.__struct_fields__}
