from __future__ import annotations

import msgspec
import pytest

from outrider.detect.vectors import fill
from outrider.events.call import Effect, Finding
from outrider.events.codec import encode
from outrider.events.decision import Decision, RuleHit
from outrider.events.event import Source
from outrider.events.record import Beside, CallDecided, Commitment, Entity, HostNoted
from outrider.gate.clean import abbreviate, clean_beside, clean_event, clean_name, cut, expand
from outrider.gate.scribe import fit

KEY = b"k" * 32
TOKEN = fill("{github:ghp_}", "clean")
SMUGGLED = "a9f8x7q2m4k1p0z3v6w5.evil.example"


def decided(effects=(), hits=(), findings=()):
    return CallDecided(
        v=1, n=7, ts=1, call="c", tool="shell", name="Bash", effects=tuple(effects), findings=tuple(findings),
        decision=Decision(verdict="deny", enforced="deny", hits=tuple(hits)), chain=("sha256:" + "0" * 64,),
        content=Commitment(c="0" * 64, size=1),
    )  # fmt: skip


def effect(value, verb="read", kind="path"):
    return Effect(verb=verb, kind=kind, value=value)


def test_an_event_without_a_secret_is_the_same_object():
    event = decided([effect("/repo/a.py")])
    assert clean_event(event, KEY) is event


def test_a_secret_anywhere_in_an_event_becomes_a_print_and_the_rest_stays():
    event = decided([effect(f"/repo/{TOKEN}"), effect("/repo/a.py")])
    cleaned = clean_event(event, KEY)
    assert TOKEN not in encode(cleaned).decode()
    assert cleaned.effects[1] == event.effects[1]
    assert cleaned.effects[0].value.startswith("/repo/[secret:")


def test_the_source_of_an_event_is_cleaned_too():
    event = HostNoted(v=1, n=0, ts=0, event="x", src=Source(id=f"door:{TOKEN}", seq=0))
    assert TOKEN not in encode(clean_event(event, KEY)).decode()


def test_what_lies_beside_is_cleaned():
    beside = Beside(
        entities=(Entity("read", "path", f"/x/{TOKEN}"), Entity("sent", "host", SMUGGLED)), private={"cwd": TOKEN}
    )
    cleaned = clean_beside(beside, KEY)
    raw = msgspec.json.encode(cleaned).decode()
    assert TOKEN not in raw
    assert SMUGGLED.split(".", maxsplit=1)[0] not in raw
    assert cleaned.entities[1].value.endswith(".evil.example")


@pytest.mark.parametrize(
    ("kind", "value"), [("host", SMUGGLED), ("repo", f"https://{SMUGGLED}/x.git"), ("email", f"x@{SMUGGLED}")]
)
def test_data_in_a_hosts_name_becomes_a_print_whatever_names_it(kind, value):
    cleaned = clean_name(kind, value, KEY)
    assert "a9f8" not in cleaned
    assert "evil.example" in cleaned
    assert clean_name(kind, cleaned, KEY) == cleaned


def test_a_secret_is_taken_out_before_it_is_cut_in_two():
    text = "x" * 90 + " " + TOKEN
    assert TOKEN[:8] not in cut(text, 100, KEY)
    assert cut("short", 100, KEY) == "short"


@pytest.mark.parametrize(
    ("path", "short"), [("/home/a", "~"), ("/home/a/x", "~/x"), ("/home/ab", "/home/ab"), ("/etc", "/etc")]
)
def test_homes_are_abbreviated_and_back(path, short):
    assert abbreviate(path, "/home/a") == short
    assert expand(short, "/home/a") == path


def test_a_root_home_abbreviates_nothing():
    assert abbreviate("/etc/passwd", "/") == "/etc/passwd"


def test_a_decision_that_is_too_large_keeps_what_decided_and_counts_the_rest():
    effects = [effect(f"/repo/{n}/" + "x" * 300) for n in range(200)]
    hit = RuleHit(rule="r", verdict="deny", charter="c", digest="d", effect=150)
    event = decided(effects, [hit])
    short = fit(event)
    encode(short)
    kept = short.effects[short.decision.hits[0].effect]
    assert kept == effects[150]
    assert short.cut == 200 - len(short.effects) > 0


def test_a_decision_with_many_findings_and_hits_fits_a_leaf():
    hits = [RuleHit(rule="r" * 60, verdict="deny", charter="c", digest="d" * 71, reason="x" * 400) for _ in range(16)]
    findings = [
        Finding(rule="r", severity="high", confidence="high", where="w", message="m" * 300, advice="a" * 300)
        for _ in range(60)
    ]
    encode(fit(decided([effect("/x" * 2000)] * 20, hits, findings)))


def test_a_decision_that_fits_is_left_alone():
    event = decided([effect("/repo/a.py")])
    assert fit(event) is event
