"""The charter as data: what a person wrote, checked and frozen.

A charter is canonical JSON under its digest. Everything that decides (bindings, host groups, labels) is added when it
is bound and asked; the charter itself names no host and no path of any one machine.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import Literal

import msgspec

from outrider.errors import CharterError
from outrider.events.codec import canonical
from outrider.events.sequence import Sequence

Undecided = Literal["deny", "ask", "allow"]
Mode = Literal["enforce", "observe"]
Opaque = Literal["deny", "ask", "confined", "allow"]
AskBy = Literal["outrider", "host"]
Sponsor = Literal["required", "optional"]
Treatment = Literal["fix", "tell", "note"]
Unsure = Literal["full", "less", "note"]
Persona = Literal["audit", "strict", "everyday"]
Comments = Literal["never", "standing", "allow"]
Rules = dict[str, tuple[str, ...]]
"""Verb to patterns, in the order in which they were written."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AMOUNT = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))? USD")
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")


def seconds(duration: str) -> int:
    """Return the seconds in ``90s``, ``30m``, ``8h`` or ``7d``.

    Raises:
        CharterError: It is none of these.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise CharterError(
            f'"{duration}" is not a length of time', fix='Write a number and s, m, h or d, such as "8h".'
        )
    return int(match[1]) * _UNITS[match[2]]


def micros(amount: str) -> int:
    """Return the millionths of a US dollar in ``2.50 USD``.

    Raises:
        CharterError: It is no such amount.
    """
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        raise CharterError(f'"{amount}" is not an amount of money', fix='Write US dollars, such as "2.50 USD".')
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def dollars(amount: int) -> str:
    """Return millionths of a US dollar as a charter writes them."""
    whole, rest = divmod(amount, 1_000_000)
    return f"{whole}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')} USD"


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of one agent's life; None where the charter sets none.

    Attributes:
        calls: Calls that it may make.
        spawns: Children that it may start.
        spawn_depth: Generations below a root: 0 forbids children, 3 allows great-grandchildren.
        tokens: Tokens that its model may be given and write, where its host tells.
        cost: What its session may cost, millionths of a US dollar, where its host tells. Written ``"2.50 USD"``.
    """

    calls: int | None = None
    spawns: int | None = None
    spawn_depth: int | None = None
    tokens: int | None = None
    cost: int | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"also": "with", "but": "except"}):
    """What a context that carries a label may no longer do.

    Attributes:
        not_to: Verbs that are refused.
        also: A second label that must be there too, or empty. Written ``with``.
        but: Resources for which the rule does not hold. Written ``except``.
        verdict: ``ask`` if a person decides; None for a refusal.
    """

    not_to: tuple[str, ...]
    also: str = ""
    but: tuple[str, ...] = ()
    verdict: Literal["ask"] | None = None


class Tool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a charter says about the tools that a pattern names.

    Attributes:
        looks: Whether they only look; None to go by their names.
        control: The arguments that say where a call goes or what it touches; None to go by the arguments' names.
    """

    looks: bool | None = None
    control: tuple[str, ...] | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happens to findings: ``fix`` denies with advice, ``tell`` allows and tells, ``note`` only records.

    Attributes:
        high: To severe ones.
        medium: To middling ones.
        low: To slight ones.
        unsure: What one of low confidence comes to: its ``full`` severity, one ``less``, or only a ``note``.
        persona: Whose rules about code are asked.
        comments: Whether comments in the code let a finding be: ``allow``, only ``standing`` ones that the change does
            not bring itself, or ``never``.
        rules: Rule, pattern of rules, or weakness class to what happens instead.
    """

    high: Treatment | None = None
    medium: Treatment | None = None
    low: Treatment | None = None
    unsure: Unsure | None = None
    persona: Persona | None = None
    comments: Comments | None = None
    rules: dict[str, Treatment] = {}


class Keep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of content, encrypted, beside the record; None where the charter says nothing.

    Attributes:
        what: Of which kinds: ``prompts``, ``inputs`` (what calls are given), ``outputs`` (what comes back),
            ``model`` (what the model is sent: system prompt, instruction files, messages).
        max: Most bytes of one content; the middle of a longer one is left out.
        sample: Percent of contents.
        age: How long, such as ``30d``; then it is erased.
    """

    what: tuple[str, ...] | None = None
    max: int | None = None
    sample: int | None = None
    age: str = ""


UNSAID = Keep()
"""Of a charter without the section; one object, so that its canonical form is what it was before there was one."""

KINDS = ("prompts", "inputs", "outputs", "model")
"""The kinds of content that a charter may keep."""


class Charter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One version of one charter.

    A scalar that is None was not written. A charter with an ``extends`` then has no opinion and its ancestors' counts;
    a charter without one has the strict default (see :mod:`outrider.charter.narrow`).

    Attributes:
        name: Agent class: lower-case letters, digits, hyphens.
        extends: Name of its ceiling, or empty for a root.
        description: One sentence.
        contact: Whom to ask about agents of this class, one line; empty for whoever an ancestor or the host names. It
            decides nothing.
        sponsor: Whether somebody must answer for every instance.
        ttl: An instance's life, such as ``8h``.
        budget: Counted limits.
        undecided: What ``error`` means for this class.
        mode: Whether its own refusals are enforced or only observed.
        opaque: What happens to programs whose inner effects are not seen.
        grant: True if it wants the host told an affirmative allow.
        may: What is permitted; everything else is denied.
        delegate: What it may hand on to children without having it.
        ask: What a person answers.
        ask_by: Who asks: the host at its own prompt, or Outrider, which refuses the call until it is answered.
        ask_within: How long a question waits for its answer, such as ``1h``; then it is a no.
        ask_approvers: Who may answer: users of this host, and groups as ``group:NAME``; none for any person.
        never: What is refused whatever else says, in every child too.
        flow: Label to rule.
        tools: Pattern of tools to what is said about them.
        sequences: Name to steps over several calls that bring the finding ``sequence.NAME``.
        code: What happens to findings.
        keep: What is kept of content.
        cedar: Policies written directly in Cedar, or empty.
    """

    name: str
    extends: str = ""
    description: str = ""
    contact: str = ""
    sponsor: Sponsor | None = None
    ttl: str = ""
    budget: Budget = Budget()
    undecided: Undecided | None = None
    mode: Mode | None = None
    opaque: Opaque | None = None
    grant: bool = False
    may: Rules = {}
    delegate: Rules = {}
    ask: Rules = {}
    ask_by: AskBy | None = None
    ask_within: str = ""
    ask_approvers: tuple[str, ...] = ()
    never: Rules = {}
    flow: dict[str, Flow] = {}
    tools: dict[str, Tool] = {}
    sequences: dict[str, Sequence] = {}
    code: Code = Code()
    keep: Keep = UNSAID
    cedar: str = ""

    def canonical(self) -> bytes:
        """Return the canonical JSON that is digested and signed (RFC 8785 on our profile). Comments do not count."""
        return canonical(self)

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the hex digest of :meth:`canonical`: the name of this version for ever."""
        return "sha256:" + hashlib.sha256(self.canonical()).hexdigest()


_decoder = msgspec.json.Decoder(Charter)


def from_canonical(data: bytes) -> Charter:
    """Return the charter in its canonical form, as the record keeps it.

    Raises:
        CharterError: The bytes are not a charter's canonical form.
    """
    try:
        charter = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CharterError(f"not a charter in canonical form: {error}") from error
    if charter.canonical() != data:
        raise CharterError("a charter, but not in its canonical form", source=charter.name)
    return charter
