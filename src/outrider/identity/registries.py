"""Which package registries this host is set up to use: what ``@registries`` in a charter stands for.

No registry is named in this program. Each package manager's own system and user configuration is read, and where it
names no registry, the default that stands in the package manager's own installed files. Some (cargo, uv, yarn) have
their default in no file that can be read; then a note says so, and a person can configure it there or allow the host
in a charter. uv uses pip's default and so is helped by pip's file.

Never read: the environment, PATH, and files in a repository, since agents can set those. Userinfo in an address is
dropped before anything else happens to it. No file is read beyond 1 MiB, and nothing raises.
"""

from __future__ import annotations

import configparser
import re
import sysconfig
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from outrider.identity.process import small_file

MAX_FILE = 1024 * 1024
MAX_HOSTS = 64
MAX_GLOB = 16
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
_URL = re.compile(r"https?://[^\s\"'<>,|\])}]+")
_PORTS = {"http": 80, "https": 443}


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What one package manager is set up to use.

    Attributes:
        tool: Its name.
        hosts: ``name`` or ``name:port`` in lower case, sorted.
        note: Why there is no host, or the empty string.
    """

    tool: str
    hosts: tuple[str, ...]
    note: str = ""


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look: the home of a user, and the root of the file system (another one in tests)."""

    home: Path
    root: Path = Path("/")

    def text(self, path: Path) -> str:
        """Return the text of a file, empty if it cannot be read."""
        return small_file(path, MAX_FILE).decode("utf-8", "replace")

    def etc(self, *names: str) -> list[Path]:
        """Return system paths, given relative to the root."""
        return [self.root / name for name in names]

    def mine(self, *names: str) -> list[Path]:
        """Return paths in the user's home."""
        return [self.home / name for name in names]

    def found(self, *patterns: str) -> Iterator[Path]:
        """Yield files that match patterns under the root or (``~/``) the home, at most 16 a pattern."""
        for pattern in patterns:
            base, rest = (self.home, pattern[2:]) if pattern.startswith("~/") else (self.root, pattern)
            try:
                yield from sorted(base.glob(rest), reverse=True)[:MAX_GLOB]
            except OSError:
                continue


def registry_hosts(home: str | Path, *, root: Path = Path("/")) -> tuple[str, ...]:
    """Return every registry host that this user's package managers are set up to use, sorted, at most 64."""
    return tuple(sorted({host for setup in setups(home, root=root) for host in setup.hosts}))[:MAX_HOSTS]


def setups(home: str | Path, *, root: Path = Path("/")) -> tuple[Setup, ...]:
    """Return what each package manager is set up to use."""
    where = Where(home=Path(home), root=root)
    found = []
    for tool, (configured, default) in TOOLS.items():
        hosts = _hosts(configured(where)) or _hosts(default(where))
        note = "" if hosts else "not configured, and its default stands in no file that could be read"
        found.append(Setup(tool=tool, hosts=hosts, note=note))
    return tuple(found)


def host_of(url: str) -> str:
    """Return ``name`` or ``name:port`` of an address, without userinfo and default port; empty if it has none."""
    try:
        parts = urlsplit(url.strip().removeprefix("sparse+").removeprefix("git+"))
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not _HOST.match(name):
        return ""
    return name if port in {None, _PORTS[parts.scheme]} else f"{name}:{port}"


def _hosts(urls: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted({host for url in urls if (host := host_of(url))}))[:MAX_HOSTS]


# pip and uv.

_PIP_KEYS = {"index-url", "extra-index-url", "find-links"}


def _pip(where: Where) -> Iterator[str]:
    files = where.etc("etc/pip.conf", "etc/xdg/pip/pip.conf", "Library/Application Support/pip/pip.conf")
    files += where.mine(".pip/pip.conf", ".config/pip/pip.conf", "Library/Application Support/pip/pip.conf")
    main = False
    for path in files:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(where.text(path))
        except configparser.Error:
            continue
        for section in parser.sections():
            for key, value in parser.items(section):
                if key.replace("_", "-") in _PIP_KEYS:
                    main = main or key.replace("_", "-") == "index-url"
                    yield from _URL.findall(value)
    if not main:
        yield from _pip_default(where)


