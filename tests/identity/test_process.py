import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.identity.trees import CLIENT, Tree

from outrider.identity import digest, process

pytestmark = pytest.mark.skipif(bool(process.unavailable()), reason=process.unavailable() or "-")


def test_the_kernel_names_this_process_and_its_parent():
    me = process.describe(os.getpid())
    assert (me.pid, me.ppid, me.uid) == (os.getpid(), os.getppid(), os.geteuid())
    assert me.exe == str(Path("/proc/self/exe").readlink())
    assert process.alive(me.pid, me.start)
    assert not process.alive(me.pid, me.start + 1)


def test_a_process_that_is_not_there_is_none():
    assert process.read(0) is None
    assert process.read(2**22 + 1) is None
    assert process.ancestors(2**22 + 1) == ()
    assert process.host_process(2**22 + 1) is None
    assert process.watch(2**22 + 1) is None
    assert process.container_of(2**22 + 1) == ""
    assert process.cmdline(2**22 + 1) == ()


def test_a_zombie_is_no_process_any_more():
    child = subprocess.Popen([sys.executable, "-S", "-c", "print(flush=True)"], stdout=subprocess.PIPE)
    fd = process.watch(child.pid)
    select.select([fd], [], [], 10)
    os.close(fd)
    assert process.read(child.pid) is None
    child.wait()
    child.stdout.close()


def test_a_name_with_brackets_and_spaces_is_read_whole(tmp_path):
    program = tmp_path / "a) R 1 (b"
    shutil.copy("/bin/cat", program)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdin.write(b"up\n")
        child.stdin.flush()
        child.stdout.readline()
        facts = process.read(child.pid)
        assert (facts.comm, facts.ppid) == ("a) R 1 (b", os.getpid())
        child.stdin.close()


def test_ancestors_come_nearest_first():
    with Tree(3) as tree:
        found = [one.pid for one in process.ancestors(tree.pids[2])]
        assert found[:3] == [tree.pids[1], tree.pids[0], os.getpid()]
        assert len(process.ancestors(tree.pids[2], limit=2)) == 2


def test_descent_is_from_the_very_process_and_not_from_one_with_its_pid():
    with Tree(3) as tree:
        top = process.read(tree.pids[0])
        assert process.descends(tree.pids[2], top.pid, top.start)
        assert process.descends(top.pid, top.pid, top.start)
        assert not process.descends(tree.pids[2], top.pid, top.start - 1)
        assert not process.descends(os.getpid(), top.pid, top.start)


def test_an_orphan_descends_from_its_dead_parent_no_more():
    with Tree(3) as tree:
        top = process.read(tree.pids[0])
        os.kill(tree.pids[1], 9)
        fd = process.watch(tree.pids[1])
        if fd is not None:
            select.select([fd], [], [], 10)
            os.close(fd)
        assert not process.descends(tree.pids[2], top.pid, top.start)


def test_a_parent_that_is_younger_than_its_child_has_another_ones_pid():
    me = process.read(os.getpid())
    younger = process.ProcessFacts(pid=1, ppid=me.pid, start=me.start - 1, uid=0, comm="x")
    assert process.parent(younger) is None


def test_the_host_is_the_parent_of_a_client_that_was_started_directly():
    with Tree(2) as tree:
        assert process.host_process(tree.pids[1]).pid == tree.pids[0]


def test_a_shell_that_only_runs_the_hook_is_passed_over():
    with Tree(1) as tree:
        client = int(tree.shell(f"{CLIENT} --door claude_code --event SessionStart; true"))
        assert process.read(client).ppid != tree.pids[0]
        assert process.host_process(client).pid == tree.pids[0]


def test_a_shell_that_does_other_things_is_the_host():
    with Tree(1) as tree:
        client = int(tree.shell(f"{CLIENT}; true"))
        assert process.host_process(client).pid == process.read(client).ppid != tree.pids[0]


def test_a_parent_that_is_much_older_than_the_client_is_no_wrapper(monkeypatch):
    monkeypatch.setattr(process, "WRAPPER_TICKS", -1)
    with Tree(1) as tree:
        client = int(tree.shell(f"{CLIENT} --door claude_code --event SessionStart; true"))
        assert process.host_process(client).pid == process.read(client).ppid


def test_the_end_of_a_process_makes_its_watch_readable():
    with Tree(1) as tree:
        fd = process.watch(tree.pids[0])
        assert select.select([fd], [], [], 0) == ([], [], [])
        tree.kill()
        assert select.select([fd], [], [], 10) == ([fd], [], [])
        os.close(fd)


