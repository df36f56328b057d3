"""How much memory an agent costs while it lives and once it is gone, in the state that the daemon keeps.

    PYTHONPATH=src python -m bench.memory [AGENTS]

Every agent is a session of its own, in a process of its own, with one call under way, as the record has it: events are
encoded and decoded again, so that nothing is shared that would not be after a start from the record. Living: so many
agents at once. Gone: as many more that are born, make their call and end, one after another.
"""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from outrider.events.attestation import Attestation
from outrider.events.call import Effect, Label
from outrider.events.codec import decode, encode
from outrider.events.decision import Decision
from outrider.events.event import VERSION, Event, Source
from outrider.events.record import AgentBorn, AgentEnded, Beside, CallDecided, Commitment
from outrider.gate.state import State
from outrider.identity.registry import KEEP_GONE

_CHAIN = tuple("sha256:" + hashlib.sha256(name.encode()).hexdigest() for name in ("coder", "developer", "base"))
_BESIDE = Beside(private={"home": "/home/example", "repo": "/home/example/repo", "cwd": "/home/example/repo"})


def life(number: int, *, ends: bool) -> Iterator[tuple[Event, Beside]]:
    """Yield the events of one agent: its birth, a call, and its end if it ends."""
    agent = hashlib.sha256(b"%d" % number).hexdigest()[:26]
    session = hashlib.sha256(agent.encode()).hexdigest()[:36]
    at, common = 1_790_000_000_000_000 + number, {"v": VERSION, "agent": agent}
    source = f"claude_code:{session}"
    attested = Attestation(
        pid=1000 + number, start=900_000 + number, boot="b" * 36, uid=1000, exe="e" * 64, argv0="node",
        ancestors=(f"{number}:bash", "900:tmux", "1:systemd"), commit="c" * 40, branch="main",
    )  # fmt: skip
    yield (
        AgentBorn(
            n=3 * number, ts=at, src=Source(id=source, seq=0), charter="coder", digest=_CHAIN[0], chain=_CHAIN,
            parent="", root=agent, depth=0, sponsor="p_" + "a" * 24, how="session", door="claude_code",
            session=session, expires=at + 28_800_000_000, attested=attested, **common,
        ),
        _BESIDE,
    )  # fmt: skip
    yield (
        CallDecided(
            n=3 * number + 1, ts=at + 1, src=Source(id=source, seq=1, prev="0" * 64), call=f"toolu_{session[:24]}",
            tool="shell", name="Bash", chain=_CHAIN, decision=Decision(verdict="allow", enforced="allow"), **common,
            effects=(Effect(verb="read", kind="path", value="~/repo/src/main.py"),),
            adds=(Label("untrusted", -1),) if number % 4 == 0 else (), content=Commitment(c="0" * 64, size=40),
        ),
        Beside(),
    )  # fmt: skip
    if ends:
        yield AgentEnded(n=3 * number + 2, ts=at + 2, src=Source(id=source, seq=2), how="completed", **common), Beside()


def fold(state: State, numbers: range, *, ends: bool) -> None:
    """Take these agents into the state, as a start from the record does."""
    for number in numbers:
        for event, beside in life(number, ends=ends):
            leaf = encode(event)
            again = msgspec.msgpack.decode(msgspec.msgpack.encode(beside), type=Beside)
            state.apply(decode(leaf), again, hashlib.sha256(b"\0" + leaf).hexdigest())


def resident() -> int:
    """Return this process's memory in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measured(agents: int) -> dict[str, float]:
    """Return bytes for each living agent, each gone one, and the whole of so many living, in a process of its own."""
    out = subprocess.run(
        [sys.executable, "-m", "bench.memory", str(agents)], capture_output=True, text=True, check=True
    )
    return {name: float(value) for name, value in (line.split() for line in out.stdout.splitlines())}


def main() -> None:
    """Print what :func:`measured` reads."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    state = State()
    fold(state, range(10), ends=False)
    start = resident()
    fold(state, range(10, agents + 10), ends=False)
    living = resident()
    # Those that are kept for a while are a fixed number, and are paid for first.
    first = agents + 10
    fold(state, range(first, first + KEEP_GONE + 1000), ends=True)
    kept = resident()
    first, gone = first + KEEP_GONE + 1000, max(agents // 4, 20_000)
    fold(state, range(first, first + gone), ends=True)
    print("living", (living - start) / agents)
    print("gone", (resident() - kept) / gone)
    print("kept", kept - living)
    print("whole", living)


if __name__ == "__main__":
    main()
