"""Rules of the secrets detector, one TOML file a field. ``load`` is the only door to them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from outrider.events.call import Confidence, Severity

FILES = ("cloud", "code", "models", "services", "platforms", "apps", "general")
"""In the order of precedence: what an earlier file names is more specific."""

_ADVICE = "Read it from the environment or a secret store, and revoke the one that was written here."

_GAP = r"""["'\\\])]{0,4}[ \t]{0,4}(?:=>|:=|={1,2}|:|,)[ \t]{0,4}"""
_LOOSE_GAP = r"""["'\\\])]*[ \t]*(?:=|:|,)"""
_TELLING = re.compile(r"(?=[A-Za-z0-9]*[_-])[A-Za-z0-9_-]{4}")
_NEVER = r"[^\x00-\x{10FFFF}]"
_LONG = 9
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|[()]|\{([0-9]+)(?:,[0-9]*)?\}|.", re.DOTALL)
_VALUE = (
    r"""(?:[A-Za-z]{0,2}\\{0,4}"([^"\\\n]{6,300})|[A-Za-z]{0,2}'([^'\n]{6,300})'|`([^`\n]{6,300})`"""
    r"""|([^\s"'`,;<>(){}\[\]\\]{6,300}))"""
)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""One pattern of a secret. Exactly one of ``token``, ``regex`` and ``names`` with ``value`` is given.

    Attributes:
        id: ``secret.`` and a name; stable, for it stands in records and charters.
        title: What is found, for a person.
        severity: How bad it is if it is so.
        confidence: How sure a match is before context is looked at.
        token: RE2 of a value that is known by itself; no letter or digit may follow, nor stand before.
        regex: RE2 as it is; the secret is group ``group``, or the whole match if there are no groups.
        names: RE2 of names, of any case, that a value is set to.
        value: RE2 of that value; ``*`` for any text that passes ``check``.
        entropy: Least Shannon entropy of the secret in bits a character, 0 for any.
        anywhere: True if ``token`` counts in the middle of a word too. Tokens that begin with four plain characters,
            one of them ``_`` or ``-``, always do: hiding one behind a letter must not be so easy.
        min_length: Fewest characters of the secret.
        needs_digit: True if a secret without a digit is none.
        near: A word that must stand within 200 characters, in lower case, or empty.
        file: RE2 of the paths of files in which alone the rule counts, or empty for any.
        vector_file: A path that ``file`` matches.
        check: Name of a check in :data:`outrider.detect.checks.CHECKS`, or empty.
        group: Which group of ``regex`` is the secret.
        trigger: RE2 that occurs wherever the rule's pattern does, and costs the set less; made up where not given.
        advice: What to write instead.
        vector: Template of a text in which the rule must find something (see :mod:`outrider.detect.vectors`).
        miss: Template of a near miss in which this rule must find nothing.
    """

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    vector: str
    miss: str
    token: str = ""
    regex: str = ""
    names: str = ""
    value: str = ""
    entropy: float = 0.0
    anywhere: bool = False
    min_length: int = 0
    needs_digit: bool = False
    near: str = ""
    file: str = ""
    vector_file: str = ""
    check: Literal[
        "", "github", "jwt", "pem", "pem64", "basic", "word", "url-password", "hash", "mixed", "base58check", "luhn",
        "iban", "ssn", "aws-key", "macaroon",
    ] = ""  # fmt: skip
    group: int = 1
    trigger: str = ""
    advice: str = _ADVICE

    @property
    def persona(self) -> Literal["everyday", "strict", "audit"]:
        """Who is shown it: everybody what is bad if it is so, the strict the rest, an audit what is unsure as well."""
        if self.confidence == "low":
            return "audit"
        return "strict" if self.severity == "low" else "everyday"

    @property
    def pattern(self) -> str:
        """The RE2 expression of the whole rule."""
        if self.token:
            return rf"{self._edge}({self.token})(?:$|[^A-Za-z0-9])"
        if self.regex:
            return self.regex
        if self.value == "*":
            return rf"(?i:{self.names})([A-Za-z0-9_.-]{{0,24}}){_GAP}{_VALUE}"
        return rf"""(?i:{self.names}){_GAP}["'`\\]{{0,4}}({self.value})(?:$|[^A-Za-z0-9+/=_-])"""

    @property
    def _edge(self) -> str:
        """What must stand before a token: nothing if it tells itself apart anywhere, else no letter and no digit."""
        return "" if self.anywhere or _TELLING.match(self.token) else r"(?:\b|_)"

    @property
    def alarm(self) -> str:
        """The RE2 expression that the set looks for: occurs wherever :attr:`pattern` does, but need not be exact.

        A rule with ``file`` has one that never occurs: the path says whether it is asked.


        Long counted repetitions multiply the states of a set's automaton; here they are cut short.
        """
        if self.file:
            return _NEVER  # asked for by the path alone
        if self.trigger:
            return self.trigger
        if self.token:
            return rf"{self._edge}(?:{_cut_short(self.token)})"
        if self.regex:
            return self.regex
        return (
            rf"(?i:{self.names})[A-Za-z0-9_.-]*{_LOOSE_GAP}" if self.value == "*" else f"(?i:{self.names}){_LOOSE_GAP}"
        )


def _cut_short(token: str) -> str:
    """Return ``token`` up to its first long repetition outside brackets, and four of what is repeated."""
    depth = 0
    for match in _PIECE.finditer(token):
        piece = match[0]
        depth += (piece[0] == "(") - (piece == ")")
        if match[1] and int(match[1]) >= _LONG and depth == 0:
            return token[: match.start()] + "{4}"
    return token


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


@cache
def load() -> tuple[Rule, ...]:
    """Return every rule, the specific before the general.

    Raises:
        msgspec.ValidationError: A rule has an unknown field or a value out of range.
    """
    rules: list[Rule] = []
    for name in FILES:
        text = files(__name__).joinpath(f"{name}.toml").read_text("utf-8")
        rules.extend(msgspec.convert(tomllib.loads(text), _File).rule)
    return tuple(rules)
