"""Install commands that are written down to be run later: in a Dockerfile, a workflow, a script, a Makefile.

They are read word by word, which is enough for what stands there; what an agent runs itself is parsed as a shell does
(``effects/``). What a variable names is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from outrider.detect.dependencies.manifests.places import started
from outrider.detect.dependencies.manifests.python import requirement
from outrider.detect.dependencies.names import Dependency


class _Manager(NamedTuple):
    ecosystem: str
    verbs: frozenset[str]
    valued: frozenset[str]


def _manager(ecosystem: str, verbs: str, valued: str = "") -> _Manager:
    return _Manager(ecosystem, frozenset(verbs.split(",")), frozenset(valued.split()))


_PIP = _manager(
    "pypi",
    "install",
    "-r --requirement -c --constraint -e --editable -t --target --prefix --root -i --index-url --extra-index-url -f "
    "--find-links --trusted-host --platform --python-version --python -p --group --extra --timeout --retries --index",
)
_JS = "--prefix -C --dir --filter -F --registry --tag --loglevel -w --workspace"
_MANAGERS: Final[dict[str, _Manager]] = {
    "pip": _PIP, "pip3": _PIP, "pipx": _PIP, "uv pip": _PIP, "uv tool": _PIP,
    "uv": _manager("pypi", "add", "--group --extra --optional --index --python -p --tag --branch --rev -r"),
    "poetry": _manager("pypi", "add", "-G --group -E --extras --source --python"),
    "pdm": _manager("pypi", "add", "-G --group"),
    "npm": _manager("npm", "install,i,add", _JS), "pnpm": _manager("npm", "add,install,i", _JS),
    "yarn": _manager("npm", "add", _JS), "yarn global": _manager("npm", "add", _JS),
    "bun": _manager("npm", "add,install,i", _JS),
    "gem": _manager("gem", "install", "-v --version -i --install-dir -n -s --source -P"),
    "cargo": _manager("cargo", "install,add", "--version --git --branch --tag --rev --path --root -F --registry"),
    "go": _manager("go", "install,get", "-tags -ldflags -mod"),
    "apt": _manager("deb", "install", "-t -o -c --target-release"), "apt-get": _manager("deb", "install", "-t -o -c"),
    "composer": _manager("composer", "require", "-d --working-dir"),
}  # fmt: skip
_STARTERS: Final = frozenset({"npx", "bunx", "pnpx", "uvx"})
_BEFORE: Final = frozenset(
    {"sudo", "exec", "time", "command", "-", "run:", "RUN", "then", "do", "!", "@", "-E", "-H", "env"}
)
_PARTS = re.compile(r"&&|\|\||[;|]")
_WORD = re.compile(r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'])+""")
_SETS = re.compile(r"[A-Za-z_]\w*=\S*|--mount=\S+|--network=\S+|--security=\S+")
_REDIRECTS = re.compile(r"[0-9&]?[<>]")
_PROGRAM = re.compile(r"(?:\S*/)?(python[\d.]*|pip[\d.]*|\S+)")
_JSON_FORM = re.compile(r"^\s*RUN\s+(\[.*\])\s*$", re.IGNORECASE)
_NPM = re.compile(r"((?:@[\w.~-]+/)?[\w.~-]+)(?:@\S*)?")
_NAMES: Final = {
    "gem": re.compile(r"([\w.-]+)(?::\S+)?"), "cargo": re.compile(r"([\w-]+)(?:@\S+)?"),
    "go": re.compile(r"([\w-]+(?:\.[\w-]+)+(?:/[\w.~-]+)+)(?:@\S+)?"),
    "deb": re.compile(r"([a-z0-9][a-z0-9.+-]+)(?:[=/:]\S+)?"),
    "composer": re.compile(r"([\w.-]+/[\w.-]+)(?::\S+)?"),
}  # fmt: skip


def commands(text: str) -> Iterator[Dependency]:
    """Yield what the install commands of a text install, line by line, continued lines joined."""
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        if line.lstrip().startswith(("#", "//")):
            continue
        form = _JSON_FORM.match(line)
        for part in [_of_json(form[1])] if form is not None else _PARTS.split(line):
            yield from _installed(_WORD.findall(part))


def _of_json(text: str) -> str:
    try:
        return " ".join(msgspec.json.decode(text, type=list[str]))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return ""


def _installed(words: list[str]) -> Iterator[Dependency]:
    words = [word.replace('"', "").replace("'", "") for word in words]
    while words and (words[0].strip("@-") in _BEFORE or words[0] in _BEFORE or _SETS.fullmatch(words[0])):
        words = words[1:]
    if len(words) < 2:
        return
    found = _PROGRAM.fullmatch(words[0].lstrip("@-"))
    name = found[1] if found is not None else ""
    if name.startswith("python") and words[1] == "-m":
        words = words[2:]
        name = words[0] if words else ""
    name = "pip" if re.fullmatch(r"pip[\d.]+", name) else name
    if name in _STARTERS:
        yield from started(name, words[1:])
        return
    rest = words[1:]
    if rest and f"{name} {rest[0]}" in _MANAGERS:
        name, rest = f"{name} {rest[0]}", rest[1:]
    manager = _MANAGERS.get(name)
    while manager is not None and rest and rest[0].startswith("-"):  # Options before the verb, such as apt-get -y.
        rest = rest[2:] if rest[0] in manager.valued else rest[1:]
    if manager is not None and rest and rest[0] in manager.verbs:
        yield from _named(manager, rest[1:])


def _named(manager: _Manager, words: list[str]) -> Iterator[Dependency]:
    valued = False
    for word in words:
        if valued or word.startswith("-"):
            valued = not valued and word in manager.valued
            continue
        if word == "&" or word.startswith("#") or _REDIRECTS.match(word):
            return
        if word.startswith((".", "/", "~")) or "$" in word or "`" in word:
            continue
        one = _dependency(manager.ecosystem, word)
        if one is not None:
            yield one


def _dependency(ecosystem: str, word: str) -> Dependency | None:
    if ecosystem == "pypi":
        return requirement(word)
    if ecosystem == "npm":
        found = _NPM.fullmatch(word)
        return Dependency(ecosystem="npm", name=found[1]) if found is not None else None
    found = _NAMES[ecosystem].fullmatch(word)
    return Dependency(ecosystem=ecosystem, name=found[1]) if found is not None else None
