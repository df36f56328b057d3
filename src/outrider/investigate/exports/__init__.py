"""Recorded events in the forms of other people's tools. One form a file; :mod:`.registry` names them."""
