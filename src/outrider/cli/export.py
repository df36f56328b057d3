"""``outrider export``."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show, times
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.store.view import View

_RANGE = re.compile(r"([0-9]{1,15})(?:-([0-9]{1,15}))?")
_MOST = 1_000_000
FORMS = ("timesketch", "ocsf", "prov", "perfetto", "sarif", "cyclonedx", "csv")
"""The forms of :mod:`outrider.investigate.exports.registry`, which is not imported for a help page."""


@click.command("export")
@click.option("--events", help="Events by number: 41,52-60.")
@click.option("--agent", "agents", multiple=True, help="All events of an agent; its id, or the end of it.")
@click.option("--lineage", "lineages", multiple=True, help="Those of an agent and of all that descends from it.")
@click.option("--artefact", "artefacts", multiple=True, help="Those that tie agents to it, as `involved` finds them.")
@click.option("--since", metavar="TIME", help="Only what came from then on: 2026-11-23, 14:03, 90m, 7d.")
@click.option("--until", metavar="TIME", help="Only what came before.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file. [default: by time]")
@click.option(
    "--to",
    "form",
    type=click.Choice(["bundle", *FORMS]),
    default="bundle",
    show_default=True,
    help="The form: a sealed bundle, or what another tool reads.",
)
@click.option("--disclose", help="Let the content of these events leave, too: 41,52-60.")
@click.option(
    "--besides", is_flag=True, help="Let what lies beside events leave, too; names of people stay sealed in it."
)
@click.option("--tiles", is_flag=True, help="Add the hashes of all events, so that the root can be made from them.")
@click.option("--wait", default=10, show_default=True, help="Most seconds to wait for witnesses, where there are some.")
@click.option("--verifier", is_flag=True, help="Print verify.py, which checks bundles without Outrider, and end.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(
    *,
    events: str | None,
    agents: tuple[str, ...],
    lineages: tuple[str, ...],
    artefacts: tuple[str, ...],
    since: str | None,
    until: str | None,
    output: Path | None,
    form: str,
    disclose: str | None,
    besides: bool,
    tiles: bool,
    wait: int,
    verifier: bool,
    as_json: bool,
) -> None:
    """Seal events into a bundle that anybody can check without Outrider and without trusting you.

    A bundle is a zip: each event with the proof that it stands in the log, the signed checkpoint with the cosignatures
    of witnesses, what was held back and why, what the record could not see, and `verify.py`. Secrets and names of
    people do not leave, and content only where --disclose names its event. What is needed to understand the events
    (births, charters, results) comes along.

    With --to, the same events leave in a form that another tool reads. That names each leaf's hash, and proves nothing.

    \b
    Examples:
      outrider export --agent 4KQ7 -o 4kq7.zip
      outrider export --artefact evil.example --events 41,52-60
      outrider export --since 2026-11-23T14:00 --until 2026-11-23T15:00
      outrider export --to ocsf --agent 4KQ7 -o - | jq .message
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if verifier:
        _verifier()
        return
    from outrider.cli import sealed
    from outrider.investigate.coverage import coverage
    from outrider.investigate.sealing import Contents
    from outrider.investigate.selecting import Wanted, select

    at = reach.home()
    opened = reach.view(at)
    wanted = Wanted(
        events=numbers(events or ""),
        agents=tuple(reach.agent_id(opened, one) for one in agents),
        lineages=tuple(reach.agent_id(opened, one) for one in lineages),
        artefacts=artefacts,
        since=times.moment(since) if since else 0,
        until=times.moment(until) if until else 0,
    )
    selection = select(opened, wanted, key=reach.key(at))
    if form != "bundle":
        _convert(opened, selection.events, form, output, as_json=as_json)
        return
    shown = sealed.disclosed(opened, at, numbers(disclose or ""), why=selection.asked)
    leaving = tuple(sorted({*selection.events, *shown.promised_by}))
    path = output or Path(f"outrider-{sealed.now().replace(':', '')}.zip")
    contents = Contents(
        events=leaving,
        asked=selection.asked,
        created=sealed.now(),
        made_by=sealed.MADE_BY,
        coverage=coverage(opened),
        policy=sealed.policy(at),
        disclosed=shown.pieces,
        notes=shown.notes,
        besides=besides,
        tiles=tiles,
    )
    made = sealed.write(path, at, sealed.prover(at, leaving[-1], wait=wait), contents)
    if as_json:
        show.emit({"path": str(path), "chosen": len(selection.chosen), "sealed": made}, kind="export")
        return
    sealed.tell(path, made)


def _verifier() -> None:
    from outrider.ledger.verify.bundle.single import source

    click.echo(source(), nl=False)


def _convert(view: View, events: tuple[int, ...], form: str, output: Path | None, *, as_json: bool) -> None:
    from outrider.investigate.exports.material import Material
    from outrider.investigate.exports.registry import FORMS as KNOWN

    one = KNOWN[form]
    written = one.write(Material(view, events))
    if output is not None and str(output) == "-":
        for chunk in written:
            click.echo(chunk, nl=False)
        return
    path = output or Path(f"outrider-{events[0]}-{events[-1]}{one.suffix}")
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise FileExistsError(errno.EEXIST, "it is there already")
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            size = sum(file.write(chunk) for chunk in written)
        part.rename(path)
    except OSError as error:
        if not isinstance(error, FileExistsError):
            part.unlink(missing_ok=True)
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}", fix="Name another file: -o FILE, or -o - for stdout."
        ) from error
    if as_json:
        show.emit({"path": str(path), "form": form, "events": len(events), "bytes": size}, kind="export")
        return
    show.say(f"{len(events):,} events, {size:,} bytes: {path} ({one.about})")


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in ``41,52-60``.

    Raises:
        BadInputError: It reads otherwise, or means too many.
    """
    found: list[int] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise BadInputError(f"{part!r} is no event and no span of events", fix="For example: --events 41,52-60.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first + len(found) >= _MOST:
            raise BadInputError(f"more than {_MOST} events are too many for one bundle", fix="Name a time instead.")
        found += range(first, last + 1)
    return tuple(found)
