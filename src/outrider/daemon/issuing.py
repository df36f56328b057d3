"""The issuer on a running daemon: the key that signs now, and what anybody may know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.daemon import lent
from outrider.errors import BadInputError
from outrider.events.credential import IssuerKey
from outrider.identity.issuer import Issuer
from outrider.ledger.issuing import keyring

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer

_DAY_US = 24 * 3600 * 1_000_000


class Issuing:
    """Turns keys, and answers whoever wants to check a credential."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def issuer(self, here: lent.Lent) -> Issuer:
        """Return the issuer as it stands now. A key that begins to sign is in the record before it signs.

        Raises:
            RecordError: Its keys cannot be read or written.
        """
        scribe = self._parts.scribe
        ring = keyring(self._parts.home.keys / "issuer", now=scribe.now(), lasts=here.rotate_days * _DAY_US)
        domain = here.trust_domain or _own_domain(self._parts.ledger.origin)
        issuer = Issuer(here.issuer or f"https://{domain}", domain, ring.key, ring.history)
        if ring.fresh:
            jwk = ring.history[-1].jwk
            event = scribe.write(IssuerKey, issuer=issuer.url, kid=jwk.kid, x=jwk.x, y=jwk.y, seal=True)
            await scribe.durable(event)
        return issuer

    async def published(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Return what anybody may know of the issuer: its discovery document, its keys, and those of before."""
        issuer = await self.issuer(lent.load(self._parts.home.root))
        now = self._parts.scribe.now()
        return {"discovery": issuer.discovery(), "jwks": issuer.jwks(now), "history": issuer.past()}

    async def checked(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Say who a credential was issued to, and whether it held: now, or as of ``at`` (microseconds).

        Raises:
            BadInputError: It is none.
            RefusedError: It did not hold.
        """
        issuer = await self.issuer(lent.load(self._parts.home.root))
        at = request.get("at", self._parts.scribe.now())
        if not isinstance(at, int):
            raise BadInputError("a time is a number of microseconds since 1970 UTC")
        said = issuer.verify(str(request.get("token", "")), audience=str(request.get("audience", "")), at=at)
        return {
            "sub": said.sub,
            "agent": said.agt.get("instance", ""),
            "acts_for": list(said.lineage),
            "id": said.jti,
            "jkt": said.cnf.get("jkt", ""),
        }


def _own_domain(origin: str) -> str:
    """Return a trust domain that is this record's own: ``outrider.local/ab12`` becomes ``ab12.outrider.local``."""
    return ".".join(reversed([part for part in origin.lower().split("/") if part]))
