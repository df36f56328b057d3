"""Manifests of Python: requirements, pyproject, Pipfile, setup and conda's environment."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from outrider.detect.dependencies.manifests.broken import NotReadError, table, texts, toml
from outrider.detect.dependencies.names import Dependency

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?=$|[<>=!~;@ (,])")
_AT = re.compile(r"\s*@\s*(\S+)")
_ADDRESS = re.compile(r"(?:git\+|hg\+|svn\+|bzr\+)?[a-z]+://\S+|git\+\S+")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_PINNED = re.compile(r"@[0-9a-f]{40}\b|#(?:.*&)?sha(?:256|384|512)=|--hash=")
_INDEX = re.compile(r"(?:--extra-index-url|--index-url|-i|--find-links|-f)[ =]\s*(\S+)")
_MOST_CODE: Final = 64 * 1024
_SETUP: Final = frozenset({"install_requires", "tests_require", "setup_requires", "extras_require"})
_STEP: Final = re.compile(r"(\s*)-\s+(.*?)\s*(?:#.*)?$")


def requirement(text: str) -> Dependency | None:
    """Return what one requirement of PEP 508, or one line of pip's, wants; None if it wants no package."""
    text = text.strip()
    if text.startswith(("-e ", "--editable")):
        text = text.partition(" ")[2].strip() or text.partition("=")[2].strip()
    address = _ADDRESS.match(text)
    if address is not None:
        egg = _EGG.search(text)
        return _from(egg[1] if egg else "", address[0], text)
    found = _NAME.match(text)
    if found is None:
        return None
    at = _AT.match(text, found.end())
    if at is not None:
        return _from(found[1], at[1], text)
    return Dependency(ecosystem="pypi", name=found[1])


def requirements(text: str) -> Iterator[Dependency]:
    """Yield what a list of pip's wants; an index beside the usual one is a source without a name."""
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        line = re.sub(r"(?:^|\s)#.*$", "", line).strip()  # noqa: PLW2901 - without its comment
        if not line or line.startswith((".", "/")):
            continue
        index = _INDEX.match(line)
        if index is not None:
            if not line.startswith(("--index-url", "-i")) or index[1].startswith("http:"):
                yield Dependency(ecosystem="pypi", name="", source=f"index {index[1]}")
        elif not line.startswith("-") or line.startswith(("-e", "--editable")):
            one = requirement(line)
            if one is not None:
                yield one


def pyproject(text: str) -> Iterator[Dependency]:
    """Yield what a pyproject.toml wants: PEP 621, PEP 735, the build's needs, Poetry's, PDM's, Hatch's and uv's."""
    data = toml(text)
    project, tool = table(data.get("project")), table(data.get("tool"))
    groups = [
        project.get("dependencies"),
        *table(project.get("optional-dependencies")).values(),
        *table(data.get("dependency-groups")).values(),
        table(data.get("build-system")).get("requires"),
        table(tool.get("uv")).get("dev-dependencies"),
        *table(table(tool.get("pdm")).get("dev-dependencies")).values(),
        *(table(one).get("dependencies") for one in table(table(table(tool.get("hatch")).get("envs"))).values()),
    ]
    for group in groups:
        yield from _all(texts(group))
    yield from _poetry(table(tool.get("poetry")))
    for name, source in table(table(tool.get("uv")).get("sources")).items():
        yield from _specified(name, source)
    for index in _tables(table(tool.get("uv")).get("index")):
        if isinstance(index.get("url"), str) and index.get("explicit") is not True:
            yield Dependency(ecosystem="pypi", name="", source=f"index {index['url']}")


def pipfile(text: str) -> Iterator[Dependency]:
    """Yield what a Pipfile wants: every section but its own settings."""
    for section, values in toml(text).items():
        if section in {"source", "requires", "pipenv", "scripts"}:
            continue
        for name, value in table(values).items():
            yield from _specified(name, value)


def setup_cfg(text: str) -> Iterator[Dependency]:
    """Yield what a setup.cfg wants."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise NotReadError(f"it is no configuration file ({type(error).__name__})") from error
    for section, name in (("options", "install_requires"), ("options", "setup_requires"), ("options", "tests_require")):
        yield from _all(parser.get(section, name, fallback="").splitlines())
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            yield from _all(value.splitlines())


def setup_py(text: str) -> Iterator[Dependency]:
    """Yield what a setup.py wants, where that is written out; what its code computes is not seen."""
    if len(text) > _MOST_CODE:
        raise NotReadError("it is too long")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotReadError(f"it is not valid Python ({type(error).__name__})") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in _SETUP:
            for leaf in ast.walk(node.value):
                if isinstance(leaf, ast.List | ast.Tuple):
                    yield from _all(
                        one.value for one in leaf.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    )


def environment(text: str) -> Iterator[Dependency]:
    """Yield what an environment of conda wants, and what it wants of pip."""
    inside, pip = False, -1
    for line in text.splitlines():
        if line[:1].isalpha():
            inside, pip = line.startswith("dependencies:"), -1
            continue
        step = _STEP.fullmatch(line)
        if not inside or step is None:
            continue
        depth, what = len(step[1]), step[2].strip("'\"")
        if pip >= 0 and depth > pip:
            one = requirement(what)
            if one is not None:
                yield one
            continue
        pip = depth if what == "pip:" else -1
        name = re.match(r"(?:[\w.-]+::)?([A-Za-z0-9_][\w.-]*)", what)
        if pip < 0 and name is not None and name[1] != "python":
            yield Dependency(ecosystem="conda", name=name[1])


def _all(lines: Iterable[str]) -> Iterator[Dependency]:
    for line in lines:
        one = requirement(line)
        if one is not None:
            yield one


def _from(name: str, source: str, text: str) -> Dependency:
    return Dependency(ecosystem="pypi", name=name, source=source, pinned=bool(_PINNED.search(text)))


def _poetry(poetry: dict[str, Any]) -> Iterator[Dependency]:
    groups = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    groups += [table(group).get("dependencies") for group in table(poetry.get("group")).values()]
    for group in groups:
        for name, value in table(group).items():
            if name != "python":
                yield from _specified(name, value)
    for source in _tables(poetry.get("source")):
        if isinstance(source.get("url"), str) and source.get("priority") != "explicit":
            yield Dependency(ecosystem="pypi", name="", source=f"index {source['url']}")


def _specified(name: str, value: object) -> Iterator[Dependency]:
    for one in _tables(value) or [{}]:
        if "path" in one or "workspace" in one:
            continue
        source = next((str(one[key]) for key in ("git", "url", "file") if key in one), "")
        pinned = bool(re.fullmatch(r"[0-9a-f]{40}", str(one.get("rev") or one.get("ref") or "")))
        yield Dependency(ecosystem="pypi", name=name, source=source, pinned=pinned or bool(_PINNED.search(source)))


def _tables(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