def test_without_pidfd_there_is_no_watch(monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert process.watch(os.getpid()) is None


def test_without_proc_every_question_has_its_empty_answer(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "PROC", str(tmp_path))
    assert "cannot be attested" in process.unavailable() or "can be attested" in process.unavailable()
    assert process.read(os.getpid()) is None
    assert process.describe(os.getpid()) is None
    assert process.ancestors(os.getpid()) == ()
    assert process.boot_id() == ""
    assert process.home_of(os.getpid()) == ""


def test_a_torn_stat_line_is_no_process(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "PROC", str(tmp_path))
    (tmp_path / "7").mkdir()
    for raw in (b"", b"7 (x", b"7 (x) S 1 2", b"\xff" * 3000):
        (tmp_path / "7" / "stat").write_bytes(raw)
        assert process.read(7) is None


@pytest.mark.parametrize(
    ("cgroup", "found"),
    [
        (f"0::/system.slice/docker-{'a1' * 32}.scope\n", "a1" * 32),
        (f"12:pids:/kubepods/besteffort/pod1/{'0f' * 32}\n0::/\n", "0f" * 32),
        ("0::/user.slice/user-1000.slice\n", ""),
        (f"0::/{'a' * 65}\n", ""),
    ],
)
def test_a_container_is_named_by_its_cgroup(monkeypatch, tmp_path, cgroup, found):
    monkeypatch.setattr(process, "PROC", str(tmp_path))
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text(cgroup)
    assert process.container_of(7) == found


def test_a_home_is_what_the_process_was_started_with():
    env = {"HOME": "/tmp/x/../y", "PATH": os.environ["PATH"]}
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as child:
        child.stdin.write(b"up\n")
        child.stdin.flush()
        child.stdout.readline()
        assert process.home_of(child.pid) == "/tmp/y"
        child.stdin.close()


def test_an_attestation_names_the_process_for_ever():
    me = process.describe(os.getpid())
    found = process.attest(me, uid=7, above=process.ancestors(me.pid), exe="e", head=("c", "b"))
    assert (found.pid, found.start, found.uid, found.exe) == (me.pid, me.start, 7, "e")
    assert (found.commit, found.branch) == ("c", "b")
    assert found.boot == process.boot_id() != ""
    assert found.ancestors[0].startswith(f"{os.getppid()}:")
    assert found.argv0 == Path("/proc/self/exe").readlink().name


def test_an_executable_is_named_by_its_digest(tmp_path):
    import hashlib

    with Path("/proc/self/exe").open("rb") as file:
        real = hashlib.sha256(file.read()).hexdigest()
    assert digest.exe_digest(os.getpid(), limit_bytes=2**32) == real
    assert digest.exe_digest(os.getpid(), limit_bytes=0) == real  # known by now
    assert digest.exe_digest(2**22 + 1) == ""


def test_a_large_executable_is_hashed_later_and_once(tmp_path):
    program = tmp_path / "large"
    shutil.copy("/bin/cat", program)
    with program.open("ab") as file:
        file.truncate(digest.HOT_LIMIT + 1)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdin.write(b"up\n")
        child.stdin.flush()
        child.stdout.readline()
        assert digest.exe_digest(child.pid) == ""
        heard = []
        thread = digest.digest_later(child.pid, heard.append)
        thread.join(30)
        assert heard == [digest.exe_digest(child.pid)] != [""]
        assert digest.digest_later(child.pid) is None
        child.stdin.close()


def test_what_is_not_a_file_has_no_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert digest.digest_file_later(str(tmp_path / "pipe")) is None
    assert digest.digest_file_later(str(tmp_path)) is None
    assert digest.digest_file_later(str(tmp_path / "none")) is None


@pytest.fixture
def container(monkeypatch, tmp_path):
    """A made-up process table in which process 1 leads the only session, as in a container, and has no terminal."""

    def add(pid, ppid, start, session, comm="sh", terminal=0):
        (tmp_path / str(pid)).mkdir()
        fields = ["S", ppid, pid, session, terminal, *[0] * 14, start, *[0] * 10]
        (tmp_path / str(pid) / "stat").write_text(f"{pid} ({comm}) {' '.join(map(str, fields))}\n")

    monkeypatch.setattr(process, "PROC", str(tmp_path))
    add(1, 0, 5, 1, "entrypoint")
    return add


@pytest.mark.parametrize("session", [0, 1], ids=["led-from-outside", "led-by-process-1"])
def test_an_orphan_is_cut_off_where_process_1_is_above_everything(container, session):
    container(20, 1, 1000, session, "claude")
    container(30, 1, 2000, session, "double-forked")
    container(31, 30, 2001, session, "outrider")
    assert process.cut_off(31, since=1000)
    assert process.cut_off(30, since=1000)


@pytest.mark.parametrize("session", [0, 1], ids=["led-from-outside", "led-by-process-1"])
def test_what_began_before_the_first_agent_is_not_cut_off(container, session):
    container(10, 1, 900, session, "make")
    container(20, 10, 1000, session, "claude")
    container(30, 10, 2000, session, "outrider")
    assert not process.cut_off(30, since=1000)


def test_a_new_session_below_an_orphan_does_not_hide_that_it_is_one(container):
    container(30, 1, 2000, 1, "double-forked")
    container(31, 30, 2001, 31, "setsid")
    assert process.cut_off(31, since=1000)


def test_a_terminal_speaks_for_its_session(container):
    container(30, 1, 2000, 30, "bash", terminal=34816)
    container(31, 30, 2001, 30, "outrider", terminal=34816)
    assert not process.cut_off(31, since=1000)


def test_a_process_outside_its_leaders_tree_is_cut_off_whatever_its_terminal(container):
    container(20, 1, 1000, 20, "bash", terminal=34816)
    container(31, 1, 2001, 20, "outrider", terminal=34816)
    assert process.cut_off(31, since=1000)
