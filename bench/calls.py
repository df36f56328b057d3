"""Calls as a coding agent makes them, worded by us: the load of every benchmark that judges.

One seed, one list. Every command differs from every other, so that no cache of parsed commands flatters a row; what
repeats is what repeats in real work: programs, directories, options.
"""

from __future__ import annotations

import random
from typing import Any

MODULES = ("billing", "importer", "ledger", "search", "session", "mailer", "queue", "report", "export", "auth")
NAMES = ("reader", "writer", "model", "schema", "views", "client", "retry", "parse", "cache", "limits", "routes", "job")
PACKAGES = ("requests", "pytest", "rich", "httpx", "pydantic", "numpy", "attrs", "click", "ruff", "mypy")

LINES = (
    "cd {repo} && git status --short && git diff --stat HEAD~{n}",
    "cd {repo}/src/{m} && ls -la && wc -l {f}_{n}*.py",
    "git log --oneline -n {n} -- src/{m}/{f}.py",
    "git add src/{m}/{f}.py tests/{m}/test_{f}.py && git commit -m 'Fix the {f} of {m} ({n})'",
    "git diff HEAD~{n} -- src/{m} | head -{n}",
    "git checkout -b fix/{m}-{f}-{n} && git push -u origin fix/{m}-{f}-{n}",
    "git stash list; git branch --show-current; git show --stat HEAD~{n} | head -40",
    "python -m pytest tests/{m}/test_{f}.py -x -q -k 'case_{n}' 2>&1 | tail -{n}",
    "python3 -m pytest -n auto --maxfail={n} tests/{m} && echo done-{n}",
    "source .venv/bin/activate && pip install '{p}>={n}' && python -c 'import {p}; print({p}.__version__, {n})'",
    "npm install --save-dev left-{f}-{n} && npm run build -- --mode={m}",
    "npm test -- --grep '{m} {f} {n}' 2>/dev/null || true",
    "cargo build --release -p {m} && ./target/release/{m} --version # {n}",
    "go test ./{m}/... -run 'Test{f}{n}' -count=1",
    "make -C {repo}/{m} test JOBS={n}",
    "grep -rn 'def {f}_{n}' {repo}/src/{m} --include='*.py' | head -20",
    "rg --line-number --glob '!*.lock' '{f}.*{n}' src/{m}",
    "find {repo}/src/{m} -name '{f}*.py' -newermt '2026-01-0{d}' -print | sort | head -{n}",
    "find . -type f -name '*.{f}' -exec wc -l {{}} + | sort -n | tail -{n}",
    "sed -n '{n},12{n}p' src/{m}/{f}.py",
    "sed -i 's/{f}_old_{n}/{f}_new_{n}/g' src/{m}/{f}.py && git diff --stat",
    "awk -F, 'NR>{n} {{ total += $3 }} END {{ print total }}' data/{m}/{f}.csv",
    "cat src/{m}/{f}.py | head -{n} && cat tests/{m}/test_{f}.py | tail -{n}",
    "mkdir -p build/{m}/{n} && cp -r src/{m}/. build/{m}/{n}/ && tar czf build/{m}-{n}.tgz -C build {m}",
    "rm -rf build/{m}/{n} dist/{f}-{n} && mkdir -p dist",
    "mv src/{m}/{f}.py src/{m}/{f}_{n}.py && touch src/{m}/{f}.py",
    "curl -fsSL https://api.github.com/repos/acme/{m}/releases/{n} | python3 -m json.tool | head -{n}",
    "docker compose -f deploy/{m}.yml ps --format json | jq -r '.[{d}].State' # {n}",
    'for f in src/{m}/*.py; do python -m py_compile "$f" || echo "bad: $f ({n})"; done',
    "if [ -f src/{m}/{f}_{n}.py ]; then python src/{m}/{f}_{n}.py --dry-run; else echo missing; fi",
    'OUT=$(mktemp) && python tools/{f}.py --rows {n} > "$OUT" && diff -u tests/{m}/{f}.golden "$OUT"; rm -f "$OUT"',
    "export LOG=debug LEVEL={n}; timeout {n}0 python -m {m}.{f} --check || echo failed",
    "(cd web/{m} && npx tsc --noEmit && npx eslint 'src/{f}/**/*.ts' --max-warnings {n})",
    "ls -t logs/{m}-*.log | head -n {n} | xargs -r tail -n 20",
    "ps aux | grep '[p]ython.*{m}.{f}' | awk '{{print $2}}' | head -{n}",
    "sqlite3 var/{m}.db 'select count(*) from {f} where id > {n};'",
    "uv run ruff check src/{m} --fix --line-length 1{n} && uv run mypy src/{m}/{f}.py",
    "gh pr create --title 'Fix {f} in {m} ({n})' --body 'See the tests.' --base main",
    "docker images --format json | jq -r .Repository | grep {m} | sort -u | head -{n}",
    "pip install -r requirements/{m}.txt && pip freeze | grep -i '{p}' | head -{n}",
    "test -d {repo}/.venv || python3 -m venv {repo}/.venv; {repo}/.venv/bin/python -V; echo {n}",
    "jq '.scripts | keys[]' web/{m}/package.json && cat web/{m}/tsconfig.json | jq .compilerOptions.{f}{n}",
)  # fmt: skip

