"""Charters: parsed, compiled to Cedar, and asked. Pure."""
