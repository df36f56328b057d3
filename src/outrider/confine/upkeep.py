"""What starts with no call that tells of it: by a known agent host itself, or by a shell on its way up. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

_ANY: frozenset[str] = frozenset()
_ALONE = frozenset({""})

_HOSTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "claude": {
        "bash": frozenset({"env"}),
        "zsh": frozenset({"env"}),
        "git": frozenset({"rev-parse", "status", "branch", "log", "config", "remote", "ls-files", "diff"}),
        "rg": _ANY,
        "uname": _ANY,
        "which": _ANY,
        "ps": _ANY,
    },
}
"""Programs that a host starts by itself, with the first words, options left out, that they may have; any if none is
named."""

_LOGIN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("id", "env", "cat", "tty", "locale", "groups", "hostname", "uname", "whoami"), _ALONE),
    **dict.fromkeys(("dircolors", "lesspipe", "dirname", "basename", "readlink", "tput", "mesg"), _ANY),
}
"""Programs that the system's own files start in a login shell. ``cat`` alone copies what the shell hands it."""


def upkeep(command: str, names: Collection[str], words: Sequence[str]) -> bool:
    """Tell whether a program that a command starts is that host's own upkeep.

    Args:
        command: Base name of the command.
        names: Base names of the program.
        words: Its first arguments.
    """
    return _one_of(_HOSTS.get(command, {}), names, words)


def starts_up(names: Collection[str], words: Sequence[str]) -> bool:
    """Tell whether a program is one that a login shell starts on its way up."""
    return _one_of(_LOGIN, names, words)


def is_login(words: Sequence[str]) -> bool:
    """Tell whether a shell's first arguments make it a login shell."""
    return any(word == "--login" or (word[:1] == "-" and word[1:2] != "-" and "l" in word) for word in words[:2])


def _one_of(table: Mapping[str, frozenset[str]], names: Collection[str], words: Sequence[str]) -> bool:
    plain, before = [], ""
    for word in words:
        if word[:1] != "-" and not ("git" in names and before in {"-c", "-C"}):
            plain.append(word)
        before = word
    first = plain[0] if plain else ""
    return any(name in table and (not table[name] or first in table[name]) for name in names)
