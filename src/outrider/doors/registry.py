"""The doors there are: a dict one can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outrider.doors import claude_code
from outrider.events.message import Answer, Message, Wire


@dataclass(frozen=True)
class Door:
    """One kind of host, turned into our words and back.

    Attributes:
        name: As in ``--door`` and in the record.
        parse: A hook's input and the event's name to a message. Raises BadInputError and nothing else.
        render: The event's name and an answer to what the hook client prints.
        undecided: The event's name, ``deny``/``ask``/``allow``, and why, to what the hook client prints where no
            decision could be reached.
    """

    name: str
    parse: Callable[[bytes, str], Message]
    render: Callable[[str, Answer], Wire]
    undecided: Callable[[str, str, str], Wire]


DOORS: dict[str, Door] = {
    door.name: door for door in (Door(claude_code.NAME, claude_code.parse, claude_code.render, claude_code.undecided),)
}
