"""The files that charters stand in: the built-in ones, and the user's, which hide them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outrider.config import builtin_charters

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.config import Home

MAX_CHARTER = 1024 * 1024
MAX_CHARTERS = 1000


class CharterText(NamedTuple):
    """A charter's file.

    Attributes:
        path: Where it stands.
        text: The TOML.
        signature: Content of the ``.sig`` file beside it, None if there is none.
        builtin: Whether it came with Outrider.
    """

    path: Path
    text: str
    signature: bytes | None
    builtin: bool


def charter_texts(home: Home) -> dict[str, CharterText]:
    """Return every charter by name: the built-in ones, and the user's, which hide a built-in one of that name.

    The name is the file's, without ``.toml``. A file that cannot be read, is not UTF-8 or is larger than 1 MiB has
    the empty text, so that it is refused as a charter rather than silently replaced by the built-in one it hides.
    """
    found: dict[str, CharterText] = {}
    for directory, builtin in ((builtin_charters(), True), (home.charters, False)):
        try:
            paths = sorted(directory.glob("*.toml"))[:MAX_CHARTERS]
        except OSError:
            continue
        for path in paths:
            raw = _bounded(path)
            signature = _bounded(path.with_name(path.name + ".sig"))
            try:
                text = (raw or b"").decode("utf-8")
            except UnicodeDecodeError:
                text = ""
            found[path.stem] = CharterText(path, text, signature, builtin)
    return found


def _bounded(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CHARTER + 1)
    except OSError:
        return None
    return raw if len(raw) <= MAX_CHARTER else None
