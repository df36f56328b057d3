"""What a call adds: by an install command, and by what it writes into a manifest. Only what is new counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from outrider.detect.dependencies.findings import MAX_FINDINGS, judged, not_read, scripts
from outrider.detect.dependencies.known import Facts
from outrider.detect.dependencies.manifests import (
    MAX_TEXT,
    NotReadError,
    Reader,
    reader_of,
    reads_pieces,
    wanted,
)
from outrider.detect.dependencies.manifests.javascript import scripts as scripts_of
from outrider.detect.dependencies.marks import dependency_of, lists
from outrider.detect.dependencies.names import Dependency
from outrider.detect.written import Written, written
from outrider.events.call import Call, Effect, Finding, PathFact, Plan

_COMMAND: Final = "args.command"
_LIST: Final = "list"
_INDEX = re.compile(r"(--extra-index-url|--index-url|--registry|-i)[ =]['\"]?$")


def dependencies(call: Call, plan: Plan, facts: Mapping[str, PathFact], known: Facts) -> tuple[Finding, ...]:
    """Return what is to be said of the packages that a call adds.

    Args:
        call: The call.
        plan: Its plan.
        facts: What stands at the paths that it would write.
        known: What is known of names.
    """
    found = [*installed(plan.effects, plan.text, known), *listed(plan, facts, known)]
    for one in written(call, plan, facts):
        found += manifest(one, known)
        if len(found) >= MAX_FINDINGS:
            break
    return tuple(found[:MAX_FINDINGS])


def installed(effects: tuple[Effect, ...], text: str, known: Facts) -> Iterator[Finding]:
    """Yield what is to be said of the packages that a command installs."""
    if not any(effect.verb == "install" for effect in effects):
        return
    raw = text.encode("utf-8", "replace")
    found: set[Dependency] = set()
    for effect in effects:
        evidence = raw[effect.start : effect.end].decode("utf-8", "replace")
        if effect.verb == "connect":
            before = raw[max(0, effect.start - 24) : effect.start].decode("utf-8", "replace")
            option = _INDEX.search(before)
            if option is not None and (option[1] == "--extra-index-url" or evidence.strip("'\"").startswith("http:")):
                found.add(Dependency(ecosystem="pypi", name="", source=f"index {evidence.strip(chr(34) + chr(39))}"))
        elif effect.verb == "install" and "inexact" not in effect.flags:
            one = dependency_of(effect.value, evidence)
            if one is not None:
                found.add(one)
    yield from judged(found, known, text, _COMMAND, runs=True)


def listed(plan: Plan, facts: Mapping[str, PathFact], known: Facts) -> Iterator[Finding]:
    """Yield what is to be said of the packages in the lists that a command names, and of lists that were not read."""
    for one in lists(plan, facts):
        if one.text is None:
            yield not_read(one.path, "it is not there, is too long, or is no such list", _COMMAND)
            continue
        yield from judged(one.packages, known, one.text, _LIST, runs=True)
        if not one.whole:
            yield not_read(one.path, "it names other lists, which were not read", _COMMAND)


def manifest(one: Written, known: Facts) -> Iterator[Finding]:
    """Yield what is to be said of the packages that a written text adds to a manifest."""
    reader = reader_of(one.path)
    if reader is None:
        return
    if len(one.text) > MAX_TEXT:
        yield not_read(one.path, f"it is longer than {MAX_TEXT:,} characters", one.where)
        return
    if not one.whole and not reads_pieces(reader):
        yield not_read(one.path, "what stands around the change could not be read", one.where)
        return
    try:
        after = wanted(reader, one.text)
        hooks = scripts_of(one.text) if one.path.endswith("package.json") else {}
    except NotReadError as error:
        yield not_read(one.path, str(error), one.where)
        return
    yield from judged(after - _before(reader, one.before), known, one.text, one.where)
    if hooks:
        yield from scripts(_hooks_before(one.before), hooks, one.text, one.where)


def _before(reader: Reader, text: str | None) -> frozenset[Dependency]:
    """Return what a manifest wanted before; nothing where it could not be read, so that everything in it is new."""
    if not text or len(text) > MAX_TEXT:
        return frozenset()
    try:
        return wanted(reader, text)
    except NotReadError:
        return frozenset()


def _hooks_before(text: str | None) -> dict[str, str]:
    if not text or len(text) > MAX_TEXT:
        return {}
    try:
        return scripts_of(text)
    except NotReadError:
        return {}
