"""A small world: agents, a poisoned page, a leak, a commit; told in the record, asked through the view."""

import pytest
from tests.store.record import NOTHING, Story

from outrider.events.call import Effect, Label
from outrider.events.record import AgentEnded, Beside, Entity, LabelsJoined, Prompted
from outrider.store.follow import catch_up
from outrider.store.view import View

COMMIT = "3f786850e387550fdab836ed7e6dc881de23001b"


def prints(*words):
    """Stand in for keyed fingerprints: one a word, the same for the same word."""
    return b"".join(sorted(word.encode().ljust(8, b"\0")[:8] for word in words))


class World(Story):
    """A story with shorthands, and the view of it."""

    directory = None

    def view(self):
        view = View(self.directory / f"view{len(self.entries_)}.sqlite")
        catch_up(view, self)
        return view

    def prompt(self, agent, *words, named=()):
        beside = Beside(prints=prints(*words), entities=tuple(named))
        return self.put(Prompted, agent=agent, content=NOTHING, beside=beside)

    def fetch(self, agent, host, *words, named=(), labels=(), label=True):
        n = self.call(
            agent, Effect(verb="connect", kind="host", value=host), entities=[Entity("sent", "host", host)],
            tool="fetch", control=prints(host), labels=labels,
        )  # fmt: skip
        mentions = [Entity("mentioned", kind, value) for kind, value in named]
        adds = [Label("untrusted", -1)] if label else []
        return n, self.result(agent, n, prints=prints(*words), entities=mentions, adds=adds)

    def read(self, agent, path, *words, labels=(), entities=(), verdict="allow"):
        n = self.call(
            agent, Effect(verb="read", kind="path", value=path), verdict, [Entity("read", "path", path)],
            labels=labels, control=prints(path),
        )  # fmt: skip
        return n, self.result(agent, n, ok=verdict == "allow", prints=prints(*words), entities=entities)

    def write(self, agent, path, *words, verdict="allow"):
        n = self.call(
            agent, Effect(verb="write", kind="path", value=path), verdict, [Entity("wrote", "path", path)],
            control=prints(path), prints=prints(path, *words),
        )  # fmt: skip
        return n, self.result(agent, n) if verdict == "allow" else -1

    def upload(self, agent, host, *words, verdict="allow", labels=(), ok=True):
        n = self.call(
            agent, Effect(verb="connect", kind="host", value=host, flags=("upload",)), verdict,
            [Entity("sent", "host", host)], control=prints(host, *words), labels=labels,
        )  # fmt: skip
        if verdict == "allow":
            self.result(agent, n, ok=ok)
        return n

    def commit(self, agent, commit=COMMIT, *, named=True):
        n = self.call(
            agent, Effect(verb="commit", kind="repo", value="/r"), entities=[Entity("committed", "repo", "/r")]
        )
        entities = [Entity("committed", "commit", commit)] if named else []
        return n, self.result(agent, n, entities=entities)

    def spawn(self, agent, charter="researcher", *words):
        return self.call(
            agent, Effect(verb="spawn", kind="charter", value=charter), tool="spawn",
            entities=[Entity("spawned", "tool", charter)], control=prints(charter), prints=prints(charter, *words),
        )  # fmt: skip

    def end(self, agent, how="completed"):
        return self.put(AgentEnded, agent=agent, how=how)

    def join(self, parent, child, *labels):
        return self.put(LabelsJoined, agent=parent, origin_agent=child, labels=tuple(labels))


@pytest.fixture
def world(tmp_path):
    made = World()
    made.directory = tmp_path
    made.opened()
    return made
