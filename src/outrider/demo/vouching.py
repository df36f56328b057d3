"""A witness on loopback for the story's record, and a thief who has the log's key.

The witness is ``outrider witness serve``, a process of its own with a home and a key of its own. The thief takes a copy
of the record, lets the decisive event read as a refusal, makes everything around it fit, and signs it.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.config import Witnesses, load_config, save_config
from outrider.daemon.control import ask
from outrider.daemon.wiring import origin
from outrider.errors import UnavailableError
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.note import vkey
from outrider.ledger.reader import Reader
from outrider.ledger.verify import Demand, Report, verify
from outrider.ledger.verify.policy import parse_policy
from outrider.witness.asking import last_cosigned
from outrider.witness.home import WitnessHome

if TYPE_CHECKING:
    from outrider.config import Home

NAME = "demo.witness.example/w1"
AGE = 3600
PATIENCE = 20.0
"""Seconds that are waited for the witness's last word, at most."""

_THERE = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Vouching:
    """A witness that runs.

    Attributes:
        policy: Text of the policy that names it.
        url: Where it is.
        origin: The log that it knows.
        process: The process.
    """

    policy: str
    url: str
    origin: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, home: Home, where: Path) -> Vouching:
        """Start a witness that lives at ``where`` and knows the log of ``home``, and have the daemon ask it.

        Raises:
            UnavailableError: It did not come up.
        """
        name = origin(home)
        key = vkey(name, log_key(home.keys / "log.key").public_key().public_bytes_raw())
        witness = WitnessHome(where)
        own = witness.make(NAME)
        witness.know(key)
        process, url = serve(where)
        text = f"log {key}\nwitness w1 {own.vkey} {url}\nquorum w1\n"
        policy = home.root / "witness.policy"
        policy.write_text(text)
        named = Witnesses(policy=str(policy), every=1)
        save_config(home, msgspec.structs.replace(load_config(home), witnesses=named))
        return cls(text, url, name, process)

    def stop(self) -> None:
        """End it."""
        end(self.process)

    def last_word(self, home: Home) -> None:
        """Return once all that is in the record now is cosigned, or after :data:`PATIENCE` seconds."""
        size, until = Reader(home.record).size(), time.monotonic() + PATIENCE
        while time.monotonic() < until:
            told = (ask(home.socket, {"do": "status"}).get("witnesses") or {}).get("size", 0)
            if told >= size:
                return
            time.sleep(0.1)

    def demand(self) -> Demand:
        """Return what a verifier demands who has the policy."""
        return Demand(parse_policy(self.policy.encode()), int(time.time()), AGE)

    def theft(self, home: Home, event: int, where: Path) -> dict[str, Any]:
        """Forge a copy of the record with the log's key, and return what a verifier says of it.

        Args:
            home: Whose record.
            event: The decision that the thief wants to read as a refusal.
            where: Where the forged copy lies afterwards.
        """
        forge(home, event, where)
        said = last_cosigned(self.url, self.origin).body.decode("utf-8", "replace")
        alone, witnessed = verify(where), verify(where, demand=self.demand())
        asked = verify(where, earlier=[said], demand=self.demand())
        return {
            "event": event,
            "alone": _told(alone),
            "policy": _told(witnessed),
            "asked": _told(asked),
            "honest": _told(verify(home.record, earlier=[said], demand=self.demand())),
        }


def serve(where: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the witness that lives at ``where`` and return its process and address.

    Raises:
        UnavailableError: It did not come up.
    """
    command = [sys.executable, "-m", "outrider", "witness", "serve", "--port", "0", "--home", str(where)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    found = _THERE.search(process.stderr.readline())
    if found is None:
        end(process)
        raise UnavailableError("the demonstration's witness did not start")
    return process, found[0]


def end(process: subprocess.Popen[str]) -> None:
    """End a witness that we started."""
    process.terminate()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def forge(home: Home, event: int, where: Path) -> None:
    """Write under ``where`` the record of ``home`` in which ``event`` was refused, signed with its own key."""
    heads: dict[str, str] = {}
    key = log_key(home.keys / "log.key")
    with Ledger.open(where, origin=origin(home), key=key) as ledger:
        for entry in Reader(home.record).entries():
            leaf = json.loads(entry.leaf)
            if entry.n == event:
                leaf["decision"] |= {"verdict": "deny", "enforced": "deny"}
            source = leaf.get("src")
            if source and source["id"] in heads:
                source["prev"] = heads[source["id"]]
            text = json.dumps(leaf, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            n = ledger.append(lambda _, text=text, beside=entry.beside: (text, beside))  # type: ignore[misc]
            if source:
                heads[source["id"]] = ledger.leaf_hash(n).hex()
        ledger.seal()
    with contextlib.suppress(FileNotFoundError):  # What the witness cosigned is shown on: it is all that he has.
        shutil.copy(home.record / "cosigned", where / "cosigned")


def _told(report: Report) -> dict[str, Any]:
    cosigned = report.cosigned
    return {
        "ok": report.ok,
        "assurance": report.assurance,
        "problems": [str(problem) for problem in report.problems],
        "cosigned": cosigned.size if cosigned else 0,
        "after": report.events - cosigned.size if cosigned else report.events,
    }
