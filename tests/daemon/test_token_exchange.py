"""Credentials over HTTP on a real daemon: an agent's own socket, token exchange, and what checks credentials."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.daemon.house import until
from tests.identity.proofs import proof

from outrider.daemon.exchanging import GRANT, JWT
from outrider.events.credential import CredentialIssued, CredentialUsed, IssuerKey
from outrider.events.record import AgentBorn
from outrider.identity import jose
from outrider.identity.agent import Agent, Common
from outrider.identity.issuer import Issuer
from outrider.ledger.issuing import keyring

VAULT = "https://vault.example"
CHARTER = """
[charter]
name = "lender"
extends = "base"

[may]
read = ["repo/**"]
exec = ["*"]
prompt = ["*"]
opaque = "allow"
use_credential = ["brokered:audience:https://vault.example", "brokered:audience:http://127.0.0.1:*"]
"""
KEY = ec.generate_private_key(ec.SECP256R1())
JKT = jose.jwk_of(KEY.public_key()).kid

# Says over a UNIX socket what stands on stdin, and prints what is answered.
TALK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    sock.sendall(sys.stdin.buffer.read())
    while data := sock.recv(65536):
        sys.stdout.buffer.write(data)
"""

ROTATE = (
    "import os,sys;os.environ['OUTRIDER_HOME']=sys.argv[1];from outrider.cli import main;main(['credential','rotate'])"
)


