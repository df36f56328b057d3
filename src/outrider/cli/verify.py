"""``outrider verify``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show, witnesses
from outrider.errors import BadInputError, UnavailableError

if TYPE_CHECKING:
    from outrider.ledger.verify import Demand, Report
    from outrider.ledger.verify.policy import Policy


@click.command("verify")
@click.argument("bundle", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--record", type=click.Path(path_type=Path), help="Directory of a record. [default: this host's]")
@click.option("--vkey", help="Verifier key that you trust. [default: the record's own, which proves less]")
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Demand what this file says of witnesses (c2sp.org/tlog-policy).",
)
@click.option("--age", default=3600, show_default=True, help="Seconds for which their word makes a record `witnessed`.")
@click.option("--ask", is_flag=True, help="Ask the witnesses of the policy, too, which checkpoint they cosigned last.")
@click.option(
    "--tsa-roots",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check the record's timestamp (RFC 3161), trusting these certificates.",
)
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(
    *,
    bundle: Path | None,
    record: Path | None,
    vkey: str | None,
    policy: Path | None,
    age: int,
    ask: bool,
    tsa_roots: Path | None,
    as_json: bool,
) -> int:
    """Check the record from its bytes, or a BUNDLE of it, with code that shares nothing with its writer.

    A bundle is read and never extracted. With --vkey it must be of the log whose key that is.

    Exit status: 0 whole, 6 tampered with.

    \b
    Examples:
      outrider verify
      outrider verify --record outrider-case-20261123-140311/record
      outrider verify --policy witnesses.policy --ask
      outrider verify case.zip --vkey outrider.local/7f3a+cb17d87c+AfTk...
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if bundle is not None:
        if record is not None or ask:
            raise BadInputError("a bundle is checked by itself", fix="Leave --record and --ask out.")
        return _bundle(bundle, vkey, policy, as_json=as_json)
    from outrider.ledger.verify import verify

    where = record or reach.home().record
    demand = _demand(policy, age)
    if ask and demand is None:
        raise BadInputError("nobody can be asked without --policy", fix="Name the file that names the witnesses.")
    earlier = asked(where, vkey, demand.policy) if ask and demand else []
    stamp = _stamped(where, tsa_roots)
    earlier += [stamp[0]] if stamp else []
    report = verify(where, vkey, earlier=earlier, demand=demand, content=where.parent / "content")
    level = report.assurance if record or report.assurance == "witnessed" else _separate()
    if as_json:
        import dataclasses

        show.emit({**dataclasses.asdict(report), "assurance": level}, kind="verify")
        return 0 if report.ok else 6
    if report.ok:
        click.echo(click.style("The record is whole.", fg="green"))
    else:
        click.echo(click.style("The record was tampered with, or is damaged.", fg="red"))
    show.facts(
        [
            ("events", f"{report.events}, of which the checkpoint covers {report.sealed}"),
            ("origin", report.origin),
            ("root", report.root),
            ("key", report.vkey + ("" if report.vkey_given else "  (the record's own: --vkey proves more)")),
            ("assurance", witnesses.words(level)),
            *_cosigned(report),
            *([("timestamp", stamp[1])] if stamp else []),
            *_erased(report),
            ("gaps", f"{len(report.gaps)} recorded" if report.gaps else "none recorded"),
        ]
    )
    for problem in report.problems:
        click.echo(f"  {click.style('problem', fg='red')}  {show.safe(str(problem))}")
    if report.more:
        click.echo(f"  ... and {report.more} more")
    return 0 if report.ok else 6


def _bundle(path: Path, vkey: str | None, policy: Path | None, *, as_json: bool) -> int:
    import dataclasses

    from outrider.ledger.verify.bundle import BundleError, WrongError, lines, parse_policy, verify

    try:
        demand = parse_policy(policy.read_text(encoding="utf-8")) if policy else None
        report = verify(path, vkey=vkey, policy=demand)
    except (BundleError, WrongError) as error:
        raise BadInputError(f"{path}: {error}", fix="Do not open it by other means.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{policy} cannot be read: {error}") from error
    if as_json:
        show.emit({**dataclasses.asdict(report), "ok": report.ok}, kind="verify-bundle")
    else:
        for line in lines(report):
            click.echo(line)
    return 0 if report.ok else 6


def _separate() -> str:
    """Return the level of this host's own record, which who runs ``verify`` did not demand to be witnessed."""
    return "separate-user" if reach.proves().separation.separate else "local"


def _demand(policy: Path | None, age: int) -> Demand | None:
    from outrider.ledger.verify import Demand
    from outrider.ledger.verify.policy import parse_policy

    if policy is None:
        return None
    try:
        return Demand(parse_policy(policy.read_bytes()), int(time.time()), age)
    except OSError as error:
        raise BadInputError(f"{policy} cannot be read: {error.strerror}") from error


def asked(where: Path, vkey: str | None, policy: Policy) -> list[str]:
    """Return what each witness that has an address says it cosigned last of this log."""
    from outrider.ledger.verify.notes import LOG, parse_verifier
    from outrider.witness.asking import last_cosigned

    try:
        log = parse_verifier(vkey or (where / "log.vkey").read_text(encoding="utf-8"), kind=LOG)
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"there is no record at {where}") from error
    texts = []
    for one in policy.witnesses.values():
        if not one.url:
            continue
        said = last_cosigned(one.url, log.name)
        if said.status == 200:
            texts.append(said.body.decode("utf-8", "replace"))
        else:
            show.say(f"outrider: witness {show.safe(one.name)} says nothing of this log (status {said.status})")
    return texts


def _stamped(where: Path, roots: Path | None) -> tuple[str, str] | None:
    """Return the checkpoint that an authority stamped last, and what is to be said of it; None if none is wanted.

    Raises:
        BadInputError: There is no stamp, or it does not hold.
    """
    from outrider.ledger.stamping import STAMPED, TOKEN, stamped
    from outrider.ledger.verify.notes import head_of, parse_note

    if roots is None:
        return None
    try:
        text, token = (where / STAMPED).read_bytes(), (where / TOKEN).read_bytes()
        when = stamped(token, text, roots.read_bytes())
    except OSError as error:
        fix = "The daemon asks for one where [timestamps] names an authority."
        raise BadInputError(f"no timestamp can be checked: {error}", fix=fix) from error
    size = head_of(parse_note(text)).size
    told = f"the first {size} events were there at {show.when(when * 1_000_000)} UTC, an authority says"
    return text.decode(), told


def _erased(report: Report) -> list[tuple[str, str]]:
    number = len(report.erased)
    return [("erased", f"content was, by {number} events; no proof is touched")] if number else []


def _cosigned(report: Report) -> list[tuple[str, str]]:
    one = report.cosigned
    if one is None:
        return []
    if not one.since:
        return [("cosigned", "no quorum cosigned a checkpoint of it")]
    ago = show.lasting((int(time.time()) - one.since) * 1_000_000)
    told = f"the first {one.size} events, {ago} ago, by {', '.join(one.by)}; {report.events - one.size} came after"
    return [("cosigned", told)]
