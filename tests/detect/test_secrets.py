import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.rules import load
from outrider.detect.secrets import MAX_FINDINGS, best, find, secrets
from outrider.detect.vectors import fill

KEY = b"k" * 32
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "secrets" / "fake-leaks.jsonl"


def token(seed="x", template="{github:ghp_}"):
    return fill(template, seed)


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
        "export GITHUB_TOKEN=ghp_" + "x" * 36,
        "token: ghp_" + "ab" * 18,
        "password = os.environ['DB_PASSWORD']",
        'password: "${DB_PASSWORD}"',
        "api_key = <your-api-key-goes-here>",
        "API_KEY={{ lookup('env', 'API_KEY') }}",
        'secret_key = "changeme-changeme-1"',
        "https://user:password@localhost/x",
        "https://user:$PASS@git.example.test/x",
        "postgres://postgres:postgres@localhost:5432/app",
        "def login(user, password=None, token=None):",
        "token = get_token_from_store(request.headers)",
        "max_tokens = 4096",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
        'token_url = "https://auth.example.com/oauth2/v1/token"',
        "secretKeyRef:\n  name: app-secrets\n  key: api-token-1",
        "password = getpass.getpass('Password: ')",
        "if password != other.password2: raise ValueError",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "git checkout 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "integrity sha512-" + "A1b2" * 21 + "==",
        "uuid = 123e4567-e89b-12d3-a456-426614174000",
        "-----BEGIN PUBLIC KEY-----\n" + "Ab1+" * 40,
        "redis://cache:6379/0",
        "git@github.com:owner/repo.git",
        "npm config set //registry.example.test/:_authToken ${NPM_TOKEN}",
        "print('password: ' + password)",
        "def sign(document, private_key: Ed25519PrivateKey) -> bytes:",
        "case *rsa.PrivateKey, *ecdsa.PrivateKey, newMLKEMPrivateKey768:",
        "token = '(?:AKIA|ASIA)[A-Z2-7]{16}'",
        "report(collector.id, 'passed', longrepr=None)",
        "// cmd/9l/noop.c, cmd/9l/pass.c, cmd/9l/span.c",
        "authorization = authorization.split",
    ],
)
def test_ordinary_text_holds_no_secret(text):
    assert [hit.rule.id for hit in best(find(text)) if hit.confidence != "low"] == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("DB_PASSWORD=" + token(template="{an:8}!x{an:8}"), "secret.generic-password"),
        ('{"password": "' + token(template="{an:8}!x{an:8}") + '"}', "secret.generic-password"),
        ("curl -H 'Authorization: Bearer " + token(template="{an:40}") + "'", "secret.bearer-header"),
        ("git clone https://ci:" + token(template="{an:20}") + "@git.example.test/x", "secret.url-password"),
        ("mysql://root:" + token(template="{an:6}%40{an:6}") + "@db.internal/app", "secret.url-password"),
        ("export MY_SERVICE_API_KEY=" + token(template="{an:40}"), "secret.generic-secret"),
    ],
)
def test_a_secret_in_its_place_is_found(text, rule):
    assert rule in {hit.rule.id for hit in best(find(text))}


def test_a_doubtful_name_a_doubtful_line_and_a_test_file_lower_the_confidence():
    value = token()
    assert find(value)[0].confidence == "high"
    assert find(f"mock_token = {value}")[0].confidence == "low"
    assert find(f"{value}  # for example")[0].confidence == "low"
    assert find(value, path="/r/tests/test_x.py")[0].confidence == "medium"
    assert find(value, path="/r/dummy.key")[0].confidence == "low"


def test_a_finding_never_holds_the_secret():
    value = token()
    (finding,) = secrets(f"say {value}", "args.command", KEY)
    assert value not in str(finding)
    assert (finding.start, finding.end, finding.where) == (4, 4 + len(value), "args.command")
    assert len(finding.print) == 8
    assert finding.print == secrets(value, "elsewhere", KEY)[0].print != secrets(value, "x", b"o" * 32)[0].print


