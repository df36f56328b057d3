"""What a witness answers: every status of the protocol, and never two histories."""

from __future__ import annotations

import shutil
import tempfile
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.witness.conftest import Log

from outrider.errors import TamperedError, UnavailableError
from outrider.ledger.note import sign
from outrider.ledger.verify.notes import WITNESS, cosigned_by, head_of, parse_note, parse_verifier
from outrider.witness.home import WitnessHome
from outrider.witness.request import render
from outrider.witness.state import origin_hash


def test_the_first_checkpoint_and_those_that_extend_it_are_cosigned(witness, log):
    for old, size in ((0, 3), (3, 8), (8, 8), (8, 300), (300, 513)):
        answer = witness.add_checkpoint(log.grow(size).ask(old))
        assert answer.status == 200, answer
        line, when = cosigned_by(parse_note((log.checkpoint() + answer.body).encode()), witness.own)
        assert (line.line + "\n", when) == (answer.body, 1_790_000_000)


def test_what_was_cosigned_last_is_served_with_both_signatures(witness, log):
    witness.add_checkpoint(log.grow(5).ask(0))
    answer = witness.checkpoint(origin_hash(log.origin))
    assert answer.status == 200
    assert answer.body.startswith(log.checkpoint())
    assert cosigned_by(parse_note(answer.body.encode()), witness.own) is not None


def test_nothing_is_served_of_a_log_that_was_never_cosigned(witness, log):
    assert witness.checkpoint(origin_hash(log.origin)).status == 404
    assert witness.checkpoint("..").status == 404


def test_an_unknown_log_is_not_found(witness):
    assert witness.add_checkpoint(Log("log.example/b").grow(1).ask(0)).status == 404


def test_a_signature_of_another_key_is_forbidden(witness, log):
    assert witness.add_checkpoint(Log(log.origin).grow(1).ask(0)).status == 403


def test_a_signature_that_does_not_hold_is_forbidden_even_beside_one_that_does(witness, log):
    log.grow(2)
    good, bad = log.checkpoint(), log.checkpoint(1).splitlines()[-1]
    assert witness.add_checkpoint(render(0, (), f"{good}{bad}\n")).status == 403


def test_signatures_of_unknown_keys_are_ignored(witness, log):
    foreign = Log("elsewhere.example/x").grow(1).checkpoint().splitlines()[-1]
    answer = witness.add_checkpoint(render(0, (), f"{log.grow(1).checkpoint()}{foreign}\n"))
    assert answer.status == 200
    assert "elsewhere" not in witness.checkpoint(origin_hash(log.origin)).body


def test_an_old_size_larger_than_the_checkpoint_is_a_bad_request(witness, log):
    assert witness.add_checkpoint(render(4, (), log.grow(3).checkpoint())).status == 400


def test_another_old_size_is_a_conflict_that_tells_the_size(witness, log):
    witness.add_checkpoint(log.grow(5).ask(0))
    for old in (0, 4, 6):
        answer = witness.add_checkpoint(log.grow(9).ask(old))
        assert answer == (409, "5\n", "text/x.tlog.size")


def test_a_log_that_was_never_cosigned_has_size_0(witness, log):
    assert witness.add_checkpoint(log.grow(9).ask(3)) == (409, "0\n", "text/x.tlog.size")


def test_a_proof_where_none_belongs_is_unprocessable(witness, log):
    log.grow(5)
    proof = log.tree.consistency(3, 5)
    assert witness.add_checkpoint(render(0, proof, log.checkpoint())).status == 422
    assert witness.add_checkpoint(log.ask(0)).status == 200
    assert witness.add_checkpoint(render(5, proof, log.checkpoint())).status == 422


def test_an_empty_tree_has_the_root_of_nothing(witness, log):
    assert witness.add_checkpoint(render(0, (), sign(log.origin, 0, bytes(32), log.key).text)).status == 422
    assert witness.add_checkpoint(log.ask(0)).status == 200


