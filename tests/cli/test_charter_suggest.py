from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import Run

from outrider.charter.model import Charter
from outrider.charter.parse import parse
from outrider.cli.charter_suggest import toml_of
from outrider.config import Home
from outrider.investigate.suggest import Suggestion, Tried

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def suggestion(host: str, tried: str) -> Suggestion:
    may = {"exec": ("git",), "call": (f"mcp:{host}/x",), "delete": ()}
    charter = Charter(name="mine-narrow", extends="mine", description="What agents of mine really did.", may=may)
    told = Tried(verb="read", value=tried, agents=1, calls=2, rule="mine.may.read", unlock="")
    return Suggestion(
        charter=charter,
        agents=1,
        calls=2,
        most_calls=2,
        unused={"read": (tried,)},
        left_out=0,
        tried=(told,),
        not_decidable=0,
    )


@given(TEXT, TEXT)
def test_nothing_that_an_agent_wrote_leaves_its_quotes_or_its_comment(host: str, tried: str) -> None:
    told = suggestion(host, tried)
    assert parse("\n".join(toml_of(told))).may == told.charter.may


def test_a_class_that_did_nothing_gets_no_charter(outrider: Run, home: Home) -> None:
    home.make()
    assert outrider("charter", "suggest", "nobody").code == 2
    assert outrider("up").code == 0
    assert outrider("down").code == 0
    done = outrider("charter", "suggest", "coder")
    assert done.code == 2
    assert "no call" in done.err
