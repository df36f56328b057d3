"""A record in memory, written event by event the way the gate writes one."""

import hashlib
from dataclasses import dataclass, field

from outrider.events.call import Effect
from outrider.events.codec import beside_digest, encode, encode_beside
from outrider.events.decision import Decision
from outrider.events.event import Source
from outrider.events.record import AgentBorn, Beside, CallDecided, CallResult, Commitment, RecordOpened

NOTHING = Commitment(c="0" * 64, size=1)


@dataclass
class Story:
    """Entries as a ledger gives them."""

    entries_: list = field(default_factory=list)
    sources: dict = field(default_factory=dict)
    ts: int = 1_000_000

    def entries(self, start):
        return iter(self.entries_[start:])

    def put(self, kind, *, heard="claude_code:s", beside=None, src=None, **fields):
        n = len(self.entries_)
        self.ts += 1000
        blob = encode_beside(beside) if beside is not None else b""
        seq, prev = self.sources.get(heard, (-1, ""))
        told = src or Source(id=heard, seq=seq + 1, prev=prev)
        event = kind(v=1, n=n, ts=self.ts, src=told, beside=beside_digest(blob), **fields)
        leaf = encode(event)
        self.sources[heard] = (told.seq, hashlib.sha256(b"\0" + leaf).hexdigest())
        self.entries_.append((leaf, blob))
        return n

    def opened(self, origin="test/record"):
        return self.put(RecordOpened, heard="daemon", origin=origin, vkey="k")

    def born(self, agent, parent="", **fields):
        defaults = {
            "charter": "coder", "digest": "sha256:c", "chain": ("sha256:c",), "parent": parent,
            "root": parent or agent, "depth": int(bool(parent)), "sponsor": "p1",
            "how": "subagent" if parent else "session", "door": "claude_code", "session": "s", "expires": 2**50,
        }  # fmt: skip
        return self.put(AgentBorn, agent=agent, **{**defaults, **fields})

    def call(self, agent, effect=None, verdict="allow", entities=(), labels=(), adds=(), **fields):
        effect = effect or Effect(verb="read", kind="path", value="/r/x")
        fields.setdefault("tool", "shell")
        beside = Beside(entities=tuple(entities), prints=fields.pop("prints", b""), control=fields.pop("control", b""),
                        said=fields.pop("said", {}))  # fmt: skip
        return self.put(
            CallDecided, agent=agent, call=f"t{len(self.entries_)}", name="Bash", effects=(effect,),
            decision=Decision(verdict=verdict, enforced=fields.pop("enforced", verdict)), chain=("sha256:c",),
            content=NOTHING, labels=tuple(labels), adds=tuple(adds), beside=beside, **fields,
        )  # fmt: skip

    def result(self, agent, intent, *, ok=True, entities=(), prints=b"", adds=(), **fields):
        return self.put(
            CallResult, agent=agent, call=f"t{intent}", intent=intent, ok=ok, content=NOTHING, adds=tuple(adds),
            beside=Beside(entities=tuple(entities), prints=prints), **fields,
        )  # fmt: skip
