"""Commands run as agents by the real launcher under the real daemon: what they reach, and what is said of them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.daemon.house import SRC, children, gone, until

from outrider.events.record import AgentEnded, CallDecided, SessionJoined

ATTEMPT = """
import sys
for word, path in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        with open(path, word) as file:
            file.read() if word == "r" else file.write("x")
        print("yes", path)
    except OSError:
        print("no", path)
"""


def attempts(cell, *pairs):
    """Try to open paths, each with a mode; return those that could be."""
    said = cell.python(ATTEMPT, *(str(word) for pair in pairs for word in pair))
    assert said.code == 0, said
    return [line.partition(" ")[2] for line in said.out.splitlines() if line.startswith("yes")]


def test_an_agent_is_born_before_its_first_instruction_and_its_end_is_recorded(cell):
    done = cell.sh("echo made > made; exit 3", options=["--purpose", "to make", "--sponsor", "ada@example.com"])
    assert done.code == 3, done
    (born,), (ended,) = cell.births(), cell.ends()
    assert (born.how, born.charter, born.purpose, born.parent) == ("run", "coder", "to make", "")
    assert born.ts * 1000 < (cell.repo / "made").stat().st_mtime_ns
    assert (ended.agent, ended.how, ended.detail) == (born.agent, "completed", "exit status 3")
    assert born.attested.argv0 == "sh"


def test_the_end_is_in_the_record_when_the_command_returns(cell):
    for count in range(1, 9):
        cell.sh("true")
        assert len(cell.events(AgentEnded)) == count


def test_the_birth_says_what_holds_the_agent_and_what_does_not(cell):
    cell.sh("true")
    held = cell.births()[0].held
    assert held.whole
    assert held.files.startswith("landlock:")
    assert held.view == (cell.view == "own")
    assert held.network == ("proxy" if cell.view == "own" else "port")
    assert any(lack.startswith("ask") for lack in held.lacks)
    assert any(lack.startswith("sockets") for lack in held.lacks) == (cell.view == "shared")


def test_keys_and_outriders_own_files_are_out_of_reach(cell):
    outrider = cell.home.root
    paths = [
        cell.user / ".ssh/id_ed25519", cell.user / "notes.txt", outrider / "config.toml", outrider / "keys/log.key",
        outrider / "keys/print.key", outrider / "run/daemon.lock", *list((outrider / "record").iterdir()),
    ]  # fmt: skip
    readable = [path for path in paths if path.is_file()]
    assert len(readable) >= 5
    assert attempts(cell, *(("r", path) for path in readable)) == []
    written = [("w", path) for path in (*readable, outrider / "charters/coder.toml", cell.user / ".bashrc")]
    assert attempts(cell, *written) == []
    assert not (outrider / "charters/coder.toml").exists()


def test_its_repository_and_a_place_for_temporary_files_are_there(cell):
    inside = [("w", cell.repo / "src.py"), ("w", "/tmp/x-of-an-agent"), ("r", "/etc/passwd"), ("w", "/dev/null")]
    found = attempts(cell, *inside)
    assert found == [str(path) for _, path in inside]
    if cell.view == "own":
        assert not Path("/tmp/x-of-an-agent").exists()
    else:
        Path("/tmp/x-of-an-agent").unlink()


def test_what_the_floor_keeps_cannot_be_written(cell):
    if cell.view == "shared":
        pytest.skip("without a view of its own nothing inside of the repository can be kept; the birth says so")
    (cell.repo / ".claude").mkdir()
    (cell.repo / ".claude/settings.json").write_text("{}")
    script = """
        echo x > .git/hooks/pre-commit; echo x > .git/config; echo x > .claude/settings.json
        mv .git aside; mv .claude aside2; rm -rf .git/hooks .claude; ln -sf /tmp/x .claude/settings.json
        cat .env; true
    """
    before = (cell.repo / ".git/config").read_text()
    done = cell.sh(script)
    assert "PLANTED" not in done.out
    assert (cell.repo / ".git/config").read_text() == before
    assert (cell.repo / ".claude/settings.json").read_text() == "{}"
    assert not (cell.repo / ".git/hooks/pre-commit").exists()
    assert (cell.repo / ".git/hooks").is_dir()


def test_git_works_in_its_repository(cell):
    done = cell.sh("echo a > a && git add a && git commit -qm first && git checkout -qb other && git log --oneline")
    assert done.code == 0, done
    assert "first" in done.out


def test_a_process_that_cuts_itself_off_is_held_all_the_same_and_ends_with_the_command(cell):
    script = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        try:
            said = open(sys.argv[1]).read()
        except OSError:
            said = "refused"
        open("cut-off", "w").write(f"{os.getpid()} {said}")
        time.sleep(600)
    os._exit(0)
os.wait()
while not os.path.exists("cut-off"):
    time.sleep(0.01)
"""
    done = cell.python(script, str(cell.user / ".ssh/id_ed25519"))
    assert done.code == 0, done
    pid, said = (cell.repo / "cut-off").read_text().split()
    assert said == "refused"
    gone(int(pid))


