"""``outrider sensor build|run|try``."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from outrider.cli import reach, show
from outrider.cli.finding import Finding, ok, warn
from outrider.confine import told
from outrider.confine.heard import Dialled, Lost, Started, heard
from outrider.confine.sensor import HAVE_IT, PLACE, build, cannot, lacking, probe, trusted
from outrider.daemon.server import peer_of
from outrider.errors import BadInputError, RefusedError, UnavailableError
from outrider.identity import process

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGAIN_S = 1.0
_START_S = 20.0
_AFTER_S = 0.7
_NOT_WANTED = 4
"""The sensor's exit status where the daemon says no."""

_PROGRAM = click.option(
    "--program", type=click.Path(path_type=Path, dir_okay=False), default=PLACE, help=f"The sensor. [default: {PLACE}]"
)


@click.group("sensor")
def command() -> None:
    """What the processes of agents really do, heard inside the kernel (eBPF). For root, and optional.

    Agents under `outrider run` are heard without it. The sensor hears those too that a person started by hand and
    that only hooks know. It observes and refuses nothing.

    \b
    Examples:
      sudo outrider sensor build
      sudo outrider sensor try -- sh -c 'date; curl -s https://example.com'
      sudo OUTRIDER_HOME=$HOME/.outrider outrider sensor run
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


@command.command("build")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), default=PLACE, help="Another place.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def build_it(*, target: Path, as_json: bool) -> None:
    """Compile the sensor, and put it to the test where this kernel may take it.

    \b
    Examples:
      sudo outrider sensor build
      outrider sensor build --to /tmp/outrider-sensor --json
    """  # noqa: D301
    build(target)
    why = cannot() or ("only root can try it" if os.geteuid() else probe(target))
    if as_json:
        show.emit({"program": str(target), "taken": not why, "why": why}, kind="sensor-build")
        return
    click.echo(f"Compiled: {show.safe(str(target))}")
    click.echo(f"Not tried: {show.safe(why)}." if why else "This kernel takes it. Start it: `outrider sensor run`.")


@command.command("run")
@_PROGRAM
@click.option("--user", "users", metavar="NAME", multiple=True, help="Whose processes besides the daemon's user's.")
@click.option("--once", is_flag=True, help="End with the daemon, rather than wait for the next one.")
def run(*, program: Path, users: tuple[str, ...], once: bool) -> None:
    """Hear what agents' processes do and tell the daemon, until ended. Waits where there is no daemon.

    It tells of processes that belong to the daemon's user, or to those named, and of what these start: a daemon is
    not believed if it asks for others.

    \b
    Examples:
      sudo OUTRIDER_HOME=/home/ada/.outrider outrider sensor run
      sudo OUTRIDER_HOME=/var/lib/outrider outrider sensor run --user ada
    """  # noqa: D301
    if why := cannot():
        raise UnavailableError(f"the sensor cannot run here: {why}")
    trusted(program)
    ids = [_uid(name) for name in users]
    signal.signal(signal.SIGTERM, _end)
    place, said = reach.home().socket, False
    while True:
        link = _connected(place)
        if link is None:
            if once:
                raise UnavailableError(f"no daemon listens at {place}", fix="`outrider up` starts one.")
            if not said:
                show.say(f"outrider: no daemon listens at {show.safe(str(place))}; waiting for one")
            said = True
            time.sleep(_AGAIN_S)
            continue
        said = False
        with link:
            _serve(program, link, [peer_of(link).uid, *ids])
        if once:
            return
        time.sleep(_AGAIN_S)


def _serve(program: Path, link: socket.socket, ids: list[int]) -> None:
    """Let the sensor speak with the daemon until one of them ends."""
    words = [word for uid in ids for word in ("--uid", str(uid))]
    with subprocess.Popen(
        [str(program), *words], stdin=link.fileno(), stdout=link.fileno(), stderr=subprocess.PIPE, text=True
    ) as sensor:
        try:
            _, wrong = sensor.communicate()
        except BaseException:
            sensor.terminate()
            raise
    if sensor.returncode == _NOT_WANTED:
        raise RefusedError(f"the daemon takes no sensor: {wrong.strip()}")
    if sensor.returncode:
        fix = "It needs CAP_BPF and CAP_PERFMON: run it as root. `outrider doctor` says what this kernel takes."
        raise UnavailableError(f"the sensor ended: {' '.join(wrong.split())[:300] or sensor.returncode}", fix=fix)
    show.say("outrider: the daemon ended")


def _connected(place: Path) -> socket.socket | None:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(str(place))
    except OSError:
        link.close()
        return None
    return link


def _uid(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise BadInputError(f"there is no user {name!r}", fix="Name users of this machine: --user NAME.") from error


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


@command.command("try", context_settings={"ignore_unknown_options": True})
@_PROGRAM
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def try_it(*, program: Path, as_json: bool, words: tuple[str, ...]) -> None:
    """Run COMMAND and print what its processes do, one deed a line. Needs no daemon and records nothing.

    \b
    Examples:
      sudo outrider sensor try -- make test
      sudo outrider sensor try --json -- sh -c 'date; id'
    """  # noqa: D301
    if why := cannot():
        raise UnavailableError(f"the sensor cannot run here: {why}")
    trusted(program)
    here, there = socket.socketpair()
    ids = ["--uid", str(os.getuid())]
    with (
        here,
        subprocess.Popen(
            [str(program), *ids], stdin=there.fileno(), stdout=there.fileno(), stderr=subprocess.PIPE, text=True
        ) as sensor,
    ):
        there.close()
        here.settimeout(_START_S)
        try:
            frames = _frames(here)
            if next(frames, None) is None:
                raise UnavailableError(f"the sensor ended: {sensor.communicate()[1].strip()}", fix="Run it as root.")
            _tell_of(here, frames, words, as_json=as_json)
        finally:
            sensor.terminate()


def _tell_of(
    link: socket.socket, frames: Iterator[dict[str, list[str]]], words: tuple[str, ...], *, as_json: bool
) -> None:
    wait, go = os.pipe()
    held = ["sh", "-c", f'read x <&{wait}; exec {wait}<&-; exec "$@"', "sh", *words]
    child = subprocess.Popen(held, pass_fds=(wait,))
    facts = process.read(child.pid)
    assert facts is not None
    link.sendall(told.pack(told.ANSWERED, [("follow", f"{facts.pid}.{facts.start}")]))
    # What is asked is done in order: an answer to this one says that the one before is in force.
    link.sendall(told.pack(told.ANSWERED, [("follow", "1.0")]))
    over = 0.0
    for fields in frames:
        for one in heard(fields):
            _print(one, as_json=as_json)
        if "not" in fields:
            os.write(go, b"\n")
        link.settimeout(_AFTER_S if child.poll() is not None else 0.2)
        over = over or (time.monotonic() if child.poll() is not None else 0.0)
        if over and time.monotonic() - over > _AFTER_S:
            break
    os.close(go)
    os.close(wait)
    child.wait()


def _frames(link: socket.socket) -> Iterator[dict[str, list[str]]]:
    """Yield the sensor's frames, an empty one where nothing came for as long as the socket waits."""
    data = b""
    while True:
        try:
            more = link.recv(1 << 16)
        except TimeoutError:
            yield {}
            continue
        if not more:
            return
        data += more
        while (size := told.length(data)) and len(data) >= size:
            yield told.unpack(data[:size])
            data = data[size:]


