"""A record in miniature: makes events in order and folds them into a registry."""

from outrider.events.attestation import Attestation
from outrider.events.call import Effect
from outrider.events.decision import Decision
from outrider.events.event import VERSION
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AgentResumed,
    CallDecided,
    CallResult,
    Commitment,
    DaemonStarted,
)
from outrider.identity import process
from outrider.identity.registry import Registry

NOTHING = Commitment(c="", size=0)
FOREVER = 2**52


def attested(pid, **fields):
    """Attest a real process."""
    facts = process.read(pid)
    return Attestation(pid=pid, start=facts.start, boot=process.boot_id(), uid=facts.uid, **fields)


class Record:
    def __init__(self):
        self.registry = Registry()
        self.n = 0

    def say(self, kind, beside=None, **fields):
        event = kind(v=VERSION, n=self.n, ts=1_000_000 + self.n, **fields)
        self.n += 1
        self.registry.apply(event, beside)
        return event

    def born(self, agent, *, parent="", session="s", host_agent="", pid=0, beside=None, **fields):
        above = self.registry.by_id(parent)
        given = {
            "charter": "coder",
            "digest": f"d-{agent}",
            "chain": (f"d-{agent}", *(above.chain if above else ())),
            "root": above.root if above else agent,
            "depth": above.depth + 1 if above else 0,
            "sponsor": "p_1",
            "how": "subagent" if host_agent else "descendant" if parent else "session",
            "expires": FOREVER,
            "attested": attested(pid) if pid else Attestation(),
        }
        self.say(
            AgentBorn,
            beside,
            agent=agent,
            parent=parent,
            door="claude_code",
            session=session,
            host_agent=host_agent,
            **{**given, **fields},
        )
        return self.registry.by_id(agent)

    def ended(self, agent, how="completed"):
        return self.say(AgentEnded, agent=agent, how=how)

    def resumed(self, agent, pid=0):
        return self.say(AgentResumed, agent=agent, attested=attested(pid) if pid else Attestation())

    def booted(self, boot):
        return self.say(DaemonStarted, version="0", pid=1, boot=boot)

    def asked(self, agent, call, *, spawns=(), launches=(), enforced="allow", tool="shell", permission=False):
        effects = [Effect(verb="spawn", kind="charter", value=name) for name in spawns]
        effects += [Effect(verb="spawn", kind="agent", value=name) for name in launches]
        return self.say(
            CallDecided,
            agent=agent,
            call=call,
            tool=tool,
            name=tool,
            effects=tuple(effects),
            decision=Decision(verdict=enforced, enforced=enforced),
            chain=(),
            content=NOTHING,
            permission=permission,
        )

    def answered(self, agent, call, intent=0):
        return self.say(CallResult, agent=agent, call=call, intent=intent, ok=True, content=NOTHING)
