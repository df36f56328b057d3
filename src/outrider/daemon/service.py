"""The daemon: one a home. Takes the lock, opens the record, listens, catches up, serves, and ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from outrider import __version__
from outrider.confine import told
from outrider.daemon import lock, served
from outrider.daemon.chores import LOOK, SNAPSHOT, Chores, home_is_there
from outrider.daemon.compared import Compared
from outrider.daemon.controls import Controls
from outrider.daemon.erasing import Erasing
from outrider.daemon.launches import Launches
from outrider.daemon.log import keep_log
from outrider.daemon.over_http import listen
from outrider.daemon.sensing import Sensing
from outrider.daemon.served import Served
from outrider.daemon.server import Connection, Waiting
from outrider.daemon.spool import import_spool
from outrider.daemon.users import NO_LAUNCH, Users
from outrider.daemon.wiring import Parts, assemble, open_contents, open_ledger
from outrider.doors.registry import DOORS
from outrider.doors.token_http import error
from outrider.doors.wire import MAX_PAYLOAD
from outrider.errors import BadInputError, OutriderError, UnavailableError
from outrider.events.message import Peer, Wire
from outrider.events.record import DaemonStarted, DaemonStopped, RecordOpened, RecordRecovered
from outrider.gate import snapshot
from outrider.gate.scribe import Scribe
from outrider.gate.state import State
from outrider.identity import process
from outrider.ledger.keys import print_key

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.daemon.server import Controlled
    from outrider.doors.registry import Door
    from outrider.doors.token_http import Request, Response
    from outrider.ledger.content.contents import Contents
    from outrider.ledger.ledger import Ledger

log = logging.getLogger("outrider.daemon")
_MOST_EARLY = 1_000
"""Questions that came while we started, remembered until they can be recorded."""

_FOLLOWER_REST = 5.0
"""Seconds after which a view keeper that ended is started again."""

_OWN_REQUESTS = frozenset({"status", "token", "verify", "spawn", "lever", "credential", "used", "issuer", "checked"})


class Daemon:
    """One daemon of one home."""

    def __init__(self, home: Home, *, view: bool = True) -> None:
        """Make a daemon.

        Args:
            home: Its home.
            view: Whether to keep the queryable view in a process of its own.
        """
        self._home = home
        self._view = view
        self._parts: Parts | None = None
        self._contents: Contents | None = None
        self._starting = "Outrider is starting"
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._why = "asked to"
        self._follower: asyncio.subprocess.Process | None = None
        self._followed = 0.0
        self._waiting = Waiting()
        self._early: list[tuple[str, str, int, str]] = []
        self._users = Users(home)

    async def run(self) -> None:
        """Serve until told to stop.

        Raises:
            UnavailableError: Another daemon serves this home, or the socket cannot be had.
            RecordError: The record cannot be opened.
        """
        self._home.make()
        held = lock.take(self._home.run / "daemon.lock")
        try:
            await self._serve()
        finally:
            os.close(held)

    def stop(self, why: str) -> None:
        """End in good order."""
        self._why = why
        self._stop.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self.stop, signal.Signals(sig).name)
        ledger = open_ledger(self._home)
        server = await self._listen()
        inode = self._home.socket.stat().st_ino
        try:
            parts = await self._start(ledger)
            await self._own_up()
            await Erasing(parts).finish()
            chores = asyncio.create_task(Chores(parts, stop=self.stop).run())
            looks = asyncio.create_task(parts.second_looks.run())
            ways = asyncio.create_task(self._launches.ways_out.serve())
            cosigning = asyncio.create_task(parts.witnesses.run(self.stop))
            stamping = asyncio.create_task(parts.timestamps.run())
            keeping = asyncio.create_task(parts.keep.run())
            following = asyncio.create_task(parts.model_inputs.run())
            comparing = asyncio.create_task(Compared(parts, frozenset(DOORS)).run())
            listeners = (await listen(parts, self._asked), await served.listen(parts, self._served))
            await self._until_stopped(parts, inode)
            chores.cancel()
            looks.cancel()
            ways.cancel()
            cosigning.cancel()
            stamping.cancel()
            keeping.cancel()
            comparing.cancel()
            following.cancel()
            tasks = (chores, looks, ways, cosigning, stamping, keeping, comparing, following)
            await asyncio.gather(*tasks, return_exceptions=True)
            for listener in listeners:
                if listener is not None:
                    listener.close()
        finally:
            server.close()
            await self._finish(ledger, inode)

    async def _listen(self) -> asyncio.Server:
        path = self._home.socket
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # We hold the lock: a socket that is there is a dead daemon's.
        old = os.umask(0o177)
        try:
            server = await asyncio.get_running_loop().create_unix_server(
                lambda: self._connection(self._controlled),
                str(path),
                backlog=1024,
            )
        except OSError as error:
            raise UnavailableError(f"the socket {path} cannot be had: {error}") from error
        finally:
            os.umask(old)
        self._users.let_in()
        return server

    def _connection(self, controlled: Controlled) -> Connection:
        tasks, uid, users = self._tasks, os.getuid(), self._users.ids
        return Connection(self._asked, controlled, self._launched, uid, tasks, self._waiting, self._fetched, users)

    async def _start(self, ledger: Ledger) -> Parts:
        """Fold the record into the state, then open the gate. Callers meanwhile get a named error."""
        how = "none" if ledger.size == 0 else "loaded"
        state, done = snapshot.load(self._home.record / SNAPSHOT, ledger)
        if done == 0 and ledger.size:
            how = "rebuilt"
        total = ledger.size
        self._contents = contents = open_contents(self._home)
        for folded in snapshot.replay(state, ledger, done, contents.keyring) if total else ():
            self._starting = f"Outrider is starting: {100 * folded // max(total, 1)} % of its record read"
            await asyncio.sleep(0)
        parts = self._assemble(ledger, state, contents)
        parts.scribe.write(
            DaemonStarted,
            version=__version__,
            pid=os.getpid(),
            boot=process.boot_id(),
            snapshot=how,
            heartbeat=parts.config.daemon.heartbeat,
            seal=True,
        )
        import_spool(parts)
        ledger.commit()
        self._parts = parts
        self._launches = Launches(parts, lambda: self._connection(self._controlled_by_agent))
        self._launches.watches.own_up()
        self._sensing = Sensing(parts, self._launches.watches, self._users.ids)
        self._controls = Controls(parts, self.stop, self._launches.watches, self._sensing)
        self._served = Served(parts, self._controls.broker)
        self._launches.ways_out.open()
        # What stands now stands for good: looking through it again and again is what the slowest answers waited for.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        return parts

    def _assemble(self, ledger: Ledger, state: State, contents: Contents) -> Parts:
        opening = Scribe(ledger, state, print_key(self._home.keys / "print.key"))
        if ledger.size == 0:
            opening.write(RecordOpened, origin=ledger.origin, vkey=ledger.vkey, seal=True)
        if ledger.recovered is not None:
            opening.write(RecordRecovered, cut=ledger.recovered.cut, size=ledger.recovered.size, seal=True)
        return assemble(self._home, ledger, state, contents)

    async def _own_up(self) -> None:
        """Record the questions that came while we started; each was told so and recorded nowhere."""
        assert self._parts is not None
        for door, event, pid, answered in self._early:
            await self._parts.gate.came_early(door, event, pid, answered)
        self._early = []

    async def _until_stopped(self, parts: Parts, inode: int) -> None:
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            if not home_is_there(parts, inode):
                self.stop("its socket is gone")
                return
            if self._view and loop.time() - self._followed > _FOLLOWER_REST:
                await self._follow()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK)

    async def _finish(self, ledger: Ledger, inode: int) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)
        if self._follower is not None:
            with contextlib.suppress(ProcessLookupError):
                self._follower.terminate()
            await self._follower.wait()
        with contextlib.suppress(OSError):
            if self._home.socket.stat().st_ino == inode:
                self._home.socket.unlink()
        try:
            if self._parts is not None:
                await self._parts.model_inputs.once()
                self._sensing.stop()
                await self._parts.keep.once()
                self._parts.workers.stop()
                self._parts.second_looks.stop()
                self._parts.scribe.write(DaemonStopped, reason=self._why, seal=True)
                ledger.seal()
                Chores(self._parts).snapshot()
        except (OutriderError, OSError):
            log.exception("the daemon could not end in good order")
        finally:
            if self._contents is not None:
                self._contents.close()
            ledger.close()

    async def _follow(self) -> None:
        """Start the process that keeps the view, at first and whenever it has ended; it ends when we do."""
        if self._follower is not None and self._follower.returncode is None:
            return
        if self._follower is not None:
            log.warning("the process that keeps the view ended (status %s); it starts again", self._follower.returncode)
        self._followed = asyncio.get_running_loop().time()
        self._follower = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "outrider.daemon.follow",
            str(self._home.root),
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def _asked(self, door_name: str, event: str, payload: bytes | None, peer: Peer) -> Wire:
        """Answer a host: parse at the door, ask the gate, render at the door. ``payload`` None was too large."""
        door = DOORS.get(door_name)
        if self._parts is None:
            wire = Wire(stderr=f"{self._starting}\n".encode(), code=2)
            if door is not None:
                wire = door.undecided(event, "deny", self._starting)
            if len(self._early) < _MOST_EARLY:
                self._early.append((door_name if door else "unknown", event, peer.pid, "deny" if wire.code else ""))
            return wire
        gate = self._parts.gate
        if door is None:
            why = "this daemon knows no such door"
            said = await gate.unreadable("unknown", event, why, peer, stops=True)
            return Wire(stderr=f"{said.reason}\n".encode(), code=2)
        if payload is None:
            return await self._unreadable(door, event, f"it is larger than {MAX_PAYLOAD} bytes", peer)
        try:
            message = door.parse(payload, event)
        except BadInputError as error:
            return await self._unreadable(door, event, str(error), peer)
        return door.render(event, await gate.handle(message, peer))

    async def _unreadable(self, door: Door, event: str, error: str, peer: Peer) -> Wire:
        assert self._parts is not None
        why = f"the hook's input could not be read: {error}"
        stops = door.undecided(event, "deny", why) != Wire()
        said = await self._parts.gate.unreadable(door.name, event, why, peer, stops=stops)
        verdict = said.verdict if said.verdict in {"deny", "ask"} else "allow"
        return door.undecided(event, verdict, said.reason)

    async def _controlled(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        if self._parts is None:
            return {"error": self._starting, "starting": True}
        if no := self._users.refuses(request, peer):
            return no
        return await self._controls.handle(request, peer)

    async def _controlled_by_agent(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Answer on an agent's own socket: what an agent may ask of itself, and nothing about its guard."""
        if request.get("do") not in _OWN_REQUESTS:
            return {"error": "this is not asked on an agent's own socket", "fix": "", "exit_code": 4}
        return await self._controlled(request, peer)

    async def _fetched(self, request: Request, peer: Peer) -> Response:
        if self._parts is None:
            return error(503, "temporarily_unavailable", self._starting)
        return await self._served.fetched(request, peer)

    async def _launched(self, fields: dict[str, list[str]], peer: Peer) -> tuple[bytes, asyncio.Protocol | None]:
        if self._parts is None:
            return told.pack(told.ANSWERED, [("error", self._starting), ("code", "7")]), None
        if peer.uid in self._users.ids:
            return told.pack(told.ANSWERED, [("error", NO_LAUNCH), ("code", "4")]), None
        if "sensor" in fields:
            return self._sensing.begin(peer)
        return await self._launches.launch(fields, peer)


def serve(home: Home, *, view: bool = True) -> None:
    """Run a daemon in this process until it is told to stop."""
    keep_log(home)

    async def run() -> None:
        await Daemon(home, view=view).run()

    uvloop.run(run())


def pid_of(home: Home) -> int:
    """Return the pid of the daemon that serves ``home``, 0 if none runs."""
    path = Path(home.run / "daemon.lock")
    pid = lock.holder(path)
    return pid if pid and process.read(pid) is not None else 0