class Place:
    """A house that serves its issuer on loopback, with one agent in it."""

    def __init__(self, house, port):
        self.house, self.port = house, port
        self.issuer = f"http://127.0.0.1:{port}"
        (house.home.charters / "lender.toml").write_text(CHARTER)
        house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "lender"\n')
        (house.home.root / "credentials.toml").write_text(
            f'trust_domain = "id.example"\nissuer = "{self.issuer}"\nserve = {port}\n'
        )
        house.start()
        until(self.listening)
        self.host, self.agent = self.born()

    def born(self):
        host = self.house.host()
        said = host.bash("git status")
        assert said.verdict == "silent", said.reason
        return host, self.house.events(AgentBorn)[-1].agent

    def listening(self):
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def asks(self, target, *, host=None, form=None, **headers):
        """What an agent is answered on a UNIX socket."""
        head, body = written(target, form, {"Host": "localhost", **headers})
        said = (host or self.host).run([sys.executable, "-c", TALK, str(self.house.home.socket)], head + body)[0]
        top, _, rest = said.out.partition("\r\n\r\n") if "\r\n\r\n" in said.out else said.out.partition("\n\n")
        return int(top.split(" ", 2)[1]), json.loads(rest)

    def token(self, audience, **headers):
        status, said = self.asks(f"/token?audience={urllib.parse.quote(audience)}", **headers)
        assert status == 200, said
        return said["access_token"]

    def calls(self, target, *, form=None, **headers):
        """What anybody is answered on loopback."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = urllib.parse.urlencode(form) if form is not None else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        line.request("GET" if form is None else "POST", target, body, {**kind, **headers})
        got = line.getresponse()
        found = got.status, json.loads(got.read())
        line.close()
        return found

    def exchanges(self, token, audience=VAULT, **headers):
        return self.calls("/token", form=asked(token, audience), **headers)

    def whose(self, token, audience=VAULT):
        return self.house.control(do="checked", token=token, audience=audience)


def asked(token, audience=VAULT):
    return {"grant_type": GRANT, "subject_token": token, "subject_token_type": JWT, "audience": audience}


def written(target, form, headers):
    body = urllib.parse.urlencode(form).encode() if form is not None else b""
    if form is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{'GET' if form is None else 'POST'} {target} HTTP/1.1\r\n{lines}\r\n".encode(), body


@pytest.fixture
def place(house):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    return Place(house, port)


def test_an_agent_gets_its_token_on_its_socket_and_the_record_names_it(place):
    status, said = place.asks(f"/token?audience={VAULT}")
    assert status == 200
    assert (said["token_type"], said["issued_token_type"]) == ("Bearer", JWT)
    assert 0 < said["expires_in"] <= 300
    assert place.whose(said["access_token"])["agent"] == place.agent
    [issued] = place.house.events(CredentialIssued)
    assert (issued.n, issued.agent, issued.session) == (said["event"], place.agent, said["subject"])


def test_what_is_not_the_charters_or_not_asked_as_it_is_is_refused_in_words(place):
    assert place.asks("/token?audience=https://other.example")[1]["error"] == "access_denied"
    assert place.asks("/token")[0] in {400, 403}
    assert place.asks(f"/token?audience={VAULT}&scope=all")[1]["error"] == "invalid_request"
    assert place.asks("/elsewhere")[0] == 404
    assert place.asks(f"/token?audience={VAULT}", Origin="https://page.example")[0] == 403
    assert place.house.events(CredentialIssued) == []


def test_on_loopback_nobody_is_an_agent_and_only_the_right_name_is_answered(place):
    assert place.calls(f"/token?audience={VAULT}")[0] == 404
    assert place.calls("/jwks.json", Host="rebound.example")[0] == 421
    assert place.calls("/jwks.json")[0] == 200
    assert place.calls("/token", form=asked("x"), Origin="https://page.example")[0] == 403


def test_who_follows_the_discovery_document_finds_the_keys_that_check_a_credential(place):
    text = place.token(VAULT)
    found = place.calls("/.well-known/openid-configuration")[1]
    assert found["issuer"] == place.issuer
    keys = place.calls(found["jwks_uri"].removeprefix(place.issuer))[1]["keys"]
    [key] = [one for one in keys if one["kid"] == jose.read_header(text).kid]
    assert jose.verified(text, jose.Jwk(x=key["x"], y=key["y"], kid=key["kid"]).public())["iss"] == place.issuer
    assert [one["kid"] for one in place.calls("/history.json")[1]["keys"]] == [key["kid"]]


def test_the_spiffe_package_believes_a_credential_by_the_keys_that_are_served(place):
    spiffe = pytest.importorskip("spiffe", reason="the spiffe package is not installed")
    keys = json.dumps(place.calls("/jwks.json")[1]).encode()
    bundle = spiffe.JwtBundle.parse(spiffe.TrustDomain("id.example"), keys)
    svid = spiffe.JwtSvid.parse_and_validate(place.token(VAULT), bundle, {VAULT})
    assert str(svid.spiffe_id) == f"spiffe://id.example/agent/lender/{place.agent}"


def test_a_token_for_the_issuer_buys_one_for_somebody_else_that_ends_no_later(place):
    mine = place.token(place.issuer)
    status, said = place.exchanges(mine)
    assert status == 200, said
    assert place.whose(said["access_token"])["agent"] == place.agent
    first, second = place.house.events(CredentialIssued)
    [used] = place.house.events(CredentialUsed)
    assert (used.agent, used.id, used.where, used.ok) == (place.agent, first.id, place.issuer, True)
    assert (second.audience, second.session) == (VAULT, used.session)
    assert second.expires <= first.expires


def test_a_token_buys_one_other_once(place):
    mine = place.token(place.issuer)
    assert place.exchanges(mine)[0] == 200
    assert place.exchanges(mine)[1]["error"] == "invalid_grant"
    assert place.exchanges(place.token(VAULT))[1]["error"] == "invalid_grant"  # It was made for somebody else.
    assert place.exchanges(place.exchanges(place.token(place.issuer))[1]["access_token"])[1]["error"] == "invalid_grant"


def test_an_exchange_is_refused_for_an_audience_that_the_charter_does_not_name(place):
    status, said = place.exchanges(place.token(place.issuer), "https://other.example")
    assert (status, said["error"]) == (400, "invalid_target")
    assert "https://other.example" in said["error_description"]
    assert [event.ok for event in place.house.events(CredentialUsed)] == [False]


@pytest.mark.parametrize("lever", ["quarantine", "revoke"])
def test_the_token_of_an_agent_that_a_lever_stops_buys_nothing(place, lever):
    mine = place.token(place.issuer)
    place.house.control(do="lever", lever=lever, kind="agent", value=place.agent, why="it leaked a key")
    status, said = place.exchanges(mine)
    assert (status, said["error"]) == (400, "invalid_grant")
    assert len(place.house.events(CredentialIssued)) == 1
    assert [event.ok for event in place.house.events(CredentialUsed)] == [False]


def test_a_token_from_before_the_daemons_start_buys_nothing_since_it_may_have_bought_one_before(place):
    mine = place.token(place.issuer)
    place.house.stop()
    until(lambda: int(time.time()) > place.house.events(CredentialIssued)[0].ts // 1_000_000)  # Tokens count seconds.
    place.house.start()
    until(place.listening)
    assert "older than the daemon" in place.exchanges(mine)[1]["error_description"]


def test_an_agent_does_not_exchange_the_token_of_another(place):
    mine = place.token(place.issuer)
    host, _ = place.born()
    status, said = place.asks("/token", host=host, form=asked(mine))
    assert (status, said["error"]) == (400, "invalid_grant")
    assert place.asks("/token", form=asked(mine))[0] == 200


def test_forms_that_are_no_exchange_are_refused_by_name(place):
    good = asked("a.b.c")
    for change, name in (
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"), ({"scope": "all"}, "invalid_request"),
        ({"actor_token": "a.b.c"}, "invalid_request"), ({"subject_token_type": "x"}, "invalid_request"),
        ({}, "invalid_grant"), ({"subject_token": ""}, "invalid_grant"),
    ):  # fmt: skip
        assert place.calls("/token", form={**good, **change})[1]["error"] == name
    assert place.house.events(CredentialIssued) == []


def shown(method, address, token="", key=KEY):
    return proof(key, method=method, address=address, at=int(time.time()), token=token)


def test_a_token_that_is_bound_to_a_key_buys_nothing_without_that_key(place):
    here, there = "http://localhost/token", f"{place.issuer}/token"
    mine = place.token(place.issuer, DPoP=shown("GET", here))
    assert place.whose(mine, place.issuer)["jkt"] == JKT
    other = ec.generate_private_key(ec.SECP256R1())
    for bad in ({}, {"DPoP": shown("POST", there, mine, other)}, {"DPoP": shown("POST", there)}, {"DPoP": "junk"}):
        assert place.exchanges(mine, **bad)[1]["error"] == "invalid_dpop_proof"
    status, said = place.exchanges(mine, DPoP=shown("POST", there, mine))
    assert (status, said["token_type"]) == (200, "DPoP")
    assert place.whose(said["access_token"])["jkt"] == JKT
    assert [event.jkt for event in place.house.events(CredentialIssued)] == [JKT, JKT]


def test_a_proof_is_taken_once(place):
    one = shown("GET", "http://localhost/token")
    place.token(VAULT, DPoP=one)
    status, said = place.asks(f"/token?audience={VAULT}", DPoP=one)
    assert (status, said["error"]) == (400, "invalid_dpop_proof")


def test_a_credential_holds_no_longer_here_than_its_agent_lives(place):
    text = place.token(VAULT)
    assert place.whose(text)["agent"] == place.agent
    [issued] = place.house.events(CredentialIssued)
    place.house.control(do="lever", lever="revoke", kind="agent", value=place.agent, why="it leaked a key")
    assert "had ended" in place.whose(text)["error"]
    assert place.house.control(do="checked", token=text, audience=VAULT, at=issued.ts + 1)["agent"] == place.agent


def test_the_credential_of_last_years_agent_holds_as_of_then_and_not_now(house):
    """The agent of an old record, its key turned since: what it showed then is still known to have been its own."""
    day = 24 * 3600 * 1_000_000
    then = time.time_ns() // 1000 - 400 * day
    ring = keyring(house.home.keys / "issuer", now=then, lasts=90 * day)
    keyring(house.home.keys / "issuer", now=then + 100 * day, lasts=90 * day)
    house.start()
    host = house.host()
    host.bash("git status")
    born = house.events(AgentBorn)[-1]
    like = Common(
        charter=born.charter, digest=born.digest, chain=born.chain, depth=0, sponsor=born.sponsor, how="session",
        door="d",
    )  # fmt: skip
    agent = Agent(
        id=born.agent, like=like, parent="", root=born.agent, session="s", expires=then + day, born_n=born.n,
        born_ts=then,
    )  # fmt: skip
    published = house.control(do="issuer")
    url = published["discovery"]["issuer"]
    issuer = Issuer(url, url.removeprefix("https://"), ring.key, ring.history)
    text, _ = issuer.mint(agent, (), audience=VAULT, now=then)
    at = then + 60 * 1_000_000
    assert house.control(do="checked", token=text, audience=VAULT, at=at)["agent"] == born.agent
    assert "did not hold then" in house.control(do="checked", token=text, audience=VAULT)["error"]
    kid = jose.read_header(text).kid
    assert kid not in [one["kid"] for one in published["jwks"]["keys"]]
    assert kid in [one["kid"] for one in published["history"]["keys"]]
    [key] = house.events(IssuerKey)
    assert key.kid == published["jwks"]["keys"][-1]["kid"] != kid


def test_a_person_lets_another_key_sign_and_an_agent_does_not(place):
    before = place.token(VAULT)
    said = place.host.run([sys.executable, "-c", ROTATE, str(place.house.home.root)])[0]
    assert said.code == 4
    assert "agents cannot change their guard" in said.err
    turned = place.house.control(do="rotate")
    after = place.token(VAULT)
    assert jose.read_header(after).kid == turned["kid"] != jose.read_header(before).kid
    assert place.whose(before)["agent"] == place.whose(after)["agent"] == place.agent
    assert [event.kid for event in place.house.events(IssuerKey)] == [
        jose.read_header(one).kid for one in (before, after)
    ]
    assert len(place.calls("/jwks.json")[1]["keys"]) == 2  # What the old one signed holds for five minutes.


def test_a_port_that_is_taken_is_said_and_ends_nothing(house):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        (house.home.root / "credentials.toml").write_text(f"serve = {port}\n")
        house.start()
        assert str(port) in until(lambda: house.status()["issuer_problem"])
