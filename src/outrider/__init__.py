"""Outrider: security that rides alongside AI agents at production speed."""

__version__ = "0.1.0"
