"""What most commands begin with: the home, its view, its prints' key, and who is at the other end of a socket."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from outrider.cli import elsewhere, show
from outrider.config import Home
from outrider.daemon.control import ask
from outrider.errors import OutriderError, UnavailableError

if TYPE_CHECKING:
    from outrider.ledger.separation import Assurance
    from outrider.store.view import View

_MANY = 20_000


def home() -> Home:
    """Return the home that commands work on: the one that the running command was told of, else this user's."""
    return elsewhere.home() or Home.default()


def view(at: Home | None = None, *, imported: bool = False) -> View:
    """Return the view, brought up to the record's end, with progress on stderr if that takes a while.

    Args:
        at: The home, if it is not this user's.
        imported: Whether what was imported is asked, rather than what was witnessed.

    Raises:
        UnavailableError: There is no such record yet.
    """
    from outrider.investigate.reach import view_of

    where = at or home()
    if imported:
        has_imports(where)
        where = where.imported
    else:
        sync(where)
    opened = view_of(where, progress=_progress)
    opened.assurance = proves(where).level
    if opened.note:
        show.say(f"outrider: {opened.note}")
    return opened


def has_imports(at: Home) -> None:
    """Do nothing where something was imported.

    Raises:
        UnavailableError: Nothing was.
    """
    if not at.imported.record.is_dir():
        raise UnavailableError("nothing was imported yet", fix="`outrider import HOST PATH...` reads transcripts.")


def proves(at: Home | None = None) -> Assurance:
    """Return how much the record proves, and what stands between agents and it."""
    from outrider.cli import witnesses

    where = at or home()
    try:
        running = status(where)
    except OutriderError:
        running = None
    return witnesses.level(where, running)


def contact(at: Home | None = None) -> str:
    """Return whom the host's configuration names to ask, in one line; nothing where it names nobody or is wrong."""
    from outrider.config import load_config

    try:
        return load_config(at or home()).contact.words
    except OutriderError:  # `outrider doctor` says what is wrong with it.
        return ""


def refresh(opened: View, at: Home | None = None) -> None:
    """Bring an open view up to the record's end."""
    from outrider.investigate.reach import Pairs, record_of
    from outrider.store.follow import catch_up

    catch_up(opened, Pairs(record_of(at or home())))


def key(at: Home | None = None) -> bytes:
    """Return the key of this host's prints, empty where there is none: URLs and secrets then cannot be looked up."""
    from outrider.ledger.keys import print_key

    path = (at or home()).keys / "print.key"
    return print_key(path) if path.exists() else b""


def daemon(request: dict[str, Any], at: Home | None = None, *, seconds: float = 5.0) -> dict[str, Any]:
    """Ask the daemon and return its answer, which may take ``seconds``.

    Raises:
        OutriderError: It says no, with its own exit code.
        UnavailableError: Nobody answers.
    """
    answer = ask((at or home()).socket, request, timeout=seconds)
    if "error" in answer:
        error = OutriderError(str(answer["error"]), fix=str(answer.get("fix", "")))
        error.exit_code = int(answer.get("exit_code", 1))
        raise error
    return answer


def status(at: Home | None = None) -> dict[str, Any] | None:
    """Return the daemon's status, or None if none answers."""
    try:
        return daemon({"do": "status"}, at)
    except UnavailableError:
        return None


def agent_id(opened: View, text: str) -> str:
    """Return the id of the agent that ``text`` names: its id, or the end of one if that is enough to tell.

    Raises:
        BadInputError: None has it, or several have.
    """
    from outrider.errors import BadInputError

    rows = opened.rows("SELECT id FROM agents WHERE id = ? OR id LIKE ? LIMIT 5", text, f"%{text}")
    found = [str(row[0]) for row in rows]
    if text in found or len(found) == 1:
        return text if text in found else found[0]
    if found:
        raise BadInputError(f"several agents end in {text!r}: {', '.join(found)}", fix="Give more of the id.")
    raise BadInputError(f"there is no agent {text!r}", fix="`outrider agents --all` lists them.")


def sync(where: Home) -> None:
    """Ask a running daemon to put everything on disk first; without one everything already is."""
    import contextlib

    with contextlib.suppress(OutriderError):
        ask(where.socket, {"do": "sync"}, timeout=2)


def _progress(size: int) -> None:
    if size >= _MANY and sys.stderr.isatty():
        show.say(f"\rreading the record: {size} events ")
