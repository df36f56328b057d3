"""What looks like a secret and is none: examples, templates, references, and values told to be fake.

Two answers, never mixed. :func:`stands_for_nothing` looks at the value itself: then there is no finding. :func:`doubt`
looks at the words around it (a variable called ``mock_token``, a file under ``tests/``): then there is a finding of
lower confidence, for people do leave real keys in tests.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re

import re2

_WORDS = re2.compile(
    r"(?i)example|placeholder|change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|with|this)|your[-_]|[-_]here\b|insert[-_]"
    r"|redacted|removed|dummy|fake|sample|lorem|foobar|fixme|todo|not[-_]?a?[-_]?(?:real|secret)|some[-_ ]?(?:secret"
    r"|token|password|key|client|value)|my[-_]?(?:secret|token|password|key|pass)|(?:secret|pass(?:word|wd)|token|apikey"
    r"|api[-_]key)[-_ ]?(?:here|goes|value|string|name|placeholder)|x{5,}|\*{3,}|\.{3,}|(?:^|[^0-9])12345|1234567"
    r"|abcdefg|qwerty|deadbeef|(?:ab){5,}|0{10,}|truncated|undefined|<[^>]{2,60}>"
)
_TEMPLATE = re2.compile(
    r"\$\{|\{\{|\$\(|%\(|%[sdv]\b|<%|#\{|\{%|^\$[A-Za-z_]|^\{[A-Za-z_.]+\}|^%[A-Za-z_]+%|^@[A-Za-z_.]+@|^@@|^!vault|^ENC[\[(]"
    r"|^\{cipher\}|\{[A-Za-z_]{1,30}:[0-9]{1,3}\}|^vault:|^arn:aws:secretsmanager|^op://|^ref\+|^secretref|process\.env|os\.environ|getenv|import\.meta"
    r"|^env[.:(]|^var\.|^local\.|^data\.|^secrets\.|^config\.|^self\.|^this\.|^file:|^null$|^none$|^nil$|^true$|^false$"
)
_COMMON = re2.compile(
    r"(?i)^(?:(?:my|the|test|user|db|root|admin|default|new|old|super|proxy|git)?[-_]?(?:password|passwd|passw0rd"
    r"|p@ssw0rd|pass|pwd|secret|token|hunter|letmein"
    r"|open ?sesame|welcome|admin|root|user|guest|postgres|mysql|redis|test|testing|demo"
    r"|username|login|openshift|docker|vagrant|minioadmin|hello|world|string|value|key|apikey|bearer|basic)"
    r"[-_]?[0-9!]{0,4})$"
)
_NAME_SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")
_DOUBTFUL_NAME = frozenset(
    {"mock", "dummy", "fake", "example", "sample", "placeholder", "public", "test", "tests", "testing", "stub", "demo",
     "fixture", "pub", "publishable", "sitekey"}
)  # fmt: skip
_DOUBTFUL_LINE = re2.compile(
    r"(?i)(?:^|[^.@/\w-])examples?(?:$|[^.\w-])"
    r"|email\W{1,8}\w+@example\.|\be\.g\."
    r"|\b(?:dummy|fake|placeholder|sample|not real|noqa)\b|nosec|allowlist secret|gitleaks:allow"
    r"|\btest[_ ]?(?:user|key|data|vector)|\bmock|assert(?:\.|_|Equal|That|\()"
)
_DOUBTFUL_PATH = re2.compile(
    r"(?i)(?:^|/)(?:tests?|spec|specs|__tests__|fixtures?|testdata|test-data|examples?|samples?|mocks?|docs?|vectors)/"
    r"|(?:^|[/_.-])(?:test|spec|mock|dummy|example|sample|fake|stub)s?(?:[_.-]|$)"
    r"|\.(?:md|rst|adoc|html?|so|so\.[0-9.]+|map|lock|sum|svg|ipynb_checkpoints)$"
    r"|^/usr/(?:bin|lib|lib64|share)/|/usr/(?:bin|share|lib|lib64)/|/lib64/"
)
_B64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}\Z")
_MIN_PERIODS = 3


def told_to_be_fake(value: str) -> bool:
    """Tell whether ``value`` says so itself, or is one short text said over and over."""
    return bool(_WORDS.search(value)) or repeats(value)


def stands_for_nothing(value: str, *, strict: bool = False) -> bool:
    """Tell whether ``value`` is an example, a template or a reference rather than a secret.

    Args:
        value: What would be the secret.
        strict: True for values without a form of their own (passwords): common words count as nothing too, and
            what base64 hides is looked at.
    """
    if told_to_be_fake(value) or _TEMPLATE.search(value):
        return True
    if not strict:
        return False
    if _COMMON.search(value):
        return True
    inner = unwrapped(value)
    return bool(inner) and bool(_WORDS.search(inner) or _TEMPLATE.search(inner) or inner.endswith("12345"))


def repeats(value: str) -> bool:
    """Tell whether ``value`` is a short text said over and over, or has hardly any different characters."""
    size = len(value)
    if size >= 12 and len(set(value)) <= min(4, max(2, size // 8)):
        return True
    return any(value[period:] == value[:-period] for period in range(1, min(8, size // _MIN_PERIODS) + 1))


def unwrapped(value: str) -> str:
    """Return the printable text that ``value`` holds in base64, or empty."""
    if not _B64.match(value):
        return ""
    padded = value.rstrip("=").translate({0x2D: "+", 0x5F: "/"})
    try:
        text = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return text if text.isprintable() or "\n" in text else ""


def doubt(name: str, line: str, path: str) -> int:
    """Return by how many steps the surroundings lower a finding's confidence, 0 to 2.

    Args:
        name: The name that the value is set to, or empty.
        line: The line up to the value and behind it, or what of it is near.
        path: The file it is in, or empty.
    """
    words = {word.lower() for word in _NAME_SPLIT.split(name) if word}
    steps = 2 if words & _DOUBTFUL_NAME or _DOUBTFUL_LINE.search(line) else 0
    if path and _DOUBTFUL_PATH.search(path):
        explicit = re2.search(r"(?i)dummy|fake|example|sample|stub", posixpath.basename(path))
        binary = path.endswith((".so", ".html", ".htm", ".map", ".adoc")) or "/usr/" in path or "/lib64/" in path
        steps += 2 if explicit or binary else 1
    return min(steps, 2)