def test_the_daemon_can_be_neither_killed_nor_traced_nor_read(cell):
    script = """
import ctypes, os, sys
pid = int(sys.argv[1])
for number in (0, 9, 15):
    try:
        os.kill(pid, number)
        print("killed")
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
print("traced" if libc.ptrace(16, pid, 0, 0) == 0 else "")
for name in ("environ", "mem", "maps"):
    try:
        open(f"/proc/{pid}/{name}", "rb").read(1)
        print(name)
    except OSError:
        pass
"""
    pid = cell.pid
    assert cell.python(script, str(pid)).out.split() == []
    assert cell.pid == pid


def test_the_guard_is_not_paused_or_ended_from_inside(cell):
    script = """
import json, os, socket, struct, sys
for request in ({"do": "down"}, {"do": "pause", "us": 1000000, "why": "x"}):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(os.environ["OUTRIDER_SOCKET"])
    body = json.dumps(request).encode()
    sock.sendall(b"ORC1" + struct.pack(">I", len(body)) + body)
    said = b""
    while part := sock.recv(65536):
        said += part
    print(json.loads(said[8:]).get("exit_code"))
"""
    assert cell.python(script).out.split() == ["4", "4"]
    assert cell.status()["paused_until"] == 0


def test_the_real_program_by_its_absolute_path_is_held_too(cell):
    done = cell.run("/bin/cat", str(cell.user / ".ssh/id_ed25519"))
    assert done.code != 0
    assert "a key" not in done.out


def test_what_cannot_be_started_says_why_and_its_end_is_recorded(cell):
    done = cell.run("/nonexistent/program")
    assert done.code == 127
    assert "No such file" in done.err
    (ended,) = cell.ends()
    assert ended.how == "killed"
    assert "not started" in ended.detail


def test_a_charter_that_lets_no_library_be_read_is_told_apart_from_a_program_that_is_not_there(cell):
    (cell.home.charters / "scribe.toml").write_text(
        '[charter]\nname = "scribe"\nextends = "base"\n[may]\nread = ["repo/**"]\nexec = ["*"]\n'
    )
    until(lambda: "scribe" in cell.status()["charters"])
    done = cell.sh("true", charter="scribe")
    assert (done.code, 'add "@system" to [may] read' in done.err) == (126, True), done
    assert "@system" not in cell.run("/nonexistent/program").err


