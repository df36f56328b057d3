"""Has the record's checkpoints cosigned by others, beside everything else: no call ever waits for a witness.

In rounds: the newest checkpoint goes to every witness that is due, each is told what is missing since its last one, and
what a quorum cosigned is kept beside the record. A witness that does not answer is asked again later and later. One
that shows a checkpoint of ours which the record does not extend has proved that the record was rewritten or put back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.daemon.kept import CONTESTED, ContestedError, cosigned, extends, keep, signed_head
from outrider.errors import BadInputError, OutriderError, UnavailableError
from outrider.ledger.verify.notes import cosigned_by, head_of, parse_note, parse_size
from outrider.ledger.verify.policy import Policy, parse_policy
from outrider.ledger.verify.quorum import COSIGNED, cosigners
from outrider.witness import asking
from outrider.witness.request import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.config import Witnesses as Settings
    from outrider.ledger.ledger import Ledger
    from outrider.ledger.note import Checkpoint
    from outrider.ledger.verify.policy import Trusted

log = logging.getLogger("outrider.daemon")

LONGEST = 300.0
"""Seconds after which a witness that does not answer is asked again, at most."""

_FORGOT = "it cosigned more than it remembers: its state was put back, and it is not asked any more"


@dataclass
class Asked:
    """One witness, and how it does.

    Attributes:
        size: Events of the checkpoint that it cosigned last, as far as it is known here.
        seconds: When it did, seconds since 1970 UTC, 0 if that is not known.
        problem: Why it did not the last time, or empty.
        due: When it is asked again, on the monotonic clock.
        rest: Seconds that it is left alone after another failure.
    """

    witness: Trusted
    size: int = 0
    seconds: int = 0
    problem: str = ""
    due: float = 0.0
    rest: float = 0.0


class Witnesses:
    """The witnesses of one record."""

    def __init__(self, ledger: Ledger, record: Path, settings: Settings) -> None:
        """Read the policy and what was cosigned before.

        Args:
            ledger: The record.
            record: Its directory.
            settings: Which policy, how often, how old.
        """
        self.problem = ""
        self._ledger = ledger
        self._record = record
        self._settings = settings
        self._policy = self._read()
        named = self._policy.witnesses.values() if self._policy else ()
        self._asked = [Asked(one) for one in named if one.url]
        self._size = self._since = 0
        self._remember()

    def _read(self) -> Policy | None:
        path = self._settings.policy
        if not path:
            return None
        try:
            return parse_policy(Path(path).read_bytes())
        except OSError as error:
            self.problem = f"the policy {path} cannot be read: {error.strerror}"
        except BadInputError as error:
            self.problem = f"{path}: {error}"
        log.error("nobody is asked to cosign: %s", self.problem)
        return None

    def _remember(self) -> None:
        note = cosigned(self._record)
        if note is None or self._policy is None:
            return
        try:
            head = signed_head(note, self._ledger)
        except BadInputError:
            return
        times, _ = cosigners(note, self._policy)
        self._size, self._since = head.size, self._policy.since(times)
        for one in self._asked:
            if one.witness.name in times:
                one.size, one.seconds = head.size, times[one.witness.name]

    async def run(self, stop: Callable[[str], None]) -> None:
        """Have checkpoints cosigned until cancelled; return at once if there is nobody to ask.

        Args:
            stop: Ends the daemon; called when the record is proved to be another one.
        """
        if not self._asked:
            return
        while True:
            try:
                await self.round()
            except ContestedError as error:
                log.exception("the record is not what it was")
                self.problem = str(error)
                stop(str(error))
                return
            except OutriderError:
                log.exception("a round of cosigning failed and will be tried again")
            await asyncio.sleep(self._settings.every)

    async def round(self) -> None:
        """Ask everybody who is due to cosign the newest checkpoint, and keep it if a quorum did.

        Raises:
            ContestedError: A witness proved that the record was rewritten or put back.
            RecordError: What was cosigned cannot be kept.
        """
        assert self._policy is not None
        await asyncio.to_thread(self._ledger.seal_if_due)  # Where no call came yet, nobody else saw to it.
        checkpoint = self._ledger.checkpoint
        fresh = time.time() - self._since < self._settings.age / 2
        if not checkpoint.text or (checkpoint.size == self._size and fresh):
            return
        now = time.monotonic()
        due = [one for one in self._asked if one.due <= now]
        lines = await asyncio.gather(*(self._one(one, checkpoint) for one in due))
        text = checkpoint.text + "".join(line for line in lines)
        times, _ = cosigners(parse_note(text.encode()), self._policy)
        if since := self._policy.since(times):
            await asyncio.to_thread(keep, self._record, COSIGNED, text)
            self._size, self._since = checkpoint.size, since

    async def _one(self, one: Asked, checkpoint: Checkpoint) -> str:
        """Return the line by which a witness cosigned, empty if it did not; why is told in ``problem``."""
        try:
            line = await self._cosigned(one, checkpoint)
        except (UnavailableError, BadInputError) as error:
            if not one.problem:
                log.warning("witness %s does not cosign: %s", one.witness.name, error)
            one.problem = str(error)
            one.rest = min(max(2 * one.rest, float(self._settings.every)), LONGEST)
            one.due = float("inf") if one.problem == _FORGOT else time.monotonic() + one.rest
            return ""
        one.problem, one.rest, one.due = "", 0.0, 0.0
        return line

    async def _cosigned(self, one: Asked, checkpoint: Checkpoint) -> str:
        said = await self._ask(one, checkpoint, one.size)
        if said.status == 409:
            size = _size(said)
            if size < one.size:
                raise BadInputError(_FORGOT)
            if size > checkpoint.size:
                await self._confront(one)
                raise BadInputError(f"it says that it cosigned {size} events, and shows nothing that proves it")
            one.size = size
            said = await self._ask(one, checkpoint, size)
        if said.status == 422:
            await self._confront(one)
        if said.status != 200:
            raise BadInputError(f"it answers with status {said.status}: {said.body[:200].decode('utf-8', 'replace')!r}")
        note = parse_note(checkpoint.text.encode() + said.body)
        found = cosigned_by(note, one.witness.key)
        if found is None:
            raise BadInputError("what it answers is not signed with the key that the policy names")
        one.size, one.seconds = checkpoint.size, found[1]
        return f"{found[0].line}\n"

    async def _ask(self, one: Asked, checkpoint: Checkpoint, old: int) -> asking.Said:
        old = min(old, checkpoint.size)
        body = render(old, self._ledger.consistency(old, checkpoint.size), checkpoint.text)
        return await asyncio.to_thread(asking.add_checkpoint, one.witness.url, body)

    async def _confront(self, one: Asked) -> None:
        """Raise if a witness can show a checkpoint, signed with our key, that this record does not extend.

        Its word alone is not enough: a witness must not be able to end a daemon with a number.
        """
        said = await asyncio.to_thread(asking.last_cosigned, one.witness.url, self._ledger.origin)
        note = parse_note(said.body)
        head = signed_head(note, self._ledger)
        if extends(self._ledger, head):
            return
        await asyncio.to_thread(keep, self._record, CONTESTED, said.body.decode())
        raise ContestedError(
            f"witness {one.witness.name} holds a checkpoint over {head_of(note).size} events, signed with this log's "
            f"key, that this record of {self._ledger.size} does not extend: it was put back or rewritten",
            fix="Do not delete anything. Restore the newest record.",
        )

    def level(self) -> str:
        """Return the assurance level: ``witnessed`` where a quorum cosigned lately enough, else ``local``."""
        return "witnessed" if self._since and time.time() - self._since <= self._settings.age else "local"

    def told(self) -> dict[str, Any]:
        """Return how the witnesses do, for ``status``."""
        return {
            "policy": self._settings.policy,
            "problem": self.problem,
            "assurance": self.level(),
            "size": self._size,
            "since": self._since,
            "age": self._settings.age,
            "asked": [
                {
                    "name": one.witness.name,
                    "url": one.witness.url,
                    "size": one.size,
                    "seconds": one.seconds,
                    "problem": one.problem,
                }
                for one in self._asked
            ],
        }


def _size(said: asking.Said) -> int:
    if said.media != "text/x.tlog.size":
        raise BadInputError(f"its conflict is of type {said.media!r}")
    return parse_size(said.body.decode("utf-8", "replace").removesuffix("\n"))
