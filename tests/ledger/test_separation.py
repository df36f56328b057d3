"""Whether agents could touch the record, told from owners, bits and groups."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from outrider.config import Home
from outrider.ledger.separation import assured, separation, user_id

AGENT, OWNER, STRANGER = 64_011, 64_012, 64_013

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")


@pytest.fixture
def home():
    """A home of a user of its own, as ``install --system`` makes it, where other users can come to."""
    with tempfile.TemporaryDirectory(prefix="ors") as name:
        Path(name).chmod(0o711)
        yield furnished(Home(Path(name) / "o"))


def furnished(made):
    made.make()
    made.root.chmod(0o711)
    made.run.chmod(0o711)
    (made.record / "journal").mkdir(mode=0o700)
    for path in (made.keys / "log.key", made.keys / "print.key", made.record / "journal" / "0.seg", made.config):
        path.touch(mode=0o600)
    (made.keys / "issuer").mkdir(mode=0o700)
    (made.keys / "issuer" / "current.key").touch(mode=0o600)
    if os.geteuid() == 0:
        for path in (made.root, *made.root.rglob("*")):
            os.chown(path, OWNER, OWNER)
    return made


@needs_root
def test_a_record_that_no_agents_user_can_touch_is_separate(home):
    found = separation(home, [AGENT])
    assert found.why == ()
    assert (found.owner, found.agents) == (f"uid:{OWNER}", (f"uid:{AGENT}",))
    assert assured(found, witnessed=False).level == "separate-user"
    assert assured(found, witnessed=True).level == "witnessed"


@needs_root
@pytest.mark.parametrize(
    ("place", "mode", "what"),
    [
        ("keys/log.key", 0o604, "can read"), ("keys/issuer/current.key", 0o604, "can read"),
        ("keys/print.key", 0o602, "can write"), ("record/journal/0.seg", 0o602, "can write"),
        ("record", 0o703, "can write"),
        ("record/journal", 0o703, "can write"), ("config.toml", 0o602, "can write"), ("charters", 0o703, "can write"),
        ("run", 0o713, "can write"), (".", 0o713, "can write"), ("..", 0o703, "can write"),
    ],
)  # fmt: skip
def test_one_place_that_agents_reach_is_enough_and_is_named(home, place, mode, what):
    path = (home.root / place).resolve()
    path.chmod(mode)
    found = separation(home, [AGENT])
    assert not found.separate
    assert any(f"uid:{AGENT} {what} {path}" == one for one in found.why)
    assert assured(found, witnessed=False).level == "local"


@needs_root
def test_a_group_counts_a_sticky_directory_does_not_and_an_owner_always(home):
    (home.record / "journal" / "0.seg").chmod(0o620)
    assert separation(home, [AGENT]).separate
    os.chown(home.record / "journal" / "0.seg", OWNER, AGENT)
    assert not separation(home, [AGENT]).separate
    (home.record / "journal" / "0.seg").chmod(0o600)
    home.root.parent.chmod(0o1777)
    assert separation(home, [AGENT]).separate
    os.chown(home.root.parent, AGENT, AGENT)
    assert not separation(home, [AGENT]).separate


@needs_root
def test_agents_of_the_owner_and_of_root_are_not_separate_whoever_else_there_is(home):
    assert separation(home, [AGENT, OWNER]).why == (f"agents run as uid:{OWNER}, who owns the record",)
    assert separation(home, [AGENT, 0]).why == ("agents run as root",)
    assert separation(home, [-1]).why == ("nobody can say which users agents run as",)


@needs_root
def test_what_stands_there_through_an_access_list_is_not_called_separate(home):
    target = home.keys / "log.key"
    # A list that lets one user read: version 2, owner rw, that user r, group none, mask r, others none.
    rows = [(1, 6, 0xFFFFFFFF), (2, 4, AGENT), (4, 0, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    packed = b"\2\0\0\0" + b"".join(t.to_bytes(2, "little") + p.to_bytes(2, "little") + i.to_bytes(4, "little")
                                    for t, p, i in rows)  # fmt: skip
    try:
        os.setxattr(target, "system.posix_acl_access", packed)
    except OSError as error:
        pytest.skip(f"this file system keeps no access lists: {error.strerror}")
    assert any("access list" in one for one in separation(home, [AGENT]).why)


@needs_root
def test_what_is_said_is_what_the_kernel_does(home):
    """Every sentence is tried by a process of that user; nothing that it could do goes unsaid."""
    tries = (
        "import os, sys\n"
        f"os.setgroups([]); os.setresgid(*[{STRANGER}] * 3); os.setresuid(*[{STRANGER}] * 3)\n"
        "for path, flags in ((sys.argv[1], os.O_RDONLY), (sys.argv[2], os.O_WRONLY)):\n"
        "    try:\n        os.close(os.open(path, flags)); print('can')\n"
        "    except PermissionError:\n        print('cannot')\n"
    )
    key, segment = home.keys / "log.key", home.record / "journal" / "0.seg"

    def tried():
        done = subprocess.run(
            [sys.executable, "-S", "-c", tries, str(key), str(segment)], capture_output=True, check=True, text=True
        )
        return done.stdout.split()

    assert (tried(), separation(home, [STRANGER]).separate) == (["cannot", "cannot"], True)
    for path in (home.keys, home.record, home.record / "journal"):
        path.chmod(0o711)
    key.chmod(0o604)
    segment.chmod(0o602)
    assert (tried(), separation(home, [STRANGER]).separate) == (["can", "can"], False)


def test_a_home_of_the_agents_own_user_is_local(home):
    found = separation(home, [home.record.stat().st_uid])
    assert assured(found, witnessed=False).level == "local"
    assert "who owns the record" in found.why[0]


def test_a_record_that_is_not_there_is_not_separate(tmp_path):
    assert not separation(Home(tmp_path / "none"), [AGENT]).separate


@pytest.mark.parametrize(("text", "uid"), [("root", 0), ("64011", 64_011), ("no-such-user-here", -1)])
def test_a_user_is_named_by_name_or_number(text, uid):
    assert user_id(text) == uid
