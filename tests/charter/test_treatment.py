"""What comes of a finding: by rule, pattern, class and severity; the strictest charter of a chain counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.charter.model import Charter, Code
from outrider.charter.narrow import effective
from outrider.charter.parse import parse
from outrider.charter.treatment import STRICT, Settings, key_of, treated
from outrider.errors import CharterError
from outrider.events.call import Finding

RULE = "code.python-weak-hash"
PLAIN = Settings("less", "allow")


def finding(rule=RULE, severity="medium", confidence="high"):
    return Finding(rule=rule, severity=severity, confidence=confidence, where="x", message="", advice="")


def root(**code):
    return Charter(name="root", code=Code(**code))


def child(**code):
    return Charter(name="child", extends="root", code=Code(**code))


def of(*line, classes=(), settings=PLAIN, **about):
    return treated(line, settings, finding(**about), classes)


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ({RULE: "fix", "code.*": "note", "CWE-327": "tell"}, RULE),
        ({"code.*": "note", "code.python-*": "fix", "CWE-327": "tell"}, "code.python-*"),
        ({"CWE-327": "tell", "secret.*": "fix"}, "CWE-327"),
        ({"secret.*": "fix", "CWE-89": "fix"}, ""),
        ({"*hash": "fix"}, "*hash"),
    ],
)
def test_the_most_exact_key_of_a_charter_counts(rules, key):
    assert key_of(Code(rules=rules), RULE, (327, 328)) == key


def test_a_root_may_say_less_of_one_rule_than_of_its_severity():
    said = of(root(high="fix", rules={RULE: "note"}), severity="high")
    assert (said.treatment, said.charters, said.key) == ("note", ("root",), RULE)


def test_a_child_moves_one_rule_towards_stricter_and_never_towards_looser():
    assert of(child(rules={RULE: "fix"}), root()).treatment == "fix"
    assert of(child(rules={RULE: "note"}), root(), severity="high").treatment == "fix"
    assert of(child(rules={RULE: "note"}), root(rules={"code.*": "fix"})) == ("fix", ("root",), "code.*")


def test_a_child_that_writes_nothing_has_no_opinion_and_those_who_agree_are_named():
    assert of(child(), root()).charters == ("root",)
    assert of(child(medium="fix"), root(medium="fix")).charters == ("child", "root")


@pytest.mark.parametrize(("unsure", "treatment"), [("full", "fix"), ("less", "tell"), ("note", "note")])
def test_what_is_not_sure_counts_as_the_strictest_of_the_line_says(unsure, treatment):
    line = (child(unsure=unsure), root(unsure="note"))
    now = effective(line)
    assert of(*line, severity="high", confidence="low", settings=Settings(now.unsure, now.comments)).treatment == (
        treatment
    )


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ('persona = "strikt"', 4, 'Did you mean "strict"?'),
        ('[code.rules]\n"CWE89" = "fix"', 5, "CWE-89"),
        ('[code.rules]\n"secret.*" = "refuse"', 5, "fix, tell, note"),
        ('[code.rules]\ncode.python-weak-hash = "fix"', 5, "quotes"),
        ('comment = "never"', 4, "comments"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(text, line, fix):
    with pytest.raises(CharterError) as told:
        parse(f'[charter]\nname = "x"\n[code]\n{text}\n')
    assert told.value.line == line
    assert fix in told.value.fix


_TREATMENTS = st.sampled_from(["fix", "tell", "note"])
_KEYS = st.sampled_from([RULE, "code.*", "code.python-*", "CWE-327", "*"])
_CODES = st.builds(
    Code,
    high=st.none() | _TREATMENTS,
    medium=st.none() | _TREATMENTS,
    low=st.none() | _TREATMENTS,
    unsure=st.none() | st.sampled_from(["full", "less", "note"]),
    rules=st.dictionaries(_KEYS, _TREATMENTS, max_size=3),
)


@given(
    st.lists(_CODES, min_size=1, max_size=4),
    _CODES,
    st.sampled_from(["high", "medium", "low"]),
    st.sampled_from(["high", "medium", "low"]),
)
def test_no_child_makes_what_comes_of_a_finding_looser(above, own, severity, confidence):
    line = [
        Charter(name=f"c{at}", extends="x" if at < len(above) - 1 else "", code=one) for at, one in enumerate(above)
    ]
    under = [Charter(name="own", extends="c0", code=own), *line]

    def said(charters):
        now = effective(charters)
        settings = Settings(now.unsure, now.comments)
        return STRICT[of(*charters, classes=(327,), settings=settings, severity=severity, confidence=confidence)[0]]

    assert said(under) <= said(line)
