"""What a text names: hosts, URLs, e-mail addresses, paths, commits and digests.

One RE2 pass, so linear in the text whatever is in it. A mention proves nothing but that the name was seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

from outrider.events.hosts import normal_host
from outrider.events.normal import host_entities, normal_commit, normal_digest, normal_email, normal_path
from outrider.events.record import Entity

MAX_LOOKED_AT = 4_000
"""Candidates looked at in one text, so that a list of a million addresses costs no more than a long one."""

_TLDS = frozenset({
    "com", "net", "org", "io", "dev", "app", "ai", "co", "edu", "gov", "mil", "int", "info", "biz", "xyz",
    "online", "site", "top", "shop", "cloud", "tech", "store", "live", "me", "tv", "us", "uk", "de", "fr", "nl",
    "eu", "ch", "at", "be", "dk", "se", "no", "fi", "es", "pt", "it", "ie", "cz", "hu", "ro", "gr", "ua", "ru",
    "cn", "jp", "kr", "tw", "hk", "sg", "in", "au", "nz", "ca", "br", "mx", "ar", "za", "il", "tr", "ir", "ae",
    "sa", "id", "th", "vn", "my", "ph", "example", "test", "invalid", "local", "internal", "lan", "corp",
    "home", "arpa", "onion", "run", "page", "link", "click", "win", "icu", "club", "pro", "name", "mobi",
    "space", "website", "fun", "host", "press", "digital", "network", "systems", "solutions", "agency", "email",
    "zone", "life", "world", "today", "news", "blog", "wiki", "team", "work", "works", "tools", "software",
    "security", "bank", "finance",
})  # fmt: skip
"""Top-level names that make ``a.b`` a host in running text. Those that are file endings too (py, sh, rs, md, pl, so,
zip, mov) are left out on purpose: a bare ``install.sh`` is a file."""

_WORD = re2.compile(
    rb"(?P<url>[A-Za-z][A-Za-z0-9+.-]{1,14}://[^\s\"'<>`\\\x00-\x1f]+)"
    rb"|(?P<mail>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
    rb"|(?:^|[\s\"'=(\[:,`<>|;])(?P<path>~?/[A-Za-z0-9._@%+/-]+)"
    rb"|\[[A-Za-z0-9._/-]{1,100} (?:\(root-commit\) )?(?P<short>[0-9a-f]{7,40})\]"
    rb"|\b(?P<hex>[0-9a-f]{64}|[0-9a-f]{40})\b"
    rb"|\b(?P<ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3})\b"
    rb"|\b(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,10}[A-Za-z]{2,16})\b"
)
_MORE = re.compile(rb"[/@:\[]")
"""What no bare name of a host holds."""
_SHA1 = 40
_TRAILING = ".,;:!?)]}"


def mentions(text: str, limit: int = 200, *, key: bytes = b"", home: str = "") -> tuple[Entity, ...]:
    """Return what ``text`` names, each once, role ``mentioned``, in the order of first mention.

    Args:
        text: Any text.
        limit: Most entities returned.
        key: Key of the prints; without it URLs count by their hosts alone.
        home: Home folder that ``~`` stands for.
    """
    out: dict[Entity, None] = {}
    data = text.encode("utf-8", "replace")
    for looked_at, match in enumerate(_WORD.finditer(data)):
        if len(out) >= limit or looked_at >= MAX_LOOKED_AT:
            break
        if _is_dotted(match[0]):
            continue
        for kind, value in _read(match, key, home):
            if value:
                out[Entity("mentioned", kind, value)] = None
    return tuple(out)[:limit]


def _is_dotted(word: bytes) -> bool:
    """Tell whether a match is a bare name with dots in it that is no host: most are files and attributes of code."""
    before, dot, last = word.rpartition(b".")
    if not dot or not last.isalpha() or _MORE.search(before):
        return False
    return last.decode().lower() not in _TLDS


def _read(match: Any, key: bytes, home: str) -> list[tuple[str, str]]:
    group = match.lastindex
    return _BY_GROUP[group](match[group].decode("utf-8", "replace"), key, home)


def _mail(text: str) -> list[tuple[str, str]]:
    email = normal_email(text)
    return [("email", email), ("host", email.rpartition("@")[2])] if email else []


def _hex(text: str) -> list[tuple[str, str]]:
    return [("commit", text)] if len(text) == _SHA1 else [("digest", normal_digest(text)), ("commit", text)]


def _address(text: str) -> list[tuple[str, str]]:
    kind, value = normal_host(text)
    return [(kind, value)] if kind == "ip" else []


def _host(text: str) -> list[tuple[str, str]]:
    return [normal_host(text)] if text.rpartition(".")[2].lower() in _TLDS else []


_READ_AS: dict[str, Callable[[str, bytes, str], list[tuple[str, str]]]] = {
    "url": lambda text, key, _: host_entities(text.rstrip(_TRAILING), key),
    "mail": lambda text, _key, _home: _mail(text),
    "path": lambda text, _, home: [("path", normal_path(text.rstrip(_TRAILING), home))],
    "short": lambda text, _key, _home: [("commit", normal_commit(text))],
    "hex": lambda text, _key, _home: _hex(text),
    "ip": lambda text, _key, _home: _address(text),
    "host": lambda text, _key, _home: _host(text),
}
_BY_GROUP = {index: _READ_AS[name.decode()] for name, index in _WORD.groupindex.items()}
