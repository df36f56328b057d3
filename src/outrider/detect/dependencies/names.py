"""Names of packages: what one dependency is, and the one spelling that a name is compared in."""

from __future__ import annotations

import re
from typing import Final

import msgspec

ECOSYSTEMS: Final = (
    "pypi", "npm", "cargo", "go", "gem", "maven", "composer", "nuget", "deb", "docker", "actions", "conda",
)  # fmt: skip
"""Ecosystems that a set of names ships for. Others are said to be not checked."""

MOST: Final = 214
"""Characters of the longest name that any of them takes (npm's)."""

_RUNS = re.compile(r"[-_.]+")
_MAJOR = re.compile(r"/v[0-9]+$|\.v[0-9]+$")
_NAMES: Final = {
    "pypi": re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"),
    "conda": re.compile(r"[a-z0-9_](?:[a-z0-9-]*[a-z0-9])?"),
    "npm": re.compile(r"(?:@[a-z0-9~_.-]+/)?[a-z0-9~_.-]+"),
    "maven": re.compile(r"[a-z0-9._-]+:[a-z0-9._-]+"),
    "composer": re.compile(r"[a-z0-9._-]+/[a-z0-9._-]+"),
    "actions": re.compile(r"[a-z0-9._-]+/[a-z0-9._-]+"),
}
_OTHER: Final = re.compile(r"[a-z0-9][a-z0-9._+/:-]*")


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """One package that somebody wants.

    Attributes:
        ecosystem: Where it comes from, such as ``pypi``.
        name: Its name as written, without extras and version.
        source: Where it is taken from if not from its registry: an address, as written; empty otherwise.
        pinned: Whether that source names one content for ever: a commit, or a hash.
    """

    ecosystem: str
    name: str
    source: str = ""
    pinned: bool = False


def normal(ecosystem: str, name: str) -> str:
    """Return the one spelling of a name: PEP 503 for Python, no major version for Go, no tag for an image."""
    name = name.strip().lower()
    if ecosystem in {"pypi", "conda"}:
        return _RUNS.sub("-", name)
    if ecosystem == "cargo":
        return name.replace("_", "-")
    if ecosystem == "go":
        return _MAJOR.sub("", name)
    if ecosystem == "maven":
        return ":".join(name.split(":")[:2])
    if ecosystem == "actions":
        return "/".join(name.partition("@")[0].split("/")[:2])
    if ecosystem == "docker":
        name = name.partition("@")[0]
        head, slash, last = name.rpartition("/")
        name = head + slash + last.partition(":")[0]
        return name.removeprefix("docker.io/").removeprefix("library/")
    return name


def is_name(ecosystem: str, name: str) -> bool:
    """Return whether a normal name is one that the ecosystem could hold."""
    return len(name) <= MOST and _NAMES.get(ecosystem, _OTHER).fullmatch(name) is not None


def space(ecosystem: str, name: str) -> str:
    """Return the part of a normal name that only one owner can publish under, or empty where there is none."""
    if ecosystem == "maven":
        return name.partition(":")[0]
    if ecosystem == "npm":
        return name.partition("/")[0] if name.startswith("@") else ""
    if ecosystem in {"composer", "actions", "docker"}:
        return name.rpartition("/")[0]
    if ecosystem == "go":
        return "/".join(name.split("/")[:2]) if name.count("/") >= 2 else name.rpartition("/")[0]
    return ""