def _pip_default(_: Where) -> Iterator[str]:
    """Yield the default index and its file host from pip's ``_internal/models/index.py``, installed or bundled."""
    for text in _pip_sources():
        for call in re.findall(r"^PyPI\s*=\s*PackageIndex\(([^)]*)\)", text, re.MULTILINE):
            yield from _URL.findall(call)
            yield from (f"https://{host}" for host in re.findall(r"file_storage_domain\s*=\s*[\"']([^\"']+)", call))
            return


def _pip_sources() -> Iterator[str]:
    inside = "pip/_internal/models/index.py"
    spec = find_spec("pip")
    if spec is not None and spec.origin:
        yield small_file(Path(spec.origin).parents[1] / inside, MAX_FILE).decode("utf-8", "replace")
    wheels = sorted((Path(sysconfig.get_path("stdlib")) / "ensurepip" / "_bundled").glob("pip-*.whl"))
    wheels += sorted(Path("/usr/share/python-wheels").glob("pip-*.whl"))
    for wheel in wheels:
        yield _zipped(wheel, inside)


def _uv(where: Where) -> Iterator[str]:
    main = False
    for path in [*where.etc("etc/uv/uv.toml"), *where.mine(".config/uv/uv.toml")]:
        data = _toml(where.text(path))
        for table in (data, data.get("pip")):
            if isinstance(table, dict):
                main = main or bool(table.get("index-url"))
                yield from _strings([table.get(key) for key in _PIP_KEYS])
        indexes = data.get("index")
        for index in indexes if isinstance(indexes, list) else []:
            if isinstance(index, dict):
                main = main or index.get("default") is True
                yield from _strings([index.get("url")])
    if not main:
        yield from _pip_default(where)


# npm and yarn.


def _npm(where: Where) -> Iterator[str]:
    files = where.etc("etc/npmrc", "usr/etc/npmrc", "usr/local/etc/npmrc")
    files += [*where.found(*(f"{place}/npmrc" for place in _NPM)), *where.mine(".npmrc", ".config/pnpm/rc")]
    main = False
    for path in files:
        for line in where.text(path).splitlines():
            key, _, value = line.partition("=")
            name = key.strip().strip("\"'")
            if name == "registry" or name.endswith(":registry"):
                main = main or name == "registry"
                yield value.strip().strip("\"'")
    if not main:
        yield from _npm_default(where)


_NPM = (
    "usr/lib/node_modules/npm",
    "usr/local/lib/node_modules/npm",
    "opt/homebrew/lib/node_modules/npm",
    "~/.nvm/versions/node/*/lib/node_modules/npm",
    "~/.local/lib/node_modules/npm",
)


def _npm_default(where: Where) -> Iterator[str]:
    """Yield the default of npm's own ``registry`` definition."""
    inside = "@npmcli/config/lib/definitions/definitions.js"
    for path in where.found(*(f"{place}/node_modules/{inside}" for place in _NPM), f"usr/share/nodejs/{inside}"):
        found = re.search(
            r"(?:new Definition|define)\(\s*['\"]registry['\"],\s*\{\s*default:\s*['\"]([^'\"]+)", where.text(path)
        )
        if found:
            yield found[1]
            return


def _yarn(where: Where) -> Iterator[str]:
    for path in where.mine(".yarnrc", ".yarnrc.yml"):
        for line in where.text(path).splitlines():
            if re.match(r"\s*[\"']?(?:registry|npmRegistryServer|.*:registry)[\"']?[\s:]", line):
                yield from _URL.findall(line)


# cargo, go, maven, gem.


def _cargo(where: Where) -> Iterator[str]:
    for path in where.mine(".cargo/config.toml", ".cargo/config"):
        data = _toml(where.text(path))
        for table, keys in (("registries", ("index",)), ("source", ("registry", "index"))):
            entries = data.get(table)
            for entry in entries.values() if isinstance(entries, dict) else []:
                if isinstance(entry, dict):
                    yield from _strings([entry.get(key) for key in keys])
        registry = data.get("registry")
        if isinstance(registry, dict):
            yield from _strings([registry.get("index")])


