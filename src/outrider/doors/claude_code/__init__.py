"""The door for Claude Code: its hook events in, its hook answers out, its settings file."""

from outrider.doors.claude_code.events import NAME
from outrider.doors.claude_code.reading import parse
from outrider.doors.claude_code.sent import Conversation, Message, Sent, context
from outrider.doors.claude_code.usage import LATE, REPORTS, Transcript, transcripts
from outrider.doors.claude_code.writing import render, undecided

__all__ = [
    "LATE", "NAME", "REPORTS", "Conversation", "Message", "Sent", "Transcript", "context", "parse", "render",
    "transcripts", "undecided",
]  # fmt: skip
