"""A charter bound to one agent's places: one policy set, asked on its own, never merged with another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from outrider.charter.cedar import ACTIONS, KINDS, SCHEMA, clauses, to_cedar
from outrider.charter.groups import KNOWN
from outrider.charter.model import Charter
from outrider.charter.paths import normal
from outrider.charter.patterns import UNIVERSAL, Asked, Declared, Index, Scene
from outrider.charter.program import Policy, Program, Request, Selection
from outrider.charter.values import Entity, Uid

ACTION = {verb: Uid("Action", verb) for verb in ACTIONS}
REMEMBERED = 512
"""Resources whose membership one bound set remembers. Membership is a pure function, so forgetting costs time only."""

_EVERYTHING = UNIVERSAL | frozenset(KNOWN)

_COMPILED: OrderedDict[tuple[str, bool], Compiled] = OrderedDict()
_COMPILED_LIMIT = 256


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What a charter's words mean for one agent on one host.

    Attributes:
        home: The agent's home directory, absolute.
        repo: Its repository's work tree, absolute, or empty.
        groups: ``registries`` (host patterns) and, where a list is there, ``pypi:known`` and its kin (package names).
        protected: Outrider's own directories, sockets and binaries, absolute: the floor keeps them.
        tmp: Directories for temporary files, absolute.
        homes: Other directories that are the user's home whatever ``HOME`` says: where it leads, the user database's.
            ``[never]``, ``[ask]`` and the floor hold there too; no permit does.
        repos: Where the repository's path leads, if that differs; likewise.
    """

    home: str
    repo: str
    groups: dict[str, tuple[str, ...]] = {}
    protected: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    tmp: tuple[str, ...] = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - names to match, not files to make.


class Info(NamedTuple):
    """What is to be said about a policy when it decides.

    Attributes:
        rule: Rule id.
        section: Section that it stands in.
        verb: Verb.
        text: The pattern or label as written.
        ask: True if the policy only asks.
        advice: One sentence, or empty.
        reason: One sentence, or empty where it is made from the rest.
    """

    rule: str
    section: str
    verb: str
    text: str
    ask: bool
    advice: str
    reason: str


class Compiled(NamedTuple):
    """A charter version made ready; independent of any agent.

    Attributes:
        name: Charter name, or ``floor``.
        digest: Its digest.
        charter: The charter, or None for the floor.
        program: Its policies.
        patterns: Its patterns.
        infos: One for each policy of the program.
    """

    name: str
    digest: str
    charter: Charter | None
    program: Program
    patterns: Index
    infos: tuple[Info, ...]


class Seen(NamedTuple):
    """What one bound set makes of one resource, whatever the context.

    Attributes:
        selection: What remains to be run.
        resource: The resource.
        entity: What Cedar knows of it.
        permit: A policy that permits it for sure, or -1.
        deny: A policy that denies it for sure, or -1.
        ask: A policy that asks for sure, or -1.
    """

    selection: Selection
    resource: Uid
    entity: Entity
    permit: int
    deny: int
    ask: int


NOBODY = -1
"""Instead of a policy's position: nothing permitted."""

UNKNOWN = -2
"""Instead of a policy's position: part of the resource is not known, so nothing narrower than everything permits it."""


class Judged(NamedTuple):
    """One policy set's word on one resource.

    Attributes:
        verdict: ``allow``, ``ask``, ``deny`` or ``error``.
        policy: Position of the policy that decided, or :data:`NOBODY`, or :data:`UNKNOWN`.
    """

    verdict: str
    policy: int


class Asker(NamedTuple):
    """Who asks, and in what circumstances.

    Attributes:
        principal: The agent.
        entity: What Cedar knows of it: the charters that it is in.
        context: The Cedar context.
    """

    principal: Uid
    entity: Entity
    context: dict[str, Any]


