"""``outrider case export`` and ``import``: a case that leaves, and one that comes from somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import case_work, export, person, reach, show
from outrider.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.foreign import Foreign
    from outrider.store.view import View

MOST_BUNDLE = 512 << 20
"""Largest bundle that is taken over, in bytes."""


@click.command("export")
@click.argument("case")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file. [default: CASE.zip]")
@click.option(
    "--disclose",
    help="Let content leave, too: `story` for what led to the acts, the acts and the prompts (or one of: cause, act, "
    "prompts), or events: 41,52-60.",
)
@click.option("--names", is_flag=True, help="Name the people behind the pseudonyms: people.json.")
@click.option("--tiles", is_flag=True, help="Add the hashes of all events, so that the root can be made from them.")
@click.option("--wait", default=10, show_default=True, help="Most seconds to wait for witnesses, where there are some.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def export_command(
    *, case: str, output: Path | None, disclose: str | None, names: bool, tiles: bool, wait: int, as_json: bool
) -> None:
    """Seal a case into a bundle that anybody can check: its events, notes, conclusions and the report.

    The texts of the case leave with it, disclosed against their commitments; names of people and content do not, unless
    you say so. Secrets that detectors know are prints in content already; one that none of them knew, or that an agent
    encoded, is still in it: read what you disclose first (`outrider content EVENT`).

    \b
    Examples:
      outrider case export 7f3a91c2d401
      outrider case export 7f3a91c2d401 -o case.zip --disclose story
      outrider case export 7f3a91c2d401 --names --tiles
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    import msgspec

    from outrider.cli import sealed
    from outrider.investigate.casebundle import chosen, packed, people

    at = reach.home()
    person.required(at)
    opened, name = case_work.opened_case(at, case)
    told = case_work.dossier_of(opened, at, name)
    parts = [one.strip() for one in (disclose or "").split(",") if one.strip()]
    words = [one for one in parts if one.isalpha()]
    numbers = export.numbers(",".join(one for one in parts if one not in words))
    shown = sealed.disclosed(opened, at, sorted({*numbers, *chosen(told, words)}), why=name)
    inside = packed(opened, at, told, shown, created=sealed.now(), made_by=sealed.MADE_BY)
    if names:
        named = {
            "statement": "Said by the maker of this bundle; no proof ties a name to its pseudonym.",
            "names": people(told),
        }
        inside.more["people.json"] = msgspec.json.format(msgspec.json.encode(named), indent=1)
    contents = msgspec.structs.replace(inside, policy=sealed.policy(at), tiles=tiles)
    path = output or Path(f"{name}.zip")
    made = sealed.write(path, at, sealed.prover(at, contents.events[-1], wait=wait), contents)
    case_work.write(at, name, "exported", digest=_digest(path))
    if as_json:
        show.emit({"path": str(path), "case": name, "sealed": made}, kind="case-export")
        return
    sealed.tell(path, made)
    if not shown.pieces:
        show.say(
            f"No text that agents read or sent is in it: `outrider case export {name} --disclose story` lets it leave."
        )
    show.say(f"Who has Outrider takes it over with: outrider case import {path.name} --vkey KEY")


def _digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@click.command("import")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--vkey", help="The key of the log that it is from, as you know it. Needed the first time.")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="Demand a quorum of these witnesses.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def import_command(*, bundle: Path, vkey: str | None, policy: Path | None, as_json: bool) -> None:
    """Take over what somebody else's bundle of a case holds, once it verifies.

    Nothing of a bundle is believed before it is found whole under a key that you know by another way: --vkey the first
    time, remembered for that log afterwards. Notes and conclusions of several people stand side by side.

    Exit status: 2 no bundle that is safe to read, 4 its key is not known, 6 not what was sealed.

    \b
    Examples:
      outrider case import case.zip --vkey outrider.example/ada+1a2b3c4d+AZ...
      outrider case import case.zip
    """  # noqa: D301
    import hashlib

    from outrider.investigate.case import ids
    from outrider.investigate.casefile import CaseFile

    at = reach.home()
    person.required(at)
    opened = reach.view(at)
    found, data = _read(bundle, opened, at, vkey, policy)
    digest = hashlib.sha256(data).hexdigest()
    if (known := _taken(opened, found.case, digest)) >= 0:
        show.say(f"It was taken over before, as event {known} of {found.case}; nothing was added.")
        if as_json:
            show.emit({"case": found.case, "origin": found.origin, "event": known}, kind="case-import")
        return
    CaseFile(at, found.case).keep(data, found.vkey)
    if found.case not in ids(opened):
        title = next((text for event, text in found.entries if event.act == "opened" and text), found.case)
        case_work.write(at, found.case, "opened", text=title)
    event = case_work.write(at, found.case, "imported", about=found.origin, digest=digest)
    if as_json:
        show.emit({"case": found.case, "origin": found.origin, "event": event}, kind="case-import")
        return
    show.say(
        f"Verified, and joined to {found.case} as event {event}: {len(found.entries)} entries and {len(found.events)} "
        f"events of {found.origin}. `outrider case show {found.case[5:]}` shows them beside yours."
    )


