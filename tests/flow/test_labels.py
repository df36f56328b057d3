import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.events.call import Effect, Finding
from outrider.flow.labels import brings, result_brings
from outrider.flow.stores import is_secret_store, reads_secret_store


def effect(verb, kind, value, *flags, resolved="", span=(0, 0)):
    return Effect(verb=verb, kind=kind, value=value, flags=flags, resolved=resolved, start=span[0], end=span[1])


def finding(rule, severity="high", confidence="high"):
    return Finding(rule=rule, severity=severity, confidence=confidence, where="x", message="m", advice="a")


@pytest.mark.parametrize(
    "path",
    [
        "/home/u/.ssh/id_rsa", "~/.ssh/id_ed25519", "/root/.ssh/deploy", "/home/u/.aws/credentials", "/r/.env",
        "/r/app/.env.production", "/r/.env.local", "/r/server.key", "/r/certs/server.pem", "/home/u/.netrc",
        "/home/u/.npmrc", "/home/u/.pypirc", "/home/u/.git-credentials", "/home/u/.kube/config",
        "/home/u/.config/gcloud/application_default_credentials.json", "/home/u/.docker/config.json", "/etc/shadow",
        "/home/u/.local/share/keyrings/login.keyring", "/home/u/.bitcoin/wallet.dat", "/proc/self/environ",
        "/proc/123/environ", "/home/u/.config/gh/hosts.yml", "/run/secrets/db_password", "/r/terraform.tfstate",
        "/home/u/.claude/.credentials.json", "/home/u/.pgpass", "/home/u/.cargo/credentials.toml", "/r/prod.env",
        "/etc/ssl/private/site.key", "/home/u/.gnupg/private-keys-v1.d/A.key", "/home/u/.vault-token",
        "/home/u/.mozilla/firefox/x.default/logins.json", "/r/service-account.json", "/etc/ssh/ssh_host_rsa_key",
    ],
)  # fmt: skip
def test_a_file_kept_for_its_secrets_is_a_store(path):
    assert is_secret_store(path)


@pytest.mark.parametrize(
    "path",
    [
        "/home/u/.ssh/id_rsa.pub", "/home/u/.ssh/known_hosts", "/home/u/.ssh/config", "/home/u/.ssh/authorized_keys",
        "/home/u/.aws/config", "/r/.env.example", "/r/.env.sample", "/r/.env.template", "/r/tests/fixtures/server.key",
        "/r/testdata/id_rsa", "/etc/ssl/certs/ca.pem", "/usr/lib/python3/site-packages/certifi/cacert.pem",
        "/r/src/env.py", "/r/src/secrets.py", "/etc/passwd", "/r/keyboard.key.txt", "/r/README.md", "/proc/cpuinfo",
        "/r/environment.yml", "/r/docs/credentials.md", "/home/u/.config/git/config", "/r/ca.pem", "/r/package.json",
    ],
)  # fmt: skip
def test_a_file_that_only_looks_like_a_store_is_none(path):
    assert not is_secret_store(path)


@pytest.mark.parametrize(
    ("path", "tree"),
    [
        ("/home/u/.ssh", True), ("/home/u", True), ("~", True), ("/", True), ("/home/u/.ssh/*", False),
        ("/home/u/.ssh/id_*", False), ("/r/.en?", False), ("/r/*.pem", False), ("/home/u/.aws/*", False),
        ("/home/u/.aws/", True),
    ],
)  # fmt: skip
def test_a_tree_or_a_pattern_that_takes_a_store_in_reads_one(path, tree):
    assert reads_secret_store(path, whole_tree=tree)


@pytest.mark.parametrize(("path", "tree"), [("/r", True), ("/r/src/*.py", False), ("/home/u", False), ("/r/*", False)])
def test_other_trees_and_patterns_do_not(path, tree):
    assert not reads_secret_store(path, whole_tree=tree)


def test_reading_a_store_as_written_or_as_resolved_brings_secret():
    assert brings([effect("read", "path", "/r/x")], []) == frozenset()
    assert brings([effect("read", "path", "/r/x", resolved="/home/u/.ssh/id_rsa")], []) == {"secret"}
    assert brings([effect("write", "path", "/home/u/.ssh/id_rsa")], []) == frozenset()
    assert brings([effect("read", "credential", "aws")], []) == {"secret"}


def test_asking_another_host_or_a_server_brings_untrusted():
    assert brings([effect("connect", "host", "x.example")], []) == {"untrusted"}
    assert brings([effect("call", "tool", "mcp:github/get_issue")], []) == {"untrusted"}
    for local in ("localhost:8000", "127.0.0.1", "[::1]:80", "http://localhost/x", "0x7f.1"):
        assert brings([effect("connect", "host", local)], []) == frozenset()
    assert brings([effect("connect", "host", "localhost.evil.example")], []) == {"untrusted"}


def test_the_connection_of_an_installer_or_a_push_is_no_content():
    install = effect("install", "package", "pypi:x", span=(0, 9))
    assert brings([install, effect("connect", "host", "files.example", span=(0, 9))], []) == frozenset()
    assert brings([install, effect("connect", "host", "evil.example", span=(12, 30))], []) == {"untrusted"}


def test_a_credential_brings_secret_unless_it_is_lent_to_a_program():
    assert brings([effect("use_credential", "credential", "gh:token")], ()) == {"secret"}
    assert brings([effect("use_credential", "credential", "brokered:aws:deploy", "lent")], ()) == set()


def test_findings_bring_labels_when_they_are_more_than_a_guess():
    assert brings([], [finding("secret.jwt")]) == {"secret"}
    assert brings([], [finding("secret.jwt", confidence="low")]) == frozenset()
    assert brings([], [finding("secret.stripe-test-key", severity="low")]) == frozenset()
    assert result_brings("read", [finding("content.fake-turn", "medium", "medium")]) == {"untrusted"}


@pytest.mark.parametrize(
    ("tool", "labels"),
    [("fetch", {"untrusted"}), ("websearch", {"untrusted"}), ("mcp", {"untrusted"}), ("read", set()), ("shell", set())],
)
def test_what_comes_from_outside_is_untrusted(tool, labels):
    assert result_brings(tool, []) == labels


@given(st.text(max_size=120), st.booleans())
def test_any_path_can_be_asked_about(path, tree):
    assert reads_secret_store(path, whole_tree=tree) in (True, False)


@pytest.mark.parametrize("tool", ["mcp:box/get_env", "mcp:vault/read_secret", "mcp:x/getEnvironmentVariables"])
def test_a_tool_that_hands_out_secrets_brings_one(tool):
    assert "secret" in brings([Effect(verb="call", kind="tool", value=tool)], [])


@pytest.mark.parametrize("tool", ["mcp:box/get_environment_report_page", "mcp:git/get_issue", "mcp:x/set_env"])
def test_other_tools_do_not(tool):
    assert "secret" not in brings([Effect(verb="call", kind="tool", value=tool)], [])
