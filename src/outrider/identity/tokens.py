"""Delegation tokens: an agent hands on part of what it may, offline; nobody can hand on more.

A token is a Biscuit (Ed25519, chained signatures). Its first block says which agent it speaks for; every further block
makes a child of the one before and can only take away. A block that is cut off takes its children with it, one that is
moved or changed breaks the chain, and what a revocation reaches is void with all that was appended to it.

This is the only place that touches the library. Its default limit is one millisecond of wall clock, which denies valid
tokens at random on a busy machine; :data:`LIMIT` stands instead, and the size of a token is bounded before it is read.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TypeVar

import biscuit_auth as biscuit
import msgspec

from outrider.errors import BadInputError, RefusedError

LIMIT = dt.timedelta(milliseconds=250)
MAX_TOKEN = 64 * 1024
"""Longest token in characters."""

MAX_BLOCKS = 32
PREFIX = "outrider1"
BORN = "born"
"""The act that every token allows: to become the agent that it was made for."""

_FACT = re.compile(r"(agent|child)\(hex:([0-9a-f]{2,20000})\);\n")
_VERB = re.compile(r"[a-z_]{1,32}")
T = TypeVar("T")

_BROKEN = (
    biscuit.BiscuitValidationError,
    biscuit.BiscuitSerializationError,
    biscuit.BiscuitBlockError,
    biscuit.DataLogError,
    ValueError,
)


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agent that a token was minted for.

    Attributes:
        agent: Its id.
        charter: Name of its charter.
        charters: Names of every charter that bounds it, sorted.
        above: Ids of its ancestors, its parent first.
        sponsor: Pseudonym of who answers for it.
        born: Index of its birth in the record.
        expires: Microseconds since 1970 UTC.
    """

    agent: str
    charter: str
    charters: tuple[str, ...]
    above: tuple[str, ...]
    sponsor: str
    born: int
    expires: int


class Handed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A child that a block makes, and what is taken away from it.

    Attributes:
        agent: Its id, chosen by whoever made the block.
        charter: Agent class that it is to be born under.
        expires: Microseconds since 1970 UTC; not later than the block before.
        may: Verb to patterns: all that it may do of that verb. A verb that is not named is not narrowed.
        calls: Calls that it may make, or None.
        spawns: Children that it may start, or None.
        purpose: What it is for.
    """

    agent: str
    charter: str
    expires: int
    may: dict[str, tuple[str, ...]] = {}
    calls: int | None = None
    spawns: int | None = None
    purpose: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A token that verified.

    Attributes:
        subject: Whom it was minted for.
        handed: Its blocks after that, in order.
        ids: Revocation ids of every block, hex.
    """

    subject: Subject
    handed: tuple[Handed, ...]
    ids: tuple[str, ...]

    @property
    def agent(self) -> str:
        """Id of the agent that it speaks for."""
        return self.handed[-1].agent if self.handed else self.subject.agent

    @property
    def expires(self) -> int:
        """When it ends, microseconds since 1970 UTC."""
        return self.handed[-1].expires if self.handed else self.subject.expires


