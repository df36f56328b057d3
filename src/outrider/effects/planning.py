"""Planning: from a call to what it would do, and to the facts about the world that judging that needs. Pure."""

from __future__ import annotations

import re
from collections.abc import Container

import msgspec

from outrider.effects.branches import branch_wants
from outrider.effects.place import Place, literal_prefix
from outrider.effects.shell.parse import parse, parse_uncached
from outrider.effects.shell.state import NOTHING, Sink, State
from outrider.effects.shell.tree import Arg
from outrider.effects.shell.walk import Walk
from outrider.effects.structured import TOOLS, text_of
from outrider.events.call import Call, Effect, Plan, Want

CONTENT_LIMIT = 64 * 1024
"""Bytes of the content of a script, or of a file that is written, that are asked for."""
LIST_LIMIT = 256 * 1024
"""Bytes of a list of packages that a command installs: with a hash for every file of a package they are long."""
_WRITERS = frozenset({"write", "edit"})
_CACHED = 4096
_GIVEN = {"CLAUDE_CODE_EXECPATH": (Arg("claude"),)}
"""Variables that a host gives to the commands of its agents, and that name a program."""
_SHELLS = re.compile(r"(?i)(?:^|_)(?:exec|execute|bash|shell|sh|terminal|(?:run|execute|exec)_(?:command|cmd|shell))$")
"""How the names of MCP tools end that run a command line."""
_FOREIGN = frozenset({"powershell", "pwsh", "cmd"})
"""Names of tools whose shell is not a POSIX one."""


def plan(call: Call, place: Place) -> Plan:
    """Return what ``call`` would do if it were made from ``place``, paths not yet resolved.

    Never raises for any call: what cannot be read is an ``unparsed`` effect. Until :func:`resolve`, the ``resolved``
    of a path effect holds the path as the system would walk it, where that differs from the lexically normal ``value``.
    """
    if call.tool == "shell":
        if call.name.lower() in _FOREIGN:
            text = text_of(call.args, "command", "cmd", "script")
            effect = Effect(verb="unparsed", kind="text", value=text[:200], note=f"{call.name} text is not read")
            return Plan(effects=(effect,), text=text)
        return plan_shell(call, place)
    effects = tuple(TOOLS[call.tool](call, place))
    if call.tool == "mcp" and _SHELLS.search(call.name) and text_of(call.args, "command", "cmd", "script"):
        # A tool that runs command lines is a shell, whoever serves it.
        inner = plan_shell(call, place)
        return msgspec.structs.replace(inner, effects=(*effects, *inner.effects))
    written = {effect.value for effect in effects if effect.verb == "write"} if call.tool in _WRITERS else ()
    return Plan(effects=effects, wants=_wants(effects, frozenset(), written))


def plan_shell(call: Call, place: Place) -> Plan:
    """Return the plan of a command line; see :func:`plan`."""
    text = text_of(call.args, "command", "cmd", "script")
    listed = call.args.get("command")
    if not text and isinstance(listed, list) and all(isinstance(word, str) for word in listed):
        text = " ".join("'" + word.replace("'", "'\\''") + "'" for word in listed)
    if not text:
        return Plan(effects=(Effect(verb="unparsed", kind="text", value="", note="the call holds no command"),))
    folder = text_of(call.args, "workdir", "cwd", "directory")
    cwd = call.cwd or place.cwd
    if folder:
        cwd = folder if folder.startswith("/") else f"{cwd}/{folder}"
    effects, written = read_commands(text, Place(place.home, place.repo, cwd, place.guards))
    scripts = frozenset(
        effect.start for effect in effects if effect.verb == "opaque" and effect.note.startswith("runs ")
    )
    lists = frozenset(effect.start for effect in effects if effect.verb == "install" and effect.value.endswith(":?"))
    wanted = (*_wants(effects, scripts, written, lists), *branch_wants(effects, place.home))
    wants = {want.path: want for want in wanted}
    return Plan(effects=effects, wants=tuple(wants.values()), text=text, written=tuple(written.items()))


def read_commands(text: str, place: Place) -> tuple[tuple[Effect, ...], dict[str, str]]:
    """Return the effects of a command line run in ``place``, and the texts that it puts into files, by path."""
    sink = Sink(text)
    walk = Walk(place, sink)
    node = parse(text) if len(text) <= _CACHED else parse_uncached(text)
    try:
        walk.run(node, State(place.cwd, dict(_GIVEN), {}, {}), NOTHING)
    except RecursionError:
        walk.emit("unparsed", "text", "", Arg("", 0, 0), (), "commands are nested too deep")
    return tuple(sink.effects.values()), sink.written


def want_path(effect: Effect) -> str:
    """Return the path to be looked up for an effect, or an empty text if there is none.

    A pattern is looked up by the longest directory that it names without a wildcard.
    """
    if effect.kind != "path" or effect.verb == "unparsed" or "remote" in effect.flags:
        return ""
    path = effect.resolved or effect.value
    if not path.startswith("/") or "\0" in path:
        return ""
    if "inexact" in effect.flags:
        cut = min((at for at in map(path.find, "$`*?[{") if at >= 0), default=len(path))
        return path if cut == len(path) else path[: path.rfind("/", 0, cut)] or "/"
    return literal_prefix(path) if "pattern" in effect.flags else path


def _wants(
    effects: tuple[Effect, ...],
    scripts: frozenset[int],
    written: Container[str] = (),
    lists: frozenset[int] = frozenset(),
) -> tuple[Want, ...]:
    wants: dict[str, Want] = {}
    for effect in effects:
        path = want_path(effect)
        if not path:
            continue
        is_wanted = effect.start in scripts if effect.verb == "read" else path in written
        limit = CONTENT_LIMIT if is_wanted else LIST_LIMIT if effect.verb == "read" and effect.start in lists else 0
        limit = limit if path == effect.value else 0
        known = wants.get(path)
        if known is None or known.content_limit < limit:
            wants[path] = Want(path=path, content_limit=limit)
    return tuple(wants.values())
