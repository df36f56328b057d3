"""From what a responder pastes to things and agents in the view: every spelling, every near thing, and how near."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.detect.redact import redact_host
from outrider.events.entities import guess, printed_mail
from outrider.flow.values import normal, printer
from outrider.store import reading
from outrider.store.keys import GIVEN, backwards

if TYPE_CHECKING:
    from outrider.store.view import View

Match = Literal["value", "digest", "print", "part", "time"]
"""How a thing was matched, the surest first: its very value; content digest; keyed print; a part (a sub-domain, a file
below a folder, a short commit id, the host of a URL); or only that the time fits."""

SURENESS: Final[dict[str, float]] = {"value": 1.0, "digest": 1.0, "print": 0.95, "part": 0.8, "time": 0.5}
MOST_THINGS: Final = 2_000
_MIN_COMMIT: Final = 7
_PRINTED: Final = frozenset({"url", "secret", "value"})
_PID = re.compile(r"(?:pid[:=\s]\s*)?([0-9]{1,7})((?:@[^@]+){0,2})\Z")
_CONTAINER = re.compile(r"(?:[a-z][a-z.+-]*://|[a-z]+-)?([0-9a-f]{12,64})(?:\.scope)?\Z")
"""A container's id as an engine, an orchestrator or a control group writes it; twelve digits are enough to tell."""
_ABROAD = re.compile(r".*[/:](ag_[0-9A-Za-z]{20,40})\Z")
"""A session's name abroad: an ARN, a principal (``AROA...:ag_...``) or a SPIFFE id that ends with the agent's id."""
_AGENT_COLUMNS: Final = (
    "digest", "sponsor", "sponsor_name", "session", "host_agent", "container", "charter", "repo",
)  # fmt: skip


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the view that the artefact may be."""

    entity: int
    kind: str
    value: str
    match: Match


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that the artefact names as such: by its id, session, charter, process, ..."""

    agent: reading.Agent
    by: str
    match: Match


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an artefact may be.

    Attributes:
        read_as: ``(kind, value)`` that it was taken for.
        things: What of that the view knows, the nearest first.
        agents: Agents that it names.
        cut: True if there were more things than are looked at.
        elsewhere: The host of a process that the artefact names, if it is not that of this record; else empty.
        running: The moment at which a process ran that the artefact names (0: none was named), or -1 for no process.
    """

    read_as: tuple[tuple[str, str], ...]
    things: tuple[Thing, ...]
    agents: tuple[Named, ...]
    cut: bool = False
    elsewhere: str = ""
    running: int = -1


def find(view: View, artefact: str, *, key: bytes = b"", hosts: Collection[str] = ()) -> Found:
    """Return what ``artefact`` may be in this view.

    Args:
        view: The view.
        artefact: A path (absolute, or ``~/...`` in any agent's home), host, domain, URL, e-mail or IP address, commit
            (7 digits or more), digest, package, secret, session, agent id, charter, charter digest, sponsor,
            container, any text that a call was given as a value, ``pid:N``, ``pid:N@TIME``, ``pid:N@HOST`` or
            ``pid:N@HOST@TIME`` (ISO 8601 or seconds since 1970).
        key: Key of this host's prints; without it neither secrets nor whole URLs can be looked up.
        hosts: Names of the host that made the record, besides its log's name and its boots.
    """
    # An argument that is not UTF-8 comes with surrogates, which no record can hold.
    text = artefact.strip().encode("utf-8", "replace").decode()
    read_as = [pair for pair in guess(text, key=key) if pair[0] != "pid" or _PID.match(text)]
    if key:
        # A label of a host that may hold smuggled data is recorded as its print, and is looked up as such.
        printed = [(kind, redact_host(value, key)) for kind, value in read_as if kind == "host"]
        # A person's address is recorded as a print of it at its domain.
        printed += [(kind, printed_mail(value, key)) for kind, value in read_as if kind == "email"]
        read_as += [pair for pair in printed if pair not in read_as]
        read_as += [("model", text)] if text and not any(char.isspace() for char in text) else []
        value = normal(text)
        read_as += [("value", format(printer(key)(value), "012x"))] if value else []
    things: dict[int, Thing] = {}
    for kind, value in read_as:
        for thing in _things(view, kind, value, whole="://" not in text or kind == "credential"):
            known = things.get(thing.entity)
            if known is None or SURENESS[thing.match] > SURENESS[known.match]:
                things[thing.entity] = thing
    if text.startswith("~"):
        for thing in _in_homes(view, text):
            things.setdefault(thing.entity, thing)
    process = _process(text)
    elsewhere = process.host if process and process.host and not _is_of(view, process.host, hosts) else ""
    ordered = sorted(things.values(), key=lambda thing: (-SURENESS[thing.match], thing.entity))
    return Found(
        read_as=tuple(read_as),
        things=tuple(ordered[:MOST_THINGS]),
        agents=tuple(_agents(view, text, None if elsewhere else process)),
        cut=len(ordered) > MOST_THINGS,
        elsewhere=elsewhere,
        running=process.at if process else -1,
    )


class _Process(msgspec.Struct, frozen=True):
    """A process as a responder names it: its number, its host or empty, and when it ran or 0."""

    pid: int
    host: str = ""
    at: int = 0


def _process(text: str) -> _Process | None:
    found = _PID.match(text)
    if found is None:
        return None
    host, at = "", 0
    for part in found[2].split("@")[1:]:
        when = moment(part)
        if when is not None:
            at = when
        else:
            host = part.strip().lower()
    return _Process(int(found[1]), host, at)


def _is_of(view: View, host: str, hosts: Collection[str]) -> bool:
    """Tell whether a name is of the host that made the record: one that is given, its log's, or the id of a boot."""
    known = {one.lower() for one in (*hosts, view.origin, view.origin.rpartition("/")[2]) if one}
    known |= {one.partition(".")[0] for one in hosts}
    return host in known or view.one("SELECT 1 FROM agents WHERE boot = ? LIMIT 1", host) is not None


def _things(view: View, kind: str, value: str, *, whole: bool) -> Iterator[Thing]:
    exact: Match = "digest" if kind == "digest" else "print" if kind in _PRINTED else "value"
    if kind == "value":
        number = int(value, 16)
        if view.one("SELECT 1 FROM given WHERE print = ? LIMIT 1", number):
            yield Thing(entity=GIVEN + number, kind=kind, value=value, match=exact)
        return
    row = view.one("SELECT id FROM entities WHERE value = ? AND kind = ?", value, kind)
    if row:
        yield Thing(entity=row[0], kind=kind, value=value, match=exact if whole or kind in _PRINTED else "part")
    if kind == "host":
        yield from _hosts(view, value, whole=whole)
    elif kind == "path" and value != "/":
        # "0" is the character behind "/": this is the range of everything below the folder.
        yield from _range(view, "path", value + "/", value + "0")
    elif kind == "commit":
        for size in range(_MIN_COMMIT, len(value)):
            row = view.one("SELECT id FROM entities WHERE value = ? AND kind = 'commit'", value[:size])
            if row:
                yield Thing(entity=row[0], kind=kind, value=value[:size], match="part")
        yield from _range(view, "commit", value + "0", value + "g")


def _range(view: View, kind: str, low: str, high: str) -> Iterator[Thing]:
    rows = view.rows(
        "SELECT id, value FROM entities WHERE value >= ? AND value < ? AND kind = ? ORDER BY value LIMIT ?",
        low, high, kind, MOST_THINGS + 1,
    )  # fmt: skip
    for entity, value in rows:
        yield Thing(entity=entity, kind=kind, value=value, match="part")


def _hosts(view: View, value: str, *, whole: bool) -> Iterator[Thing]:
    """Give the host on any port, its sub-domains, and addresses at either."""
    reverse = backwards(value)
    if "." not in value.partition(":")[0]:
        return
    rows = view.rows(
        "SELECT id, kind, value, backwards FROM entities WHERE backwards >= ? AND backwards < ? LIMIT ?",
        reverse, reverse[:-1] + "/", MOST_THINGS + 1,
    )  # fmt: skip
    for entity, kind, found, back in rows:
        same = whole and kind == "host" and back == reverse
        yield Thing(entity=entity, kind=kind, value=found, match="value" if same else "part")


def _in_homes(view: View, text: str) -> Iterator[Thing]:
    rest = text[1:].rstrip("/")
    for (home,) in view.rows("SELECT DISTINCT home FROM agents WHERE home != '' LIMIT ?", MOST_THINGS):
        yield from _things(view, "path", home + rest, whole=True)


def _agents(view: View, text: str, process: _Process | None) -> Iterator[Named]:
    if not text:
        return
    abroad = _ABROAD.match(text)
    known = reading.agent(view, abroad[1]) if abroad else None
    if known is not None:
        yield Named(agent=known, by="session", match="value")
    yield from _contained(view, text)
    one = reading.agent(view, text)
    if one is not None:
        yield Named(agent=one, by="agent", match="value")
    for column in _AGENT_COLUMNS:
        for agent in reading.agents_by(view, column, text):
            yield Named(agent=agent, by=column, match="value")
    if process is not None:
        for agent in reading.agents_by(view, "pid", process.pid):
            if not process.at or (
                agent.born_ts <= process.at and (agent.ended_ts is None or process.at <= agent.ended_ts)
            ):
                yield Named(agent=agent, by="pid", match="time")


def _contained(view: View, text: str) -> Iterator[Named]:
    """Give the agents that lived in a container, by its id however it is written, or enough of its beginning."""
    found = _CONTAINER.match(text.lower())
    if found is None:
        return
    short = found[1]
    rows = view.rows(
        "SELECT id, container FROM agents WHERE container >= ? AND container < ? ORDER BY n LIMIT ?",
        short, short + "g", MOST_THINGS,
    )  # fmt: skip
    for name, whole in rows:
        agent = reading.agent(view, name)
        if agent is not None and whole != text:
            yield Named(agent=agent, by="container", match="value" if whole == short else "part")


def moment(text: str) -> int | None:
    """Return microseconds since 1970 UTC of an ISO 8601 time (UTC unless it says so) or of seconds; else None."""
    try:
        return int(float(text) * 1_000_000)
    except (ValueError, OverflowError):
        pass
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp() * 1_000_000)