class Tokens:
    """Mints tokens under one key, and reads those that it minted.

    Args:
        key: Ed25519 private key, 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = biscuit.PrivateKey.from_bytes(key, biscuit.Algorithm.Ed25519)
        self._public = biscuit.KeyPair.from_private_key(self._key).public_key
        self.public = bytes(self._public.to_bytes()).hex()

    def mint(self, subject: Subject) -> str:
        """Return the token of an agent."""
        built = biscuit.BiscuitBuilder(
            "agent({fact}); check if time($now), $now <= {until};",
            {"fact": msgspec.json.encode(subject), "until": _moment(subject.expires)},
        )
        return _text(self.public, built.build(self._key))

    def verify(self, text: str, *, now: int, verb: str = BORN) -> Line:
        """Return what a token says, if it holds at ``now`` for ``verb``.

        What it says of resources is not asked here: those are judged where every other charter is.

        Args:
            text: The token.
            now: Microseconds since 1970 UTC.
            verb: What is to be done: an effect's verb, or :data:`BORN`.

        Raises:
            BadInputError: It is no token.
            RefusedError: It is forged, changed, over, wider than what it was made from, or not for ``verb``.
        """
        token = _read(text, self._public)
        _authorise(token, now, verb)
        line = _line(token)
        if now >= line.expires:  # Biscuit counts whole seconds.
            raise RefusedError("this token does not hold: it is over", rule="identity.token")
        return line


def ends(text: str) -> int:
    """Return when a token ends, microseconds since 1970 UTC, as it says itself.

    Raises:
        BadInputError: It is no token.
        RefusedError: It was changed.
    """
    return _line(_own(text)[1]).expires


def narrow_with(text: str, handed: Handed) -> str:
    """Append a block to a token, without asking anybody; return the child's token.

    Raises:
        BadInputError: It is no token, or has no room for another block.
    """
    public, token = _own(text)
    if token.block_count() >= MAX_BLOCKS:
        raise BadInputError(f"a token has {MAX_BLOCKS} blocks at most")
    code = "child({fact}); check if time($now), $now <= {until};"
    values: dict[str, object] = {"fact": msgspec.json.encode(handed), "until": _moment(handed.expires)}
    nothing = sorted(verb for verb, patterns in handed.may.items() if not patterns)
    if nothing:
        code += " check if act($act), !{nothing}.contains($act);"
        values["nothing"] = set(nothing)
    return _text(public, token.append(biscuit.BlockBuilder(code, values)))


def _own(text: str) -> tuple[str, biscuit.Biscuit]:
    """Return a token as its holder reads it: under the key that it names itself, which proves nothing to others."""
    public = _parts(text)[0]
    return public, _read(text, biscuit.PublicKey.from_bytes(bytes.fromhex(public), biscuit.Algorithm.Ed25519))


def _authorise(token: biscuit.Biscuit, now: int, verb: str) -> None:
    if not _VERB.fullmatch(verb):
        raise BadInputError("not a verb")
    asked = biscuit.AuthorizerBuilder("time({now}); act({act}); allow if true;", {"now": _moment(now), "act": verb})
    limits = asked.limits()
    limits.max_time = LIMIT
    asked.set_limits(limits)
    try:
        asked.build(token).authorize()
    except biscuit.AuthorizationError as error:
        over = "time($now)" in str(error)
        why = "it is over" if over else f"it does not allow {verb!r}"
        raise RefusedError(f"this token does not hold: {why}", rule="identity.token") from error
    except _BROKEN as error:
        raise RefusedError(f"this token cannot be judged: {error}", rule="identity.token") from error


def _line(token: biscuit.Biscuit) -> Line:
    """Return what the blocks of a verified token say.

    Raises:
        RefusedError: A block is not one of ours, or would widen what it was appended to.
    """
    count = token.block_count()
    if count > MAX_BLOCKS or any(token.block_external_key(at) is not None for at in range(count)):
        raise RefusedError("this token has blocks that are not ours", rule="identity.token")
    subject = _fact(token.block_source(0), "agent", Subject)
    handed = tuple(_fact(token.block_source(at), "child", Handed) for at in range(1, count))
    known, until = {subject.agent, *subject.above}, subject.expires
    for one in handed:
        if one.agent in known:
            raise RefusedError("this token makes the same agent twice", rule="identity.token")
        if one.expires > until:
            raise RefusedError("this token would outlive what it was made from", rule="identity.token")
        known.add(one.agent)
        until = one.expires
    return Line(subject=subject, handed=handed, ids=tuple(token.revocation_ids))


def _fact(source: str, name: str, kind: type[T]) -> T:
    """Return the fact that a block begins with. What else stands in it can only take away: it is all checks to us."""
    found = _FACT.match(source)
    if found is None or found[1] != name:
        raise RefusedError("this token has a block that says nothing we know", rule="identity.token")
    try:
        return msgspec.json.decode(bytes.fromhex(found[2]), type=kind)
    except msgspec.DecodeError as error:
        raise RefusedError("this token has a block that cannot be read", rule="identity.token") from error


def _read(text: str, public: biscuit.PublicKey) -> biscuit.Biscuit:
    try:
        return biscuit.Biscuit.from_base64(_parts(text)[1], public)
    except _BROKEN as error:
        raise RefusedError(
            "this token was not minted here, or was changed since",
            fix="Ask the agent that it was made from for another.",
            rule="identity.token",
        ) from error


def _parts(text: str) -> tuple[str, str]:
    words = text.strip().split(".")
    if len(text) > MAX_TOKEN or len(words) != 3 or words[0] != PREFIX or not re.fullmatch("[0-9a-f]{64}", words[1]):
        raise BadInputError("not a token of Outrider", fix="A token is one line that begins with outrider1.")
    return words[1], words[2]


def _text(public: str, token: biscuit.Biscuit) -> str:
    return f"{PREFIX}.{public}.{token.to_base64()}"


def _moment(micros: int) -> dt.datetime:
    """Return a time as Biscuit counts it, in whole seconds."""
    return dt.datetime.fromtimestamp(micros // 1_000_000, tz=dt.UTC)
