"""What is known of the packages that a call installs, written on its effects, so that a charter can say ``known``.

A list that a command names (``pip install -r FILE``) is read, where it could be gathered: each of its packages becomes
an effect of its own. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from outrider.detect.dependencies.known import Facts, Verdict
from outrider.detect.dependencies.manifests import LISTS, NotReadError, continues, wanted
from outrider.detect.dependencies.names import Dependency
from outrider.events.call import Effect, PathFact, Plan

MOST: Final = 48
"""Packages of one list that become effects; of a longer one the suspect ones first, and the rest stays unknown."""
_ADDRESS = re.compile(r"://|^git@|^[\w.-]+/[\w.-]+$")
_PINNED = re.compile(r"[@#][0-9a-f]{40}\b|#(?:.*&)?sha(?:256|384|512)=")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A list of packages that a command installs.

    Attributes:
        effect: The effect that says so.
        path: The file.
        text: What it holds, or None where that is not known.
        packages: The packages; none where it could not be read.
        whole: Whether these are all.
    """

    effect: Effect
    path: str
    text: str | None
    packages: frozenset[Dependency] = frozenset()
    whole: bool = False


def lists(planned: Plan, facts: Mapping[str, PathFact]) -> Iterator[Listed]:
    """Yield the lists that a command installs, one for each effect that says so.

    Args:
        planned: The call's plan.
        facts: What stands at paths, by path, with the content of those lists.
    """
    for effect in planned.effects:
        ecosystem, _, name = effect.value.partition(":")
        if effect.verb != "install" or name != "?":
            continue
        span = effect.start, effect.end
        path = next((one.value for one in planned.effects if one.verb == "read" and (one.start, one.end) == span), "")
        if not path:
            continue
        text = _text(planned, facts, path)
        if text is None or ecosystem not in LISTS:
            yield Listed(effect=effect, path=path, text=None)
            continue
        try:
            packages = wanted(LISTS[ecosystem], text)
        except NotReadError:
            yield Listed(effect=effect, path=path, text=None)
            continue
        yield Listed(effect=effect, path=path, text=text, packages=packages, whole=not continues(text))


def _text(planned: Plan, facts: Mapping[str, PathFact], path: str) -> str | None:
    """Return what a file holds when the call comes to it: what the call itself has put there, or what stands there."""
    for written, text in planned.written:
        if written == path:
            return text
    fact = facts.get(path)
    return fact.content.decode("utf-8", "replace") if fact is not None and fact.content is not None else None


def marked(
    effects: tuple[Effect, ...], planned: Plan, facts: Mapping[str, PathFact], known: Facts
) -> tuple[Effect, ...]:
    """Return the effects with what is known of each package that is installed.

    Its flags are ``listed`` where a list of good names holds it, ``suspect`` where what is known speaks against it, and
    neither where nothing is known or it comes from an address.

    Args:
        effects: Of the call, paths resolved.
        planned: The call's plan.
        facts: What stands at paths.
        known: What is known of names.
    """
    if not any(effect.verb == "install" for effect in effects):
        return effects
    read = {(one.effect.start, one.effect.end): one for one in lists(planned, facts)}
    out: list[Effect] = []
    for effect in effects:
        if effect.verb != "install":
            out.append(effect)
        elif effect.value.endswith(":?"):
            out += _spelt(effect, read.get((effect.start, effect.end)), known)
        else:
            out.append(_marked(effect, known))
    return tuple(out)


def _spelt(effect: Effect, listed: Listed | None, known: Facts) -> Iterator[Effect]:
    """Yield an effect for each package of a list, and the one for all of it where something of it is not seen."""
    if listed is None or not listed.packages:
        yield effect
        return
    ecosystem = effect.value.partition(":")[0]
    flags = tuple(flag for flag in effect.flags if flag != "inexact")
    names = sorted({one.name for one in listed.packages if one.name and not one.source and one.ecosystem == ecosystem})
    made = [_marked(msgspec.structs.replace(effect, value=f"{ecosystem}:{name}", flags=flags), known) for name in names]
    made.sort(key=lambda one: "suspect" not in one.flags)
    yield from made[:MOST]
    if not listed.whole or len(made) > MOST or len(names) < len(listed.packages):
        yield effect


def dependency_of(value: str, evidence: str) -> Dependency | None:
    """Return the package that an ``install`` effect is about; None for the project itself and what is not known.

    Args:
        value: The effect's.
        evidence: The text that it came from.
    """
    ecosystem, _, name = value.partition(":")
    if not name or name in {".", "?"}:
        return None
    is_address = "://" in name or name.startswith("git@") or (ecosystem == "npm" and _ADDRESS.search(name) is not None)
    if is_address:
        source = evidence.strip("'\"") if "://" in evidence else name
        return Dependency(ecosystem=ecosystem, name="", source=source, pinned=bool(_PINNED.search(evidence)))
    if ecosystem == "docker" and name.count(".") and "/" in name and "." in name.partition("/")[0]:
        return None  # Another registry than the hub, whose names nobody here knows.
    return Dependency(ecosystem=ecosystem, name=name)


def _marked(effect: Effect, known: Facts) -> Effect:
    one = None if "inexact" in effect.flags else dependency_of(effect.value, "")
    if one is None or one.source:
        return effect
    flag, note = _said(one.ecosystem, known.ask(one.ecosystem, one.name))
    if not flag:
        return effect
    return msgspec.structs.replace(effect, flags=tuple(sorted({*effect.flags, flag})), note=effect.note or note)


def is_suspect(verdict: Verdict) -> bool:
    """Return whether what is known speaks against a name; being almost another one by chance does not."""
    if verdict.word == "near":
        return verdict.near is not None and verdict.near.confidence != "low"
    return verdict.word in {"malicious", "confused", "unknown"}


def _said(ecosystem: str, verdict: Verdict) -> tuple[str, str]:
    """Return the flag of a verdict, and why in words."""
    if verdict.word == "known":
        return "listed", ""
    if not is_suspect(verdict):
        return "", ""
    if verdict.word == "malicious":
        return "suspect", "it is known to be malicious"
    if verdict.word == "near" and verdict.near is not None:
        return "suspect", f"it is almost {verdict.near.name}"
    if verdict.word == "confused":
        meant = "comes with the language" if verdict.package == "-" else f"comes in {verdict.package}"
        return "suspect", f"what goes by that name {meant}"
    return "suspect", f"it is none of the names of {ecosystem}"
