"""The forms that events leave in, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from outrider.investigate.exports.cyclonedx import cyclonedx
from outrider.investigate.exports.ocsf import ocsf
from outrider.investigate.exports.perfetto import perfetto
from outrider.investigate.exports.prov import prov
from outrider.investigate.exports.sarif import sarif
from outrider.investigate.exports.spreadsheet import spreadsheet
from outrider.investigate.exports.timesketch import timesketch

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material


class Form(NamedTuple):
    """A form: how it is written, what its files are called, and what reads it."""

    write: Callable[[Material], Iterator[bytes]]
    suffix: str
    about: str


FORMS: Final[dict[str, Form]] = {
    "timesketch": Form(timesketch, ".jsonl", "a timeline for Timesketch"),
    "ocsf": Form(ocsf, ".ocsf.jsonl", "OCSF 1.9 events for a SIEM or data lake"),
    "prov": Form(prov, ".prov.json", "W3C PROV-JSON, the provenance graph"),
    "perfetto": Form(perfetto, ".pftrace", "a trace for ui.perfetto.dev"),
    "sarif": Form(sarif, ".sarif", "findings and refusals for code hosts and editors"),
    "cyclonedx": Form(cyclonedx, ".cdx.json", "the inventory of agents, a CycloneDX bill of materials"),
    "csv": Form(spreadsheet, ".csv", "a row an event, for a spreadsheet"),
}