def _go(where: Where) -> Iterator[str]:
    """Yield the module proxies and the checksum database: the user's ``go env -w``, over GOROOT's ``go.env``."""
    found: dict[str, str] = {}
    files = [*where.found("usr/local/go/go.env", "usr/lib/go*/go.env", "usr/share/go*/go.env", "~/sdk/go*/go.env")]
    for path in [*files[:1], *where.mine(".config/go/env", "Library/Application Support/go/env")]:
        for line in where.text(path).splitlines():
            key, equals, value = line.partition("=")
            if equals and key.strip() in {"GOPROXY", "GOSUMDB"}:
                found[key.strip()] = value.strip()
    yield from _URL.findall(found.get("GOPROXY", ""))
    sums = found.get("GOSUMDB", "").split()
    if sums and sums[0] != "off":
        yield sums[1] if len(sums) > 1 else f"https://{sums[0].partition('+')[0]}"


_MAVEN = ("usr/share/maven", "opt/maven", "opt/apache-maven*", "usr/local/opt/maven/libexec")


def _maven(where: Where) -> Iterator[str]:
    for path in [*where.found(*(f"{place}/conf/settings.xml" for place in _MAVEN)), *where.mine(".m2/settings.xml")]:
        yield from _xml_urls(_without_blocked(where.text(path)))


def _without_blocked(text: str) -> str:
    """Return settings without the mirrors that exist to block (``<blocked>true</blocked>``)."""
    parts = text.split("<mirror>")
    kept = [part for part in parts[1:] if "<blocked>true" not in part.partition("</mirror>")[0]]
    return "<mirror>".join([parts[0], *kept])


def _maven_default(where: Where) -> Iterator[str]:
    """Yield the repositories of Maven's super POM, which lies in one of its archives."""
    for path in where.found(*(f"{place}/lib/maven-model-builder-*.jar" for place in _MAVEN)):
        yield from _xml_urls(_zipped(path, "org/apache/maven/model/pom-4.0.0.xml"))


def _xml_urls(text: str) -> Iterator[str]:
    """Yield what stands in ``<url>`` elements outside comments; no parser, so no entities."""
    parts = [piece.rpartition("-->")[2] for piece in text.split("<!--")]
    yield from (found.strip() for found in re.findall(r"<url>([^<]*)</url>", "".join(parts)))


def _gem(where: Where) -> Iterator[str]:
    for path in [*where.etc("etc/gemrc"), *where.mine(".gemrc", ".config/gem/gemrc")]:
        text = where.text(path)
        if "sources" in text:
            yield from _URL.findall("\n".join(line.partition("#")[0] for line in text.splitlines()))


def _gem_default(where: Where) -> Iterator[str]:
    """Yield the default sources in RubyGems' own ``defaults.rb``."""
    for path in where.found(
        "usr/lib/ruby/vendor_ruby/rubygems/defaults.rb",
        "usr/lib/ruby/*/rubygems/defaults.rb",
        "usr/local/lib/ruby/*/rubygems/defaults.rb",
        "~/.rbenv/versions/*/lib/ruby/*/rubygems/defaults.rb",
    ):
        found = re.search(r"def self\.default_sources\s(.{0,400})", where.text(path), re.DOTALL)
        if found:
            yield from _URL.findall(found[1].partition("end")[0])
            return


def _nothing(_: Where) -> Iterator[str]:
    return iter(())


_Reader = Callable[[Where], Iterator[str]]
TOOLS: dict[str, tuple[_Reader, _Reader]] = {
    "pip": (_pip, _nothing),
    "uv": (_uv, _nothing),
    "npm": (_npm, _nothing),
    "yarn": (_yarn, _nothing),
    "cargo": (_cargo, _nothing),
    "go": (_go, _nothing),
    "maven": (_maven, _maven_default),
    "gem": (_gem, _gem_default),
}
"""Package manager to what reads its configuration, and what reads its default when that names nothing.

pip, uv and npm add their default themselves, since theirs stays in force beside extra indexes and scoped registries.
"""


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _strings(values: list[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, str))


def _zipped(path: Path, inside: str) -> str:
    """Return the text of a file in an archive, empty if it is not there or larger than 1 MiB."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(inside) as file:
            return file.read(MAX_FILE).decode("utf-8", "replace")
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError):
        return ""
