"""Would charter P have stopped it, and what honest work would it have broken?

Every recorded decision carries the typed input of the policy, so nothing is parsed again: the draft takes its own link
of each agent's chain, every other link stays as it was recorded, and the calls are ruled on afresh. What a draft would
have changed about everything AFTER the first call that it stops cannot be known: the agent would have done otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.charter.model import Charter, from_canonical
from outrider.charter.ruling import Context, Ruling, rule
from outrider.detect.catalogue import classes
from outrider.errors import CharterError
from outrider.events.codec import decode
from outrider.events.decision import WORSE, Verdict
from outrider.events.imported import IMPORTED
from outrider.events.record import AgentBorn, CallDecided, CharterLoaded
from outrider.investigate.alike import Alike, Told, told
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.words import summary
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.events.call import Effect
    from outrider.events.decision import Decision
    from outrider.investigate.alike import Was
    from outrider.store.view import View

MOST_LISTED: Final = 10_000
"""Most calls listed one by one; the counts are always whole."""

_FIXED: Final = ("floor", "identity")


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the draft would have decided otherwise, or that cannot be decided.

    Attributes:
        n: The call.
        ts: Its time.
        agent: Its agent.
        what: Its tool and effects, in a line.
        was: The verdict recorded.
        now: The verdict under the draft, or empty if it cannot be known.
        rules: Rule ids that decide now, the worst first.
        reason: Why, one sentence.
    """

    n: int
    ts: int
    agent: str
    what: str
    was: str
    now: str
    rules: tuple[str, ...] = ()
    reason: str = ""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        charter: Name of the draft.
        digest: Its digest.
        judged: Calls ruled on.
        stopped: Newly refused calls that the caller named as bad.
        broken: All other newly refused calls.
        asked: Calls that a person would newly have been asked about.
        allowed: Newly allowed calls.
        missed: Calls named as bad that the draft would still have let through.
        unchanged: How many were decided alike.
        not_decidable: Calls whose recorded input does not suffice.
        per_second: Calls ruled on a second.
        confidence: ``value``, or ``part`` if something could not be decided.
        coverage: What could not be seen.
        statement: The answer in a sentence.
    """

    charter: str
    digest: str
    judged: int
    stopped: tuple[Changed, ...]
    broken: tuple[Changed, ...]
    asked: tuple[Changed, ...]
    allowed: tuple[Changed, ...]
    missed: tuple[int, ...]
    unchanged: int
    not_decidable: tuple[Changed, ...]
    per_second: float
    confidence: str
    coverage: Coverage
    statement: str


def replay(
    view: View,
    draft: Charter,
    *,
    bad: Collection[int] = (),
    protected: tuple[str, ...] = (),
    since: int = 0,
    again: Callable[[Chains, Iterator[CallDecided]], Iterator[CallDecided]] | None = None,
) -> Replay:
    """Rule on every recorded call of the agents that the draft's name bounds, as if the draft had been in force.

    Args:
        view: The view.
        draft: The charter to try. It stands in for every version of its own name, in an agent's own line and in its
            ancestors'; what it extends is left as recorded.
        bad: Calls that it is meant to stop; refusing them is success, refusing any other is damage.
        protected: Outrider's own places on the host that made the record, for the floor.
        since: Only calls from this event on.
        again: Gives the calls as they are to be ruled on, if not as they were recorded; see :mod:`.rejudge`.

    Raises:
        CharterError: The draft does not compile.
    """
    with view.snapshot():
        chains = Chains(view, draft, protected)
        bind(draft, Bindings(home="/", repo=""))
        sums = _Sums(chains, bad)
        began = time.perf_counter()
        if again is not None:
            for call in again(chains, calls(view, since)):
                if chains.concerns(call.agent):
                    sums.add(call)
        else:
            for n, leaf in leaves(view, since):
                sums.take(n, leaf)
        took = time.perf_counter() - began
        covered = coverage(view)
    return Replay(
        charter=draft.name,
        digest=draft.digest,
        judged=sums.judged,
        stopped=tuple(sums.lists["stopped"]),
        broken=tuple(sums.lists["broken"]),
        asked=tuple(sums.lists["asked"]),
        allowed=tuple(sums.lists["allowed"]),
        missed=tuple(sums.still),
        unchanged=sums.counts[""],
        not_decidable=tuple(sums.lists["unknown"]),
        per_second=sums.judged / took if took > 0 else 0.0,
        confidence="part" if sums.counts["unknown"] else "value",
        coverage=covered,
        statement=_statement(draft.name, sums),
    )


class _Sums:
    """What came of the calls so far.

    Attributes:
        judged: Calls ruled on.
        counts: How many stand in each list; under an empty name, how many were decided alike.
        lists: The first of each.
        still: Calls named as bad that are let through.
    """

    def __init__(self, chains: Chains, bad: Collection[int]) -> None:
        self.judged = 0
        self.counts = dict.fromkeys(("", "stopped", "broken", "asked", "allowed", "unknown"), 0)
        self.lists: dict[str, list[Changed]] = {kind: [] for kind in self.counts}
        self.still: list[int] = []
        self._chains = chains
        self._bad = bad
        self._alike = Alike(chains)

    def take(self, n: int, leaf: bytes) -> None:
        """Count a call as it stands in the record, and rule on it whole where it has to be listed."""
        call = told(leaf)
        if call.permission or not self._chains.concerns(call.agent):
            return
        kind = self._kind(call) if n not in self._bad else None
        if kind is not None and (not kind or self.counts[kind] >= MOST_LISTED):
            self.judged += 1
            self.counts[kind] += 1
            return
        event = decode(leaf)
        if isinstance(event, CallDecided):
            self.add(event)

    def _kind(self, call: Told) -> str | None:
        """Return the list that a call belongs in that nobody named as bad; None if it must be ruled on whole."""
        was = call.decision
        if is_fixed(was):
            return ""
        found = self._alike.verdict(call)
        if found is None:
            return None
        kind, now = _kind(*found, was)
        return "unknown" if call.cut and now != "deny" else kind

    def add(self, call: CallDecided) -> str:
        """Rule on a call; return the list that it belongs in, or an empty name."""
        self.judged += 1
        kind, changed = _one(self._chains, call, self._bad)
        self.counts[kind] += 1
        if changed is not None and len(self.lists[kind]) < MOST_LISTED:
            self.lists[kind].append(changed)
        if call.n in self._bad and (kind == "allowed" or (not kind and call.decision.verdict != "deny")):
            self.still.append(call.n)
        return kind


def _statement(name: str, sums: _Sums) -> str:
    if not sums.judged:
        return f"No recorded call was bounded by a charter called {name}."
    counts = sums.counts
    parts = [
        f"Of {sums.judged:,} calls, this {name} would have stopped {counts['stopped']:,} of those meant"
        + (f" (and let {len(sums.still):,} through)" if sums.still else "")
        + f" and broken {counts['broken']:,} others"
    ]
    for kind, words in (("asked", "newly asked about"), ("allowed", "newly allowed"), ("unknown", "not decidable")):
        if counts[kind]:
            parts.append(f"{counts[kind]:,} {words}")
    return "; ".join(parts) + "."


def leaves(view: View, since: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the leaf of every decision from event ``since`` on."""
    rows: Iterator[tuple[int, bytes]] = view.db.execute(
        "SELECT e.n, l.leaf FROM events e JOIN leaves l ON l.n = e.n"
        " WHERE e.kind = 'call.decided' AND e.n >= ? ORDER BY e.n",
        (since,),
    )
    yield from rows


