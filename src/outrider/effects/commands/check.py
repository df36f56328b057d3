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
    many = [role for role in entry.args if role[-1] in "*+"]
    if len(many) > 1:
        yield f"{where}: more than one repeated argument"
    for role in entry.args:
        plain = role.rstrip("*+")
        if plain not in ROLES and plain not in OWN_ROLES:
            yield f"{where}: argument role {plain!r} is not known"
    for option, role in entry.options.items():
        if role.startswith(":"):
            if role[1:] not in FLAG_ROLES:
                yield f"{where}: flag {role!r} of {option} is not known"
        elif role not in ROLES and role not in OWN_ROLES:
            yield f"{where}: role {role!r} of {option} is not known"
    if entry.special and entry.special not in READERS:
        yield f"{where}: there is no reader {entry.special!r}"
    if entry.default and entry.default not in ROLES:
        yield f"{where}: default role {entry.default!r} is not known"
    if entry.out not in _OUTS:
        yield f"{where}: output {entry.out!r} is not known"
    if entry.subs and entry.style != "posix":
        yield f"{where}: a program with subcommands has the posix style"
    for name, sub in entry.subs.items():
        yield from _entry_problems(sub, f"{where} {name}")
