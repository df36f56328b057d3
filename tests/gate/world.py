"""A gate on a real record in a temporary folder, and real process trees that talk to it."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

from tests.identity.trees import Tree

from outrider.charter.parse import parse
from outrider.charter.shelf import Shelf
from outrider.config import builtin_charters
from outrider.doors.claude_code.reading import tool_of
from outrider.events import message as m
from outrider.events.call import Call
from outrider.events.codec import canonical, decode, decode_beside
from outrider.events.record import CharterLoaded
from outrider.gate.apply import Gate
from outrider.gate.chains import Chains
from outrider.gate.enrol import Enrolment
from outrider.gate.results import Results
from outrider.gate.scribe import Scribe, wall_clock
from outrider.gate.state import State
from outrider.gate.study import Workers
from outrider.identity.people import Pseudonyms
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger

KEY = b"k" * 32
DOOR = "claude_code"


class World:
    """Everything that one gate needs, and what came of it."""

    def __init__(
        self,
        top: Path,
        home: Path,
        *,
        repositories=(),
        charters=(),
        clock=wall_clock,
        steady=None,
        unattested=False,
        contact="",
    ):
        self.top = top
        self.home = home
        self.repo = top / "repo"
        self.repo.mkdir(exist_ok=True)
        self.runner = asyncio.Runner()
        self.ledger = Ledger.open(top / "record", origin="outrider.test/gate", key=log_key(top / "log.key"))
        self.state = State()
        self.scribe = Scribe(self.ledger, self.state, KEY, clock, steady)
        self.repositories = dict(repositories)
        texts = [(path.stem, path.read_text()) for path in sorted(builtin_charters().glob("*.toml"))]
        self.shelf = Shelf([parse(text, source=name) for name, text in [*texts, *charters]])
        for name in self.shelf.names:
            charter = self.shelf.get(name)
            self.scribe.write(
                CharterLoaded, name=name, digest=charter.digest, signer="", source=canonical(charter).decode()
            )
        chains = Chains(
            self.state, groups={"registries": ("pypi.test",)}, protected=(str(top / "outrider"),),
            contact=lambda: contact,
        )  # fmt: skip
        self.results = Results(self.scribe, self.state)
        self.workers = Workers()
        self.enrolment = Enrolment(
            scribe=self.scribe,
            state=self.state,
            shelf=self.shelf,
            chains=chains,
            results=self.results,
            people=Pseudonyms(KEY),
            repository_charter=self.charter_of,
            unattested=unattested,
        )
        self.gate = Gate(
            scribe=self.scribe,
            state=self.state,
            enrolment=self.enrolment,
            results=self.results,
            chains=chains,
            workers=self.workers,
        )
        self.ids = itertools.count(1)
        self.trees = []

    def charter_of(self, path):
        return self.repositories.get(path)

    def host(self, tree=None) -> Host:
        """A new host process with one process below it that stands for the hook client."""
        if tree is None:
            tree = Tree(depth=2)
            self.trees.append(tree)
        return Host(self, m.Peer(pid=tree.pids[1], uid=os.getuid()))

    def handle(self, message, peer):
        return self.runner.run(self.gate.handle(message, peer))

    def events(self, kind=None):
        self.ledger.commit()
        found = [decode(entry.leaf) for entry in self.ledger.entries()]
        return found if kind is None else [event for event in found if isinstance(event, kind)]

    def besides(self):
        self.ledger.commit()
        return [decode_beside(entry.beside) for entry in self.ledger.entries()]

    def close(self):
        for tree in self.trees:
            tree.close()
        self.workers.stop()
        self.ledger.close()
        self.runner.close()


class Host:
    """A session as its host tells of it."""

    _sessions = itertools.count(1)

    def __init__(self, world: World, peer: m.Peer, session: str = "") -> None:
        self.world = world
        self.peer = peer
        self.session = session or f"session-{next(self._sessions)}"

    def also(self, session: str) -> Host:
        """The same process with another session."""
        return Host(self.world, self.peer, session)

    def common(self, event, sub=""):
        return {
            "door": DOOR,
            "session": self.session,
            "event": event,
            "host_agent": sub,
            "cwd": str(self.world.repo),
        }

    def call(self, name, args, *, sub="", call_id="") -> Call:
        return Call(
            door=DOOR,
            session=self.session,
            host_agent=sub,
            call_id=call_id or f"call-{next(self.world.ids)}",
            tool=tool_of(name),
            name=name,
            args=args,
            cwd=str(self.world.repo),
        )

    def asked(self, name, args, *, sub="", call_id=""):
        return m.CallAsked(call=self.call(name, args, sub=sub, call_id=call_id), **self.common("PreToolUse", sub))

    def tell(self, message):
        return self.world.handle(message, self.peer)

    def ask(self, name, args, *, sub="", call_id=""):
        return self.tell(self.asked(name, args, sub=sub, call_id=call_id))

    def bash(self, command, **kwargs):
        return self.ask("Bash", {"command": command}, **kwargs)

    def start(self, source="startup"):
        return self.tell(m.SessionStarted(source=source, **self.common("SessionStart")))

    def end(self):
        return self.tell(m.SessionEnded(reason="other", **self.common("SessionEnd")))

    def back(self, name, args, *, call_id, output="", ok=True, sub="", child=""):
        event = "PostToolUse" if ok else "PostToolUseFailure"
        call = self.call(name, args, sub=sub, call_id=call_id)
        return self.tell(m.CallReturned(call=call, ok=ok, output=output, child=child, **self.common(event, sub)))

    def sub_start(self, sub, agent_type="general-purpose"):
        return self.tell(m.SubagentStarted(agent_type=agent_type, **self.common("SubagentStart", sub)))

    def sub_stop(self, sub, output=""):
        return self.tell(m.SubagentStopped(output=output, **self.common("SubagentStop", sub)))

    @property
    def agent(self):
        return self.world.state.registry.by_session(DOOR, self.session)

    def sub(self, sub):
        return self.world.state.registry.by_session(DOOR, self.session, sub)

    def labels(self, sub=""):
        agent = self.sub(sub) if sub else self.agent
        return {label.name for label in self.world.state.flow.labels_of(agent.id)}
