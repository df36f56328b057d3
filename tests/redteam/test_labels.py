"""Ways to lose a label, each proved once and closed."""

from __future__ import annotations

from tests.redteam.conftest import Rig

_ASKS = """
[charter]
name = "asks"
extends = "base"
[may]
read = ["*"]
exec = ["*"]
connect = ["*"]
opaque = "allow"
[ask]
read = ["~/.aws/**"]
[flow]
secret = { not_to = ["connect"] }
"""


def test_a_secret_read_that_a_person_approved_still_marks_the_agent(rig: Rig) -> None:
    (rig.outrider.charters / "asks.toml").write_text(_ASKS)
    rig.parts.charters.refresh()
    rig.use("asks")
    assert rig.bash("curl https://example.org") == "silent"
    command = "cat ~/.aws/credentials"
    assert rig.bash(command, tool_use_id="read") == "ask"
    rig.tell(
        "PostToolUse", tool_name="Bash", tool_input={"command": command}, tool_use_id="read",
        tool_response={"stdout": "nothing that looks like a key", "stderr": ""},
    )  # fmt: skip
    assert rig.bash("curl https://example.org") == "deny"


def test_a_refused_read_marks_the_agent_if_the_host_did_not_obey(rig: Rig) -> None:
    command = "cat ~/.aws/credentials"
    assert rig.bash(command, tool_use_id="read") == "deny"
    agent = rig.events()[-1].agent
    assert not rig.parts.state.flow.labels_of(agent)
    rig.tell(
        "PostToolUse", tool_name="Bash", tool_input={"command": command}, tool_use_id="read",
        tool_response={"stdout": "nothing that looks like a key", "stderr": ""},
    )  # fmt: skip
    assert {label.name for label in rig.parts.state.flow.labels_of(agent)} == {"secret"}
