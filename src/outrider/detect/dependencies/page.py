"""The page of a rule about dependencies, and what it finds in its own examples."""

from __future__ import annotations

import msgspec

from outrider.detect.dependencies.known import SHIPPED
from outrider.detect.dependencies.look import manifest
from outrider.detect.dependencies.rules import RULES
from outrider.detect.written import Written
from outrider.events.call import Finding


def found(name: str, text: str) -> tuple[Finding, ...]:
    """Return what is found in a manifest that is written anew."""
    return tuple(manifest(Written(path=name, text=text, where="args.content"), SHIPPED))


def snapshot(rule: str) -> list[dict[str, object]]:
    """Return what a rule finds in its own examples, in a form that can be compared."""
    told = RULES[rule]
    return [
        {
            "file": name,
            "text": text,
            "found": [msgspec.to_builtins(one) for one in found(name, text) if one.rule == rule],
        }
        for name, text in (*told.flag, *told.passes)
    ]


def page(rule: str) -> str:
    """Return the page of a rule, Markdown."""
    told = RULES[rule]
    lines = [
        f"# {told.title}",
        "",
        f"`{rule}` · severity {told.severity} · confidence {told.confidence}",
        "",
        told.why,
        "",
        f"**Instead:** {told.instead}",
        "",
    ]
    for heading, examples in (("Flagged", told.flag), ("Not flagged", told.passes)):
        if examples:
            lines += [f"## {heading}", ""]
        for name, text in examples:
            lines += [f"In `{name}`:", "", "```", text.strip("\n"), "```", ""]
    lines += ["How names are judged, and how to bring whole lists of them: [detectors](../detectors.md#dependencies)."]
    return "\n".join(lines) + "\n"
