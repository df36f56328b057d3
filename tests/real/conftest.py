"""Fixtures that put a test in front of the real client."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.real.claude_code import HERE, ClaudeCode, Recorder, World, find_client, fresh_world
from tests.real.rider import Rider


@pytest.fixture
def world(cache: Path) -> Iterator[World]:
    """A fresh home and repository."""
    with fresh_world(cache / "w") as made:
        yield made


@pytest.fixture
def claude(world: World, cache: Path) -> ClaudeCode:
    """The real client in ``world``; call it with a script. The test is skipped where the client is not installed."""
    program = find_client(cache)
    if program is None:
        pytest.skip("Claude Code is not installed; tests/real/install_claude.sh installs it into the test cache")
    world.bin.mkdir(parents=True)
    (world.bin / "claude").symlink_to(program)
    return ClaudeCode(program, world)


@pytest.fixture
def recorder(world: World) -> Recorder:
    """A stub hook that records."""
    folder = world.root / "recorded"
    folder.mkdir()
    return Recorder(folder)


@pytest.fixture
def rider(world: World) -> Iterator[Rider]:
    """Outrider in ``world``, not yet started; whatever daemon runs at the end is killed."""
    made = Rider(world)
    yield made
    made.kill()


@pytest.fixture
def mcp_log(world: World) -> Path:
    """Where the MCP server of ``mcp`` writes each call that reached it."""
    return world.root / "mcp.jsonl"


@pytest.fixture
def mcp(mcp_log: Path) -> dict[str, Any]:
    """One MCP server, ``demo``, with the tools ``add`` and ``boom``."""
    return {"demo": {"command": sys.executable, "args": ["-I", str(HERE / "mcp_server.py"), str(mcp_log)]}}


@pytest.fixture
def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
