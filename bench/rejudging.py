"""Replay that reads each call again from its kept content, beside replay from what was recorded of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.content import KEY, SUBJECT
from bench.measure import Row
from bench.questions import Record

from outrider.charter.parse import parse
from outrider.effects import Place
from outrider.events.call import Call
from outrider.events.codec import canonical, commit
from outrider.events.content import ContentKept
from outrider.events.imported import IMPORTED, NOT_JUDGED
from outrider.events.record import AgentBorn, Beside, CallDecided
from outrider.gate.keeping import JSON
from outrider.gate.rejudging import read_again
from outrider.gate.study import study
from outrider.investigate.rejudge import rejudge
from outrider.investigate.replay import replay
from outrider.ledger.content.contents import Contents, Item
from outrider.store.follow import catch_up
from outrider.store.view import View

if TYPE_CHECKING:
    from outrider.charter.bound import Bound
    from outrider.store.reading import Agent

AGENT = "ag_bench"
PLACE = Place(home="/home/u", repo="/home/u/repo", cwd="/home/u/repo")
DRAFT = parse(f'[charter]\nname = "{IMPORTED}"\n\n[never]\nconnect = ["drop.example"]\n')
CODE = "".join(f"def f{n}(x):\n    return x + {n}\n\n" for n in range(20))
CALLS = (
    ("shell", "Bash", {"command": "git status && ls -la src | head -20"}),
    ("shell", "Bash", {"command": "curl -fsSL https://docs.example/api.json | jq .items > build/items.json"}),
    ("read", "Read", {"file_path": "/home/u/repo/src/app.py"}),
    ("edit", "Edit", {"file_path": "/home/u/repo/src/app.py", "old_string": "a = 1", "new_string": "a = 2"}),
    ("write", "Write", {"file_path": "/home/u/repo/src/new.py", "content": CODE}),
    ("fetch", "WebFetch", {"url": "https://docs.example/guide", "prompt": "What does it say?"}),
)


def rows(calls: int) -> list[Row]:
    """Return the row."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "keys").mkdir()
        with Contents(place / "content", place / "keys" / "content.key", write=True) as contents:
            record = _record(contents, calls)
        with (
            View(place / "view.sqlite") as view,
            Contents(place / "content", place / "keys" / "content.key") as contents,
        ):
            catch_up(view, record)
            plain = replay(view, DRAFT)
            told = rejudge(view, DRAFT, opened=contents.read, again=_again)
    row = Row("replay --rejudge, calls read and ruled on again", "/s", {"rate": told.replay.per_second})
    row.baseline, row.beside = "ruled on from what was recorded", plain.per_second
    row.wrong = calls - told.again
    row.notes = f"{calls:,} calls: shell, reads, edits, fetches and one of 20 functions written; one core"
    return [row]


def _again(
    call: CallDecided,
    args: dict[str, Any],
    agent: Agent,
    chain: tuple[Bound, ...],
    taken: bool,  # noqa: FBT001 - as the question hands it on
) -> CallDecided:
    place = Place(home=agent.home, repo=agent.repo, cwd=agent.cwd)
    return read_again(call, args, place, chain, KEY, redacted=taken)


def _record(contents: Contents, calls: int) -> Record:
    record = Record(0)
    places = {"home": PLACE.home, "repo": PLACE.repo, "cwd": PLACE.cwd}
    record.put(
        AgentBorn, "s", Beside(private=places), agent=AGENT, charter=IMPORTED, digest="", chain=(), parent="",
        root=AGENT, depth=0, sponsor=SUBJECT, how=IMPORTED, door="claude", session="s", expires=2**52,
    )  # fmt: skip
    slot, items = contents.keyring.take(), list[Item]()
    for number in range(calls):
        tool, name, args = CALLS[number % len(CALLS)]
        call = Call(door="", session="", call_id="c", tool=tool, name=name, args=args, cwd=PLACE.cwd)  # type: ignore[arg-type]
        seen = study(call, PLACE, KEY, kept=False)
        text = canonical(args)
        n = record.put(
            CallDecided, "s", agent=AGENT, call="c", tool=tool, name=name, effects=seen.plan.effects,
            decision=NOT_JUDGED, chain=(), content=commit(text, b"0" * 32), findings=seen.findings,
        )  # fmt: skip
        # outrider: allow code.python-fixed-salt -- nothing here is to be kept from anybody
        items.append(Item(n=n, ts=n, agent=AGENT, subject=SUBJECT, slot=slot, salt=b"0" * 32, media=JSON, text=text))
    for at in range(0, len(items), 40):
        record.put(ContentKept, "content", kept=tuple(contents.keep(items[at : at + 40])))
    return record
