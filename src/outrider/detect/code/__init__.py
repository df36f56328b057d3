"""Weaknesses in code as it is written: rules over syntax trees, one rule a file in ``rules/<language>/``."""
