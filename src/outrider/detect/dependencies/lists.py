"""Lists of names as registries and their friends publish them: from the text of a file to names. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from outrider.errors import BadInputError

ADVISORIES: Final = {
    "pypi": "pypi", "npm": "npm", "crates": "cargo", "go": "go", "rubygems": "gem", "maven": "maven",
    "packagist": "composer", "nuget": "nuget", "github actions": "actions", "debian": "deb",
}  # fmt: skip
"""Ecosystems as OSV's advisories call them (without what stands behind a dot or a colon), to ours."""

_COLUMNS: Final = ("name", "package", "package_name", "project", "crate")
_ENOUGH: Final = re.compile(r"[^\s,;\"']{1,214}")
_LISTS: Final = ("projects", "rows", "names", "packages", "packageNames", "objects", "results")


def names(text: str, file: str) -> Iterator[str]:
    """Yield the names that a list holds.

    One name a line (what follows a tab or a space does not count), CSV with a column of names, a JSON list of names or
    of objects, or a JSON object that holds one such list.

    Args:
        text: The text.
        file: The file's name, which tells CSV and JSON.

    Raises:
        BadInputError: It is no list of that form.
    """
    if file.endswith(".json"):
        yield from _json(text, file)
    elif file.endswith((".csv", ".tsv")):
        yield from _table(text, file)
    else:
        for line in text.splitlines():
            word = line.partition("#")[0].split()
            if word:
                yield word[0]


def malicious(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the packages, as ecosystem and name, that an advisory in OSV's form says are malicious as a whole.

    An advisory that was withdrawn, or that is about some versions of a package that others should go on using, is none:
    only one whose id begins with ``MAL-`` speaks of malice.
    """
    try:
        advisory = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(advisory, dict) or advisory.get("withdrawn"):
        return
    if not str(advisory.get("id", "")).startswith("MAL-"):
        return
    for one in _objects(advisory.get("affected")):
        package = one.get("package")
        if isinstance(package, dict) and isinstance(package.get("name"), str) and _is_whole(one):
            ecosystem = re.split(r"[.:]", str(package.get("ecosystem", "")).lower())[0]
            if ecosystem in ADVISORIES:
                yield ADVISORIES[ecosystem], package["name"]


def _is_whole(affected: dict[str, Any]) -> bool:
    """Return whether every version is meant: a range from the beginning that nothing ends, or no versions at all."""
    events = [event for part in _objects(affected.get("ranges")) for event in _objects(part.get("events"))]
    if events:
        return any(event.get("introduced") == "0" for event in events) and not any(
            "fixed" in event or "last_affected" in event for event in events
        )
    return not affected.get("versions")


def _json(text: str, file: str) -> Iterator[str]:
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(f"{file} is not JSON: {error}") from error
    if isinstance(value, dict):
        value = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), [*value])
    if not isinstance(value, list):
        raise BadInputError(f"{file} holds no list of names")
    for one in value:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            found = next((one[key] for key in _COLUMNS if isinstance(one.get(key), str)), None)
            if found is not None:
                yield found


def _table(text: str, file: str) -> Iterator[str]:
    lines = [line.replace("\0", "") for line in text.splitlines()]
    first = lines[0] if lines else ""
    try:
        rows = csv.reader(lines, delimiter="\t" if file.endswith(".tsv") else ",")
        head = [cell.strip().lower() for cell in next(rows, [])]
        at = next((head.index(name) for name in _COLUMNS if name in head), -1)
        if at < 0:
            raise BadInputError(f"{file} has no column of names: {first[:80]}", fix=f"Call it {_COLUMNS[0]}.")
        for row in rows:
            if len(row) > at and _ENOUGH.fullmatch(row[at].strip()):
                yield row[at].strip()
    except csv.Error as error:
        raise BadInputError(f"{file} is not CSV: {error}") from error


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
