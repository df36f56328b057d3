"""Values as prints: what a text names, in the forms in which it may be named again.

A print is the first 6 bytes of keyed BLAKE2b over a value's normal form, as an integer. Without the key it says
nothing; with 4,096 of them held, a value that was never seen is taken for one of them once in 7e10 times.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from outrider.flow.acts import ordered
from outrider.flow.passages import passages
from outrider.flow.prints import EVERYDAY

SIZE = 6
"""Bytes of one print."""
MAX_USER, MAX_FIELD, MAX_TEXT, MAX_ORDER = 1_024, 512, 512, 1_024
"""Most prints kept of one text, by where they stand."""
_PHRASE = 4

_BETWEEN = str.maketrans(dict.fromkeys(",;()[]{}<>\"'`|", " "))
"""What stands between words, beside space."""
_PIECE = re.compile(r"[a-z0-9]+")
_NAME = re.compile(r"[a-z]{4,}")
_MARK = re.compile(r"[@/\d]|[.:][^.:]")
_EDGES = ".,:;!?*_~ \t\r\n\"'`()[]{}<>|"
_SPACE = re.compile(r"\s+")
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:www\.(?=[^.]+\.))?")
_QUOTES = frozenset("'\"`“")
_QUOTED = re.compile(r"'([^'\n]{2,80})'|\"([^\"\n]{2,80})\"|`([^`\n]{2,80})`|“([^”\n]{2,80})”")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,24}(?=[:/?#]|$)")
_ADDRESS = re.compile(
    r"@[\w-]+\.|^[\w.-]+\.[a-z]{2,24}[/?#]|^(?=[a-z]*\d)[a-z\d]{12,}$"
    r"|^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|edu|gov|app|co|info|biz|xyz|ru|cn|me|site|online|example|test)$"
)
_NUMBERED = frozenset({"id", "ids", "number", "no", "nr", "num"})
_WEAK = frozenset(
    {"mail", "email", "gmail", "yahoo", "hotmail", "outlook", "http", "https", "users", "file", "files", "docs",
     "document", "documents", "download", "downloads", "home", "html", "json", "text", "data", "link", "site", "page",
     "main", "info", "account", "test", "github", "gitlab", "channel", "name", "please", "send", "read", "user"}
)  # fmt: skip
"""Words that tie no value to anybody's request."""

_HALVES = struct.Struct(">HI")
Printer = Callable[[str], int]


@lru_cache(maxsize=4)
def printer(key: bytes) -> Printer:
    """Return the function that makes prints under ``key``. Calls repeat their words, so it remembers some."""

    @lru_cache(maxsize=4096)
    def of(value: str) -> int:
        return int.from_bytes(_prints((value,), key).pop(), "big")

    return of


def packed(values: Iterable[str], key: bytes) -> bytes:
    """Return the prints of ``values`` as :func:`pack` does."""
    return b"".join(sorted(_prints(values, key)))


def _prints(values: Iterable[str], key: bytes) -> set[bytes]:
    """Return the bytes of the prints of ``values``."""
    copy = hashlib.blake2b(key=key, digest_size=SIZE).copy
    out: set[bytes] = set()
    for value in values:
        one = copy()
        one.update(value.encode("utf-8", "replace"))
        out.add(one.digest())
    return out


def pack(prints: Iterable[int]) -> bytes:
    """Return prints as sorted bytes, each once."""
    return b"".join(sorted({one.to_bytes(SIZE, "big") for one in prints}))


