"""A plan as the launcher is told it: fields ``key=value``, each ended by a NUL. Pure; ``launch.c`` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from outrider.confine.plan import Grant, Plan, stays
from outrider.confine.trees import within
from outrider.errors import BadInputError

ASKED, ANSWERED, SEEN, ENDED = b"ORR1", b"ORP1", b"ORS1", b"ORE1"
HEAD = 8
MAX_REQUEST = 1 << 20

Fields = Mapping[str, Sequence[str]]


def pack(magic: bytes, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a frame of fields; a NUL inside of one ends nothing, it is left out."""
    body = b"".join(
        f"{key}={text}".replace("\0", "").encode("utf-8", "surrogateescape") + b"\0" for key, text in fields
    )
    return magic + len(body).to_bytes(4, "big") + body


def length(data: bytes) -> int:
    """Return the size of the whole frame that ``data`` begins, 0 while that cannot be told.

    Raises:
        BadInputError: It is larger than 1 MiB.
    """
    if len(data) < HEAD:
        return 0
    size = HEAD + int.from_bytes(data[4:HEAD], "big")
    if size > MAX_REQUEST + HEAD:
        raise BadInputError("a launcher's frame is larger than 1 MiB")
    return size


def unpack(data: bytes) -> dict[str, list[str]]:
    """Return the fields of a whole frame, each with its values in order.

    Raises:
        BadInputError: A field has no name, or the last one no end.
    """
    body = data[HEAD:]
    if body and not body.endswith(b"\0"):
        raise BadInputError("a launcher's frame was cut short")
    found: dict[str, list[str]] = {}
    for field in body.split(b"\0")[:-1]:
        key, equals, text = field.decode("utf-8", "surrogateescape").partition("=")
        if not equals:
            raise BadInputError("a launcher's field has no name")
        found.setdefault(key, []).append(text)
    return found


def told(plan: Plan, *, cwd: str, sockets: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what the launcher is to apply.

    Args:
        plan: The plan.
        cwd: Where the command starts.
        sockets: The agent's own hook socket, and where it is to be seen; then others that it needs.
    """
    out = [
        ("cwd", cwd),
        ("network", plan.network),
        ("landlock", _flag(plan.landlock)),
        ("seccomp", _flag(plan.seccomp)),
        ("seen", _flag(plan.seen)),
    ]
    out += [("grant", _letters(one)) for one in plan.grants]
    if not plan.own_view:
        return out
    out.append(("view", "1"))
    if not any(one.path == "/" and one.write for one in plan.grants):
        out.append(("rest", "ro"))
    out += [("tmp", one) for one in plan.tmp]
    out += [("empty", one) for one in plan.emptied]
    out += [("show", one) for one in _shown(plan)]
    out += [("bind", "\t".join(one)) for one in sockets]
    out.append(("blank", f"{plan.tmp[0]}/.nothing"))
    hidden = [one for one in plan.hidden if one not in plan.emptied]
    out += [("cover" if within(sockets[0][1], one) else "hide", one) for one in hidden]
    out += [("pin", one) for one in _pinned(plan)]
    out += [("keep", one) for one in plan.kept]
    return out


def _flag(yes: object) -> str:
    return "1" if yes else "0"


def _letters(grant: Grant) -> str:
    marks = (("r", grant.read), ("w", grant.write), ("d", grant.delete), ("t", grant.whole))
    return "".join(letter for letter, yes in marks if yes) + " " + grant.path


def _shown(plan: Plan) -> list[str]:
    """Return what is brought back: what is granted in an emptied directory, and every place that is written to.

    The rest of the file system is read only, so that not even a mode or a time is changed there.
    """
    paths = [
        one.path
        for one in plan.grants
        if one.path not in plan.emptied
        and one.path not in plan.tmp
        and (_emptied(one.path, plan) or (one.whole and (one.write or one.delete)))
        and one.path != "/"
    ]
    paths += [one for one in stays() if _emptied(one, plan)]
    return sorted(set(paths))


def _emptied(path: str, plan: Plan) -> bool:
    return any(within(path, one) for one in (*plan.emptied, *plan.tmp))


def _pinned(plan: Plan) -> list[str]:
    """Return what cannot be removed, and what stands above it or above what is kept, up to the granted tree.

    Moving one of those away would free what is below.
    """
    found = {one for one in plan.pinned if not _emptied(one, plan)}
    for kept in (*plan.kept, *plan.pinned):
        tops = [one.path for one in plan.grants if one.whole and within(kept, one.path) and (one.write or one.delete)]
        for top in tops[:1]:
            parent = kept.rpartition("/")[0]
            while parent not in {top, ""} and within(parent, top):
                found.add(parent)
                parent = parent.rpartition("/")[0]
    return sorted(found)
