"""What an agent shows outside: a token that says who it is, for one audience, for five minutes at most.

The token has the form of a JWT-SVID. ``sub`` is the agent's SPIFFE id, ``act`` is who it acts for, nearest first, up to
the pseudonym of the person who answers for it (RFC 8693), ``agt`` is its charter and its place in its lineage, and
``cnf.jkt`` the key that it is bound to, where one was named. ES256, because the token services of the clouds take it.

Keys follow one another. Each signs for its own time, and its public half is kept for good: a token of an agent that is
long gone is verified as of the time when it was shown.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from outrider.errors import BadInputError, RefusedError
from outrider.identity.agent import Agent
from outrider.identity.jose import ALGORITHM, Jwk, jwk_of, read_header, sign, verified

LIFE = 300
"""Seconds that a token holds at most."""

SKEW = 30
"""Seconds by which the clocks of those who verify may be behind ours."""

MOST_AUDIENCE = 512
_US = 1_000_000
_RULE = "identity.credential"
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_NOT_A_SEGMENT = re.compile(r"[^A-Za-z0-9._-]")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of a key, and when it signed.

    Attributes:
        jwk: The key.
        since: From when, microseconds since 1970 UTC.
        until: Until when; 0 while it signs, or is to.
        told: Whether the record says that it signs.
    """

    jwk: Jwk
    since: int
    until: int = 0
    told: bool = False

    def signed_at(self, moment: int) -> bool:
        """Tell whether it was in use at a time (microseconds)."""
        return self.since - SKEW * _US <= moment and (not self.until or moment <= self.until)


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified token says.

    Attributes:
        iss: Who issued it.
        sub: SPIFFE id of the agent.
        aud: Whom it is for.
        iat: When it was issued, seconds since 1970 UTC.
        exp: When it ends, likewise.
        jti: Its own id, which the record holds.
        agt: ``charter``, ``digest``, ``instance``, ``root`` and ``depth``.
        act: For whom it acts: ``sub``, and ``act`` again.
        cnf: ``jkt``, the thumbprint of the key that it is bound to, or nothing.
    """

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    agt: dict[str, str | int]
    act: dict[str, Any] = {}
    cnf: dict[str, str] = {}

    @property
    def lineage(self) -> tuple[str, ...]:
        """Who it acts for, nearest first."""
        found, at = [], self.act
        while at:
            found.append(str(at.get("sub", "")))
            at = at.get("act", {})
        return tuple(found)


class Issuer:
    """Issues tokens under one key, and reads those that any of its keys signed.

    Args:
        url: The issuer, as tokens name it.
        trust_domain: Trust domain of its SPIFFE ids.
        key: The private key that signs now.
        history: Every public half, oldest first, that of ``key`` among them; those after it sign later.

    Raises:
        BadInputError: The trust domain is none, or the history does not hold the key.
    """

    def __init__(
        self, url: str, trust_domain: str, key: ec.EllipticCurvePrivateKey, history: tuple[Signing, ...]
    ) -> None:
        if not _TRUST_DOMAIN.fullmatch(trust_domain):
            raise BadInputError(f"{trust_domain!r} is not a trust domain", fix="Lower-case letters, digits, . - and _.")
        self.url = url
        self.trust_domain = trust_domain
        self.history = history
        self._key = key
        self.kid = jwk_of(key.public_key()).kid
        self._public = {one.jwk.kid: one.jwk.public() for one in history}
        if self.kid not in self._public:
            raise BadInputError("the key that signs is not in its history")

    def subject(self, agent: Agent) -> str:
        """Return the SPIFFE id of an agent."""
        return f"spiffe://{self.trust_domain}/agent/{_segment(agent.charter)}/{agent.id}"

    def mint(
        self, agent: Agent, above: tuple[Agent, ...], *, audience: str, now: int, jkt: str = "", until: int = 0
    ) -> tuple[str, Claims]:
        """Return the token of an agent, and what it says.

        Args:
            agent: Whose it is.
            above: Its ancestors, its parent first.
            audience: Whom it is for.
            now: Microseconds since 1970 UTC.
            jkt: Thumbprint of the key that it is to be bound to, or empty.
            until: When it ends at the latest, seconds since 1970 UTC, or 0.

        Raises:
            BadInputError: The audience or the thumbprint is none.
            RefusedError: The agent's life is over.
        """
        if not 0 < len(audience) <= MOST_AUDIENCE or not audience.isprintable():
            raise BadInputError("an audience is one line that names whom the token is for")
        if jkt and not _THUMBPRINT.fullmatch(jkt):
            raise BadInputError("not the thumbprint of a key", fix="RFC 7638: 43 characters of base64url.")
        at = now // _US
        ends = min(at + LIFE, agent.expires // _US, until or at + LIFE)
        if ends <= at:
            raise RefusedError(f"the life of agent {agent.id} is over", rule=_RULE)
        claims = Claims(
            iss=self.url,
            sub=self.subject(agent),
            aud=audience,
            iat=at,
            exp=ends,
            jti=secrets.token_hex(16),
            agt={
                "charter": agent.charter,
                "digest": agent.digest,
                "instance": agent.id,
                "root": agent.root,
                "depth": agent.depth,
            },
            act=self._acts_for(agent, above),
            cnf={"jkt": jkt} if jkt else {},
        )
        said = {name: value for name, value in msgspec.to_builtins(claims).items() if value not in ({}, "")}
        return sign(self._key, self.kid, {**said, "nbf": at}), claims

    def verify(self, text: str, *, audience: str, at: int) -> Claims:
        """Return what a token says, if it held at a time, which may be long ago.

        1. it is ES256 and its key is one of ours; 2. the key vouches for it; 3. it says what our tokens say;
        4. the key was in use when it was issued; 5. it is ours and for that audience; 6. it held at that time.

        Args:
            text: The token.
            audience: Whom it must be for.
            at: As of when, microseconds since 1970 UTC.

        Raises:
            BadInputError: It is no token of this kind.
            RefusedError: It did not hold.
        """
        kid = read_header(text).kid
        signing = next((one for one in self.history if one.jwk.kid == kid), None)
        if signing is None:
            raise RefusedError("this credential names a key that never was ours", rule=_RULE)
        try:
            claims = msgspec.convert(verified(text, self._public[kid]), Claims)
        except msgspec.ValidationError as error:
            raise BadInputError(f"not a credential: {error}") from error
        if not signing.signed_at(claims.iat * _US):
            raise RefusedError("its key was not in use when this credential says it was issued", rule=_RULE)
        if claims.iss != self.url or claims.aud != audience:
            raise RefusedError(f"this credential is of {claims.iss!r} for {claims.aud!r}", rule=_RULE)
        if not claims.iat - SKEW <= at // _US < claims.exp <= claims.iat + LIFE:
            raise RefusedError("this credential did not hold then: it is over, or was not issued yet", rule=_RULE)
        return claims

    def jwks(self, now: int) -> dict[str, Any]:
        """Return the JWKS: the key that signs now, the one that follows, and those whose last tokens may still hold."""
        held = [one for one in self.history if not one.until or one.until + (LIFE + SKEW) * _US > now]
        return {"keys": [one.jwk.document() for one in held]}

    def past(self) -> dict[str, Any]:
        """Return every key with the time that it signed in, seconds since 1970 UTC, so that old tokens can be read."""
        return {
            "issuer": self.url,
            "keys": [
                {**one.jwk.document(), "nbf": one.since // _US, **({"exp": one.until // _US} if one.until else {})}
                for one in self.history
            ],
        }

    def discovery(self) -> dict[str, Any]:
        """Return the OpenID Connect discovery document, as it stands at ``/.well-known/openid-configuration``."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:token-exchange"],
            "token_endpoint_auth_methods_supported": ["none"],
            "dpop_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "act", "agt", "cnf"],
        }

    def _acts_for(self, agent: Agent, above: tuple[Agent, ...]) -> dict[str, Any]:
        """Return the chain from whom an agent acts for, its parent first, to the person at its root."""
        chain: dict[str, Any] = {}
        if agent.sponsor:
            chain = {"sub": f"spiffe://{self.trust_domain}/sponsor/{_segment(agent.sponsor)}"}
        for one in reversed(above):
            chain = {"sub": self.subject(one), **({"act": chain} if chain else {})}
        return chain


def _segment(text: str) -> str:
    """Return a name as a path of a SPIFFE id can hold it."""
    return _NOT_A_SEGMENT.sub("-", text) or "-"
