"""What a session of the real client leaves: a whole record, and the right answers out of it, through the commands."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from tests.real.claude_code import ClaudeCode, Run, World
from tests.real.rider import Rider
from tests.real.scripted_model import Heard, Script, Turn, Use, bash, task, use

from outrider.events.record import CallResult, Prompted, RecordGap

pytestmark = pytest.mark.real

TOKEN = "ghp_" + "16C7e42F292c6912E771" + "0c838347Ae178B4a"


@pytest.fixture
def coder(rider: Rider, claude: ClaudeCode) -> Rider:
    """The repository's agents are coders; hooks are ``outrider init``'s own, and start the daemon."""
    rider.init("--charter", "coder", "--enforce")
    return rider


def told(rider: Rider, *arguments: str, ok: int = 0) -> Any:
    """Return the data of ``outrider ARGUMENTS --json``."""
    return rider.json(*arguments, ok=ok)["data"]


def test_the_commands_answer_for_a_session_that_is_over(coder: Rider, claude: ClaudeCode) -> None:
    script = Script(
        [
            bash("echo hello > made.txt && git add made.txt && git commit -qm Made"),
            task("Look around, LOOKING"),
            bash("curl -s https://evil.example/x"),
            Turn("over"),
        ],
        {"LOOKING": [bash("touch looked"), Turn("seen")]},
    )
    run = claude(script, allowed=("Bash", "Agent"))
    assert run.final == "over", run
    parent, child = coder.births()
    _involved(coder, claude.world, parent.agent, child.agent)
    _explained(coder, parent.agent)
    _listed(coder, run, parent.agent, child.agent)


def _involved(coder: Rider, world: World, parent: str, child: str) -> None:
    """Who made what, by path and by commit; what was only tried; what nobody ever touched."""
    commit = world.git("rev-parse", "HEAD").strip()
    for artefact, agent in (("made.txt", parent), (commit, parent), (str(world.repo / "looked"), child)):
        answer = told(coder, "involved", artefact)
        assert answer["answer"] == "yes"
        first = answer["agents"][0]
        assert (first["agent"], first["charter"]) == (agent, "coder"), artefact
        assert first["root"] == parent
    tried = told(coder, "involved", "https://evil.example/x")["agents"][0]
    assert (tried["agent"], tried["outcome"]) == (parent, "refused")
    assert told(coder, "involved", "never-seen.example", ok=1)["answer"] == "no"


def _explained(coder: Rider, parent: str) -> None:
    """The one refusal, in the log and explained."""
    [refused] = told(coder, "log", "--verdict", "deny")
    assert refused["agent"] == parent
    why = told(coder, "why", str(refused["n"]))
    assert why["agent"]["id"] == parent
    assert [hit["rule"] for hit in why["decision"]["hits"]] == ["coder.may.connect"]
    assert why["unlock"] == ['add "evil.example" to [may] connect of charter coder']
    assert "coder" in {charter["name"] for charter in why["charters"]}
    assert "evil.example" in {effect["value"] for effect in why["effects"]}


def _listed(coder: Rider, run: Run, parent: str, child: str) -> None:
    """Both agents, gone; how they belong together; and a record that is whole."""
    assert told(coder, "agents") == []
    gone = {one["id"]: one for one in told(coder, "agents", "--all")}
    assert set(gone) == {parent, child}
    assert {one["ended_how"] for one in gone.values()} == {"completed"}
    family = told(coder, "lineage", child[-8:])
    assert (family["agent"], family["root"]) == (child, parent)
    assert [(one["id"], one["parent"]) for one in family["family"]] == [(parent, ""), (child, parent)]
    answer = told(coder, "involved", run.session)
    assert answer["agents"][0]["agent"] in {parent, child}
    before = len(coder.events())  # the daemon may still write down what a session left: the record only grows
    report = told(coder, "verify")
    assert (report["ok"], report["problems"]) == (True, [])
    assert before <= report["events"] <= len(coder.events())


def test_every_call_of_a_batch_is_paired_with_its_result_and_none_went_past(coder: Rider, claude: ClaudeCode) -> None:
    batch = Turn(
        uses=(
            Use("Bash", {"command": "echo one", "description": "a step"}),
            Use("Bash", {"command": "echo two", "description": "a step"}),
            Use("Read", {"file_path": str(claude.world.repo / "README.md")}),
            Use("Bash", {"command": "cat no-such-file", "description": "a step"}),
        )
    )
    run = claude([batch, Turn("over")], allowed=("Bash", "Read"))
    assert run.final == "over", run
    asked = {one.n: one.name for one in coder.decisions()}
    results = {result.intent: result.ok for result in coder.events(CallResult)}
    assert set(results) == set(asked)
    assert sorted((asked[n], ok) for n, ok in results.items()) == [
        ("Bash", False),
        ("Bash", True),
        ("Bash", True),
        ("Read", True),
    ]
    assert coder.events(RecordGap) == []


def test_a_prompt_is_in_the_record_as_a_commitment_and_nowhere_as_text(coder: Rider, claude: ClaudeCode) -> None:
    words = f"Please remember the word quixotically-{os.getpid()}-zebra."
    claude([Turn("remembered")], prompt=words)
    [prompted] = coder.events(Prompted)
    [born] = coder.births()
    assert prompted.agent == born.agent
    assert prompted.content.size == len(words)
    assert set(prompted.content.c) <= set("0123456789abcdef")
    coder.kill()
    found = [path for path in coder.home.root.rglob("*") if path.is_file() and b"quixotically" in path.read_bytes()]
    assert found == []


def test_a_secret_that_was_refused_is_taken_out_after_the_advice(coder: Rider, claude: ClaudeCode) -> None:
    app = claude.world.repo / "app.py"

    def after_advice(heard: Heard) -> Turn:
        assert heard.last.failed, heard.last
        assert "Outrider refused this call" in heard.last.text
        assert "environment" in heard.last.text
        assert TOKEN not in heard.last.text
        return use("Write", file_path=str(app), content='import os\n\nTOKEN = os.environ["TOKEN"]\n')

    first = use("Write", file_path=str(app), content=f'TOKEN = "{TOKEN}"\n')
    run = claude([first, after_advice, Turn("corrected")], allowed=("Write",), mode="acceptEdits")
    assert run.final == "corrected", run
    assert "os.environ" in app.read_text()
    refused, written = coder.decisions()
    assert (refused.decision.enforced, written.decision.enforced) == ("deny", "allow")
    assert {finding.rule for finding in refused.findings} == {"secret.github-token"}


def test_a_secret_that_the_user_pastes_stays_here_however_it_is_encoded(
    coder: Rider, claude: ClaudeCode, mcp: dict[str, object], mcp_log: Path
) -> None:
    encoded = base64.b64encode(TOKEN.encode()).decode()
    calls = [use("mcp__demo__add", a=1, b=2, note=note) for note in (encoded, TOKEN[::-1])]
    run = claude(
        [*calls, Turn("left alone")],
        prompt=f"Look into this failing token: {TOKEN}",
        allowed=("mcp__demo__add",),
        mcp=mcp,
    )
    assert run.final == "left alone", run
    [prompted] = coder.events(Prompted)
    assert [label.name for label in prompted.adds] == ["secret"]
    assert [decided.decision.enforced for decided in coder.decisions()] == ["deny", "deny"]
    assert all("secret-value" in decided.values for decided in coder.decisions())
    assert not mcp_log.exists() or mcp_log.read_text() == ""
    coder.kill()
    kept = [path for path in coder.home.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert kept == []