class Bound:
    """One policy set, bound.

    Attributes:
        compiled: The charter, made ready.
        scene: Its bindings.
        ceiling: True if it bounds a child of an agent of this charter.
        name: The charter's name.
        digest: The charter's digest.
        charter: The charter, or None for the floor.
    """

    __slots__ = ("__weakref__", "ceiling", "charter", "compiled", "digest", "name", "scene", "see")

    def __init__(self, compiled: Compiled, scene: Scene, *, ceiling: bool) -> None:
        self.compiled = compiled
        self.scene = scene
        self.ceiling = ceiling
        self.name = compiled.name
        self.digest = compiled.digest
        self.charter = compiled.charter
        self.see = lru_cache(maxsize=REMEMBERED)(lambda *asked: _see(compiled, scene, Asked(*asked)))

    def __repr__(self) -> str:
        return f"Bound({self.name}, {self.digest[:15]}, ceiling={self.ceiling})"

    def judge(self, asked: tuple[str, str, str, tuple[str, ...]], asker: Asker) -> Judged:
        """Return this set's word on one resource. A deny outweighs an error, and an error everything else.

        Args:
            asked: Verb, kind, value, and the flags that matter to patterns.
            asker: Who asks, with the Cedar context.
        """
        seen: Seen = self.see(*asked)
        permit, deny, ask = seen.permit, seen.deny, seen.ask
        if deny >= 0:
            return Judged("deny", deny)
        program = self.compiled.program
        if seen.selection.conditions or program.fallback:
            held, erred = program.run(seen.selection, self._request(asked[0], seen, asker))
            if len(held) > len(seen.selection.sure):
                permit, deny, ask = _sorted(self.compiled, held)
            if deny >= 0:
                return Judged("deny", deny)
            if erred:
                return Judged("error", erred[0])
        if permit < 0:
            return Judged("deny", NOBODY)
        return Judged("ask", ask) if ask >= 0 else Judged("allow", permit)

    def _request(self, verb: str, seen: Seen, asker: Asker) -> Request:
        resource = seen.resource
        entities = {}
        if self.compiled.program.uses_entities:
            entities = {
                asker.principal: asker.entity,
                resource: seen.entity,
            }
        return Request(asker.principal, ACTION[verb], resource, asker.context, entities)

    def judge_inexact(self, word: Judged) -> Judged:
        """Return the word on a resource of which part is not known: only a permit for everything is a permit."""
        if word.verdict == "allow" and self.compiled.infos[word.policy].text in _EVERYTHING:
            return word
        return Judged("error", UNKNOWN) if word.verdict == "allow" or word.policy == NOBODY else word


def _sorted(compiled: Compiled, held: Iterable[int]) -> tuple[int, int, int]:
    """Return the first permit, deny and ask among policies that hold, -1 for none."""
    permit = deny = ask = -1
    for at in held:
        if not compiled.program.policies[at].forbid:
            permit = at if permit < 0 else permit
        elif compiled.infos[at].ask:
            ask = at if ask < 0 else ask
        elif deny < 0:
            deny = at
    return permit, deny, ask


def _see(compiled: Compiled, scene: Scene, asked: Asked) -> Seen:
    resource = Uid(KINDS[asked.kind], asked.value)
    groups = [Uid("Pattern", name) for name in compiled.patterns.members(asked, scene)]
    selection = compiled.program.select(asked.verb, groups, resource)
    entity = Entity({"value": asked.value}, frozenset(groups))
    return Seen(selection, resource, entity, *_sorted(compiled, selection.sure))


def scene(bindings: Bindings) -> Scene:
    """Return bindings in normal form."""
    return Scene(
        normal(bindings.home),
        normal(bindings.repo),
        tuple(normal(one) for one in bindings.tmp),
        bindings.groups,
        tuple(normal(one) for one in bindings.homes),
        tuple(normal(one) for one in bindings.repos),
    )


def compile_charter(charter: Charter, *, ceiling: bool = False) -> Compiled:
    """Return a charter made ready, from the cache of versions if it is there.

    Raises:
        CharterError: Its Cedar does not compile.
    """
    mark = (charter.digest, ceiling)
    found = _COMPILED.get(mark)
    if found is not None:
        _COMPILED.move_to_end(mark)
        return found
    infos: dict[str, Info] = {}
    declared: list[Declared] = []
    for clause, patterns in clauses(charter, ceiling=ceiling):
        declared += patterns
        ask = clause.section == "ask" or clause.asks
        infos[clause.id] = Info(clause.id, clause.section, clause.verb, clause.text, ask, "", "")
    program = Program(to_cedar(charter, ceiling=ceiling), schema=SCHEMA, source=charter.name)
    own = tuple(_info(charter.name, policy, infos) for policy in program.policies)
    compiled = Compiled(charter.name, charter.digest, charter, program, Index(declared), own)
    _COMPILED[mark] = compiled
    if len(_COMPILED) > _COMPILED_LIMIT:
        _COMPILED.popitem(last=False)
    return compiled


def _info(name: str, policy: Policy, infos: dict[str, Info]) -> Info:
    known = infos.get(policy.id) or infos.get(policy.id.removesuffix(".yes"))
    if known is not None:
        return known
    notes = policy.annotations
    rule = f"{name}.cedar.{policy.id}"
    return Info(rule, "cedar", "", "", notes.get("verdict") == "ask", notes.get("advice", ""), notes.get("reason", ""))


def bind(charter: Charter, bindings: Bindings, *, ceiling: bool = False) -> Bound:
    """Bind a charter to an agent's places. Cheap: the charter version is compiled once.

    Args:
        charter: The charter.
        bindings: The agent's (or, for a ceiling, the ancestor agent's) own.
        ceiling: True to bound a child: ``[may]`` plus ``[delegate]``.

    Raises:
        CharterError: The charter's Cedar does not compile.
    """
    return Bound(compile_charter(charter, ceiling=ceiling), scene(bindings), ceiling=ceiling)