def test_another_history_signed_with_the_same_key_is_never_cosigned(witness, log, other):
    assert witness.add_checkpoint(log.grow(5).ask(0)).status == 200
    assert witness.add_checkpoint(other.grow(5).ask(5)).status == 422  # As long.
    assert witness.add_checkpoint(other.grow(9).ask(5)).status == 422  # Longer, with the fork's own proof.
    assert witness.add_checkpoint(other.ask(2)).status == 409  # From before the fork.
    assert witness.add_checkpoint(other.ask(0)).status == 409  # From the start.
    assert witness.add_checkpoint(render(5, (), other.checkpoint())).status == 422
    assert witness.add_checkpoint(log.grow(9).ask(5)).status == 200


def test_a_rolled_back_log_is_told_what_was_cosigned(witness, log):
    witness.add_checkpoint(log.grow(9).ask(0))
    assert witness.add_checkpoint(log.ask(5, 5)).status == 409
    assert witness.add_checkpoint(render(9, (), log.checkpoint(5))).status == 400


@pytest.mark.parametrize(
    "body", [b"", b"old 0\n", b"\n\n", b"old 0\n\n", b"old 0\n\nx\n", b"old 00\n\n%s", b"old -1\n\n%s"]
)
def test_what_cannot_be_read_is_a_bad_request(witness, log, body):
    checkpoint = log.grow(1).checkpoint().encode()
    assert witness.add_checkpoint(body % checkpoint if b"%s" in body else body).status == 400


def test_64_lines_of_proof_are_a_bad_request(witness, log):
    assert witness.add_checkpoint(render(0, (bytes(32),) * 64, log.grow(1).checkpoint())).status == 400


def test_a_witness_that_forgot_does_not_cosign_what_carries_its_own_cosignature(home, witness, log):
    answer = witness.add_checkpoint(log.grow(9).ask(0))
    cosigned = log.checkpoint() + answer.body
    again = WitnessHome(home.root.with_name("restored"))
    shutil.copytree(home.root, again.root, ignore=shutil.ignore_patterns("state", "marks"))
    forgetful, state = again.open()
    assert forgetful.add_checkpoint(render(0, (), cosigned)).status == 500
    state.close()


def test_of_many_requests_at_once_only_one_history_is_cosigned(witness, log, other):
    log.grow(40)
    other.grow(40)
    bodies = [one.ask(0, size) for size in range(3, 40) for one in (log, other)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.add_checkpoint, bodies))
    assert sorted({answer.status for answer in answers}) == [200, 409]
    assert sum(answer.status == 200 for answer in answers) == 1


def test_state_that_was_put_back_is_refused(home, log):
    witness, state = home.open()
    witness.add_checkpoint(log.grow(5).ask(0))
    old = (home.state / origin_hash(log.origin)).read_bytes()
    witness.add_checkpoint(log.grow(9).ask(5))
    state.close()
    (home.state / origin_hash(log.origin)).write_bytes(old)
    with pytest.raises(TamperedError, match="put back"):
        home.open()


def test_state_that_is_gone_is_refused(home, log):
    witness, state = home.open()
    witness.add_checkpoint(log.grow(5).ask(0))
    state.close()
    mark = (home.marks / origin_hash(log.origin)).read_bytes()
    (home.marks / origin_hash(log.origin)).unlink()
    with pytest.raises(TamperedError, match="mark"):
        home.open()
    (home.marks / origin_hash(log.origin)).write_bytes(mark)
    shutil.rmtree(home.state)
    with pytest.raises(TamperedError, match="gone"):
        home.open()


def test_state_with_any_bit_flipped_is_refused(home, log):
    witness, state = home.open()
    witness.add_checkpoint(log.grow(5).ask(0))
    state.close()
    path = home.state / origin_hash(log.origin)
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(TamperedError):
            home.open()
    path.write_bytes(good[:-1])
    with pytest.raises(TamperedError):
        home.open()


