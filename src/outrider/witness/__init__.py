"""A witness: somebody else who cosigns checkpoints, and never two histories of one log.

It runs as a process of its own, best on another host or at another organisation, and needs nothing of a log but its
verifier key. It reads notes with the verifier's code, not with the writer's. Source: c2sp.org/tlog-witness.
"""
