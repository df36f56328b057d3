"""Where values from outside go in JavaScript: by variables to a place they must not reach, and what lets them be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code import taint_javascript
from outrider.detect.code.matching import Tree
from outrider.detect.code.taint_python import Reached


def flows(text: str, language: str = "javascript") -> list[Reached]:
    return taint_javascript.flows(Tree(text, language))


def kinds(*body: str, language: str = "javascript") -> set[str]:
    """What is reached in a handler whose variable ``x`` a client chose."""
    lines = ["app.get('/', async (req, res) => {", "  const { x } = req.query;", *(f"  {line}" for line in body), "});"]
    return {one.kind for one in flows("\n".join(lines), language)}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (["fs.readFileSync(x);"], "path"),
        (["const f = path.join(dir, x);", "res.sendFile(f);"], "path"),
        (["await fetch(x);"], "ssrf"),
        (["await axios.get(`https://${x}/a`);"], "ssrf"),
        (["const to = x.trim();", "res.redirect(to);"], "redirect"),
        (["exec(x, done);"], "shell"),
        (["res.send(`<b>${x}</b>`);"], "html"),
        (["if (!x) return;", "await fetch(x);"], "ssrf"),
        (["await page.goto(x);"], "ssrf"),
        (["list.forEach(() => {", "  exec(x, done);", "});"], "shell"),
    ],
    ids=str,
)
@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx"])
def test_a_variable_that_a_client_chose_reaches_a_place_it_must_not(body, kind, language):
    assert kinds(*body, language=language) == {kind}


@pytest.mark.parametrize(
    "body",
    [
        ["const n = parseInt(x, 10);", "fs.readFileSync(`./${n}.txt`);"],
        ["fs.readFileSync(path.join(dir, path.basename(x)));"],
        ["await fetch(`https://api.example.com/${x}`);"],
        ["res.redirect(`/items/${x}`);"],
        ["if (!NAMES.includes(x)) return;", "exec(x, done);"],
        ["if (!/^[a-z]+$/.test(x)) return;", "fs.readFileSync(x);"],
        ["const u = new URL(x);", "if (u.hostname !== 'example.com') return;", "await fetch(u);"],
        ["const item = await Item.findOne({ x });", "res.redirect(item.url);"],
        ["fs.readFileSync('x');"],
        ["res.send(`<b>${escapeHtml(x)}</b>`);"],
        ["res.send(x);"],
        ["pattern.exec(x);"],
        ["const u = `https://api.example.com/${x}`;", "await fetch(u);"],
        ["const to = '/items/' + x;", "res.redirect(to);"],
        ["const to = table.get(x);", "res.redirect(to);"],
        ["res.redirect(isLocal(x) ? x : '/');"],
    ],
    ids="; ".join,
)
def test_a_value_that_was_looked_at_converted_or_kept_in_its_place_is_let_be(body):
    assert kinds(*body) == set()


def test_a_variable_of_one_function_is_not_that_of_another():
    first = "function a(req) { const x = req.query.x; keep(x); }\n"
    assert flows(first + "function b(x) { exec(x, done); }") == []


@pytest.mark.parametrize(
    ("parameter", "found"),
    [
        ("@Query('name') name: string", ["path"]),
        ("@Param('name') name", ["path"]),
        ("@Body('name') readonly name: any", ["path"]),
        ("@Query('name') name: number", []),
        ("@Param('name', ParseIntPipe) name: string", []),
        ("name: string", []),
    ],
    ids=str,
)
def test_a_parameter_that_a_framework_fills_in_is_the_clients_word(parameter, found):
    text = f"class Files {{\n  @Get()\n  read({parameter}) {{\n    fs.readFileSync(path.join(ROOT, name));\n  }}\n}}\n"
    other = "class Other { @Get() all(@Query('page') page: string) { return page; } other(name) { fs.rm(name); } }\n"
    assert [one.kind for one in flows(text + other, "typescript")] == found


def test_a_variable_that_is_set_anew_is_no_longer_from_outside():
    assert kinds("let y = x;", "y = 'fixed';", "exec(y, done);") == set()


def test_the_line_is_that_of_the_call():
    found = flows("function a(req, res) {\n  const x = req.body.x;\n  exec(\n    x,\n    done,\n  );\n}")
    assert [(one.kind, one.first, one.last) for one in found] == [("shell", 3, 6)]


@given(st.text(max_size=80))
def test_any_text_is_followed(text):
    assert isinstance(flows("const x = req.query.x;\n" + text), list)


def test_a_long_text_is_not_followed_without_end():
    many = "".join(f"const a{n} = req.query.a{n}; exec(a{n}, done);\n" for n in range(3_000))
    assert 0 < len(flows(many)) <= 100
