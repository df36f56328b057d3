"""``outrider witness keygen|know|serve|show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import show

if TYPE_CHECKING:
    from outrider.witness.home import WitnessHome

_HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the witness keeps its things. [default: $OUTRIDER_WITNESS_HOME, else ~/.outrider-witness]",
)


@click.group("witness")
def command() -> None:
    """Vouch for other people's records: cosign checkpoints, and never two histories of one log.

    A witness belongs on another host, or to another organisation: who rewrites a record with its key cannot make the
    witness forget what it cosigned.

    \b
    Examples:
      outrider witness keygen witness.example/w1
      outrider witness know outrider.local/7f3a+cb17d87c+AfTk...
      outrider witness serve --port 8438
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


@command.command("keygen")
@click.argument("name")
@click.option("--post-quantum", is_flag=True, help="A key of ML-DSA-44, which no quantum computer forges.")
@_HOME
def keygen(*, name: str, post_quantum: bool, home: Path | None) -> None:
    """Make the key of a witness called NAME, and print the verifier key that others are to be given.

    Ed25519 is what every checker knows; those of the Go project, for one, do not know ML-DSA-44 yet. A policy can name
    witnesses of both.

    \b
    Examples:
      outrider witness keygen witness.example/w1
      outrider witness keygen witness.example/w2 --post-quantum
    """  # noqa: D301
    click.echo(_home(home).make(name, lattice=post_quantum).vkey)


@command.command("know")
@click.argument("vkey")
@_HOME
def know(*, vkey: str, home: Path | None) -> None:
    """Know a log by its verifier key, which `record/log.vkey` in its home holds. A running witness is started anew.

    \b
    Example:
      outrider witness know "$(cat record/log.vkey)"
    """  # noqa: D301
    show.say(f"outrider: the checkpoints of {show.safe(_home(home).know(vkey).name)} are cosigned from the next start")


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8438, show_default=True, type=click.IntRange(0, 65535), help="0 for any.")
@_HOME
def serve(*, host: str, port: int, home: Path | None) -> None:
    """Answer logs over HTTP (c2sp.org/tlog-witness) until stopped. It does not start if its state was put back.

    \b
    Example:
      outrider witness serve --host 192.0.2.7 --port 8438
    """  # noqa: D301
    import asyncio

    from outrider.witness.serving import listen

    where = _home(home)
    asyncio.run(listen(where, host, port, lambda at: show.say(f"outrider: {where.own().name} listens on http://{at}")))


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@_HOME
def show_(*, as_json: bool, home: Path | None) -> None:
    """Show a witness's verifier key, and what it cosigned last of each log that it knows.

    \b
    Example:
      outrider witness show
    """  # noqa: D301
    from outrider.witness.state import read

    where = _home(home)
    own = where.own()
    known = where.known()
    seen = {origin: read(where.state, where.marks, own, origin, keys) for origin, keys in known.items()}
    logs = [
        {
            "origin": origin,
            "vkeys": [key.vkey for key in known[origin]],
            "size": one.head.size if one else 0,
            "root": one.head.root.hex() if one else "",
            "cosigned": one.seconds if one else 0,
        }
        for origin, one in seen.items()
    ]
    if as_json:
        show.emit({"name": own.name, "vkey": own.vkey, "logs": logs}, kind="witness")
        return
    show.facts([("name", own.name), ("key", own.vkey)])
    rows = [(str(size_of(one)), show.when(int(str(one["cosigned"])) * 1_000_000), str(one["origin"])) for one in logs]
    show.table(["events", "cosigned (UTC)", "log"], rows)


def size_of(log: dict[str, object]) -> object:
    """Return the number of events that were cosigned, or a dash."""
    return log["size"] if log["cosigned"] else "-"


def _home(named: Path | None) -> WitnessHome:
    from outrider.witness.home import WitnessHome

    return WitnessHome(named.absolute()) if named is not None else WitnessHome.default()
