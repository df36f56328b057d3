"""What is published: other people's verifiers read it, so it must be what the generator makes, and be really there."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import jsonschema
import pytest
import tamper.formats as first_module
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tamper.cases import CASES, SITUATIONS
from tamper.folders import LOG as LOG_SIGNER
from tamper.folders import ORIGIN, WITNESSES
from tamper.judge import judged
from tamper.publish import digest, witness

from outrider.events.codec import decode, decode_beside
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.ledger.verify.notes import LOG, WITNESS, head_of, parse_note, parse_verifier
from outrider.witness.state import Seen, State
from outrider.witness.witness import Witness

REPO = Path(__file__).parents[2]
VECTORS = REPO / "vectors" / "tamper"
TABLE = json.loads((VECTORS / "table.json").read_text())
SCHEMA = json.loads((VECTORS / "schema.json").read_text())
DIALOGUES = json.loads((VECTORS / "witness.json").read_text())
NAMES = [one["name"] for one in DIALOGUES["dialogues"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_published_folder_is_whole_and_gets_the_published_verdict(case) -> None:
    for situation in SITUATIONS:
        where = VECTORS / "10" / case.name / situation
        assert digest(where) == TABLE["folders"]["10"][f"{case.name}/{situation}"]
        expected = json.loads((where / "expected.json").read_text())
        jsonschema.validate(expected, SCHEMA)
        cell = judged(case, where)
        assert (cell.verdict, cell.offline) == (expected["verdict"], expected.get("offline", expected["verdict"]))
        assert not cell.unexpected


def test_the_table_and_the_dialogues_are_as_their_schema_says_and_as_they_are_made() -> None:
    jsonschema.validate(TABLE, SCHEMA)
    jsonschema.validate(DIALOGUES, SCHEMA)
    assert witness() == DIALOGUES
    assert {(one["case"], one["situation"]) for one in TABLE["cells"]} == {
        (c.name, s) for c in CASES for s in SITUATIONS
    }
    assert [set(TABLE["folders"][size]) for size in ("10", "10000")] == [set(TABLE["folders"]["10"])] * 2


@pytest.mark.parametrize("name", NAMES)
def test_a_witness_answers_a_published_dialogue_with_the_published_status(name: str, tmp_path: Path) -> None:
    one = DIALOGUES["dialogues"][NAMES.index(name)]
    log, own = parse_verifier(DIALOGUES["log"], kind=LOG), parse_verifier(DIALOGUES["witness"], kind=WITNESS)
    logs = {log.name: (log,)}
    state = State.open(tmp_path / "state", tmp_path / "marks", own, logs)
    try:
        state.put(Seen(head_of(parse_note(DIALOGUES["state"].encode())), DIALOGUES["state"], 1_790_000_000))
        key: Ed25519PrivateKey = WITNESSES[0].key
        answer = Witness(own, key, logs, state, lambda: 1_790_000_060).add_checkpoint(one["body"].encode())
    finally:
        state.close()
    assert answer.status == one["status"], answer
    assert answer.body == one.get("says", answer.body)


def test_the_honest_record_is_one_that_the_real_writer_goes_on_with(tmp_path: Path) -> None:
    """The generator shares no code with the writer; that their records are of one format shows here."""
    import shutil

    where = Path(shutil.copytree(VECTORS / "10" / "honest" / "no-key" / "record", tmp_path / "record"))
    for entry in Reader(where).entries():
        event = decode(entry.leaf)
        assert event.n == entry.n
        assert not entry.beside or len(decode_beside(entry.beside).entities) == 1
    before = (where / "checkpoint").read_text()
    with Ledger.open(where, origin=ORIGIN, key=LOG_SIGNER.key) as ledger:
        assert (ledger.size, ledger.recovered, ledger.checkpoint.text) == (10, None, before)
        ledger.append(lambda n: (b'{"kind":"record.heartbeat","living":0,"n":%d,"ts":1,"v":1}' % n, b""))
        assert ledger.seal().size == 11


def test_what_makes_the_vectors_imports_nothing_of_outrider() -> None:
    for name in ("formats", "history", "folders", "cases", "dialogues"):
        tree = ast.parse((Path(first_module.__file__).parent / f"{name}.py").read_text())
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [one for one in names if one.partition(".")[0] in {"outrider", "msgspec"}], name
