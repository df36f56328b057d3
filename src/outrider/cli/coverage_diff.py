"""``outrider coverage --diff``: what hosts themselves say was done, against what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import show
from outrider.errors import BadInputError, OutriderError

if TYPE_CHECKING:
    from outrider.investigate.ungoverned import Diff, Done

USUAL = {
    "claude": ".claude/projects", "codex": ".codex/sessions", "gemini": ".gemini/tmp", "qwen": ".qwen",
    "copilot": ".copilot/session-state", "opencode": ".local/share/opencode/opencode.db",
}  # fmt: skip
"""Where hosts keep transcripts below a home, if nothing else is named."""

_MOST = 30


def told(named: tuple[str, ...], home: Path) -> Iterator[Done | None]:
    """Yield every call that transcripts and OpenTelemetry tell of.

    Args:
        named: ``HOST=PATH`` or ``otel=PATH`` each; none for the usual places below ``home``.
        home: A user's home.

    Raises:
        BadInputError: A host is not known, or a path is not there.
        UnavailableError: A file cannot be read.
    """
    places = [_named(one) for one in named] or [
        (host, home / place) for host, place in USUAL.items() if (home / place).exists()
    ]
    for host, path in places:
        yield from _telemetry(path) if host == "otel" else _transcripts(host, path, sure=bool(named))


def _named(text: str) -> tuple[str, Path]:
    from outrider.transcripts.registry import FORMATS

    host, equals, path = text.partition("=")
    if not equals or not path or host not in {*FORMATS, "otel"}:
        raise BadInputError(
            f"{text!r} does not name a host's files", fix=f"HOST=PATH, with one of: {', '.join(FORMATS)}, otel."
        )
    return host, Path(path)


def _transcripts(host: str, path: Path, *, sure: bool) -> Iterator[Done | None]:
    from outrider.investigate.ungoverned import calls
    from outrider.transcripts.registry import FORMATS, files, steps

    form = FORMATS[host]
    try:
        groups = list(files(form, path))
    except OutriderError:
        if sure:
            raise
        return
    for group in groups:
        yield from calls(form.door, ((str(where), step) for where, step in steps(form, group)))


def _telemetry(path: Path) -> Iterator[Done | None]:
    from outrider.investigate.ungoverned import Done
    from outrider.transcripts import otel

    found = [path] if path.is_file() else sorted(path.glob("**/*.json*")) if path.is_dir() else []
    if not found:
        raise BadInputError(f"there is no {path}", fix="Name a file of exports, one a line, or a folder of them.")
    for one in found:
        for door, step in otel.read(one):
            if step.what == "unread":
                yield None
            elif step.what == "result":
                yield Done(
                    door=door, session=step.session, host_agent=step.agent, call=step.id, name=step.name, ts=step.ts,
                    where=f"{one}:{step.line}", ran=step.ok,
                )  # fmt: skip


def tell(diff: Diff) -> None:
    """Print what was never decided: sentences, then agents, then calls."""
    show.paragraph(diff.statement)
    if diff.agents:
        show.heading("\nWhose")
        rows = [(f"{count:,}", who) for who, count in list(diff.agents.items())[:_MOST]]
        show.table(["calls", "agent or session"], rows)
    if diff.ungoverned:
        show.heading("\nNever decided")
        show.table(
            ["when", "door", "tool", "ran", "why"],
            [
                (show.when(one.done.ts)[:16], one.done.door[:11], one.done.name[:24], _ran(one.done), one.why)
                for one in diff.ungoverned[:_MOST]
            ],
        )
        left = sum(sum(of.values()) for of in diff.counts.values()) - min(_MOST, len(diff.ungoverned))
        if left > 0:
            click.echo(f"... and {left} more; --json lists them with their files and lines.")
    if diff.despite:
        click.echo("Refused and ran: " + ", ".join(f"event {n}" for n in diff.despite[:_MOST]))


def _ran(done: Done) -> str:
    return {True: "yes", False: "failed", None: "-"}[done.ran]
