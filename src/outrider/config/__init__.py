"""Where things are on this host, and the user's configuration file. Nothing here decides anything.

The home of Outrider is ``$OUTRIDER_HOME`` or ``~/.outrider``; the hook client alone never reads the environment and
is told by its own arguments instead.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec

from outrider.config.contact import Contact
from outrider.config.matching import closeness
from outrider.errors import BadInputError

BUILTIN_CHARTERS = Path(__file__).parents[1] / "charters"
"""The built-in charters in an installed package; in a checkout they stand at the top of the repository."""


@dataclass(frozen=True)
class Home:
    """The directories and files of one Outrider on one host. All are made 0700 or 0600.

    Attributes:
        root: Absolute path of the home.
    """

    root: Path

    @classmethod
    def default(cls) -> Home:
        """Return the home named by ``OUTRIDER_HOME``, else ``~/.outrider``."""
        named = os.environ.get("OUTRIDER_HOME")
        return cls(Path(named).absolute() if named else Path.home() / ".outrider")

    @property
    def config(self) -> Path:
        """The user's configuration, TOML."""
        return self.root / "config.toml"

    @property
    def run(self) -> Path:
        """The directory of the socket, locks and the spool (0700)."""
        return self.root / "run"

    @property
    def socket(self) -> Path:
        """The daemon's UNIX socket."""
        return self.run / "daemon.sock"

    @property
    def spool(self) -> Path:
        """Where a hook client that found no daemon leaves one line a call."""
        return self.run / "spool.jsonl"

    @property
    def record(self) -> Path:
        """The record: journal, tiles, checkpoint, verifier key, state snapshot."""
        return self.root / "record"

    @property
    def keys(self) -> Path:
        """Private keys (0700): ``log.key`` signs checkpoints, ``print.key`` keys the fingerprints."""
        return self.root / "keys"

    @property
    def charters(self) -> Path:
        """The user's own charters, one TOML file each; a name here hides a built-in one."""
        return self.root / "charters"

    @property
    def facts(self) -> Path:
        """What the user brought about names of packages; see ``outrider facts``."""
        return self.root / "facts"

    @property
    def view(self) -> Path:
        """The queryable view of the record: SQLite, can be deleted and rebuilt."""
        return self.root / "view" / "view.sqlite"

    @property
    def content(self) -> Path:
        """Content beside the record, encrypted; without ``keys/content.key`` it is noise."""
        return self.root / "content"

    @property
    def content_key(self) -> Path:
        """The root of all keys of content; replaced whenever something is erased."""
        return self.keys / "content.key"

    @property
    def imported(self) -> Home:
        """The home of what was read from hosts' own transcripts: a record and a view of its own, and this one's keys.

        What nobody witnessed never stands in the record of what was.
        """
        return Home(self.root / "imported")

    @property
    def http_token(self) -> Path:
        """The bearer token of this installation's HTTP hooks, unless the configuration names another file."""
        return self.keys / "http.token"

    @property
    def bin(self) -> Path:
        """Launchers written by ``init``."""
        return self.root / "bin"

    def make(self) -> None:
        """Create the directories that are missing, private to the user.

        Raises:
            OSError: A directory cannot be made.
        """
        for directory in (
            self.root,
            self.run,
            self.record,
            self.keys,
            self.charters,
            self.view.parent,
            self.bin,
        ):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def builtin_charters() -> Path:
    """Return the directory of the built-in charters, installed or in a checkout."""
    if BUILTIN_CHARTERS.is_dir():
        return BUILTIN_CHARTERS
    return Path(__file__).parents[3] / "charters"


MAX_CONFIG = 1024 * 1024

PUBLIC_KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")

Mode = Literal["observe", "enforce"]