def _print(one: Started | Dialled | Lost, *, as_json: bool) -> None:
    if as_json:
        body = {"outrider": show.JSON_VERSION, "kind": f"sensor-{type(one).__name__.lower()}", "data": one}
        click.echo(msgspec.json.encode(body))
    elif isinstance(one, Lost):
        click.echo(f"lost     {one.count}")
    else:
        what = " ".join((one.program, *one.words)) if isinstance(one, Started) else one.peer
        kind = "started" if isinstance(one, Started) else "connects"
        click.echo(f"{kind:<8} {one.process:<16} {show.safe(what)}")


def look(running: dict[str, Any] | None) -> Finding:
    """Return what ``outrider doctor`` says of the sensor: in use, to be had, or not to be had here."""
    told_us = (running or {}).get("sensor") or {}
    if told_us.get("since"):
        count = told_us.get("agents", 0)
        return ok(
            f"eBPF: the sensor tells what the processes of {count} agents do, since {show.when(told_us['since'])}"
        )
    outside = "what agents do that `outrider run` did not start is not heard from the kernel"
    if why := cannot():
        return ok(f"eBPF cannot be used: {why}; {outside}")
    if PLACE.exists():
        if os.geteuid() == 0 and (why := probe(PLACE)):
            return warn(f"eBPF cannot be used: the sensor says {why}", "`sudo outrider sensor build` compiles it anew.")
        return warn(f"eBPF can be used, and is not: {outside}", "Start it: `sudo outrider sensor run`.")
    lack = lacking()
    first = f"{HAVE_IT}, then " if lack else ""
    fix = f"Optional. {first}`sudo outrider sensor build` and `sudo outrider sensor run`."
    return Finding(level="ok", what=f"eBPF can be used, and is not: {outside}{f' ({lack})' if lack else ''}", fix=fix)
