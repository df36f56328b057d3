"""The tamper suite: ways to change a record, each with the verdict that a verifier has to reach.

``formats`` and ``history`` write records, ``cases`` changes them, ``folders`` puts them on disk: none of these imports
anything of Outrider, so that a mistake in its writer cannot hide here. ``judge`` asks ``outrider verify``.
"""
