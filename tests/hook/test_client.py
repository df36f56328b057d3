"""Both clients, held to one behaviour."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import time

import pytest

DENY = b'"permissionDecision":"deny"'


def frame(nonce: bytes, *, code: int = 0, out: bytes = b"", err: bytes = b"") -> bytes:
    """An answer, written out by hand so that the tests do not lean on the codec."""
    return b"ORA1" + nonce + bytes((code,)) + len(out).to_bytes(4, "big") + out + len(err).to_bytes(4, "big") + err


def good(out=b"", err=b"", code=0):
    return lambda c, nonce, _: c.sendall(frame(nonce, code=code, out=out, err=err))


def assert_denied(ran, why_text: bytes) -> None:
    assert ran.code == 2
    assert DENY in ran.out
    reason = json.loads(ran.out)["hookSpecificOutput"]["permissionDecisionReason"]
    assert why_text.decode() in reason
    assert "outrider doctor" in reason
    assert ran.err.decode() == reason + "\n"


# ---- a good answer ---------------------------------------------------------------------------------------------


def test_the_daemons_answer_is_handed_over_byte_for_byte(hook, daemon, spooled):
    daemon(good(out=b'{"a":"\xc3\xa4"}\n', err=b"for the agent\n", code=7))
    ran = hook(b'{"x":1}')
    assert ran.said == (7, b'{"a":"\xc3\xa4"}\n', b"for the agent\n")
    assert spooled() == []


def test_silence_is_silence(hook, daemon):
    daemon(good())
    assert hook().said == (0, b"", b"")


def test_the_request_is_framed_as_agreed(hook, daemon):
    server = daemon(good())
    hook(b'{"x":1}', event="PostToolUse")
    (request,) = server.requests
    assert request[:4] == b"ORQ1"
    assert request[20:] == b"\x0bclaude_code" + b"\x0bPostToolUse" + b"\x00\x00\x00\x07" + b'{"x":1}'


def test_every_request_has_its_own_nonce(hook, daemon):
    server = daemon(good())
    for _ in range(3):
        hook()
    assert len({request[4:20] for request in server.requests}) == 3


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_003, 16 << 20])
def test_payloads_of_any_size_arrive_whole(hook, daemon, size):
    server = daemon(good(out=b"ok"))
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert hook(payload).said == (0, b"ok", b"")
    assert server.requests[0].endswith(payload)


def test_an_answer_as_large_as_allowed_arrives_whole(hook, daemon):
    out, err = b"o" * 1_000_000, b"e" * ((1 << 20) - 1_000_000)
    daemon(good(out=out, err=err))
    assert hook().said == (0, out, err)


def test_an_answer_that_comes_in_single_bytes_is_put_together(hook, daemon):
    def drip(connection, nonce, _):
        for byte in frame(nonce, out=b"ok"):
            connection.sendall(bytes((byte,)))

    daemon(drip)
    assert hook().said == (0, b"ok", b"")


def test_an_answer_given_before_the_payload_was_read_counts(hook, run_dir):
    """As the daemon does with what is too large for it, if it can not read on."""
    import threading

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(run_dir / "s"))
    listener.listen()

    def serve():
        connection, _ = listener.accept()
        head = connection.recv(64)
        connection.sendall(frame(head[4:20], out=b"early"))
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert hook(b"x" * 4_000_000).said == (0, b"early", b"")
    thread.join()
    listener.close()


# ---- no answer, or a bad one -----------------------------------------------------------------------------------

BAD = {
    "nothing": (lambda n: b"", "closed"),
    "one byte": (lambda n: b"O", "malformed"),
    "a head cut short": (lambda n: frame(n)[:28], "malformed"),
    "an output cut short": (lambda n: frame(n, out=b"abcdef")[:-6], "malformed"),
    "a last byte missing": (lambda n: frame(n, err=b"abcdef")[:-1], "malformed"),
    "wrong magic": (lambda n: b"ORA2" + frame(n)[4:], "malformed"),
    "the request's magic": (lambda n: b"ORQ1" + frame(n)[4:], "malformed"),
    "another nonce": (lambda n: frame(bytes(16)), "malformed"),
    "one bit of the nonce flipped": (lambda n: frame(n[:-1] + bytes((n[-1] ^ 1,))), "malformed"),
    "a byte too many": (lambda n: frame(n) + b"\n", "malformed"),
    "two answers": (lambda n: frame(n) + frame(n), "malformed"),
    "plain JSON": (lambda n: b'{"hookSpecificOutput":{"permissionDecision":"allow"}}', "malformed"),
    "a length beyond everything": (lambda n: b"ORA1" + n + b"\0" + b"\xff" * 4 + b"\0" * 40, "malformed"),
    "a second length beyond everything": (lambda n: b"ORA1" + n + b"\0" * 5 + b"\xff" * 4, "malformed"),
    "too much to print": (lambda n: frame(n, out=b"x" * ((1 << 20) + 1)), "malformed"),
    "endless": (lambda n: frame(n, out=b"x" * (4 << 20)), "malformed"),
}


@pytest.mark.parametrize("name", BAD)
def test_whatever_is_not_an_answer_is_undecided(hook, daemon, spooled, name):
    make, why = BAD[name]
    daemon(lambda c, nonce, _: c.sendall(make(nonce)))
    ran = hook()
    assert_denied(ran, b"")
    assert json.loads(spooled()[0])["why"] == why
    assert ran.seconds < 2


def test_a_daemon_that_hangs_is_given_up_within_two_seconds(hook, daemon, spooled):
    daemon(lambda c, nonce, _: c.recv(1))
    ran = hook()
    assert_denied(ran, b"did not answer in time")
    assert 1.9 < ran.seconds < 4
    assert json.loads(spooled()[0])["why"] == "deadline"


def test_a_session_that_ends_waits_half_a_second_at_most(hook, daemon, spooled):
    daemon(lambda c, nonce, _: c.recv(1))
    ran = hook(event="SessionEnd")
    assert ran.said == (0, b"", b"")
    assert 0.4 < ran.seconds < 1.5
    assert json.loads(spooled()[0])["answered"] == "none"


def test_a_slow_drip_does_not_stretch_the_deadline(hook, daemon):
    def drip(connection, nonce, _):
        with contextlib.suppress(OSError):
            for byte in frame(nonce, out=b"x" * 1000):
                connection.sendall(bytes((byte,)))
                time.sleep(0.02)

    daemon(drip)
    ran = hook()
    assert_denied(ran, b"did not answer in time")
    assert ran.seconds < 4


def test_a_daemon_that_never_reads_is_given_up_in_time(hook, run_dir, spooled):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(run_dir / "s"))
    listener.listen()
    ran = hook(b"x" * 8_000_000, event="SessionEnd")
    assert ran.said == (0, b"", b"")
    assert ran.seconds < 2
    assert json.loads(spooled()[0])["why"] == "deadline"
    assert json.loads(spooled()[0])["bytes"] == 8_000_000
    listener.close()


def test_a_full_backlog_is_waited_for_and_not_taken_for_nobody(hook, run_dir, spooled):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(run_dir / "s"))
    listener.listen(0)
    waiting = []
    for _ in range(8):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(str(run_dir / "s"))
        waiting.append(one)
    assert hook(event="SessionEnd").said == (0, b"", b"")
    assert json.loads(spooled()[0])["why"] == "deadline"
    for one in (*waiting, listener):
        one.close()


def test_a_host_that_never_closes_stdin_does_not_hang_us(client, run_dir, spooled):
    reader, writer = os.pipe()
    os.write(writer, b'{"half":')
    began = time.monotonic()
    words = ["--door", "claude_code", "--event", "SessionEnd", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    process = subprocess.run([*client, *words], stdin=reader, capture_output=True, timeout=30, check=False)
    os.close(reader)
    os.close(writer)
    assert (process.returncode, process.stdout) == (0, b"")
    assert time.monotonic() - began < 2
    assert (json.loads(spooled()[0])["why"], json.loads(spooled()[0])["bytes"]) == ("stdin", 8)


def test_what_is_larger_than_32_mib_is_undecided_without_asking(hook, daemon, spooled):
    server = daemon(good())
    ran = hook(b"x" * ((32 << 20) + 1))
    assert_denied(ran, b"larger than 32 MiB")
    assert server.requests == []
    assert (json.loads(spooled()[0])["why"], json.loads(spooled()[0])["bytes"]) == ("too-large", (32 << 20) + 1)


def test_nobody_listening_is_undecided_at_once(hook, spooled):
    ran = hook()
    assert_denied(ran, b"not running")
    assert ran.seconds < 1
    assert json.loads(spooled()[0])["why"] == "no-daemon"


def test_a_socket_left_behind_by_a_dead_daemon_is_nobody(hook, run_dir, spooled):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(run_dir / "s"))
    dead.close()
    assert_denied(hook(), b"not running")
    assert json.loads(spooled()[0])["why"] == "no-daemon"


def test_a_file_where_the_socket_should_be_is_undecided(hook, run_dir):
    (run_dir / "s").mkdir()
    ran = hook()
    assert ran.code == 2
    assert DENY in ran.out


# ---- what undecided means --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fallback", [None, "", "Deny", "allowed", "ALLOW", "allow ", "0", "ask\n"])
def test_a_missing_or_unknown_fallback_is_deny(hook, spooled, fallback):
    ran = hook(undecided=fallback)
    assert_denied(ran, b"not running")
    assert json.loads(spooled()[0])["answered"] == "deny"


def test_ask_has_the_host_ask_its_user(hook, spooled):
    ran = hook(undecided="ask")
    assert (ran.code, ran.err) == (0, b"")
    assert json.loads(ran.out)["hookSpecificOutput"]["permissionDecision"] == "ask"
    assert json.loads(spooled()[0])["answered"] == "ask"


def test_allow_is_silence_and_leaves_its_line(hook, spooled):
    assert hook(undecided="allow").said == (0, b"", b"")
    assert json.loads(spooled()[0])["answered"] == "allow"


def test_a_permission_request_is_denied_in_its_own_form(hook, spooled):
    ran = hook(event="PermissionRequest")
    assert (ran.code, ran.err) == (0, b"")
    decision = json.loads(ran.out)["hookSpecificOutput"]["decision"]
    assert decision["behavior"] == "deny"
    assert "outrider doctor" in decision["message"]
    assert json.loads(spooled()[0])["answered"] == "deny"


@pytest.mark.parametrize("fallback", ["ask", "allow"])
def test_a_permission_request_that_may_be_asked_stays_with_the_user(hook, fallback):
    assert hook(event="PermissionRequest", undecided=fallback).said == (0, b"", b"")


@pytest.mark.parametrize("fallback", ["deny", "ask"])
def test_a_settings_change_is_blocked_where_nobody_can_be_asked(hook, spooled, fallback):
    ran = hook(event="ConfigChange", undecided=fallback)
    assert ran.code == 2
    assert json.loads(ran.out)["decision"] == "block"
    assert b"outrider doctor" in ran.err
    assert json.loads(spooled()[0])["answered"] == "deny"


@pytest.mark.parametrize("event", ["UserPromptSubmit", "PostToolUse", "SessionStart", "Stop", "SubagentStop", "New"])
def test_events_that_can_not_be_stopped_are_answered_with_silence(hook, spooled, event):
    assert hook(event=event).said == (0, b"", b"")
    line = json.loads(spooled()[0])
    assert (line["event"], line["answered"], line["why"]) == (event, "none", "no-daemon")


def test_a_host_that_is_not_known_is_denied_in_the_form_that_all_hosts_take(hook):
    ran = hook(door="other_host", event="before")
    assert ran.code == 2
    assert json.loads(ran.out)["decision"] == "block"
    assert b"outrider doctor" in ran.err


# ---- arguments and environment ---------------------------------------------------------------------------------

S, P = ["--socket", "/tmp/none/s"], ["--spool", "/tmp/none/spool"]
D, E = ["--door", "claude_code"], ["--event", "PreToolUse"]
BAD_ARGV = {
    "none at all": [],
    "no event": [*D, *S, *P, "--undecided", "allow"],
    "no door": [*E, *S, *P, "--undecided", "allow"],
    "no socket": [*D, *E, *P, "--undecided", "allow"],
    "no spool": [*D, *E, *S, "--undecided", "allow"],
    "an unknown option": [*D, *E, *S, *P, "--undecided", "allow", "--verbose", "1"],
    "an option without a value": [*D, *E, *S, *P, "--undecided", "allow", "--start"],
    "an option given twice": [*D, *E, *S, *P, "--undecided", "allow", "--undecided", "allow"],
    "a socket that is not absolute": [*D, *E, "--socket", "s", *P, "--undecided", "allow"],
    "a spool that is not absolute": [*D, *E, *S, "--spool", "x", "--undecided", "allow"],
    "a start that is not absolute": [*D, *E, *S, *P, "--undecided", "allow", "--start", "daemon"],
    "a socket that is too long": [*D, *E, "--socket", "/" + "x" * 108, *P, "--undecided", "allow"],
    "an empty event": [*D, "--event", "", *S, *P, "--undecided", "allow"],
    "an event with a quote in it": [*D, "--event", 'a"b', *S, *P, "--undecided", "allow"],
    "an event that is too long": [*D, "--event", "e" * 65, *S, *P, "--undecided", "allow"],
    "a door that is too long": ["--door", "d" * 300, *E, *S, *P, "--undecided", "allow"],
}


@pytest.mark.parametrize("name", [n for n in BAD_ARGV if not n.startswith(("an empty event", "an event"))])
def test_arguments_that_make_no_sense_are_deny_whatever_they_say(hook, name):
    ran = hook(argv=BAD_ARGV[name])
    assert ran.code == 2
    assert b'"deny"' in ran.out
    assert b"arguments" in ran.err


@pytest.mark.parametrize("name", [n for n in BAD_ARGV if n.startswith(("an empty event", "an event"))])
def test_an_event_without_a_proper_name_is_never_an_affirmative(hook, name):
    ran = hook(argv=BAD_ARGV[name])
    assert b"allow" not in ran.out


def test_the_longest_names_and_the_longest_socket_are_fine(hook, daemon, run_dir):
    server = daemon(good(out=b"ok"))
    pad = "/" * (107 - len(str(run_dir / "s")))
    assert hook(door="d" * 64, event="e" * 64, socket=f"{run_dir}{pad}/s").out == b"ok"
    assert b"d" * 64 in server.requests[0]


def test_nothing_in_the_environment_changes_anything(hook, daemon, run_dir):
    evil = run_dir / "evil"
    evil.mkdir()
    for name in ("sitecustomize.py", "posix.py", "_socket.py", "time.py", "sys.py"):
        (evil / name).write_text("raise SystemExit(0)\n")
    env = {
        "PATH": str(evil), "HOME": str(evil), "TMPDIR": str(evil), "PYTHONPATH": str(evil), "PYTHONHOME": str(evil),
        "PYTHONSTARTUP": str(evil / "time.py"), "PYTHONINSPECT": "1", "PYTHONVERBOSE": "0", "PYTHONWARNINGS": "error",
        "OUTRIDER_HOME": str(evil), "OUTRIDER_SOCKET": str(evil / "s"), "OUTRIDER_UNDECIDED": "allow",
        "OUTRIDER_SPOOL": str(evil / "spool"), "LC_ALL": "C", "GLIBC_TUNABLES": "glibc.malloc.check=3",
        "POSIXLY_CORRECT": "1", "IFS": "x", "BASH_ENV": str(evil / "x"),
    }  # fmt: skip
    server = daemon(good(out=b"ok"))
    assert hook(env=env).said == (0, b"ok", b"")
    server.close()
    (run_dir / "s").unlink()
    assert_denied(hook(env=env), b"not running")
    assert sorted(p.name for p in evil.iterdir()) == ["_socket.py", "posix.py", "sitecustomize.py", "sys.py", "time.py"]


def test_arguments_that_are_not_unicode_do_no_harm(client, run_dir, spooled):
    words = [b"--door", b"claude_code", b"--event", b"Pre\xff\xfe", b"--socket", os.fsencode(run_dir / "s")]
    words += [b"--spool", os.fsencode(run_dir / "spool.jsonl"), b"--undecided", b"deny"]
    process = subprocess.run(
        [*map(os.fsencode, client), *words], input=b"{}", capture_output=True, timeout=30, check=False
    )
    assert b"Traceback" not in process.stderr
    assert json.loads(spooled()[0])["event"] == "Pre??"


# ---- the spool -------------------------------------------------------------------------------------------------


def test_the_spool_gets_exactly_one_line_of_exactly_this_form(hook, run_dir, spooled):
    before = time.time_ns() // 1000
    hook(b'{"secret":"hunter2"}')
    (line,) = spooled()
    pattern = (
        rb'\{"ts":(\d+),"door":"claude_code","event":"PreToolUse","answered":"deny","why":"no-daemon",'
        rb'"ppid":(\d+),"bytes":20\}\n'
    )
    match = re.fullmatch(pattern, line)
    assert match
    assert before <= int(match[1]) <= time.time_ns() // 1000
    assert int(match[2]) == os.getpid()
    assert stat.S_IMODE((run_dir / "spool.jsonl").stat().st_mode) == 0o600


def test_lines_are_appended_and_never_interleaved(client, run_dir, spooled):
    words = ["--door", "claude_code", "--event", "Stop", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    running = [
        subprocess.Popen([*client, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(20)
    ]
    assert {one.wait(timeout=30) for one in running} == {0}
    assert [json.loads(line)["event"] for line in spooled()] == ["Stop"] * 20


def test_a_spool_that_is_a_link_elsewhere_is_not_followed(hook, run_dir):
    victim = run_dir / "victim"
    victim.write_text("mine")
    (run_dir / "spool.jsonl").symlink_to(victim)
    assert_denied(hook(), b"not running")
    assert victim.read_text() == "mine"


def test_a_spool_that_can_not_be_written_changes_no_answer(hook, run_dir):
    assert_denied(hook(spool=str(run_dir / "no" / "such" / "dir")), b"not running")


# ---- descriptors -----------------------------------------------------------------------------------------------


def _with_closed(client, run_dir, closed: str, **streams):
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *client, *words], timeout=30, check=False, **streams
    )


def test_a_closed_stdout_never_receives_the_socket(client, run_dir, daemon):
    server = daemon(good(out=b"for the host"))
    done = _with_closed(client, run_dir, ">&-", input=b"{}", stderr=subprocess.PIPE)
    assert b"Traceback" not in done.stderr
    assert b"for the host" not in server.requests[0]


def test_a_closed_stdin_is_an_empty_payload(client, run_dir, daemon):
    server = daemon(good(out=b"ok"))
    done = _with_closed(client, run_dir, "<&-", capture_output=True)
    assert done.stdout == b"ok"
    assert server.requests[0].endswith(b"\0\0\0\0")


def test_a_stdout_that_nobody_reads_any_more_is_still_a_block(client, run_dir, daemon):
    daemon(good(out=b"{}"))
    reader, writer = os.pipe()
    os.close(reader)
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "ask"]
    done = subprocess.run(
        [*client, *words], input=b"{}", stdout=writer, stderr=subprocess.PIPE, timeout=30, check=False
    )
    os.close(writer)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_host_that_does_not_read_our_stdout_does_not_hang_us(client, run_dir, daemon):
    daemon(good(out=b"x" * 500_000))
    reader, writer = os.pipe()
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    began = time.monotonic()
    done = subprocess.run(
        [*client, *words], input=b"{}", stdout=writer, stderr=subprocess.PIPE, timeout=30, check=False
    )
    os.close(writer)
    os.close(reader)
    assert done.returncode == 2
    assert time.monotonic() - began < 5