def test_secrets_in_the_environment_are_taken_out_by_name_and_by_value(cell):
    token = "ghp_" + "".join(
        f"{letter}{digit}" for letter, digit in zip("abcdefghijklmnopqr", "123456789012345678", strict=True)
    )
    told = {"DEPLOY_TOKEN": "x", "SSH_AUTH_SOCK": "/run/agent", "PLAIN": "value", "HARMLESS": token, "KEYBOARD": "us"}
    done = cell.sh("env", **told)
    left = {line.partition("=")[0] for line in done.out.splitlines()}
    assert left >= {"PLAIN", "KEYBOARD", "PATH", "HOME", "OUTRIDER_AGENT", "OUTRIDER_SOCKET"}
    assert not left & {"DEPLOY_TOKEN", "SSH_AUTH_SOCK", "HARMLESS"}
    held = cell.births()[0].held
    assert set(held.scrubbed) == {"DEPLOY_TOKEN", "SSH_AUTH_SOCK", "HARMLESS"}
    verbose = cell.sh("true", options=["--verbose"], **told)
    assert "DEPLOY_TOKEN" in verbose.err
    assert token not in verbose.err


def test_a_charter_may_let_a_variable_stay(cell):
    (cell.home.charters / "builder.toml").write_text(
        '[charter]\nname = "builder"\nextends = "base"\n[may]\nread = ["repo/**", "@system", "@tmp"]\n'
        'write = ["repo/**", "@tmp"]\nexec = ["*"]\nuse_credential = ["env:NPM_TOKEN"]\n'
    )
    until(lambda: "builder" in cell.status()["charters"])
    done = cell.sh('echo "$NPM_TOKEN $PYPI_TOKEN"', charter="builder", NPM_TOKEN="one", PYPI_TOKEN="two")
    assert done.out.split() == ["one"]
    assert cell.births()[0].held.kept == ("NPM_TOKEN",)


def test_a_person_may_lend_a_variable(cell):
    done = cell.sh('echo "$MODEL_KEY $OTHER_KEY"', options=["--lend", "env:MODEL_KEY"], MODEL_KEY="one", OTHER_KEY="2")
    assert done.out.split() == ["one"]
    assert "env:MODEL_KEY" in cell.births()[0].held.lent


def test_a_login_that_stays_closed_is_said_with_what_to_hand_over_instead(cell):
    if cell.view == "shared":
        pytest.skip("without a view of its own nothing inside of a granted directory is closed; the birth says so")
    (cell.user / ".claude").mkdir()
    (cell.user / ".claude/.credentials.json").write_text("a login")
    host = cell.repo / "claude"
    host.write_text("#!/bin/sh\ncat ~/.claude/.credentials.json\n")
    host.chmod(0o755)
    done = cell.run(str(host))
    assert "a login" not in done.out
    assert "CLAUDE_CODE_OAUTH_TOKEN" in done.err
    assert "stays closed" not in cell.run(str(host), ANTHROPIC_API_KEY="one").err
    assert "stays closed" not in cell.sh("true").err


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_no_connection_goes_past_the_proxy(cell, family):
    with socket.socket(family) as listening:
        listening.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        listening.listen()
        host, port = listening.getsockname()[:2]
        script = """
import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        with socket.socket(int(sys.argv[3]), kind) as sock:
            sock.settimeout(2)
            sock.connect((sys.argv[1], int(sys.argv[2])))
            sock.send(b"x")
            print("connected", kind)
    except OSError as error:
        print("refused")
"""
        done = cell.python(script, host, str(port), str(int(family)))
        listening.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listening.accept()
    # A datagram in a network of its own leads nowhere, and sending one is no error.
    assert done.out.split()[0] == "refused", done


def test_a_charter_that_is_not_there_starts_nothing(cell):
    done = cell.sh("echo ran", charter="codr")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean coder?" in done.err
    assert cell.births() == []


def test_no_namespace_can_be_made_inside(cell):
    assert cell.run("unshare", "-Ur", "true").code != 0


def hook(cell, event, session, **fields):
    """A shell command that asks as an agent host's hook does, through the real Python client."""
    payload = json.dumps({"session_id": session, "cwd": str(cell.repo), "hook_event_name": event, **fields})
    client = f"{SRC}/outrider/hook/client.py"
    words = f"--door claude_code --event {event} --socket {cell.home.socket} --spool {cell.home.spool} --undecided deny"
    return f"printf %s '{payload}' | python3 -I -S {client} {words}"


def bash(cell, session, command):
    return hook(cell, "PreToolUse", session, tool_name="Bash", tool_input={"command": command}, tool_use_id="c1")


