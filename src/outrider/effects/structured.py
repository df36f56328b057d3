"""Effects of the tools that say what they do: their arguments are the effects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from outrider.effects.commands.roles import host_of
from outrider.effects.place import Place, from_windows, is_ignored, normal, tilde
from outrider.effects.shell.words import has_glob
from outrider.events.call import Call, Effect, Verb
from outrider.events.looking import looks_only

_PATH_KEYS = (
    "file_path",
    "path",
    "notebook_path",
    "filePath",
    "absolute_path",
    "target_file",
    "filename",
    "file",
    "dir_path",
)
_URL_KEYS = ("url", "uri")
_FILE_KEYS = frozenset(
    {"path", "paths", "file_path", "filepath", "file_paths", "file", "files", "filename", "source", "destination",
     "target", "target_file", "targetfile", "src", "dst", "dest", "dir", "directory", "folder", "notebook_path",
     "absolute_path", "relative_path", "old_path", "new_path", "output", "output_path", "outputpath", "localpath"}
)  # fmt: skip
_OWN = re.compile(r"(?i)(lsp|todo|tasklist|taskget|askuser|skill|tool_?search)")
"""How names of hosts' own tools begin that touch no file which they are told of."""
_DEEP, _MANY, _LONG = 6, 400, 4096


def text_of(args: dict[str, Any], *names: str) -> str:
    """Return the first of the named arguments that is a non-empty text, else an empty text."""
    for name in names:
        value = args.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def path_effect(
    verb: Verb, text: str, call: Call, place: Place, flags: tuple[str, ...] = (), *, is_pattern: bool = False
) -> Effect | None:
    """Return the effect on a path as a tool's argument names it; None if it touches nothing that lasts."""
    if is_ignored(text):
        return None
    if "\0" in text:
        return Effect(verb="unparsed", kind="path", value=text[:200], note="a path with a NUL in it")
    if text.startswith("~"):
        text = tilde(text, place)
    elif text[1:2] == ":" or text.startswith("\\\\"):
        text = from_windows(text)
    if not text.startswith("/"):
        text = f"{call.cwd or place.cwd}/{text}"
    plain = normal(text)
    if is_pattern and has_glob(plain):
        flags = tuple(sorted((*flags, "pattern")))
    return Effect(
        verb=verb, kind="path", value=plain, resolved=text if plain != text and ".." in text else "", flags=flags
    )


def _missing(call: Call, what: str) -> Effect:
    return Effect(verb="unparsed", kind="tool", value=call.name[:200], note=f"the call names no {what}")


def _paths(*verbs: Verb) -> Callable[[Call, Place], list[Effect]]:
    def read(call: Call, place: Place) -> list[Effect]:
        paths = [path for path in (text_of(call.args, name) for name in _PATH_KEYS) if path]
        for several in (call.args.get("paths"), call.args.get("files")):
            paths += [one for one in several if isinstance(one, str) and one] if isinstance(several, list) else []
        if not paths:
            return [_missing(call, "path")]
        made = [path_effect(verb, one, call, place) for one in paths for verb in verbs]
        return [effect for effect in made if effect is not None]

    return read


def _search(call: Call, place: Place) -> list[Effect]:
    """Grep and Glob read everything under their root; a glob may name a root of its own."""
    root = text_of(call.args, "path", "dir_path", "directory") or call.cwd or place.cwd
    made = [path_effect("read", root, call, place, ("recursive",))]
    pattern = text_of(call.args, "pattern", "glob") if "glob" in call.name.lower() else text_of(call.args, "glob")
    if pattern.startswith(("/", "~")) or ".." in pattern:
        base = pattern if pattern.startswith(("/", "~")) else f"{root}/{pattern}"
        made.append(path_effect("read", base, call, place, ("recursive",), is_pattern=True))
    return [effect for effect in made if effect is not None]


def _fetch(call: Call, place: Place) -> list[Effect]:
    url = text_of(call.args, *_URL_KEYS)
    if url.lower().startswith("file://"):
        effect = path_effect("read", url[7:], call, place)
        return [effect] if effect else []
    host = host_of(url) if url else ""
    return [Effect(verb="connect", kind="host", value=host)] if host else [_missing(call, "address that could be read")]


