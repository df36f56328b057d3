"""What a detector is: a pure function from text to findings."""

from __future__ import annotations

from typing import Protocol

from outrider.events.call import Finding


class Detector(Protocol):
    """Looks at one text. Pure, linear in the text, never raises for any text."""

    def __call__(self, text: str, where: str, key: bytes, *, path: str = "") -> list[Finding]:
        """Return what is found in ``text``, in the order of the text.

        Args:
            text: The text.
            where: Which part of the call it is, such as ``args.content``; copied into the findings.
            key: Key of the prints.
            path: The file that the text is or will be in, or empty.
        """