def calls(view: View, since: int) -> Iterator[CallDecided]:
    """Yield every recorded call from event ``since`` on, questions for permission left out."""
    for _, leaf in leaves(view, since):
        event = decode(leaf)
        if isinstance(event, CallDecided) and not event.permission:
            yield event


def _one(chains: Chains, call: CallDecided, bad: Collection[int]) -> tuple[str, Changed | None]:
    """Return which list a call belongs in, and its entry; ``("", None)`` if nothing changes."""
    was = call.decision
    if is_fixed(was):
        return "", None  # No charter can change what the floor or an agent's own end refuses.
    try:
        chain, home = chains.of(call.agent)
    except CharterError as error:
        return "unknown", entry(call, "", reason=str(error))
    ruling = rule_on(chain, call, home)
    kind, now = _kind(ruling.verdict, ruling.undecided, was)
    if call.cut and now != "deny":
        return "unknown", entry(call, "", reason=f"{call.cut} effects did not fit the record")
    if kind == "broken" and call.n in bad:
        kind = "stopped"
    return kind, entry(call, now, ruling) if kind else None


def _kind(verdict: Verdict, undecided: str, was: Decision | Was) -> tuple[str, Verdict]:
    """Return the list of a call that nobody named as bad, and what its agent would be told now."""
    now = settled(verdict, undecided)
    before = settled(was.verdict, was.enforced if was.mode == "enforce" else undecided)
    if now == before or {now, before} == {"allow", "amend"}:
        return "", now
    if now == "deny":
        return "broken", now
    return "allowed" if WORSE[now] < WORSE[before] else "asked", now


