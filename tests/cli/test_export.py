"""``outrider export`` and ``outrider verify BUNDLE``."""

import base64
import json
import zipfile

import pytest
from tests.store.record import Story

from outrider.cli import reach
from outrider.config import Home
from outrider.events.call import Effect
from outrider.events.codec import commit
from outrider.events.content import ContentKept
from outrider.events.record import AgentEnded, Beside, Entity, Prompted, RecordOpened
from outrider.ledger.content.contents import Contents, Item
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger


def told(home: Home) -> str:
    """Leave a record of one agent that reached a host; return its key."""
    home.make()
    with Ledger.open(home.record, origin="outrider.test/log", key=log_key(home.keys / "log.key")) as ledger:
        story = Story()
        story.put(RecordOpened, heard="daemon", origin=ledger.origin, vkey=ledger.vkey)
        story.born("ag_child", sponsor="p_1")
        connect = Effect(verb="connect", kind="host", value="evil.example")
        n = story.call("ag_child", connect, entities=[Entity("sent", "host", "evil.example")])
        story.result("ag_child", n)
        story.put(AgentEnded, agent="ag_child", how="completed", beside=Beside(private={"human": "Mara"}))
        for entry in story.entries(0):
            ledger.append(lambda _, entry=entry: entry)
        return ledger.vkey


def test_events_are_sealed_and_checked_by_one_command_each(outrider, home, tmp_path):
    vkey = told(home)
    path = tmp_path / "b.zip"
    done = outrider("export", "--artefact", "evil.example", "-o", str(path))
    assert (done.code, done.out) == (0, "")
    assert vkey in done.err
    checked = outrider("verify", str(path), "--vkey", vkey)
    assert (checked.code, "The bundle is whole" in checked.out) == (0, True)
    assert path.stat().st_mode & 0o077 == 0
    asked = outrider("verify", str(path), "--json")
    assert (asked.code, asked.data["ok"], asked.data["pinned"]) == (0, True, False)


def test_what_is_already_there_is_not_written_over(outrider, home, tmp_path):
    told(home)
    path = tmp_path / "b.zip"
    path.write_bytes(b"mine")
    done = outrider("export", "--events", "0-2", "-o", str(path))
    assert (done.code, path.read_bytes(), list(tmp_path.glob("b.zip.*"))) == (2, b"mine", [])


