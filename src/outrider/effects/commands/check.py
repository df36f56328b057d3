"""The tables' own test: every word in them means something."""

from __future__ import annotations

from collections.abc import Iterator

from outrider.effects.commands.roles import FLAG_ROLES, OWN_ROLES, ROLES
from outrider.effects.commands.spec import Spec
from outrider.effects.commands.table import FAMILIES, READERS

_OUTS = frozenset({"", "pass", "number", "network", "decoded", "file", "paths"})


def problems() -> list[str]:
    """Return what is wrong with the tables, one sentence each; an empty list if nothing is."""
    found: list[str] = []
    seen: dict[str, str] = {}
    for family, entries in FAMILIES.items():
        for entry in entries:
            for name in entry.names:
                if name in seen:
                    found.append(f"{name}: stands in {seen[name]} and in {family}")
                seen[name] = family
            found.extend(_entry_problems(entry, f"{family}: {entry.names[0]}"))
    return found


def _entry_problems(entry: Spec, where: str) -> Iterator[str]:
    if sum(role[-1] in "*+" for role in entry.args) > 1:
        yield f"{where}: more than one repeated argument"
    for role in (*(role.rstrip("*+") for role in entry.args), *filter(None, [entry.default])):
        if role not in ROLES and role not in OWN_ROLES:
            yield f"{where}: argument role {role!r} is not known"
    for option, role in entry.options.items():
        is_known = role[1:] in FLAG_ROLES if role[0] == ":" else role in ROLES or role in OWN_ROLES
        if not is_known:
            yield f"{where}: role {role!r} of {option} is not known"
    if entry.special and entry.special not in READERS:
        yield f"{where}: there is no reader {entry.special!r}"
    if entry.out not in _OUTS:
        yield f"{where}: output {entry.out!r} is not known"
    if entry.subs and entry.style != "posix":
        yield f"{where}: a program with subcommands has the posix style"
    for name, sub in entry.subs.items():
        yield from _entry_problems(sub, f"{where} {name}")
