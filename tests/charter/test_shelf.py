import pytest

from outrider.charter.model import Charter
from outrider.charter.shelf import Shelf
from outrider.errors import CharterError


def test_a_line_goes_from_the_charter_to_its_root():
    shelf = Shelf([Charter(name="base"), Charter(name="coder", extends="base"), Charter(name="team", extends="coder")])
    assert [one.name for one in shelf.line("team")] == ["team", "coder", "base"]
    assert shelf.names == ("base", "coder", "team")
    assert shelf.get("nobody") is None


def test_a_later_charter_hides_an_earlier_one():
    mine = Charter(name="coder", description="mine")
    assert Shelf([Charter(name="coder"), mine]).get("coder") is mine


def test_an_unknown_name_is_refused_with_what_was_probably_meant():
    with pytest.raises(CharterError) as caught:
        Shelf([Charter(name="coder", extends="bose"), Charter(name="base")]).line("coder")
    assert 'extends "bose"' in str(caught.value)
    assert '"base"' in caught.value.fix


def test_a_circle_is_refused():
    shelf = Shelf([Charter(name="a", extends="b"), Charter(name="b", extends="a")])
    with pytest.raises(CharterError, match="a -> b -> a"):
        shelf.line("a")
