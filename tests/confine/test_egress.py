"""The proxy, asked over real sockets; and real commands that go through it."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from tests.daemon.house import until

from outrider.confine.egress import Egress, look_up, outside, target
from outrider.errors import BadInputError, RefusedError
from outrider.events.record import CallDecided, CallResult


class Asking:
    """Permits some hosts; keeps what it was asked and how it ended."""

    def __init__(self, *permitted):
        self.permitted = permitted
        self.asked = []
        self.ends = []

    async def ask(self, host, port, *, tls):
        self.asked.append((host, port, tls))
        if host not in self.permitted:
            raise RefusedError("the charter does not list it")
        return host

    async def over(self, call, *, ok):
        self.ends.append((call, ok))


async def server(seen):
    async def answer(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if b"/away " in seen[-1]:
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    one = await asyncio.start_server(answer, "127.0.0.1", 0)
    return one, one.sockets[0].getsockname()[1]


WORD = base64.b64encode(b"the-word:x").decode()


def through(asking, text, resolve=None, word=""):
    """Send a request to the proxy, ``PORT`` being that of a server; return the answer and what the server saw."""

    async def story():
        seen = []
        there, port = await server(seen)
        way = Egress(asking, resolve or look_up, word=word)
        proxy = await asyncio.start_server(way.serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*proxy.sockets[0].getsockname()[:2])
        writer.write(text.replace("PORT", str(port)).encode())
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        proxy.close()
        there.close()
        return said.decode(), seen

    return asyncio.run(story())


def test_a_permitted_host_is_reached_and_its_name_is_the_one_that_was_asked_about():
    asking = Asking("127.0.0.1")
    said, seen = through(asking, "GET http://127.0.0.1:PORT/a?b HTTP/1.1\r\nHost: other.example\r\nX: y\r\n\r\n")
    assert said.endswith("ok")
    assert seen[0].startswith(b"GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"other.example" not in seen[0]
    assert asking.ends == [("127.0.0.1", True)]


def test_a_tunnel_carries_what_is_said_in_it():
    said, seen = through(Asking("127.0.0.1"), "CONNECT 127.0.0.1:PORT HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    assert said.startswith("HTTP/1.1 200 Connection established")
    assert said.endswith("ok")
    assert seen == [b"GET / HTTP/1.1\r\n\r\n"]


def test_a_host_that_is_not_permitted_is_neither_looked_up_nor_reached():
    looked = []

    async def resolve(host, port):
        looked.append((host, port))
        return ["127.0.0.1"]

    said, seen = through(Asking(), "CONNECT evil.example:PORT HTTP/1.1\r\n\r\n", resolve)
    assert said.startswith("HTTP/1.1 403")
    assert "does not list it" in said
    assert (looked, seen) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        "", "Proxy-Authorization: Basic dGhlLXdvcg==", "Proxy-Authorization: Bearer the-word",
        "Proxy-Authorization: Basic !", f"Authorization: Basic {WORD}", f"Proxy-Authorization: Digest {WORD}",
    ],
)  # fmt: skip
def test_where_others_can_reach_the_proxy_who_does_not_say_its_word_gets_nothing(line):
    asking = Asking("127.0.0.1")
    line = f"{line}\r\n" if line else ""
    said, seen = through(asking, f"GET http://127.0.0.1:PORT/ HTTP/1.1\r\n{line}\r\n", word="the-word")
    assert said.startswith("HTTP/1.1 407"), said
    assert "\r\nProxy-Authenticate: Basic" in said
    assert (seen, asking.asked) == ([], [])


def test_who_says_the_word_of_the_proxy_is_answered_and_the_word_goes_no_further():
    line = f"proxy-authorization:  basic {WORD}"
    asked = f"GET http://127.0.0.1:PORT/ HTTP/1.1\r\n{line}\r\n\r\n"
    said, seen = through(Asking("127.0.0.1"), asked, word="the-word")
    assert said.endswith("ok")
    assert b"uthorization" not in seen[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1"])
def test_a_permitted_name_that_leads_inside_is_refused(address):
    async def resolve(host, port):
        return [address]

    asking = Asking("good.example")
    said, seen = through(asking, "CONNECT good.example:PORT HTTP/1.1\r\n\r\n", resolve)
    assert said.startswith("HTTP/1.1 403")
    assert seen == []
    assert asking.ends == [("good.example", False)]


class Lending(Asking):
    """Lends every host."""

    async def ask(self, host, port, *, tls):
        return ""


def test_a_lent_name_may_lead_to_a_private_network_and_not_to_this_machine_or_its_cloud(monkeypatch):
    tried = []

    async def connect(address, port, **_):
        tried.append(address)
        raise ConnectionRefusedError

    real = asyncio.open_connection
    monkeypatch.setattr(
        "outrider.confine.egress.asyncio.open_connection",
        lambda address, *rest, **more: (connect if address[:4] == "10.0" else real)(address, *rest, **more),
    )
    for address in ("10.0.0.8", "127.0.0.1", "169.254.169.254"):

        async def resolve(host, port, address=address):
            return [address]

        said, seen = through(Lending(), "CONNECT models.example:PORT HTTP/1.1\r\n\r\n", resolve)
        assert said.startswith("HTTP/1.1 502" if address == "10.0.0.8" else "HTTP/1.1 403"), said
        assert seen == []
    assert tried == ["10.0.0.8"]


@pytest.mark.parametrize("host", ["0x7f.1", "127.1", "2130706433", "0177.0.0.1"])
def test_an_address_that_is_written_as_a_name_is_treated_as_one(host):
    said, seen = through(Asking(host), f"CONNECT {host}:PORT HTTP/1.1\r\n\r\n")
    assert said.startswith(("HTTP/1.1 403", "HTTP/1.1 502"))
    assert seen == []


@pytest.mark.parametrize(
    "text",
    [
        "GET / HTTP/1.1\r\n\r\n", "HELLO\r\n\r\n", "CONNECT evil@good.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT good.example:0 HTTP/1.1\r\n\r\n", "CONNECT good.example:99999 HTTP/1.1\r\n\r\n",
        "GET http://a@good.example/ HTTP/1.1\r\n\r\n", "CONNECT [::1:443 HTTP/1.1\r\n\r\n",
        "GET https://good.example/ HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(text):
    asking = Asking("good.example")
    said, seen = through(asking, text)
    assert said.startswith("HTTP/1.1 400"), said
    assert (asking.asked, seen) == ([], [])


def test_hosts_are_read_in_one_form():
    assert target("Good.Example.:8443", 443) == ("good.example", 8443)
    assert target("[2001:DB8::1]", 443) == ("2001:db8::1", 443)
    assert outside("93.184.215.14")
    with pytest.raises(BadInputError):
        target("a b", 80)


GET = """
import os, sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except OSError as error:
    print("refused", getattr(error, "code", error), error.read().decode() if hasattr(error, "read") else "")
