"""What the broker leaves in the record: which keys sign, and what was lent to whom. Never what was lent itself."""

from __future__ import annotations

from typing import Literal

from outrider.events.event import Event

Service = Literal["token", "aws", "git"]


class IssuerKey(Event, frozen=True, kw_only=True, tag="issuer.key"):
    """From now on this key signs credentials, and the one before it signs none any more.

    Attributes:
        issuer: Who issues, as credentials name it.
        kid: Thumbprint of the key (RFC 7638), base64url.
        x: First coordinate of its public half on P-256, base64url.
        y: Second coordinate.
    """

    issuer: str
    kid: str
    x: str
    y: str


class CredentialIssued(Event, frozen=True, kw_only=True, tag="credential.issued"):
    """An agent was lent a credential. The event is durable before the agent has it.

    Attributes:
        service: What sort it is.
        name: The credential as charters name it, such as ``brokered:aws:deploy``.
        intent: Index of the ``call.decided`` that let the agent have it.
        audience: Whom the token was for.
        id: The token's own id (``jti``), hex.
        kid: Thumbprint of the key that signed it.
        session: The session's name abroad, as logs there hold it: the ARN of the assumed role with the agent's id, or
            the agent's SPIFFE id.
        expires: When what was lent ends, microseconds since 1970 UTC.
        jkt: Thumbprint of the key that the token is bound to, or empty.
    """

    service: Service
    name: str
    intent: int
    audience: str
    id: str
    kid: str
    session: str
    expires: int
    jkt: str = ""


class CredentialUsed(Event, frozen=True, kw_only=True, tag="credential.used"):
    """A credential was shown to somebody, as far as we were told: by git after its host answered, or by ourselves.

    Attributes:
        service: What sort it is.
        id: The token's own id (``jti``), hex, as its ``credential.issued`` has it.
        session: The session's name abroad, likewise.
        where: To whom: a host with its port where it is not the usual one.
        ok: Whether it was taken there.
    """

    service: Service
    id: str
    session: str
    where: str
    ok: bool
