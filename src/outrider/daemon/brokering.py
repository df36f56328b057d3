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
from outrider.gate.lending import Lending
from outrider.gate.standing import stopped
from outrider.identity.jose import read_header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from outrider.daemon.issuing import Issuing
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.gate.lending import Asked
    from outrider.identity.issuer import Claims
    from outrider.identity.registry import Agent

_US = 1_000_000
_MOST_TOLD = 4_096
"""Uses that are remembered, so that each is recorded once however often it is told."""


class Brokering:
    """Answers agents that need a credential."""

    def __init__(self, parts: Parts, issuing: Issuing) -> None:
        self._parts = parts
        self.issuing = issuing
        self.lending = Lending(
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
        issuer = await self.issuing.issuer(here)
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
        event = await self.lending.used(agent, service="git", id=said.jti, session=said.sub, where=host, ok=ok)
        return {"known": True, "event": event.n}

    async def _token(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        jkt = str(request.get("jkt", ""))
        return await self.granted(self.caller(peer), here, str(request.get("audience", "")), jkt=jkt)

    async def granted(
        self, agent: Agent, here: lent.Lent, audience: str, *, jkt: str = "", until: int = 0
    ) -> dict[str, Any]:
        """Return a token of an agent for an audience, if its charters let it have one.

        Args:
            agent: Whose it is; it lives and may act.
            here: What there is to be lent.
            audience: Whom the token is for.
            jkt: Thumbprint of the key that it is to be bound to, or empty.
            until: When it ends at the latest, seconds since 1970 UTC, or 0.

        Raises:
            BadInputError: There is no such audience or key.
            RefusedError: The agent may not have it, or nobody may: whoever holds the token that a role is taken on with
                could name the session as they like.
        """
        if audience in {role.audience for role in here.aws.values()}:
            raise RefusedError(
                f"a token for {audience} is shown by Outrider alone",
                fix="`outrider credential aws NAME` gives the keys of a role.",
                rule="use_credential",
            )
        asked = await self.lending.judge(agent, f"brokered:audience:{audience}"[:500])
        text, claims = await self._minted(asked, here, audience, jkt=jkt, until=until)
        told = await self._lent(asked, "token", text, claims)
        return {"token": text, "expires": claims.exp, "subject": claims.sub, "jkt": jkt, **told}

    async def _git(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        host = str(request.get("host", "")).lower()
        address = f"{request.get('protocol', '')}://{host}"
        found = here.git.get(host)
        if found is None or not lent.is_safe(address) or agent_of(self._parts, peer) is None:
            return {"known": False}  # Git goes on to its next helper, which for a person is their own.
        agent = self.caller(peer)
        asked = await self.lending.judge(agent, f"brokered:git:{host}")
        text, claims = await self._minted(asked, here, found.audience or address)
        told = await self._lent(asked, "git", text, claims)
        return {"known": True, "username": found.username, "password": text, "expires": claims.exp, **told}

    async def _aws(self, request: dict[str, Any], peer: Peer, here: lent.Lent) -> dict[str, Any]:
        agent = self.caller(peer)
        name = str(request.get("name", ""))
        found = here.aws.get(name)
        if found is None:
            names = ", ".join(sorted(here.aws)) or "none"
            raise BadInputError(
                f"there is no aws credential {name[:64]!r} here; known are: {names}",
                fix=f"A person writes them into {lent.FILE} in Outrider's home.",
            )
        asked = await self.lending.judge(agent, f"brokered:aws:{name}")
        text, claims = await self._minted(asked, here, found.audience)
        shown = {"service": "aws", "id": claims.jti, "where": lent.host_of(found.endpoint)}
        try:
            got = await asyncio.to_thread(
                sts.assume, found.endpoint, found.role, session=agent.id, token=text, seconds=found.seconds
            )
        except OutriderError:
            await self.lending.used(agent, ok=False, session=claims.sub, **shown)
            await self.lending.closed(asked, ok=False)
            raise
        await self.lending.used(agent, ok=True, session=got.arn, **shown)
        told = await self._lent(asked, "aws", text, claims, session=got.arn, expires=got.expires)
        keys = {"key_id": got.key_id, "secret": got.secret, "session_token": got.token}
        return {**keys, "expires": got.expires // _US, "session": got.arn, **told}

    async def _lent(
        self, asked: Asked, service: str, text: str, claims: Claims, *, session: str = "", expires: int = 0
    ) -> dict[str, Any]:
        """Record what was lent on the strength of a token, and return where."""
        event = await self.lending.issued(
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

    async def _minted(
        self, asked: Asked, here: lent.Lent, audience: str, *, jkt: str = "", until: int = 0
    ) -> tuple[str, Claims]:
        """Return the token of an agent that was let have it, and what it says."""
        try:
            issuer = await self.issuing.issuer(here)
            above = tuple(self._parts.state.registry.lineage(asked.agent.id)[1:])
            now = self._parts.scribe.now()
            return issuer.mint(asked.agent, above, audience=audience, now=now, jkt=jkt, until=until)
        except OutriderError:
            await self.lending.closed(asked, ok=False)
            raise

    def caller(self, peer: Peer) -> Agent:
        """Return the agent in whose process tree somebody asks.

        Raises:
            RefusedError: It is nobody's, or that agent may do nothing.
        """
        agent = agent_of(self._parts, peer)
        if agent is None:
            raise RefusedError(
                "this was not asked from inside the process tree of a living agent, and only they are lent credentials",
                fix="`outrider run` starts an agent.",
            )
        self.check(agent)
        return agent

    def check(self, agent: Agent) -> None:
        """Refuse an agent that has ended, or that may do nothing now.

        Raises:
            RefusedError: It may not.
        """
        if agent.ended:
            raise RefusedError(
                f"agent {agent.id} is not a living agent any more, and only they are lent credentials",
                fix="`outrider run` starts an agent.",
            )
        hit = stopped(agent, self._parts.state, self._parts.scribe.now())
        if hit is not None:
            raise RefusedError(f"{hit.reason}; {hit.advice}", rule=hit.rule)