def test_a_session_inside_is_the_agents_own_and_what_its_host_starts_is_a_child(cell):
    inner = bash(cell, "inner", "ls")
    (cell.repo / "host.sh").write_text(f"{bash(cell, 'outer', 'ls')}\nsh inner.sh; true\n")
    (cell.repo / "inner.sh").write_text(f"{inner}\ntrue\n")
    done = cell.sh("sh host.sh; true")
    assert done.code == 0, done
    run, *others = cell.births()
    calls = {call.src.id: call.agent for call in cell.events(CallDecided)}
    assert calls["claude_code:outer"] == run.agent
    assert [joined.session for joined in cell.events(SessionJoined)] == ["outer"]
    assert [(one.how, one.parent) for one in others] == [("descendant", run.agent)]
    assert calls["claude_code:inner"] == others[0].agent


def test_a_command_whose_own_words_look_like_a_hooks_is_the_agent_all_the_same(cell):
    assert cell.sh(f"{bash(cell, 's', 'ls')}; true").code == 0
    (born,) = cell.births()
    assert {call.agent for call in cell.events(CallDecided)} == {born.agent}


def test_the_end_of_a_session_does_not_end_the_agent(cell):
    (cell.repo / "host.sh").write_text(
        f"{bash(cell, 's', 'ls')}\n{hook(cell, 'SessionEnd', 's', reason='done')}\n{bash(cell, 's2', 'ls')}\ntrue\n"
    )
    assert cell.sh("sh host.sh; true").code == 0
    (born,) = cell.births()
    assert {call.agent for call in cell.events(CallDecided)} == {born.agent}
    (ended,) = cell.ends()
    assert ended.detail == "exit status 0"


def test_an_agent_that_the_kernel_holds_may_run_what_is_opaque_only_where_held(cell):
    (cell.home.charters / "held.toml").write_text(
        '[charter]\nname = "held"\nextends = "base"\n[may]\nread = ["repo/**", "@system", "@tmp"]\n'
        'write = ["repo/**", "@tmp"]\nexec = ["*"]\nopaque = "confined"\n'
    )
    until(lambda: "held" in cell.status()["charters"])
    cell.sh(bash(cell, "s", "make test") + "; true", charter="held")
    (call,) = cell.events(CallDecided)
    assert any(effect.verb == "opaque" for effect in call.effects)
    assert call.decision.verdict == "allow"


def test_what_an_agent_starts_with_run_is_its_child_and_may_be_refused(cell):
    launcher = cell.repo / "outrider-run"
    launcher.write_bytes(Path(cell.launcher[0]).read_bytes())
    launcher.chmod(0o755)
    first, second = (cell.sh(f"{launcher} --charter {name} -- true") for name in ("reviewer", "ops"))
    assert (first.code, second.code) == (0, 4), (first, second)
    births = [(one.charter, one.parent) for one in cell.births()]
    roots = [one.agent for one in cell.births() if not one.parent]
    assert births == [("coder", ""), ("reviewer", roots[0]), ("coder", "")]


def test_a_launcher_that_is_killed_takes_the_command_with_it(cell):
    process = cell.begin("sh", "-c", "echo $$ > pid; exec sleep 600")
    pid = int(until(lambda: (cell.repo / "pid").exists() and (cell.repo / "pid").read_text().strip()))
    assert pid in children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    gone(pid)
    (ended,) = cell.ends()
    assert (ended.how, ended.detail) == ("killed", "its launcher was killed")


def test_a_signal_to_the_launcher_reaches_the_command(cell):
    process = cell.begin("sh", "-c", "trap 'exit 7' TERM; echo up > up; while :; do sleep 0.05; done")
    until((cell.repo / "up").exists)
    process.terminate()
    assert process.wait(20) == 7
    assert cell.ends()[0].detail == "exit status 7"


def test_password_hashes_are_out_of_reach(cell):
    if cell.view == "shared" and os.geteuid() == 0:
        pytest.skip("root without a view of its own reads what root may read; the birth says so")
    assert "root:" not in cell.sh("cat /etc/shadow; true").out


