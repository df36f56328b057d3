"""Where values from outside go: what reaches a place it must not, and what makes it harmless on the way."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code import taint_python
from outrider.detect.code.newer_python import readable
from outrider.detect.code.taint_python import Reached
from outrider.detect.code.taint_tables import KINDS


def flows(text: str) -> list[Reached] | None:
    return taint_python.flows(text, frozenset(KINDS))


def reached(text: str) -> list[tuple[str, int, bool]]:
    return [(one.kind, one.first, one.weak) for one in flows(textwrap.dedent(text)) or ()]


def kinds(*body: str) -> set[str]:
    """What is reached in a function that answers a client, its value called ``x``."""
    lines = ["@app.route('/')", "def view():", "    x = request.args.get('x')", *(f"    {line}" for line in body)]
    return {kind for kind, _, weak in reached("\n".join(lines)) if not weak}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("db.execute('SELECT ' + x)", "sql"),
        ("db.execute(f'SELECT {x}')", "sql"),
        ("db.execute('SELECT %s' % x)", "sql"),
        ("db.execute('SELECT {}'.format(x))", "sql"),
        ("os.system('ping ' + x)", "shell"),
        ("subprocess.run(f'ping {x}', shell=True)", "shell"),
        ("subprocess.run(['sh', '-c', x])", "shell"),
        ("eval(x)", "code"),
        ("open('/srv/' + x)", "path"),
        ("pickle.loads(base64.b64decode(x))", "deserialise"),
        ("redirect(x)", "redirect"),
        ("requests.get(x)", "ssrf"),
        ("render_template_string(x)", "template"),
        ("session['role'] = x", "session"),
    ],
)
def test_a_value_from_a_client_reaches_a_place_it_must_not(line, kind):
    assert kind in kinds(line)


@pytest.mark.parametrize(
    "body",
    [
        ["db.execute('SELECT ?', (x,))"],
        ["db.execute(f'SELECT {int(x)}')"],
        ["os.system('ping ' + shlex.quote(x))"],
        ["subprocess.run(['ping', '-c', '1', x])"],
        ["open('/srv/' + secure_filename(x))"],
        ["if x not in NAMES:", "    return 'no'", "os.system('ping ' + x)"],
        ["if x not in NAMES:", "    abort(400)", "eval(x)"],
        ["if x in ('a', 'b'):", "    os.system('ping ' + x)"],
        ["if not re.fullmatch('[a-z]+', x):", "    raise ValueError(x)", "db.execute('SELECT ' + x)"],
        ["url = urlparse(x)", "if url.netloc != 'example.com':", "    abort(400)", "return redirect(x)"],
        ["requests.get(f'https://api.example.com/{x}')"],
        ["redirect('/users/' + x)"],
        ["re.compile(x)"],
        ["x = 'fixed'", "eval(x)"],
        ["d = {'a': 'safe', 'b': x}", "eval(d['a'])"],
        ["v = ['a', x]", "v.pop()", "eval(v[0])"],
        ["y = 'safe' if 7 * 6 > 40 else x", "eval(y)"],
    ],
    ids="; ".join,
)
def test_a_value_that_was_checked_converted_or_replaced_is_let_be(body):
    assert not kinds(*body) - {"session"}


@pytest.mark.parametrize(
    "body",
    [
        ["if x in ('a', 'b'):", "    pass", "os.system('ping ' + x)"],
        ["if not x:", "    x = ''", "os.system('ping ' + x)"],
        ["if x is None:", "    return 'no'", "eval(x)"],
        ["d = {'a': 'safe', 'b': x}", "eval(d['b'])"],
        ["y = x if flag else 'safe'", "eval(y)"],
        ["try:", "    y = x", "except ValueError:", "    y = 'safe'", "eval(y)"],
        ["for part in x.split(','):", "    eval(part)"],
        ["parts = [p.strip() for p in x.split(',')]", "eval(parts[0])"],
        ["with open('a') as f:", "    f.write(x)", "    eval(x)"],
        ["y = helper(x)", "eval(y)"],
        ["os.system('ping ' + html.escape(x))"],
    ],
    ids="; ".join,
)
def test_what_only_looks_like_a_check_lets_nothing_be(body):
    assert kinds(*body)


def test_an_argument_of_a_function_is_only_its_callers_word():
    assert reached("def find(db, name):\n    db.execute('SELECT ' + name)\n") == [("sql", 2, True)]
    assert reached("def load(path):\n    return open(path).read()\n") == []


def test_whoever_starts_a_program_may_name_its_files_but_not_its_commands():
    assert reached("import sys\nopen(sys.argv[1])\n") == []
    assert reached("import os, sys\nos.system('ls ' + sys.argv[1])\n") == [("shell", 2, False)]


def test_a_fragment_is_followed_as_a_part_of_a_function():
    fragment = "    name = request.form['n']\n    cur.execute('SELECT ' + name)\n    return cur.fetchall()\n"
    assert [(one.kind, one.first) for one in flows(fragment) or ()] == [("sql", 2)]


def test_f_strings_newer_than_this_python_are_followed_on_their_own_lines():
    text = 'n = request.args["n"]\ny = (\n    f"a {d["k"]}"\n    f"b {n}"\n)\neval(f"{n}")\n'
    assert readable(text).count("\n") == text.count("\n")
    assert [(one.kind, one.first) for one in flows(text) or ()] == [("code", 6)]


def test_text_that_is_no_python_is_said_to_be_none():
    assert flows("eval( python {") is None


@given(st.text(max_size=400))
def test_no_text_makes_the_pass_fail(text):
    assert flows(text) is None or isinstance(flows(text), list)


def test_following_is_linear_in_the_length_of_a_function():
    from outrider.detect.code import taint_python

    def visits(count: int) -> int:
        seen = 0
        kept = taint_python._Walk.value

        def counted(self, node, env):
            nonlocal seen
            seen += 1
            return kept(self, node, env)

        taint_python._Walk.value = counted
        try:
            flows("def f(x):\n" + "".join(f"    if x:\n        y{n} = x + 'a'\n" for n in range(count)))
        finally:
            taint_python._Walk.value = kept
        return seen

    assert visits(200) <= 2.2 * visits(100)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (["if not x.startswith('http'):", "    abort(400)", "requests.get(x)"], "ssrf"),
        (["if '://' in x:", "    requests.get(x)"], "ssrf"),
        (["client = SSHClient()", "client.exec_command('ls ' + x)"], "shell"),
        (["f = request.files['f']", "f.save('/srv/' + f.filename)"], "path"),
    ],
)
def test_a_look_at_the_scheme_alone_does_not_say_where_an_address_leads(body, kind):
    assert kind in kinds(*body)


@pytest.mark.parametrize(
    "body",
    [
        ["columns = {'a': 'name', 'b': 'age'}", "db.execute('SELECT 1 ORDER BY ' + columns.get(x, 'name'))"],
        ["columns = {'a': 'name', 'b': 'age'}", "db.execute('SELECT 1 ORDER BY ' + columns[x])"],
        ["row = db.execute('SELECT ?', (x,)).fetchone()", "return row['name']"],
        ["return send_from_directory(FOLDER, x)"],
        ["return requests.get(f'https://api.example.com/{x}').text"],
    ],
    ids="; ".join,
)
def test_what_a_table_a_store_or_another_host_answers_is_not_the_clients_word(body):
    assert not kinds("import flask", *body)


def test_a_value_is_followed_into_a_function_of_the_same_file():
    text = """
    @app.post("/v")
    def view():
        return restore(request.form["data"])

    def restore(blob):
        return pickle.loads(base64.b64decode(blob))
    """
    assert ("deserialise", 7, False) in reached(text)


@pytest.mark.parametrize(
    ("gives", "found"),
    [("return name", {"path"}), ("return os.path.basename(name)", set()), ("return FILES.get(name)", set()),
     ("return 'a/' + name", {"path"}), ("if name in FILES:\n        return FILES[name]\n    return 'index'", set())],
)  # fmt: skip
def test_what_a_function_of_the_same_file_gives_back_counts_for_its_call(gives, found):
    text = f"FILES = {{'a': 'b'}}\ndef chosen(name):\n    {gives}\n\n@app.get('/')\ndef view():\n"
    assert {
        kind for kind, _, weak in reached(text + "    return open(chosen(request.args['x'])).read()") if not weak
    } == found


def test_what_a_nested_function_gives_back_is_asked_for_once():
    text = """
    @app.get("/")
    def view():
        def run(line):
            os.system(line)
        return run(outer(request.args["x"]))

    def outer(line):
        return line
    """
    assert ("shell", 5, False) in reached(text)


@pytest.mark.parametrize(
    ("imported", "line", "found"),
    [
        ("import pymongo", "db.users.find_one({'name': request.json['name']})", {"nosql"}),
        ("import pymongo", "db.users.find_one({'name': str(request.json['name'])})", set()),
        ("import pymongo", "db.users.find_one({'name': request.args['name']})", set()),
        ("import sqlalchemy", "db.users.find_one({'name': request.json['name']})", set()),
        ("from lxml import etree", "etree.fromstring(request.data)", {"xml"}),
        ("from lxml import etree", "etree.fromstring(request.data, parser)", set()),
        ("from defusedxml import ElementTree", "ElementTree.fromstring(request.data)", set()),
        ("from lxml.etree import fromstring", "fromstring(request.data)", {"xml"}),
        ("from sanic.response import html as page", "send(page(f'<b>{x}</b>'))", {"html"}),
        ("from os import system as run", "run('ls ' + x)", {"shell"}),
        ("from jobs import run", "run('ls ' + x)", set()),
        ("import flask", "kept = [one for one in ROWS if eval(x, {}, {'row': one})]", {"code"}),
        ("import pdfkit", "pdfkit.from_string(request.form['page'])", set()),
        ("import pathlib", "(pathlib.Path('a') / request.args['x']).open().read()", {"path"}),
        ("import flask", "return f'<b>{x}</b>', 404", {"html"}),
        ("import flask", "if PATTERN.fullmatch(x) is None:", set()),
    ],
    ids=str,
)
def test_a_place_is_one_only_where_the_text_uses_what_makes_it_one(imported, line, found):
    after = ["    return ''", "open(x)"] if line.endswith(":") else []
    assert kinds(imported, line, *after) == found


def test_what_a_function_within_a_function_gives_back_is_not_what_the_outer_one_does():
    text = """
    @app.get("/")
    def view():
        os.system(outer(request.args["x"]))

    def outer(line):
        def inner():
            return line
        return "ls"
    """
    assert not [one for one in reached(text) if not one[2]]


def test_a_table_of_a_class_gives_what_stands_in_it():
    text = """
    class View(APIView):
        ORDER = {"a": "name", "b": "age"}

        def get(self, request):
            db.execute("SELECT 1 ORDER BY " + self.ORDER.get(request.GET["order"], "name"))
    """
    assert not reached(text)


def test_a_function_that_two_classes_define_is_not_guessed_at():
    text = """
    class One:
        def run(self, line):
            return eval(line)

    class Two:
        def run(self, line):
            return eval(line)

        def view(self):
            return self.run(request.args["x"])
    """
    assert {weak for _, _, weak in reached(text)} == {True}


def test_what_a_framework_injects_is_not_the_clients_word():
    text = """
    @router.get("/me")
    def me(user: User = Depends(current_user), db: Session = Depends(session)):
        return db.execute(f"SELECT * FROM notes WHERE owner = {user.id}")
    """
    assert reached(text) == []


def test_of_two_imports_of_a_name_the_later_one_counts():
    view = "@app.route('/')\ndef view():\n    go(request.args.get('x'))\n"
    harmless, harmful = "from textwrap import dedent as go\n", "from os import system as go\n"
    assert [kind for kind, _, _ in reached(harmless + harmful + view)] == ["shell"]
    assert reached(harmful + harmless + view) == []
