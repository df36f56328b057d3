"""Checks that a pattern cannot make: checksums, structure, and whether a value looks made up by a machine.

Each check takes the value and says ``sure`` (its own structure proves it), ``maybe`` (nothing against it) or ``no``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Literal

from outrider.detect.placeholders import stands_for_nothing, told_to_be_fake

Answer = Literal["sure", "maybe", "no"]
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z_$]*(?:(?:[.:/-]|->)+[A-Za-z_$]+)*[-_.]?\Z")
_CALL = re.compile(r"[A-Za-z_][\w.]*\(")
_WORDY = re.compile(
    r"(?:[a-z]+[0-9]{0,4}|[0-9]{1,6}|[A-Z]+[0-9]{0,4})(?:[-_./:](?:[a-z]+[0-9]{0,4}|[0-9]{1,6}|[A-Z]+[0-9]{0,4}))+\Z"
)
_CODE = re.compile(r"[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)+\Z|.*(?:->|::|=>|\\n|&&|\|\|| \+ |\?\?)")
_REFERENCES = ("/", "./", "../", "~/", "http:", "https:", "@")
_TEST_CARDS = frozenset(
    {"4" + "1" * 15, "4242" * 4, "5" * 15 + "4", "4000056655665556", "5105105105105100", "378282246310005",
     "371449635398431", "6011111111111117", "4012888888881881", "4" + "0" * 14 + "2", "30569309025904",
     "5200828282828210"}
)  # fmt: skip
"""Numbers that payment services give out for trying."""
_TEST_NUMBERS = frozenset({"123-45-6789", "078-05-1120", "219-09-9999", "111-11-1111", "987-65-4321"})
_NAMED_FOR_ONE = re.compile(
    r"(?i)[&*]?[a-z_][\w.]*(?:key|token|secret|password|credentials?)s?[0-9]{0,4}\Z|[A-Za-z_.]+(?:=[A-Za-z_.]+)+\Z"
    r"|(?:[\w.-]+/)+[\w-]+\.[a-z]{1,4}\Z"
)
"""The name of another such value or of its type; an argument given by name; the path of a file."""
_EXPRESSION = re.compile(r"\[\^?[A-Za-z0-9]-[A-Za-z0-9]|\(\?[:i=!<]|\]\{[0-9]|\\[dwsb][+*{\\]")
"""Parts of a regular expression."""
_PEM_HEADER = re.compile(r"(?:Version|Comment|Hash|Charset):[^\n\\]*")
_MIN_PEM = 100
_PEM_ENTROPY = 4.2
_KEY_STARTS = ("M", "b3BlbnNzaC1rZXktdjE", "l", "x")
"""How the base64 of a private key begins: a DER sequence, OpenSSH's own magic, an OpenPGP packet of old or new form."""


def entropy(value: str) -> float:
    """Return the Shannon entropy of ``value`` in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def github_checksum(body: str) -> str:
    """Return the six characters that end a GitHub or npm token: CRC-32 of its body (prefix left out) in base 62."""
    number = zlib.crc32(body.encode())
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0")


def _github(value: str) -> Answer:
    body = value.partition("_")[2]
    return "sure" if github_checksum(body[:-6]) == body[-6:] else "maybe"


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""The alphabet of Bitcoin's base 58: no zero, no O, no I, no l."""


def base58check(body: bytes) -> str:
    """Return ``body`` and four bytes of its double SHA-256 in base 58, as Bitcoin writes keys."""
    number = int.from_bytes(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4])
    digits = ""
    while number:
        number, rest = divmod(number, 58)
        digits = BASE58[rest] + digits
    return digits


def _base58check(value: str) -> Answer:
    number = 0
    for char in value:
        number = number * 58 + BASE58.index(char)
    raw = number.to_bytes(40).lstrip(b"\0")
    return "sure" if base58check(raw[:-4]) == value else "no"


