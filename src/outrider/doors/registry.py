"""The doors there are: a dict one can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        reports: What the host tells of what its agents use (``tokens``, ``cost``) while they work, and when.
        late: What it tells afterwards, and when.
        transcripts: The session's transcript and the host's id of the sub-agent to where that stands.
        transcript: Counts what such a file tells.
        conversation: Reads from it what the model was sent, from so many bytes on.
        context: Gives the texts of a message that the host put into the context by itself.
    """

    name: str
    parse: Callable[[bytes, str], Message]
    render: Callable[[str, Answer], Wire]
    undecided: Callable[[str, str, str], Wire]
    reports: Mapping[str, str]
    late: Mapping[str, str]
    transcripts: Callable[[str, str], tuple[str, str]]
    transcript: Callable[[str], claude_code.Transcript]
    conversation: Callable[[str, int], claude_code.Conversation]
    context: Callable[[claude_code.Message], list[str]]


DOORS: dict[str, Door] = {
    door.name: door
    for door in (
        Door(
            claude_code.NAME,
            claude_code.parse,
            claude_code.render,
            claude_code.undecided,
            claude_code.REPORTS,
            claude_code.LATE,
            claude_code.transcripts,
            claude_code.Transcript,
            claude_code.Conversation,
            claude_code.context,
        ),
    )
}
