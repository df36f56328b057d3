"""The broker on a running daemon: an agent asks for a credential and gets one that is short-lived and its own.

Who asks is told by the process tree. The token that is shown to a token service never reaches the agent: whoever holds
it could name the session abroad as they like, and there it has to be the agent's id.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from outrider.daemon import lent, sts
from outrider.daemon.callers import agent_of
from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.events.credential import IssuerKey
from outrider.gate.lending import Lending
from outrider.gate.standing import stopped
from outrider.identity.issuer import Issuer
from outrider.identity.jose import read_header
from outrider.ledger.issuing import keyring

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.gate.lending import Asked
    from outrider.identity.issuer import Claims
    from outrider.identity.registry import Agent

_DAY_US = 24 * 3600 * 1_000_000
_US = 1_000_000
_MOST_TOLD = 4_096
"""Uses that are remembered, so that each is recorded once however often it is told."""


class Brokering:
    """Answers agents that need a credential, and anybody who wants to check one."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lending = Lending(
            scribe=parts.scribe, state=parts.state, results=parts.results, gate=parts.gate, read=parts.ledger.read
        )
        self._told: dict[tuple[str, bool], None] = {}
        self._services: dict[str, Callable[[dict[str, Any], Peer, lent.Lent], Awaitable[dict[str, Any]]]] = {
            "token": self._token,
            "aws": self._aws,
            "git": self._git,
        }

    async def credential(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Return a credential for the agent whose process tree the request comes from.

        Raises:
            BadInputError: There is no such credential here.
            RefusedError: It comes from no agent's tree, or the agent may not have it.
            UnavailableError: The service that it is for does not answer.
        """
        serve = self._services.get(str(request.get("service", "")))
        if serve is None:
            raise BadInputError("a credential is a token, or for aws, or for git")
        return await serve(request, peer, lent.load(self._parts.home.root))

    async def issuer(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Return what anybody may know of the issuer: its discovery document, its keys, and those of before."""
        issuer = await self._issuer(lent.load(self._parts.home.root))
        now = self._parts.scribe.now()
        return {"discovery": issuer.discovery(), "jwks": issuer.jwks(now), "history": issuer.past()}

    async def checked(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Say who a credential was issued to, and whether it held: now, or as of ``at`` (microseconds).

        Raises:
            BadInputError: It is none.
            RefusedError: It did not hold.
        """
        issuer = await self._issuer(lent.load(self._parts.home.root))
        at = request.get("at", self._parts.scribe.now())
        if not isinstance(at, int):
            raise BadInputError("a time is a number of microseconds since 1970 UTC")
        said = issuer.verify(str(request.get("token", "")), audience=str(request.get("audience", "")), at=at)
        return {"sub": said.sub, "agent": said.agt.get("instance", ""), "acts_for": list(said.lineage), "id": said.jti}

    async def used(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Record what git says became of the token that it was lent: its host took it, or did not.

        Raises:
            BadInputError: It is none of ours.
            RefusedError: It is not the agent's in whose process tree this is said.
        """
        here = lent.load(self._parts.home.root)
        address = f"{request.get('protocol', '')}://{str(request.get('host', '')).lower()}"
        host = address.partition("://")[2]
        found = here.git.get(host)
        if found is None or not lent.is_safe(address):
            return {"known": False}
        issuer = await self._issuer(here)
        audience = found.audience or address
        said = issuer.verify(str(request.get("token", "")), audience=audience, at=self._parts.scribe.now())
        agent = agent_of(self._parts, peer)
        if agent is None or said.agt.get("instance") != agent.id:
            raise RefusedError("this was said outside the process tree of the agent whose credential it is")
        ok = request.get("ok") is True
        if (said.jti, ok) in self._told:
            return {"known": True}
        self._told[said.jti, ok] = None
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
        event = await self._lending.used(agent, service="git", id=said.jti, session=said.sub, where=host, ok=ok)
        return {"known": True, "event": event.n}

    async def _token(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        agent = self._caller(peer)
        audience, jkt = str(request.get("audience", "")), str(request.get("jkt", ""))
        asked = await self._lending.judge(agent, f"brokered:audience:{audience}"[:500])
        text, claims = await self._minted(asked, here, audience, jkt=jkt)
        return {
            "token": text,
            "expires": claims.exp,
            "subject": claims.sub,
            **await self._lent(asked, "token", text, claims),
        }

    async def _git(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        host = str(request.get("host", "")).lower()
        address = f"{request.get('protocol', '')}://{host}"
        found = here.git.get(host)
        if found is None or not lent.is_safe(address) or agent_of(self._parts, peer) is None:
            return {"known": False}  # Git goes on to its next helper, which for a person is their own.
        agent = self._caller(peer)
        asked = await self._lending.judge(agent, f"brokered:git:{host}")
        text, claims = await self._minted(asked, here, found.audience or address)
        told = await self._lent(asked, "git", text, claims)
        return {"known": True, "username": found.username, "password": text, "expires": claims.exp, **told}

    async def _aws(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        agent = self._caller(peer)
        name = str(request.get("name", ""))
        found = here.aws.get(name)
        if found is None:
            names = ", ".join(sorted(here.aws)) or "none"
            raise BadInputError(
                f"there is no aws credential {name[:64]!r} here; known are: {names}",
                fix=f"A person writes them into {lent.FILE} in Outrider's home.",
            )
        asked = await self._lending.judge(agent, f"brokered:aws:{name}")
        text, claims = await self._minted(asked, here, found.audience)
        try:
            got = await asyncio.to_thread(
                sts.assume, found.endpoint, found.role, session=agent.id, token=text, seconds=found.seconds
            )
        except OutriderError:
            await self._lending.closed(asked, ok=False)
            raise
        told = await self._lent(asked, "aws", text, claims, session=got.arn, expires=got.expires)
        keys = {"key_id": got.key_id, "secret": got.secret, "session_token": got.token}
        return {**keys, "expires": got.expires // _US, "session": got.arn, **told}

    async def _lent(
        self, asked: Asked, service: str, text: str, claims: Claims, *, session: str = "", expires: int = 0
    ) -> dict[str, Any]:
        """Record what was lent on the strength of a token, and return where."""
        event = await self._lending.issued(
            asked,
            service=service,
            audience=claims.aud,
            id=claims.jti,
            kid=read_header(text).kid,
            session=session or claims.sub,
            expires=expires or claims.exp * _US,
            jkt=claims.cnf.get("jkt", ""),
        )
        return {"agent": asked.agent.id, "event": event.n}

    async def _minted(self, asked: Asked, here: lent.Lent, audience: str, *, jkt: str = "") -> tuple[str, Claims]:
        """Return the token of an agent that was let have it, and what it says."""
        try:
            issuer = await self._issuer(here)
            above = tuple(self._parts.state.registry.lineage(asked.agent.id)[1:])
            return issuer.mint(asked.agent, above, audience=audience, now=self._parts.scribe.now(), jkt=jkt)
        except OutriderError:
            await self._lending.closed(asked, ok=False)
            raise

    async def _issuer(self, here: lent.Lent) -> Issuer:
        """Return the issuer as it stands now. A key that begins to sign is in the record before it signs."""
        scribe = self._parts.scribe
        ring = keyring(self._parts.home.keys / "issuer", now=scribe.now(), lasts=here.rotate_days * _DAY_US)
        domain = here.trust_domain or _own_domain(self._parts.ledger.origin)
        issuer = Issuer(here.issuer or f"https://{domain}", domain, ring.key, ring.history)
        if ring.fresh:
            jwk = ring.history[-1].jwk
            event = scribe.write(IssuerKey, issuer=issuer.url, kid=jwk.kid, x=jwk.x, y=jwk.y, seal=True)
            await scribe.durable(event)
        return issuer

    def _caller(self, peer: Peer) -> Agent:
        agent = agent_of(self._parts, peer)
        if agent is None or agent.ended:
            raise RefusedError(
                "this was not asked from inside the process tree of a living agent, and only they are lent credentials",
                fix="`outrider run` starts an agent.",
            )
        hit = stopped(agent, self._parts.state, self._parts.scribe.now())
        if hit is not None:
            raise RefusedError(f"{hit.reason}; {hit.advice}", rule=hit.rule)
        return agent


def _own_domain(origin: str) -> str:
    """Return a trust domain that is this record's own: ``outrider.local/ab12`` becomes ``ab12.outrider.local``."""
    return ".".join(reversed([part for part in origin.lower().split("/") if part]))
