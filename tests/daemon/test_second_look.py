"""A second look at what was written: after the answer, joined to the call, told with the next answer, never silent."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.daemon.house import PATIENCE, until

from outrider.events.record import CallDecided, SecondLook

BANDIT = Path(sys.executable).parent / "bandit"
GET = "import urllib.request\n\n\ndef get(url):\n    return urllib.request.urlopen(url).read()\n"


def write(host, path, text, call="c1"):
    args = {"file_path": str(path), "content": text}
    return host.hook("PreToolUse", tool_name="Write", tool_input=args, tool_use_id=call)


def context(said):
    return json.loads(said.out)["hookSpecificOutput"].get("additionalContext", "") if said.out.strip() else ""


def looks(house):
    return house.events(SecondLook)


def ready(house, tool):
    """Wait until a scanner has shown whether it sees anything, and return what it lacks."""
    # A scanner has the lowest priority and 20 s of its own: on a busy machine it may need all of them.
    until(lambda: "has not shown" not in house.status()["second_look"][tool], seconds=3 * PATIENCE)
    return house.status()["second_look"][tool]


def program(house, name, body):
    path = house.top / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    return path


@pytest.fixture
def bandit(house):
    """A house whose daemon lets bandit look again."""
    if not BANDIT.exists():
        pytest.skip("bandit is not installed beside this interpreter")
    house.configure('[second_look]\ntools = ["bandit"]\n')
    house.start()
    assert ready(house, "bandit") == ""
    return house


def test_what_bandit_finds_is_an_event_that_names_the_write_and_is_told_with_the_next_answer(bandit):
    host = bandit.host()
    said = write(host, bandit.repo / "get.py", GET)
    assert (said.verdict, context(said)) == ("silent", "")
    (look,) = until(lambda: looks(bandit))
    (decided,) = bandit.events(CallDecided)
    assert (look.intent, look.agent, look.scanner, look.unlooked) == (decided.n, decided.agent, "bandit", "")
    assert [one.rule for one in look.findings] == ["bandit.b310"]
    assert look.path == "~/repo/get.py" or look.path.endswith("/repo/get.py")
    heard = context(host.bash("ls", call="c2"))
    assert f"what you wrote in event {decided.n}" in heard
    assert "bandit.b310" in heard
    assert f"Recorded as event {look.n}" in heard
    assert context(host.bash("ls", call="c3")) == "", "it is told once"


def test_only_lines_that_the_change_adds_are_found(bandit):
    host = bandit.host()
    path = bandit.repo / "get.py"
    path.write_text(GET)
    write(host, path, GET + "\n\nHOST = '0.0.0.0'\n")
    (look,) = until(lambda: looks(bandit))
    assert [one.rule for one in look.findings] == ["bandit.b104"]


def test_what_is_refused_or_no_python_is_not_looked_at_again(bandit):
    host = bandit.host()
    assert write(host, "/etc/get.py", GET, call="c1").verdict == "deny"
    assert write(host, bandit.repo / "notes.md", "# notes\n", call="c2").verdict == "silent"
    write(host, bandit.repo / "get.py", GET, call="c3")
    until(lambda: looks(bandit))
    assert [one.intent for one in looks(bandit)] == [bandit.events(CallDecided)[-1].n]


def test_text_that_it_cannot_parse_is_said_not_to_be_looked_at(bandit):
    write(bandit.host(), bandit.repo / "get.py", "def broken(:\n")
    (look,) = until(lambda: looks(bandit))
    assert look.unlooked == "failed: it could not parse the text"


def test_a_restart_tells_what_was_not_told_yet(bandit):
    host = bandit.host()
    write(host, bandit.repo / "get.py", GET)
    until(lambda: looks(bandit))
    bandit.stop()
    bandit.start()
    assert "bandit.b310" in context(host.bash("ls", call="c2"))
    assert bandit.verify().ok


def test_a_scanner_that_is_missing_is_named_and_every_write_recorded_as_not_looked_at(house):
    house.configure('[second_look]\ntools = ["/nonexistent/bandit"]\n')
    house.start()
    assert ready(house, "bandit") == "it is not installed"
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house))
    assert (look.unlooked, look.findings) == ("it is not installed", ())


def test_a_scanner_that_finds_nothing_where_it_must_is_blind(house):
    empty = {"results": [], "errors": [], "metrics": {"_totals": {"loc": 6}}}
    path = program(house, "bandit", f"print({json.dumps(json.dumps(empty))})")
    house.configure(f'[second_look]\ntools = ["{path}"]\n')
    house.start()
    assert ready(house, "bandit") == "it does not find its canary"
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house))
    assert look.unlooked == "it does not find its canary"


def test_why_shows_a_second_look_with_the_call_and_doctor_that_the_scanner_sees(bandit, monkeypatch, capsys):
    from outrider.cli import main

    def said(*argv):
        with pytest.raises(SystemExit):
            main(list(argv))
        return capsys.readouterr().out

    monkeypatch.setenv("OUTRIDER_HOME", str(bandit.home.root))
    write(bandit.host(), bandit.repo / "get.py", GET)
    (look,) = until(lambda: looks(bandit))
    for n in (look.intent, look.n):
        told = said("why", str(n))
        assert "What a second look saw" in told
        assert "bandit.b310" in told
    assert "looks again at what is written" in said("doctor")


def test_what_a_comment_lets_be_is_told_if_the_change_brings_it_and_what_the_list_lets_be_is_only_recorded(bandit):
    host = bandit.host()
    excuse = "  # outrider: allow bandit.b310 -- only addresses of ours"
    write(host, bandit.repo / "get.py", GET.rstrip() + excuse + "\n")
    (look,) = until(lambda: looks(bandit))
    assert [(one.suppressed, one.excused) for one in look.findings] == [("only addresses of ours", "added")]
    assert "let be for now by a comment" in context(host.bash("ls", call="c2"))
    allow = '[[allow]]\nrules = ["bandit.b310"]\npaths = ["*.py"]\nreason = "Only addresses of ours."\n'
    (bandit.repo / ".outrider.toml").write_text(allow)
    write(host, bandit.repo / "get2.py", GET, call="c3")
    look = until(lambda: looks(bandit)[1:])[0]
    assert [(one.suppressed, one.excused) for one in look.findings] == [("Only addresses of ours.", "listed")]
    assert context(host.bash("ls", call="c4")) == ""


def test_of_more_findings_than_the_record_has_room_for_the_worst_are_kept_and_the_rest_counted(bandit):
    many = "".join(f"def get{n}(url):\n    return urllib.request.urlopen(url).read()\n\n\n" for n in range(60))
    text = "import hashlib\nimport urllib.request\n\n\n" + many + "HOST = '0.0.0.0'\n"
    write(bandit.host(), bandit.repo / "get.py", text)
    (look,) = until(lambda: looks(bandit))
    assert len(look.findings) + look.cut == 61
    assert look.cut > 0
    assert len(look.findings) > 10


def test_a_text_that_is_too_large_is_recorded_as_not_looked_at(bandit):
    write(bandit.host(), bandit.repo / "get.py", GET + "A = 1\n" * 100_000)
    (look,) = until(lambda: looks(bandit))
    assert look.unlooked == "the text is too large"


def test_a_scanner_gets_nothing_of_the_environment_and_no_file_of_the_repository(house):
    tell = SLOW.replace("time.sleep(600)", "import os; held = ' '.join([*sorted(os.environ), *os.listdir('.')])")
    tell = tell.replace('"issue_text": "x"', '"issue_text": globals().get("held", "")')
    path = program(house, "bandit", tell)
    house.configure(f'[second_look]\ntools = ["{path}"]\n')
    house.start(env={"MARK_OF_OURS": "1"})
    assert ready(house, "bandit") == ""
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house))
    (said,) = look.findings
    assert "TMPDIR" in said.message
    assert "MARK_OF_OURS" not in said.message
    assert "get.py" not in said.message


SLOW = """import json, sys, time
text = sys.stdin.read()
if "canary" not in text and "eval" not in text:
    time.sleep(600)
