"""The words of a report that its reader may not know, each in a sentence; the whole list is GLOSSARY.md."""

from __future__ import annotations

from typing import Final

GLOSSARY: Final = (
    (
        "acknowledged",
        "written to disk so that the writer was told so: what was acknowledged and is missing is a fault.",
    ),
    ("artefact", "what a case starts from: a domain, a commit, a file, a package that somebody noticed."),
    ("assurance level", "how much the record proves: local is one machine's word, witnessed is not."),
    ("beside", "what lies beside an event and not in it: names of things, fingerprints, salts; it can be erased."),
    (
        "came under it",
        "read what told the agent to act, or took it over from an agent that had: as a child, by a report or a file.",
    ),
    ("charter", "the rules that a class of agents is bound to; a class has the name of its charter."),
    ("door", "the way by which an agent's calls come before our eyes, such as the hooks of its host program."),
    ("exposed", "reached while the agent's context held a secret: it may have gone there."),
    (
        "label",
        "a mark on an agent's context: untrusted once it read what came from outside, secret once it read one.",
    ),
    ("leaf", "the exact bytes of one event in the log; its hash is what proofs lead from."),
    ("print", "a keyed fingerprint of a value: it tells that two are the same, not what they are."),
    ("spool", "where a hook leaves word that it met no daemon in time: what it had to tell is then missing."),
    ("sponsor", "the person or team that answers for an agent, named here by a pseudonym (p_ and sixteen digits)."),
    (
        "trusted, untrusted",
        "trusted is what a person asked for; untrusted is what came from elsewhere, such as a page.",
    ),
)
