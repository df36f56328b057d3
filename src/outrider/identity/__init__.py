"""Births, lineages and ends of agents, and what the host can attest about their processes."""
