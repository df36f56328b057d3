"""People are named in the record by pseudonyms. The names lie beside the births, where they can be erased.

There is no mapping file: erase the names beside the leaves and the pseudonyms lead nowhere, as long as the key is not
used to try candidate names. Destroying the key ends that too.
"""

from __future__ import annotations

import hmac
import unicodedata

_DOMAIN = b"outrider/v1/person\0"
MIN_KEY = 16


def normalise(name: str) -> str:
    """Return ``name`` so that spellings of one person meet: NFKC, case folded, single spaces.

    ``Ada Lovelace <ADA@Example.org>`` becomes its e-mail address, which is what git, hosts and directories share.
    """
    text = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if text.endswith(">") and "<" in text:
        inner = text[text.rindex("<") + 1 : -1].strip()
        if "@" in inner:
            return inner
    return text


class Pseudonyms:
    """Names to pseudonyms under one key: HMAC-SHA-256, cut to 64 bits.

    Args:
        key: Secret of this installation, at least 16 bytes.

    Raises:
        ValueError: The key is too short to keep a name secret.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY:
            raise ValueError(f"a pseudonym key has at least {MIN_KEY} bytes, this one has {len(key)}")
        self._key = key

    def of(self, name: str) -> str:
        """Return ``p_`` and 16 hex digits; the empty string for a name that is empty or blank."""
        text = normalise(name)
        if not text:
            return ""
        data = _DOMAIN + text.encode("utf-8", "surrogatepass")
        return "p_" + hmac.digest(self._key, data, "sha256").hex()[:16]
