"""What to do now: the levers to pull, printed as commands, and what no command of ours can do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.investigate.due import Due, due
from outrider.investigate.remedy import Remedy
from outrider.investigate.source import Origin, once
from outrider.investigate.stopped import TOLD, Stopped
from outrider.investigate.words import tail

if TYPE_CHECKING:
    from outrider.investigate.blast import Blast
    from outrider.investigate.touched import Thing
    from outrider.store.reading import Agent

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_MOST: Final = 12
_LONG: Final = 200
_FEW: Final = 3
"""Credentials of refused agents that a step names; the table of who was stopped has all."""
_SEVERAL: Final = 3
"""Living agents of one charter from which on the class is stopped rather than each of them."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do.

    Attributes:
        do: What, one sentence. Written by an attacker in parts: escape it.
        command: A command that does it or shows what it would do, or empty.
        urgent: Whether it stops something that goes on.
    """

    do: str
    command: str = ""
    urgent: bool = False
    shows: bool = False
    """Whether the command only shows more: what is to be done is done elsewhere, by hand."""

    @property
    def needs(self) -> str:
        """What has to be there for it."""
        if not self.command:
            return "by hand"
        if self.shows:
            return "by hand; the command shows more, and needs the live record"
        what = "the live record" if self.command.startswith("outrider ") else "a clone of the repository"
        return f"needs {what}"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What else is known that decides what to do.

    Attributes:
        refused: Who tried and was refused.
        contacts: Whom to ask about each agent, by its id.
        carried: Of an act that carried what a credential's reading had brought, that event.
        remedies: Rules that were tried against the acts, of a charter the better first.
        origins: Where the contents stood that led to the acts.
    """

    refused: tuple[Stopped, ...] = ()
    contacts: dict[str, str] = {}
    carried: dict[int, int] = {}
    remedies: tuple[Remedy, ...] = ()
    origins: tuple[Origin, ...] = ()


def steps(
    case: str,
    agents: Iterable[Agent],
    impact: Iterable[Blast],
    acts: Iterable[int] = (),
    known: Known | None = None,
) -> Iterator[Step]:
    """Give what to do, in the order in which an incident commander needs it: stop, change, look, tell."""
    principals = tuple(agents)
    blasts = tuple(impact)
    affected = list({one.agent.id: one.agent for told in blasts for one in told.agents}.values())
    more = known or Known()
    yield from _shut(blasts, more.carried)
    yield from _stop(case, principals, affected)
    every = due(blasts, more.refused)
    yield from _source(more.origins, acts)
    yield from _change(one for one in every if not one.refused)
    yield from _change_too(case, more.refused, (one for one in every if one.refused))
    yield from _review(blasts)
    yield from _came(case, principals, affected)
    yield from _hole(principals, acts, more.remedies)
    yield from _tell(principals, more.contacts)
    yield Step(do="Ask what could not be seen, before anybody says that this was all.", command="outrider coverage")
    yield Step(
        do="Seal the case, so that others can check it without trusting this machine.",
        command=f"outrider case export {case}",
    )


def unwitnessed(todo: Iterable[Step]) -> Iterator[Step]:
    """Give what of it is to be done about imported agents: nobody can be stopped, and events are of another record."""
    for step in todo:
        words = step.command.split(" ")
        question = {"why": "cause", "blast": "blast"}.get(words[1]) if words[0] == "outrider" else None
        if question is not None:
            command = f"outrider {question} {words[2]} --imported"
            yield Step(do=f"By a transcript: {step.do}", command=command, urgent=step.urgent)
        elif words[:2] == ["outrider", "involved"]:
            asked = step.command.removeprefix("outrider involved ")
            yield Step(do=f"By a transcript: {step.do}", command=f"outrider involved --imported {asked}")
        elif step.command.startswith("git "):
            yield Step(do=f"By a transcript: {step.do}", command=step.command)


def _stop(case: str, principals: tuple[Agent, ...], affected: list[Agent]) -> Iterator[Step]:
    why = shlex.quote(case)
    living: dict[str, list[Agent]] = {}
    for agent in {one.id: one for one in (*principals, *affected)}.values():
        if agent.ended_n is None:
            living.setdefault(agent.charter, []).append(agent)
    for charter, those in sorted(living.items()):
        if len(those) >= _SEVERAL:
            yield Step(
                do=f"{len(those)} agents of charter {charter} that are affected still live: stop the class.",
                command=f"outrider quarantine --charter {shlex.quote(charter)} --why {why}",
                urgent=True,
            )
            continue
        for agent in those:
            yield Step(
                do=f"Agent {agent.id} still lives: stop it and all that descends from it.",
                command=f"outrider quarantine --lineage {shlex.quote(agent.id)} --why {why}",
                urgent=True,
            )
    for agent in principals:
        if agent.ended_n is not None:
            yield Step(
                do=f"Agent {agent.id} has ended ({agent.ended_how}); revoke it, so that it is not resumed and its "
                "tokens are void.",
                command=f"outrider revoke --agent {shlex.quote(agent.id)} --why {why}",
            )


