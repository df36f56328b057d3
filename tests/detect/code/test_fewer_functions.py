"""What is left out of a Python text before its values are followed changes nothing of what is found in it."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code import taint_python
from outrider.detect.code.fewer_functions import within_reach, without
from outrider.detect.code.taint_tables import KINDS

ALL = frozenset(KINDS)
BODIES = (
    "return eval(x)",
    "z = 'a'\nreturn z", "os.system('ls ' + x)", "y = [\n1, 2\n]", "s = '''\ndef within():\n  eval(x)\n'''",
    "z = 1 + \\\n2", "# a ''' word\npass", "if x.startswith(y):\n    open('/a/' + x)", "y = 'é'", "x = get(y)",
    "open(f'/a/{y}')", "one(request.args['n'], y)", "m(x)", "one(LIMIT, 1)", "self.m(request.form['n'])",
    "def m(x):\n    eval(x)",
    "y = sock.recv(9)\none(y, x)", "def inner(x):\n    eval(x)", "import os", "LIMIT = request.args['n']",
    "from os import system as get", "return y",
    "eval(one(request.args['n'], y))", "z = self.m(request.args['n'])\nos.system(z)",
)  # fmt: skip
HEADS = (
    "def one(x, y):\n", "@app.get('/')\nasync def two(\n    x,\n    y,\n):\n", "class Three:\n", "if LIMIT:\n",
    "class Four:\n    def m(self, x):\n        pass\n\n", "@last\nclass Five:\n",
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text of functions, classes and statements that Python can read."""
    out = []
    for _ in range(draw(st.integers(1, 5))):
        body = "\n".join(draw(st.lists(st.sampled_from(BODIES), min_size=1, max_size=3)))
        head = draw(st.sampled_from(HEADS))
        deeper = draw(st.sampled_from(("", "    def m(self, x, y):\n"))) if head.startswith(("class", "@last")) else ""
        out.append(head + deeper + textwrap.indent(body, "        " if deeper else "    ") + "\n")
    return "".join(out)


def found(text: str) -> set[tuple[str, int, bool]] | None:
    seen = taint_python.flows(text, ALL)
    return None if seen is None else {(one.kind, one.first, one.weak) for one in seen}


@given(texts())
def test_what_is_found_is_found_without_them(text):
    whole = taint_python.followed(text, text)
    fewer = taint_python.followed(without(text, ALL), text)
    assert fewer is not None
    assert set(fewer) == set(whole)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("def a():\n    return 1\n\n\ndef b(x):\n    eval(x)\n", "def a(): pass\n\n\n\ndef b(x):\n    eval(x)\n"),
        ("@a\n@b(\n    1,\n)\ndef c():\n    pass\neval(x)\n", "def c(): pass\n\n\n\n\n\neval(x)\n"),
        (
            "class A:\n    def b(self):\n        c()\n\n    x = eval(y)\n",
            "class A:\n    def b(): pass\n\n\n    x = eval(y)\n",
        ),
        ("def a():\n    '''One.\n@b, two:\n    '''\neval(x)\n", "def a(): pass\n\n\n\neval(x)\n"),
        ("def a():\n    return \\\neval\n", "def a():\n    return \\\neval\n"),
        ("def a(\n    b,\n):\n    c()\n# a word\n    d()\neval(e)\n", "def a(): pass\n\n\n\n\n\neval(e)\n"),
        ("def a():\n    é = 1\neval(e)\n", "def a():\n    é = 1\neval(e)\n"),
        ("def a(b):\n    c(b)\nx = request.q\neval(x)\n", "def a(b):\n    c(b)\nx = request.q\neval(x)\n"),
        ("import request\ndef a(b):\n    c(b)\n", "import request\ndef a(): pass\n\n"),
        ("def a(x):\n    b(request.x)\n", "def a(x):\n    b(request.x)\n"),
        ("def a():\n    def b():\n        pass\n", "def a():\n    def b():\n        pass\n"),
        ("@a\nclass B:\n    def c(self):\n        d()\n", "@a\nclass B:\n    def c(): pass\n\n"),
        ("@a\n@b", "@a\n@b"),
        ("def a(): pass\rX = input()\neval(X)\n", "def a(): pass\rX = input()\neval(X)\n"),
    ],
)
def test_a_function_without_a_place_is_left_out_with_its_decorators(text, left):
    assert without(text, frozenset({"code"})) == left


def test_kinds_that_only_a_client_reaches_need_a_client():
    text = "def a(url):\n    return requests.get(url)\n"
    assert within_reach(text, frozenset({"ssrf"})) == frozenset()
    assert within_reach("url = input()\n" + text, frozenset({"ssrf"})) == frozenset()
    assert within_reach("url = request.args['u']\n" + text, frozenset({"ssrf"})) == {"ssrf"}
    assert within_reach("@app.get('/')\n" + text, frozenset({"ssrf"})) == {"ssrf"}


def test_a_name_in_letters_of_full_width_is_the_plain_one():
    assert found("\uff45\uff56\uff41\uff4c(input())\n") == {("code", 1, False)}
    assert found("def a():\n    \uff45\uff56\uff41\uff4c(input())\n\n\ndef eval_(): eval\n") == {("code", 2, False)}


@given(st.text(max_size=300))
def test_as_many_lines_are_left_of_any_text(text):
    assert without(text, ALL).count("\n") == text.count("\n")
