"""The command: check a bundle, and say in plain words what came of it.

    python verify.py BUNDLE.zip [--vkey NAME+HASH+KEY] [--policy FILE] [--json]

Exit status: 0 whole, 1 the package `cryptography` is missing, 2 bad usage or no bundle that is safe to read, 6 not what
was sealed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from outrider.ledger.verify.bundle.archive import Archive, BundleError
from outrider.ledger.verify.bundle.checklist import CHECKS, Bundle, Report
from outrider.ledger.verify.bundle.notes import Policy, WrongError, parse_policy

UNKNOWABLE = (
    "Whoever held the log's key and the disk before a witness cosigned could have written another history.",
    "What is here was recorded; that nothing else was, only the running numbers of its sources tell, and in part.",
    "A record says what it was told; coverage.json says what this one could not see.",
)


def verify(path: Path, *, vkey: str | None = None, policy: Policy | None = None) -> Report:
    """Return what the checklist finds in the bundle at ``path``.

    Raises:
        BundleError: It is no bundle, or not safe to read.
    """
    try:
        with path.open("rb") as file:
            return Bundle(Archive(file), vkey, policy).check()
    except OSError as error:
        raise BundleError(f"it cannot be read: {error.strerror}") from error


def lines(report: Report) -> list[str]:
    """Return the outcome in lines for a person: the checklist, the problems, and what it means."""
    out = []
    bad = {check for check, _ in report.problems}
    for number, check in enumerate(CHECKS, 1):
        word = "WRONG" if check in bad else "ok" if check in report.told else "-"
        told = {**report.lacking, **report.told}.get(check, "") if check not in bad else ""
        out.append(plain(f"{number:>2} {check:<11} {word:<6} {told}").rstrip())
    out += [plain(f"   problem  {check}: {detail}") for check, detail in report.problems]
    if report.more:
        out.append(f"   ... and {report.more} more problems")
    return [*out, "", *map(plain, _meaning(report))]


def _meaning(report: Report) -> list[str]:
    if not report.ok:
        return ["THIS BUNDLE IS NOT WHAT WAS SEALED. Do not rely on anything in it."]
    said = [f"The bundle is whole: {report.events} events are in the log of {report.vkey.split('+')[0]}."]
    if not report.pinned:
        said.append("It was checked with the key that it carries. Whoever made it could have made that key: ask its")
        said.append(f"maker for the key by another way, and compare it with {report.vkey}")
    elif "vkey" in report.carried:
        said.append(
            "The key you gave is the same as the bundle carries, in VERIFY.md too: it proves who sealed this only"
        )
        said.append(f"if you have it by another way, from whoever runs the log {report.vkey.split('+')[0]}.")
    for name, when in sorted(report.cosigned.items()):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(when, 1 << 36)))
        said.append(f"{name} saw the first {report.covered} events of the log at {at} UTC: they stand since then.")
    said += [
        f"{name} stands at {where}, on the same host or network as far as this shows: who holds that held both."
        for name, where in sorted(report.near.items())
    ]
    local = "this is one machine's word: assurance `local`."
    if "policy" in report.carried:
        said.append("The policy you gave is the same as the bundle carries: it proves nothing by itself.")
        said.append(f"Unless you have it by another way than this bundle, {local}")
    elif report.quorum != "yes":
        said.append(f"No policy of yours says whose word is enough, so {local}")
    return [*said, "", "What no bundle can show:", *(f"- {one}" for one in UNKNOWABLE)]


def plain(text: str) -> str:
    """Return text with everything that does not show as itself written as ``<U+XXXX>``: others wrote it."""
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text)


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle and return the exit status."""
    parser = argparse.ArgumentParser(description="Check a sealed bundle of an Outrider record.")
    parser.add_argument("bundle", type=Path, help="the zip file; it is never extracted")
    parser.add_argument("--vkey", help="the log's verifier key as you know it")
    parser.add_argument("--policy", type=Path, help="whose word is enough (c2sp.org/tlog-policy)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    given = parser.parse_args(arguments)
    try:
        policy = parse_policy(given.policy.read_text(encoding="utf-8")) if given.policy else None
        report = verify(given.bundle, vkey=given.vkey, policy=policy)
    except (BundleError, WrongError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(plain(f"{given.bundle}: {error}") + "\n")
        return 2
    text = json.dumps({**asdict(report), "ok": report.ok}) if given.json else "\n".join(lines(report))
    sys.stdout.write(text + "\n")
    return 0 if report.ok else 6
