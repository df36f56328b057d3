"""``outrider credential``."""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import suppress
from typing import Any

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError, OutriderError, UnavailableError

_SECONDS = 20.0
"""How long an answer may take: a token service abroad may be asked for it."""
_MOST = 64 * 1024


@click.group("credential")
def command() -> None:
    """Short-lived credentials for the agent that runs this, as far as its charter lets it use them.

    What there is to be lent stands in credentials.toml in Outrider's home; `use_credential` in a charter says who may
    have it: brokered:aws:NAME, brokered:git:HOST, brokered:audience:AUDIENCE.

    \b
    Examples:
      git config --global credential.helper '!outrider credential'
      credential_process = outrider credential aws deploy      (in ~/.aws/config)
      outrider credential token --audience https://vault.example
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


@command.command("token", short_help="Print a token that says who this agent is.")
@click.option("--audience", required=True, help="Whom the token is for.")
@click.option("--bind", "jkt", default="", metavar="THUMBPRINT", help="Key that the token is bound to (RFC 7638).")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def token(audience: str, jkt: str, *, as_json: bool) -> None:
    """Print a token that says who this agent is, for one audience and five minutes."""
    got = _asked({"service": "token", "audience": audience, "jkt": jkt})
    if as_json:
        show.emit(got, kind="credential")
    else:
        click.echo(got["token"])


@command.command("aws", short_help="Print the keys of a role, for credential_process.")
@click.argument("name")
def aws(name: str) -> None:
    """Print the keys of a role as AWS's credential_process wants them."""
    got = _asked({"service": "aws", "name": name})
    said = {
        "Version": 1,
        "AccessKeyId": got["key_id"],
        "SecretAccessKey": got["secret"],
        "SessionToken": got["session_token"],
        "Expiration": dt.datetime.fromtimestamp(got["expires"], tz=dt.UTC).isoformat().replace("+00:00", "Z"),
    }
    click.echo(_json(said))


@command.command("get")
def get() -> None:
    """Answer git, as a credential helper does."""
    asked = _git_says()
    try:
        got = _asked({"service": "git", "protocol": asked.get("protocol", ""), "host": asked.get("host", "")})
    except UnavailableError as error:  # Whoever asks: without a daemon this helper is not there.
        show.say(f"outrider: {error}")
        return
    except OutriderError as error:
        click.echo("quit=1")  # Without it git would ask a terminal, where nobody sits.
        show.say(f"outrider: {error}" + (f"\n  {error.fix}" if error.fix else ""))
        return
    if got["known"]:
        click.echo(f"username={got['username']}\npassword={got['password']}\npassword_expiry_utc={got['expires']}")


@command.command("store", hidden=True)
def store() -> None:
    """Note that git's host took what was lent. It is short-lived and nothing is kept."""
    _used(ok=True)


@command.command("erase", hidden=True)
def erase() -> None:
    """Note that git's host refused what was lent. There is nothing to forget."""
    _used(ok=False)


@command.command("issuer", short_help="Print what those who check credentials need.")
@click.argument("what", type=click.Choice(["discovery", "jwks", "history"]))
def issuer(what: str) -> None:
    """Print what those who verify need: the OIDC discovery document, the keys, or all keys there ever were."""
    click.echo(_json(reach.daemon({"do": "issuer"})[what]))


@command.command("rotate")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def rotate(*, as_json: bool) -> None:
    """Let another key sign from now on. Agents can not ask for this.

    Those who check credentials take what the old key signed until it is over, five minutes later at the latest.
    """
    got = reach.daemon({"do": "rotate"})
    if as_json:
        show.emit(got, kind="credential")
    else:
        click.echo(f"key {got['kid']} signs for {got['issuer']} from now on")


@command.command("check", short_help="Say whose credential it is, and whether it holds.")
@click.option("--audience", required=True, help="Whom it must be for.")
@click.option("--at", "moment", default="", help="As of when, such as 2026-01-31T14:03:00Z; now if not said.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def check(audience: str, moment: str, *, as_json: bool) -> None:
    """Say whose credential it is that stands on stdin, and whether it held."""
    request: dict[str, Any] = {"do": "checked", "token": sys.stdin.read(_MOST).strip(), "audience": audience}
    if moment:
        request["at"] = _micros(moment)
    got = reach.daemon(request)
    if as_json:
        show.emit(got, kind="credential")
    else:
        click.echo(f"{got['sub']}\n  acts for {', '.join(got['acts_for']) or 'nobody else'}")


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    return reach.daemon({"do": "credential", **request}, seconds=_SECONDS)


def _used(*, ok: bool) -> None:
    """Tell the daemon what git's host did. Git tells every helper of everything, so most of it is not ours."""
    said = _git_says()
    if "password" not in said:
        return
    request = {"token": said["password"], "protocol": said.get("protocol", ""), "host": said.get("host", "")}
    with suppress(OutriderError):
        reach.daemon({"do": "used", "ok": ok, **request})


def _git_says() -> dict[str, str]:
    """Return what git says on stdin: one ``key=value`` a line, up to an empty one."""
    said = (line.partition("=") for line in sys.stdin.read(_MOST).partition("\n\n")[0].splitlines())
    return {key: value for key, equals, value in said if equals}


def _micros(text: str) -> int:
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is no time", fix="For example: 2026-01-31T14:03:00Z.") from error
    when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    return int(when.timestamp() * 1_000_000)
