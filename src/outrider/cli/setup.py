"""What ``init`` is about to change, and changing it."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.narrow import effective
from outrider.cli import hosts, launchers, survey
from outrider.config import Http, add_repository, load_config, save_config
from outrider.daemon import shelf
from outrider.doors.claude_code import files, settings
from outrider.doors.claude_code.installed import Installation, Scope, installations, put
from outrider.doors.claude_code.settings import HttpHook
from outrider.errors import BadInputError, CharterError, RefusedError

if TYPE_CHECKING:
    from outrider.config import Config, Home, Mode

_STRICT = {"deny": 0, "ask": 1, "allow": 2}
_EVERYWHERE = ("unclaimed",)
"""Charters of agents that user-level hooks also reach, whatever repository they work in."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for.

    Attributes:
        root: The repository.
        scope: Which settings file.
        charter: The charter, or empty: the one that it has, else one that suits.
        mode: The mode, or None: the one that it has, else a preview.
        http: Whether hooks go over HTTP where they can.
        program: The host's program, or None: the one on PATH.
    """

    root: Path
    scope: Scope
    charter: str = ""
    mode: Mode | None = None
    http: bool = False
    program: Path | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be changed.

    Attributes:
        wanted: What was asked for.
        claude: The host.
        charter: The charter that agents of this repository will get.
        why: Why that one.
        mode: Its mode.
        undecided: What the hook answers if nobody can decide.
        now: The settings file as it is.
        text: What it will be.
        token: The token of HTTP hooks, or empty.
        port: Their port.
        config: The configuration as it is.
    """

    wanted: Wanted
    claude: hosts.Claude
    charter: str
    why: str
    mode: Mode
    undecided: str
    now: files.Settings
    text: str
    token: str
    port: int
    config: Config

    @property
    def changes_settings(self) -> bool:
        """Whether the host's file changes."""
        return self.text.encode() != self.now.raw

    @property
    def is_registered(self) -> bool:
        """Whether the configuration holds just this already."""
        path = survey.pattern(self.wanted.root)
        known = next((one for one in self.config.repositories if one.path == path), None)
        return known is not None and (known.charter, known.mode) == (self.charter, self.mode)

    def diff(self) -> Iterator[str]:
        """Yield the unified diff of the settings file; a token does not show."""
        before = (self.now.text or "").splitlines()
        name = str(self.now.path)
        old = name if self.now.raw is not None else "/dev/null"
        for line in difflib.unified_diff(before, self.text.splitlines(), old, name, lineterm="", n=2):
            yield line.replace(self.token, "[token]") if self.token else line


def settings_path(wanted: Wanted) -> Path:
    """Return the settings file that is meant."""
    if wanted.scope == "user":
        return hosts.user_settings()
    return files.shared_settings(wanted.root) if wanted.scope == "shared" else files.local_settings(wanted.root)


def plan(home: Home, wanted: Wanted, claude: hosts.Claude) -> Plan:
    """Work out what would change; changes nothing.

    Raises:
        OutriderError: It cannot be done, with a reason and what to do.
    """
    launchers.check(home)
    if wanted.http and wanted.scope == "shared":
        raise BadInputError(
            "--http puts this machine's token into the settings, which --shared commits",
            fix="Use --http with the user's settings or --local.",
        )
    config = load_config(home)
    charter, why, mode = _charter(home, config, wanted)
    undecided = strictest(home, config, wanted, charter)
    path = settings_path(wanted)
    within = None if wanted.scope == "user" else wanted.root
    now = files.read(path, mode=0o644 if wanted.scope == "shared" else 0o600, within=within)
    if wanted.scope == "local" and survey.is_tracked(path, wanted.root):
        raise RefusedError(
            f"{path} is committed to git, and what init writes there is for this machine only",
            fix="Take it out of git, or use the user's settings, or --shared.",
        )
    token = _token(home, config, make=False) if wanted.http else ""
    hook = HttpHook(origin=origin(config), token=token) if wanted.http else None
    shared = wanted.scope == "shared"
    command = launchers.shared_command(undecided) if shared else launchers.command(home, undecided)
    try:
        text = settings.install(now.text, command, on_failure=claude.on_failure, http=hook)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}", fix="Outrider leaves it as it is; repair it and try again.") from error
    return Plan(
        wanted=wanted, claude=claude, charter=charter, why=why, mode=mode, undecided=undecided, now=now, text=text,
        token=token, port=config.http.port, config=config,
    )  # fmt: skip


def apply(home: Home, planned: Plan) -> None:
    """Do what was planned.

    Raises:
        OutriderError: It cannot be done. What was done before that is complete in itself and can be undone.
    """
    wanted = planned.wanted
    launchers.write(home, shared=wanted.scope == "shared")
    config = planned.config
    if wanted.http:
        _token(home, config, make=True, new=planned.token)
        save_config(home, msgspec.structs.replace(config, http=msgspec.structs.replace(config.http, enabled=True)))
    add_repository(home, survey.pattern(wanted.root), planned.charter, planned.mode)
    about = Installation(
        path=str(planned.now.path),
        target="",
        after="",
        scope=wanted.scope,
        repository="" if wanted.scope == "user" else str(wanted.root),
        on_failure=planned.claude.on_failure,
        http=origin(config) if wanted.http else "",
        version=planned.claude.version,
        program=str(wanted.program.absolute()) if wanted.program else "",
    )
    known = next((one for one in installations(home) if one.path == about.path), None)
    if planned.changes_settings or known is None or known.program != about.program:
        put(home, planned.now, planned.text, about)


def strictest(home: Home, config: Config, wanted: Wanted, charter: str) -> str:
    """Return what the hook answers by itself: the strictest word of every charter whose agents it speaks for."""
    names = {charter}
    if wanted.scope == "user":
        names |= {*_EVERYWHERE, *(one.charter for one in config.repositories)}
    known = shelf.load(home).shelf
    said = []
    for name in names:
        try:
            said.append(effective(known.line(name)).undecided)
        except CharterError:
            return "deny"
    return min(said, key=_STRICT.__getitem__)


def origin(config: Config) -> str:
    """Return where HTTP hooks go."""
    return f"http://127.0.0.1:{config.http.port}"


def token_file(home: Home, http: Http) -> Path:
    """Return the file of the bearer token."""
    return Path(http.token_file) if http.token_file else home.http_token


def _charter(home: Home, config: Config, wanted: Wanted) -> tuple[str, str, Mode]:
    path = survey.pattern(wanted.root)
    known = next((one for one in config.repositories if one.path == path), None)
    mode = wanted.mode or (known.mode if known else "observe")
    if wanted.charter:
        name, why = wanted.charter, "you chose it"
    elif known:
        name, why = known.charter, "it had that already"
    else:
        name, why = survey.suits(wanted.root)
    read = shelf.load(home)
    if name in read.bad:
        raise read.bad[name]
    read.shelf.line(name)
    return name, why, mode


def _token(home: Home, config: Config, *, make: bool, new: str = "") -> str:
    path = token_file(home, config.http)
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError:
        token = ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"the token of HTTP hooks, {path}, cannot be read") from error
    if len(token) >= 32:
        return token
    token = new or secrets.token_urlsafe(32)
    if make:
        files.write(path, f"{token}\n".encode(), 0o600)
    return token
