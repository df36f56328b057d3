import re
import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.cedar import to_cedar
from outrider.charter.compare import compare
from outrider.charter.model import Budget, Charter, Code, Flow, dollars, from_canonical, micros, seconds
from outrider.charter.narrow import Keeping, effective, looser
from outrider.charter.parse import parse
from outrider.charter.schema import json_schema
from outrider.errors import CharterError

FULL = '''
[charter]
name = "mine"
extends = "base"
description = "All of it."
sponsor = "required"
ttl = "8h"
budget = { calls = 10, spawns = 2, spawn_depth = 1 }
undecided = "ask"
mode = "observe"
grant = true

[may]
read = [
  "repo/**", # everything here
  "@system",
]
exec = ["*"]
opaque = "confined"

[delegate]
connect = ["docs.example.com"]

[ask]
push = ["origin/main"]

[never]
read = ["~/.ssh/**"]

[flow]
secret = { not_to = ["connect", "call"], except = ["@loopback"] }
untrusted = { with = "secret", not_to = ["connect"] }

[code]
high = "fix"
low = "note"

[cedar]
policies = """
@id("night") @verdict("ask") @advice("Wait for the morning.")
forbid (principal, action == Action::"deploy", resource) when { context.time.hour < 6 };
"""
'''


def test_everything_that_is_written_arrives():
    charter = parse(FULL, source="mine.toml")
    assert (charter.name, charter.extends, charter.ttl, charter.grant) == ("mine", "base", "8h", True)
    assert charter.budget == Budget(calls=10, spawns=2, spawn_depth=1)
    assert (charter.undecided, charter.mode, charter.sponsor, charter.opaque) == (
        "ask",
        "observe",
        "required",
        "confined",
    )
    assert charter.may == {"read": ("repo/**", "@system"), "exec": ("*",)}
    assert (charter.delegate, charter.ask) == ({"connect": ("docs.example.com",)}, {"push": ("origin/main",)})
    assert charter.flow["secret"] == Flow(not_to=("connect", "call"), but=("@loopback",))
    assert charter.flow["untrusted"] == Flow(not_to=("connect",), also="secret")
    assert charter.code == Code(high="fix", low="note")
    assert "night" in charter.cedar


def test_a_charter_is_its_canonical_form_and_comments_do_not_count():
    charter = parse(FULL)
    assert from_canonical(charter.canonical()) == charter
    assert from_canonical(charter.canonical()).digest == charter.digest
    assert parse(FULL.replace(" # everything here", "")).digest == charter.digest
    assert parse(FULL.replace('"~/.ssh/**"', '"~/.aws/**"')).digest != charter.digest
    assert charter.digest.startswith("sha256:")
    with pytest.raises(CharterError):
        from_canonical(charter.canonical() + b" ")


def test_whom_to_ask_is_part_of_a_version_and_decides_nothing():
    told = 'contact = "Platform security <security@shipyard.example>"\n'
    before = parse(FULL)
    after = parse(FULL.replace("[charter]\n", f"[charter]\n{told}", 1))
    assert after.contact == "Platform security <security@shipyard.example>"
    assert after.digest != before.digest
    assert msgspec.structs.replace(after, contact="") == before
    assert to_cedar(after) == to_cedar(before)
    assert effective((after,)) == effective((before,))
    assert looser(after, (before,)) == looser(before, (after,)) == []
    assert [one.becomes for one in compare((before,), (after,))] == ["other"]


HEAD = '[charter]\nname = "a"\n'


