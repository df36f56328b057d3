"""The same changes to other programs' records, judged by those programs' own verifiers: ``python -m tamper.rivals``.

Each is tried where its package is installed, and skipped with that reason where it is not; nothing of theirs is copied
here. A record of ten events is made by their library, changed as somebody would who lacks its key, and as somebody who
has it and lets their library sign a new one; their verifier is given the public key that was noted before. What they
offer beyond one file and one key (a witness, an expected length) is not used, as ``key`` in our table has no witness.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE, AT = 10, 4
Record = list[Any]

CHANGES: dict[str, Callable[[Record], Record]] = {
    "flip-decision": lambda record: [*record[:AT], _flipped(record[AT]), *record[AT + 1 :]],
    "delete-event": lambda record: record[:AT] + record[AT + 1 :],
    "reorder": lambda record: [*record[:AT], record[AT + 1], record[AT], *record[AT + 2 :]],
    "insert-alibi": lambda record: [*record[:AT], record[AT - 1], *record[AT:]],
    "truncate-tail": lambda record: record[:AT],
}


def _flipped(one: Any) -> Any:
    """Return an event, in whatever form it is, in which a refusal reads as an allow."""
    return json.loads(json.dumps(one).replace('"denied"', '"allowed"').replace('"failure"', '"success"'))


class Rival:
    """A library that keeps a record."""

    package: str
    module: str

    def write(self, decisions: list[str]) -> Record:
        """Return a record of such decisions, made and signed by the library."""
        raise NotImplementedError

    def accepts(self, record: Record) -> bool:
        """Return whether the library's own verifier accepts a record."""
        raise NotImplementedError


class AgentReceipts(Rival):
    """Signed receipts, each with the hash of the one before."""

    package, module = "agent-receipts", "agent_receipts"

    def __init__(self) -> None:
        self.lib = importlib.import_module(self.module)
        self.keys = self.lib.generate_key_pair()

    def write(self, decisions: list[str]) -> Record:
        lib, before, out = self.lib, None, list[Any]()
        for number, decision in enumerate(decisions, 1):
            status = "success" if decision == "allowed" else "failure"
            unsigned = lib.create_receipt(
                lib.receipt.create.CreateReceiptInput(
                    issuer=lib.Issuer(id="did:example:agent"),
                    principal=lib.Principal(id="did:example:person"),
                    action=lib.receipt.create.ActionInput(type="filesystem.file.read", risk_level="low"),
                    outcome=lib.Outcome(status=status),
                    chain=lib.Chain(sequence=number, previous_receipt_hash=before, chain_id="c"),
                )
            )
            signed = lib.sign_receipt(unsigned, self.keys.private_key, "did:example:agent#1")
            before = lib.hash_receipt(signed)
            out.append(signed.model_dump(mode="json", by_alias=True, exclude_none=True))
        return out

    def accepts(self, record: Record) -> bool:
        receipts = [self.lib.AgentReceipt.model_validate(_with_null(one)) for one in record]
        return bool(self.lib.verify_chain(receipts, self.keys.public_key).valid)


def _with_null(one: dict[str, Any]) -> dict[str, Any]:
    chain = {"previous_receipt_hash": None} | one["credentialSubject"]["chain"]
    return one | {"credentialSubject": one["credentialSubject"] | {"chain": chain}}


class AuditTrail(Rival):
    """The reference recorder of draft-sharif-agent-audit-trail."""

    package, module = "aat-mcp", "aat.core"

    def __init__(self) -> None:
        self.lib = importlib.import_module(self.module)
        self.key = self.lib.gen_key()

    def write(self, decisions: list[str]) -> Record:
        recorder = self.lib.Recorder(agent_id="a", agent_version="1", private_key=self.key, session_id=_SESSION)
        for decision in decisions:
            outcome = "success" if decision == "allowed" else "failure"
            detail = {"tool_name": "read"}
            recorder.record(
                action_type="tool_call", action_detail=detail, outcome=outcome, record_phase="post_execution"
            )
        return list(recorder.records)

    def accepts(self, record: Record) -> bool:
        public = self.key.public_key()
        return bool(self.lib.verify_chain(record, {self.lib.kid_for(public): public})[0])


