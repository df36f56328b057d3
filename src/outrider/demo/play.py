"""Plays the story from an empty directory to the answer, and leaves nothing but the case folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.config import Home, add_repository
from outrider.daemon.control import ask
from outrider.demo.ask import Questions
from outrider.demo.story import CLASSES, DROP, PAGES, SINKS, Actor, everyone, tell
from outrider.demo.truth import Planted
from outrider.demo.vouching import Vouching
from outrider.demo.web import Web
from outrider.demo.world import World
from outrider.doors.claude_code.settings import install
from outrider.errors import UnavailableError
from outrider.hook.find import client
from outrider.identity.place import head_of
from outrider.investigate.case import DEMO
from outrider.ledger.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int], None]

AGENT = Path(__file__).parent / "agent.py"
RELEASE = Path(__file__).parent / "charters" / "release.toml"
AT_ONCE = 6
"""Families that live at the same time."""

STORY_LIMIT = 600.0
"""Seconds after which a family that has not ended is an error."""


@dataclass
class Played:
    """What came of a play.

    Attributes:
        truth: What was planted.
        answers: What the product answered, by artefact.
        verify: Whether the record is whole.
        replay: What one line more would have stopped, and broken.
        stolen: What a verifier says of a copy that was forged with the log's key, without the witness and with it.
        seconds: How long each part took.
        story: Counts, for the telling.
        case: The folder that was left.
    """

    truth: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    verify: dict[str, Any] = field(default_factory=dict)
    replay: dict[str, Any] = field(default_factory=dict)
    stolen: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    story: dict[str, Any] = field(default_factory=dict)
    case: str = ""


def play(agents: int, seed: int, *, case: Path, under: Path | None = None, progress: Progress | None = None) -> Played:
    """Play a story of ``agents`` agents and ask the two questions.

    Args:
        agents: How many, at least 6.
        seed: Seed of the story.
        case: Folder to leave; must not exist.
        under: Directory to play in; a cache directory of the user's if None. Not ``/tmp``: charters allow agents more
            there, and the story would be another one.
        progress: Called with the number of agents that are done.

    Raises:
        UnavailableError: Something that is needed is not there, or a part of the story did not end.
    """
    played = Played(case=str(case))
    base = under or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outrider"
    base.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="demo-", dir=base))
    home = Home(root / "outrider")
    try:
        with _timed(played, "total"):
            _prepare(home, root / "world")
            vouching = Vouching.start(home, root / "witness")
            try:
                _play(played, World(root / "world"), home, vouching, (agents, seed, progress))
            finally:
                vouching.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
        with contextlib.suppress(OSError):
            base.rmdir()
    return played


def _play(played: Played, world: World, home: Home, vouching: Vouching, how: tuple[int, int, Progress | None]) -> None:
    agents, seed, progress = how
    roots = tell(agents, seed)
    actors = everyone(roots)
    with _timed(played, "prepare"):
        web = Web(PAGES, SINKS)
        settings = install(None, hook_command(home), on_failure=True)
        world.build(actors, settings, web.address)
    try:
        with _timed(played, "start"):
            daemon = start_daemon(home)
        try:
            with _timed(played, "agents"):
                _live(roots, world, progress)
            commit = _commit_of(world, roots)
            with _timed(played, "delete_homes"):
                shutil.rmtree(world.homes)
            ask(home.socket, {"do": "sync"}, timeout=30)
            with _timed(played, "witness"):
                vouching.last_word(home)
        finally:
            stop_daemon(home, daemon)
    finally:
        web.stop()
    planted = Planted(roots, world, commit)
    reader = Reader(home.record)
    played.truth = planted.truth(reader)
    questions = Questions(home, planted, reader)
    with _timed(played, "from_domain"):
        played.answers["from_domain"] = questions.answer(DROP)
    with _timed(played, "from_commit"):
        played.answers["from_commit"] = questions.answer(commit)
    with _timed(played, "verify"):
        played.verify = questions.verify(vouching.demand())
    with _timed(played, "replay"):
        played.replay = questions.replay(RELEASE, played.truth["leak_event"])
    with _timed(played, "stolen_key"):
        played.stolen = vouching.theft(home, played.truth["leak_event"], home.root / "forged")
    played.story = _story(actors, planted, web)
    questions.keep(Path(played.case), played)


def _story(actors: list[Actor], planted: Planted, web: Web) -> dict[str, Any]:
    return {
        "agents": len(actors),
        "families": sum(1 for actor in actors if actor.parent is None),
        "generations": 1 + max(actor.generation for actor in actors),
        "charters": {name: sum(1 for actor in actors if actor.charter == name) for name in CLASSES},
        "steps": len(planted.steps),
        "outcomes": planted.outcomes(),
        "commit": planted.commit,
        "domain": DROP,
        "left_the_machine": sum(1 for host, query in web.taken if host == DROP and len(query) > 40),
    }


def _prepare(home: Home, world: Path) -> None:
    home.make()
    # Every checkpoint carries the name of the log: whoever finds this record is told by it that it was played.
    origin = home.keys / "origin"
    origin.touch(mode=0o600)
    origin.write_text(f"{DEMO}{os.urandom(4).hex()}\n")
    world.mkdir(parents=True)
    shutil.copy(RELEASE, home.charters / RELEASE.name)
    for charter in CLASSES:
        add_repository(home, f"{World(world).homes}/{charter}-*/**", charter, "enforce")


def hook_command(home: Home) -> list[str]:
    """Return the hook client's command line without the event, as ``init`` writes it."""
    return [
        *client(),
        "--door",
        "claude_code",
        "--socket",
        str(home.socket),
        "--spool",
        str(home.spool),
        "--undecided",
        "deny",
    ]


