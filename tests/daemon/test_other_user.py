"""A system's daemon under a user of its own, and an agent of another user: judged, and unable to touch the record.

Both users are numbers that the user database does not know; nothing outside of a temporary directory is written.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.confine.sensed import built, listen
from tests.daemon.house import HostProcess, House, gone, until
from tests.daemon.test_asks import CHARTER

from outrider.cli import sensor_unit, system
from outrider.config import Home
from outrider.daemon import control
from outrider.errors import OutriderError
from outrider.events.record import AgentBorn, CallDecided, DeedsSeen, RecordGap, Refusal
from outrider.hook.find import client
from outrider.ledger.separation import separation

OWNER, AGENT, STRANGER = 64_021, 64_022, 64_023
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start processes of other users"),
    pytest.mark.skipif(not shutil.which("setpriv"), reason="there is no setpriv (util-linux)"),
    pytest.mark.skipif(PYTHON is None, reason="there is no Python that every user may run"),
    pytest.mark.skipif(not system.native(), reason="there is no native hook client"),
]


def as_user(uid, *, may=()):
    """Words that start a program as a user, with what its service would let it do beyond that."""
    caps = ",".join(["-all", *(f"+{one.removeprefix('CAP_').lower()}" for one in may)])
    words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]
    return [*words, f"--bounding-set={caps}", f"--inh-caps={caps}", f"--ambient-caps={caps}"]


class Guest(HostProcess):
    """A host process of the agent's user."""

    def __init__(self, house, session, uid=AGENT):
        self.house, self.client, self.session = house, [str(house.client)], session
        source = Path(sys.modules[HostProcess.__module__].__file__).read_text()
        text = source.partition('_HOST = r"""')[2].partition('"""')[0]
        self.process = subprocess.Popen(
            [*as_user(uid), PYTHON, "-S", "-E", "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"HOME": str(house.user), "PATH": "/usr/bin:/bin"}, cwd="/",
        )  # fmt: skip

    def argv(self, event, *, undecided="deny", start=False, door="claude_code"):
        return super().argv(event, undecided=undecided, start=False, door=door)

    def tries(self, program, *words):
        """Run a program of the agent's and return what it printed."""
        said = self.run([PYTHON, "-S", "-c", program, *map(str, words)])[0]
        assert said.code == 0, said.err
        return said.out.split()


class SystemHouse(House):
    """What ``install --system`` leaves, below a temporary directory, owned by a number."""

    def __init__(self, top):
        self.top, self.user = top, top / "home" / "agent"
        self.repo = self.user / "repo"
        (self.repo / ".git").mkdir(parents=True)
        (self.user / ".ssh").mkdir()
        (self.user / ".ssh" / "id_ed25519").write_text("example\n")
        self.user.chmod(0o700)
        self.home = Home(top / system.HOME.root.relative_to("/"))
        self.client = top / system.CLIENT.relative_to("/")
        wanted = system.Wanted(users=(str(AGENT),), charter="coder", mode="enforce")
        for step in system.steps(wanted, {str(AGENT): str(self.user)}):
            system.do(step, top)
        for path in (self.home.root, *self.home.root.rglob("*")):
            os.chown(path, OWNER, OWNER)
        for path in (self.user, *self.user.rglob("*")):
            os.chown(path, AGENT, AGENT, follow_symlinks=False)
        self.hosts, self.started = [], []

    def start(self, **_):
        """Start the unit's command under its user, with the capabilities that the unit gives it."""
        words = [*system.daemon_command()[:-1], str(self.home.root)]
        env = {name: value.replace(str(system.HOME.root), str(self.home.root))
               for name, value in system.environment().items()}  # fmt: skip
        process = subprocess.Popen(
            [*as_user(OWNER, may=system.CAPABILITIES), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd="/",
        )  # fmt: skip
        self.started.append(process)
        until(lambda: process.poll() is not None or self.status())
        assert process.poll() is None, process.communicate()[1].decode()
        return process

    def guest(self, uid=AGENT):
        self.hosts.append(Guest(self, f"s-{len(self.hosts)}", uid))
        return self.hosts[-1]


@pytest.fixture
def house():
    with tempfile.TemporaryDirectory(prefix="oru", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        one = SystemHouse(Path(name))
        yield one
        one.close()


@pytest.fixture
def running(house):
    house.start()
    return house


def test_an_agent_of_another_user_is_judged_by_what_its_own_home_holds(running):
    guest = running.guest()
    (running.repo / "notes").symlink_to(running.user / ".ssh" / "id_ed25519")
    assert guest.bash("ls", call="c1").verdict == "silent"
    assert guest.bash("cat ~/.ssh/id_ed25519", call="c2").verdict == "deny"
    assert guest.bash(f"cat {running.repo}/notes", call="c3").verdict == "deny", "a link in a home that is closed"
    (born,) = running.events(AgentBorn)
    assert (born.attested.uid, born.charter, born.mode) == (AGENT, "coder", "enforce")
    assert born.attested.exe, "who it is was read from a process of another user"
    assert [one.decision.enforced for one in running.events(CallDecided)] == ["allow", "deny", "deny"]
    assert running.status()["assurance"]["level"] == "separate-user"
    assert separation(running.home, [AGENT]).why == ()


_ATTACKS = r"""
import os, signal, socket, sys
home, pid = sys.argv[1], int(sys.argv[2])
def can(what):
    try:
        what()
    except PermissionError:
        return print("no")
    except OSError as error:
        return print(type(error).__name__)
    print("yes")
for name in ("keys/log.key", "keys/print.key", "record/checkpoint", "view/view.sqlite", "run/spool.jsonl"):
    can(lambda: open(f"{home}/{name}", "rb").close())
for name in ("record/checkpoint", "record/log.vkey", "config.toml", "run/daemon.lock", "keys/log.key"):
    can(lambda: open(f"{home}/{name}", "ab").close())
for name in ("record", "keys", "view", "charters", "run", "."):
    can(lambda: os.listdir(f"{home}/{name}"))
    can(lambda: open(f"{home}/{name}/mine", "wb").close())
for name in ("run/daemon.sock", "run/spool.jsonl", "config.toml", "record"):
    can(lambda: os.unlink(f"{home}/{name}"))
    can(lambda: os.rename(f"{home}/{name}", f"{home}/gone"))
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, 0):
    can(lambda: os.kill(pid, number))
can(lambda: open(f"/proc/{pid}/mem", "r+b").close())
can(lambda: open(f"/proc/{pid}/environ", "rb").close())
can(lambda: os.chown(f"{home}/run/spool.jsonl", os.getuid(), -1))
can(lambda: os.setuid(int(sys.argv[3])))
"""


def test_an_agent_of_another_user_can_neither_read_keys_nor_write_the_record_nor_end_the_daemon(running):
    guest = running.guest()
    guest.bash("ls", call="c1")
    pid = running.pid
    assert set(guest.tries(_ATTACKS, running.home.root, pid, OWNER)) == {"no"}
    assert running.pid == pid
    assert guest.bash("cat ~/.ssh/id_ed25519", call="c2").verdict == "deny"
    report = running.verify()
    assert (report.ok, report.problems) == (True, ())


_ASKS = r"""
import json, socket, struct, sys
for words in sys.argv[2:]:
    body = words.encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(sys.argv[1])
        sock.sendall(struct.pack(">4sI", b"ORC1", len(body)) + body)
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
    answer = json.loads(data[8:])
    print(answer.get("exit_code", 0) if "error" in answer else "yes")
"""


_LISTS = _ASKS.replace("sys.argv[2:]", '[\'{"do": "asks"}\']').replace(
    'answer.get("exit_code", 0) if "error" in answer else "yes"', 'len(answer["asks"])'
)


def test_another_user_may_look_and_may_not_change_the_guard_inside_an_agent_or_outside(running):
    changes = [
        {"do": "down"}, {"do": "pause", "why": "x", "us": 1_000_000}, {"do": "resume"}, {"do": "rotate"},
        {"do": "roll", "charter": "coder"}, {"do": "lever", "lever": "quarantine", "scope": "charter:coder"},
    ]  # fmt: skip
    looks = [{"do": "status"}, {"do": "asks"}]
    guest = running.guest()
    guest.bash("ls", call="c1")
    for host in (guest, running.guest()):
        said = host.tries(_ASKS, running.home.socket, *map(json.dumps, [*changes, *looks]))
        assert said == ["4"] * len(changes) + ["yes"] * len(looks)
    assert running.status()["pid"]


def test_a_user_whose_agents_are_not_served_is_hung_up_on(running):
    said = running.guest(STRANGER).bash("ls")
    assert said.verdict == "deny"
    assert running.events(AgentBorn) == []


def test_nobody_speaks_for_an_agent_of_another_user(running):
    guest = running.guest()
    guest.bash("ls", call="c1")
    forger = running.guest()
    forger.session = guest.session
    assert forger.hook("SessionEnd", reason="exit").verdict == "silent"
    until(lambda: running.events(Refusal))


def test_hooks_of_other_users_that_meet_no_daemon_deny_and_are_recorded_each_time(running):
    guest = running.guest()
    guest.bash("ls", call="c1")
    for outage in (1, 2):
        process = running.started[-1]
        process.kill()
        process.wait()
        gone(process.pid)
        assert guest.bash("ls", call=f"o{outage}").verdict == "deny"
        assert running.home.spool.stat().st_size > 0
        running.start()
        until(lambda count=outage: len(running.events(RecordGap)) == count)
        facts = running.home.spool.stat()
        assert (facts.st_size, facts.st_mode & 0o777, facts.st_uid) == (0, 0o622, OWNER)
    gaps = running.events(RecordGap)
    assert {(one.what, one.answered, one.agent) for one in gaps} == {
        ("spool", "deny", running.events(AgentBorn)[0].agent)
    }
    assert list(running.home.run.glob("spool*.taken")) == []


def test_a_spool_that_somebody_filled_is_read_in_part_and_says_so(house):
    house.start()
    house.started[-1].kill()
    house.started[-1].wait()
    with house.home.spool.open("ab") as spool:
        for _ in range(6):
            spool.write(b"x" * (1 << 20) + b"\n")
    house.start()
    until(lambda: len(house.events(RecordGap)) >= 4)
    assert any("bytes more were not read" in one.detail for one in house.events(RecordGap))


def test_a_question_is_seen_and_answered_by_whose_agent_asks_and_by_no_other_user(house):
    config = house.home.config.read_text().replace(f'["{AGENT}"]', f'["{AGENT}", "{STRANGER}"]')
    house.home.config.write_text(config.replace('"coder"', '"asker"'))
    (house.home.charters / "asker.toml").write_text(CHARTER.format(within="30m", more=""))
    os.chown(house.home.charters / "asker.toml", OWNER, OWNER)
    house.start()
    assert house.guest().bash("git push origin main").verdict == "deny"
    (waits,) = house.control(do="asks")["asks"]
    request = json.dumps({"do": "answer", "question": waits["question"], "yes": True})
    other, own = house.guest(STRANGER), house.guest()
    assert other.tries(_ASKS, house.home.socket, request) == ["2"], "there is no such question for them"
    assert other.tries(_LISTS, house.home.socket) == ["0"]
    assert own.tries(_LISTS, house.home.socket) == ["1"]
    assert own.tries(_ASKS, house.home.socket, request) == ["yes"]


def test_without_other_users_the_socket_stays_closed_to_all(house):
    house.home.config.write_text("")
    house.start()
    assert house.home.socket.stat().st_mode & 0o077 == 0
    with pytest.raises(OutriderError):
        control.ask(house.home.socket.with_name("none"), {"do": "status"})
    assert client()


def test_the_sensor_of_the_systems_user_hears_what_another_users_agent_does(running):
    """As the sensor's unit starts it: no root, four capabilities, and the users that are served."""
    numbers = f"import pwd; pwd.getpwnam = lambda name: pwd.struct_passwd((name, 'x', {AGENT}, {AGENT}, '', '/', ''))"
    main = f"{numbers}; from outrider.__main__ import main; main()"
    with tempfile.TemporaryDirectory(prefix="ors") as name:
        Path(name).chmod(0o755)
        sensor = listen(
            running.home, built(Path(name)), "--user", "guest",
            start=as_user(OWNER, may=sensor_unit.CAPABILITIES), program=("-c", main), env=system.environment(),
        )  # fmt: skip
        try:
            guest = running.guest()
            guest.hook("SessionStart", source="startup")
            until(lambda: running.status()["sensor"]["agents"])
            assert guest.bash("ls").verdict == "silent"
            guest.run(["sh", "-c", "date >/dev/null"])
            (found,) = until(lambda: [one for event in running.events(DeedsSeen) for one in event.findings])
        finally:
            sensor.terminate()
            sensor.wait(20)
    assert (found.rule, "/date was started by sh" in found.message) == ("undeclared-exec", True)
