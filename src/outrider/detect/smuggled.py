"""Data hidden in what a call sends to somebody else: keys in any wrapping, host names that carry data, account numbers.

Looked for in the arguments of tools that reach others (a fetch, an MCP server's tool). The detector of secrets asks
whether a value is a real one; here it is the form that tells: a documentation key in a request shows where a real one
would go, and nobody encodes a key three times by accident.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from outrider.detect.redact import redact_host
from outrider.events.call import Call, Confidence, Finding, Severity
from outrider.events.hosts import host_of_url

TOOLS = frozenset({"fetch", "websearch", "mcp", "other"})
MAX_PARTS = 64
MAX_CHARS = 16_384
MAX_FORMS = 24
_DEPTH = 3

_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}"
    r"|glpat-[\w-]{20,}|sk_(?:live|test)_\w{10,}|sk-(?:proj-|ant-)?[\w-]{24,}|xox[abprs]-[\w-]{10,}|SG\.[\w.-]{20,}"
    r"|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)(?![A-Za-z0-9])"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----|\b[a-z][a-z0-9+]{2,20}://[^\s:/@]{1,64}:[^\s:/@]{3,64}@[\w.-]+"
)
"""Keys, tokens and connection strings whose form alone says what they are."""
_MARKS = (
    "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk_", "sk-", "xox", "SG.", "AIza",
    "npm_", "eyJ", "-----BEGIN", "://",
)  # fmt: skip
"""What every one of these holds: looked for first, for it costs next to nothing."""
_DIGITS = re.compile(r"[0-9]{13}")
_UNSEEN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_NESTED = re.compile(r"%25(?:25)+[0-9A-Fa-f]{2}")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,12}://[^\s\"'<>]+", re.IGNORECASE)
_HEX_LABEL = re.compile(r"(?:[0-9a-f]{2}){4,}")
_CARD = re.compile(r"(?<![\w.-])(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13}|6011[0-9]{12})(?![\w.-])")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}(?![A-Z0-9])")
_WALLET = re.compile(
    r"(?<![A-Za-z0-9])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{25,60}|0x[0-9a-fA-F]{40})(?![A-Za-z0-9])"
)
_LEAST_HEX_LABELS = 2
_ADVICE = "Send nothing that holds it; if your user wants it sent, let them do this step."

EGRESS: Final[dict[str, Severity]] = {
    "egress.key": "medium",
    "egress.encoded-key": "high",
    "egress.card-number": "medium",
    "egress.nested-encoding": "medium",
    "egress.host-data": "medium",
    "egress.account-number": "medium",
    "egress.wallet": "medium",
}
"""Rules about what a request smuggles, and how severe each is."""


def smuggled(call: Call) -> tuple[Finding, ...]:
    """Return what a call's arguments carry out in a form that tells; of each kind, and each argument, the first.

    Args:
        call: The call. Only tools that reach others are looked at.
    """
    if call.tool not in TOOLS:
        return ()
    found: dict[tuple[str, str], Finding] = {}
    for where, text in _parts(call):
        for rule, confidence, message in _look(text):
            found.setdefault(
                (rule, where),
                Finding(
                    rule=rule,
                    severity=EGRESS[rule],
                    confidence=confidence,
                    where=where,
                    message=message,
                    advice=_ADVICE,
                ),
            )
    return tuple(found.values())


_Seen = tuple[str, Confidence, str]


def _look(text: str) -> Iterator[_Seen]:
    for at, form in enumerate(_forms(text)):
        if any(mark in form for mark in _MARKS) and _KEY.search(form):
            if at == 0:
                yield "egress.key", "high", "A key or token, or a documentation's example of one, is sent."
            else:
                yield "egress.encoded-key", "high", "A key or token is sent in an encoding that hides it."
        if _DIGITS.search(form) and any(_luhn(card) for card in _CARD.findall(form)):
            yield "egress.card-number", "high", "A payment card's number is sent."
    if "%25" in text and _NESTED.search(text):
        yield "egress.nested-encoding", "high", "A value is percent-encoded three times over."
    for url in _URL.findall(text) if "://" in text else ():
        yield from _of_url(url)


def _of_url(url: str) -> Iterator[_Seen]:
    kind, host = host_of_url(url)
    if kind == "host":
        labels = host.partition(":")[0].split(".")[:-2]
        spelled = sum(_is_spelled_hex(label) for label in labels)
        hexed = sum(_HEX_LABEL.fullmatch(label) is not None for label in labels)
        if spelled >= _LEAST_HEX_LABELS or hexed > 2 * _LEAST_HEX_LABELS or redact_host(host, b"") != host:
            yield "egress.host-data", "high", "The name of a host carries data in its labels."
    query = unquote(url.partition("?")[2])
    if any(_is_iban(text) for text in _IBAN.findall(query)):
        yield "egress.account-number", "medium", "An account number is sent in an address."
    if _WALLET.search(query):
        yield "egress.wallet", "medium", "The address of a wallet is sent in an address."


def _forms(text: str) -> Iterator[str]:
    """Yield a text, and what it says with invisible characters and encodings taken away, layer by layer."""
    seen = {text: 0}
    pending = [text]
    for form in pending:  # grows while it is walked
        yield form
        depth = seen[form] + 1
        if depth > _DEPTH:
            continue
        for plain in _undone(form):
            if plain not in seen and len(seen) < MAX_FORMS:
                seen[plain] = depth
                pending.append(plain)


def _undone(text: str) -> Iterator[str]:
    if not text.isascii() and _UNSEEN.search(text):
        yield _UNSEEN.sub("", text)
    if "%" in text:
        yield unquote(text, errors="replace")
    for run in [run for run in _RUN.findall(text) if not run.isalpha() or not (run.islower() or run.istitle())][:32]:
        for decode in (_hex, _base64, _base32):
            plain = decode(run)
            if plain:
                yield plain


def _printable(data: bytes) -> str:
    return data.decode("ascii") if len(data) >= 6 and all(32 <= byte < 127 for byte in data) else ""


def _hex(run: str) -> str:
    try:
        return _printable(bytes.fromhex(run))
    except ValueError:
        return ""


def _base64(run: str) -> str:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return ""
    return _printable(base64.b64decode(plain + "=" * (-len(plain) % 4)))


def _base32(run: str) -> str:
    plain = run.rstrip("=").upper()
    try:
        return _printable(base64.b32decode(plain + "=" * (-len(plain) % 8)))
    except binascii.Error:
        return ""


def _is_spelled_hex(label: str) -> bool:
    return _HEX_LABEL.fullmatch(label) is not None and bool(_hex(label) or _printable(bytes.fromhex(label) * 2))


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def _parts(call: Call) -> Iterator[tuple[str, str]]:
    stack: list[tuple[str, object]] = [("args", call.args)]
    left = MAX_PARTS
    while stack and left:
        where, item = stack.pop()
        if isinstance(item, str):
            left -= 1
            yield where, item[:MAX_CHARS]
        elif isinstance(item, dict):
            stack.extend((f"{where}.{name}", value) for name, value in reversed(item.items()))
        elif isinstance(item, list | tuple):
            stack.extend((f"{where}.{at}", value) for at, value in reversed(list(enumerate(item))))