def is_fixed(was: Decision | Was) -> bool:
    """Tell whether the floor or an agent's own end refused: no charter can change that."""
    return was.verdict == "deny" and any(hit.rule.partition(".")[0] in _FIXED for hit in was.hits)


def rule_on(chain: tuple[Bound, ...], call: CallDecided, home: str) -> Ruling:
    """Return what a chain says of a recorded call; ``home`` is its agent's."""
    return rule(chain, placed(call.effects, home), _context(chain, call))


def placed(effects: tuple[Effect, ...], home: str) -> tuple[Effect, ...]:
    """Return recorded effects with their agent's home put in place of ``~``."""
    return tuple(
        msgspec.structs.replace(effect, value=_expand(effect.value, home), resolved=_expand(effect.resolved, home))
        if effect.kind in {"path", "repo"} and (effect.value[:1] == "~" or effect.resolved[:1] == "~")
        else effect
        for effect in effects
    )


def _context(chain: tuple[Bound, ...], call: CallDecided) -> Context:
    """Return what the record knows of a call's circumstances.

    The labels of its values are those that its charters then saw: a draft that says otherwise of a tool is not heard.
    """
    values = dict.fromkeys(call.values, "a value")
    return Context(
        labels=call.labels,
        findings=call.findings,
        counters=call.counters,
        values={bound.digest: values for bound in chain} if values else {},
        classes=classes(call.findings),
    )


def _expand(path: str, home: str) -> str:
    """Undo the record's only abbreviation: the agent's home is written ``~``."""
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def settled(verdict: Verdict, undecided: str) -> Verdict:
    """Return what is told where nothing could be decided."""
    if verdict != "error":
        return verdict
    return undecided if undecided in {"deny", "ask", "allow"} else "deny"  # type: ignore[return-value]


def entry(call: CallDecided, now: str, ruling: Ruling | None = None, reason: str = "") -> Changed:
    """Return a call's entry in a list of those that would have been decided otherwise."""
    worst = [hit for hit in ruling.hits if hit.verdict == ruling.verdict and hit.verdict != "allow"] if ruling else []
    return Changed(
        n=call.n,
        ts=call.ts,
        agent=call.agent,
        what=summary(call),
        was=call.decision.verdict,
        now=now,
        rules=tuple(dict.fromkeys(hit.rule for hit in worst)),
        reason=reason or (worst[0].reason if worst else ""),
    )