@pytest.mark.parametrize(
    ("text", "line", "says", "fix"),
    [
        ("[charter\n", 1, "not TOML", ""),
        ("", 1, "no [charter]", "Begin with"),
        ("x = 1\n" + HEAD, 1, '"x" is not a section', "Known are"),
        (HEAD + "[mey]\n", 3, '"mey" is not a section', '"may"'),
        (HEAD + 'moode = "enforce"\n', 3, '"moode"', '"mode"'),
        (HEAD + 'mode = "enforced"\n', 3, "means nothing", '"enforce"'),
        (HEAD + 'ttl = "8 hours"\n', 3, "not a length of time", "8h"),
        (HEAD + "contact = 1\n", 3, "not text", "contact"),
        (HEAD + 'contact = "a\\nb"\n', 3, "not one line", "Platform security"),
        (HEAD + f'contact = "{"a" * 201}"\n', 3, "not one line", "Platform security"),
        (HEAD + "grant = 1\n", 3, "neither true nor false", "true"),
        (HEAD + "budget = { calls = 1, spanws = 2 }\n", 3, '"spanws"', '"spawns"'),
        (HEAD + "budget = { calls = -1 }\n", 3, "not a count", "100"),
        (HEAD + "budget = { calls = true }\n", 3, "not a count", "100"),
        (HEAD + "budget = { token = 1 }\n", 3, '"token"', '"tokens"'),
        (HEAD + "budget = { minutes = 30 }\n", 3, '"minutes"', 'ttl = "30m"'),
        (HEAD + "budget = { cost = 2.5 }\n", 3, "no currency", '"2.5 USD"'),
        (HEAD + 'budget = { cost = "5 EUR" }\n', 3, "not an amount", '"2.50 USD"'),
        (HEAD + "[ask]\napprovers = []\n", 4, "not a list", "group:release"),
        (HEAD + '[ask]\napprovers = ["a b"]\n', 4, "nobody who could answer", "login name"),
        (HEAD + "\n[may]\nraed = []\n", 5, '"raed" is not a verb', '"read"'),
        (HEAD + '[may]\nread = [\n  "repo/**",\n  "src/**",\n]\n', 6, "where it starts", "repo/src"),
        (HEAD + '[may]\nread = "repo/**"\n', 4, "not a list", "["),
        (HEAD + '[may]\nread = ["repo/**", "repo/**"]\n', 4, "stands twice", ""),
        (HEAD + '[may]\nconnect = ["https://example.com"]\n', 4, "not a host", "name only"),
        (HEAD + '[may]\nopaque = "alow"\n', 4, "means nothing", '"allow"'),
        (HEAD + '[flow]\nsecret = { not_to = ["conect"] }\n', 4, '"conect"', '"connect"'),
        (HEAD + "[flow]\nsecret = { }\n", 4, "does not say", "not_to"),
        (HEAD + '[code]\nhigh = "deny"\n', 4, "means nothing", "fix"),
        (HEAD + '[code]\nhihg = "fix"\n', 4, '"hihg"', '"high"'),
        (HEAD + '[cedar]\npolicies = "permit(principal, action, resource) when { context.lables };"', 4, "lables", ""),
        (HEAD + '[cedar]\npolicies = "permit(principal;"\n', 4, "[cedar]", ""),
        (HEAD + "[cedar]\npolicies = '@verdict(\"ask\") permit(principal,action,resource);'", 4, "@verdict", "forbid"),
        (HEAD + '[cedar]\npolicies = "@id(\\"a.may.read.0\\") permit(principal, action, resource);"\n', 4, "taken", ""),
        (HEAD + '[cedar]\npolicies = "permit(principal == ?principal, action, resource);"\n', 4, "template", ""),
        ('[charter]\nname = "Coder"\n', 2, "not a name", "lower-case"),
        ('[charter]\nname = "floor"\n', 2, "not a name", "taken"),
        ('[charter]\nname = "a"\nextends = "a"\n', 3, "extends itself", ""),
        ("[charter]\ndescription = 'x'\n", 1, "no name", "name"),
    ],
)  # fmt: skip
def test_an_error_names_the_line_and_what_was_meant(text, line, says, fix):
    with pytest.raises(CharterError) as caught:
        parse(text, source="a.toml")
    assert says in str(caught.value)
    assert fix in caught.value.fix
    assert caught.value.line == line
    assert str(caught.value).startswith(f"a.toml:{caught.value.line}: ")


def refusal(text):
    try:
        parse(text)
    except CharterError as error:
        return error
    return None


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail_otherwise_than_with_its_own_error(text):
    error = refusal(text)
    assert error is None or str(error)


@given(st.sampled_from(FULL.splitlines(keepends=True)), st.text(alphabet='ab[]{}="#\n\\', max_size=6))
def test_a_charter_damaged_anywhere_is_refused_or_means_something(line, noise):
    error = refusal(FULL.replace(line, noise + line, 1))
    assert error is None or 0 <= error.line <= FULL.count("\n") + 8


def test_deep_nesting_is_refused_and_not_a_crash():
    with pytest.raises(CharterError):
        parse("x = " + "[" * 100_000)


def test_the_schema_accepts_what_the_parser_accepts():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(FULL), schema)


@pytest.mark.parametrize("bad", ['[may]\nraed = ["*"]', 'mode = "x"', "grant = 1", 'ttl = "8 h"', "[cedar]\ntext = ''"])
def test_the_schema_refuses_what_the_parser_refuses(bad):
    with pytest.raises(CharterError):
        parse(HEAD + bad)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(HEAD + bad), json_schema())


@pytest.mark.parametrize(("text", "number"), [("90s", 90), ("30m", 1800), ("8h", 28_800), ("7d", 604_800)])
def test_lengths_of_time_are_seconds(text, number):
    assert seconds(text) == number


