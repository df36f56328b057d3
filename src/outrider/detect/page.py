"""The pages and snapshots of rules about secrets and planted instructions, made from the rules themselves.

A page shows vectors as the templates that they are written as, so that no file holds what looks like a secret; a
snapshot says which rules see what in them, and where.
"""

from __future__ import annotations

from typing import Any

import msgspec

from outrider.detect.content import content
from outrider.detect.descriptions import DRIFT, look
from outrider.detect.rules import Rule
from outrider.detect.secrets import best, find
from outrider.detect.signs import ADVICE, Sign, load
from outrider.detect.signs.cues import TOGETHER
from outrider.detect.vectors import fill

_CHECKED = {
    "github": "the checksum at its end (CRC-32 in base 62) is computed",
    "jwt": "its head is decoded and has to name an algorithm",
    "pem": "its body has to begin as keys do, and to be long and varied enough",
    "pem64": "it is decoded, and has to hold a private key",
    "basic": "it is decoded, and has to hold a name and a password",
    "word": "words, examples, templates and references are left out",
    "url-password": "words, templates and patterns are left out",
    "hash": "hashes that say they are examples are left out",
    "mixed": "names, words, paths and code are left out",
    "luhn": "the check digit of a card number (Luhn) is computed",
    "base58check": "the checksum at its end (base58check) is computed",
    "ssn": "numbers that are never issued, or are known examples, are left out",
    "iban": "the check digits of an account number (ISO 7064, modulo 97) are computed",
    "aws-key": "the account that an AWS key id holds is decoded",
    "macaroon": "the token is decoded and has to hold the packet of a macaroon",
}
_KEY = b"page"


def secret_page(rule: Rule) -> str:
    """Return the page of a rule of the secrets detector, Markdown."""
    checks = [_CHECKED[rule.check]] if rule.check else []
    if rule.entropy:
        checks.append(f"the value needs an entropy of {rule.entropy} bits a character")
    if rule.near:
        checks.append(f"the word `{rule.near}` has to stand near")
    if rule.file:
        checks.append("only files that are named after a secret are looked at")
    held = f" It is then held against more: {'; '.join(checks)}." if checks else ""
    how = "by itself" if rule.token else ("by the name that it is set to" if rule.names else "by what stands around it")
    return _page(
        head=(rule.title, rule.id, rule.severity, rule.confidence, rule.persona),
        what=f"{rule.title}, known {how}.{held}",
        advice=rule.advice,
        why="Whoever reads a secret can use it, and what an agent writes, sends or commits is read by many. "
        "Tests, examples and names such as `mock_token` lower the confidence; a placeholder is no finding.",
        vector=rule.vector,
        miss=rule.miss,
    )


def signs() -> tuple[Sign, ...]:
    """Return every sign that has a page: those of texts, and the ones of cues that add up and of drift."""
    return (*load(), TOGETHER, DRIFT)


def sign_page(sign: Sign) -> str:
    """Return the page of a sign of planted instructions, Markdown."""
    more = " It counts as a sign only where a page shows nothing." if sign.confidence == "low" else ""
    return _page(
        head=(sign.title, sign.id, sign.severity, sign.confidence, sign.persona),
        what=f"{sign.title}, in what an agent reads.{more}",
        advice=ADVICE,
        why=sign.why,
        vector=sign.vector,
        miss=sign.miss,
    )


def _page(*, head: tuple[str, str, str, str, str], what: str, advice: str, why: str, vector: str, miss: str) -> str:
    title, name, severity, confidence, persona = head
    lines = [
        f"# {title}",
        "",
        f"`{name}` · severity {severity} · confidence {confidence} · persona {persona}",
        "",
        what,
        "",
        f"**Instead:** {advice}",
        "",
        "## Why",
        "",
        why,
        "",
        "## Flagged",
        "",
        "Vectors are templates: `{an:36}` stands for 36 letters and digits.",
        "",
        *_block(vector),
        "## Not flagged",
        "",
        *_block(miss),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(template: str) -> list[str]:
    return ["```text", template.strip("\n"), "```", ""]


def secret_snapshot(rule: Rule) -> list[dict[str, Any]]:
    """Return what all rules together say of a rule's vector: never the value, only where it is."""
    text = fill(rule.vector, rule.id)
    return [
        {"rule": hit.rule.id, "start": hit.start, "end": hit.end, "confidence": hit.confidence}
        for hit in best(find(text, path=rule.vector_file))
    ]


def sign_snapshot(sign: Sign) -> list[dict[str, Any]]:
    """Return what all signs together say of a sign's vector."""
    text = fill(sign.vector, sign.id)
    if sign is DRIFT:
        before, after = (msgspec.json.decode(fill(template, sign.id)) for template in (sign.miss, sign.vector))
        seen = look("server", [before], {}, _KEY).seen
        found = look("server", [after], seen, _KEY).findings
        return [{"rule": one.rule, "where": one.where, "confidence": one.confidence} for one in found]
    return [
        {"rule": one.rule, "text": text[one.start : one.end], "confidence": one.confidence, "said": one.message}
        for one in content(text, "vector", _KEY)
    ]
