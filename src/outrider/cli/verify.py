"""``outrider verify``."""

from __future__ import annotations

from pathlib import Path

import click

from outrider.cli import reach, show


@click.command("verify")
@click.option("--record", type=click.Path(path_type=Path), help="Directory of a record. [default: this host's]")
@click.option("--vkey", help="Verifier key that you trust. [default: the record's own, which proves less]")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, record: Path | None, vkey: str | None, as_json: bool) -> int:
    """Check the record from its bytes, with code that shares nothing with its writer.

    Exit status: 0 whole, 6 tampered with.

    \b
    Examples:
      outrider verify
      outrider verify --record outrider-case-20261123-140311/record
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.ledger.verify import verify

    where = record or reach.home().record
    report = verify(where, vkey)
    if as_json:
        import dataclasses

        show.emit(dataclasses.asdict(report), kind="verify")
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
            ("assurance", f"{report.assurance}: nobody outside this machine vouches for it"),
            ("gaps", f"{len(report.gaps)} recorded" if report.gaps else "none recorded"),
        ]
    )
    for problem in report.problems:
        click.echo(f"  {click.style('problem', fg='red')}  {show.safe(str(problem))}")
    if report.more:
        click.echo(f"  ... and {report.more} more")
    return 0 if report.ok else 6
