"""An executable too large to be hashed at a birth is attested once its digest is known."""

from __future__ import annotations

from outrider.events.record import AgentAttested, AgentBorn
from outrider.gate import enrol
from outrider.identity import digest


def test_a_large_executable_is_attested_as_an_event_of_its_own(world, monkeypatch):
    threads = []
    monkeypatch.setattr(enrol, "exe_digest", lambda pid, limit=0: digest.exe_digest(pid, 0))
    monkeypatch.setattr(enrol, "digest_later", lambda pid: threads.append(digest.digest_later(pid)) or True)
    monkeypatch.setattr(digest, "_known", type(digest._known)())
    host = world.host()
    host.start()
    assert world.events(AgentBorn)[0].attested.exe == ""
    for thread in threads:
        if thread is not None:
            thread.join()
    world.enrolment.attest_late()
    world.enrolment.attest_late()
    (told,) = world.events(AgentAttested)
    assert told.agent == world.events(AgentBorn)[0].agent
    assert told.exe == digest.exe_digest(host.peer.pid)
    assert any(entity.kind == "digest" and entity.value == told.exe for entity in world.besides()[told.n].entities)
