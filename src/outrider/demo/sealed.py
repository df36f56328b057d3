"""The case that the story leaves: opened about the domain, sealed as a bundle that a stranger can check."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from outrider import __version__
from outrider.daemon.casework import note
from outrider.investigate.case import load
from outrider.investigate.casebundle import chosen, packed
from outrider.investigate.casefile import CaseFile
from outrider.investigate.disclosing import disclose
from outrider.investigate.dossier import dossier
from outrider.investigate.reach import Pairs, record_of
from outrider.investigate.sealing import seal as write
from outrider.investigate.whole import whole
from outrider.ledger.keys import log_key
from outrider.ledger.proving import Prover
from outrider.store.follow import catch_up

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.config import Home
    from outrider.store.view import View

CASE = "case-0de300000001"


def seal(home: Home, view: View, domain: str, key: bytes, path: Path) -> None:
    """Open a case about the domain, as a responder would, and seal it into ``path``.

    The texts of what led to the act, of the act and of the prompts leave with it: everything in them is made up.

    Raises:
        RecordError: The record cannot be read or written.
    """
    files = CaseFile(home, CASE)
    for act, text in (("opened", f"{domain} was noticed (a played story: outrider demo)"), ("added", domain)):
        promise = files.put(text)
        note(home, {"case": CASE, "act": act, "content": {"c": promise.c, "size": promise.size}})
    catch_up(view, Pairs(record_of(home)))
    told = dossier(view, load(view, home, CASE), key=key, whole=whole(home, view.size))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    shown = disclose(view, home, chosen(told, ("story",)))
    inside = packed(view, home, told, shown, created=created, made_by=f"outrider {__version__}")
    policy = (home.root / "witness.policy").read_bytes()
    with path.open("wb") as file:
        write(file, Prover(home.record), log_key(home.keys / "log.key"), msgspec.structs.replace(inside, policy=policy))
