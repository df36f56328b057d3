"""Test vectors of secret rules, made from templates so that no file of the project holds what looks like a secret.

``{an:36}`` becomes 36 letters and digits, drawn from SHA-256 of the rule's id and so the same every time. Fields:
``an al lo low up num hex HEX b32 b32l b64 b58 bech nostr`` draw characters of an alphabet; ``uuid``, ``jwt``, ``jwe``,
``basic``, ``pem:N``, ``pem64``, ``github:PREFIX``, ``wif``, ``luhn:N``, ``iban`` and ``words:N`` make what their names
say; ``tags:TEXT``, ``selectors:TEXT`` and ``split:TEXT`` write a text so that it is not seen; ``unseen:N``,
``override``, ``isolate`` and ``esc`` are characters that show nothing. ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import base64
import hashlib
import re
import string
from collections.abc import Callable, Iterator

from outrider.detect.checks import BASE58, base58check, github_checksum, iban_digits, luhn

ALPHABETS = {
    "an": string.ascii_letters + string.digits,
    "al": string.ascii_letters,
    "lo": string.ascii_lowercase + string.digits,
    "up": string.ascii_uppercase + string.digits,
    "num": string.digits,
    "low": string.ascii_lowercase,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "b32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "b32l": "abcdefghijklmnopqrstuvwxyz234567",
    "b64": string.ascii_letters + string.digits + "+/",
    "bech": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "nostr": "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
    "b58": BASE58,
}
_FIELD = re.compile(r"\{\{|\}\}|\{([A-Za-z0-9]+)(?::([^}]*))?\}")


def fill(template: str, seed: str) -> str:
    """Return the text that ``template`` stands for; ``seed`` (a rule's id) makes it its own."""
    draw = _bytes(seed)

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        return _made(match[1], match[2] or "", draw)

    return _FIELD.sub(one, template)


def _bytes(seed: str) -> Iterator[int]:
    counter = 0
    while True:
        yield from hashlib.sha256(f"{seed}/{counter}".encode()).digest()
        counter += 1


def _text(alphabet: str, count: int, draw: Iterator[int]) -> str:
    return "".join(alphabet[next(draw) % len(alphabet)] for _ in range(count))


def _b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _uuid(_: str, draw: Iterator[int]) -> str:
    return "-".join(_text(ALPHABETS["hex"], n, draw) for n in (8, 4, 4, 4, 12))


def _jwt(_: str, draw: Iterator[int]) -> str:
    an = ALPHABETS["an"]
    claims = _b64('{"sub":"' + _text(an, 12, draw) + '"}')
    return ".".join([_b64('{"alg":"HS256","typ":"JWT"}'), claims, _text(an, 43, draw)])


def _jwe(_: str, draw: Iterator[int]) -> str:
    head = _b64('{"alg":"RSA-OAEP","enc":"A256GCM"}')
    return ".".join([head, *(_text(ALPHABETS["an"], n, draw) for n in (342, 16, 60, 22))])


def _basic(_: str, draw: Iterator[int]) -> str:
    return base64.b64encode(f"deploy:{_text(ALPHABETS['an'], 20, draw)}".encode()).decode()


def _pem(count: str, draw: Iterator[int]) -> str:
    text = _text(ALPHABETS["b64"], int(count), draw)
    return "\n".join(text[i : i + 64] for i in range(0, len(text), 64))


def _pem64(_: str, draw: Iterator[int]) -> str:
    rule = "-" * 5
    text = f"{rule}BEGIN RSA PRIVATE KEY{rule}\nMIIE{_pem('508', draw)}\n{rule}END RSA PRIVATE KEY{rule}\n"
    return base64.b64encode(text.encode()).decode()


def _github(prefix: str, draw: Iterator[int]) -> str:
    body = prefix + _text(ALPHABETS["an"], 30, draw)
    return body + github_checksum(body.partition("_")[2])


def _wif(_: str, draw: Iterator[int]) -> str:
    body = bytes([0x80, *(next(draw) for _ in range(32)), 1])
    return base58check(body)


def _luhn(count: str, draw: Iterator[int]) -> str:
    body = "4" + _text(ALPHABETS["num"], int(count) - 2, draw)
    return next(body + last for last in ALPHABETS["num"] if luhn(body + last))


def _iban(_: str, draw: Iterator[int]) -> str:
    body = _text(ALPHABETS["num"], 18, draw)
    return "DE" + iban_digits("DE", body) + body


def _words(count: str, draw: Iterator[int]) -> str:
    return " ".join(_text(ALPHABETS["low"], 5, draw) for _ in range(int(count)))


def _tags(text: str, _: Iterator[int]) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in text)


def _selectors(text: str, _: Iterator[int]) -> str:
    return "".join(chr(0xE0100 + byte - 16) if byte >= 16 else chr(0xFE00 + byte) for byte in text.encode())


def _split(text: str, _: Iterator[int]) -> str:
    return "\u200b".join(text[start : start + 3] for start in range(0, len(text), 3))


def _unseen(count: str, draw: Iterator[int]) -> str:
    return _text("\u200b\u200c", int(count), draw)


_SPECIAL: dict[str, Callable[[str, Iterator[int]], str]] = {
    "uuid": _uuid, "jwt": _jwt, "jwe": _jwe, "basic": _basic, "pem": _pem, "pem64": _pem64, "github": _github,
    "wif": _wif, "luhn": _luhn, "iban": _iban, "words": _words,
    "tags": _tags, "selectors": _selectors, "split": _split, "unseen": _unseen,
    "override": lambda _, __: "\u202e", "isolate": lambda _, __: "\u2066", "esc": lambda _, __: "\x1b",
}  # fmt: skip


def _made(name: str, argument: str, draw: Iterator[int]) -> str:
    special = _SPECIAL.get(name)
    return special(argument, draw) if special else _text(ALPHABETS[name], int(argument), draw)
