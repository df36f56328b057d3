"""Names of packages: squats of popular names, ordinary names, and names that models made up.

The set that ships judges the first two. Made-up names can only be told with a whole list of names, which is the
user's to fetch: ``OUTRIDER_FACTS`` names a folder of files that ``outrider facts update`` made; without it they are not
measured.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from outrider.detect.dependencies.known import SHIPPED, Facts, shipped
from outrider.detect.dependencies.names import normal
from score.row import Row, Wrong, missing

SECTION = "dependencies"
_CALLED = {"github_actions": "actions", "crates": "cargo", "rubygems": "gem"}
_SUSPECT = frozenset({"near", "confused", "malicious"})


def measure(corpora: Path) -> list[Row]:
    """Return the figures of names of packages."""
    folder = corpora / "dependencies"
    squats, ordinary, made = (
        folder / "typosquats-ecosystems.csv",
        folder / "deps-benign-from-manifests.csv",
        folder / "hallucinated-names-sample.csv",
    )
    return [*_squats(squats), *_ordinary(ordinary), *_made_up(made, ordinary)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _squats(path: Path) -> Iterator[Row]:
    what = "squats of names in the set: told or refused"
    if not path.is_file():
        yield missing(SECTION, what, f"{path.name} is not there")
        return
    pairs = [(_ecosystem(row), row["malicious_package"], row["target_package"]) for row in _rows(path)]
    inside = [one for one in pairs if normal(one[0], one[2]) in shipped(one[0])]
    wrong = tuple(
        Wrong(
            id=_print(name), text=name, family=ecosystem, said=SHIPPED.ask(ecosystem, name).word, wanted="near", why=""
        )
        for ecosystem, name, target in inside
        if SHIPPED.ask(ecosystem, name).word not in _SUSPECT
    )
    note = f"{len(pairs) - len(inside)} more imitate names that the set does not hold"
    yield Row(
        section=SECTION, what=what, hit=len(inside) - len(wrong), of=len(inside), at_least=0.90, note=note, wrong=wrong
    )


def _ordinary(path: Path) -> Iterator[Row]:
    if not path.is_file():
        yield missing(SECTION, "ordinary names: suspected", f"{path.name} is not there")
        return
    names = [(_ecosystem(row), row["name"]) for row in _rows(path)]
    for within, what in (
        (True, "ordinary names in the set: suspected"),
        (False, "ordinary names beyond it: suspected"),
    ):
        some = [one for one in names if (normal(*one) in shipped(one[0])) is within]
        said = [(*one, SHIPPED.ask(*one)) for one in some]
        wrong = tuple(
            Wrong(
                id=_print(name),
                text=name,
                family=ecosystem,
                said=verdict.word,
                wanted="no suspicion",
                why=verdict.near.how if verdict.near else "",
            )
            for ecosystem, name, verdict in said
            if verdict.word in _SUSPECT
        )
        refused = sum(
            verdict.word == "confused" or (verdict.near is not None and verdict.near.confidence != "low")
            for _, _, verdict in said
        )
        note = f"{refused} of them refused, the others told"
        most = 0.02 if within else None
        yield Row(
            section=SECTION,
            what=what,
            hit=len(wrong),
            of=len(some),
            at_most=most,
            note=note,
            wrong=wrong,
        )
    blank = sum(SHIPPED.ask(*one).word == "not-checked" for one in names)
    yield Row(section=SECTION, what="ordinary names: said not to be checked", hit=blank, of=len(names))


def _made_up(path: Path, ordinary: Path) -> Iterator[Row]:
    what = "names that models made up: told or refused"
    named = os.environ.get("OUTRIDER_FACTS", "")
    if not named or not path.is_file():
        yield missing(SECTION, what, "needs a whole list of names, in the folder that OUTRIDER_FACTS names")
        return
    facts = Facts({file.name: file.read_bytes() for file in sorted(Path(named).glob("*.facts"))})
    whole = {head.ecosystem for head in facts.heads if head.kind == "names"}
    names = [(_ecosystem(row), row["name"]) for row in _rows(path)]
    seen = [one for one in names if one[0] in whole]
    wrong = tuple(
        Wrong(
            id=_print(name),
            text=name,
            family=ecosystem,
            said=facts.ask(ecosystem, name).word,
            wanted="unknown",
            why="in the list",
        )
        for ecosystem, name in seen
        if facts.ask(ecosystem, name).word not in {*_SUSPECT, "unknown"}
    )
    made = ", ".join(f"{head.ecosystem} of {head.made}" for head in facts.heads)
    if len(seen) < len(names):
        made += f"; {len(names) - len(seen)} more of ecosystems without a whole list, not measured"
    yield Row(
        section=SECTION, what=what, hit=len(seen) - len(wrong), of=len(seen), at_least=0.95, note=made, wrong=wrong
    )
    if ordinary.is_file():
        usual = [(_ecosystem(row), row["name"]) for row in _rows(ordinary)]
        usual = [one for one in usual if one[0] in whole]
        odd = [(*one, facts.ask(*one)) for one in usual if facts.ask(*one).word != "known"]
        bad = tuple(
            Wrong(id=_print(name), text=name, family=e, said=v.word, wanted="known", why=v.near.how if v.near else "")
            for e, name, v in odd
        )
        yield Row(
            section=SECTION,
            what="ordinary names with a whole list: not known",
            hit=len(bad),
            of=len(usual),
            at_most=0.02,
            wrong=bad,
        )


def _print(name: str) -> str:
    """Return what a row is called where its name, which belongs to the list, is not to be written."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _ecosystem(row: dict[str, str]) -> str:
    return _CALLED.get(row["ecosystem"], row["ecosystem"])
