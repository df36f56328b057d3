"""The queryable view of the record: can be deleted and rebuilt."""
