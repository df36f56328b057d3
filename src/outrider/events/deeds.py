"""What an agent's processes were seen to do, as its record holds it: told is a call, done is a deed.

A deed is a program that is started or a connection that is asked for, heard from the kernel before it happens; whether
it then succeeded is not seen. Deeds are counted, so that a build of ten thousand programs is a few events.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Basis = Literal["call", "shell", "launch", "hook", "host", "nothing", "none"]
"""What explains a deed:

- ``call``: a call of the agent named its program, or one above it in the process tree, or an effect that nobody sees
  into (``opaque``, ``unparsed``) covers it.
- ``shell``: the shell in which the agent's host runs a call's text. It explains nothing that it starts.
- ``launch``: the command that a person gave to ``outrider run``, and what it began before the agent's first call.
- ``hook``: it carries a hook to Outrider, or is Outrider's own tool. It explains nothing that it starts.
- ``host``: the known agent host's own upkeep.
- ``nothing``: no call of this agent has been told at all, so there is nothing to compare with.
- ``none``: none of these. This is a finding.
"""


class Ran(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A program that was started.

    Attributes:
        program: Where it lies, links followed; in the agent's home written ``~/...``.
        count: How often.
        basis: What explains it.
        call: Index of the call that does, or -1.
        under: Name of the program that started it, or empty.
    """

    program: str
    count: int
    basis: Basis
    call: int = -1
    under: str = ""


class Reached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A peer that a connection to was asked for.

    Attributes:
        peer: ``address:port``, ``host:port`` where it goes through our proxy, or ``unix:`` and a path.
        count: How often.
        basis: What explains it.
        call: Index of the call that does, or -1.
        program: Name of the program that asked for it.
        judged: Whether it was asked of our own proxy, whose event says what came of it.
    """

    peer: str
    count: int
    basis: Basis
    call: int = -1
    program: str = ""
    judged: bool = False


class Deeds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen in a span of time.

    Attributes:
        since: Time of the first deed, microseconds since 1970 UTC.
        until: Time of the last.
        told: How many calls of the agent had been told by then; with 0, nothing was told to compare with.
        ran: Programs.
        reached: Peers.
    """

    since: int
    until: int
    told: int = 0
    ran: tuple[Ran, ...] = ()
    reached: tuple[Reached, ...] = ()

    @property
    def calls(self) -> frozenset[int]:
        """Indices of the calls that explain some of it."""
        found = {one.call for one in self.ran} | {one.call for one in self.reached}
        return frozenset(found - {-1})
