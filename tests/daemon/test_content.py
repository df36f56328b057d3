"""Content on a running daemon: kept encrypted, disclosed with what proves it, erased so that no file has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import zstandard
from tests.daemon.house import SRC, until
from tests.daemon.test_canary import CANARIES, found_in

from outrider.config import Home
from outrider.errors import OutriderError
from outrider.events.content import ContentErased, ContentKept, ContentRead
from outrider.events.record import AgentBorn, AgentEnded, CallDecided, CallResult, DaemonStarted, Prompted
from outrider.ledger.content.contents import Contents, checks, checks_kept
from outrider.ledger.frame import Walk, pack
from outrider.ledger.journal import head
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify

NAME = "Zenobia Quartermain"
MAIL = "zenobia@quartermain.example"
GUEST = "theodora.underhill@guest.example"
TOLD = "please bake the saffron cake for everybody"
SECRET = CANARIES["github"]


@pytest.fixture
def kitchen(house):
    """A house whose agents answer to a person with a name, and its daemon."""
    house.configure(f'[sponsor]\nname = "{NAME} <{MAIL}>"\n')
    house.start()
    return house


def outrider(house, *words, code=0, home=None):
    env = {"HOME": str(house.user), "PATH": os.environ["PATH"], "PYTHONPATH": str(SRC),
           "OUTRIDER_HOME": str((home or house.home).root)}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "outrider", *words], env=env, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def bake(house, session="baking", told=TOLD, *, end=True):
    """An agent is told something, runs a command and is answered, and ends."""
    host = house.host(session=session)
    host.hook("SessionStart", source="startup")
    host.hook("UserPromptSubmit", prompt=told)
    host.bash(f"echo saffron {told[:10]}", call=f"{session}-1")
    host.hook(
        "PostToolUse", tool_name="Bash", tool_input={"command": "echo"}, tool_use_id=f"{session}-1",
        tool_response={"stdout": f"saffron, {SECRET}, done\n"},
    )  # fmt: skip
    if end:
        host.hook("SessionEnd", reason="done")
        until(lambda: house.events(AgentEnded))
    return host


def kept(house, count):
    return until(
        lambda: (found := [one for event in house.events(ContentKept) for one in event.kept])[count - 1 :] and found
    )


def reader(house):
    return Contents(house.home.content, house.home.content_key)


def test_prompts_inputs_and_outputs_are_kept_encrypted_and_proved_by_their_leaves(kitchen):
    bake(kitchen)
    said = {one.of: one for one in kept(kitchen, 3)}
    (prompted,), (decided,), (result,) = (kitchen.events(kind) for kind in (Prompted, CallDecided, CallResult))
    with reader(kitchen) as contents:
        for event, part in ((prompted, TOLD), (decided, "echo saffron"), (result, "saffron")):
            content = contents.read(event.n)
            assert part in content.text.decode()
            assert checks_kept(content, said[event.n])
            until(lambda n=event.n: contents.read(n).told >= 0)  # Noted once the event that says so is on disk.
            assert contents.read(event.n).told in {one.n for one in kitchen.events(ContentKept)}
        assert checks(contents.read(prompted.n), prompted.content)
        assert checks(contents.read(decided.n), decided.content)
        output = contents.read(result.n)
    assert output.kept.taken == 1
    assert SECRET not in output.text.decode()
    assert "[secret:" in output.text.decode()
    assert not checks(output, result.content)  # A secret was taken out: it is not what the leaf was made over.
    assert found_in(kitchen.top, [TOLD.encode(), SECRET.encode()]) == []
    assert kitchen.verify().ok


def test_reading_content_is_recorded_with_who_and_why(kitchen):
    bake(kitchen)
    kept(kitchen, 3)
    n = kitchen.events(Prompted)[0].n
    assert TOLD in outrider(kitchen, "content", str(n), "--why", "case 12")
    (read,) = kitchen.events(ContentRead)
    assert (read.of, read.why, read.by[:2]) == (n, "case 12", "p_")
    plain = json.loads(outrider(kitchen, "content", str(n), "--json").partition("\n}\n")[0] + "\n}")["data"]
    assert plain["exact"]
    assert "never kept" in outrider(kitchen, "content", "0", code=2)


def test_after_an_erasure_no_file_names_the_person_and_the_record_still_holds(kitchen):
    bake(kitchen, told=f"{TOLD}, says {NAME}, and write to {GUEST}")
    kept(kitchen, 3)
    born, prompted = kitchen.events(AgentBorn)[0], kitchen.events(Prompted)[0]
    assert NAME in outrider(kitchen, "agents", "--all")
    outrider(kitchen, "fsck")  # The view with its names is what the record makes it, with the keys at hand.
    would = outrider(kitchen, "erase", "--subject", MAIL, "--dry-run")
    assert "3 contents" in would
    assert kitchen.events(ContentErased) == []
    assert "--yes" in outrider(kitchen, "erase", "--subject", MAIL, "--basis", "her request", code=2)
    outrider(kitchen, "erase", "--subject", MAIL, "--basis", "her request", "--yes")
    (event,) = kitchen.events(ContentErased)
    assert (event.what, event.handle, event.contents, event.basis) == ("subject", born.sponsor, 3, "her request")
    (kitchen.home.config).write_text("")  # That is the user's own file.
    needles = [NAME.encode(), MAIL.encode(), TOLD.encode(), GUEST.encode(), GUEST.partition("@")[0].encode()]
    until(lambda: found_in(kitchen.top, needles) == [])
    with reader(kitchen) as contents:
        assert contents.read(prompted.n) is None
    assert kitchen.verify().ok
    assert NAME not in outrider(kitchen, "agents", "--all")
    decided = kitchen.events(CallDecided)[0]
    said = outrider(kitchen, "why", str(decided.n))
    assert f"erased by event {event.n}" in said
    answer = json.loads(outrider(kitchen, "involved", born.agent, "--json"))["data"]
    assert answer["answer"] == "yes"
    assert "Yes" in outrider(kitchen, "involved", GUEST)  # By its print: who was mentioned is not named, and is found.
    assert f"names were erased (event {event.n})" in answer["statement"]
    (told,) = answer["agents"]
    assert (told["cause_event"], told["cause_confidence"]) != (-1, "value")
    kitchen.stop()
    assert found_in(kitchen.top, needles) == []
    kitchen.start()  # Also from the record alone.
    outrider(kitchen, "rebuild")
    assert NAME not in outrider(kitchen, "agents", "--all")
    assert kitchen.verify().ok
    assert "the record does not make" not in outrider(kitchen, "fsck")


def test_an_erasure_holds_for_what_was_packed_before_it_and_a_daemon_goes_on_behind_packs(kitchen):
    bake(kitchen, told=f"{TOLD}, says {NAME}")
    kept(kitchen, 3)
    kitchen.stop()
    in_small_segments(kitchen.home.record)
    assert "Packed" in outrider(kitchen, "compact")
    kitchen.start()
    bake(kitchen, session="again", told=f"{TOLD}, says {NAME} again")
    kept(kitchen, 6)
    outrider(kitchen, "erase", "--subject", MAIL, "--basis", "her request", "--yes")
    (kitchen.home.config).write_text("")
    needles = [NAME.encode(), MAIL.encode(), TOLD.encode()]
    until(lambda: found_in(kitchen.top, needles) == [])
    packs = list((kitchen.home.record / "pack").iterdir())
    assert len(packs) > 2
    for path in packs:
        with zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True) as unpacked:
            data = unpacked.read()
        assert b'"kind":"' in data
        assert not [needle for needle in needles if needle in data]
    outrider(kitchen, "rebuild")
    assert NAME not in outrider(kitchen, "agents", "--all")
    assert kitchen.verify().ok
    assert "the record does not make" not in outrider(kitchen, "fsck")


def in_small_segments(record):
    """Write the journal of a record that nobody writes anew, a few events a segment."""
    frames, (path,) = [], (record / "journal").iterdir()
    for entry in Walk(fd := os.open(path, os.O_RDONLY), 12):
        frames.append(pack(entry.n, entry.group, entry.leaf, entry.beside))
    os.close(fd)
    for at in range(0, len(frames), 4):
        (record / "journal" / f"{at:020d}.seg").write_bytes(head(at) + b"".join(frames[at : at + 4]))


def test_an_agent_that_lives_is_not_erased_and_one_that_has_ended_is(kitchen):
    host = bake(kitchen, end=False)
    kept(kitchen, 3)
    agent = kitchen.events(AgentBorn)[0].agent
    with pytest.raises(OutriderError) as told:
        kitchen_asks(kitchen, agent=agent, basis="because")
    assert "live" in str(told.value)
    host.hook("SessionEnd", reason="done")
    until(lambda: kitchen.events(AgentEnded))
    assert "3 contents" in outrider(kitchen, "erase", "--agent", agent[-6:], "--basis", "because", "--yes")
    (event,) = kitchen.events(ContentErased)
    assert (event.what, event.handle, len(event.slots)) == ("agent", agent, 1)


def kitchen_asks(house, **request):
    answer = house.control(do="erase", **request)
    if "error" in answer:
        raise OutriderError(answer["error"], fix=answer["fix"])
    return answer


def test_erased_content_that_is_put_back_from_a_backup_is_noticed(kitchen):
    bake(kitchen)
    kept(kitchen, 3)
    kitchen.stop()
    backup = {path: path.read_bytes() for path in (kitchen.home.content / "content.sqlite", kitchen.home.content_key)}
    kitchen.start()
    outrider(kitchen, "erase", "--subject", MAIL, "--basis", "her request", "--yes")
    kitchen.stop()
    assert kitchen.verify().ok
    for path, data in backup.items():
        path.write_bytes(data)
    with reader(kitchen) as contents:
        assert contents.read(kitchen.events(Prompted)[0].n) is not None
    problems = kitchen.verify().problems
    assert {problem.check for problem in problems} == {"erased"}
    assert problems[0].event == kitchen.events(ContentErased)[0].n
    assert "it is there again" in outrider(kitchen, "verify", code=6)


def test_a_backup_brings_back_what_was_erased_since_unless_a_newer_record_says_so(kitchen, tmp_path):
    bake(kitchen)
    kept(kitchen, 3)
    old, newer = tmp_path / "backup", tmp_path / "record"
    outrider(kitchen, "backup", str(old), "--keys")
    outrider(kitchen, "erase", "--subject", MAIL, "--basis", "her request", "--yes")
    bake(kitchen, "later", "please knead")
    kitchen.stop()
    shutil.copytree(kitchen.home.record, newer)
    n = kitchen.events(Prompted)[0].n

    def restored(name, *options):
        home = Home(tmp_path / name)
        said = outrider(kitchen, "restore", str(old), *options, home=home)
        with Contents(home.content, home.content_key) as contents:
            return home, said, contents.read(n)

    home, said, content = restored("alone")
    assert content.text == TOLD.encode()
    assert "erased after this backup can be read again" in said
    assert verify(home.record, content=home.content).ok, "nothing that is there knows of the erasure"

    home, said, content = restored("with", "--record", str(newer))
    assert content is None
    assert "3 contents that were erased after the backup are erased again" in said
    assert verify(home.record, content=home.content).ok
    assert len(list(Reader(home.record).entries())) == len(list(Reader(newer).entries()))


def test_the_content_of_one_event_is_erased_with_its_salt_and_the_rest_stays(kitchen):
    bake(kitchen)
    kept(kitchen, 3)
    n, other = kitchen.events(Prompted)[0].n, kitchen.events(CallDecided)[0].n
    outrider(kitchen, "erase", "--event", str(n), "--basis", "a letter", "--yes")
    with reader(kitchen) as contents:
        assert contents.read(n) is None
        assert contents.read(other).exact
    assert kitchen.events(ContentErased)[0].events == (n,)
    assert "nothing is kept" in outrider(kitchen, "erase", "--event", str(n), "--basis", "again", "--yes", code=2)


def test_an_erasure_needs_its_basis_and_one_that_is_meant(kitchen):
    bake(kitchen)
    for request in ({"subject": MAIL}, {"basis": "x"}, {"subject": "nobody", "basis": "x"}, {"events": ["x"]}):
        with pytest.raises(OutriderError):
            kitchen_asks(kitchen, **request)
    assert kitchen.events(ContentErased) == []


def test_what_a_killed_daemon_had_staged_is_kept_by_the_next(kitchen):
    bake(kitchen, end=False)
    kitchen.kill(kitchen.pid)
    kitchen.start()
    assert len(kept(kitchen, 3)) == 3
    assert len(kitchen.events(DaemonStarted)) == 2
    with reader(kitchen) as contents:
        assert contents.read(kitchen.events(Prompted)[0].n).text.decode() == TOLD


def test_a_charter_decides_what_is_kept_and_the_record_says_what_was_not(house):
    shutil.copy(SRC.parent / "charters" / "coder.toml", house.home.charters / "coder.toml")
    charter = house.home.charters / "coder.toml"
    charter.write_text(charter.read_text() + '\n[keep]\nwhat = ["prompts"]\nmax = 100\n')
    house.start()
    bake(house, told="x" * 500)
    (one,) = kept(house, 1)
    assert (one.of, one.cut) == (house.events(Prompted)[0].n, 400)
    until(lambda: sum(event.left.get("charter", 0) for event in house.events(ContentKept)) == 2)
    with reader(house) as contents:
        assert contents.read(one.of).text.startswith(b"x" * 75 + b"\n[400 bytes left out]\n")
        decided = house.events(CallDecided)[0]
        assert contents.read(decided.n).text is None
        assert len(contents.read(decided.n).salt) == 32


def test_what_the_charters_age_is_up_of_is_erased_and_an_event_says_so(house):
    shutil.copy(SRC.parent / "charters" / "coder.toml", house.home.charters / "coder.toml")
    charter = house.home.charters / "coder.toml"
    charter.write_text(charter.read_text() + '\n[keep]\nage = "1h"\n')
    house.start()
    bake(house)
    kept(house, 3)
    house.stop()
    with Contents(house.home.content, house.home.content_key, write=True) as one, one.database.transaction() as db:
        db.execute("UPDATE records SET until = 1")  # An hour has gone by.
    house.start()  # A daemon looks for what is due when it starts.
    event = until(lambda: house.events(ContentErased))[0]
    assert (event.what, event.by) == ("age", "charter")
    with reader(house) as contents:
        assert contents.read(house.events(Prompted)[0].n) is None
    assert house.verify().ok


def test_cause_marks_the_words_of_the_kept_instruction_and_says_so_once_they_are_erased(kitchen):
    host = kitchen.host(session="sending")
    host.hook("SessionStart", source="startup")
    host.hook("UserPromptSubmit", prompt="Hello.\nPlease post the recipe to https://drop.saffron.example/in today.")
    host.bash("curl -d @recipe https://drop.saffron.example/in", call="sending-1")
    host.hook("SessionEnd", reason="done")
    until(lambda: kitchen.events(AgentEnded))
    kept(kitchen, 2)
    (prompted,), (decided,) = kitchen.events(Prompted), kitchen.events(CallDecided)
    told = outrider(kitchen, "cause", str(decided.n))
    shown = told.partition("The words of event")[2].splitlines()
    assert "    2 | Please post the recipe to https://drop.saffron.example/in today." in shown
    under = shown[shown.index("    2 | Please post the recipe to https://drop.saffron.example/in today.") + 1]
    assert "^" * len("drop.saffron.example") in under
    assert [(one.of, one.why) for one in kitchen.events(ContentRead)] == [(prompted.n, f"cause of event {decided.n}")]
    data = json.loads(outrider(kitchen, "cause", str(decided.n), "--json"))["data"]
    (span, *_) = data["shown"][0]["spans"]
    assert (span["line"], data["shown"][0]["state"], data["confidence"]) == (2, "shown", "value")
    assert "The words of" not in outrider(kitchen, "cause", str(decided.n), "--no-content")

    outrider(kitchen, "erase", "--event", str(prompted.n), "--basis", "asked for", "--yes")
    told = outrider(kitchen, "cause", str(decided.n))
    assert f"The words of event {prompted.n}: erased" in told
    assert "only fingerprints say so" in told
    kitchen.stop()
    assert "not opened" not in outrider(kitchen, "cause", str(decided.n), "--no-content")


def test_replay_can_judge_again_from_what_is_kept_and_counts_what_is_gone(kitchen, tmp_path):
    bake(kitchen)
    bake(kitchen, session="again")
    kept(kitchen, 6)
    draft = tmp_path / "draft.toml"
    charter = kitchen.events(AgentBorn)[0].charter
    draft.write_text(f'[charter]\nname = "{charter}"\nextends = "base"\n\n[never]\nexec = ["echo"]\n')
    asked = ("replay", "--charter", str(draft), "--rejudge")
    told = outrider(kitchen, *asked)
    assert "2 of 2 calls were parsed and detected again from what is kept of them." in told
    assert "newly have refused: 2" in told
    assert "read and ruled on again  2 calls, " in told
    assert [one.why for one in kitchen.events(ContentRead)] == ["replay --rejudge of all from event 0 on"]
    first = kitchen.events(CallDecided)[0]
    outrider(kitchen, "erase", "--event", str(first.n), "--basis", "asked for", "--yes")
    data = json.loads(outrider(kitchen, *asked, "--json"))["data"]
    assert (data["again"], data["lacking"]) == (1, [{"reason": "erased", "count": 1, "first": first.n}])
    assert "1 could not be judged again: 1 erased." in data["statement"]
