"""Where values from outside go in Go, Java, PHP, C# and Ruby."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.matching import Tree
from outrider.detect.code.taint_dialects import LANGUAGES, dialect_of
from outrider.detect.code.taint_flows import flows
from outrider.detect.code.taint_tables import KINDS


def reached(language: str, text: str) -> list[tuple[str, int]]:
    return [(one.kind, one.first) for one in flows(Tree(text, language), frozenset(KINDS))]


GO = "func view(w http.ResponseWriter, r *http.Request) {\n%s\n}\n"
PHP = "<?php\nfunction view() {\n%s\n}\n"
RUBY = "def view\n%s\nend\n"


@pytest.mark.parametrize(
    ("language", "whole", "body"),
    [
        ("go", GO, 'x := r.FormValue("x")\nos.ReadFile("/srv/" + x)'),
        ("go", GO, 'x := strings.TrimSpace(r.FormValue("x"))\ny := filepath.Join(root, x)\nos.ReadFile(y)'),
        ("go", GO, 'x := r.FormValue("x")\nif x == "" {\nx = "index"\n}\nos.ReadFile(x)'),
        ("php", PHP, "$x = $_GET['x'] ?? 'a';\nreadfile(\"/srv/$x\");"),
        ("php", PHP, "$x = trim($_GET['x']);\n$y = '/srv/' . $x;\nreadfile($y);"),
        ("ruby", RUBY, 'x = params[:x].to_s\nFile.read("/srv/#{x}")'),
        ("ruby", RUBY, "x = params[:x]\ny = File.join('/srv', x)\nsend_file y"),
    ],
)
def test_a_value_is_followed_through_variables_to_a_file(language, whole, body):
    assert "path" in {kind for kind, _ in reached(language, whole % body)}


@pytest.mark.parametrize(
    ("language", "whole", "body"),
    [
        ("go", GO, 'x := filepath.Base(r.FormValue("x"))\nos.ReadFile("/srv/" + x)'),
        ("go", GO, 'x := r.FormValue("x")\nif !known[x] {\nreturn\n}\nos.ReadFile("/srv/" + x)'),
        ("go", GO, 'x := r.FormValue("x")\nx = "index"\nos.ReadFile(x)'),
        ("go", GO, 'x, err := strconv.Atoi(r.FormValue("x"))\nos.ReadFile(name(x))'),
        ("go", GO, 'x := r.FormValue("x")\nu, _ := url.Parse(x)\nif hosts[u.Hostname()] {\nhttp.Get(x)\n}'),
        ("go", GO, 'x := "https://api.example.com/" + r.FormValue("x")\nhttp.Get(x)'),
        ("php", PHP, "$x = (int) $_GET['x'];\nreadfile(\"/srv/$x\");"),
        ("php", PHP, "$x = $_GET['x'];\nif (!preg_match('/^[a-z]+$/', $x)) { exit; }\nreadfile(\"/srv/$x\");"),
        ("php", PHP, "move_uploaded_file($_FILES['f']['tmp_name'], $folder . bin2hex(random_bytes(8)));"),
        ("ruby", RUBY, 'x = params[:x].to_i\nFile.read("/srv/#{x}")'),
        ("ruby", RUBY, 'x = params[:x]\nreturn unless NAMES.include?(x)\nFile.read("/srv/#{x}")'),
        ("ruby", RUBY, 'x = params[:x]\nputs "File.read #{x}"'),
    ],
)
def test_a_value_that_was_checked_converted_or_replaced_is_let_be(language, whole, body):
    assert reached(language, whole % body) == []


def test_a_parameter_that_a_framework_fills_in_is_the_clients_word_and_others_are_not():
    java = "class A {\n  void a(%s String x) throws Exception {\n    new FileReader(x);\n  }\n}\n"
    assert reached("java", java % "@RequestParam") == [("path", 3)]
    assert reached("java", java % "@Nullable") == []
    csharp = "class A {\n  public %s F(string x) {\n    return Redirect(x);\n  }\n}\n"
    assert reached("csharp", csharp % "IActionResult") == [("redirect", 3)]
    assert reached("csharp", csharp % "string") == []


def test_a_value_is_followed_into_a_function_of_the_same_file():
    text = """package a

func load(name string) ([]byte, error) {
\treturn os.ReadFile("/srv/" + name)
}

func view(w http.ResponseWriter, r *http.Request) {
\tdata, err := load(r.URL.Query().Get("name"))
}
"""
    assert reached("go", text) == [("path", 4)]


def test_a_value_does_not_leave_its_function():
    text = "def one\n  x = params[:x]\nend\n\ndef two\n  File.read(x)\nend\n"
    assert reached("ruby", text) == []


def test_every_table_is_whole():
    for language in LANGUAGES:
        assert {place.kind for place in dialect_of(language).places} <= set(KINDS)
    with pytest.raises(ValueError, match=r"dialects\.toml: cobol"):
        dialect_of("cobol")


@given(
    language=st.sampled_from(LANGUAGES), text=st.text(alphabet="xr$_GET[]'\"=(){}.;>+#@ \n,\\Faramsopen", max_size=200)
)
def test_no_text_makes_it_fail(language, text):
    reached(language, f"params[:x] $_GET['x'] r.FormValue(\"x\") request.getParameter( Request.Query {text}")
