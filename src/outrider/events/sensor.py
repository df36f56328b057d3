"""The sensor inside the kernel, as the record holds when it listened."""

from __future__ import annotations

from typing import Literal

from outrider.events.event import Event


class SensorState(Event, frozen=True, kw_only=True, tag="sensor.state"):
    """The sensor began to tell this daemon what agents' processes do, or does no more.

    Attributes:
        state: ``on`` or ``off``.
        why: Why it is off, for a person.
        agents: How many living agents were followed then.
        uid: Whose process the sensor is, as the kernel says; -1 where it is off.
    """

    state: Literal["on", "off"]
    why: str = ""
    agents: int = 0
    uid: int = -1