def luhn(digits: str) -> bool:
    """Tell whether the last digit of ``digits`` is their check digit after Luhn (ISO/IEC 7812-1)."""
    doubled = (int(char) * (1 + place % 2) for place, char in enumerate(reversed(digits)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def _luhn(value: str) -> Answer:
    digits = "".join(char for char in value if char.isdigit())
    return "sure" if 13 <= len(digits) <= 19 and luhn(digits) and digits not in _TEST_CARDS else "no"


def iban_digits(country: str, account: str) -> str:
    """Return the two check digits of an account number (ISO 13616: modulo 97, letters count from 10)."""
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    return f"{98 - number % 97:02}"


def _iban(value: str) -> Answer:
    plain = "".join(value.split())
    right = 15 <= len(plain) <= 34 and plain[2:4] == iban_digits(plain[:2], plain[4:])
    return "sure" if right else "no"


def _ssn(value: str) -> Answer:
    area, group, serial = value.split("-")
    issued = area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"
    return "maybe" if issued and value not in _TEST_NUMBERS else "no"


def _aws_key(value: str) -> Answer:
    """Tell whether the account number in an AWS key id has at most twelve digits, as accounts have."""
    try:
        raw = base64.b32decode(value[4:])
    except (binascii.Error, ValueError):
        return "maybe"
    account = (int.from_bytes(raw[:6]) & 0x7FFFFFFFFF80) >> 7
    return "sure" if account < 10**12 else "maybe"


def _macaroon(value: str) -> Answer:
    """Tell whether a PyPI token holds a macaroon of version 2 with a location."""
    body = value.partition("-")[2]
    try:
        raw = base64.urlsafe_b64decode(body[: len(body) // 4 * 4])
    except (binascii.Error, ValueError):
        return "maybe"
    return "sure" if raw[:2] == b"\x02\x01" and b"pypi" in raw[:16] else "maybe"


def _decoded(segment: str) -> str:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _jwt(value: str) -> Answer:
    try:
        head = json.loads(_decoded(value.split(".", 1)[0]))
    except ValueError:
        return "no"
    return "maybe" if isinstance(head, dict) and "alg" in head else "no"


def _pem(value: str) -> Answer:
    body = re.sub(r"\\[nrt]|[^A-Za-z0-9+/=_]", "", _PEM_HEADER.sub("", value.partition("-----")[0]))
    if "Proc-Type" not in value and not body.startswith(_KEY_STARTS):
        return "no"
    return "maybe" if len(body) >= _MIN_PEM and entropy(body) > _PEM_ENTROPY else "no"


def _pem64(value: str) -> Answer:
    # Words that follow the last line are base64 to a pattern; only what comes first has to decode.
    joined = "".join(value.split()).partition("=")[0]
    try:
        text = base64.b64decode(joined[: len(joined) // 4 * 4]).decode("latin-1")
    except (binascii.Error, ValueError):
        return "no"
    return "no" if "PRIVATE KEY" not in text or told_to_be_fake(text[:200]) else "maybe"


def _basic(value: str) -> Answer:
    text = _decoded(value.replace("+", "-").replace("/", "_").rstrip("="))
    _, colon, password = text.partition(":")
    return "maybe" if colon and text.isprintable() and _word(password) != "no" else "no"


def _word(value: str) -> Answer:
    """Tell whether a value in a place where only a password stands is one: it is, unless it stands for nothing."""
    if len(value) < 4 or stands_for_nothing(value, strict=True):
        return "no"
    return "no" if _CALL.match(value) else "maybe"


def _url_password(value: str) -> Answer:
    if _word(value) == "no" or value.startswith(("//", "$", "%s", "{")):
        return "no"
    if any(mark in value for mark in ("(", ")", "*", "?", "[^")) and not any(char.isdigit() for char in value):
        return "no"
    return "no" if value.isalpha() and (value.islower() or len(value) < 10) else "maybe"


def _hash(value: str) -> Answer:
    return "no" if told_to_be_fake(value) else "maybe"


def classes(value: str) -> int:
    """Return how many of lower case, upper case, digits and other characters occur."""
    return (
        any(c.islower() for c in value)
        + any(c.isupper() for c in value)
        + any(c.isdigit() for c in value)
        + any(not c.isalnum() for c in value)
    )


def _mixed(value: str) -> Answer:
    """Tell whether a value set to a telling name looks like a secret rather than like a word, a name or code."""
    value = value.rstrip(":;.,")
    if stands_for_nothing(value, strict=True) or _CALL.search(value) or _CODE.match(value):
        return "no"
    if _IDENTIFIER.match(value) or value.count(" ") > 1 or value.startswith(_REFERENCES):
        return "no"
    if (_WORDY.match(value) and not _uuid_like(value)) or _EXPRESSION.search(value):
        return "no"
    if sum(char.isdigit() for char in value) <= 5 and _NAMED_FOR_ONE.match(value):
        return "no"
    digits = any(c.isdigit() for c in value)
    return "maybe" if (digits and classes(value) > 1) or classes(value) > 2 else "no"


def _uuid_like(value: str) -> bool:
    return len(value) == 36 and value.count("-") == 4


CHECKS: dict[str, Callable[[str], Answer]] = {
    "github": _github,
    "jwt": _jwt,
    "pem": _pem,
    "pem64": _pem64,
    "basic": _basic,
    "word": _word,
    "url-password": _url_password,
    "hash": _hash,
    "mixed": _mixed,
    "base58check": _base58check,
    "luhn": _luhn,
    "iban": _iban,
    "ssn": _ssn,
    "aws-key": _aws_key,
    "macaroon": _macaroon,
}
"""The checks that a rule can name."""

CHECKSUMS = frozenset({"github", "aws-key", "macaroon"})
"""Those that a real value passes: one that does not is less sure, but not for certain made up."""
