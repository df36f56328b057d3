"""Content on its way beside the record: what is staged before the answer, and what is made of it after.

Before the answer there is one encrypted append and nothing else. Afterwards, in a worker process, secrets are taken
out and what is too long is cut; only then is anything kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from outrider.charter.ruling import settings_of
from outrider.detect.redact import redact, redact_struct
from outrider.events.codec import canonical
from outrider.events.entities import printed_mail
from outrider.events.record import AgentBorn, AskAnswered, Beside, CallDecided
from outrider.ledger.content.besides import seal
from outrider.ledger.content.contents import Contents, Item
from outrider.ledger.content.keyring import NOBODY
from outrider.ledger.content.staging import Staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from outrider.charter.narrow import Keeping
    from outrider.events.event import Event
    from outrider.events.record import Entity
    from outrider.gate.chains import Chains
    from outrider.gate.state import State
    from outrider.identity.agent import Agent

MOST_STAGED: Final = 1 << 20
"""Bytes of one content that are staged at most; of a longer one the first and the last part, in all this much."""

JSON: Final = "application/json"
TEXT: Final = "text/plain"
_MARK: Final = "[secret:"
_MOST_CHAINS: Final = 1_024


class Raw(msgspec.Struct, frozen=True):
    """Content as it came: of which kind, of which media type, and its bytes, which are only made where wanted."""

    kind: Literal["prompts", "inputs", "outputs", "model"]
    media: str
    text: Callable[[], bytes]


class Keeper:
    """Seals what names somebody and stages content; the one of this host's gate."""

    def __init__(self, contents: Contents, state: State, chains: Chains, key: bytes) -> None:
        self.contents = contents
        self._key = key
        self._state = state
        self._chains = chains
        self._settings: dict[tuple[str, ...], Keeping] = {}

    def sealed(self, kind: type[Event], beside: Beside, fields: dict[str, Any], *, staged: bool) -> Beside:
        """Return an event's beside with what names somebody sealed in it, and people's addresses as keyed prints.

        The salt of content that is staged goes with the content, where it can be destroyed by itself; only a question
        to a person needs it again after a restart and has it sealed here.

        Raises:
            RecordError: The keys cannot be had.
        """
        if any(entity.kind == "email" for entity in beside.entities):
            beside = msgspec.structs.replace(beside, entities=_pseudonymous(beside.entities, self._key))
        if staged and not (kind is CallDecided and fields.get("asked") is not None):
            # outrider: allow code.python-fixed-salt -- none stays here: it is kept with the content
            beside = msgspec.structs.replace(beside, salt=b"")
        if not beside.private and not beside.salt:
            return beside
        subject, slot = self._whose(kind, fields)
        return seal(beside, self.contents.keyring, subject, slot)

    def _whose(self, kind: type[Event], fields: dict[str, Any]) -> tuple[str, int]:
        if kind is AgentBorn:
            return fields["sponsor"] or NOBODY, self.contents.keyring.take()
        name = fields.get("agent", "")
        agent = self._state.registry.by_id(name)
        if agent is not None:
            return agent.sponsor or NOBODY, self._state.slots.get(name, 0)
        by = fields["answer"].by if kind is AskAnswered else fields.get("by", "")
        return by if isinstance(by, str) and by.startswith("p_") else NOBODY, 0

    def stage(self, event: Event, raw: Raw, salt: bytes) -> None:
        """Stage the content of an event; what the disk does not take is counted and fails nobody."""
        staging = self.contents.staging
        agent = self._state.registry.by_id(event.agent)
        if staging is None or agent is None:
            return
        keep = self._keep(agent)
        left = "" if raw.kind in keep.what else "charter"
        # The salt is random and nobody's to choose, so it draws the sample too.
        if not left and int.from_bytes(salt[:4], "big") % 100 >= keep.sample:
            left = "sampled"
        text = tail = b""
        size = 0
        if not left:
            text = raw.text()
            size = len(text)
            if size > MOST_STAGED:
                text, tail = text[: MOST_STAGED // 2], text[-MOST_STAGED // 2 :]
        staging.append(
            Staged(
                event.n, event.ts, agent.id, agent.sponsor or NOBODY, self._state.slots.get(agent.id, 0), salt,
                raw.media, text, tail, size, keep.max, event.ts + keep.age * 1_000_000, left,
            )
        )  # fmt: skip

    def _keep(self, agent: Agent) -> Keeping:
        found = self._settings.get(agent.chain)
        if found is None:
            if len(self._settings) >= _MOST_CHAINS:
                self._settings.clear()
            found = self._settings[agent.chain] = settings_of(self._chains.of(agent)).keep
        return found


def _pseudonymous(entities: Iterable[Entity], key: bytes) -> tuple[Entity, ...]:
    return tuple(
        msgspec.structs.replace(one, value=printed_mail(one.value, key)) if one.kind == "email" else one
        for one in entities
    )


def items(staged: Iterable[Staged], key: bytes) -> list[Item]:
    """Return what is to be kept of what was staged: secrets out of it, nothing too long. A pure function.

    Args:
        staged: What waits.
        key: Key of the prints that stand for secrets.
    """
    return [_item(one, key) for one in staged]


def _item(one: Staged, key: bytes) -> Item:
    text, taken, cut = (None, 0, 0) if one.left else _cleaned(one, key)
    return Item(
        n=one.n, ts=one.ts, agent=one.agent, subject=one.subject, slot=one.slot, salt=one.salt, media=one.media,
        text=text, taken=taken, cut=cut, until=one.until,
    )  # fmt: skip


def _cleaned(one: Staged, key: bytes) -> tuple[bytes, int, int]:
    """Return the text as it is kept, how many secrets were taken out of it, and how many bytes found no room."""
    whole = one.text
    taken = 0
    if one.tail:
        head, tail = _plain(one.text), _plain(one.tail)
        clean_head, clean_tail = redact(head, key), redact(tail, key)
        taken = _marks(clean_head) - _marks(head) + _marks(clean_tail) - _marks(tail)
        return _cut(clean_head.encode("utf-8", "replace"), clean_tail.encode("utf-8", "replace"), one, taken)
    if one.media == JSON:
        try:
            value = msgspec.json.decode(one.text)
            clean = redact_struct(value, key)
            if clean != value:
                whole = canonical(clean)
                taken = max(1, _marks(whole.decode("utf-8", "replace")) - _marks(one.text.decode("utf-8", "replace")))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            whole, taken = _redacted(one.text, key)
    else:
        whole, taken = _redacted(one.text, key)
    if len(whole) <= one.most:
        return whole, taken, 0
    return _cut(whole, whole, one, taken)


def _redacted(data: bytes, key: bytes) -> tuple[bytes, int]:
    text = data.decode("utf-8", "replace")
    clean = redact(text, key)
    if clean == text:
        return data, 0
    return clean.encode("utf-8", "replace"), max(1, _marks(clean) - _marks(text))


def _plain(data: bytes) -> str:
    """Return part of a JSON text so that a secret over several lines is seen as one."""
    return data.decode("utf-8", "replace").replace("\\n", "\n").replace('\\"', '"')


def _marks(text: str) -> int:
    return text.count(_MARK)


def _cut(head: bytes, tail: bytes, one: Staged, taken: int) -> tuple[bytes, int, int]:
    """Return the first three quarters and the last quarter of what there is room for, and what lies between."""
    first, last = one.most - one.most // 4, one.most // 4
    size = max(one.size, len(head) if head is tail else len(head) + len(tail))
    left = max(1, size - first - last)
    middle = b"\n[%d bytes left out]\n" % left
    return head[:first] + middle + (tail[-last:] if last else b""), taken, left
