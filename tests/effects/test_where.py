"""Where a command runs, and in which shell: directories that a call makes for itself, and processes of their own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)

R = "/home/dev/proj"
MADE = "/tmp/tmp.XXXXXXXXXX"


@pytest.mark.parametrize(
    "text",
    [
        "t=$(mktemp -d) && cd $t && touch a",
        't=$(mktemp -d); cd "$t"; touch a',
        'cd "$(mktemp -d)" && touch a',
        "pushd $(mktemp -d) && touch a",
        "mkdir -p x; pushd `mktemp -d`; touch a; popd",
    ],
)
def test_a_folder_that_mktemp_names_is_not_lost(text):
    assert f"write {MADE}/a" in playing.lines(text)


def test_a_folder_of_mktemp_lies_where_its_template_says():
    assert "write /srv/x.XXXX/a" in playing.lines("cd $(mktemp -d /srv/x.XXXX); touch a")
    assert "write /srv/tmp.XXXXXXXXXX" in playing.lines("mktemp -p /srv")
    assert "write a +inexact" in playing.lines("cd $(mktemp -d $X); touch a")


def test_pushd_and_popd_go_back_through_all_folders():
    assert f"write {R}/a/b/x" in playing.lines("pushd a; pushd b; touch x")
    assert f"write {R}/a/x" in playing.lines("pushd a; pushd b; popd; touch x")
    assert f"write {R}/x" in playing.lines("pushd a; pushd b; popd; popd; touch x")
    assert f"write {R}/x" in playing.lines("pushd a; pushd; touch x")
    assert f"write {R}/a/x" in playing.lines("pushd a; pushd; pushd; touch x")
    assert "write x +inexact" in playing.lines("popd; touch x")


@pytest.mark.parametrize(
    "text",
    [
        "(history -c)", "history -c &", "zsh -c 'history -c'", "echo x | history -c", "x=$(history -c)",
        "/usr/bin/history -c", "(unset HISTFILE)", "bash -c 'HISTFILE=/dev/null'",
        "sh -c 'if true; then history -c; fi'",
    ],
)  # fmt: skip
def test_a_process_of_its_own_forgets_only_its_own_history(text):
    assert playing.lines(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "history -c", "false || history -c", "if true; then history -c; fi", "for i in 1; do history -c; done",
        "eval 'history -c'", "{ history -c; }", "f() { history -c; }; f", "alias h='history -c'; h", "(history -w)",
        "PROMPT_COMMAND='history -c' true", "unset HISTFILE", "while true; do history -d 1; done",
    ],
)  # fmt: skip
def test_a_shell_that_forgets_what_was_done_writes_its_history(text):
    assert "write /home/dev/.bash_history" in playing.lines(text)


def test_what_read_took_in_stays_when_a_variable_was_set_for_it_alone():
    assert "delete /srv/x" in playing.lines("IFS= read -r p <<< /srv/x; rm $p")
    assert f"delete {R}/a,b" in playing.lines("x=a,b; IFS=, true; rm $x")