def test_every_example_of_the_documentation_is_a_charter():
    page = (Path(__file__).parents[2] / "docs" / "charters.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 3
    for text in examples:
        assert parse(text if "[charter]" in text else HEAD + text).digest


def test_a_charter_has_no_floor_of_its_own_to_lower():
    assert not any("floor" in field for field in Charter.__struct_fields__)


def test_a_flow_rule_may_ask_and_a_tool_says_what_steers_it():
    charter = parse(
        HEAD + '[flow]\nordered-value = { not_to = ["call"], verdict = "ask" }\n'
        '[tools]\n"mcp:bank/*" = { control = ["to"] }\n"mcp:web/open" = { looks = true }\n'
    )
    assert charter.flow["ordered-value"].verdict == "ask"
    assert charter.tools["mcp:bank/*"].control == ("to",)
    assert charter.tools["mcp:web/open"].looks is True
    assert from_canonical(charter.canonical()) == charter
    assert '@verdict("ask")' in to_cedar(charter)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ('[flow]\nsecret = { not_to = ["call"], verdict = "allow" }\n', "means nothing"),
        ('[tools]\n"mcp:bank/*" = ["to"]\n', "is not a table"),
        ('[tools]\n"mcp:bank/*" = { steers = ["to"] }\n', "key of a tool"),
        ('[tools]\n"mcp:bank/*" = { looks = "yes" }\n', "neither true nor false"),
        ('[tools]\n"mcp:bank/*" = { control = "to" }\n', "not a list"),
    ],
)
def test_a_mistake_in_a_flow_verdict_or_a_tool_is_named(bad, named):
    with pytest.raises(CharterError, match=named):
        parse(HEAD + bad)


SEQUENCE = (
    '[sequences.fetch-then-push]\nmessage = "m"\nadvice = "a"\nseverity = "high"\nwithin = 9\n'
    'steps = [{ verbs = ["connect"] }, { verbs = ["push"], values = ["origin/*"] }]\n'
)


def test_a_charter_may_bring_sequences_of_its_own():
    charter = parse(HEAD + SEQUENCE)
    (name,) = charter.sequences
    assert name.endswith(".fetch-then-push")
    assert [step.verbs for step in charter.sequences[name].steps] == [("connect",), ("push",)]
    assert from_canonical(charter.canonical()) == charter
    jsonschema.validate(tomllib.loads(HEAD + SEQUENCE), json_schema())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"connect"', '"steal"', "no verbs"),
        ("within = 9", "within = 900", "between 1 and"),
        ('severity = "high"', 'severity = "worst"', "severity"),
        ("values =", "resource =", "resource"),
        ('{ verbs = ["connect"] }', '{ verbs = ["connect"], count = 3 }', "only the last step counts"),
        ("fetch-then-push", "Fetch", "not a name"),
    ],
)
def test_a_sequence_that_means_nothing_is_refused_with_its_name(old, new, named):
    with pytest.raises(CharterError, match=named):
        parse(HEAD + SEQUENCE.replace(old, new))


@given(st.integers(0, 10**7 - 1), st.integers(0, 999_999))
def test_an_amount_of_money_is_exact_and_comes_back_as_it_was_written(whole, rest):
    amount = whole * 1_000_000 + rest
    assert micros(dollars(amount)) == amount
    charter = parse(HEAD + f'budget = {{ cost = "{dollars(amount)}", tokens = {whole} }}\n')
    assert (charter.budget.cost, charter.budget.tokens) == (amount, whole)


def test_what_is_kept_is_what_every_charter_of_a_line_keeps():
    head = '[charter]\nname = "{}"\n[keep]\n'
    own = parse(head.format("own") + 'what = ["outputs", "prompts"]\nmax = 100\nage = "90d"')
    above = parse(head.format("above") + 'what = ["prompts", "inputs"]\nsample = 25\nage = "7d"')
    assert effective([own, above]).keep == Keeping(what=("prompts",), max=100, sample=25, age=7 * 86_400)
    assert [name for name, _, _ in looser(own, [above])] == ["keep", "keep"]
    assert effective([parse('[charter]\nname = "plain"')]).keep == Keeping()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('what = ["everything"]', "kinds of content"),
        ("max = 0", "max = 0"),
        ("sample = 101", "sample = 101"),
        ("sample = true", "sample = True"),
        ('age = "forever"', "length of time"),
        ("keep = 1", "not a key of"),
    ],
)
def test_what_a_charter_keeps_is_said_in_words_that_mean_something(section, said):
    with pytest.raises(CharterError, match=said) as told:
        parse(f'[charter]\nname = "one"\n[keep]\n{section}')
    assert told.value.line == 4


def test_a_charter_without_the_section_has_the_digest_that_it_had_before_there_was_one():
    assert b"keep" not in parse('[charter]\nname = "one"').canonical()