def _source(origins: Iterable[Origin], acts: Iterable[int]) -> Iterator[Step]:
    """Say what to do about the place that the instruction came from, or that it is still to be found."""
    found = once(origins)
    for one in found[:_MOST]:
        yield _clean(one)
    for act in list(acts)[:1] if not found else ():
        yield Step(
            do=f"Find out what told it to: nothing could be tied to event {act}. Look through what it had read before,"
            " and clean the place, or keep agents from it.",
            command=f"outrider cause {act}",
            shows=True,
        )


def _clean(one: Origin) -> Step:
    """Return what to do about one place."""
    texts = f" The words stand in the text of event {one.event}" + (
        f", the whole address or arguments in that of event {one.asked}." if one.asked >= 0 else "."
    )
    at = f" ({one.place})" if one.place else ""
    others = "the command says who else read the same"
    what = {
        "host": f"a page of {one.value}: have it cleaned or taken down, and keep agents from it until it is",
        "file": f"the file {one.value}: clean it, and find out who wrote it there",
        "tool": f"what the tool {one.value} gave back: clean what it reads from, and keep agents from it until it is",
        "prompt": f"a prompt, {one.value}: find out where its text was taken from",
        "agent": f"another agent, {one.value}: look at what that one had read",
        "other": f"{one.value}: find the place behind it, clean it, and keep agents from it until it is",
    }[one.kind]
    if one.trusted:
        return Step(
            do=f"The instruction was a person's own prompt (event {one.event}{at}): ask whoever gave it whether it was"
            " meant, and where its text came from.",
            command=f"outrider why {one.event}",
            shows=True,
        )
    came = "came from" if one.sure else "may have come from (only a label ties it to the act: look at it first)"
    return Step(
        do=f"The instruction {came} {what} (event {one.event}{at}; {others}).{texts}",
        command=f"outrider blast {one.event}",
        urgent=one.sure,
        shows=True,
    )


def _change(credentials: Iterable[Due]) -> Iterator[Step]:
    found = tuple(credentials)
    for thing in found[:_MOST]:
        yield Step(
            do=f"Change the credential {thing.value} ({thing.kind}), which an affected agent had read: event "
            f"{thing.first}.",
            command=f"outrider why {thing.first}",
            urgent=True,
            shows=True,
        )
    if len(found) > _MOST:
        yield Step(do=f"Change {len(found) - _MOST} more credentials; the list of impact has them.", urgent=True)


def _change_too(case: str, refused: tuple[Stopped, ...], credentials: Iterable[Due]) -> Iterator[Step]:
    """Give what to do about agents that were refused: what only they had read, and who had started them."""
    had = tuple(credentials)
    by = {one.agent.id: one for one in refused}
    if had:
        named = "; ".join(
            f"{thing.value} (read at event {thing.first}; "
            + ", ".join(f"{tail(name)} was refused at event {by[name].attempt}" for name in thing.agents if name in by)
            + ")"
            for thing in had[:_FEW]
        )
        more = f"; and {len(had) - _FEW} more, in the table of who was stopped" if len(had) > _FEW else ""
        yield Step(
            do=f"Change the {_counted(len(had), 'credential')} that only agents had read which were refused:"
            f" {named}{more}. The sending was refused, but the values were read.",
            command=f"outrider why {had[0].first}",
            shows=True,
        )
    parents = {one.parent.id: one for one in refused if one.parent is not None and one.parent.ended_n is None}
    for one in list(parents.values())[:_MOST]:
        read_it = one.parent_read in TOLD
        parent, known_of = one.agent.parent, f"{one.parent_had[0].upper()}{one.parent_had[1:]}"
        yield Step(
            do=f"Agent {parent} started {tail(one.agent.id)}, which was refused (event {one.attempt}), and lives; had"
            f" it read the same? {known_of}." + (" Stop it and all that descends from it." if read_it else ""),
            command=f"outrider quarantine --lineage {shlex.quote(parent)} --why {shlex.quote(case)}"
            if read_it
            else f"outrider touched {shlex.quote(parent)}",
            urgent=read_it,
        )


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _shut(blasts: tuple[Blast, ...], carried: Mapping[int, int]) -> Iterator[Step]:
    out = {(t.kind, t.value): t for told in blasts for t in told.hosts if t.role in {"sent", "exposed"}}
    for thing in list(out.values())[:_MOST]:
        with_it = next((carried[n] for n in thing.events if n in carried), -1)
        went = "Data went" if thing.role == "sent" or with_it >= 0 else "Data may have gone"
        what = f"; a value that event {with_it} had read went with it" if with_it >= 0 else ""
        yield Step(
            do=f"{went} to {thing.value} (event {thing.first}{what}): close it at your proxy or name server, and ask"
            " who else reached it.",
            command=_involved(thing),
            urgent=True,
            shows=True,
        )


