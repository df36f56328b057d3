"""``outrider charter sign`` and ``outrider charter trust``: who vouches for a charter, and whose word counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from outrider.cli import named, person, reach, show
from outrider.config import load_config, save_config
from outrider.daemon import shelf
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.config import Home, Signing

_JSON = click.option("--json", "as_json", is_flag=True, help="One object on stdout.")


@click.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@_JSON
def sign(*, file: Path, as_json: bool) -> None:
    """Sign the charter in FILE with this host's key; the signature is written beside it.

    The key (Ed25519) is made on first use. The signature covers what the charter says, not its comments. On another
    host it counts once `outrider charter trust` was given the key there.

    \b
    Example:
      outrider charter sign my-charter.toml
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.charter import seal
    from outrider.charter.parse import parse
    from outrider.doors.claude_code import files

    home = reach.home()
    person.required(home)
    charter = parse(named.text_of(file), source=str(file))
    home.make()
    key = shelf.signing_key(home)
    beside = file.with_name(file.name + ".sig")
    files.write(beside, seal.sign(charter, key) + b"\n", 0o644)
    by, public = seal.key_id(key.public_key()), seal.written(key.public_key())
    if as_json:
        told = {"charter": charter.name, "digest": charter.digest, "by": by, "key": public, "path": str(beside)}
        show.emit(told, kind="signature")
        return
    show.say(f"Signed {charter.name} {charter.digest} with key {by[:16]}: {show.safe(str(beside))}")
    show.say(f"Elsewhere it counts after: outrider charter trust {public}")


@click.command("trust")
@click.argument("key", required=False)
@click.option("--remove", is_flag=True, help="Let KEY's signatures count no longer.")
@click.option("--require/--no-require", default=None, help="Whether your own charters need a signature that counts.")
@_JSON
def trust(*, key: str | None, remove: bool, require: bool | None, as_json: bool) -> None:
    """Let KEY's signatures on charters count; without KEY, list the keys that do.

    KEY is "ed25519:..." as this command and `outrider charter sign` print it, its id in a --remove, or a file with the
    key in that form or in PEM. As long as no key was named, this host's own counts.

    With --require, a charter in Outrider's home comes into force only with a signature that counts. One without, or
    by another key, is refused, and the last good version stays in force. It counts within a second.

    \b
    Examples:
      outrider charter trust
      outrider charter trust security-team.pem --require
      outrider charter trust 0f3a9c81d2e4b675 --remove
    """  # noqa: D301
    home = reach.home()
    if key is not None or require is not None:
        person.required(home)
        _change(home, key, remove=remove, require=require)
    elif remove:
        raise BadInputError("which key is to be removed?", fix="Give it, or its id.")
    _list(home, as_json=as_json)


def _change(home: Home, key: str | None, *, remove: bool, require: bool | None) -> None:
    config = load_config(home)
    signing = config.charters
    if key is not None:
        signing = _without(home, signing, key) if remove else _with(home, signing, key)
    if require is not None:
        signing = msgspec.structs.replace(signing, signed=require)
    home.make()
    save_config(home, msgspec.structs.replace(config, charters=signing))


def _with(home: Home, signing: Signing, key: str) -> Signing:
    from outrider.charter import seal

    text = key if key.startswith(seal.PREFIX) else named.text_of(Path(key)).strip()
    now = [seal.written(one) for one in shelf.trusted(home, signing)]
    keys = tuple(dict.fromkeys([*now, seal.written(seal.public_key(text))]))
    return msgspec.structs.replace(signing, keys=keys)


def _without(home: Home, signing: Signing, key: str) -> Signing:
    from outrider.charter import seal

    now = shelf.trusted(home, signing)
    kept = tuple(seal.written(one) for one in now if key not in {seal.written(one), *_ids(seal.key_id(one))})
    if len(kept) == len(now):
        raise BadInputError("no such key counts here", fix="`outrider charter trust` lists those that do.")
    if not kept:
        raise BadInputError(
            "it is the last key that counts here; without any, this host's own would",
            fix="Name another one first: `outrider charter trust KEY`.",
        )
    return msgspec.structs.replace(signing, keys=kept)


def _ids(whole: str) -> tuple[str, str]:
    return whole, whole[:16]


def _list(home: Home, *, as_json: bool) -> None:
    from outrider.charter import seal

    signing = load_config(home).charters
    own = ""
    if (home.keys / "charter.key").exists():
        own = seal.key_id(shelf.signing_key(home).public_key())
    keys: list[dict[str, Any]] = [
        {"id": seal.key_id(one), "key": seal.written(one), "own": seal.key_id(one) == own}
        for one in shelf.trusted(home, signing)
    ]
    if as_json:
        show.emit({"required": signing.signed, "keys": keys}, kind="charter-trust")
        return
    demands = "come into force only with a signature that counts" if signing.signed else "need no signature"
    show.say(f"Charters of your own {demands}.")
    if not keys:
        show.say("No key counts here yet: `outrider charter sign` makes this host's own.")
        return
    show.table(
        ["id", "whose", "key"],
        [(one["id"][:16], "this host's" if one["own"] else "another's", one["key"]) for one in keys],
        last_wraps=True,
    )
