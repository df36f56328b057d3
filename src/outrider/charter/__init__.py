"""Charters: what an agent class may do. Parsed, compiled to Cedar and from Cedar to Python, and asked. Pure."""
