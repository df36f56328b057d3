"""Command lines: read into a tree of our own, then walked for what they would do."""