def _websearch(_call: Call, _place: Place) -> list[Effect]:
    return [Effect(verb="connect", kind="host", value="websearch")]


def _spawn(call: Call, _place: Place) -> list[Effect]:
    name = text_of(call.args, "subagent_type", "agent_type", "agent", "agentName") or "general-purpose"
    return [Effect(verb="spawn", kind="charter", value=name)]


def _mcp(call: Call, place: Place) -> list[Effect]:
    """A tool of an MCP server; a URL or absolute path under a well-known argument name is reached as well."""
    _, _, rest = call.name.partition("mcp__")
    server, _, tool = rest.partition("__")
    value = f"mcp:{server}/{tool}" if rest and tool else f"mcp:{call.name}"
    return [Effect(verb="call", kind="tool", value=value), *_named(tool or call.name, call, place)]


def _named(tool: str, call: Call, place: Place) -> list[Effect]:
    """Return what a tool that is not known here can do with what it is given: reach a host, read and write a file.

    A tool whose name says that it looks is taken at its word; any other may write where it is pointed.
    """
    verbs: tuple[Verb, ...] = ("read",) if looks_only(tool) or _OWN.match(tool) else ("read", "write")
    effects: dict[tuple[str, str], Effect] = {}
    pending: list[tuple[str, Any, int]] = [(name, given, 0) for name, given in call.args.items()]
    for name, given, depth in pending:  # grows while it is walked
        if isinstance(given, dict | list) and depth < _DEEP and len(pending) < _MANY:
            inner = given.items() if isinstance(given, dict) else ((name, one) for one in given)
            pending += [(str(key), one, depth + 1) for key, one in inner]
        if not isinstance(given, str) or len(given) > _LONG or "\n" in given:
            continue
        host = host_of(given, bare=False) if name.lower() in _URL_KEYS and "://" in given else ""
        if host:
            effects["connect", host] = Effect(verb="connect", kind="host", value=host, flags=("inexact",))
        path = given[7:] if given.lower().startswith("file://") else given
        if "://" in path or not (name.lower() in _FILE_KEYS or _is_local(path, place)):
            continue
        for verb in verbs:
            effect = path_effect(verb, path, call, place)
            if effect is not None:
                effects[verb, effect.value] = effect
    return list(effects.values())


def _is_local(text: str, place: Place) -> bool:
    """Whether a text under any name is a path of this host."""
    return text.startswith(
        ("~/", "/etc/", "/usr/", "/var/", "/root/", "/opt/", "../", f"{place.home}/", f"{place.repo}/")
    )


def _settings(call: Call, place: Place) -> list[Effect]:
    """The host says that its configuration changed; a source without a file is named by the source."""
    path = text_of(call.args, *_PATH_KEYS)
    if not path:
        source = text_of(call.args, "source") or "settings"
        return [Effect(verb="call", kind="tool", value=f"host:ConfigChange/{source}")]
    effect = path_effect("write", path, call, place)
    return [effect] if effect is not None else []


def _prompt(_call: Call, _place: Place) -> list[Effect]:
    return [Effect(verb="prompt", kind="text", value="prompt")]


def _credential(call: Call, _place: Place) -> list[Effect]:
    """What the broker lends; it is named by us and not by the host."""
    name = text_of(call.args, "credential")
    return [Effect(verb="use_credential", kind="credential", value=name, flags=("lent",))]


def _other(call: Call, place: Place) -> list[Effect]:
    return [Effect(verb="call", kind="tool", value=f"host:{call.name}"), *_named(call.name, call, place)]


TOOLS: dict[str, Callable[[Call, Place], list[Effect]]] = {
    "read": _paths("read"),
    "write": _paths("write"),
    "edit": _paths("read", "write"),
    "search": _search,
    "fetch": _fetch,
    "websearch": _websearch,
    "spawn": _spawn,
    "mcp": _mcp,
    "settings": _settings,
    "prompt": _prompt,
    "credential": _credential,
    "other": _other,
}
"""Reader by normal tool; ``shell`` is the walker's."""
