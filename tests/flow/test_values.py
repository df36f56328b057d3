"""Values are read quickly, and exactly as the plain definitions say, since prints already stand in records."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from outrider.flow import orders
from outrider.flow.orders import VERBS, is_order
from outrider.flow.passages import _LINK, passages
from outrider.flow.prints import EVERYDAY
from outrider.flow.values import addresses, asked, is_address, normal, pack, packed, printer, told, words

KEY = b"k" * 32
WORD = re.compile(r"[^\s,;()\[\]{}<>\"'`|]+")
PIECES = [
    "please ", "send ", "delete the file ", "to: ", "and ", "must ", "id 7 ", "no 42 ", "a.b.example/x?y ", "word ",
    "a@b.example ", "“quoted text” ", "'one two' ", '"', "'", "(", "-", ". ", "! ", "; ", "\n", "\n\n", "\r\n", "1) ",
    "* ", "é", "\u2003", "\x1c", "\ud800", "İ", "\u017frc='x'", 'href="https://a.example/b" ', "SRC = 'c' ", "Name: ",
]  # fmt: skip
texts = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))


@given(texts)
def test_words_are_what_stands_between_space_and_brackets(text: str) -> None:
    plain = [word for word in map(normal, WORD.findall(text)) if word]
    assert words(text) == plain
    led = [word for word in plain if is_address(word)]
    assert set(addresses(text)) <= set(led)


@given(texts)
def test_an_order_is_one_whether_or_not_its_verb_was_looked_for_first(sentence: str) -> None:
    low = orders._BEFORE.sub("", sentence[: orders.MAX_SENTENCE].lower(), count=1)
    first = orders._FIRST.match(low)
    slow = (first is not None and first[1] in VERBS) or not VERBS.isdisjoint(orders._LEAD.findall(low))
    assert is_order(sentence) == slow


@given(texts)
def test_every_link_of_free_text_is_a_field(text: str) -> None:
    prose = f"Read this, it is long enough to be free text by itself. {text}"
    if "\\" in text:
        return
    fields = [passage.text for passage in passages(prose) if passage.kind == "field"]
    assert fields == [link[1] for link in _LINK.finditer(prose.strip())]


@given(st.lists(st.text(max_size=12)))
def test_packed_prints_are_those_that_the_printer_makes(values: list[str]) -> None:
    assert packed(values, KEY) == pack(map(printer(KEY), values))


@given(st.lists(st.sampled_from(["kim", "id", "7", "42", "no", "x", "the", "report", "about"]), min_size=1, max_size=9))
def test_an_order_is_held_in_phrases_of_one_to_four_words(line: list[str]) -> None:
    sentence = " ".join(["please send", *line])
    said = told(f"It came today and is here, in this box, for all of us. {sentence}", KEY)
    order = ["please", "send", *line]
    single = [word for word in order if len(word) > 2 and word not in EVERYDAY]
    numbers = [b for a, b in pairwise(order) if a in ("id", "no") and len(b) <= 2]
    longer = [" ".join(order[at : at + n]) for n in (2, 3, 4) for at in range(len(order) - n + 1)]
    wanted = packed([*single, *numbers, *longer], KEY)
    held = {said["order"][at : at + 6] for at in range(0, len(said["order"]), 6)}
    assert {wanted[at : at + 6] for at in range(0, len(wanted), 6)} <= held


def test_what_a_user_names_is_held_whole_and_in_parts() -> None:
    said = asked("write to kim.lee@office.example", KEY)["user"]
    for word in ("kim.lee@office.example", "kim", "lee", "office", "write"):
        assert packed([word], KEY) in [said[at : at + 6] for at in range(0, len(said), 6)]
