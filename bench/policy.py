"""Policy decisions: what a decision costs with 20 and 1,000 policies and through a whole chain, beside cedarpy.

Run: ``python bench/policy.py [--json]``. Times are microseconds a call, from a nanosecond timer around each call after
a warm-up, membership known. The baseline, cedarpy with every handle prepared and the same schema, runs in the same
process on the same requests and is checked to give the same answers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cedarpy

from outrider.charter.bound import Asker, Bindings, Bound, bind
from outrider.charter.cedar import SCHEMA, to_cedar
from outrider.charter.floor import floor
from outrider.charter.model import Charter, Flow
from outrider.charter.parse import parse
from outrider.charter.program import plain
from outrider.charter.ruling import Context, context_of, rule
from outrider.charter.shelf import Shelf
from outrider.charter.values import Entity, Uid
from outrider.events.call import Effect

CHARTERS = Path(__file__).parents[1] / "charters"
PRINCIPAL = Uid("Agent", "bench")
REPO = "/home/u/repo"
BINDINGS = Bindings(home="/home/u", repo=REPO, groups={"registries": ("registry.example",)}, protected=("/home/u/.o",))
BUDGET = {"20 policies": 3.0, "1,000 scoped policies": 5.0, "chain 3 x 3 x 4 effects": 80.0}


def measure(call: Callable[[int], Any], count: int) -> dict[str, float]:
    for at in range(min(count, 500)):
        call(at)
    spent = []
    for at in range(count):
        start = time.perf_counter_ns()
        call(at)
        spent.append(time.perf_counter_ns() - start)
    spent.sort()
    return {
        "p50": statistics.median(spent) / 1000,
        "p95": spent[int(count * 0.95)] / 1000,
        "p99": spent[int(count * 0.99)] / 1000,
    }


def unscoped(number: int) -> Charter:
    """A charter of ``number`` policies of which every condition must be looked at in every decision."""
    kinds = (
        'context.labels.contains("l{at}x")', 'resource.value like "*evil{at}*"', 'resource.value like "/evil{at}/*"',
        'resource.value like "*.evil{at}"', 'resource.value == "/evil{at}"', 'resource.value like "/e*v{at}*l"',
    )  # fmt: skip
    checks = [
        f'@id("c{at}") forbid (principal, action, resource) when {{ {kinds[at % len(kinds)].format(at=at)} }};'
        for at in range(number - 1)
    ]
    return Charter(name="bench", may={"read": ("*",)}, cedar="\n".join(checks))


def scoped(number: int) -> Charter:
    """A charter of ``number`` policies, each for its own pattern, half with a condition."""
    reads = tuple(f"repo/part{at}/**" for at in range(number // 2))
    checks = [
        f'@id("c{at}") forbid (principal, action == Action::"read", resource in Pattern::"bench.may.read.{at}") '
        f'when {{ context.labels.contains("l{at}") }};'
        for at in range(number // 2)
    ]
    return Charter(name="bench", may={"read": reads}, cedar="\n".join(checks))


class Baseline:
    """The same policies through cedarpy, everything prepared that can be."""

    def __init__(self, bound: Bound, values: list[str], context: dict[str, Any]) -> None:
        assert bound.charter is not None
        self.policies = cedarpy.PolicySet.from_str(to_cedar(bound.charter))
        self.schema = cedarpy.Schema.from_str(SCHEMA)
        store: list[dict[str, Any]] = [{"uid": PRINCIPAL._asdict(), "attrs": {}, "parents": []}]
        for value in values:
            above = bound.see("read", "path", value, ()).selection.above - {Uid("Path", value)}
            store.append({"uid": {"type": "Path", "id": value}, "attrs": {"value": value},
                          "parents": [one._asdict() for one in above]})  # fmt: skip
        self.entities = cedarpy.Entities.from_json_str(json.dumps(store))
        self.requests = [
            {"principal": PRINCIPAL._asdict(), "action": {"type": "Action", "id": "read"},
             "resource": {"type": "Path", "id": value}, "context": json.dumps(plain(context))}
            for value in values
        ]  # fmt: skip

    def ask(self, at: int) -> bool:
        """Return whether request ``at``, counted round, is allowed."""
        request = self.requests[at % len(self.requests)]
        return cedarpy.is_authorized(request, self.policies, self.entities, self.schema).allowed


def decisions(charter: Charter, count: int) -> tuple[dict[str, float], dict[str, float]]:
    bound = bind(charter, BINDINGS)
    values = [f"{REPO}/part{at}/file.py" for at in range(8)]
    context = context_of(Context(labels=frozenset({"untrusted", "l3"})))
    asks = [("read", "path", value, ()) for value in values]
    baseline = Baseline(bound, values, context)
    asker = Asker(PRINCIPAL, Entity({}, frozenset({Uid("Charter", "bench")})), context)
    for at, ask in enumerate(asks):
        ours = bound.judge(ask, asker).verdict == "allow"
        assert ours == baseline.ask(at), ask
    mine = measure(lambda at: bound.judge(asks[at % 8], asker), count)
    return mine, measure(baseline.ask, max(200, count // 40))


def chain() -> tuple[list[Bound], list[Effect]]:
    """The floor, three agents of the coder's line, four effects: the worst of everyday."""
    shelf = Shelf(parse(path.read_text(), source=path.name) for path in sorted(CHARTERS.glob("*.toml")))
    team = Charter(
        name="team", extends="coder", may={**shelf.line("coder")[0].may}, flow={"pii": Flow(not_to=("push",))}
    )
    line = (team, *shelf.line("coder"))
    bounds = [floor(BINDINGS)]
    bounds += [bind(one, BINDINGS, ceiling=agent > 0) for agent in range(3) for one in line]
    effects = [
        Effect(verb="exec", kind="command", value="git"),
        Effect(verb="read", kind="path", value=f"{REPO}/src/app.py"),
        Effect(verb="write", kind="path", value=f"{REPO}/src/app.py"),
        Effect(verb="connect", kind="host", value="github.com:443"),
    ]
    return bounds, effects


def run(count: int) -> list[dict[str, Any]]:
    rows = []
    for name, charter in (("20 policies", unscoped(20)), ("1,000 scoped policies", scoped(1000))):
        mine, theirs = decisions(charter, count)
        rows.append({"name": name, "unit": "us", "budget_p50": BUDGET[name], **mine, "baseline": theirs})
    bounds, effects = chain()
    context = Context(labels=frozenset({"untrusted"}))
    assert rule(bounds, effects, context).verdict == "allow"
    mine = measure(lambda _: rule(bounds, effects, context), count // 10)
    name = "chain 3 x 3 x 4 effects"
    rows.append({"name": name, "unit": "us", "budget_p50": BUDGET[name], **mine, "baseline": None})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--count", type=int, default=20_000, help="decisions a row")
    options = parser.parse_args()
    rows = run(options.count)
    if options.json:
        json.dump({"v": 1, "bench": "policy", "rows": rows}, sys.stdout)
        return
    print(f"{'policy decision, us':28} {'p50':>8} {'p95':>8} {'p99':>8} {'budget':>8}   cedarpy p50 / p99")
    for row in rows:
        base = row["baseline"]
        other = f"{base['p50']:.1f} / {base['p99']:.1f}" if base else "-"
        print(
            f"{row['name']:28} {row['p50']:8.2f} {row['p95']:8.2f} {row['p99']:8.2f} {row['budget_p50']:8.0f}   {other}"
        )


if __name__ == "__main__":
    main()
