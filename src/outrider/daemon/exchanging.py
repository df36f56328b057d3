"""Token exchange (RFC 8693): an agent's token for the issuer becomes one for somebody else, and for less time.

A token that was made for somebody else is not taken, so whoever was shown one can not go on with it. The token buys one
other, once, for an agent that lives and may have it: its charters are asked as if it had asked itself. What it buys
ends no later, and stays bound to the same key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.daemon import lent
from outrider.daemon.callers import agent_of
from outrider.errors import OutriderError, RefusedError
from outrider.identity.possession import Proof, Shown, prove

if TYPE_CHECKING:
    from outrider.daemon.brokering import Brokering
    from outrider.daemon.wiring import Parts
    from outrider.doors.token_http import Request
    from outrider.events.message import Peer
    from outrider.identity.issuer import Claims, Issuer

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
PATH = "/token"
_KNOWN = frozenset({"grant_type", "subject_token", "subject_token_type", "requested_token_type", "audience"})
_US = 1_000_000
_MOST_SPENT = 16_384


class RefusedExchangeError(RefusedError):
    """The exchange is refused; ``name`` is OAuth's word for why (RFC 6749, 5.2; RFC 8693, 2.2.2; RFC 9449, 5)."""

    def __init__(self, name: str, error: OutriderError | str) -> None:
        fix, rule = (error.fix, getattr(error, "rule", "")) if isinstance(error, OutriderError) else ("", "")
        super().__init__(str(error), fix=fix, rule=rule)
        self.name = name


class Exchanging:
    """Gives tokens over HTTP: to an agent by its process tree, to whoever shows its token by that."""

    def __init__(self, parts: Parts, broker: Brokering) -> None:
        self._parts = parts
        self._broker = broker
        self._shown = Shown()
        self._spent: dict[str, int] = {}
        self._since = parts.scribe.now()

    async def proved(self, request: Request, here: lent.Lent, token: str = "") -> str:
        """Return the thumbprint of the key that a request proves to hold; empty if it brings no proof.

        Raises:
            RefusedExchangeError: The proof does not hold for this request.
        """
        if not request.proof:
            return ""
        now = self._parts.scribe.now()
        issuer = await self._broker.issuing.issuer(here)
        addresses = (f"http://{request.host}{PATH}", f"{issuer.url}{PATH}")
        try:
            proof: Proof = prove(request.proof, method=request.method, addresses=addresses, now=now, token=token)
            self._shown.take(proof, now)
        except OutriderError as error:
            raise RefusedExchangeError("invalid_dpop_proof", error) from error
        return proof.jkt

    async def exchange(self, request: Request, peer: Peer) -> dict[str, Any]:
        """Return a token for the audience that a form names, on the strength of the token in it.

        From within an agent's process tree only that agent's own token is taken.

        Raises:
            RefusedExchangeError: It is refused.
        """
        said = request.said
        if said.get("grant_type") != GRANT:
            raise RefusedExchangeError("unsupported_grant_type", f"the only grant is {GRANT}")
        unknown = sorted(said.keys() - _KNOWN)
        if unknown or said.get("subject_token_type") != JWT or said.get("requested_token_type", JWT) != JWT:
            what = f"{unknown[0][:40]!r} is not taken" if unknown else f"both tokens are {JWT}"
            raise RefusedExchangeError("invalid_request", what)
        here = lent.load(self._parts.home.root)
        issuer = await self._broker.issuing.issuer(here)
        text = said.get("subject_token", "")
        claims = self._verified(issuer, text)
        asks = agent_of(self._parts, peer) if peer.pid else None
        if asks is not None and asks.id != claims.agt.get("instance"):
            raise RefusedExchangeError("invalid_grant", f"this token is not that of agent {asks.id}, which shows it")
        jkt = await self.proved(request, here, text)
        if claims.cnf and claims.cnf.get("jkt") != jkt:
            raise RefusedExchangeError(
                "invalid_dpop_proof", "the token is bound to a key that was not proved to be held"
            )
        return await self._bought(claims, here, said.get("audience", ""), jkt)

    async def _bought(self, claims: Claims, here: lent.Lent, audience: str, jkt: str) -> dict[str, Any]:
        """Return what a token buys that holds and is its holder's, and record that it was shown."""
        agent = self._parts.state.registry.by_id(str(claims.agt.get("instance", "")))
        if agent is None:
            raise RefusedExchangeError("invalid_grant", "nobody was born here whom this token speaks for")
        self._spend(claims)
        told = {"service": "token", "id": claims.jti, "session": claims.sub, "where": claims.aud}
        name = "invalid_grant"
        try:
            self._broker.check(agent)
            name = "invalid_target"
            got = await self._broker.granted(agent, here, audience, jkt=jkt, until=claims.exp)
        except OutriderError as error:
            await self._broker.lending.used(agent, ok=False, **told)
            raise RefusedExchangeError(name, error) from error
        await self._broker.lending.used(agent, ok=True, **told)
        return got

    def _verified(self, issuer: Issuer, text: str) -> Claims:
        now = self._parts.scribe.now()
        try:
            claims = issuer.verify(text, audience=issuer.url, at=now)
        except OutriderError as error:
            raise RefusedExchangeError("invalid_grant", error) from error
        if claims.iat < self._since // _US:
            raise RefusedExchangeError(
                "invalid_grant", "this token is older than the daemon, which cannot know whether it bought one before"
            )
        return claims

    def _spend(self, claims: Claims) -> None:
        if claims.jti in self._spent:
            raise RefusedExchangeError("invalid_grant", "this token was exchanged before; each buys one other, once")
        now = self._parts.scribe.now() // _US
        self._spent = {jti: until for jti, until in self._spent.items() if until >= now}
        if len(self._spent) >= _MOST_SPENT:
            raise RefusedExchangeError("temporarily_unavailable", "more tokens are exchanged than can be remembered")
        self._spent[claims.jti] = claims.exp
