"""A charter in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.charter.model import dollars
from outrider.charter.narrow import approvers, effective, kept
from outrider.cli import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.charter.model import Charter, Rules
    from outrider.charter.narrow import Effective

_UNDECIDED = {
    "deny": "refused",
    "ask": "asked about: a person decides",
    "allow": "LET THROUGH",
}
_OPAQUE = {
    "deny": "may not run",
    "ask": "run if a person says yes",
    "confined": "run only where the agent is confined",
    "allow": "run; what they do inside is not seen",
}
_TREATED = {"fix": "refused, with advice", "tell": "allowed, and the agent is told", "note": "noted"}
_UNSURE = {"full": "count like others", "less": "count one severity less", "note": "are only noted"}
_PERSONA = {
    "everyday": "those for everybody",
    "strict": "those for everybody, and the strict ones",
    "audit": "all, those for an audit as well",
}
_COMMENTS = {
    "allow": "count; one that the same change brings is told",
    "standing": "count if they stood there before the change",
    "never": "do not count, and neither does a list in the repository",
}
_ASKS = {"outrider": "Outrider", "host": "the host's own prompt"}
_ALL = ("*",)


def charter(line: Sequence[Charter], seal: str) -> None:
    """Print a charter and what its ancestors add.

    Args:
        line: The charter, then what it extends, up to the root.
        seal: Who signed it, in words.
    """
    own, settings = line[0], effective(line)
    show.heading(f"{own.name}: {show.safe(own.description) or 'no description'}")
    above = " > ".join(one.name for one in line[1:])
    show.facts([("digest", own.digest), ("signature", seal), ("extends", above or "nothing: it is a root")])
    show.facts([("whom to ask", next((one.contact for one in line if one.contact), "nobody is named (contact)"))])
    show.heading("\nAs it comes out, with everything above it")
    show.facts(_settings(settings))
    for one in line:
        whose = "It" if one is own else f"{one.name}, above it,"
        _rules(whose, one)


def version(digest: str, told: dict[str, Any] | None) -> None:
    """Print which version is in force, and which living agents stand under another one.

    Args:
        digest: The version in the file.
        told: What the daemon says of it; None where none runs.
    """
    show.heading("\nVersions")
    if told is None:
        show.facts([("in force", "not known: no daemon runs")])
        return
    other = "" if told["in_force"] == digest else ", which is not the one above"
    rows = [("in force", f"{told['in_force']}{other}" if told["in_force"] else "none")]
    if told["refused"]:
        rows.append(("the file", f"REFUSED: {told['refused']}"))
    rows.append(("living agents", f"{told['living']}, {len(told['older'])} of them under another version"))
    rows += [(one["agent"], f"{one['digest'][:19]}, born {show.when(one['born'])} UTC") for one in told["older"]]
    show.facts(rows)


def _settings(now: Effective) -> list[tuple[str, str]]:
    budget = now.budget
    limits = {
        "calls": budget.calls,
        "children": budget.spawns,
        "generations below a root": budget.spawn_depth,
        "tokens, where the host tells": budget.tokens,
    }
    told = [f"{number} {name}" for name, number in limits.items() if number is not None]
    if budget.cost is not None:
        told.append(f"{dollars(budget.cost)} a session, where the host tells")
    return [
        ("undecided calls", _UNDECIDED[now.undecided]),
        ("questions", f"asked by {_ASKS[now.ask_by]}, answered by {approvers(now)} within {_span(now.ask_within)}"),
        ("mode", "enforced" if now.mode == "enforce" else "only observed"),
        ("opaque programs", _OPAQUE[now.opaque]),
        ("a life", f"at most {_span(now.ttl)}"),
        ("budget", ", ".join(told) or "no limits"),
        ("sponsor", "required" if now.sponsor == "required" else "not needed"),
        ("findings", "; ".join(f"{name}: {_TREATED[getattr(now, name)]}" for name in ("high", "medium", "low"))),
        ("findings of low confidence", _UNSURE[now.unsure]),
        ("rules about code", _PERSONA[now.persona]),
        ("comments that let a finding be", _COMMENTS[now.comments]),
        ("content kept", kept(now.keep)),
        ("host's own prompts", "are skipped for what it allows" if now.grant else "stay as they are"),
    ]


def _rules(whose: str, one: Charter) -> None:
    if one.may and all(patterns == _ALL for patterns in one.may.values()):
        show.heading(f"\n{whose} may do everything but what follows")
    elif one.may:
        _section(f"{whose} may, and nothing else", one.may)
    if one.delegate:
        _section(f"{whose} may let children (but not itself)", one.delegate)
    if one.ask:
        _section(f"{whose} has a person decide", one.ask)
    if one.never:
        _section(f"{whose} and its children may never", one.never)
    if one.flow:
        show.heading(f"\n{whose} restrains what has seen something")
        for label, flow in one.flow.items():
            also = f" and {flow.also}" if flow.also else ""
            but = f", except {', '.join(flow.but)}" if flow.but else ""
            verbs = f"asked: {', '.join(flow.not_to)}" if flow.verdict == "ask" else f"no {', no '.join(flow.not_to)}"
            show.facts([(f"{label}{also}", f"{verbs}{but}")])
    if one.code.rules:
        show.heading(f"\n{whose} treats some findings apart")
        show.facts((key, _TREATED[treatment]) for key, treatment in one.code.rules.items())
    if one.cedar:
        show.heading(f"\n{whose} has policies in Cedar")
        show.facts([("cedar", f"{len(one.cedar.splitlines())} lines: see --cedar")])


def _section(title: str, rules: Rules) -> None:
    show.heading(f"\n{title}")
    show.facts((verb, "anything" if patterns == _ALL else ", ".join(patterns)) for verb, patterns in rules.items())


def _span(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size} {name}" + "s" * (seconds != size)
    return f"{seconds} seconds"
