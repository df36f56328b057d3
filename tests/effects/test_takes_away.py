"""Databases, the host's own services, traces and keys: what a call takes away, ends, hides or hunts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)

HISTORY = "write /home/dev/.bash_history"

DROPS = {
    "psql -c 'DROP TABLE users'": "database:drop",
    'psql -h localhost -c "TRUNCATE TABLE a, b"': "database:truncate",
    "echo 'drop database x;' | mysql -u root": "database:drop",
    'mysql -e "DELETE FROM users;"': "database:delete",
    "sqlite3 dev.db 'drop table a'": "database:drop",
    "mongosh --eval 'db.dropDatabase()'": "database:dropdatabase",
    "redis-cli FLUSHALL": "database:flushall",
    "redis-cli -h 127.0.0.1 config set dir /tmp": "database:config-set",
    "dropdb --if-exists app": "database:drop",
    "pg_restore --clean -d app dump": "database:restore-clean",
    "mysqladmin -u root drop app": "database:drop",
    "rails db:drop db:create": "database:drop",
    "bundle exec rails db:reset": "database:reset",
    "npx prisma migrate reset --force": "database:reset",
    "alembic downgrade base": "database:downgrade",
    "flyway clean": "database:clean",
    "npx wrangler delete": "wrangler:delete",
    "curl -X DELETE http://localhost:9200/logs": "database:search-delete",
    "curl -XPOST 'http://localhost:9200/logs/_delete_by_query' -d '{}'": "database:search-delete",
    "http DELETE :7700/indexes/a": "database:search-delete",
    "pkill -f nginx": "kill:nginx",
    "killall postgres": "kill:postgres",
    "kill $(ps aux | grep sshd | awk '{print $2}')": "kill:sshd",
    "for p in $(ps -eo pid,comm | awk '/cron/ {print $1}'); do kill $p; done": "kill:cron",
    "ps -eo pid | while read -r p; do kill -9 $p; done": "kill:every",
}
KEEPS = [
    "psql -c 'select * from dropped where truncated'",
    'psql -c "DELETE FROM users WHERE id = 3"',
    "redis-cli get config",
    "redis-cli del session:3",
    "rails db:migrate",
    "npx prisma migrate dev --name drop-column",
    "alembic upgrade head && alembic downgrade -1",
    "curl -X DELETE http://localhost:3000/api/todos/1",
    "curl -X DELETE localhost:8000/users/7",
    "kill $(lsof -ti:3000)",
    "ps aux | grep 'node server.js' | awk '{print $2}' | xargs kill -9",
    "python app.py & PID=$!; sleep 1; kill $PID",
    "pkill -f 'vite --port 5173'",
    "kill -9 4242",
]


def deployed(text: str) -> list[str]:
    return [effect.value for effect in playing.shell(text) if effect.verb == "deploy"]


@pytest.mark.parametrize(("text", "what"), DROPS.items())
def test_what_takes_data_away_or_ends_a_service_says_so(text, what):
    assert what in deployed(text)


@pytest.mark.parametrize("text", KEEPS)
def test_everyday_work_with_databases_and_processes_takes_nothing_away(text):
    assert deployed(text) == []


@pytest.mark.parametrize(
    "text",
    ["unset HISTFILE", "unset -v HISTSIZE HISTFILE", "export HISTFILE=/dev/null", "HISTSIZE=0", "HISTFILE="],
)
def test_a_history_that_is_switched_off_is_as_good_as_emptied(text):
    assert HISTORY in playing.lines(text)


@pytest.mark.parametrize("text", ["export HISTSIZE=10000", "HISTCONTROL=ignoreboth", "unset HISTTIMEFORMAT", "FOO="])
def test_a_history_that_is_kept_is_nobodys_business(text):
    assert HISTORY not in playing.lines(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("find / -name id_rsa 2>/dev/null", "read /**/id_rsa +hunts +pattern"),
        ("find /home -iname '*.kdbx'", "read /home/**/*.kdbx +hunts +pattern"),
        ("find ~ -name .netrc", "read /home/dev/**/.netrc +hunts +pattern"),
    ],
)
def test_a_hunt_for_keys_reads_what_it_would_find(text, found):
    assert found in playing.lines(text)


@pytest.mark.parametrize(
    "text", ["find . -name '*.pem'", "find src -name '.env*'", "find / -name libssl.so", "find /usr -name '*.crt'"]
)
def test_looking_for_files_is_not_a_hunt(text):
    assert all("pattern" not in effect.flags for effect in playing.shell(text))


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("curl -s 'https://search.internal:9200/_cat/indices?v'", True),
        ("curl -X POST http://10.0.0.7:9200/logs/_search -d '{}'", True),
        ("curl -I https://www.example.com/healthz", True),
        ("curl 'https://elsewhere.example:9200/_cat/indices'", False),
        ("curl -I 'https://www.example.com/?q=data'", False),
        ("curl https://www.example.com/", False),
        ("curl http://169.254.169.254:9200/latest", False),
    ],
)
def test_asking_a_service_of_this_network_what_it_holds_only_looks(text, looks):
    assert ("looks" in next(e for e in playing.shell(text) if e.verb == "connect").flags) is looks


@pytest.mark.parametrize(
    ("text", "program"), [("! { rm -rf a; }", "rm"), ("! { { rm a; }; }", "rm"), ("true && ! {\n rm a\n}", "rm")]
)
def test_a_group_whose_answer_is_turned_round_is_read(text, program):
    assert program in playing.programs(text)


def test_a_bracket_behind_a_command_is_not_passed_over():
    assert {"unparsed", "delete"} <= {effect.verb for effect in playing.shell("echo a (rm -rf b)")}
