"""Rules that follow values stay linear: what would take too long as a whole is looked at in pieces, and said to be."""

from __future__ import annotations

import pytest

from outrider.detect.code.cost import PIECE, costs_too_much, follows, follows_to_the_root
from outrider.detect.code.scan import scan_code

USE = "    strcpy(buf, name);\n"
LONG = f"void f(const char *name) {{\n    char buf[8];\n{USE * 900}}}\n"


def test_a_function_with_very_many_uses_is_looked_at_in_pieces_and_called_so():
    seen = scan_code(LONG, "args.content", path="main.c")
    assert seen.outcome == "partly"
    assert seen.findings


def test_many_functions_with_a_use_each_are_looked_at_whole():
    text = "".join(f"void f{n}(const char *name) {{\n    char buf[8];\n{USE}}}\n" for n in range(300))
    seen = scan_code(text, "args.content", path="main.c")
    assert seen.outcome == "scanned"
    assert seen.findings


def test_what_is_found_in_a_piece_stands_where_it_stands_in_the_text():
    ahead = "/* a word */\n" * (2 * PIECE)
    text = ahead + "void first(const char *name) {\n    char end[4];\n    strcpy(end, name);\n}\n" + LONG
    seen = scan_code(text, "args.content", path="main.c")
    one = seen.findings[0]
    assert seen.outcome == "partly"
    assert text[one.start : one.end] == "strcpy(end, name)"


@pytest.mark.parametrize("size", [1_000, 2_000, 4_000])
def test_the_work_of_a_costly_rule_does_not_grow_with_the_square(size):
    assert costs_too_much(("strcpy",), "void f() {\n" + USE * size + "}\n")
    assert not costs_too_much(("strcpy",), ("void f() {\n" + USE + "}\n") * size)


def test_a_rule_that_only_looks_at_one_place_is_never_asked_of_pieces():
    assert not follows({"kind": "call_expression", "has": {"field": "function", "regex": "^gets$"}})
    assert follows({"any": [{"kind": "x", "inside": {"kind": "y", "has": {"stopBy": "end", "kind": "z"}}}]})


def test_a_rule_that_looks_through_the_whole_text_is_told_from_one_that_looks_through_a_function():
    around = {"stopBy": "end", "has": {"stopBy": "end", "kind": "z"}}
    assert follows_to_the_root({"all": [{"kind": "x"}, {"inside": {**around, "kind": "program"}}]})
    assert follows_to_the_root({"inside": {**around, "any": [{"kind": "function"}, {"kind": "module"}]}})
    assert not follows_to_the_root({"inside": {**around, "kind": "function_definition"}})


def test_uses_in_the_whole_text_count_more_than_uses_in_functions_of_their_own():
    text = ("void f() {\n" + USE + "}\n") * 2_000
    assert not costs_too_much(("strcpy",), text)
    assert costs_too_much(("strcpy",), text, whole=True)