def test_the_specific_rule_speaks_for_an_overlapping_general_one():
    value = token()
    assert [hit.rule.id for hit in best(find(f'api_token = "{value}"'))] == ["secret.github-token"]


def test_a_secret_wrapped_in_base64_once_or_twice_is_found():
    inner = f'user_secret="{token(template="{an:40}")}"'
    once = base64.b64encode(inner.encode()).decode()
    for wrapped in (once, base64.b64encode(once.encode()).decode()):
        assert [hit.rule.id for hit in best(find(f"config: {wrapped}"))] == ["secret.generic-secret"]


def test_a_value_alone_in_a_file_named_after_a_secret_is_found_there_alone():
    value = token(template="{an:44}")
    assert find(f"# note\n{value}\n", path="/srv/client.password")
    assert not find(f"# note\n{value}\n", path="/srv/notes.txt")


def test_a_mark_of_redaction_shields_nothing_but_itself():
    value = token()
    for text in (f"[secret:{value}]", f"[secret:x:{value}]", f'password="[secret:jwt:00000000]{value}"'):
        assert find(text)
    assert find('password="[secret:jwt:00000000]"') == []


def test_a_file_full_of_secrets_is_cut_short():
    text = "\n".join(token(str(n)) for n in range(200))
    assert len(secrets(text, "x", KEY)) == MAX_FINDINGS


def test_lone_surrogates_and_nulls_are_text_too():
    value = token()
    (hit,) = find(f"\ud800\0 {value}")
    assert hit.value == value
    assert hit.start == 3


@given(st.text(max_size=300))
def test_nothing_raises_on_any_text(text):
    for finding in secrets(text, "x", KEY):
        assert 0 <= finding.start < finding.end <= len(text)


@given(st.sampled_from(load()), st.text(max_size=40), st.text(max_size=40))
def test_a_secret_is_found_between_any_lines(rule, before, after):
    vector = fill(rule.vector, rule.id)
    text = f"{before}\n{vector}\n{after}"
    assert rule.id in {hit.rule.id for hit in find(text, path=rule.vector_file)}


def test_outside_leaks_are_found_and_near_misses_are_not():
    if not CORPUS.is_file():
        pytest.skip("the outside corpus of leaks is not on this machine")
    counts = {(0, False): 0, (0, True): 0, (1, False): 0, (1, True): 0}
    for line in CORPUS.read_text("utf-8").splitlines():
        row = json.loads(line)
        text = base64.b64decode(row["b64"]).decode("utf-8", "replace")
        flagged = any(f.confidence != "low" for f in secrets(text, "file", KEY, path=row["path"]))
        counts[row["label"], flagged] += 1
    precision = counts[1, True] / (counts[1, True] + counts[0, True])
    recall = counts[1, True] / (counts[1, True] + counts[1, False])
    assert 2 * precision * recall / (precision + recall) >= 0.80


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1251", "utf-8-sig"])
def test_a_secret_in_a_file_of_another_encoding_is_found_once_its_letters_are_there(encoding):
    data = f"# \u00e9\ntoken = {token()}\r\n".encode(encoding, "replace")
    text = data.decode("utf-8", "replace").replace("\0", "")
    assert [hit.rule.id for hit in best(find(text))] == ["secret.github-token"]


def test_a_secret_in_binary_noise_and_at_the_end_of_five_megabytes_is_found():
    noise = bytes(range(256)) * 20_000
    (hit,) = best(find(f"{noise.decode('latin-1')} {token()}"))
    assert hit.value == token()


@pytest.mark.parametrize("unit", ["a", "A1", "=", "%41", "eyJ", "-----BEGIN ", "password=", "\u0430", "://:@", "<a "])
def test_no_text_makes_the_work_grow_faster_than_the_text(unit):
    """A step is counted, not timed: how many matches the rules are asked to look at."""
    looked = [len(find(unit * size)) for size in (1_000, 2_000, 4_000)]
    assert looked[2] <= 4 * max(looked[0], 1)