row = {"test_id": "B1", "issue_severity": "LOW", "line_number": 5, "line_range": [5], "issue_text": "x"}
print(json.dumps({"results": [row], "errors": [], "metrics": {"_totals": {"loc": 5}}}))
"""


def test_a_scanner_that_takes_too_long_is_ended_and_that_is_recorded(house):
    path = program(house, "bandit", SLOW)
    house.configure(f'[second_look]\ntools = ["{path}"]\nseconds = 1\n')
    house.start()
    assert ready(house, "bandit") == ""
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house))
    assert look.unlooked == "it took too long"


def test_what_does_not_fit_the_queue_or_is_left_at_the_end_is_recorded_as_not_looked_at(house):
    path = program(house, "bandit", SLOW)
    house.configure(f'[second_look]\ntools = ["{path}"]\nqueue = 1\nseconds = 600\n')
    house.start()
    assert ready(house, "bandit") == ""
    host = house.host()
    for number in range(4):
        assert write(host, house.repo / f"get{number}.py", GET, call=f"c{number}").verdict == "silent"
    until(lambda: [one for one in looks(house) if one.unlooked == "too many writes were waiting"])
    house.stop()
    said = [one.unlooked for one in looks(house)]
    assert said.count("the daemon ended first") >= 1
    assert {one.intent for one in looks(house)} == {one.n for one in house.events(CallDecided)}
    assert house.verify().ok


def test_a_scanner_may_not_take_all_memory(house):
    hungry = SLOW.replace("time.sleep(600)", "held = bytearray(1 << 30)")
    path = program(house, "bandit", hungry)
    house.configure(f'[second_look]\ntools = ["{path}"]\nmemory_mb = 256\n')
    house.start()
    assert ready(house, "bandit") == ""
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house))
    assert look.unlooked.startswith("failed")


def test_semgrep_looks_with_rules_of_a_file(house):
    if shutil.which("semgrep") is None:
        pytest.skip("semgrep is not installed")
    rules = house.top / "rules.yml"
    rules.write_text(
        "rules:\n- id: open-url\n  languages: [python]\n  severity: WARNING\n  message: Opens any address.\n"
        "  pattern: urllib.request.urlopen(...)\n"
    )
    house.configure(f'[second_look]\ntools = ["semgrep"]\nsemgrep_rules = "{rules}"\nmemory_mb = 4096\nseconds = 60\n')
    house.start()
    assert ready(house, "semgrep") == ""
    write(house.host(), house.repo / "get.py", GET)
    (look,) = until(lambda: looks(house), seconds=90)
    assert [one.rule.rpartition(".")[2] for one in look.findings] == ["open-url"]


def test_semgrep_without_rules_looks_at_nothing_and_fetches_none(house):
    path = program(house, "semgrep", "raise SystemExit(3)")
    house.configure(f'[second_look]\ntools = ["{path}"]\n')
    house.start()
    assert "it has no rules" in ready(house, "semgrep")
