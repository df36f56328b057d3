"""Where a call's values come from, as each charter of the agent's chain sees the tool. Pure.

What an agent was told is in :mod:`outrider.flow.origins`; which arguments of a tool steer it is said by the charter,
or else by the arguments' names. Each charter is asked on its own, so that a child that calls a tool harmless does not
take its parent's rule away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.charter.tools import minds_values, said_of
from outrider.events.looking import looks_only
from outrider.events.message import text_of
from outrider.flow.course import Past
from outrider.flow.given import Given, steering
from outrider.flow.origins import SECRET, Known, labels_of
from outrider.flow.recoded import holds_one
from outrider.flow.values import printer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outrider.charter.bound import Bound
    from outrider.events.call import Call, Effect
    from outrider.flow.state import FlowState

_SHORTEST = 8
_NOTHING: Mapping[str, Mapping[str, str]] = {}


class Told(msgspec.Struct, frozen=True):
    """What a call is given, and what its agent was told before.

    Attributes:
        given: The call's values.
        known: What the agent was told; None if nothing yet.
        leaks: The argument that holds a secret's value again, or empty.
        course: The agent's calls before this one.
        home: Its home.
    """

    given: tuple[Given, ...] = ()
    known: Known | None = None
    leaks: str = ""
    course: tuple[Past, ...] = ()
    home: str = ""


_QUIET = frozenset({"read", "search"})


def told_of(call: Call, values: tuple[Given, ...], flow: FlowState, agent: str, at: tuple[str, bytes]) -> Told:
    """Return what a call is given and what its agent was told before.

    Args:
        call: The call.
        values: The values that it is given.
        flow: What flows between this host's agents.
        agent: The agent's id.
        at: Its home, and the key of the prints.
    """
    home, key = at
    known = flow.known(agent)
    return Told(values, known, leaking(call, known, key), flow.course(agent), home)


def leaking(call: Call, known: Known | None, key: bytes) -> str:
    """Return the argument in which a call holds a secret that its agent has seen, or an empty text.

    What only reads local files carries nothing away and is not looked at.
    """
    if known is None or not known.secrets or call.tool in _QUIET:
        return ""
    of, hidden = printer(key), known.hidden
    for name, value in call.args.items():
        text = text_of(value)
        if len(text) >= _SHORTEST and holds_one(text, hidden, of):
            return name
    return ""


def value_labels(chain: Sequence[Bound], effects: Sequence[Effect], told: Told) -> Mapping[str, Mapping[str, str]]:
    """Return, per digest of a charter that minds, the labels that the call's values bring, each with its argument.

    Args:
        chain: Every policy set that bounds the agent.
        effects: What the call would do; the tool that it calls is told from them.
        told: The values, and what they are held against.
    """
    if told.known is None or not (told.given or told.leaks):
        return _NOTHING
    tool = next((effect.value for effect in effects if effect.verb == "call"), "")
    found: dict[str, Mapping[str, str]] = {}
    for bound in chain:
        charter = bound.charter
        if charter is None or bound.digest in found or not minds_values(charter):
            continue
        said = said_of(charter, tool)
        looks = said.looks if said.looks is not None else looks_only(tool)
        labels = labels_of(steering(told.given, looks=looks, control=said.control), told.known)
        if told.leaks:
            labels[SECRET] = told.leaks
        if labels:
            found[bound.digest] = labels
    return found
