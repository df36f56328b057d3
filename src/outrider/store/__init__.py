"""The queryable view of the record: SQLite, derived, deleted and rebuilt at will. It never judges."""
