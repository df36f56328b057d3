"""The issuer on a running daemon: the key that signs now, and what anybody may know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.daemon import lent
from outrider.daemon.callers import person
from outrider.errors import BadInputError, RefusedError
from outrider.events.credential import IssuerKey
from outrider.gate.standing import stopped
from outrider.identity.issuer import Issuer
from outrider.identity.jose import jwk_of
from outrider.ledger.issuing import Keyring, keyring, told, turn

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer

_DAY_US = 24 * 3600 * 1_000_000
_RULE = "identity.credential"


class Issuing:
    """Turns keys, and answers whoever wants to check a credential."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._told: set[str] = set()

    async def issuer(self, here: lent.Lent) -> Issuer:
        """Return the issuer as it stands now. A key that begins to sign is in the record before it signs.

        Raises:
            RecordError: Its keys cannot be read or written.
        """
        directory, now = self._parts.home.keys / "issuer", self._parts.scribe.now()
        return await self._recorded(here, keyring(directory, now=now, lasts=here.rotate_days * _DAY_US))

    async def rotate(self, _request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Let another key sign at once, because a person says so.

        Raises:
            RefusedError: It is asked from within an agent's process tree.
        """
        person(self._parts, peer)
        here = lent.load(self._parts.home.root)
        directory = self._parts.home.keys / "issuer"
        issuer = await self._recorded(here, turn(directory, now=self._parts.scribe.now()))
        return {"issuer": issuer.url, "kid": issuer.kid}

    async def _recorded(self, here: lent.Lent, ring: Keyring) -> Issuer:
        scribe = self._parts.scribe
        domain = here.trust_domain or _own_domain(self._parts.ledger.origin)
        issuer = Issuer(here.issuer or f"https://{domain}", domain, ring.key, ring.history)
        if ring.fresh and issuer.kid not in self._told:
            self._told.add(issuer.kid)
            jwk = jwk_of(ring.key.public_key())
            event = scribe.write(IssuerKey, issuer=issuer.url, kid=jwk.kid, x=jwk.x, y=jwk.y, seal=True)
            await scribe.durable(event)
            told(self._parts.home.keys / "issuer", jwk.kid)
        return issuer

    async def published(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Return what anybody may know of the issuer: its discovery document, its keys, and those of before."""
        issuer = await self.issuer(lent.load(self._parts.home.root))
        now = self._parts.scribe.now()
        return {"discovery": issuer.discovery(), "jwks": issuer.jwks(now), "history": issuer.past()}

    async def checked(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Say who a credential was issued to, and whether it held: now, or as of ``at`` (microseconds).

        Here it holds no longer than its agent lives. Who has only the keys cannot know that, and waits for its end.

        Raises:
            BadInputError: It is none.
            RefusedError: It did not hold.
        """
        issuer = await self.issuer(lent.load(self._parts.home.root))
        at = request.get("at", self._parts.scribe.now())
        if not isinstance(at, int):
            raise BadInputError("a time is a number of microseconds since 1970 UTC")
        said = issuer.verify(str(request.get("token", "")), audience=str(request.get("audience", "")), at=at)
        self._lived(str(said.agt.get("instance", "")), at, now="at" not in request)
        return {
            "sub": said.sub,
            "agent": said.agt.get("instance", ""),
            "acts_for": list(said.lineage),
            "id": said.jti,
            "jkt": said.cnf.get("jkt", ""),
        }

    def _lived(self, identifier: str, at: int, *, now: bool) -> None:
        """Refuse the credential of an agent that had ended, or that a lever stops now."""
        agent = self._parts.state.registry.by_id(identifier)
        if agent is None:
            raise RefusedError("nobody was born here whom this credential speaks for", rule=_RULE)
        if agent.ended and agent.ended_ts <= at:
            raise RefusedError(f"its agent had ended by then ({agent.ended})", rule=_RULE)
        hit = stopped(agent, self._parts.state, at) if now else None
        if hit is not None:
            raise RefusedError(f"its agent may do nothing: {hit.reason}", rule=hit.rule)


def _own_domain(origin: str) -> str:
    """Return a trust domain that is this record's own: ``outrider.local/ab12`` becomes ``ab12.outrider.local``."""
    return ".".join(reversed([part for part in origin.lower().split("/") if part]))
