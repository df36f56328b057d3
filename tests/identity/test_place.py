import os
import pwd
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.identity.place import RepoFacts, head_of, host_account, os_home, os_user, read_config, repository, sponsor

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(where, *words):
    done = subprocess.run(["git", "-C", str(where), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ada Lovelace")
    git(root, "config", "user.email", "ada@example.com")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root


@needs_git
def test_what_git_says_is_read_without_git(repo):
    below = repo / "a" / "b"
    below.mkdir(parents=True)
    found = repository(str(below))
    assert found == RepoFacts(
        root=str(repo),
        branch="main",
        commit=git(repo, "rev-parse", "HEAD"),
        human="Ada Lovelace <ada@example.com>",
    )
    assert head_of(str(repo)) == (found.commit, "main")


@needs_git
def test_a_new_commit_is_seen_at_once_packed_or_not(repo):
    before = head_of(str(repo))
    git(repo, "commit", "-q", "--allow-empty", "-m", "second")
    after = head_of(str(repo))
    assert after == (git(repo, "rev-parse", "HEAD"), "main") != before
    git(repo, "pack-refs", "--all")
    assert not (repo / ".git/refs/heads/main").exists()
    assert head_of(str(repo)) == after


@needs_git
def test_a_detached_head_has_a_commit_and_no_branch(repo):
    git(repo, "checkout", "-q", "--detach")
    assert head_of(str(repo)) == (git(repo, "rev-parse", "HEAD"), "")


@needs_git
def test_a_branch_without_commits_has_a_name_and_no_commit(tmp_path):
    git(tmp_path, "init", "-q", "-b", "feature/x")
    assert head_of(str(tmp_path)) == ("", "feature/x")


@needs_git
def test_a_work_tree_has_its_own_head_and_shares_the_rest(repo, tmp_path):
    tree = tmp_path / "tree"
    git(repo, "worktree", "add", "-q", "-b", "side", str(tree))
    git(repo, "pack-refs", "--all")
    found = repository(str(tree))
    assert (found.root, found.branch) == (str(tree), "side")
    assert found.commit == git(tree, "rev-parse", "HEAD")
    assert found.human == "Ada Lovelace <ada@example.com>"


@needs_git
def test_a_submodules_git_file_is_followed(repo, tmp_path):
    other = tmp_path / "moved"
    (repo / ".git").rename(other)
    (repo / ".git").write_text("gitdir: ../moved\n")
    assert head_of(str(repo))[1] == "main"


@needs_git
def test_the_humans_own_configuration_is_asked_where_the_repositorys_is_silent(repo, tmp_path):
    home = tmp_path / "h"
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/config").write_text("[user]\n\tname = From XDG\n\temail = x@example.com\n")
    (home / ".gitconfig").write_text('[user]\n\temail = "g@example.com" ; mine\n')
    git(repo, "config", "--unset", "user.name")
    assert repository(str(repo), home=str(home)).human == "From XDG <ada@example.com>"
    assert repository(str(tmp_path), home=str(home)) == RepoFacts(human="From XDG <g@example.com>")


@pytest.mark.parametrize("cwd", ["", "relative", "/", "/none/such", "/\0", "/a/../../.."])
def test_outside_of_a_repository_everything_is_absent(cwd):
    assert repository(cwd) == RepoFacts()


@pytest.mark.parametrize(
    "head",
    [
        b"ref: ../../../etc/passwd\n",
        b"ref: refs/../../x\n",
        b"ref: refs/heads/loop\n",
        b"\xff\xfe",
        b"not hex",
        b"ref:",
    ],
)
def test_a_head_that_lies_leads_nowhere(tmp_path, head):
    git_dir = tmp_path / ".git"
    (git_dir / "refs/heads").mkdir(parents=True)
    (git_dir / "HEAD").write_bytes(head)
    (git_dir / "refs/heads/loop").write_text("ref: refs/heads/loop\n")
    assert head_of(str(tmp_path))[0] == ""


def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path):
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git/HEAD")
    assert repository(str(tmp_path)) == RepoFacts()


def test_a_configuration_is_read_as_git_reads_it():
    text = (
        '[core]\n\tname = no\n[user "sub"]\n name = no\n'
        '[User] email = a@b.c # mine\n\tname = "A \\"B\\" # C" \\\n  D\n;x = y\nflag\n'
    )
    assert read_config(text, "user") == {"email": "a@b.c", "name": 'A "B" # C D', "flag": "true"}


@given(st.text(alphabet='[]user"\\=#; \n\tname.', max_size=200))
def test_no_configuration_stops_the_reader(text):
    assert isinstance(read_config(text, "user"), dict)


def test_who_answers_is_configured_else_gits_else_the_os_user():
    uid = os.getuid()
    assert sponsor(configured=" team ", human="Ada", uid=uid) == "team"
    assert sponsor(configured="", human="Ada", uid=uid) == "Ada"
    assert sponsor(configured="", human="", uid=uid) == os_user(uid) == pwd.getpwuid(uid).pw_name
    assert os_home(uid) == pwd.getpwuid(uid).pw_dir
    assert os_user(2**31 - 7) == f"uid:{2**31 - 7}"
    assert os_home(2**31 - 7) == ""


def test_the_hosts_own_account_is_read_and_answers_only_where_nobody_else_is_named(tmp_path):
    assert host_account(str(tmp_path)) == ""
    (tmp_path / ".claude.json").write_text('{"x": 1, "oauthAccount": {"emailAddress": "ada@example.org"}, "y": [2]}')
    assert host_account(str(tmp_path)) == "ada@example.org"
    assert sponsor(configured="", human="", uid=0, account="ada@example.org") == "ada@example.org"
    named = sponsor(configured="", human="Git <g@x.example>", uid=0, account="ada@example.org")
    assert named == "Git <g@x.example>"
