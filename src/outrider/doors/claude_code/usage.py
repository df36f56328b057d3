"""What a session has used, read from the transcript that Claude Code keeps of it.

Each answer of the model stands there in one or more lines that carry its id and usage, before the hooks of its tool
calls run; the last line of an id counts. A sub-agent has a transcript of its own. What the session cost stands there
only when it ends (``cost-state``), for the session with all its sub-agents. The format is the host's own and may
change; a line that means nothing counts nothing. Seen with Claude Code 2.1.330.

The file is the agent's user's, who could shorten or replace it: what was counted stays counted.
"""

from __future__ import annotations

import contextlib
import re
from collections import OrderedDict

import msgspec

from outrider.doors.claude_code.follow import Followed
from outrider.events.counters import Used

REPORTS = {"tokens": "with each answer of the model"}
"""What is told while agents work, and when."""

LATE = {"cost": "only when a session ends, so that it holds for a session that is taken up again"}
"""What is told too late for the session that it is about, and when."""

MOST_IDS = 4_096
"""Most answers whose later lines are known to be theirs."""

_MOST = 2**40
_SUB_AGENT = re.compile(r"[A-Za-z0-9_-]{1,100}")


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0


class _Answer(msgspec.Struct):
    id: str
    usage: _Usage


class _Assistant(msgspec.Struct):
    type: str
    message: _Answer


class _Cost(msgspec.Struct, rename={"total": "totalCostUSD"}):
    type: str
    total: float


_assistant = msgspec.json.Decoder(_Assistant)
_cost = msgspec.json.Decoder(_Cost)


class Count:
    """What the lines of one transcript come to."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, int] = OrderedDict()
        self._tokens = -1
        self._cost = -1

    @property
    def used(self) -> Used:
        """The count so far."""
        return Used(tokens=self._tokens, cost=self._cost)

    def take(self, line: bytes) -> None:
        """Count a line."""
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if b'"cost-state"' in line:
                row = _cost.decode(line)
                if row.type == "cost-state" and 0 <= row.total <= _MOST:
                    self._cost = max(self._cost, round(row.total * 1_000_000))
            elif b'"assistant"' in line:
                said = _assistant.decode(line)
                if said.type == "assistant":
                    self._answered(said.message)

    def _answered(self, answer: _Answer) -> None:
        usage = answer.usage
        parts = (usage.input_tokens, usage.output_tokens, usage.cache_creation_input_tokens)
        if not all(0 <= part <= _MOST for part in parts):
            return
        before = self._answers.pop(answer.id, 0)
        now = self._answers[answer.id] = max(before, sum(parts))
        self._tokens = max(self._tokens, 0) + now - before
        if len(self._answers) > MOST_IDS:
            self._answers.popitem(last=False)


class Transcript(Followed):
    """A transcript whose lines are counted."""

    def __init__(self, path: str) -> None:
        self._count = Count()
        super().__init__(path, self._count.take)

    @property
    def used(self) -> Used:
        """What was counted so far."""
        return self._count.used


def transcripts(transcript: str, host_agent: str) -> tuple[str, str]:
    """Return where an agent's tokens stand, and where its session's cost does; empty for what cannot be told.

    Args:
        transcript: The session's transcript, as the host names it in every event.
        host_agent: The host's id of the sub-agent, or empty.
    """
    if not transcript.startswith("/") or not transcript.endswith(".jsonl"):
        return "", ""
    if not host_agent:
        return transcript, transcript
    if not _SUB_AGENT.fullmatch(host_agent):
        return "", transcript
    return f"{transcript.removesuffix('.jsonl')}/subagents/agent-{host_agent}.jsonl", transcript
