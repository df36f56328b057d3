"""Credentials on a real daemon: lent to those whose charter says so, recorded, short-lived, and named for the agent."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.daemon.house import SRC, until

from outrider.daemon.lent import parse
from outrider.errors import BadInputError
from outrider.events.codec import decode_beside
from outrider.events.credential import CredentialIssued, CredentialUsed, IssuerKey
from outrider.events.entities import guess
from outrider.events.record import AgentBorn, CallDecided, CallResult
from outrider.ledger.reader import Reader

ROLE = "arn:aws:iam::123456789012:role/deploy"
CHARTER = """
[charter]
name = "lender"
extends = "base"

[may]
read = ["repo/**"]
exec = ["*"]
prompt = ["*"]
opaque = "allow"
use_credential = ["brokered:aws:deploy", "brokered:git:git.example", "brokered:audience:https://vault.example"]
"""

ASKS = "import os,sys;os.environ['OUTRIDER_HOME']=sys.argv[1];from outrider.cli import main;main(sys.argv[2:])"


class Agent:
    """An agent under some charter, and what it runs from below its host."""

    def __init__(self, house):
        self.house, self.host = house, house.host()
        said = self.host.bash("git status")
        assert said.verdict == "silent", said.reason
        self.id = house.events(AgentBorn)[-1].agent

    def run(self, *words, stdin=""):
        argv = [sys.executable, "-c", ASKS, str(self.house.home.root), "credential", *words]
        return self.host.run(argv, stdin.encode())[0]


class Service(BaseHTTPRequestHandler):
    """A token service that answers what its test says, and keeps what it was asked."""

    answer = (200, b"", "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(dict(urllib.parse.parse_qsl(body)))
        code, body, location = self.answer
        self.send_response(code)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def service():
    """A token service on loopback, at ``url``."""
    handler = type("Handler", (Service,), {"asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        handler.url = f"http://127.0.0.1:{server.server_port}"
        yield handler
        server.shutdown()
        thread.join()


def lends(house, endpoint="https://sts.example", charter=CHARTER):
    """Set a house up to lend, and start it."""
    (house.home.charters / "lender.toml").write_text(charter)
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "lender"\n')
    (house.home.root / "credentials.toml").write_text(
        f'trust_domain = "id.example"\n[aws.deploy]\nrole = "{ROLE}"\nendpoint = "{endpoint}"\n'
        f'[aws.other]\nrole = "{ROLE}"\nendpoint = "{endpoint}"\n[git."git.example"]\nusername = "bot"\n'
    )
    house.start()
    return Agent(house)


def found_by(house, artefact):
    """Whom `outrider involved` names for what a log abroad holds."""
    done = subprocess.run(
        [sys.executable, "-m", "outrider", "involved", artefact, "--json"], check=True, capture_output=True, text=True,
        env={"OUTRIDER_HOME": str(house.home.root), "HOME": str(house.user), "PATH": os.environ["PATH"],
             "PYTHONPATH": str(SRC)},
    )  # fmt: skip
    return json.loads(done.stdout)["data"]["agents"]


@pytest.fixture
def agent(house):
    return lends(house)


def test_an_agent_is_lent_a_token_that_names_it_and_the_record_names_the_token_and_holds_no_secret(agent, house):
    said = agent.run("token", "--audience", "https://vault.example")
    text = said.out.strip()
    [issued] = house.events(CredentialIssued)
    assert (issued.agent, issued.service, issued.audience) == (agent.id, "token", "https://vault.example")
    assert issued.session == f"spiffe://id.example/agent/lender/{agent.id}"
    decided = next(event for event in house.events(CallDecided) if event.n == issued.intent)
    assert (decided.tool, decided.decision.enforced, decided.agent) == ("credential", "allow", agent.id)
    assert [event.ok for event in house.events(CallResult) if event.intent == issued.intent] == [True]
    got = house.control(do="checked", token=text, audience="https://vault.example")
    assert (got["agent"], got["id"]) == (agent.id, issued.id)
    on_disk = b"".join(path.read_bytes() for path in house.home.root.rglob("*") if path.is_file())
    assert text.rpartition(".")[2].encode() not in on_disk
    house.control(do="sync")
    [found] = found_by(house, issued.session)
    assert (found["agent"], found["confidence"]) == (agent.id, "value")
    assert f"used the credential {issued.session}" in found["why"]
    report = house.verify()
    assert report.ok, [str(one) for one in report.problems]


def test_a_program_asks_through_the_sdk(agent, house):
    code = (
        "import os,sys;os.environ['OUTRIDER_HOME']=sys.argv[1];"
        "from outrider import sdk;print(sdk.credential('https://vault.example', bind='k' * 43))"
    )
    said = agent.host.run([sys.executable, "-c", code, str(house.home.root)])[0]
    got = house.control(do="checked", token=said.out.strip(), audience="https://vault.example")
    assert (got["agent"], got["jkt"]) == (agent.id, "k" * 43)


def test_an_agent_whose_charter_does_not_say_so_gets_advice_instead(house):
    house.start()
    agent = Agent(house)
    said = agent.run("token", "--audience", "https://vault.example")
    assert said.code == 4
    assert not said.out
    assert "use_credential" in said.err or "credential" in said.err
    assert "Recorded as event" in said.err
    assert house.events(CredentialIssued) == []
    assert house.events(IssuerKey) == []


def test_a_charter_lends_what_it_names_and_nothing_beside(agent, house):
    assert agent.run("token", "--audience", "https://other.example").code == 4
    assert agent.run("aws", "other").code == 4
    assert "known are: deploy, other" in agent.run("aws", "nothing").err
    assert house.events(CredentialIssued) == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_what_a_charter_only_previews_or_allows_by_a_wildcard_is_not_lent(house, mode):
    """An agent that nobody gave a charter may use every credential of its own, and is lent none."""
    allowed = '"*"' if mode == "enforce" else '"other"'
    text = CHARTER[: CHARTER.index("use_credential")] + f"use_credential = [{allowed}]\n"
    (house.home.charters / "wide.toml").write_text(text.replace('"lender"', '"wide"'))
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "wide"\nmode = "{mode}"\n')
    house.start()
    said = Agent(house).run("token", "--audience", "https://vault.example")
    assert (said.code, said.out) == (4, "")
    assert "brokered:audience:https://vault.example" in said.err
    assert house.events(CallDecided)[-1].decision.enforced == "allow"
    assert house.events(CredentialIssued) == []


def test_a_child_is_lent_no_more_than_its_parent_left_it(house):
    agent = lends(house, charter=CHARTER + 'spawn = ["lender"]\n')
    asks = [
        sys.executable,
        "-c",
        ASKS,
        str(house.home.root),
        "credential",
        "token",
        "--audience",
        "https://vault.example",
    ]
    spawns = [sys.executable, "-c", ASKS, str(house.home.root), "spawn", "--charter", "lender"]
    for less in (["--no", "use_credential"], ["--only", "use_credential=brokered:git:git.example"]):
        said = agent.host.run([*spawns, *less, "--", *asks])[0]
        assert (said.code, said.out) == (4, ""), said.err
    assert house.events(CredentialIssued) == []
    said = agent.host.run([*spawns, "--no", "connect", "--", *asks])[0]
    [issued] = house.events(CredentialIssued)
    born = house.events(AgentBorn)[-1]
    assert (issued.agent, born.parent) == (born.agent, agent.id)
    got = house.control(do="checked", token=said.out.strip(), audience="https://vault.example", at=issued.ts)
    assert got["acts_for"][0].endswith(f"/agent/lender/{agent.id}")


def test_nobody_is_lent_anything_outside_an_agents_tree_or_in_quarantine(agent, house):
    answer = house.control(do="credential", service="token", audience="https://vault.example")
    assert "living agent" in answer["error"]
    house.control(do="lever", lever="quarantine", kind="agent", value=agent.id)
    assert "quarantine" in agent.run("token", "--audience", "https://vault.example").err
    assert house.events(CredentialIssued) == []


def test_an_agent_that_is_revoked_or_whose_time_is_over_is_lent_nothing_any_more(house):
    agent = lends(house, charter=CHARTER.replace('extends = "base"', 'extends = "base"\nttl = "3s"'))
    assert agent.run("token", "--audience", "https://vault.example").code == 0
    said = until(lambda: (one := agent.run("token", "--audience", "https://vault.example")).code == 4 and one)
    assert "living agent" in said.err or "life" in said.err
    other = Agent(house)
    house.control(do="lever", lever="revoke", kind="agent", value=other.id, why="it leaked a key")
    before = len(house.events(CredentialIssued))
    for words in (["token", "--audience", "https://vault.example"], ["aws", "deploy"]):
        assert other.run(*words).code == 4
    assert len(house.events(CredentialIssued)) == before


def test_no_agent_is_given_the_token_that_a_role_is_taken_on_with_whatever_its_charter_names(house):
    agent = lends(house, charter=CHARTER.replace("https://vault.example", "sts.amazonaws.com"))
    said = agent.run("token", "--audience", "sts.amazonaws.com")
    assert said.code == 4
    assert "by Outrider alone" in said.err
    assert house.events(CredentialIssued) == []


def test_git_is_answered_for_the_hosts_that_are_lent_and_asks_its_next_helper_for_others(agent, house):
    said = agent.run("get", stdin="protocol=https\nhost=git.example\n\n").out
    lines = dict(line.split("=", 1) for line in said.splitlines())
    assert lines["username"] == "bot"
    assert house.control(do="checked", token=lines["password"], audience="https://git.example")["agent"] == agent.id
    assert int(lines["password_expiry_utc"]) * 1_000_000 == house.events(CredentialIssued)[0].expires
    for other in ("protocol=https\nhost=elsewhere.example\n\n", "protocol=http\nhost=git.example\n\n", "nonsense"):
        said = agent.run("get", stdin=other)
        assert (said.code, said.out) == (0, "")
    assert [agent.run(verb, stdin="x").code for verb in ("store", "erase")] == [0, 0]


class Git:
    """A host of repositories that believes a password only if the issuer vouches for it."""

    def __init__(self, house):
        bare = house.top / "served" / "app.git"
        run_git("init", "-q", "--bare", "-b", "main", bare)
        work = house.top / "seed"
        run_git("init", "-q", "-b", "main", work)
        run_git(
            "-C", work, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "--allow-empty", "-m", "x"
        )
        run_git("-C", work, "push", "-q", bare, "main")
        run_git("-C", bare, "update-server-info")
        self.believes = True
        self.seen = seen = []

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(handler):  # noqa: N805 - the house is this class's
                if not self.lets_in(house, handler.headers.get("Authorization", "")):
                    handler.send_response(401)
                    handler.send_header("WWW-Authenticate", 'Basic realm="git"')
                    handler.send_header("Content-Length", "0")
                    handler.end_headers()
                    return
                super(Handler, handler).do_GET()

            def log_message(self, *args):
                seen.append(args)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(bare.parent)))
        self.host = f"127.0.0.1:{self.server.server_port}"

    def lets_in(self, house, offered):
        if not offered.startswith("Basic "):
            return False
        name, _, password = base64.b64decode(offered[6:]).decode().partition(":")
        said = house.control(do="checked", token=password, audience=f"http://{self.host}")
        return self.believes and name == "bot" and "agent" in said


def run_git(*words):
    subprocess.run(["git", *map(str, words)], check=True, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})


@pytest.fixture
def git(house):
    """A real host of repositories on loopback that asks for a password."""
    host = Git(house)
    thread = threading.Thread(target=host.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield host
    host.server.shutdown()
    thread.join()
    host.server.server_close()


def asks_git(house, host, git):
    """What a real git says that knows nobody but Outrider."""
    helper = f"!{sys.executable} -m outrider credential"
    return host.run(
        ["env", f"OUTRIDER_HOME={house.home.root}", "GIT_TERMINAL_PROMPT=0", "git", "-c", "credential.helper=",
         "-c", f"credential.helper={helper}", "ls-remote", f"http://{git.host}/app.git"]
    )[0]  # fmt: skip


def test_a_real_git_is_let_in_by_a_host_that_asks_for_a_password_and_the_record_says_so(house, git):
    charter = CHARTER.replace("brokered:git:git.example", f"brokered:git:{git.host}")
    agent = lends(house, charter=charter)
    path = house.home.root / "credentials.toml"
    path.write_text(path.read_text() + f'[git."{git.host}"]\nusername = "bot"\n')
    said = asks_git(house, agent.host, git)
    assert said.code == 0, said.err
    assert said.out.endswith("refs/heads/main\n")
    [issued] = house.events(CredentialIssued)
    [used] = house.events(CredentialUsed)
    assert (used.agent, used.id, used.session) == (agent.id, issued.id, issued.session)
    assert (used.where, used.ok) == (git.host, True)
    git.believes = False
    assert asks_git(house, agent.host, git).code != 0
    assert [event.ok for event in house.events(CredentialUsed)] == [True, False]


def test_a_person_who_uses_git_is_not_kept_from_their_own_helpers(house, git):
    lends(house, charter=CHARTER.replace("brokered:git:git.example", f"brokered:git:{git.host}"))
    path = house.home.root / "credentials.toml"
    path.write_text(path.read_text() + f'[git."{git.host}"]\nusername = "bot"\n')
    assert house.control(do="credential", service="git", protocol="http", host=git.host) == {"known": False}
    assert house.events(CredentialIssued) == []


def test_nobody_says_of_another_agents_credential_that_it_was_used(agent, house):
    said = agent.run("get", stdin="protocol=https\nhost=git.example\n\n").out
    password = dict(line.split("=", 1) for line in said.splitlines())["password"]
    told = f"protocol=https\nhost=git.example\nusername=bot\npassword={password}\n\n"
    other = Agent(house)
    for text in (told, told.replace(password, "a-persons-own"), told.replace("git.example", "else.example")):
        assert other.run("store", stdin=text).code == 0
    assert house.events(CredentialUsed) == []
    for _ in range(2):
        agent.run("store", stdin=told)
    assert len(house.events(CredentialUsed)) == 1


def test_git_is_told_to_stop_where_the_charter_says_no(agent, house):
    path = house.home.root / "credentials.toml"
    path.write_text(path.read_text() + '[git."other.example"]\n')
    said = agent.run("get", stdin="protocol=https\nhost=other.example\n\n")
    assert said.out == "quit=1\n"
    assert "Recorded as event" in said.err


def test_aws_keys_come_from_a_real_token_service_and_its_session_is_named_for_the_agent(house):
    server = pytest.importorskip("moto.server", reason="moto with its server is not installed")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    moto = server.ThreadedMotoServer("127.0.0.1", 0)
    moto.start()
    try:
        endpoint = f"http://127.0.0.1:{moto.get_host_and_port()[1]}"
        agent = lends(house, endpoint)
        keys = json.loads(agent.run("aws", "deploy").out)
        assert keys["Version"] == 1
        [issued] = house.events(CredentialIssued)
        assert issued.session == f"arn:aws:sts::123456789012:assumed-role/deploy/{agent.id}"
        [used] = house.events(CredentialUsed)
        assert (used.id, used.session, used.ok) == (issued.id, issued.session, True)
        beside = [decode_beside(entry.beside) for entry in Reader(house.home.record).entries(issued.n, issued.n + 1)]
        assert ("credential", issued.session) in guess(issued.session)
        assert [one.value for one in beside[0].entities] == [issued.session]
        client = boto3.client(
            "sts", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
        )  # fmt: skip
        assert client.get_caller_identity()["Arn"].endswith(agent.id)
        assert [one["agent"] for one in found_by(house, issued.session)] == [agent.id]
        on_disk = b"".join(path.read_bytes() for path in house.home.root.rglob("*") if path.is_file())
        assert keys["SecretAccessKey"].encode() not in on_disk
        assert keys["SessionToken"].encode() not in on_disk
    finally:
        moto.stop()


def test_amazons_own_client_asks_by_itself_and_is_believed_abroad(house):
    """As in ~/.aws/config: ``credential_process``, whose answer the client reads strictly."""
    server = pytest.importorskip("moto.server", reason="moto with its server is not installed")
    pytest.importorskip("boto3", reason="boto3 is not installed")
    moto = server.ThreadedMotoServer("127.0.0.1", 0)
    moto.start()
    try:
        endpoint = f"http://127.0.0.1:{moto.get_host_and_port()[1]}"
        agent = lends(house, endpoint)
        config = house.top / "aws"
        process = f"env OUTRIDER_HOME={house.home.root} {sys.executable} -m outrider credential aws deploy"
        config.write_text(f"[default]\nregion = us-east-1\ncredential_process = {process}\n")
        code = (
            "import os,sys;os.environ['AWS_CONFIG_FILE']=sys.argv[1];import boto3;"
            "print(boto3.client('sts', endpoint_url=sys.argv[2]).get_caller_identity()['Arn'])"
        )
        said = agent.host.run([sys.executable, "-c", code, str(config), endpoint])[0]
        assert said.out.strip().endswith(f"assumed-role/deploy/{agent.id}"), said.err
        sessions = {(event.service, event.session.rpartition("/")[2]) for event in house.events(CredentialIssued)}
        assert sessions == {("aws", agent.id)}
    finally:
        moto.stop()


def test_the_token_that_a_service_is_shown_is_the_agents_own_and_the_agent_never_sees_it(house, service):
    agent = lends(house, service.url)
    service.answer = (403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", "")
    said = agent.run("aws", "deploy")
    assert said.code == 4
    assert "AccessDenied" in said.err
    [asked] = service.asked
    assert asked["RoleSessionName"] == agent.id
    token = asked["WebIdentityToken"]
    assert house.control(do="checked", token=token, audience="sts.amazonaws.com")["agent"] == agent.id
    assert token not in said.out + said.err
    assert house.events(CredentialIssued) == []
    assert [(event.agent, event.ok) for event in house.events(CredentialUsed)] == [(agent.id, False)]
    assert [event.ok for event in house.events(CallResult) if event.n > house.events(IssuerKey)[0].n] == [False]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, b"not xml", ""), 7),
        ((200, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", ""), 7),
        ((200, b"x" * 70_000, ""), 7),
        ((307, b"", "http://127.0.0.1:1/elsewhere"), 7),
        ((500, b"", ""), 7),
    ],
)
def test_a_service_that_answers_nonsense_lends_nothing(house, service, answer, code):
    agent = lends(house, service.url)
    service.answer = answer
    said = agent.run("aws", "deploy")
    assert (said.code, said.out) == (code, "")
    assert len(service.asked) == 1
    assert house.events(CredentialIssued) == []


def test_the_key_that_signs_is_in_the_record_and_is_what_verifiers_are_given(agent, house):
    agent.run("token", "--audience", "https://vault.example")
    agent.run("token", "--audience", "https://vault.example")
    [key] = house.events(IssuerKey)
    given = house.control(do="issuer")
    assert [(one["kid"], one["x"], one["y"]) for one in given["jwks"]["keys"]] == [(key.kid, key.x, key.y)]
    assert given["discovery"]["issuer"] == key.issuer == "https://id.example"
    assert {event.kid for event in house.events(CredentialIssued)} == {key.kid}


def test_a_file_that_makes_no_sense_lends_nothing_and_says_why(agent, house):
    (house.home.root / "credentials.toml").write_text('[aws.deploy]\nrole = "x"\nendpoint = "https://sts.example"\n')
    said = agent.run("token", "--audience", "https://vault.example")
    assert said.code == 2
    assert "aws.deploy" in said.err


@pytest.mark.parametrize(
    "text",
    [
        "rotate_days = 0", 'issuer = "http://id.example"', 'issuer = "https://id.example/"', "typo = 1", "not toml",
        f'[aws.a]\nrole = "{ROLE}"\nendpoint = "http://sts.example"', '[aws.a]\nrole = "r"\nendpoint = "https://a"',
        f'[aws.a]\nrole = "{ROLE}"\nendpoint = "https://a"\nseconds = 60', '[git."a b"]', '[git.a]\nusername = "a\\nb"',
        f'[aws.a]\nrole = "{ROLE}"\nendpoint = "http://127.0.0.1.sts.example"',
        f'[aws.a]\nrole = "{ROLE}"\nendpoint = "file:///etc/passwd"',
    ],
)  # fmt: skip
def test_what_may_be_lent_is_read_strictly(text):
    with pytest.raises(BadInputError):
        parse(text.encode())
