"""Which branch a push goes to that names none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from outrider.effects import plan, resolve
from outrider.events.call import PathFact

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)
REPO = playing.REPO
HEAD, CONFIG, GLOBAL = f"{REPO}/.git/HEAD", f"{REPO}/.git/config", f"{playing.HOME}/.gitconfig"


def pushed(text: str, head: bytes = b"ref: refs/heads/topic\n", config: bytes = b"", shared: bytes = b"") -> list[str]:
    place = playing.place_of()
    planned = plan(playing.call_of("shell", "Bash", {"command": text}), place)
    contents = {HEAD: head, CONFIG: config, GLOBAL: shared}
    facts = {
        want.path: PathFact(path=want.path, real=want.path, state="file", content=contents.get(want.path))
        for want in planned.wants
    }
    effects = [effect for effect in resolve(planned, facts, place) if effect.verb == "push"]
    return [effect.value + ("*" if "inexact" in effect.flags else "") for effect in effects]


CASES = {
    "git push": ["origin/topic"],
    "git push origin": ["origin/topic"],
    "git push -u origin HEAD": ["origin/topic"],
    "git push upstream @": ["upstream/topic"],
    "git push origin HEAD:main": ["origin/main"],
    "git push --all": ["origin/?*"],
    "git checkout main && git push": ["origin/main"],
    "git switch -c fix; git push": ["origin/fix"],
    "(git checkout main); git push": ["origin/?*"],
    "if x; then git switch main; else git switch fix; fi; git push": ["origin/?*"],
    "git switch $b; git push": ["origin/?*"],
    "git symbolic-ref HEAD refs/heads/main; git push": ["origin/?*"],
    "git branch -m main; git push": ["origin/?*"],
    "git config push.default upstream; git push": ["origin/?*"],
    "git -c push.default=upstream push": ["origin/?*"],
    "cd $x && git push": ["origin/?*"],
}


@pytest.mark.parametrize("text", CASES)
def test_a_push_goes_to_the_branch_that_the_work_tree_is_on(text):
    assert pushed(text) == CASES[text]


def test_an_unknown_head_leaves_the_branch_open():
    assert pushed("git push", head=b"0123456789abcdef\n") == ["origin/?*"]


def test_the_configuration_says_where_a_bare_push_goes():
    assert pushed("git push", config=b'[branch "topic"]\n\tpushRemote = fork\n') == ["fork/topic"]
    assert pushed("git push origin", config=b'[branch "topic"]\n\tpushRemote = fork\n') == ["origin/topic"]
    upstream = b'[push] default = upstream\n[branch "topic"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    assert pushed("git push", config=upstream) == ["origin/main"]
    assert pushed("git push", shared=b"[push]\n\tdefault = matching\n") == ["origin/?*"]
    assert pushed("git push", config=b'[remote "origin"]\n\tpush = refs/heads/*\n') == ["origin/?*"]