_SESSION = "5b3c3a52-0c6f-4d36-9f57-4a6f5d3c8b11"


class GovernanceToolkit(Rival):
    """The audit log of the Agent Governance Toolkit, which holds no key: whoever writes it makes its hashes."""

    package, module = "agent-governance-toolkit-core", "agentmesh.governance.audit"

    def __init__(self) -> None:
        self.lib = importlib.import_module(self.module)

    def write(self, decisions: list[str]) -> Record:
        log = self.lib.AuditLog()
        entries = [log.log("tool", "did:example:agent", "read", policy_decision=one) for one in decisions]
        return [entry.model_dump(mode="json") for entry in entries]

    def accepts(self, record: Record) -> bool:
        chain = self.lib.AuditLog()
        chain._chain._entries = [self.lib.AuditEntry.model_validate(one) for one in record]  # noqa: SLF001 - no loader
        return bool(chain.verify_integrity()[0])


class WitnessLog(Rival):
    """A Merkle log with dossiers; its journal is sealed with a seed that lies elsewhere."""

    package, module = "witness-log", "witness_log"

    def __init__(self) -> None:
        self.lib = importlib.import_module(self.module)
        self.seed = bytes(range(32))
        self.public = ""

    def write(self, decisions: list[str]) -> Record:
        with tempfile.TemporaryDirectory() as where:
            log = self.lib.JournaledLog.create_sealed(str(Path(where) / "journal"), self.seed)
            for one in decisions:
                log.append_intent(json.dumps({"decision": one}).encode())
            self.public = log.identity_pubkey_hex()
            dossier = json.loads(log.to_dossier_json())
            log.close()
        leaves = dossier.pop("leaves")
        return [leaf | {"_rest": dossier} for leaf in leaves]

    def accepts(self, record: Record) -> bool:
        leaves = [{name: value for name, value in one.items() if name != "_rest"} for one in record]
        text = json.dumps(record[0]["_rest"] | {"leaves": leaves})
        said = json.loads(self.lib.verify_dossier_json(text, 0.5, self.public))
        return said["verdict"] not in {"invalid", "diverged"}


RIVALS: tuple[type[Rival], ...] = (WitnessLog, AgentReceipts, AuditTrail, GovernanceToolkit)


def play(kind: type[Rival]) -> dict[str, tuple[bool, bool]]:
    """Return, by change, whether it is seen without the key and with it."""
    rival = kind()
    honest = ["denied" if n == AT else "allowed" for n in range(SIZE)]
    record = rival.write(honest)
    if not rival.accepts(record):
        raise ValueError("its verifier does not accept what its library wrote")
    seen = {}
    for name, change in CHANGES.items():
        changed = change(record)
        if kind is WitnessLog and name == "flip-decision":  # Its leaves hold digests alone.
            changed = [*record[:AT], record[AT] | {"payload_hash": record[0]["payload_hash"]}, *record[AT + 1 :]]
        seen[name] = (not _accepts(rival, changed), not rival.accepts(rival.write(change(honest))))
    return seen


def _accepts(rival: Rival, record: Record) -> bool:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return rival.accepts(record)
    return False


def main() -> int:
    """Print one line a change for every rival that is here."""
    for kind in RIVALS:
        try:
            version = importlib.metadata.version(kind.package)
        except importlib.metadata.PackageNotFoundError:
            print(
                f"{kind.package}: skipped, it is not installed here (pip install {kind.package}, in a venv of its own)"
            )
            continue
        print(f"{kind.package} {version}{'':8}no-key      key")
        for name, told in play(kind).items():
            print(f"    {name:28}" + "".join(f"{'refused' if one else 'not seen':12}" for one in told).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
