# ruff: noqa: INP001 - a script, not a module
"""Writes docs/examples.md, five questions about one incident, from a real run: ``python docs/write_examples.py``.

The flagship story is played, its agents exit and their homes are deleted; then the questions are asked of the record in
the folder that is left. ``tests/demo`` asks them of a run of its own and holds this page against the answers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

AGENTS = 60
_PAGE = Path(__file__).parent / "examples.md"
_DOMAIN = "collect.metrics-cdn.example"
_DRAFT = '[charter]\nname = "release"\nextends = "base"\n\n[never]\nconnect = ["collect.metrics-cdn.example"]\n'
_ROOM = 96
_LABEL = re.compile(r" {2}([a-z][a-z ]{2,16}?) {2,}\S")

TITLES = {
    "involved": "Was an agent involved?",
    "cause": "What made it do so?",
    "touched": "What did it touch?",
    "blast": "What else is affected?",
    "replay": "Would another charter have stopped it?",
}
SAID = {
    "involved": "Somebody noticed a domain, and that is all there is.",
    "cause": (
        "The page is named before the file: the file held what was sent, and told nobody to send it. This copy of the "
        "record left its home, so its contents are not in it; on the host itself the words of the page are marked here."
    ),
    "touched": "Everything, once a role, from what was recorded before each call ran.",
    "blast": "The key to change comes first; then who came under it, and who met the same content.",
    "replay": (
        "A draft that never lets `release` reach that domain. Where agents lived is private and was taken out of the "
        "copy, so that what depends on it is said to be not decidable rather than guessed; on the host itself it is "
        "decided."
    ),
}


def asked(case: Path, *question: str) -> str:
    """Return what ``outrider`` answers, asked of the record in the folder that a demonstration left."""
    env = {**os.environ, "OUTRIDER_HOME": str(case), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "outrider", *question], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def answers(case: Path, place: Path) -> dict[str, tuple[str, str]]:
    """Return each question as it is typed, and its answer.

    Args:
        case: The folder that a demonstration left.
        place: A folder for the draft.
    """
    told = json.loads(asked(case, "involved", _DOMAIN, "--json"))["data"]["agents"][0]
    act, agent = str(told["act"]["n"]), told["agent"][-8:]
    draft = place / "release.toml"
    draft.write_text(_DRAFT)
    typed = {
        "involved": ["involved", _DOMAIN],
        "cause": ["cause", act],
        "touched": ["touched", agent],
        "blast": ["blast", act],
        "replay": ["replay", "--charter", str(draft), "--bad", act],
    }
    return {name: (" ".join(words).replace(f"{place}/", ""), asked(case, *words)) for name, words in typed.items()}


def skeleton(answer: str) -> set[str]:
    """Return what every answer of a question has: its headings, the heads of its tables and the names of its facts."""
    lines = answer.splitlines()
    headings = {one for before, one in zip(["", *lines], lines, strict=False) if not before and one[:1].isalpha()}
    heads = {" ".join(one.split()) for one in lines if re.fullmatch(r"[A-Z][A-Z ()]*", one.strip())}
    labels = {found[1].strip() for one in lines if (found := _LABEL.match(one))}
    return {one for one in headings if not re.search(r"\d|[.:]", one)} | heads | labels


def _shown(answer: str) -> str:
    """Return an answer with paths and digests cut and long lines ended, for a page."""
    short = re.sub(r"/[^\s,;]*/(?=(?:homes|world)/)", ".../", answer)
    short = re.sub(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}", r"\1...", short)
    short = re.sub(r"(no daemon answers) at [^:\n]*: \[Errno \d+\] [^.)\n]*", r"\1", short)
    return "\n".join(line for one in short.splitlines() for line in _fitted(one)).strip()


def _fitted(line: str) -> list[str]:
    """Return a line so that it fits: a sentence wrapped, a row of a table or a fact cut."""
    if len(line) <= _ROOM:
        return [line]
    if "  " in line.strip():
        return [line[: _ROOM - 3] + "..."]
    return textwrap.wrap(line, _ROOM, break_on_hyphens=False, subsequent_indent=" " * (len(line) - len(line.lstrip())))


def shown(page_: str) -> dict[str, str]:
    """Return the answers that the page shows, by question."""
    parts = re.split(r"(?m)^## (.+)$", page_)[1:]
    by = dict(zip(parts[::2], parts[1::2], strict=True))
    return {name: by[title].partition("```\n")[2].partition("```")[0] for name, title in TITLES.items()}


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False, break_long_words=False))


def page(told: dict[str, tuple[str, str]]) -> str:
    """Return the page."""
    about = (
        f"Written by `python docs/write_examples.py` from `outrider demo --agents {AGENTS}`: real processes under six "
        "charters, one of which read a page with a planted instruction, then a key, and sent it away. All have exited "
        "and their homes are deleted. Paths and digests are shortened here, long rows end in `...`. What the words "
        "mean is in [the questions](questions.md)."
    )
    out = ["# One incident, five questions", _wrapped(about)]
    for name, (typed, answer) in told.items():
        out += [f"## {TITLES[name]}", _wrapped(SAID[name]), f"```\n$ outrider {typed}\n{_shown(answer)}\n```"]
    return "\n\n".join(out) + "\n"


def main() -> None:
    """Play the story, ask, and write the page."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        command = [sys.executable, "-m", "outrider", "demo", "--agents", str(AGENTS), "--json"]
        subprocess.run([*command, "--case", str(place / "case")], check=True, stdout=subprocess.DEVNULL)
        _PAGE.write_text(page(answers(place / "case", place)), "utf-8")


if __name__ == "__main__":
    main()
