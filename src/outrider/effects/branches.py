"""Which branch a push that names none goes to: what git's own files say. Source: git-config(1) and git-push(1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from outrider.effects.place import AT_HEAD
from outrider.events.call import Effect, PathFact, Want

_LIMIT = 64 * 1024
_HEAD = re.compile(r"ref:\s*refs/heads/(\S+)\s*\Z")
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_ENTRY = re.compile(r"\s*([\w-]+)\s*=\s*(.*?)\s*\Z")


def branch_wants(effects: Iterable[Effect], home: str) -> list[Want]:
    """Return the files of git that tell where the pushes among ``effects`` go."""
    found = []
    for effect in effects:
        tree = effect.note.partition(AT_HEAD)[2] if effect.verb == "push" else ""
        if tree:
            found += [f"{tree}/.git/HEAD", f"{tree}/.git/config", f"{home}/.gitconfig"]
    return [Want(path=path, content_limit=_LIMIT) for path in found]


def with_branch(effect: Effect, facts: Mapping[str, PathFact], home: str) -> Effect:
    """Return the push with the branch that it goes to, or as it is if git's files do not tell."""
    is_bare, _, tree = effect.note.partition(AT_HEAD)
    if not tree:
        return effect
    head = _HEAD.match(_text(facts, f"{tree}/.git/HEAD"))
    if head is None:
        return effect
    set_up = {**_settings(_text(facts, f"{home}/.gitconfig")), **_settings(_text(facts, f"{tree}/.git/config"))}
    branch = head[1]
    remote = effect.value.rpartition("/")[0]
    if is_bare:
        remote = (
            set_up.get(f"branch.{branch}.pushremote")
            or set_up.get("remote.pushdefault")
            or set_up.get(f"branch.{branch}.remote")
            or remote
        )
    if f"remote.{remote}.push" in set_up or f"remote.{remote}.mirror" in set_up:
        return effect
    default = set_up.get("push.default", "simple")
    if default in {"upstream", "tracking"}:
        branch = set_up.get(f"branch.{branch}.merge", "").removeprefix("refs/heads/")
    if not branch or default == "matching":
        return effect
    flags = tuple(flag for flag in effect.flags if flag != "inexact")
    return msgspec.structs.replace(effect, value=f"{remote}/{branch}", flags=flags)


def _text(facts: Mapping[str, PathFact], path: str) -> str:
    fact = facts.get(path)
    return fact.content.decode(errors="replace") if fact is not None and fact.content is not None else ""


def _settings(text: str) -> dict[str, str]:
    """Return the keys of a file of git's configuration: ``branch.NAME.merge``, section and key in lower case."""
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        header = _SECTION.match(line)
        if header:
            section = header[1].lower() + (f".{header[2]}" if header[2] is not None else "")
            line = line[header.end() :]  # noqa: PLW2901 - a key may follow on the same line
        entry = _ENTRY.match(line)
        if entry and section:
            found[f"{section}.{entry[1].lower()}"] = entry[2].strip('"')
    return found
