"""A secret's value known again: as it is, in other case, reversed, cut up by a character, or re-encoded.

Of a secret only prints of short windows of its squeezed form (lower case, letters and digits alone) are kept, forwards
and backwards. A text is squeezed the same way and looked through window by window, and so is what it says once percent,
hexadecimal and base64 signs are undone, twice over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from outrider.flow.given import decoded
from outrider.flow.values import Printer, host_in

WINDOW = 12
"""Letters and digits of one window. A shorter secret, of eight at least, is known only where it stands alone."""
MAX_SECRETS = 64
MAX_LOOKED = 4_096
"""Most windows that are looked at in one text, about 2 ms; behind them, only the beginnings of words."""
MAX_FORMS = 12

_SHORTEST = 8
_NO_MARKS = re.compile(r"[^a-z0-9]+")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=.~!$%^&*-]{12,}")
_APART = re.compile(r"[\s.\-_:,|]+")


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return _NO_MARKS.sub("", text.lower())


def secrets_in(text: str) -> list[str]:
    """Return what in a secret store's text looks like a secret: long tokens of letters and digits that lead nowhere."""
    found: dict[str, None] = {}
    for token in _TOKEN.findall(text[:65_536]):
        for part in (token.partition("=")[2] or token, token) if "=" in token else (token,):
            mixed = any(char.isdigit() for char in part) and any(char.isalpha() for char in part)
            if len(part) >= WINDOW and mixed and not host_in(part.lower().lstrip("/")):
                found[part] = None
                break
        if len(found) >= MAX_SECRETS:
            break
    return list(found)


def seeds(secrets: Iterable[str], of: Printer) -> Iterator[int]:
    """Yield the prints by which secrets are known again: of their first, middle and last window, both ways round."""
    for secret in secrets:
        plain = squeezed(secret)
        for way in (plain, plain[::-1]):
            if len(way) >= WINDOW:
                middle = (len(way) - WINDOW) // 2
                for at in {0, middle, len(way) - WINDOW}:
                    yield of(way[at : at + WINDOW])
            elif len(way) >= _SHORTEST:
                yield of(way)


def holds_one(text: str, hidden: frozenset[int] | set[int], of: Printer) -> bool:
    """Tell whether a text holds one of the secrets whose seeds are ``hidden``."""
    left = MAX_LOOKED
    for form in _forms(text):
        plain = squeezed(form)
        spans = min(max(0, len(plain) - WINDOW + 1), left)
        left -= spans
        if any(of(plain[at : at + WINDOW]) in hidden for at in range(spans)):
            return True
        for word in form.split():
            bare = squeezed(word)
            if len(bare) >= _SHORTEST and of(bare[:WINDOW]) in hidden:
                return True
    return False


def _forms(text: str) -> Iterator[str]:
    """Yield a text and what it says with its encodings undone, each once."""
    seen = {text: None}
    pending = [text]
    for form in pending:  # grows while it is walked
        yield form
        if len(seen) >= MAX_FORMS:
            continue
        joined = _APART.sub("", form[: MAX_LOOKED * 2])
        for plain in (*decoded(form), *(decoded(joined) if joined != form else ())):
            if plain not in seen and len(seen) < MAX_FORMS:
                seen[plain] = None
                pending.append(plain)
