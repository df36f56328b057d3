"""Claude Code's settings file: put our hooks in, take them out, see whether they are still there.

Pure text in and out. What is there stays as it is, byte for byte: only our own entries are
inserted and removed. The caller keeps a backup, which is what makes ``init --undo`` exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from outrider.doors import jsonspan
from outrider.doors.claude_code.events import COMMAND_ONLY, INSTALLED, NAME, NO_ON_FAILURE
from outrider.errors import BadInputError

ON_FAILURE_SINCE = (2, 1, 295)
"""First version of the host that can be told that a failed hook blocks."""

TIMEOUT = 5
TIMEOUT_END = 1
"""Seconds that the host gives a hook: more than the hook's own deadline, less than what makes a person wait."""

HTTP_PATH = f"/v1/hook/{NAME}/"


class HttpHook(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how the host reaches us over HTTP, which is weaker than the command (see docs/hooks.md).

    Attributes:
        origin: Such as ``http://127.0.0.1:8765``.
        token: This installation's bearer token.
    """

    origin: str
    token: str


def supports_on_failure(version: str) -> bool:
    """Say whether this version of the host honours ``onFailure: "block"``.

    Args:
        version: What the host says of itself, such as ``2.1.330 (Claude Code)``. What can not be read can not be
            relied on: False.
    """
    match = re.search(r"(?<![\d.])(\d+)\.(\d+)\.(\d+)", version)
    return match is not None and tuple(int(part) for part in match.groups()) >= ON_FAILURE_SINCE


def entry(event: str, command: list[str], *, on_failure: bool, http: HttpHook | None = None) -> dict[str, Any]:
    """Return our entry for one event, as it stands in the event's list.

    Args:
        event: The event.
        command: The hook client's command line without ``--event``; must hold ``--door claude_code``.
        on_failure: Whether the host's version honours ``onFailure``.
        http: Reach us over HTTP where the event allows it.
    """
    timeout = TIMEOUT_END if event == "SessionEnd" else TIMEOUT
    handler: dict[str, Any]
    if http is not None and event not in COMMAND_ONLY:
        handler = {
            "type": "http",
            "url": f"{http.origin}{HTTP_PATH}{event}",
            "headers": {"Authorization": f"Bearer {http.token}"},
            "timeout": timeout,
        }
    else:
        args = [*command[1:], "--event", event]
        handler = {"type": "command", "command": command[0], "args": args, "timeout": timeout}
    if on_failure and event not in NO_ON_FAILURE:
        handler["onFailure"] = "block"
    return {"matcher": "*", "hooks": [handler]}


def is_ours(group: Any) -> bool:
    """Say whether an element of an event's list is one of our entries, of whatever version of Outrider."""
    if not isinstance(group, dict):
        return False
    handlers = group.get("hooks")
    if not isinstance(handlers, list) or len(handlers) != 1 or not isinstance(handlers[0], dict):
        return False
    handler = handlers[0]
    if handler.get("type") == "http":
        url = handler.get("url")
        return isinstance(url, str) and HTTP_PATH in url
    args = handler.get("args")
    if not isinstance(args, list) or "--undecided" not in args or "--door" not in args:
        return False
    return args[args.index("--door") + 1 : args.index("--door") + 2] == [NAME]


def install(text: str | None, command: list[str], *, on_failure: bool, http: HttpHook | None = None) -> str:
    """Return the settings with our hooks in them, once, whatever was there of ours before.

    Args:
        text: The file's text; None or blank where there is none.
        command: As in :func:`entry`.
        on_failure: As in :func:`entry`.
        http: As in :func:`entry`.

    Raises:
        BadInputError: The file is not JSON, or its ``hooks`` are not of the host's shape: we do not touch it. Or the
            command holds what is not printable text.
    """
    if any(not word.isprintable() for word in command):
        raise BadInputError("the hook client's path or options hold characters that settings can not carry safely")
    if text is None or not text.strip():
        text = "{}\n"
    wanted = {event: entry(event, command, on_failure=on_failure, http=http) for event in INSTALLED}
    present = _hooks(text)
    for event in {*present, *wanted}:
        ours = [group for group in present.get(event, ()) if is_ours(group)]
        if ours != [wanted[event]] if event in wanted else ours:
            text = _without(text, event)
    present = _hooks(text)
    if "hooks" not in jsonspan.load(text):
        text = jsonspan.insert(text, _root(text), {}, key="hooks", depth=0)
    for event, group in wanted.items():
        if any(is_ours(one) for one in present.get(event, ())):
            continue
        at = _member(text, _root(text), "hooks")
        assert at is not None
        groups = _member(text, at, event)
        if groups is None:
            text = jsonspan.insert(text, at, [group], key=event, depth=1)
        else:
            text = jsonspan.insert(text, groups, group, depth=2)
    return text


def uninstall(text: str) -> str:
    """Return the settings without our hooks; lists and objects that this leaves empty go too.

    Raises:
        BadInputError: As :func:`install`.
    """
    for event in _hooks(text):
        text = _without(text, event)
    return text


def drift(settings: Mapping[str, str], *, on_failure: bool = True) -> list[str]:
    """Say in what way our hooks are off or incomplete; empty if they are in force.

    Args:
        settings: Text of every settings file that the host would read here, by path; those that do not exist left out.
        on_failure: Whether the host's version could fail closed, so that an entry that does not is worth a word.
    """
    out: list[str] = []
    seen: set[str] = set()
    for path, text in settings.items():
        try:
            present = _hooks(text)
        except BadInputError as error:
            out.append(f"{path} can not be read, and the host may leave it out: {error}")
            continue
        value = jsonspan.load(text)
        out += [f"{path} sets {key}: {what}" for key, what in _SWITCHES.items() if value.get(key)]
        for event, groups in present.items():
            ours = [group for group in groups if is_ours(group)]
            seen.update((event,) if ours else ())
            if len(ours) > 1:
                out.append(f"{path} asks us {len(ours)} times for {event}")
            out += [f"{path} {fault}" for group in ours for fault in _faults(event, group, on_failure=on_failure)]
    missing = [event for event in INSTALLED if event not in seen]
    if missing:
        out.append(f"no settings file asks us for {', '.join(missing)}")
    return out


_SWITCHES = {
    "disableAllHooks": "no hook runs",
    "allowManagedHooksOnly": "only hooks in the managed settings run",
}


def _faults(event: str, group: dict[str, Any], *, on_failure: bool) -> list[str]:
    out = []
    if group.get("matcher") not in ("*", "", None) or "if" in group["hooks"][0]:
        out.append(f"asks us for some {event} events only")
    if group["hooks"][0].get("async") or group["hooks"][0].get("asyncRewake"):
        out.append(f"does not wait for our answer to {event}")
    if on_failure and event not in NO_ON_FAILURE and group["hooks"][0].get("onFailure") != "block":
        out.append(f"lets {event} through if our hook fails")
    return out


def _hooks(text: str) -> dict[str, list[Any]]:
    """Return the hooks of a settings file, checked for the shape that we edit."""
    value = jsonspan.load(text)
    if not isinstance(value, dict):
        raise BadInputError("the settings are not a JSON object")
    hooks = value.get("hooks", {})
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise BadInputError('the settings\' "hooks" are not an object of lists')
    return hooks


def _root(text: str) -> int:
    return text.index("{")


def _member(text: str, at: int, key: str) -> int | None:
    held, _ = jsonspan.spans(text, at)
    return next((span.value for span in held if span.key == key), None)


def _without(text: str, event: str) -> str:
    """Remove our entries for one event, and what that leaves empty. Leaves the text alone if there is none of ours."""
    root = _root(text)
    hooks = _member(text, root, "hooks")
    groups = _member(text, hooks, event) if hooks is not None else None
    if hooks is None or groups is None:
        return text
    held, _ = jsonspan.spans(text, groups)
    ours = [i for i, span in enumerate(held) if is_ours(json.loads(text[span.value : span.end]))]
    for index in reversed(ours):
        text = jsonspan.remove(text, groups, index)
    if ours and len(ours) == len(held):
        text = _drop(text, hooks, event)
        if not jsonspan.spans(text, hooks)[0]:
            text = _drop(text, root, "hooks")
    return text


def _drop(text: str, at: int, key: str) -> str:
    held, _ = jsonspan.spans(text, at)
    return jsonspan.remove(text, at, next(i for i, span in enumerate(held) if span.key == key))


def switched_off(text: str) -> list[str]:
    """Say what in one settings file keeps the host from asking us, whatever its hooks say; empty if nothing does.

    Raises:
        BadInputError: As :func:`install`.
    """
    _hooks(text)
    value = jsonspan.load(text)
    out = [f"{key}: {what}" for key, what in _SWITCHES.items() if value.get(key, False) is not False]
    env = value.get("env")
    names = sorted(_BARE & env.keys()) if isinstance(env, dict) else []
    return out + [f"env.{name}: the host starts without its hooks" for name in names]


def in_force(text: str, *, on_failure: bool) -> bool:
    """Say whether one settings file, by itself, has the host ask us about everything that we want to be asked about.

    Args:
        text: The file's text.
        on_failure: Whether each entry must also block if our hook fails.

    Raises:
        BadInputError: As :func:`install`.
    """
    return not switched_off(text) and not drift({"": text}, on_failure=on_failure)


_BARE = frozenset(("CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SAFE_MODE"))
"""Environment variables that start the host without hooks."""
