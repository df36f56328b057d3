"""The flagship story, played by real processes: agents that live for a moment, one leak, one answer.

The agents are scripted programs, not models. Everything else is real: processes, hook clients, the daemon, files, git,
pages over HTTP on loopback.
"""