"""
WEB = """
[charter]
name = "web"
extends = "base"
[may]
read = ["repo/**", "@system", "@tmp"]
write = ["repo/**", "@tmp"]
exec = ["*"]
connect = ["127.0.0.1:PORT"]
"""


def test_a_command_reaches_the_hosts_of_its_charter_and_none_by_a_redirect_and_each_is_recorded(cell):
    async def story():
        seen = []
        there, port = await server(seen)
        (cell.home.charters / "web.toml").write_text(WEB.replace("PORT", str(port)))
        await asyncio.to_thread(until, lambda: "web" in cell.status()["charters"])
        script = "import os; os.environ.update(no_proxy='', NO_PROXY='')\n" + GET
        good = await asyncio.to_thread(cell.python, script, f"http://127.0.0.1:{port}/", charter="web")
        bad = await asyncio.to_thread(cell.python, script, f"http://127.0.0.1:{port}/away", charter="web")
        there.close()
        return good, bad, len(seen), port

    good, bad, reached, port = asyncio.run(story())
    assert (good.out.strip(), reached) == ("ok", 2), good
    assert bad.out.startswith("refused 403"), bad
    said = [(one.effects[0].value, one.decision.enforced) for one in cell.events(CallDecided)]
    here = f"127.0.0.1:{port}"
    assert said == [(here, "allow"), (here, "allow"), ("evil.example", "deny")]
    assert [one.ok for one in cell.events(CallResult)] == [True, True]


def test_a_lent_port_of_this_machine_is_there_inside_and_no_other_one(cell):
    async def story():
        seen = []
        there, port = await server(seen)
        script = "import os; os.environ.update(http_proxy='', HTTP_PROXY='')\n" + GET
        url = f"http://127.0.0.1:{port}/"
        lent = await asyncio.to_thread(cell.python, script, url, options=["--lend", f"127.0.0.1:{port}"])
        not_lent = await asyncio.to_thread(cell.python, script, url)
        there.close()
        return lent, not_lent, len(seen), port

    lent, not_lent, reached, port = asyncio.run(story())
    assert (lent.out.strip(), reached) == ("ok", 1), lent
    assert not_lent.out.startswith("refused"), not_lent
    assert [one.held.reaches for one in cell.births()] == [(f"127.0.0.1:{port}",), ()]


PAST = """
import socket, sys
where = ("127.0.0.1", int(sys.argv[1]))
one, other = socket.socket(), socket.socket()
for way in (lambda: one.connect(where), lambda: other.sendto(b"x", socket.MSG_FASTOPEN, where)):
    try:
        way()
        print("reached")
    except OSError as error:
        print("refused")
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", where)
    print("sent")
except OSError:
    print("refused")
"""


def test_a_port_of_this_machine_that_is_not_lent_is_reached_by_no_kind_of_opening(cell):
    async def story():
        there, port = await server([])
        done = await asyncio.to_thread(cell.python, PAST, str(port))
        there.close()
        return done

    done = asyncio.run(story())
    datagram = "sent" if cell.view == "own" else "refused"  # Its own loopback, on which nobody listens.
    assert done.out.split() == ["refused", "refused", datagram], done


def test_what_cannot_be_lent_starts_nothing_and_says_why(cell):
    (cell.home.charters / "poor.toml").write_text(
        '[charter]\nname = "poor"\nextends = "coder"\n[never]\nuse_credential = ["env:MODEL_*"]\n'
    )
    until(lambda: "poor" in cell.status()["charters"])
    wrong = {"models.example": "no host with a port", "169.254.169.254:80": "[never]", "env:MODEL_KEY": "[never]"}
    for host, why in wrong.items():
        done = cell.sh("echo ran", charter="poor", options=["--lend", host])
        assert (done.code != 0, done.out) == (True, "")
        assert why in done.err
    assert cell.births() == []


def test_an_agent_lends_nothing_to_what_it_starts(cell):
    launcher = cell.repo / "claude"  # By its name, a known agent host.
    launcher.write_bytes(Path(cell.launcher[0]).read_bytes())
    launcher.chmod(0o755)
    script = f"{launcher} --charter coder --lend 127.0.0.1:80 -- true; {launcher} --charter coder -- {launcher} --probe"
    done = cell.sh(script, ANTHROPIC_BASE_URL="http://collect.example")
    assert "an agent lends nothing" in done.err
    outer, inner = cell.births()
    assert (inner.parent, inner.attested.argv0, inner.held.reaches) == (outer.agent, "claude", ())
    assert not any(".claude" in one for one in inner.held.lent)