def start_daemon(home: Home) -> subprocess.Popen[bytes]:
    """Start a daemon for ``home`` and return once it answers.

    Raises:
        UnavailableError: It did not come up within 20 seconds.
    """
    daemon = subprocess.Popen(
        [sys.executable, "-m", "outrider.daemon", str(home.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(UnavailableError):
            if "error" not in ask(home.socket, {"do": "status"}):
                return daemon
        if daemon.poll() is not None:
            break
        time.sleep(0.02)
    daemon.kill()
    daemon.wait()
    raise UnavailableError("the demonstration's daemon did not start", fix=f"See {home.run / 'daemon.log'}.")


def stop_daemon(home: Home, daemon: subprocess.Popen[bytes]) -> None:
    """End a daemon that we started, and wait for it."""
    with contextlib.suppress(UnavailableError):
        ask(home.socket, {"do": "down"})
    try:
        daemon.wait(timeout=20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _live(roots: list[Actor], world: World, progress: Progress | None) -> None:
    """Let every family live: one process a root, children started by their parents."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {pool.submit(_family, actor, world) for actor in roots}
        while waiting:
            done = {one for one in waiting if one.done()}
            waiting -= done
            for one in done:
                one.result()
            if progress is not None:
                progress(world.done.stat().st_size)
            if not done:
                time.sleep(0.05)
    if progress is not None:
        progress(world.done.stat().st_size)


def _family(root: Actor, world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(AGENT), str(world.script(root))],
        env={"HOME": str(world.home(root)), "PATH": os.environ.get("PATH", "")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STORY_LIMIT,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(f"agent {root.name} of the story failed: {done.stderr[-600:]}")


def _commit_of(world: World, roots: list[Actor]) -> str:
    """Return the commit that the leaking agent made: what somebody finds later, in a repository that is gone."""
    leaker = next(actor for actor in everyone(roots) if actor.role == "leaker")
    return head_of(str(world.repo(leaker)))[0]


@contextlib.contextmanager
def _timed(played: Played, name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    played.seconds[name] = round(time.perf_counter() - started, 3)
