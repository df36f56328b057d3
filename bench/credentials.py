"""What a credential costs to make and to check, beside a bare signature of the same kind."""

from __future__ import annotations

import time

from bench.measure import Row, spread, timed
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from outrider.errors import OutriderError
from outrider.identity.agent import Agent, Common
from outrider.identity.issuer import Issuer, Signing
from outrider.identity.jose import jwk_of

HOUR = 3_600_000_000
AUDIENCE = "https://vault.example"


def credentials(count: int) -> list[Row]:
    """Measure what an issuer does for a grandchild: make its credential, and check it."""
    now = time.time_ns() // 1000
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = Issuer("https://id.example", "id.example", key, (Signing(jwk=jwk_of(key.public_key()), since=now),))
    class_of = {"charter": "coder", "digest": "sha256:" + "d" * 64, "chain": (), "sponsor": "p_0"}
    known = {"root": "ag_0", "session": "s", "expires": now + HOUR, "born_n": 1, "born_ts": now}
    line = tuple(
        Agent(
            id=f"ag_{at}", parent=f"ag_{at - 1}" if at else "", **known,
            like=Common(depth=at, how="session", door="d", **class_of),
        )
        for at in (2, 1, 0)
    )  # fmt: skip
    text, _ = issuer.mint(line[0], line[1:], audience=AUDIENCE, now=now)
    bare = [timed(lambda: key.sign(text.encode(), ec.ECDSA(SHA256()))) for _ in range(count)]
    made = [timed(lambda: issuer.mint(line[0], line[1:], audience=AUDIENCE, now=now)) for _ in range(count)]
    checked, refused = [], 0
    for _ in range(count):
        began = time.perf_counter_ns()
        try:
            issuer.verify(text, audience=AUDIENCE, at=now)
        except OutriderError:
            refused += 1
        checked.append(time.perf_counter_ns() - began)
    signed = spread(bare)["p50"]
    rows = [
        Row("credential of a grandchild, made", "us", spread(made), "one bare signature", signed),
        Row("the same, checked", "us", spread(checked), "one bare signature", signed, wrong=refused),
    ]
    rows[1].notes = f"{refused} refused"
    return rows
