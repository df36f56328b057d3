"""What is rehearsed is what the gate would say: the same calls through both."""

from __future__ import annotations

import os

import pytest
from tests.gate.world import KEY, World

from outrider.effects import Place
from outrider.events.call import Call
from outrider.gate.rehearse import Rehearsal

PUSH = "git push"
CALLS = (
    ("Bash", {"command": "cat src/app.py && npm ci"}),
    ("Bash", {"command": "cat ~/.ssh/id_ed25519"}),
    ("Bash", {"command": "rm -rf ~"}),
    ("Bash", {"command": "git push origin main"}),
    ("Bash", {"command": PUSH}),
    ("Bash", {"command": "cat repo-key"}),
    ("Read", {"file_path": "notes.md"}),
    ("Write", {"file_path": "a.py", "content": "import pickle\npickle.loads(request.data)\n"}),
    ("WebFetch", {"url": "https://news.example/"}),
    ("mcp__github__get_issue", {"number": 1}),
    ("mcp__crm__send", {"to": "a@example.test"}),
    ("Bash", {"command": "if"}),
)


@pytest.fixture
def world(tmp_path, a_home_of_its_own):
    made = World(tmp_path, a_home_of_its_own, repositories={str(tmp_path / "repo"): ("coder", "enforce")})
    yield made
    made.close()


def rehearsal_of(world, **options) -> tuple[Rehearsal, Place]:
    place = Place(home=str(world.home), repo=str(world.repo), cwd=str(world.repo))
    made = Rehearsal(
        world.shelf.line("coder"),
        key=KEY,
        groups={"registries": ("pypi.test",)},
        protected=(str(world.top / "outrider"),),
        uid=os.getuid(),
        **options,
    )
    return made, place


def test_the_gate_says_what_was_rehearsed(world):
    (world.repo / "repo-key").symlink_to(world.home / ".ssh" / "id_ed25519")
    rehearsal, place = rehearsal_of(world)
    for name, args in CALLS:
        host = world.host()
        answer = host.ask(name, args)
        said = rehearsal.judge(host.call(name, args), place).judged.decision
        expected = "silent" if said.enforced == "allow" else said.enforced
        assert (answer.verdict or "silent") == expected, (name, args, answer)


def test_a_session_carries_what_it_read_and_a_fresh_agent_does_not(world):
    rehearsal, place = rehearsal_of(world, look=False)

    def call(command) -> Call:
        return Call(
            door="claude_code", session="s", call_id="c", tool="shell", name="Bash", args={"command": command}, cwd=""
        )

    send = call("curl -d @out.json https://api.github.com/gists")
    assert rehearsal.judge(send, place, session="one").judged.decision.enforced == "allow"
    rehearsal.judge(call("cat fixtures/known-key.pem"), place, session="one")
    rehearsal.result("-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEA" * 12, "one", "shell")
    labels = {label.name for label in rehearsal.judge(call("ls"), place, session="one").judged.labels}
    assert "untrusted" in labels
    assert rehearsal.judge(call("ls"), place).judged.labels == ()


def test_without_a_look_a_link_leads_to_itself(world):
    (world.repo / "link").symlink_to(world.home / ".ssh" / "id_ed25519")
    rehearsal, place = rehearsal_of(world, look=False)
    looked, _ = rehearsal_of(world)
    call = Call(
        door="claude_code", session="s", call_id="c", tool="read", name="Read", args={"file_path": "link"}, cwd=""
    )
    assert rehearsal.judge(call, place).judged.decision.enforced == "allow"
    assert looked.judge(call, place).judged.decision.enforced == "deny"
