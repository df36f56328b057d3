"""From what is known of a package to a finding: in words, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from outrider.detect.dependencies.known import Facts, Verdict
from outrider.detect.dependencies.names import MOST, Dependency
from outrider.detect.dependencies.rules import RULES
from outrider.events.call import Confidence, Finding, Severity

MAX_FINDINGS: Final = 64
_NAMED: Final = 5
_USER = re.compile(r"//[^/@\s]*@")
_PLAIN_HTTP = re.compile(
    r"(?:index |other |(?:[a-z]+\+)+)?http://(?!(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/]|$))"
)
_FETCHES = re.compile(
    r"\b(?:curl|wget|nc|ncat|base64|eval|powershell|iex|bash|sh)\b|https?://|\bnode\s+-e\b|\bpython3?\s+-c\b|/dev/tcp"
)
_USUAL = re.compile(
    r"(?:(?:npx|pnpm|yarn|bunx?|npm|run|exec|is-ci|\|\||&&|true|-\S+|\S+=\S+|\|)\s*)*"
    r"(?:husky(?:\s+install)?|patch-package|simple-git-hooks|lefthook\s+install|prisma\s+generate|ngcc|tsc|tsup|nuxt\s+prepare|"
    r"svelte-kit\s+sync|electron-builder\s+install-app-deps|build\S*|compile|prebuild-install|node-gyp(?:-build)?\s*\w*|"
    r"lerna\s+\w+|turbo\s+\w+|panda\s+codegen|wxt\s+prepare|fumadocs-mdx)?\s*(?:&&\s*true|\|\|\s*(?:true|exit 0|:))?\s*"
)


def judged(
    wanted: Iterable[Dependency], facts: Facts, text: str, where: str, *, runs: bool = False
) -> Iterator[Finding]:
    """Yield what is to be said of packages, those of which nothing is known in one finding.

    Args:
        wanted: The packages.
        facts: What is known.
        text: The text that they stand in, so that a finding can say where.
        where: What that text is.
        runs: Whether they are installed now, and not only written down: then the agent is told of what is not checked.
    """
    blank: list[Dependency] = []
    count = 0
    for one in sorted(wanted, key=lambda each: (each.ecosystem, each.name, each.source)):
        if one.source and not one.pinned:
            yield _source(one, text, where)
        if one.source or not one.name:
            continue
        verdict = facts.ask(one.ecosystem, one.name)
        if verdict.word == "not-checked":
            blank.append(one)
        elif verdict.word != "known":
            yield _said(one, verdict, facts, text, where)
            count += 1
        if count >= MAX_FINDINGS:
            return
    if blank:
        named = ", ".join(show(one.name) for one in blank[:_NAMED])
        more = f" and {len(blank) - _NAMED} more" if len(blank) > _NAMED else ""
        told = f"Nothing is known of {named}{more}: not checked."
        yield finding("dependency.not-checked", told, text, where, severity="medium" if runs else None)


def not_read(path: str, why: str, where: str) -> Finding:
    """Return the finding that a manifest could not be read."""
    name = path.rpartition("/")[2]
    told = f"What {show(name)} adds was not checked: {show(why)}."
    return finding("dependency.not-checked", told, "", where, advice="Look yourself at what it adds.")


def scripts(old: dict[str, str], new: dict[str, str], text: str, where: str) -> Iterator[Finding]:
    """Yield what is to be said of scripts that a change of a package.json brings to those who install it."""
    for name, script in sorted(new.items()):
        if old.get(name) == script or _USUAL.fullmatch(script.strip()):
            continue
        sure = bool(_FETCHES.search(script))
        yield finding(
            "dependency.install-script",
            f'"{name}" runs on every installation of this package'
            + (", and fetches or decodes something." if sure else "."),
            text,
            where,
            at=f'"{name}"',
            severity="high" if sure else None,
            confidence="high" if sure else None,
        )


def finding(
    rule: str,
    message: str,
    text: str,
    where: str,
    *,
    at: str = "",
    advice: str = "",
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Finding:
    """Return a finding of a rule, placed where ``at`` first stands in the text."""
    told = RULES[rule]
    start = text.find(at) if at else -1
    return Finding(
        rule=rule,
        severity=severity or told.severity,
        confidence=confidence or told.confidence,
        where=where,
        start=max(0, start),
        end=start + len(at) if start >= 0 else 0,
        message=message,
        advice=advice or told.instead,
    )


def show(text: str) -> str:
    """Return a name or an address as it may stand in a message: short, and without what could be a password."""
    text = _USER.sub("//", text).partition("?")[0]
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def _source(one: Dependency, text: str, where: str) -> Finding:
    plain = _PLAIN_HTTP.match(one.source) is not None
    kind, _, address = one.source.rpartition(" ")
    if kind == "other":
        message = (
            f"{show(one.name)} would come from {show(address)}, and not from where its lock file takes the others."
        )
    elif kind:
        message = f"Packages would also come from the index {show(address)}, whoever registers their names there."
    else:
        message = (
            f"{show(one.name) or 'A package'} would come from {show(address)}, which can hold other code tomorrow."
        )
    if plain:
        message += " Plain http lets anybody on the way change it."
    return finding("dependency.unpinned-source", message, text, where, at=address, severity="high" if plain else None)


def _said(one: Dependency, verdict: Verdict, facts: Facts, text: str, where: str) -> Finding:
    name, near = show(one.name), verdict.near
    if verdict.word == "malicious":
        meant = f" {near.name} may be meant." if near is not None else ""
        message = f"{name} is known to be malicious ({one.ecosystem})."
        advice = RULES["dependency.malicious"].instead + meant
        return finding("dependency.malicious", message, text, where, at=one.name, advice=advice)
    if verdict.word in {"confused", "namesake"}:
        return _confused(name, one, verdict, text, where)
    if verdict.word == "near" and near is not None:
        advice = f"If {near.name} is meant, use that; if it is really {name}, let your user look at it first."
        message = f"{name} is almost {near.name}, a popular package ({one.ecosystem}); it differs {near.how}."
        return finding(
            "dependency.typosquat", message, text, where, at=one.name, advice=advice, confidence=near.confidence
        )
    made = next((head.made for head in facts.heads if head.ecosystem == one.ecosystem and head.kind == "names"), "")
    message = f"{name} is none of the names that {one.ecosystem} had on {made}: it may be made up, or brand new."
    return finding("dependency.unknown", message, text, where, at=one.name)


def _confused(name: str, one: Dependency, verdict: Verdict, text: str, where: str) -> Finding:
    if verdict.word == "namesake":
        meant = "what comes with the language" if verdict.package == "-" else f"what comes in {verdict.package}"
        message = f"{name} is a package of its own; who imports {name} usually means {meant}."
        advice = f"Make sure that {name} itself is meant."
        low: Severity = "medium" if verdict.package == "-" else "high"
        return finding(
            "dependency.confused", message, text, where, at=one.name, advice=advice, severity=low, confidence="low"
        )
    if verdict.package == "-":
        message = f"{name} comes with the language; a package of that name is somebody else's."
        advice = "Import it without installing anything."
        return finding("dependency.confused", message, text, where, at=one.name, advice=advice, severity="medium")
    message = f"{name} is no package that is meant here: it comes in {verdict.package}."
    advice = f"Install {verdict.package} instead of {name}."
    return finding("dependency.confused", message, text, where, at=one.name, advice=advice)
