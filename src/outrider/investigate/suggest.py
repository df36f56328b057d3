"""The narrowest charter that would have allowed what a class really did, and what it was refused all the same.

Made from the record: every effect of a call that ran becomes the narrowest pattern that permits it (a file's directory,
a host by name, a program by name), or a group such as ``@system`` where the charter itself permits it by one. A pattern
is taken only if it was seen to permit the effect; where none narrower does, the charter's own is kept. The whole is
then ruled on over the same calls, and what it would refuse is counted, not hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.charter.bound import Bindings, bind
from outrider.charter.cedar import ACTIONS
from outrider.charter.model import Charter
from outrider.charter.patterns import PATH_VERBS
from outrider.charter.ruling import Context, rule
from outrider.errors import CharterError
from outrider.investigate import replay
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.events.call import Effect
    from outrider.events.record import CallDecided
    from outrider.store.view import View

MOST_PATTERNS: Final = 24
"""Most narrow patterns of one verb; beyond, those below the repository become ``repo/**``."""

_RAN: Final = frozenset({"done", "failed", "no result seen"})
_GLOB: Final = frozenset("*?[]{}\\")


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Something that agents of the class tried and were refused or had a person asked about.

    Attributes:
        verb: What they tried.
        value: On what.
        agents: How many agents did.
        calls: In how many calls.
        rule: The rule that said no.
        unlock: What would allow it.
    """

    verb: str
    value: str
    agents: int
    calls: int
    rule: str
    unlock: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        charter: The suggested charter; it extends the class's own, so that it can only narrow.
        agents: Agents of the class in the record.
        calls: Their calls that ran.
        most_calls: Calls of the busiest agent.
        unused: Patterns of the class's own ``[may]`` that no call needed, by verb.
        left_out: Calls that ran and that the suggested charter would not allow.
        tried: What was refused, by most agents first.
        not_decidable: Calls whose agent's places were erased.
    """

    charter: Charter
    agents: int
    calls: int
    most_calls: int
    unused: dict[str, tuple[str, ...]]
    left_out: int
    tried: tuple[Tried, ...]
    not_decidable: int


def suggest(view: View, line: Sequence[Charter], *, protected: tuple[str, ...] = ()) -> Suggestion:
    """Return the narrowest charter that would have allowed what agents of a class did.

    Args:
        view: The view.
        line: The class's charter and all that it extends, itself first.
        protected: Outrider's own places on the host that made the record, for the floor.
    """
    own = line[0]
    with view.snapshot():
        chains = replay.Chains(view, own, protected)
        mine = [call for call in replay.calls(view, 0) if chains.charter_of(call.agent) == own.name]
        outcome = reading.outcomes(view, (call.n for call in mine))
        ran = [call for call in mine if call.decision.enforced in {"allow", "amend", "ask"} and outcome[call.n] in _RAN]
        narrowing = _Narrowing(own)
        unknown = 0
        for call in ran:
            try:
                narrowing.take(call, chains.bindings(call.agent))
            except CharterError:
                unknown += 1
        charter = narrowing.charter()
        left_out = _left_out(chains, (charter, *line), ran)
    return Suggestion(
        charter=charter,
        agents=len({call.agent for call in mine}),
        calls=len(ran),
        most_calls=max(Counter(call.agent for call in mine).values(), default=0),
        unused={verb: rest for verb, patterns in own.may.items() if (rest := narrowing.unused(verb, patterns))},
        left_out=left_out,
        tried=tuple(_tried(mine)),
        not_decidable=unknown,
    )


def _left_out(chains: replay.Chains, line: tuple[Charter, ...], ran: list[CallDecided]) -> int:
    """Count the calls that the first of a line refuses itself."""
    name, count = line[0].name, 0
    for call in ran:
        try:
            said = replay.rule_on(chains.under(call.agent, line), call, chains.bindings(call.agent).home)
        except CharterError:
            continue
        count += any(hit.charter == name and hit.verdict != "allow" for hit in said.hits)
    return count


def _tried(calls: list[CallDecided]) -> Iterator[Tried]:
    agents: dict[tuple[str, str, str], set[str]] = {}
    times: Counter[tuple[str, str, str]] = Counter()
    unlock: dict[tuple[str, str, str], str] = {}
    for call in calls:
        marks = set[tuple[str, str, str]]()
        for hit in call.decision.hits:
            if hit.verdict in {"deny", "ask", "error"} and 0 <= hit.effect < len(call.effects):
                effect = call.effects[hit.effect]
                mark = (str(effect.verb), effect.value, hit.rule)
                marks.add(mark)
                unlock[mark] = hit.unlock
        for mark in marks:
            agents.setdefault(mark, set()).add(call.agent)
            times[mark] += 1
    for mark in sorted(agents, key=lambda one: (-len(agents[one]), -times[one], one)):
        verb, value, said = mark
        yield Tried(verb=verb, value=value, agents=len(agents[mark]), calls=times[mark], rule=said, unlock=unlock[mark])


class _Narrowing:
    """Collects the patterns that what was done needs."""

    def __init__(self, own: Charter) -> None:
        self._own = own
        self._needed: dict[str, dict[str, None]] = {}
        self._seen: set[tuple[str, ...]] = set()
        self._used: dict[str, set[str]] = {}

    def take(self, call: CallDecided, places: Bindings) -> None:
        """Take in what a call did."""
        for effect in replay.placed(call.effects, places.home):
            if effect.verb in ACTIONS:
                for form in dict.fromkeys((effect.value, effect.resolved or effect.value)):
                    self._form(msgspec.structs.replace(effect, value=form, resolved=""), places)

    def _form(self, effect: Effect, places: Bindings) -> None:
        mark = (effect.verb, effect.kind, effect.value, *effect.flags, places.home, places.repo)
        if mark in self._seen:
            return
        self._seen.add(mark)
        verb = effect.verb
        own = self._own.may.get(verb, self._own.may.get("write", ()) if verb == "delete" else ())
        fitting = [text for text in own if _permits(text, effect, places)]
        self._used.setdefault(verb, set()).update(fitting)
        inside = places.repo and (effect.value + "/").startswith(places.repo + "/")
        groups = [] if inside else [text for text in fitting if text.startswith("@")]
        narrow = [] if groups else [text for text in _narrow(effect, places) if _permits(text, effect, places)]
        for text in (groups or narrow or fitting)[:1]:
            self._needed.setdefault(verb, {})[text] = None

    def charter(self) -> Charter:
        """Return the charter that permits what was taken in, and nothing else."""
        may = {verb: _gathered(list(self._needed[verb])) for verb in ACTIONS if verb in self._needed}
        if "delete" not in may and "write" in may:
            may["delete"] = ()  # Else what may be written might be deleted.
        return Charter(
            name=f"{self._own.name}-narrow"[:63],
            extends=self._own.name,
            description=f"What agents of {self._own.name} really did.",
            may=may,
        )

    def unused(self, verb: str, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return those of a verb's patterns that nothing needed."""
        used = self._used.get(verb, set())
        return tuple(text for text in patterns if text not in used)


def _permits(text: str, effect: Effect, places: Bindings) -> bool:
    try:
        bound = bind(Charter(name="one", may={effect.verb: (text,)}, opaque="allow"), places)
        return rule((bound,), (effect,), Context()).verdict == "allow"
    except CharterError:
        return False


def _narrow(effect: Effect, places: Bindings) -> Iterator[str]:
    """Yield patterns for what an effect touches, the one to prefer first."""
    value = effect.value
    if effect.verb not in PATH_VERBS:
        if not _GLOB.intersection(value):
            yield f"agent:{value}" if effect.kind == "agent" else value
        return
    for base, word in ((places.repo, "repo"), (places.home, "~")):
        if base and (value == base or value.startswith(base + "/")):
            rest = value[len(base) :].strip("/")
            keep = 1 if word == "repo" else 2
            yield from _below(word, rest.split("/") if rest else [], keep)
            return
    yield from _below("", value.strip("/").split("/"), 3)


def _below(start: str, parts: list[str], keep: int) -> Iterator[str]:
    """Yield the directory that holds a path, ``keep`` names deep, or else the path itself."""
    if _GLOB.intersection("".join(parts[:keep])):
        return
    if len(parts) > keep:
        yield "/".join([start, *parts[:keep], "**"])
    else:
        yield "/".join([start, *parts])
        yield "/".join([start, *parts, "**"])  # A whole tree.


def _gathered(texts: list[str]) -> tuple[str, ...]:
    if len(texts) > MOST_PATTERNS and any(text.startswith("repo/") for text in texts):
        texts = ["repo/**", *(text for text in texts if text != "repo" and not text.startswith("repo/"))]
    trees = [text[:-2] for text in texts if text.endswith("/**")]
    return tuple(
        sorted(text for text in texts if not any(text != f"{tree}**" and text.startswith(tree) for tree in trees))
    )
