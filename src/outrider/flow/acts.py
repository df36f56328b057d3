"""Acts as prints: what a sentence tells its reader to do and what a call does, in words that meet.

An act is a verb with an object: "delete one of the repositories" and ``git_delete_repo`` meet in *delete repository*.
Words are cut to their stems, and those that say the same (``alike.txt``) are one. Only prints are kept, as of values:
who holds the key can test a guess. That two acts meet proves nothing; it ranks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

from outrider.events.call import Effect
from outrider.flow.orders import VERBS

MAX_ACTS: Final = 192
"""Most acts kept of one text."""
_MOST_WORDS: Final = 60
"""Most words of one sentence that are looked at."""

_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])")
_ENDINGS: Final = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", ""))
_LEAST = 3
_EMPTY = frozenset(files("outrider.flow").joinpath("empty.txt").read_text("ascii").split())
"""Words that say neither what is done nor to what."""


def _classes() -> dict[str, frozenset[str]]:
    out: dict[str, set[str]] = {}
    for number, line in enumerate(files("outrider.flow").joinpath("alike.txt").read_text("ascii").splitlines()):
        for word in line.split():
            out.setdefault(word, set()).add(f"#{number}")
    return {word: frozenset(found) for word, found in out.items()}


_CLASSES: Final = _classes()


def stem(word: str) -> str:
    """Return a word without its ending: *repositories*, *repository*; crude, and the same for both sides."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST and not word.endswith("ss"):
            return word[: -len(ending)] + instead
    return word


@lru_cache(maxsize=8192)
def _meanings(word: str) -> tuple[str, ...]:
    """Return what a word stands for: its classes, or else its stem; nothing for one that says nothing."""
    cut = stem(word)
    if len(word) < _LEAST or word in _EMPTY:
        return ()
    return tuple(sorted(_CLASSES.get(word, frozenset()) | _CLASSES.get(cut, frozenset()))) or (cut,)


_DOING: Final = frozenset(meaning for verb in VERBS for meaning in _meanings(verb))


def _words(text: str) -> Iterator[str]:
    for at, found in enumerate(_WORD.finditer(text)):
        if at >= _MOST_WORDS:
            return
        yield found[0].lower()


def _acts(sentence: str) -> dict[str, None]:
    """Return the verbs of a sentence and each with each other word of it, in order, as texts to be printed."""
    line = [meaning for word in _words(sentence) for meaning in _meanings(word)]
    verbs = [meaning for meaning in dict.fromkeys(line) if meaning in _DOING]
    out = dict.fromkeys(f"do {verb}" for verb in verbs)
    out.update((f"do {verb} {other}", None) for verb in verbs for other in dict.fromkeys(line) if other != verb)
    return out


def ordered(sentences: Iterable[str]) -> list[str]:
    """Return the acts that some sentences tell their reader to do."""
    out: dict[str, None] = {}
    for sentence in sentences:
        if len(out) >= MAX_ACTS:
            break
        out.update(_acts(sentence))
    return list(out)[:MAX_ACTS]


_DONE: Final = {
    "read": "read file", "write": "create file", "delete": "delete file", "connect": "visit page",
    "install": "install package", "commit": "commit change", "push": "push branch", "deploy": "deploy service",
    "spawn": "start agent",
}  # fmt: skip


def done(name: str, effects: Sequence[Effect]) -> list[str]:
    """Return the acts that a call is: by its tool's name, and by what it would do.

    Args:
        name: The host's own name of the tool.
        effects: What the call would do.
    """
    out = dict(_named(name))
    for verb, upload in dict.fromkeys((effect.verb, "upload" in effect.flags) for effect in effects):
        said = "send data" if upload else _DONE.get(verb, "")
        if said:
            out.update(_acts(said))
    return list(out)[:MAX_ACTS]


@lru_cache(maxsize=1024)
def _named(name: str) -> tuple[tuple[str, None], ...]:
    plain = name.rpartition("__")[2].replace("_", " ").replace("-", " ")
    return tuple(_acts(plain).items())