def _taken(opened: View, case: str, digest: str) -> int:
    """Return the event that says that a bundle was taken over before, or -1."""
    from outrider.events.case import CaseNoted
    from outrider.store import reading

    for event in reading.leaves(opened, reading.of_kind(opened, "case.noted")):
        if isinstance(event, CaseNoted) and (event.act, event.case, event.digest) == ("imported", case, digest):
            return event.n
    return -1


def _read(path: Path, opened: View, at: Home, vkey: str | None, policy: Path | None) -> tuple[Foreign, bytes]:
    """Return what a bundle holds, if it is whole under a key that is known.

    Raises:
        BadInputError: It is no bundle of a case, or not safe to read.
        RefusedError: Its key is not known.
        TamperedError: It is not what was sealed.
    """
    import tempfile

    from outrider.investigate.foreign import read
    from outrider.ledger.verify.bundle import BundleError, WrongError, parse_policy, verify

    if vkey is not None:
        _key(vkey)
    try:
        demand = parse_policy(policy.read_text(encoding="utf-8")) if policy else None
        if path.stat().st_size > MOST_BUNDLE:
            raise BadInputError(f"{path} is larger than {MOST_BUNDLE} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{error.filename or path} cannot be read: {error.strerror}") from error
    except (WrongError, UnicodeDecodeError) as error:
        raise BadInputError(f"{policy} is no policy: {error}") from error
    with tempfile.NamedTemporaryFile(dir=at.root) as copy:
        # What is checked is a copy that nobody else writes, and the same bytes are kept.
        copy.write(data)
        copy.flush()
        try:
            first = verify(Path(copy.name))
            key = vkey or _known(opened, at).get(first.vkey.split("+")[0])
            if key is None and first.ok:
                raise RefusedError(
                    "the key of the log that it is from is not known here, and no bundle is believed for its own key",
                    fix=f"Ask its maker for the key by another way; if it is this: --vkey '{show.safe(first.vkey)}'.",
                )
            found = read(Path(copy.name), vkey=key or first.vkey, policy=demand, name=str(path))
        except BundleError as error:
            raise BadInputError(f"{path}: {error}", fix="Do not open it by other means.") from error
    if found.origin == opened.origin:
        raise BadInputError("the bundle is of this record itself; there is nothing to join")
    return found, data


def _key(text: str) -> None:
    """Do nothing where a text is a verifier key.

    Raises:
        BadInputError: It is none: that says nothing about the bundle.
    """
    from outrider.ledger.verify.formats import parse_vkey

    try:
        parse_vkey(text)
    except BadInputError as error:
        raise BadInputError(
            f"--vkey is no verifier key: {error}", fix="Copy the whole of it; it reads NAME+HASH+KEY."
        ) from error


def _known(opened: View, at: Home) -> dict[str, str]:
    """Return the keys of logs whose bundles were taken over before, by origin."""
    from outrider.events.case import CaseNoted
    from outrider.investigate.casefile import CaseFile
    from outrider.store import reading

    known: dict[str, str] = {}
    for event in reading.leaves(opened, reading.of_kind(opened, "case.noted")):
        if isinstance(event, CaseNoted) and event.act == "imported":
            kept = CaseFile(at, event.case).bundle(event.digest)
            if kept is not None:
                known[event.about] = kept[1]
    return known
