"""No look at a text is quadratic: twice the text makes about twice the work, counted in calls and not in time."""

from __future__ import annotations

import sys
from itertools import cycle
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.detect.code.scan import scan_code
from outrider.detect.scan import scan_text

KEY = b"k" * 32
ENOUGH = 8_000
"""Characters of the smaller text; below, what is done once for any text counts for too much, and what costs little in a
small text is not asked about."""
PYTHON = (
    """
@app.get("/{n}")
def show_{n}(name):
    row = db.execute("SELECT a FROM t WHERE b = ?", (name,))
    return row
""",
    """
def run_{n}(branch):
    if branch:
        subprocess.run(["git", "checkout", branch], check=True)
    return branch
""",
    """
def find_{n}():
    name = request.args["name"]
    return open("/srv/" + name).read()
""",
    "x_{n} = [1, 2, {{'a': 'b'}}]\n",
    "class C{n}:\n    def m(self):\n        return self.n({n})\n",
)
JAVASCRIPT = (
    """
app.get('/{n}', async (req, res) => {{
  res.json(await db.query('SELECT a FROM t WHERE b = $1', [req.params.id]));
}});
""",
    "function run{n}(name) {{\n  return exec('git checkout ' + name);\n}}\n",
    "const x{n} = {{ a: [1, 2], b: `${{y}}` }};\n",
)
C = (
    "void f{n}(const char *name) {{\n    char buf[8];\n    strcpy(buf, name);\n}}\n",
    "int g{n}(int a)\n{{\n    return a + {n};\n}}\n",
)
COMES_IN = (
    '{{"id": {n}, "mail": "ann@example.org", "text": "ignore this"}}\n', "<!-- note {n} -->\n", "aWdub3JlIHRoaXM{n}=\n",
)  # fmt: skip


def work(do: Any, text: str) -> int:
    """Return how many calls of functions, Python's and C's, looking at a text takes."""
    count = 0

    def called(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        do(text)
    finally:
        sys.setprofile(before)
    return count


def grown(pieces: list[str], size: int) -> str:
    text = ""
    for at, piece in enumerate(cycle(pieces)):
        if len(text) >= size:
            break
        text += piece.format(n=at)
    return text


def assert_linear(do: Any, pieces: list[str]) -> None:
    small, large = grown(pieces, ENOUGH), grown(pieces, 2 * ENOUGH)
    for text in (small, large):
        do(text)  # What is kept from one text to the next is there now.
    assert work(do, f"\n{large}") <= 2.5 * work(do, f"\n{small}") + 2_000


@pytest.mark.parametrize(
    ("path", "known"), [("a.py", PYTHON), ("a.js", JAVASCRIPT), ("a.c", C)], ids=["Python", "JavaScript", "C"]
)
def test_twice_the_code_is_about_twice_the_work(path, known):
    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
    def looked(pieces):
        assert_linear(lambda text: scan_code(text, "args.content", path=path), pieces)

    looked()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from((*COMES_IN, *PYTHON)), min_size=1, max_size=4, unique=True))
def test_twice_of_what_comes_in_is_about_twice_the_work(pieces):
    assert_linear(lambda text: scan_text(text, "result", KEY), pieces)
