"""The page of a rule, made from the rule: what it finds, why that matters, what to write instead, and examples."""

from __future__ import annotations

from typing import Final

from outrider.detect.code.rule import Rule, Vector

_FENCE: Final = {
    "shell": "sh", "terraform": "hcl", "github-actions": "yaml", "kubernetes": "yaml", "compose": "yaml",
    "csharp": "csharp",
}  # fmt: skip
_SHOWN: Final = 3


def page(rule: Rule) -> str:
    """Return the page of a rule, Markdown."""
    weaknesses = ", ".join(f"[CWE-{one}](https://cwe.mitre.org/data/definitions/{one}.html)" for one in rule.cwe)
    head = f"`{rule.id}` · {', '.join(rule.languages)}"
    lines = [
        f"# {rule.title}",
        "",
        f"{head} · severity {rule.severity} · confidence {rule.confidence} · persona {rule.persona}",
        "",
        f"{weaknesses}{' · OWASP ' + ', '.join(rule.owasp) if rule.owasp else ''}",
        "",
        rule.message,
        "",
        f"**Instead:** {rule.advice}",
        "",
        "## Why",
        "",
        rule.why.strip(),
        "",
        "## Flagged",
        "",
        *_examples(rule, rule.flag),
        "## Not flagged",
        "",
        *_examples(rule, rule.passes),
        "## If it is all right here",
        "",
        f"Say why, on the line or above it: `outrider: allow {rule.id} -- the reason`, in a comment.",
        "The finding is then recorded with the reason, and nothing is refused for it.",
    ]
    return "\n".join(lines) + "\n"


def _examples(rule: Rule, vectors: tuple[Vector, ...]) -> list[str]:
    lines: list[str] = []
    for vector in vectors[:_SHOWN]:
        language = vector.language or rule.languages[0]
        fence = "````" if "```" in vector.code else "```"
        lines += [f"{fence}{_FENCE.get(language, language)}", vector.code.strip("\n"), fence, ""]
    return lines
