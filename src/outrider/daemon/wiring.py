"""Puts the rooms together: from a home on disk to a gate that answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.config import load_config
from outrider.daemon.charters import Charters
from outrider.daemon.facts import Kept
from outrider.daemon.keeping import Keep
from outrider.daemon.kept import refuse_rewritten
from outrider.daemon.meters import Meters
from outrider.daemon.model_inputs import ModelInputs
from outrider.daemon.repositories import Repositories
from outrider.daemon.second_looks import SecondLooks
from outrider.daemon.timestamps import Timestamps
from outrider.daemon.witnesses import Witnesses
from outrider.doors.claude_code.installed import harmless
from outrider.errors import RecordError
from outrider.gate import snapshot
from outrider.gate.apply import Gate
from outrider.gate.chains import Chains
from outrider.gate.enrol import Enrolment
from outrider.gate.keeping import Keeper
from outrider.gate.results import Results
from outrider.gate.scribe import Scribe, steady_clock
from outrider.gate.study import Workers
from outrider.identity.people import Pseudonyms
from outrider.identity.registries import registry_hosts
from outrider.ledger.content.contents import Contents
from outrider.ledger.disk import refusal
from outrider.ledger.keys import log_key, print_key
from outrider.ledger.ledger import Ledger

if TYPE_CHECKING:
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
    charters: Charters
    enrolment: Enrolment
    results: Results
    workers: Workers
    gate: Gate
    facts: Kept
    second_looks: SecondLooks
    people: Pseudonyms
    chains: Chains
    witnesses: Witnesses
    timestamps: Timestamps
    contents: Contents
    keep: Keep
    model_inputs: ModelInputs
    http_problem: str = ""
    """Why HTTP hooks that are switched on are not served; empty if they are."""

    issuer_problem: str = ""
    """Why what checks credentials is not served on the port that was named; empty if it is."""

    def forget(self) -> None:
        """Save the state anew, so that no snapshot on disk names what was erased.

        Raises:
            RecordError: The disk refuses.
        """
        try:
            snapshot.save(self.home.record / snapshot.NAME, self.state, self.ledger)
        except OSError as error:
            raise refusal(self.home.record, error) from error


def open_ledger(home: Home) -> Ledger:
    """Open this host's record.

    Raises:
        RecordError: The disk refuses, or the record is damaged.
        TamperedError: It does not extend what a witness cosigned.
        UnavailableError: Another process writes it.
    """
    key = log_key(home.keys / "log.key")
    ledger = Ledger.open(home.record, origin=origin(home), key=key)
    try:
        refuse_rewritten(home.record, ledger)
    except RecordError:
        ledger.close()
        raise
    return ledger


def origin(home: Home) -> str:
    """Return the name of this host's log, chosen once and kept beside the keys."""
    path = home.keys / "origin"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        name = f"outrider.local/{os.urandom(4).hex()}"
        path.touch(mode=0o600)
        path.write_text(name + "\n")
        return name


def open_contents(home: Home) -> Contents:
    """Open what is kept of content on this host, as its one writer.

    Raises:
        RecordError: The disk refuses, or the keys cannot be had.
        RefusedError: Others could read the keys.
    """
    return Contents(home.content, home.content_key, write=True)


def assemble(home: Home, ledger: Ledger, state: State, contents: Contents) -> Parts:
    """Wire a daemon around an open record, the state folded from it, and content.

    Raises:
        BadInputError: The configuration file is wrong.
    """
    config = load_config(home)
    key = print_key(home.keys / "print.key")
    scribe = Scribe(ledger, state, key, steady=steady_clock)
    groups = {"registries": registry_hosts(str(Path.home()))}
    charters = Charters(home, scribe, state, groups)
    repositories = Repositories(home, config)
    chains = Chains(state, groups=groups, protected=protected(home), contact=repositories.contact)
    scribe.keeper = Keeper(contents, state, chains, key)
    results = Results(scribe, state)
    people = Pseudonyms(key)
    meters, workers = Meters(), Workers()
    model_inputs = ModelInputs(scribe, state, workers)
    enrolment = Enrolment(
        scribe=scribe,
        state=state,
        shelf=charters,
        chains=chains,
        results=results,
        people=people,
        sponsor=config.sponsor.name,
        repository_charter=repositories,
        unattested=config.http.enabled,
        meters=meters,
    )
    enrolment.heard = model_inputs.heard
    second_looks = SecondLooks(config.second_look, scribe)
    gate = Gate(
        scribe=scribe,
        state=state,
        enrolment=enrolment,
        results=results,
        chains=chains,
        workers=workers,
        harmless_settings=partial(harmless, home),
        names=(facts := Kept(home)).facts,
        second_look=second_looks.take if second_looks.wanted else None,
        meters=meters,
    )
    return Parts(
        home,
        config,
        ledger,
        state,
        scribe,
        charters,
        enrolment,
        results,
        workers,
        gate,
        facts,
        second_looks,
        people,
        chains,
        Witnesses(ledger, home.record, config.witnesses),
        Timestamps(ledger, home.record, config.timestamps),
        contents,
        Keep(contents, scribe, workers),
        model_inputs,
    )


def protected(home: Home) -> tuple[str, ...]:
    """Return Outrider's own places, which no agent may write: its home, and the package itself."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - plain text
    return tuple(dict.fromkeys((str(home.root), package, os.path.realpath(home.root), os.path.realpath(package))))
