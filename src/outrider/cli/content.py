"""``outrider content``."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import click
import msgspec

from outrider.cli import elsewhere, reach, show
from outrider.errors import TamperedError, UnavailableError

if TYPE_CHECKING:
    from outrider.events.content import Commitment
    from outrider.ledger.content.contents import Content


@click.command("content")
@click.argument("event", type=click.IntRange(0))
@click.option("--why", default="", help="Why you read it; it is recorded.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout, with the salts that prove the text.")
def command(*, event: int, why: str, as_json: bool) -> None:
    """Show what is kept of an event's content, and record that it was read.

    It is checked against the commitments in the record first. Secrets were taken out of it before it was stored. What
    hexadecimal, base64 or percent escapes in it say is told below it.

    \b
    Examples:
      outrider content 4711
      outrider content 4711 --why "case 12" --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.decoding import decoded
    from outrider.ledger.content.contents import Contents

    home = reach.home()
    read = reach.daemon({"do": "content", "of": event, "why": why}, seconds=60)
    with Contents(home.content, home.content_key) as contents:
        content = contents.read(event)
    if content is None:
        raise UnavailableError(f"nothing is kept of event {event}: it was erased meanwhile")
    vouched = proved(event, content)
    if as_json:
        show.emit(_plain(content, vouched, read["event"]), kind="content")
        return
    show.say(f"event {event}, {content.media}, {vouched}; read as event {read['event']}")
    if content.text is None:
        show.say("Its text was not kept; only the salt of its commitment was.")
        return
    text = _readable(content.text.decode("utf-8", "replace"))
    for line in text.splitlines():
        click.echo(show.safe(line))
    for one in decoded(text):
        show.say(one.label)
        for line in one.shown.splitlines():
            show.say(f"  {show.safe(line)}")


def _readable(text: str) -> str:
    """Return a text for a person to read: messages to a model one by one, everything else as it stands."""
    from outrider.events.message import text_of

    try:
        messages = msgspec.json.decode(text) if text.startswith("[{") else None
    except msgspec.DecodeError:
        return text
    if not isinstance(messages, list) or not all(isinstance(one, dict) and "role" in one for one in messages):
        return text
    return "\n\n".join(f"{one['role']}:\n{text_of(one.get('content', ''))}" for one in messages)


def kept_text(event: int, why: str) -> bytes | None:
    """Return what is kept of an event's content, checked, once it is recorded that it is read; None where nothing is.

    Raises:
        UnavailableError: No daemon is there to record it.
        RefusedError: An agent asks.
        TamperedError: It is not what the record says.
    """
    from outrider.ledger.content.contents import Contents

    if elsewhere.home() is not None:
        raise UnavailableError(
            "no content of a copy is opened, since no daemon is there to record that it was read",
            fix="`outrider restore` puts a backup with its keys into a home of its own.",
        )
    home = reach.home()
    reach.daemon({"do": "content", "of": event, "why": why}, seconds=60)
    with Contents(home.content, home.content_key) as contents:
        content = contents.read(event)
    if content is None:
        return None
    proved(event, content)
    return content.text


def proved(event: int, content: Content) -> str:
    """Return how far the record vouches for a text.

    Raises:
        TamperedError: It contradicts it.
    """
    from outrider.events.codec import decode
    from outrider.events.content import ContentKept
    from outrider.investigate.reach import record_of
    from outrider.ledger.content.contents import checks, checks_kept

    if content.text is None:
        return "not kept"
    record = record_of(reach.home())
    leaf = next(iter(record.entries(event, event + 1))).leaf
    committed: Commitment | None = getattr(decode(leaf), "content", None)
    if content.exact and committed is not None and not checks(content, committed):
        raise TamperedError(f"the content of event {event} is not what the event says", fix="Run `outrider verify`.")
    if content.told < 0:
        return "the record does not name it yet"
    told = decode(next(iter(record.entries(content.told, content.told + 1))).leaf)
    said = next((one for one in told.kept if one.of == event), None) if isinstance(told, ContentKept) else None
    if said is None or not checks_kept(content, said):
        raise TamperedError(
            f"the content of event {event} is not what event {content.told} says is kept", fix="Run `outrider verify`."
        )
    if content.exact:
        return "whole, as the event itself commits to"
    return f"{said.taken} secrets taken out, {said.cut} bytes left out, as event {content.told} commits to"


def _plain(content: Content, vouched: str, read: int) -> dict[str, Any]:
    def packed(data: bytes | None) -> str | None:
        return None if data is None else base64.b64encode(data).decode()

    return {
        "event": content.n, "media": content.media, "proved": vouched, "read": read, "told": content.told,
        "text": packed(content.text), "salt": packed(content.salt), "own_salt": packed(content.own),
        "exact": content.exact, "kept": content.kept,
    }  # fmt: skip
