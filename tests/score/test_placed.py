"""Orders and neighbours are put where a tool would return them, and are enough, different and whole."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import Counter
from pathlib import Path

from score.placed import PLACE, placed

from score import content as score_content

VECTORS = Path(__file__).parents[2] / "vectors" / "content"
WHAT = placed()


def test_orders_are_marked_where_they_are_put_and_their_neighbours_are_not():
    marked, wrong = score_content.placed_rows()
    assert marked.share >= 0.85, [one.id for one in marked.wrong]
    assert wrong.share <= 0.01, [one.id for one in wrong.wrong]


def test_there_are_enough_of_each_and_none_stands_twice():
    orders = [one for one in WHAT if one.planted]
    families = Counter(one.family.partition(":")[0] for one in orders)
    assert len(orders) >= 240
    assert len(WHAT) - len(orders) >= 400
    assert len(families) >= 22
    assert min(families.values()) >= 6
    assert len({one.text for one in WHAT}) == len(WHAT)
    assert all(200 <= len(one.text) <= 6_000 and PLACE not in one.text for one in WHAT)


def test_what_is_put_into_json_and_tables_stays_readable_as_such():
    for one in WHAT:
        if one.carrier.endswith("-json") or one.carrier in {"slack", "bank", "calendar", "mcp-list", "notebook"}:
            assert json.loads(one.text), one
        if one.carrier == "csv-customers":
            assert {len(row) for row in csv.reader(one.text.splitlines())} == {8}, one


def test_no_file_of_vectors_holds_what_cannot_be_seen():
    for name in ("carriers", "orders", "neighbours"):
        text = (VECTORS / f"{name}.jsonl").read_text("utf-8")
        unseen = {one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co"}} - {"\n"}
        assert unseen <= {"\u200d", "\u200e", "\u200f"}, (
            unseen
        )  # Joiners and marks that honest text of some scripts has.


def test_a_text_is_written_as_its_row_says():
    whole = "\n".join(one.text for one in WHAT if one.planted)
    for written in (
        "\U000e0049\U000e0067",
        "\u200bg\u200b",
        "\u0440r\u0435v\u0456\u043eu\u0455",
        "\uff29\uff47",
        "i g n o r e",
        "vtaber nyy",
        "%20",
    ):
        assert written in whole, written
