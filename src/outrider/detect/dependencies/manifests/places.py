"""Manifests that are read by line: Go's, Ruby's, images, workflows, lists of apt's, and what starts MCP servers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outrider.detect.dependencies.manifests.broken import json, table, texts
from outrider.detect.dependencies.names import Dependency

_REQUIRE = re.compile(r"\s*(?:require\s+)?([\w.-]+\.[\w-]+(?:/[\w.~-]+)+|[\w-]+\.[\w.-]+/?[\w.~/-]*)\s+v\d\S*")
_GEM = re.compile(r"^\s*gem[ (]\s*['\"]([\w.-]+)['\"](.*)$", re.MULTILINE)
_SPEC = re.compile(r"\.add(?:_runtime|_development)?_dependency[ (]\s*['\"]([\w.-]+)['\"]")
_FROM = re.compile(r"^\s*FROM\s+(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_IMAGE = re.compile(r"^\s*(?:-\s+)?image:\s*['\"]?([^\s'\"#]+)", re.MULTILINE)
_USES = re.compile(r"^\s*(?:-\s+)?uses:\s*['\"]?([\w.-]+/[\w./-]+@[^\s'\"#]+)", re.MULTILINE)
_DEB = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_IMAGE_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?::[\w.-]+)?")
_REGISTRY = re.compile(r"^(?:[\w-]+\.)+[\w-]+(?::\d+)?/|^localhost[:/]")


def go_mod(text: str) -> Iterator[Dependency]:
    """Yield what a go.mod requires."""
    for line in text.splitlines():
        found = _REQUIRE.match(line.partition("//")[0])
        if found is not None:
            yield Dependency(ecosystem="go", name=found[1])


def gems(text: str) -> Iterator[Dependency]:
    """Yield what a Gemfile or a gemspec wants."""
    for found in _GEM.finditer(text):
        rest = found[2]
        if re.search(r"\bpath:|:path\s*=>", rest):
            continue
        source = re.search(r"(?:\b(?:git|github):|:(?:git|github)\s*=>)\s*['\"]([^'\"]+)", rest)
        pinned = re.search(r"(?:\bref:|:ref\s*=>)\s*['\"][0-9a-f]{40}", rest) is not None
        yield Dependency(ecosystem="gem", name=found[1], source=source[1] if source else "", pinned=pinned)
    for found in _SPEC.finditer(text):
        yield Dependency(ecosystem="gem", name=found[1])


def dockerfile(text: str) -> Iterator[Dependency]:
    """Yield the images that a Dockerfile builds on; its own stages are none."""
    stages: set[str] = {"scratch"}
    for found in _FROM.finditer(text):
        if found[1].lower() not in stages:
            yield from _image(found[1])
        if found[2]:
            stages.add(found[2].lower())


def compose(text: str) -> Iterator[Dependency]:
    """Yield the images that services run."""
    for found in _IMAGE.finditer(text):
        yield from _image(found[1])


def workflow(text: str) -> Iterator[Dependency]:
    """Yield the actions that a workflow uses; those of its own repository begin with a dot, and are none."""
    for found in _USES.finditer(text):
        yield Dependency(ecosystem="actions", name=found[1].partition("@")[0])


def apt(text: str) -> Iterator[Dependency]:
    """Yield the packages of a list for apt."""
    for line in text.splitlines():
        for word in line.partition("#")[0].split():
            if _DEB.fullmatch(word):
                yield Dependency(ecosystem="deb", name=word)


def mcp(text: str) -> Iterator[Dependency]:
    """Yield the packages that the MCP servers of a configuration are started from."""
    data = json(text)
    servers = [*table(data.get("mcpServers")).values(), *table(data.get("servers")).values()]
    for server in servers:
        command = table(server).get("command")
        if isinstance(command, str):
            yield from started(command, texts(table(server).get("args")))


def started(command: str, arguments: list[str]) -> Iterator[Dependency]:
    """Yield the package that a program fetches and starts: npx, uvx and their like."""
    words = [word for word in arguments if not word.startswith("-")]
    program = command.rpartition("/")[2].removesuffix(".cmd").removesuffix(".exe")
    if program in {"pnpm", "yarn", "bun", "npm"} and words[:1] in (["dlx"], ["x"], ["exec"]):
        program, words = "npx", words[1:]
    if program in {"uv", "pipx"} and words[:1] in (["tool"], ["run"]):
        program, words = "uvx", [word for word in words if word not in {"tool", "run"}]
    if not words:
        return
    if program in {"npx", "bunx", "pnpx"}:
        scope, _, rest = words[0].rpartition("/")
        name = f"{scope}/{rest.partition('@')[0]}" if scope else words[0].partition("@")[0]
        yield Dependency(ecosystem="npm", name=name)
    elif program == "uvx":
        source = arguments[arguments.index("--from") + 1] if "--from" in arguments[:-1] else words[0]
        name = re.split(r"[@\[=<>~! ]", source, maxsplit=1)[0]
        if "://" in source:
            yield Dependency(ecosystem="pypi", name="", source=source)
        elif name:
            yield Dependency(ecosystem="pypi", name=name)
    elif program in {"docker", "podman"} and words[0] == "run":
        image = next(
            (word for word in reversed(words[1:]) if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*(?::[\w.-]+)?", word)), ""
        )
        if image:
            yield from _image(image)


def _image(name: str) -> Iterator[Dependency]:
    if "$" not in name and not _REGISTRY.match(name.removeprefix("docker.io/")):
        yield Dependency(ecosystem="docker", name=name)
