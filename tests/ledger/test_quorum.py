"""What a verifier with a policy finds, whoever holds the log's key."""

from __future__ import annotations

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from outrider.ledger.note import sign, vkey
from outrider.ledger.tree import EMPTY
from outrider.ledger.verify import Demand, verify
from outrider.ledger.verify.notes import parse_note
from outrider.ledger.verify.policy import parse_policy
from outrider.witness.witness import cosign, verifier

NOW = 1_790_000_000
KEYS = {"w1": Ed25519PrivateKey.generate(), "w2": MLDSA44PrivateKey.generate()}


def line(name, text, seconds=NOW - 60, key=None):
    own = verifier(f"{name}.example", KEYS[name])
    return cosign(parse_note(text.encode()), own, key or KEYS[name], seconds) + "\n"


def demand(log, quorum="any", age=3600):
    lines = [f"log {log}", *(f"witness {one} {verifier(f'{one}.example', KEYS[one]).vkey}" for one in KEYS)]
    lines += [f"group both {quorum} w1 w2", "quorum both"]
    return Demand(parse_policy("\n".join(lines).encode()), NOW, age)


@pytest.fixture
def made(open_ledger, scribe, where):
    """A record of 30 events of which the first 20 were cosigned."""
    with open_ledger() as ledger:
        writes = scribe(ledger)
        writes.open()
        for n in range(1, 20):
            writes.decide(n)
        text = ledger.seal().text
        (where / "cosigned").write_text(text + line("w1", text))
        for n in range(20, 30):
            writes.decide(n)
        ledger.seal()
        return ledger


def checks(report):
    return [problem.check for problem in report.problems]


def test_a_cosigned_record_is_witnessed_and_says_by_whom_and_since_when(made, where):
    report = verify(where, demand=demand(made.vkey))
    assert (report.ok, report.assurance, report.events) == (True, "witnessed", 30)
    assert (report.cosigned.size, report.cosigned.since, report.cosigned.by) == (20, NOW - 60, ("w1",))


def test_without_a_policy_or_with_old_words_it_is_local(made, where):
    assert verify(where).assurance == "local"
    late = verify(where, demand=demand(made.vkey, age=59))
    assert (late.ok, late.assurance, late.cosigned.size) == (True, "local", 20)


def test_a_quorum_that_is_not_reached_is_a_problem(made, where):
    report = verify(where, demand=demand(made.vkey, quorum="all"))
    assert (checks(report), report.assurance) == (["quorum"], "local")


def test_a_missing_cosigned_checkpoint_is_a_problem_where_a_quorum_is_demanded(made, where):
    (where / "cosigned").unlink()
    assert checks(verify(where, demand=demand(made.vkey))) == ["quorum"]
    assert verify(where, demand=Demand(parse_policy(b"quorum none\n"), NOW, 60)).ok


def test_a_record_of_another_log_than_the_policy_means_is_a_problem(made, where):
    another = vkey(made.origin, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert "key" in checks(verify(where, demand=demand(another)))


def test_a_record_rewritten_with_the_stolen_key_is_caught(made, where, tmp_path, open_ledger, scribe):
    kept = (where / "cosigned").read_text()
    shutil.rmtree(where)
    with open_ledger() as thief:
        writes = scribe(thief)
        writes.open()
        for n in range(1, 30):
            writes.decide(n, "deny" if n == 7 else "allow")
    assert verify(where).ok  # Without a witness nobody sees it.
    assert checks(verify(where, demand=demand(made.vkey))) == ["quorum"]
    (where / "cosigned").write_text(kept)
    assert checks(verify(where, demand=demand(made.vkey))) == ["root"]


def test_a_record_put_back_to_before_what_was_cosigned_is_caught(made, where, open_ledger, scribe):
    kept = (where / "cosigned").read_text()
    shutil.rmtree(where)
    with open_ledger() as thief:
        writes = scribe(thief)
        writes.open()
        for n in range(1, 10):
            writes.decide(n)
    (where / "cosigned").write_text(kept)
    assert checks(verify(where, demand=demand(made.vkey))) == ["truncated"]


def test_a_fork_shown_to_two_witnesses_has_no_quorum_of_both(made, where, key):
    honest = (where / "cosigned").read_text()
    forged = sign(made.origin, 20, EMPTY, key).text
    (where / "cosigned").write_text(honest + line("w2", forged))
    report = verify(where, demand=demand(made.vkey, quorum="all"))
    assert set(checks(report)) == {"quorum"}
    assert report.assurance == "local"


@pytest.mark.parametrize("how", ["key", "time", "confused", "not ours", "cut", "no time"])
def test_a_cosignature_that_was_forged_does_not_count(made, where, key, how):
    text = (where / "cosigned").read_text().rpartition("\u2014")[0]
    lines = {
        "key": line("w1", text, key=Ed25519PrivateKey.generate()),
        "time": line("w1", text).replace("w1.example ", "w1.example A"),
        "confused": line("w1", text, key=KEYS["w2"]),
        "not ours": line("w1", sign(made.origin, 19, made.root(19), key).text),
        "cut": line("w1", text)[:-9] + "\n",
        "no time": line("w1", text, seconds=0),
    }
    (where / "cosigned").write_text(text + lines[how])
    report = verify(where, demand=demand(made.vkey))
    assert "quorum" in checks(report)
    assert report.assurance == "local"


def test_an_older_cosigned_checkpoint_shows_by_its_age_alone(made, where, key):
    text = sign(made.origin, 5, made.root(5), key).text
    (where / "cosigned").write_text(text + line("w1", text, NOW - 86_400))
    report = verify(where, demand=demand(made.vkey))
    assert (report.ok, report.assurance, report.cosigned.since) == (True, "local", NOW - 86_400)