def unpack(data: bytes) -> Iterator[int]:
    """Yield the prints in the bytes of :func:`pack`."""
    for high, low in _HALVES.iter_unpack(data[: len(data) // SIZE * SIZE]):
        yield high << 32 | low


@lru_cache(maxsize=8192)
def normal(value: str) -> str:
    """Return a value's normal form: lower case, edges and runs of space taken off, no scheme, no closing slash."""
    if value.isalnum():
        return value.lower()
    low = _SPACE.sub(" ", value.strip(_EDGES)).lower()
    bare = _SCHEME.sub("", low, count=1) if "://" in low or low.startswith("www.") else low
    return bare.rstrip("/.") or bare


def _split(text: str) -> list[str]:
    return text.translate(_BETWEEN).split()


def words(text: str) -> list[str]:
    """Return the words of a text in normal form, in order."""
    return [word for word in map(normal, _split(text)) if word]


def addresses(text: str) -> list[str]:
    """Return those words of a text that lead somewhere, in order."""
    marked = [word for word in _split(text) if len(word) > 3 and not word.isalpha() and _MARK.search(word)]
    return [word for word in map(normal, marked) if is_address(word)]


def is_salient(word: str) -> bool:
    """Tell whether a word by itself names something: it holds a digit or a mark, and is not all too short."""
    return len(word) >= 3 and not word.isalpha()


@lru_cache(maxsize=8192)
def is_address(word: str) -> bool:
    """Tell whether a word leads somewhere: a mailbox, a host with or without a path, a long account number."""
    return _ADDRESS.search(word) is not None


def host_in(word: str) -> str:
    """Return the host that a word in normal form starts with, or an empty text."""
    found = _HOST.match(word) if "." in word else None
    return found[0] if found else ""


@lru_cache(maxsize=8192)
def names_in(word: str) -> tuple[str, ...]:
    """Return the telling words inside one: of ``alice.miller@mail.example``, ``alice`` and ``miller``."""
    return tuple(name for name in _NAME.findall(word) if name not in _WEAK and name not in EVERYDAY)


def asked(text: str, key: bytes) -> dict[str, bytes]:
    """Return the prints of what a user names (every word, and the parts of compound ones) and of what is asked."""
    named: dict[str, None] = {}
    for word in words(text[: 256 * 1024]):
        named[word] = None
        named.update(dict.fromkeys(_PIECE.findall(word)))
        if len(named) >= MAX_USER:
            break
    named.update((normal(quoted), None) for quoted in _quotations(text[: 64 * 1024]))
    orders = (passage.text for passage in passages(text) if passage.kind == "order")
    said = {"user": packed(list(named)[: MAX_USER * 2], key)}
    asks = packed(ordered(orders), key)
    return {**said, "asks": asks} if asks else said


def told(text: str, key: bytes) -> dict[str, bytes]:
    """Return the prints of what a tool's result names, by where each stands: ``field``, ``text``, ``order``.

    ``asks`` holds the acts that its orders ask for.

    What names something by itself comes before phrases, so that a long text cannot push a telling value out. Where an
    order's values are too many, ``cut`` says so: what is not held is then unknown.
    """
    found: dict[str, dict[str, None]] = {"field": {}, "text": {}, "order": {}}
    phrases: dict[str, None] = {}
    orders: list[str] = []
    for kind, piece in passages(text):
        into = found[kind]
        line = words(piece)
        if kind == "field":
            into[normal(piece)] = None
            into.update(dict.fromkeys(line))
            continue
        into.update((normal(quoted), None) for quoted in _quotations(piece))
        into.update(dict.fromkeys([word for word in line if len(word) >= 3 and not word.isalpha()]))  # is_salient
        into.update(dict.fromkeys([host for word in line if "." in word and (host := host_in(word))]))
        if kind == "order":
            orders.append(piece)
            if len(phrases) <= MAX_ORDER:
                phrases.update(dict.fromkeys(_phrases(line, 2 * MAX_ORDER)))
    limits = {"field": MAX_FIELD, "text": MAX_TEXT, "order": MAX_ORDER}
    cut = len(found["order"]) > MAX_ORDER // 2 or len(found["text"]) > MAX_TEXT
    found["order"] = dict.fromkeys([*list(found["order"])[: MAX_ORDER // 2], *phrases])
    said = {kind: packed(list(named)[: limits[kind]], key) for kind, named in found.items() if named}
    if orders:
        said["asks"] = packed(ordered(orders), key)
    if cut:
        said["cut"] = b"\1"
    return said


def _quotations(text: str) -> Iterator[str]:
    if _QUOTES.isdisjoint(text):
        return
    for found in _QUOTED.finditer(text):
        yield next(group for group in found.groups() if group)


def _phrases(line: list[str], limit: int) -> list[str]:
    """Return the first phrases of one to four words of a line: single words, then pairs, and so on."""
    out = [word for word in line if len(word) > 2 and word not in EVERYDAY]
    # Short numbers are everywhere; behind such a word one is a name.
    out += [word for before, word in pairwise(line) if len(word) <= 2 and before in _NUMBERED]
    longer = line
    for length in range(1, _PHRASE):
        if len(out) >= limit:
            break
        longer = [f"{phrase} {word}" for phrase, word in zip(longer, line[length:], strict=False)]
        out += longer
    return out[:limit]
