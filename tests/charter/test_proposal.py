"""A proposed change says exactly what it is meant to say, or there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.bound import Bindings, bind
from outrider.charter.covering import permitted
from outrider.charter.parse import parse
from outrider.charter.proposal import without_question
from outrider.charter.ruling import Context, rule
from outrider.config import builtin_charters
from outrider.events.call import Effect

PATTERNS = ("origin/*", "origin/main", "origin/v#1", "fork/]x", "a/b'c", "up/*")
LAYOUTS = (
    "push = [{items}]",
    "push = [{items},]  # a ] and 'quotes' and more",
    "push = [\n  {lines},\n]",
    'push = [  # "origin/main" is protected\n  {lines}\n]',
    '"push" = [ {items} ]',
)


def quoted(patterns):
    return [f'"{one}"' for one in patterns]


def laid_out(layout, patterns):
    return layout.format(items=", ".join(quoted(patterns)), lines=",  # why\n  ".join(quoted(patterns)))


@given(
    st.lists(st.sampled_from(PATTERNS), unique=True, min_size=1),
    st.none() | st.lists(st.sampled_from(PATTERNS), unique=True),
    st.sampled_from(LAYOUTS),
    st.sampled_from(LAYOUTS),
    st.booleans(),
    st.data(),
)
def test_the_question_goes_what_it_was_about_is_permitted_and_all_else_stays(asks, may, one, two, before, data):
    permits = "" if may is None else (laid_out(two, may) if may else "push = []") + "\n"
    asked = f'[ask]\nwithin = "1h"\n{laid_out(one, asks)}\ndeploy = ["*"]\n'
    sections = [asked, f'[may]\n{permits}read = ["repo/**"]\n']
    text = '[charter]\nname = "mine"\n# kept\n\n' + "\n".join(sections if before else sections[::-1])
    pattern = data.draw(st.sampled_from(asks))
    after = without_question(text, "push", pattern)
    assert after
    assert "# kept" in after
    was, now = parse(text), parse(after)
    assert set(now.ask.get("push", ())) == set(asks) - {pattern}
    assert set(permitted(was, "push")) <= set(permitted(now, "push"))
    effect = Effect(verb="push", kind="repo", value=pattern.replace("*", "x"))
    others = [each for each in asks if each != pattern]
    if not any(each == "origin/*" and pattern.startswith("origin/") for each in others):
        bound = bind(now, Bindings(home="/h", repo="/h/r"))
        assert rule([bound], [effect], Context()).verdict == "allow"


def test_what_is_deleted_stays_what_could_be_deleted_and_what_was_asked_about() -> None:
    text = '[charter]\nname = "mine"\n[may]\nwrite = ["repo/**"]\n[ask]\ndelete = ["~/x/**"]\n'
    assert parse(without_question(text, "delete", "~/x/**")).may["delete"] == ("repo/**", "~/x/**")


@pytest.mark.parametrize("name", ["coder", "developer", "ops"])
def test_every_question_of_a_builtin_charter_has_a_proposal(name):
    text = (builtin_charters() / f"{name}.toml").read_text()
    charter = parse(text)
    assert charter.ask
    for verb, patterns in charter.ask.items():
        for pattern in patterns:
            after = without_question(text, verb, pattern)
            assert pattern not in parse(after).ask.get(verb, ())


@pytest.mark.parametrize(
    "text", ["", "[charter", '[charter]\nname = "mine"\n', '[charter]\nname = "mine"\nask = { push = ["a/b"] }\n']
)
def test_where_it_cannot_be_told_how_there_is_no_proposal(text):
    assert without_question(text, "push", "a/b") == ""