def test_a_changed_bundle_and_one_that_is_none_have_exit_codes_of_their_own(outrider, home, tmp_path):
    told(home)
    path = tmp_path / "b.zip"
    outrider("export", "--events", "1", "-o", str(path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("alibi.txt", "it was not me")
    assert outrider("verify", str(path)).code == 6
    path.write_bytes(b"nothing of the kind")
    done = outrider("verify", str(path))
    assert (done.code, "plain zip" in done.err) == (2, True)
    assert outrider("verify", str(tmp_path / "none.zip")).code == 2


def test_the_verifier_is_printed_as_one_file(outrider, world):
    done = outrider("export", "--verifier")
    compile(done.out, "verify.py", "exec")
    assert (done.code, "import outrider" in done.out) == (0, False)


@pytest.mark.parametrize(
    "wrong",
    [("--events", "x"), ("--events", "5-"), ("--since", "yesterday"), ("--agent", "zz"), (), ("--events", "0-9999999")],
)
def test_what_cannot_be_read_is_refused_with_its_fix(outrider, home, tmp_path, wrong):
    told(home)
    done = outrider("export", *wrong, "-o", str(tmp_path / "b.zip"))
    assert (done.code, done.err.count("\n") >= 2) == (2, True), done.err


def test_content_leaves_only_where_it_was_asked_for_and_the_record_is_told(outrider, home, tmp_path, monkeypatch):
    """Whole content opens its event's own commitment, content with a secret taken out the one that says it is kept."""
    asked = []
    monkeypatch.setattr(reach, "daemon", lambda request, *_, **__: asked.append(request) or {})
    whole, cut = b"look at the page", b"use [secret:x:1]"
    salts = b"s" * 32, b"t" * 32
    home.make()
    key = log_key(home.keys / "log.key")
    with (
        Contents(home.content, home.content_key, write=True) as kept,
        Ledger.open(home.record, origin="outrider.test/log", key=key) as ledger,
    ):
        story = Story()
        story.put(RecordOpened, heard="daemon", origin=ledger.origin, vkey=ledger.vkey)
        story.born("ag_child", sponsor="p_1")
        story.put(Prompted, agent="ag_child", content=commit(whole, salts[0]))
        story.put(Prompted, agent="ag_child", content=commit(b"use the key", salts[1]))
        what = {"agent": "ag_child", "subject": "host", "slot": 0, "media": "text/plain", "ts": 1}
        items = [
            Item(n=2, salt=salts[0], text=whole, **what),
            Item(n=3, salt=salts[1], text=cut, taken=1, **what),
        ]
        told = tuple(kept.keep(items))
        kept.tell(told, story.put(ContentKept, heard="daemon", kept=told))
        for entry in story.entries(0):
            ledger.append(lambda _, entry=entry: entry)
    path, without = tmp_path / "b.zip", tmp_path / "c.zip"
    assert outrider("export", "--agent", "ag_child", "-o", str(without)).code == 0
    assert outrider("export", "--agent", "ag_child", "--disclose", "2-3", "-o", str(path)).code == 0
    assert [outrider("verify", str(one)).code for one in (path, without)] == [0, 0]
    with zipfile.ZipFile(path) as archive:
        said = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("disclosed/")}
    assert {name: base64.b64decode(one["content"]) for name, one in said.items()} == {
        "disclosed/2.json": whole,
        "disclosed/4.json": cut,
    }
    assert [one["of"] for one in asked if one["do"] == "content"] == [2, 3]
    with zipfile.ZipFile(without) as archive:
        assert not [name for name in archive.namelist() if name.startswith("disclosed/")]


def test_content_is_not_disclosed_where_no_daemon_records_that_it_was_read(outrider, home, tmp_path):
    told(home)
    path = tmp_path / "b.zip"
    assert outrider("export", "--events", "1", "--disclose", "1", "-o", str(path)).code == 7
    assert not path.exists()


def test_nothing_is_sealed_without_the_logs_key(outrider, home, tmp_path):
    told(home)
    (home.keys / "log.key").unlink()
    assert outrider("export", "--events", "1", "-o", str(tmp_path / "b.zip")).code == 7
    assert not (home.keys / "log.key").exists()


def test_events_leave_in_the_form_of_another_tool_and_keep_their_leafs_hash(outrider, home, tmp_path):
    told(home)
    path = tmp_path / "t.jsonl"
    done = outrider("export", "--to", "timesketch", "--artefact", "evil.example", "-o", str(path))
    assert (done.code, done.out) == (0, "")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["kind"] for line in lines} >= {"agent.born", "call.decided"}
    assert all(len(line["leaf_hash"]) == 64 for line in lines)
    assert "Mara" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    again = outrider("export", "--to", "timesketch", "--artefact", "evil.example", "-o", str(path))
    assert (again.code, "already" in again.err) == (2, True)
    printed = outrider("export", "--to", "csv", "--events", "1-2", "-o", "-")
    assert (printed.code, printed.out.splitlines()[0].split(",")[:3]) == (0, ["time", "event", "kind"])
    assert len(printed.out.splitlines()) > 2


def test_sigma_rules_are_asked_of_the_record(outrider, home, tmp_path):
    pytest.importorskip("sigma", reason="pySigma is not installed")
    told(home)
    rule = tmp_path / "r.yml"
    rule.write_text(
        "title: reached\nlogsource: {product: agent, category: tool_call}\n"
        "detection:\n  a: {host: evil.example}\n  condition: a\nlevel: high\n"
    )
    done = outrider("sigma", str(rule))
    assert (done.code, "reached" in done.out, "1 rule asked" in done.err) == (8, True, True)
    asked = outrider("sigma", str(rule), "--json")
    [match] = asked.data["matches"]
    assert (match["title"], match["event"]["agent"]) == ("reached", "ag_child")
    assert outrider("sigma").code == 0