def _review(blasts: tuple[Blast, ...]) -> Iterator[Step]:
    work = {(t.kind, t.value): t for told in blasts for t in told.commits if t.kind not in {"branch", "repo"}}
    repos = {agent: t.value for told in blasts for t in told.commits if t.kind == "repo" for agent in t.agents}
    files = {t.value: t for told in blasts for t in told.files if t.kind == "path" and "/.git/" not in t.value}
    wrote = ", ".join(f"{value} (event {t.first})" for value, t in list(files.items())[:_MOST])
    for thing in list(work.values())[:_MOST]:
        repo = next((repos[agent] for agent in thing.agents if agent in repos), "")
        commit = _COMMIT.fullmatch(thing.value) is not None
        place = f"-C {shlex.quote(repo)} " if repo else ""
        yield Step(
            do=f"Look again at the {thing.kind} {thing.value} ({thing.role}, event {thing.first})"
            + (f" in {repo}; revert it if it is not wanted" if repo else "")
            + (f". Its agent had written {wrote}." if commit and wrote else "."),
            command=f"git {place}show {thing.value}" if commit else _involved(thing),
        )
    if files and not work:
        yield Step(do=f"Look again at the files that were written or deleted: {wrote}.")
    yield from _others(blasts)


def _others(blasts: tuple[Blast, ...]) -> Iterator[Step]:
    """Say who else met it: who read the same content first, whoever only reached the same place after that."""
    own = {one.agent.id for told in blasts for one in told.agents}
    met = [one for told in blasts for one in told.met if one.agent and one.agent not in own]
    same = {one.agent for one in met if one.what == "content"}
    visited = {one.agent for one in met} - same
    places = ", ".join(dict.fromkeys(one.value for one in met if one.agent in visited and one.what != "content"))
    if same:
        yield Step(
            do=f"{_counted(len(same), 'other agent')} read the same content: look at what each did then (the table of"
            " who met it; agents.json has all)."
        )
    if visited:
        yield Step(
            do=f"{_counted(len(visited), 'more agent')} only reached the same place ({places[:_LONG]}), where they may"
            " have read something else: look at them last."
        )


def _came(case: str, principals: tuple[Agent, ...], affected: list[Agent]) -> Iterator[Step]:
    known = {agent.id for agent in principals}
    for agent in [one for one in affected if one.id not in known and one.ended_n is not None][:_MOST]:
        of = f", born of {agent.parent}," if agent.parent else ""
        yield Step(
            do=f"Agent {agent.id} of class {agent.charter}{of} came under it and has ended: look at all that it did,"
            f" and revoke it as well (outrider revoke --agent {agent.id} --why {shlex.quote(case)}).",
            command=f"outrider touched {shlex.quote(agent.id)}",
        )


def _hole(principals: tuple[Agent, ...], acts: Iterable[int], remedies: tuple[Remedy, ...]) -> Iterator[Step]:
    charter = next((agent.charter for agent in principals), "")
    tried = next((one for one in remedies if one.charter == charter and one.stopped), None)
    for act in list(acts)[:1] if charter else ():
        if tried is not None:
            yield Step(
                do=f"Close the hole in charter {charter}, which let event {act} through: {tried.line} in its"
                f" [{tried.section}]. Tried over the record: {tried.numbers} Q0008 has what else was tried.",
                command=f"outrider why {act}",
                shows=True,
            )
            continue
        yield Step(
            do=f"Close the hole in charter {charter}: Q0008 names the line that let event {act} through where it can be"
            " told, and what one more would have refused.",
            command=f"outrider why {act}",
        )


def _tell(principals: tuple[Agent, ...], contacts: Mapping[str, str]) -> Iterator[Step]:
    by: dict[str, list[str]] = {}
    for agent in principals:
        if agent.sponsor:
            whom = by.setdefault(agent.sponsor, [])
            whom += [contacts[agent.id]] if contacts.get(agent.id, "") not in {"", *whom} else []
    for sponsor, whom in by.items():
        ask = (
            f"Whom to ask: {'; '.join(whom)}."
            if whom
            else "Nobody is named whom to ask: a charter can (contact), and config.toml can ([contact])."
        )
        yield Step(
            do=f"Tell {sponsor}, who answers for the agent, and whoever owns what it read, sent and changed. {ask}"
        )


def _involved(thing: Thing) -> str:
    dash = "-- " if thing.value.startswith("-") else ""
    return f"outrider involved {dash}{shlex.quote(thing.value)}"
