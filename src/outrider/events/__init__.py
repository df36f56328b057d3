"""The nouns. Frozen types and one codec; nothing here knows a host, a file or a clock."""