SCRIPTS = (
    """cat > src/{m}/{f}_{n}.py <<'PY'
from dataclasses import dataclass


@dataclass
class {f}{n}:
    rows: int = {n}
    retries: int = 3

    def run(self) -> int:
        return self.rows * self.retries
PY
python -m py_compile src/{m}/{f}_{n}.py && python -m pytest tests/{m} -q""",
    """set -euo pipefail
cd {repo}
branch=$(git rev-parse --abbrev-ref HEAD)
for part in {m} {f} extra{n}; do
  if [ -d "src/$part" ]; then
    python -m pytest "tests/$part" -q || exit 1
  fi
done
git add -A src tests
git commit -q -m "Work on $branch: {f} {n}"
""",
    """python3 - <<'PY'
import json, pathlib
rows = json.loads(pathlib.Path("data/{m}/{f}.json").read_text())
print(sum(row["amount"] for row in rows if row["id"] > {n}))
PY""",
    """docker build -t {m}:{n} -f deploy/{m}.Dockerfile . \\
  && docker run --rm -e ROWS={n} {m}:{n} python -m {m}.{f} \\
  && docker image prune -f""",
    """cat <<EOF > .github/workflows/{m}-{n}.yml
name: {m}
on: [push]
jobs:
  {f}:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make -C {m} test
EOF
git add .github && git diff --cached --stat""",
    """while read -r name count; do
  [ "$count" -gt {n} ] && echo "$name has $count"
done < <(cut -d, -f1,2 data/{m}/{f}.csv | tr ',' ' ')""",
)

BODY = '''"""{f} of {m}."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

log = logging.getLogger(__name__)
LIMIT = {n}


class Reader:
    """Reads rows in batches."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit

    def rows(self):
        with self.path.open(newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if number >= self.limit:
                    log.warning("stopped after %d rows of %s", number, self.path)
                    break
                yield {{"id": int(row["id"]), "amount": float(row["amount"]), "note": row.get("note", "")}}
'''

Made = tuple[str, dict[str, Any]]
"""A call: the host's name of the tool, and its input."""


def filled(template: str, repo: str, dice: random.Random, number: int) -> str:
    """Return a template with names of its own."""
    words = {"repo": repo, "m": dice.choice(MODULES), "f": dice.choice(NAMES), "p": dice.choice(PACKAGES)}
    return template.format(**words, n=10 + number, d=1 + number % 9)


def bash(repo: str, count: int, seed: int = 1) -> list[Made]:
    """Return ``count`` different commands: one line for the most part, one in six a script or a here-document."""
    dice, out = random.Random(seed), []
    for at in range(count):
        template = dice.choice(SCRIPTS if dice.random() < 1 / 6 else LINES)
        out.append(("Bash", {"command": filled(template, repo, dice, at), "description": "As asked"}))
    return out


def structured(repo: str, count: int, seed: int = 1) -> list[Made]:
    """Return ``count`` calls of the host's own tools: reads above all, then edits, searches and whole files."""
    dice, out = random.Random(seed), []
    for at in range(count):
        path = f"{repo}/src/{dice.choice(MODULES)}/{dice.choice(NAMES)}_{at % 400}.py"
        draw, call = dice.random(), dict[str, Any]()
        if draw < 0.5:
            name, call = "Read", {"file_path": path, "offset": at % 300, "limit": 200}
        elif draw < 0.75:
            old, new = f"LIMIT = {at}\n", f"LIMIT = {at + 1}\nRETRIES = 3\n"
            name, call = "Edit", {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
        elif draw < 0.92:
            pattern = f"def {dice.choice(NAMES)}_{at}"
            name, call = "Grep", {"pattern": pattern, "path": f"{repo}/src", "output_mode": "content"}
        else:
            name, call = "Write", {"file_path": path, "content": filled(BODY, repo, dice, at)}
        out.append((name, call))
    return out


def mixed(repo: str, count: int, seed: int = 1) -> list[Made]:
    """Return ``count`` calls, a third of them commands and the rest the host's own tools."""
    dice = random.Random(seed)
    shell, tools = iter(bash(repo, count, seed)), iter(structured(repo, count, seed + 1))
    return [next(shell) if dice.random() < 1 / 3 else next(tools) for _ in range(count)]


def structured_body(number: int) -> str:
    """Return a piece of code, about 26 lines."""
    return filled(BODY, "", random.Random(number), number)


def flood(repo: str, count: int, size: int = 5_000_000) -> list[Made]:
    """Return ``count`` writes of ``size`` characters of code each."""
    dice = random.Random(5)
    text = "".join(filled(BODY, repo, dice, at) for at in range(200))
    text = (text * (size // len(text) + 1))[:size]
    return [("Write", {"file_path": f"{repo}/src/big_{at}.py", "content": f"# {at}\n{text}"}) for at in range(count)]


def event(call: Made, *, session: str, cwd: str, call_id: str) -> dict[str, Any]:
    """Return a call as Claude Code hands it to a hook."""
    return {
        "session_id": session,
        "transcript_path": f"/home/dev/.claude/projects/-work/{session}.jsonl",
        "cwd": cwd,
        "permission_mode": "acceptEdits",
        "hook_event_name": "PreToolUse",
        "tool_name": call[0],
        "tool_input": call[1],
        "tool_use_id": call_id,
    }
