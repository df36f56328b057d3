"""Puts the rooms together: from a home on disk to a gate that answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.charter.model import from_canonical
from outrider.charter.parse import parse
from outrider.charter.shelf import Shelf
from outrider.config import charter_texts, load_config
from outrider.daemon.repositories import Repositories
from outrider.doors.claude_code.installed import harmless
from outrider.errors import CharterError
from outrider.events.codec import canonical
from outrider.events.record import CharterLoaded, CharterRefused
from outrider.gate.apply import Gate
from outrider.gate.chains import Chains
from outrider.gate.enrol import Enrolment
from outrider.gate.results import Results
from outrider.gate.scribe import Scribe
from outrider.gate.study import Workers
from outrider.identity.people import Pseudonyms
from outrider.identity.registries import registry_hosts
from outrider.ledger.keys import log_key, print_key
from outrider.ledger.ledger import Ledger

if TYPE_CHECKING:
    from outrider.charter.model import Charter
    from outrider.config import Config, Home
    from outrider.gate.state import State


@dataclass
class Parts:
    """Everything that one daemon holds."""

    home: Home
    config: Config
    ledger: Ledger
    state: State
    scribe: Scribe
    shelf: Shelf
    enrolment: Enrolment
    results: Results
    workers: Workers
    gate: Gate


def open_ledger(home: Home) -> Ledger:
    """Open this host's record.

    Raises:
        RecordError: The disk refuses, or the record is damaged.
        UnavailableError: Another process writes it.
    """
    key = log_key(home.keys / "log.key")
    return Ledger.open(home.record, origin=origin(home), key=key)


def origin(home: Home) -> str:
    """Return the name of this host's log, chosen once and kept beside the keys."""
    path = home.keys / "origin"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        name = f"outrider.local/{os.urandom(4).hex()}"
        path.write_text(name + "\n")
        return name


def load_shelf(home: Home, state: State) -> tuple[Shelf, list[tuple[str, str]]]:
    """Return the charters in force, and ``(name, reason)`` of those that were refused.

    The last good version of a refused charter stays in force, as the record holds it.
    """
    good: list[Charter] = []
    bad: list[tuple[str, str]] = []
    for name, found in sorted(charter_texts(home).items()):
        try:
            good.append(parse(found.text, source=str(found.path)))
        except CharterError as error:
            bad.append((name, error.diagnostics()))
            known = state.charters.get(state.in_force.get(name, ""))
            if known is not None:
                good.append(from_canonical(known[1].encode()))
    return Shelf(good), bad


def assemble(home: Home, ledger: Ledger, state: State) -> Parts:
    """Wire a daemon around an open record and the state folded from it.

    Raises:
        BadInputError: The configuration file is wrong.
    """
    config = load_config(home)
    key = print_key(home.keys / "print.key")
    scribe = Scribe(ledger, state, key)
    shelf, bad = load_shelf(home, state)
    groups = {"registries": registry_hosts(str(Path.home()))}
    chains = Chains(state, groups=groups, protected=protected(home))
    results = Results(scribe, state)
    enrolment = Enrolment(
        scribe=scribe,
        state=state,
        shelf=shelf,
        chains=chains,
        results=results,
        people=Pseudonyms(key),
        sponsor=config.sponsor.name,
        repository_charter=Repositories(home, config),
        unattested=config.http.enabled,
    )
    workers = Workers()
    gate = Gate(
        scribe=scribe,
        state=state,
        enrolment=enrolment,
        results=results,
        chains=chains,
        workers=workers,
        harmless_settings=partial(harmless, home),
    )
    parts = Parts(home, config, ledger, state, scribe, shelf, enrolment, results, workers, gate)
    record_charters(parts, groups, bad)
    return parts


def record_charters(parts: Parts, groups: dict[str, tuple[str, ...]], bad: list[tuple[str, str]]) -> None:
    """Write down which charter versions births are bound to from now on, where that is news."""
    for name in parts.shelf.names:
        charter = parts.shelf.get(name)
        assert charter is not None
        if parts.state.in_force.get(name) != charter.digest:
            parts.scribe.write(
                CharterLoaded,
                name=name,
                digest=charter.digest,
                signer="builtin" if is_builtin(parts.home, name) else "",
                source=canonical(charter).decode(),
                groups=groups,
                seal=True,
            )
    for name, reason in bad:
        parts.scribe.write(
            CharterRefused, name=name, reason=reason[:500], in_force=parts.state.in_force.get(name, ""), seal=True
        )


def is_builtin(home: Home, name: str) -> bool:
    """Tell whether the charter of that name is the one that came with the package."""
    return not (home.charters / f"{name}.toml").exists()


def protected(home: Home) -> tuple[str, ...]:
    """Return Outrider's own places, which no agent may write: its home, and the package itself."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - plain text
    return (str(home.root), package)
