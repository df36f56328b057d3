"""Manifests of Rust."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from outrider.detect.dependencies.manifests.broken import table, toml
from outrider.detect.dependencies.names import Dependency

_SECTIONS = ("dependencies", "dev-dependencies", "build-dependencies")


def cargo(text: str) -> Iterator[Dependency]:
    """Yield what a Cargo.toml wants, for the workspace and for every target."""
    data = toml(text)
    places = [data, table(data.get("workspace")), *(table(one) for one in table(data.get("target")).values())]
    for place in places:
        for section in _SECTIONS:
            for name, value in table(place.get(section)).items():
                one = _crate(name, table(value))
                if one is not None:
                    yield one


def _crate(name: str, value: dict[str, Any]) -> Dependency | None:
    if "path" in value or value.get("workspace") is True:
        return None
    source = str(value.get("git", ""))
    pinned = bool(source and re.fullmatch(r"[0-9a-f]{40}", str(value.get("rev", ""))))
    return Dependency(ecosystem="cargo", name=str(value.get("package", name)), source=source, pinned=pinned)