class Chains:
    """Binds the recorded chains of agents, the draft in its place; the same order as when they were judged."""

    def __init__(self, view: View, draft: Charter, protected: tuple[str, ...]) -> None:
        """Read every charter version that the record holds; ``draft`` stands in for those of its name."""
        self._view = view
        self._draft = draft
        self._protected = protected
        self._births: dict[str, AgentBorn | None] = {}
        self._charters: dict[str, Charter | None] = {}
        self._known: dict[str, tuple[tuple[Bound, ...], str] | CharterError] = {}
        self._bound: dict[tuple[object, ...], Bound] = {}
        self._concerns: dict[str, bool] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        for (leaf,) in view.rows("SELECT l.leaf FROM charters c JOIN leaves l ON l.n = c.n ORDER BY c.n"):
            event = decode(leaf)
            if isinstance(event, CharterLoaded):
                self._charters[event.digest] = _parsed(event.source)
                self._groups.update(event.groups)
            elif isinstance(event, AgentBorn):
                narrowed = _parsed(event.narrowed)
                if narrowed is not None:
                    self._charters[narrowed.digest] = narrowed

    def concerns(self, agent_id: str) -> bool:
        """Tell whether a charter of the draft's name bounds the agent."""
        known = self._concerns.get(agent_id)
        if known is None:
            birth = self._birth(agent_id)
            name = self._draft.name
            known = self._concerns[agent_id] = birth is not None and (
                birth.charter in (name, IMPORTED) or any(self._name(digest) == name for digest in birth.chain)
            )
        return known

    def of(self, agent_id: str) -> tuple[tuple[Bound, ...], str]:
        """Return an agent's chain and home.

        Raises:
            CharterError: A charter version is not in the record, or the agent's places were erased.
        """
        known = self._known.get(agent_id)
        if known is None:
            try:
                known = self._make(agent_id)
            except CharterError as error:
                known = error
            self._known[agent_id] = known
        if isinstance(known, CharterError):
            raise known
        return known

    def under(self, agent_id: str, line: Sequence[Charter]) -> tuple[Bound, ...]:
        """Return the floor and a line of charters, bound to an agent's places.

        Raises:
            CharterError: The agent's places were erased.
        """
        bindings = self.bindings(agent_id)
        return tuple(self._bind(charter, bindings, ceiling=False) for charter in (None, *line))

    def charter_of(self, agent_id: str) -> str:
        """Return the name of the charter that an agent was born under, or empty."""
        birth = self._birth(agent_id)
        return birth.charter if birth is not None else ""

    def _make(self, agent_id: str) -> tuple[tuple[Bound, ...], str]:
        links: list[Bound] = [self._bind(None, self.bindings(agent_id), ceiling=False)]
        current = self._birth(agent_id)
        if current is not None and current.charter == IMPORTED:
            # Nobody bound it: the draft alone is asked, as if it had been in force.
            bindings = self.bindings(agent_id)
            return (*links, self._bind(self._draft, bindings, ceiling=False)), bindings.home
        ceiling = False
        while current is not None:
            parent = self._birth(current.parent) if current.parent else None
            own = current.chain[: len(current.chain) - (len(parent.chain) if parent else 0)]
            bindings = self.bindings(current.agent)
            for position, digest in enumerate(own):
                charter = self._charter(digest)
                link = self._bind(charter, bindings, ceiling=ceiling and position == 0)
                if link not in links:
                    links.append(link)
            current, ceiling = parent, True
        return tuple(links), self.bindings(agent_id).home

    def _bind(self, charter: Charter | None, bindings: Bindings, *, ceiling: bool) -> Bound:
        mark = (charter.digest if charter else "", bindings.home, bindings.repo, ceiling)
        bound = self._bound.get(mark)
        if bound is None:
            bound = bind(charter, bindings, ceiling=ceiling) if charter else floor(bindings)
            self._bound[mark] = bound
        return bound

    def bindings(self, agent_id: str) -> Bindings:
        """Return an agent's places.

        Raises:
            CharterError: They were erased.
        """
        agent = reading.agent(self._view, agent_id)
        if agent is None or not agent.home:
            raise CharterError(f"where agent {agent_id} lived is not in the record, or was erased")
        return Bindings(home=agent.home, repo=agent.repo or agent.cwd, groups=self._groups, protected=self._protected)

    def _charter(self, digest: str) -> Charter:
        charter = self._charters.get(digest)
        if charter is None:
            raise CharterError(f"charter version {digest[:19]} is not in the record")
        return self._draft if charter.name == self._draft.name else charter

    def _name(self, digest: str) -> str:
        charter = self._charters.get(digest)
        return charter.name if charter else ""

    def _birth(self, agent_id: str) -> AgentBorn | None:
        if agent_id not in self._births:
            row = self._view.one("SELECT n FROM agents WHERE id = ?", agent_id)
            event = reading.event(self._view, row[0]) if row else None
            self._births[agent_id] = event if isinstance(event, AgentBorn) else None
        return self._births[agent_id]


def _parsed(source: str) -> Charter | None:
    try:
        return from_canonical(source.encode())
    except CharterError:
        return None
