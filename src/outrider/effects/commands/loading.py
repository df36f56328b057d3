"""Variables that change which code a program runs: which put code of others into it, and which may be honest."""

from __future__ import annotations

from typing import Final

from outrider.effects.shell.state import Runner, State
from outrider.effects.shell.tree import Arg

_LOADS: Final = frozenset({"LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"})
"""Variables whose value is a library that every program then holds (ld.so(8), dyld(1))."""
_SYSTEMS: Final = ("/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/lib/", "/lib64/", "/opt/homebrew/lib/")
"""Where the host keeps its own libraries: an allocator from there is an ordinary thing to put in."""


_STARTS: Final = frozenset({"BASH_ENV", "ENV", "PYTHONSTARTUP", "RUBYOPT", "PERL5OPT", "NODE_OPTIONS"})
"""Variables that name a file which is run, alone or behind an option."""


def loads(runner: Runner, name: str, values: tuple[Arg, ...], at: Arg, state: State) -> None:
    """Note what a variable does that changes which code programs run.

    A library that is not the host's own, put into every program, is a way round what may be run in plain sight.
    """
    libraries = [part for value in values for part in value.text.replace(":", " ").split()]
    exact = all(value.exact for value in values)
    if name in _LOADS and libraries and not (exact and all(_is_the_hosts(one) for one in libraries)):
        runner.emit("exec", "command", name, at, ("shell-escape",), f"{name} puts a library into every program")
    for value in values if name in _STARTS else ():
        runner.path("read", value, state) if value.text[:1] in {"/", "~"} else None
    runner.emit("opaque", "command", name, at, (), f"{name} changes what programs run")


def _is_the_hosts(library: str) -> bool:
    return "/" not in library or (library.startswith(_SYSTEMS) and ".." not in library)