def test_a_crash_between_checkpoint_and_mark_is_no_rollback(home, log):
    witness, state = home.open()
    witness.add_checkpoint(log.grow(5).ask(0))
    mark = (home.marks / origin_hash(log.origin)).read_bytes()
    witness.add_checkpoint(log.grow(9).ask(5))
    state.close()
    (home.marks / origin_hash(log.origin)).write_bytes(mark)
    witness, state = home.open()
    assert witness.add_checkpoint(log.ask(9)).status == 200
    state.close()


def test_two_processes_are_never_one_witness(home, witness):
    with pytest.raises(UnavailableError, match="another process"):
        home.open()


def test_what_cannot_be_remembered_is_not_cosigned(home, witness, log):
    witness.add_checkpoint(log.grow(5).ask(0))
    shutil.rmtree(home.state)
    answer = witness.add_checkpoint(log.grow(9).ask(5))
    assert (answer.status, "\u2014" in answer.body) == (500, False)


def test_a_witness_key_is_no_log_key_and_the_other_way_round(home, log):
    own = home.own()
    assert parse_verifier(own.vkey, kind=WITNESS) == own
    for vkey, kind in ((own.vkey, 1), (log.vkey, WITNESS)):
        with pytest.raises(Exception, match="is wanted"):
            parse_verifier(vkey, kind=kind)


class Forks(RuleBasedStateMachine):
    """A thief with the log's key grows several histories and shows any of them, at any size, claiming any old size.

    The witness is also stopped and started, and sometimes after a crash before its mark was written. Whatever it
    cosigned must be heads of one history.
    """

    @initialize()
    def start(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        key = Ed25519PrivateKey.generate()
        self.logs = [Log(key=key).grow(at).grow(70, bytes([at + 1])) for at in (0, 1, 7, 32, 64)]
        self.home = WitnessHome(self.directory / "witness")
        self.home.make("witness.example/w1")
        self.home.know(self.logs[0].vkey)
        self.witness, self.state = self.home.open()
        self.cosigned: list[tuple[int, bytes]] = []
        self.marks: list[bytes] = []

    @rule(
        which=st.integers(0, 4),
        size=st.integers(0, 70),
        old=st.integers(0, 70),
        proof=st.integers(0, 70),
        honest=st.integers(0, 4),
    )
    def ask(self, which: int, size: int, old: int, proof: int, honest: int) -> None:
        log, last = self.logs[which], self.cosigned[-1][0] if self.cosigned else 0
        old = last if honest else old
        size = max(size, old) if honest else size
        lines = log.tree.consistency(min(proof, size) if honest == 1 else min(old, size), size)
        answer = self.witness.add_checkpoint(render(old, lines, log.checkpoint(size)))
        assert answer.status in (200, 400, 409, 422)
        if answer.status == 200:
            note = parse_note((log.checkpoint(size) + answer.body).encode())
            assert cosigned_by(note, self.witness.own) is not None
            self.cosigned.append((size, head_of(note).root))

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        path = self.home.marks / origin_hash(self.logs[0].origin)
        if path.exists():
            self.marks.append(path.read_bytes())
        self.state.close()
        if crash and len(self.marks) > 1:
            path.write_bytes(self.marks[-2])
        self.witness, self.state = self.home.open()

    @invariant()
    def one_history(self) -> None:
        if getattr(self, "cosigned", None):
            sizes = [size for size, _ in self.cosigned]
            assert sizes == sorted(sizes)
            fits = [log for log in self.logs if all(log.tree.root(size) == root for size, root in self.cosigned)]
            assert fits, "two histories were cosigned"

    def teardown(self) -> None:
        if hasattr(self, "state"):
            self.state.close()
            shutil.rmtree(self.directory)


TestForks = Forks.TestCase
TestForks.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_base64_of_another_spelling_is_refused(witness, log):
    log.grow(3)
    text = log.checkpoint()
    root = b64encode(log.tree.root(3)).decode()
    spelled = root[:-2] + chr(ord(root[-2]) + 1) + "="
    assert witness.add_checkpoint(render(0, (), text.replace(root, spelled))).status == 400
