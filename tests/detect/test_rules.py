import re

import pytest
import re2

from outrider.detect.checks import CHECKS, github_checksum
from outrider.detect.rules import load
from outrider.detect.secrets import best, find
from outrider.detect.vectors import fill

RULES = load()


def test_there_are_at_least_250_rules_and_their_ids_are_unique():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids)) >= 250


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_well_formed(rule):
    assert re.fullmatch(r"secret\.[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert [bool(rule.token), bool(rule.regex), bool(rule.names and rule.value)].count(True) == 1
    re2.compile(rule.pattern)
    re2.compile(rule.alarm)
    assert rule.check in ("", *CHECKS)
    assert rule.title[-1] != "."
    assert rule.advice.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_finds_its_vector_and_not_its_near_miss(rule):
    vector, miss = fill(rule.vector, rule.id), fill(rule.miss, rule.id)
    assert rule.id in {hit.rule.id for hit in find(vector, path=rule.vector_file)}
    assert best(find(vector, path=rule.vector_file))[0].confidence != "low"
    assert rule.id not in {hit.rule.id for hit in find(miss, path=rule.vector_file)}


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.file], ids=lambda rule: rule.id)
def test_the_alarm_of_a_rule_rings_wherever_its_pattern_matches(rule):
    vector = fill(rule.vector, rule.id)
    for text in (vector, f"x {vector}\n", f'"{vector}"', f"é{vector}é"):
        if re2.search(rule.pattern, text):
            assert re2.search(rule.alarm, text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_vector_is_found_inside_a_line_of_code_and_beyond_ascii(rule):
    vector = fill(rule.vector, rule.id)
    text = f"# Größe: ☃\n  {vector}\n"
    hits = [hit for hit in find(text, path=rule.vector_file) if hit.rule.id == rule.id]
    assert hits
    assert all(text[hit.start : hit.end] == hit.value for hit in hits)


def test_vectors_are_the_same_every_time_and_differ_between_rules():
    assert fill("{an:40}", "a") == fill("{an:40}", "a") != fill("{an:40}", "b")
    assert fill("{{x}} {uuid}", "a").startswith("{x} ")


def test_a_github_token_whose_checksum_is_right_is_sure():
    right = fill("{github:ghp_}", "x")
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    assert right.endswith(github_checksum(right[4:-6]))
    assert [hit.confidence for hit in find(right)] == ["high"]
    assert [hit.confidence for hit in find(wrong)] == ["medium"]


@pytest.mark.parametrize(
    ("template", "last"),
    [("{github:npm_}", -1), ("{wif}", -1), ("card_number: {luhn:16}", -1), ("IBAN: {iban}", -1)],
)
def test_one_wrong_digit_makes_a_checked_value_unsure_or_nothing(template, last):
    right = fill(template, "x")
    wrong = right[:last] + ("3" if right[last] != "3" else "4")
    sure = {hit.rule.id for hit in find(right) if hit.confidence == "high"}
    assert sure
    assert not sure & {hit.rule.id for hit in find(wrong) if hit.confidence == "high"}


def test_numbers_that_are_given_out_for_trying_are_nothing():
    assert find("card_number: 4242" + " 4242" * 3) == []
    assert find("SSN: 123-45-" + "6789") == []


def test_the_account_in_an_aws_key_id_is_read():
    fits, too_large = "AKIA" + "QAAAAAAB7MKPWXTZ", "AKIA" + "P7777777BMKWXTZQ"
    assert [hit.confidence for hit in find(fits)] == ["high"]
    assert [hit.confidence for hit in find(too_large)] == ["medium"]