class Repository(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An initialised repository.

    Attributes:
        path: Absolute path of its root. ``*`` and ``?`` stand for part of one name, ``**`` for any number of names.
        charter: Charter that agents born in it get.
        mode: ``observe`` records what would have been denied; ``enforce`` denies it.
    """

    path: str
    charter: str
    mode: Mode = "enforce"


class Sponsor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who answers for agents born here. Empty: git's identity, else the OS user."""

    name: str = ""


class Http(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """HTTP hooks: off unless switched on, and weaker than command hooks (no peer credentials).

    Attributes:
        enabled: Whether the daemon listens.
        port: Loopback TCP port, 1 to 65535.
        token_file: Absolute path of the bearer token; empty for ``keys/http.token`` in Outrider's home.
    """

    enabled: bool = False
    port: int = 8437
    token_file: str = ""


class Daemon(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the daemon runs.

    Attributes:
        idle: Seconds without an agent after which a daemon that a hook started ends by itself; 0 for never.
        heartbeat: Seconds of silence after which it says that it is alive.
        users: Names or numbers of other users whose agents it serves; see ``outrider install --system``.
    """

    idle: int = 0
    heartbeat: int = 60
    users: tuple[str, ...] = ()


class SecondLooks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Slower scanners that look again at what was written: off unless a tool is named.

    Attributes:
        tools: ``bandit``, ``semgrep``, or the absolute path of such a program.
        semgrep_rules: Absolute path of the rules that semgrep is given; nothing is fetched.
        seconds: What one run may take, 1 to 600.
        memory_mb: Address space that one run may have, MiB, at least 64.
        queue: Most texts that wait; what comes on top is recorded as not looked at.
    """

    tools: tuple[str, ...] = ()
    semgrep_rules: str = ""
    seconds: int = 20
    memory_mb: int = 1024
    queue: int = 64


class Signing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whose signatures on charters count.

    Attributes:
        signed: Whether a charter of the user's own comes into force only with a signature that counts.
        keys: The public keys that count, as ``ed25519:`` and base64; none for this host's own key.
    """

    signed: bool = False
    keys: tuple[str, ...] = ()


class Witnesses(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who cosigns this host's record: nobody unless a policy names them.

    Attributes:
        policy: Absolute path of a policy (c2sp.org/tlog-policy) that names witnesses with addresses; empty for none.
        every: Seconds between two checkpoints that they are asked to cosign, at least 1.
        age: Seconds after which their word is too old for the record to be called ``witnessed``.
    """

    policy: str = ""
    every: int = 5
    age: int = 3600


class Timestamps(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who stamps this host's checkpoints (RFC 3161): nobody unless one is named.

    Attributes:
        url: Address of a timestamp authority; empty for none.
        roots: Absolute path of the certificates, PEM, that its own must lead to.
        every: Seconds between two stamps.
    """

    url: str = ""
    roots: str = ""
    every: int = 600


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The user's configuration file. A missing file is an empty one."""

    repositories: tuple[Repository, ...] = ()
    sponsor: Sponsor = Sponsor()
    contact: Contact = Contact()
    http: Http = Http()
    daemon: Daemon = Daemon()
    second_look: SecondLooks = SecondLooks()
    charters: Signing = Signing()
    witnesses: Witnesses = Witnesses()
    timestamps: Timestamps = Timestamps()

    def charter_for(self, directory: str) -> tuple[str, Mode] | None:
        """Return the charter and mode of the repository that ``directory`` is or lies in; the longest match wins.

        Matching is lexical: the caller resolves symbolic links first if they are to count.
        """
        best: tuple[tuple[int, int], Repository] | None = None
        for one in self.repositories:
            rank = closeness(one.path, directory)
            if rank is not None and (best is None or rank >= best[0]):
                best = (rank, one)
        return (best[1].charter, best[1].mode) if best is not None else None

    def with_repository(self, path: str, charter: str, mode: Mode) -> Config:
        """Return the configuration with that repository added, or changed if its path is there already."""
        new = Repository(path=path, charter=charter, mode=mode)
        if any(one.path == path for one in self.repositories):
            changed = tuple(new if one.path == path else one for one in self.repositories)
        else:
            changed = (*self.repositories, new)
        return msgspec.structs.replace(self, repositories=changed)

    def without_repository(self, path: str) -> Config:
        """Return the configuration without that repository."""
        return msgspec.structs.replace(self, repositories=tuple(one for one in self.repositories if one.path != path))


def load_config(home: Home) -> Config:
    """Return the configuration of a home; the defaults if there is no file.

    Raises:
        BadInputError: The file cannot be read, is larger than 1 MiB, is not TOML, or says something that is not known.
            The message names the file and the line where there is one.
    """
    try:
        with home.config.open("rb") as file:
            raw = file.read(MAX_CONFIG + 1)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise BadInputError(f"{home.config}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_CONFIG:
        raise BadInputError(f"{home.config}: is larger than {MAX_CONFIG} bytes")
    return parse_config(raw, source=str(home.config))


def parse_config(raw: bytes, *, source: str = "config.toml") -> Config:
    """Return the configuration in ``raw``.

    Raises:
        BadInputError: See :func:`load_config`.
    """
    try:
        text = raw.decode("utf-8")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInputError(f"{source}:{line}: not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else len(text.rstrip().split("\n"))
        raise BadInputError(f"{source}:{line}: not TOML: {error}") from error
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        line = _line_of(text, str(error))
        raise BadInputError(f"{source}:{line}: {error}" if line else f"{source}: {error}") from error
    _check(config, text, source)
    return config


def _check(config: Config, text: str, source: str) -> None:
    """Raise for values of the right type that make no sense."""
    wrong: list[tuple[str, object, str]] = []
    for number, one in enumerate(config.repositories):
        if not one.path.startswith("/") or ".." in PurePosixPath(one.path).parts:
            wrong.append((f"repositories[{number}].path", one.path, "is not an absolute path"))
        if not one.charter:
            wrong.append((f"repositories[{number}].charter", one.charter, "is not a charter's name"))
    if not 1 <= config.http.port <= 65535:
        wrong.append(("http.port", config.http.port, "is not a TCP port"))
    if config.http.token_file and not config.http.token_file.startswith("/"):
        wrong.append(("http.token_file", config.http.token_file, "is not an absolute path"))
    if config.daemon.idle < 0:
        wrong.append(("daemon.idle", config.daemon.idle, "is not a number of seconds"))
    if config.daemon.heartbeat < 1:
        wrong.append(("daemon.heartbeat", config.daemon.heartbeat, "is not a number of seconds above 0"))
    if config.witnesses.policy and not config.witnesses.policy.startswith("/"):
        wrong.append(("witnesses.policy", config.witnesses.policy, "is not an absolute path"))
    wrong += [
        (f"witnesses.{name}", seconds, "is not a number of seconds above 0")
        for name, seconds in (("every", config.witnesses.every), ("age", config.witnesses.age))
        if seconds < 1
    ]
    wrong += config.contact.wrong()
    wrong += _wrong_timestamps(config.timestamps)
    wrong += _wrong_second_look(config.second_look)
    wrong += [
        (f"charters.keys[{number}]", one, 'is not a public key, such as "ed25519:..."')
        for number, one in enumerate(config.charters.keys)
        if not PUBLIC_KEY.fullmatch(one)
    ]
    for place, value, what in wrong:
        line = _line_of(text, f"at `$.{place}`")
        raise BadInputError(f"{source}:{line}: {value!r} {what}" if line else f"{source}: {value!r} {what}")


def _wrong_timestamps(named: Timestamps) -> list[tuple[str, object, str]]:
    wrong: list[tuple[str, object, str]] = []
    if named.url and not named.roots.startswith("/"):
        wrong.append(("timestamps.roots", named.roots, "is not an absolute path"))
    if named.every < 1:
        wrong.append(("timestamps.every", named.every, "is not a number of seconds above 0"))
    return wrong


def _wrong_second_look(look: SecondLooks) -> list[tuple[str, object, str]]:
    """Return the place, the value and what is wrong with it, for each of its values that makes no sense."""
    wrong: list[tuple[str, object, str]] = [
        (f"second_look.tools[{number}]", one, "is neither bandit nor semgrep, nor the absolute path of one")
        for number, one in enumerate(look.tools)
        if one.rpartition("/")[2] not in {"bandit", "semgrep"} or ("/" in one and not one.startswith("/"))
    ]
    if look.semgrep_rules and not look.semgrep_rules.startswith("/"):
        wrong.append(("second_look.semgrep_rules", look.semgrep_rules, "is not an absolute path"))
    for name, least, most in (("seconds", 1, 600), ("memory_mb", 64, 1 << 20), ("queue", 1, 10_000)):
        if not least <= getattr(look, name) <= most:
            wrong.append((f"second_look.{name}", getattr(look, name), f"is not between {least} and {most}"))
    return wrong


def _line_of(text: str, message: str) -> int:
    """Return the line that a validation error speaks of, 0 if it cannot be told.

    The error names a place such as ``$.repositories[1].mode`` or an unknown field; both are looked up in the text.
    """
    unknown = re.search(r"unknown field `([^`]*)`", message)
    place = re.search(r"at `\$\.?([^`]*)`", message)
    keys = re.findall(r"[A-Za-z_][\w-]*|\[\d+\]", place[1]) if place else []
    if unknown:
        keys.append(unknown[1])
    lines = text.split("\n")
    at = 0
    for position, key in enumerate(keys):
        if key.startswith("["):
            continue
        nth = int(keys[position + 1][1:-1]) if position + 1 < len(keys) and keys[position + 1][0] == "[" else 0
        pattern = re.compile(rf"\s*(?:\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(?:[\].=]|$)")
        hits = [n for n in range(at, len(lines)) if pattern.match(lines[n])]
        if hits:
            at = hits[min(nth, len(hits) - 1)]
    return at + 1 if keys and lines[at].strip() else 0


def save_config(home: Home, config: Config) -> None:
    """Write the configuration, 0600, all or nothing. The file is ours: comments in it do not survive.

    Raises:
        OSError: It cannot be written; the old file is untouched then.
    """
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=".config-", dir=home.root)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(render_config(config).encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(home.config)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def add_repository(home: Home, path: str, charter: str, mode: Mode = "enforce") -> Config:
    """Add or change a repository in the configuration file, and return the whole configuration.

    Raises:
        BadInputError: The file, or what is to be added, does not make sense; nothing is written.
        OSError: It cannot be written.
    """
    config = load_config(home).with_repository(path, charter, mode)
    parse_config(render_config(config).encode(), source=str(home.config))
    save_config(home, config)
    return config


def remove_repository(home: Home, path: str) -> Config:
    """Take a repository out of the configuration file, and return the whole configuration.

    Raises:
        BadInputError: The file does not make sense; nothing is written.
        OSError: It cannot be written.
    """
    config = load_config(home).without_repository(path)
    save_config(home, config)
    return config


def render_config(config: Config) -> str:
    """Return the configuration as TOML, only what differs from the defaults."""
    data: dict[str, Any] = msgspec.to_builtins(config)
    parts = ["# Outrider's configuration. Written by outrider; comments of your own are not kept."]
    for name in Config.__struct_fields__:
        if data.get(name) and name != "repositories":
            parts.append(f"\n[{name}]")
            parts += [f"{key} = {_toml(value)}" for key, value in data[name].items()]
    for one in data.get("repositories", ()):
        parts.append("\n[[repositories]]")
        parts += [f"{key} = {_toml(value)}" for key, value in one.items()]
    return "\n".join(parts) + "\n"


def _toml(value: bool | int | str | list[str]) -> str:  # noqa: FBT001 - a TOML value is what it is
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # A TOML basic string escapes as JSON does, and DEL besides.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
