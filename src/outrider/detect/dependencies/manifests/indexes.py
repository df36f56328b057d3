"""Where packages are fetched from, as configuration files of package managers say it: a change can bring a new place.

Another registry in the place of the usual one is how a mirror is set, and is told where it is asked over plain http.
One beside the usual one is always told: whoever registers a name there is asked too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from outrider.detect.dependencies.names import Dependency

_XML_COMMENT = re.compile(r"<!--(?:(?!<!--).)*?-->", re.DOTALL)
_INSTEAD: Final = {
    "npm": re.compile(
        r"^[ \t]*(?:(?:@[\w.-]+:)?registry[ \t]*=|npmRegistryServer:|registry[ \t]+)[ \t]*['\"]?(https?://[^\s'\"]+)",
        re.MULTILINE,
    ),
    "pypi": re.compile(r"^[ \t]*index-url[ \t]*=[ \t]*(https?://\S+)", re.MULTILINE),
    "cargo": re.compile(r"^[ \t]*(?:index|registry)[ \t]*=[ \t]*['\"](?:sparse\+)?(https?://[^'\"]+)", re.MULTILINE),
}  # fmt: skip
"""Settings that name a registry in the place of the usual one, by ecosystem."""
_BESIDE: Final = {
    "pypi": re.compile(r"^[ \t]*(?:extra-index-url|find-links)[ \t]*=[ \t]*(https?://\S+)", re.MULTILINE),
    "maven": re.compile(r"<(?:repository|pluginRepository)>(?:(?!</?(?:repository|pluginRepository)>).)"
                        r"{0,2000}?<url>\s*(https?://[^<\s]+)", re.DOTALL),
    "gradle": re.compile(r"\bmaven\s*(?:\(\s*|\{\s*(?:\w+\s*=\s*\"[^\"]*\"\s*)?(?:url\s*=?\s*(?:uri\(\s*)?))['\"](https?://[^'\"]+)"),
}  # fmt: skip
"""Settings that name one beside the usual one."""
_LISTED: Final = {
    "nuget": re.compile(r"<add\b[^>]*\bkey=\"[^\"]*\"[^>]*\bvalue=\"(https?://[^\"]+)\""),
    "gem": re.compile(r"^[ \t]*source[ (][ \t]*['\"](https?://[^'\"]+)", re.MULTILINE),
}
"""Lists of all registries, the usual one first."""


def index(kind: str, ecosystem: str = "") -> Callable[[str], Iterator[Dependency]]:
    """Return the reader of the places that a file of some kind fetches from."""

    def read(text: str) -> Iterator[Dependency]:
        text = _XML_COMMENT.sub("", text)
        instead, beside, every = (
            [found[1] for found in patterns[kind].finditer(text)] if kind in patterns else []
            for patterns in (_INSTEAD, _BESIDE, _LISTED)
        )
        for address in [*instead, *every[:1]]:
            if address.startswith("http:"):
                yield Dependency(ecosystem=ecosystem or kind, name="", source=f"index {address}")
        for address in [*beside, *every[1:]]:
            yield Dependency(ecosystem=ecosystem or kind, name="", source=f"index {address}")

    return read
