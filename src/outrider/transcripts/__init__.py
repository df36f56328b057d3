"""The transcripts that agents' hosts keep by themselves, read into steps: what was said to an agent and what it did.

Nothing here was witnessed: a transcript is its user's file, who can change it, cut it or leave it out.
"""