def test_the_command_starts_a_daemon_that_outlives_it(cell):
    cell.stop()
    words = [sys.executable, "-m", "outrider", "run", "--charter", "coder", "--", "true"]
    env = cell.environment(PYTHONPATH=str(SRC))
    try:
        done = subprocess.run(words, cwd=cell.repo, env=env, capture_output=True, text=True, check=False, timeout=60)
        if "was not built" in done.stderr:
            pytest.skip("this installation has no launcher")
        assert done.returncode == 0, done
        assert cell.births()[0].agent == cell.ends()[0].agent
        assert cell.status()["living"] == 0
    finally:
        cell.control(do="down")


def test_children_of_whoever_became_the_launcher_live_on(cell):
    words = shlex.join(cell.argv("true"))
    shell = f"sleep 600 >/dev/null 2>&1 & echo $!; exec {words}"
    done = subprocess.run(
        ["sh", "-c", shell],
        cwd=cell.repo,
        env=cell.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done
    os.kill(int(done.stdout), signal.SIGKILL)


def test_a_shim_and_a_link_over_links_start_though_their_parts_lie_in_the_home(cell):
    tools = cell.user / "tools"
    programs = {
        tools / "shims/tool": f'#!/bin/sh\nexec {tools}/libexec/tool "$@"\n',
        tools / "libexec/tool": "#!/bin/sh\necho from the shim\n",
        cell.user / "pythons/3.12.5/bin/tool": f"#!/bin/sh\ncat {cell.user}/pythons/3.12/lib/said\n",
    }
    for path, text in programs.items():
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
    (cell.user / "pythons/3.12.5/lib").mkdir()
    (cell.user / "pythons/3.12.5/lib/said").write_text("from over there\n")
    (cell.user / "pythons/3.12").symlink_to("3.12.5")
    link = cell.repo / ".venv/bin/tool"
    link.parent.mkdir(parents=True)
    link.symlink_to(cell.user / "pythons/3.12/bin/tool")
    assert cell.run("tool", PATH=f"{tools}/shims:/usr/bin:/bin").out == "from the shim\n"
    assert cell.run(str(link)).out == "from over there\n"
    assert cell.run("cat", str(cell.user / "notes.txt")).code != 0


def test_a_charter_that_permits_every_path_hides_outriders_home_and_leaves_the_agents_own_socket(cell):
    script = f"""
ls {cell.home.root} {cell.home.root}/keys {cell.home.root}/record 2>/dev/null
cat {cell.home.config} {cell.home.root}/keys/* 2>/dev/null
echo x >> {SRC}/outrider/errors.py
cat {cell.user}/notes.txt
cat {cell.user}/.ssh/id_ed25519
true
"""
    done = cell.run("sh", "-c", script, charter="developer")
    assert "notes" in done.out, done
    assert "charter" not in done.out
    assert "a key" not in done.out or cell.view == "shared"  # There its birth says that nothing inside can be refused.
    assert "errors.py" in done.err, done
    ask = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print('connected')"
    assert "connected" in cell.python(ask, str(cell.home.socket), charter="developer").out


def test_a_held_command_makes_a_child_that_may_do_less(cell):
    """The tool has to run inside, though no charter lets its installation be read."""
    child = "echo child $OUTRIDER_CHARTER; cat README.md"
    (cell.repo / "README.md").write_text("read me")
    done = cell.sh(f"{sys.executable} -m outrider spawn --charter reviewer --no connect -- sh -c '{child}'")
    assert (done.code, done.out) == (0, "child reviewer\nread me"), done
    parent, born = cell.births()[-2:]
    assert (born.charter, born.parent) == ("reviewer", parent.agent)
    barred = cell.sh(f"{sys.executable} -m outrider spawn --charter reviewer -- true", charter="researcher")
    assert barred.code != 0
    assert [event.charter for event in cell.births()].count("reviewer") == 1
