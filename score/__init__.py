"""Measured quality: one file a section, each scored on data that nobody here wrote."""
