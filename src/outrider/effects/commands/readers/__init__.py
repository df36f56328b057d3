"""Readers for programs whose arguments a table entry alone cannot describe."""
