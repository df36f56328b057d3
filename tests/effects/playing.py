from __future__ import annotations

from collections.abc import Callable

import pytest

from outrider.effects import Place, plan
from outrider.effects.place import INTO
from outrider.events.call import Call, Effect

HOME, REPO = "/home/dev", "/home/dev/proj"


def call_of(tool: str, name: str, args: dict, cwd: str = REPO) -> Call:
    return Call(door="claude_code", session="s", call_id="c", tool=tool, name=name, args=args, cwd=cwd)


def place_of(cwd: str = REPO) -> Place:
    return Place(home=HOME, repo=REPO, cwd=cwd)


def shell(text: str, cwd: str = REPO) -> tuple[Effect, ...]:
    return plan(call_of("shell", "Bash", {"command": text}, cwd), place_of(cwd)).effects


def lines(text: str, cwd: str = REPO) -> list[str]:
    """Effects but ``exec``, one text each: ``verb value +flag +flag``. See ``landing`` too."""
    return [
        " ".join([effect.verb, effect.value, *(f"+{flag}" for flag in effect.flags)])
        for effect in shell(text, cwd)
        if effect.verb != "exec" and effect.note != INTO
    ]


def landing(text: str, cwd: str = REPO) -> list[str]:
    """What would be written below the destination if that is a folder."""
    return [effect.value for effect in shell(text, cwd) if effect.note == INTO]


def programs(text: str) -> list[str]:
    return [effect.value for effect in shell(text) if effect.verb == "exec"]


@pytest.fixture
def effects() -> Callable[[str], list[str]]:
    return lines
