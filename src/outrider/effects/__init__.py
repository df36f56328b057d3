"""What a call would really do. Pure: ``plan`` reads the call, the gate gathers facts, ``resolve`` follows the paths."""

from outrider.effects.place import Place
from outrider.effects.planning import plan
from outrider.effects.resolving import resolve

__all__ = ["Place", "plan", "resolve"]
