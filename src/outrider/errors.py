"""Every error Outrider raises on purpose, each able to explain itself to a person.

Two families that callers must never confuse: ``Refused`` (the answer is no) and ``Undecided`` (there is no
answer). An ``Undecided`` is turned into what the agent's charter says, and is recorded.
"""

from __future__ import annotations


class OutriderError(Exception):
    """Base of all errors raised on purpose. ``str(error)`` is one sentence that says what is wrong.

    Attributes:
        fix: What the reader can do about it, one sentence, or the empty string.
        exit_code: The process exit status that a command ends with (see ``EXIT``).
    """

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix

    def diagnostics(self) -> str:
        """Return the message and, where there is one, the fix, as text for a person."""
        return f"{self}\n{self.fix}" if self.fix else str(self)


class BadInputError(OutriderError):
    """What was given cannot be read: malformed, truncated, too large, or of an unknown version."""

    exit_code = 2


class UnknownVersionError(BadInputError):
    """An event or file was written by a version of the format that this program does not know."""


class CharterError(BadInputError):
    """A charter does not parse or does not validate.

    Attributes:
        line: 1-based line in the source, or 0 where no line applies.
        source: Name of the file or charter.
    """

    def __init__(self, message: str, *, source: str = "", line: int = 0, fix: str = "") -> None:
        where = f"{source}:{line}: " if line else (f"{source}: " if source else "")
        super().__init__(where + message, fix=fix)
        self.source = source
        self.line = line


class UndecidedError(OutriderError):
    """No decision could be reached. The charter's ``undecided`` says what that means for the agent."""

    exit_code = 3


class RefusedError(OutriderError):
    """The request was understood and the answer is no.

    Attributes:
        rule: Id of the rule that says no, or empty.
    """

    exit_code = 4

    def __init__(self, message: str, *, fix: str = "", rule: str = "") -> None:
        super().__init__(message, fix=fix)
        self.rule = rule


class RecordError(OutriderError):
    """The record could not be written, or what is on disk is not what was written."""

    exit_code = 5


class TamperedError(RecordError):
    """The record shows an edit, a deletion, a reordering, a truncation or a fork."""

    exit_code = 6


class UnavailableError(OutriderError):
    """A part that is needed (the daemon, a program, a directory) is not there or does not answer."""

    exit_code = 7


EXIT = {
    0: "done, and nothing is wrong",
    1: "an error that has no better number",
    2: "bad input or bad usage",
    3: "could not decide",
    4: "refused",
    5: "the record could not be written or read",
    6: "the record was tampered with",
    7: "a needed part is not there",
    8: "a scan found something",
}
"""The one table of exit codes, shown by ``outrider --help``."""

FOUND = 8
