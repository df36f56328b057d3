"""Whether the hooks are in force, file by file and repository by repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.cli import hosts
from outrider.cli.finding import Finding, bad, ok, warn
from outrider.config import load_config
from outrider.doors.claude_code import files
from outrider.doors.claude_code.installed import Installation, digest, installations
from outrider.doors.claude_code.settings import drift, switched_off
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.config import Config, Home


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """One repository that was set up.

    Attributes:
        path: Its top.
        charter: What its agents get.
        mode: ``observe`` is a preview.
        protected: Whether the host asks us about all that happens in it.
        why: What keeps it from being protected.
    """

    path: str
    charter: str
    mode: str
    protected: bool
    why: tuple[str, ...] = ()


def repositories(config: Config, claude: hosts.Claude | None) -> list[Covered]:
    """Return every repository that was set up, and whether the hooks are in force there."""
    out = []
    for one in config.repositories:
        wrong = drift_in(Path(one.path), claude)
        if "*" not in one.path and "?" not in one.path and not Path(one.path).is_dir():
            wrong = ["there is no such directory"]
        protected = not wrong and one.mode == "enforce"
        out.append(Covered(path=one.path, charter=one.charter, mode=one.mode, protected=protected, why=tuple(wrong)))
    return out


def drift_in(repository: Path | None, claude: hosts.Claude | None) -> list[str]:
    """Say in what way the hooks are off or incomplete for a host that works in a repository."""
    texts = files.texts(hosts.settings_read_in(repository))
    programs = {(path, name) for path, text in texts.items() for name in _programs(text) if not Path(name).exists()}
    gone = [f"{path} starts {name}, which is gone" for path, name in sorted(programs)]
    return _drift(texts, on_failure=claude is not None and claude.on_failure) + gone


def off_in(repository: Path, path: Path, text: str) -> list[str]:
    """Say what would switch hooks off in a repository once ``path`` holds ``text``."""
    texts = {**files.texts(hosts.settings_read_in(repository)), str(path): text}
    return [f"{where} sets {what}" for where, what in _switches(texts)]


def check(home: Home, claude: hosts.Claude | None) -> list[Finding]:
    """Look at every settings file that we installed into, and at those that could switch it off."""
    try:
        known, config = installations(home), load_config(home)
    except BadInputError as error:
        return [bad(str(error), error.fix)]
    if not known:
        return [warn("Outrider is in no agent's settings", "Run `outrider init` in a repository.")]
    out = [finding for one in known for finding in _installed(one)]
    managed = files.texts(files.managed_settings())
    out += [bad(f"{path} sets {what}", "Ask your administrator.") for path, what in _switches(managed)]
    own = {path: text for one in config.repositories for path, text in _own_texts(Path(one.path)).items()}
    out += [bad(f"{path} sets {what}", "Take that out; nothing is judged there.") for path, what in _switches(own)]
    if claude is not None and claude.on_failure and not all(one.on_failure for one in known):
        out.append(
            warn(f"{claude.told} can fail closed, and the hooks do not ask for it", "Run `outrider init` again.")
        )
    return out


def _installed(one: Installation) -> list[Finding]:
    path = Path(one.path)
    texts = files.texts([path])
    wrong = _drift(texts, on_failure=one.on_failure) if texts else ["it is gone, and our hooks with it"]
    fix = "Run `outrider init` again."
    out = [bad(f"{path}: {what.removeprefix(str(path)).strip()}", fix) for what in wrong]
    missing = [name for name in _programs(texts.get(str(path), "")) if not Path(name).exists()]
    out += [bad(f"{path} starts {name}, which is gone", fix) for name in missing]
    if one.http:
        out.append(
            warn(f"{path}: hooks over HTTP are weaker: a sender cannot be told", "`outrider init` for commands.")
        )
    if not out:
        same = digest(texts[str(path)].encode()) == one.after
        out.append(ok(f"hooks are in force in {path}" + ("" if same else ", which was changed since, elsewhere")))
    return out


def _programs(text: str) -> set[str]:
    """Return the absolute paths that our entries start."""
    try:
        hooks = msgspec.json.decode(text).get("hooks", {})
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError):
        return set()
    from outrider.doors.claude_code.settings import is_ours

    groups = [group for listed in hooks.values() for group in listed if is_ours(group)]
    handlers = [handler for group in groups for handler in group["hooks"] if handler.get("type") == "command"]
    words = [word for handler in handlers for word in (handler.get("command", ""), *_started(handler["args"]))]
    return {word for word in words if word.startswith("/")}


def _started(args: list[str]) -> list[str]:
    after = args[args.index("--start") + 1 :][:1] if "--start" in args else []
    return [*after, *(word for word in args[:3] if word.endswith("client.py"))]


def _own_texts(repository: Path) -> dict[str, str]:
    return files.texts([files.local_settings(repository), files.shared_settings(repository)])


def _switches(texts: dict[str, str]) -> list[tuple[str, str]]:
    out = []
    for path, text in texts.items():
        try:
            out += [(path, what) for what in switched_off(text)]
        except BadInputError as error:
            out.append((path, f"what can not be read: {error}"))
    return out


def _drift(texts: dict[str, str], *, on_failure: bool) -> list[str]:
    return [*drift(texts, on_failure=on_failure), *(f"{p} sets {w}" for p, w in _switches(texts) if "env." in w)]
