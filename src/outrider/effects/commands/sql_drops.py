"""What takes data away in a database, in SQL and in the words of its clients. Sources: the databases' manuals."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider.effects.commands.invocation import Invocation
    from outrider.effects.shell.tree import Arg

_DROPS = re.compile(
    r"(?is)\b(?:"
    r"(drop)\s+(?:database|schema|table|tablespace|user|role|owned|keyspace|collection|sequence|materialized|view)\b"
    r"|(truncate)\s+(?:table\s+)?(?:only\s+)?[\w\"`.\[]"
    r"|(delete)\s+from\s+[\w\"`.\[\]]+\s*(?:;|\Z|\"|'\s*\Z)"
    r"|(alter)\s+table\s+[\w\"`.\[\]]+\s+drop\b"
    r"|(dropDatabase|dropUser|dropAllUsersFromDatabase)\s*\("
    r"|\.(drop)\s*\(\s*\)|\.(deleteMany|remove)\s*\(\s*\{\s*\}"
    r")"
)
_CONSOLE = re.compile(r"(?i)(flushall|flushdb|shutdown|drop|reset|replicaof|slaveof|failover)\Z")
_PAIRS = frozenset({("config", "set"), ("config", "rewrite"), ("script", "flush"), ("function", "flush"),
                    ("cluster", "reset"), ("cluster", "forget"), ("acl", "deluser"), ("debug", "segfault"),
                    ("module", "load"), ("function", "delete")})  # fmt: skip
_OPTIONS = frozenset({"--clean", "--drop", "-c"})


def dropped(run: Invocation, text: str, at: Arg) -> None:
    """Note that SQL text, or a console's own language, takes data away: a deployment of the database."""
    found = _DROPS.search(text)
    if found:
        what = next(group for group in found.groups() if group)
        run.emit("deploy", "tool", f"database:{what.lower()}", at, ("forced",))


def console_drops(run: Invocation) -> None:
    """Note that a client's own words take data away: ``redis-cli FLUSHALL``, ``mysqladmin drop``, ``dropdb``."""
    for role, arg in run.given:
        if role == "code":
            dropped(run, arg.text, arg)
    words = [word.text.lower() for word in run.words if word.text[:1] != "-"]
    what = ""
    if run.name in {"dropdb", "dropuser"}:
        what = "drop"
    elif run.name == "pg_restore" and any(word.text in _OPTIONS for word in run.words):
        what = "restore-clean"
    elif run.name == "mongorestore" and any(word.text == "--drop" for word in run.words):
        what = "restore-drop"
    elif run.name in {"redis-cli", "valkey-cli", "mysqladmin", "mariadb-admin"}:
        hit = next((word for word in words if _CONSOLE.match(word)), "")
        pair = next((pair for pair in itertools.pairwise(words) if pair in _PAIRS), None)
        what = hit or ("-".join(pair) if pair else "")
    if what:
        run.emit("deploy", "tool", f"database:{what}", run.at, ("forced",))


_MIGRATES = re.compile(
    r"(?i)(?:(?:db|migrate|schema|database|migration|migrations|cache|config)[:.-])?(drop|drop:all|reset|wipe|fresh|"
    r"purge|flush|clean|dropall|drop-all|zap|undo:all|rollback:all|migrate:reset|reset:all|drop:_unsafe|sqlflush|"
    r"reset_db|drop_all|force-reset)\Z"
)
_WHOLE = frozenset({"--force-reset", "--accept-data-loss", "--drop-tables"})


def migrates_away(words: list[str]) -> str:
    """Return which word of a migration tool throws the database's content away, or an empty text.

    ``rails db:drop``, ``prisma migrate reset``, ``artisan migrate:fresh``, ``manage.py flush``, ``flyway clean``.
    """
    plain = [word for word in words if word[:1] != "-"]
    for word in plain[:4]:
        found = _MIGRATES.match(word)
        if found:
            return found[1].lower()
    if plain[:2] == ["downgrade", "base"] or (plain[:1] == ["migrate"] and plain[-1:] == ["zero"]):
        return "downgrade"
    return next((word.lstrip("-") for word in words if word in _WHOLE), "")
