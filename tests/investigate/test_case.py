"""Cases: what people did in them, what the record says of them, and how both are told."""

from __future__ import annotations

import html.parser

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.config import Home
from outrider.errors import BadInputError
from outrider.events.call import Label
from outrider.events.case import CaseNoted
from outrider.events.record import Entity
from outrider.investigate.answering import findings
from outrider.investigate.case import Entry, fold, ids, load, named
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.glance import glance
from outrider.investigate.markdown import code, markdown, plain
from outrider.investigate.questions import questions, scenario, sources
from outrider.investigate.report import page
from outrider.investigate.telling import summary

CASE = "case-0123456789ab"
SITE = ("host", "evil.example")


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def told(world, home):
    """A root's child is led by a page to leak; a case is opened about the place."""
    files = CaseFile(home, CASE)

    def note(act, text="", **more):
        content = files.put(text) if text else None
        return world.put(CaseNoted, heard="case", case=CASE, act=act, by="p_1", content=content, **more)

    world.born("root")
    world.prompt("root", "ship", "it")
    spawn = world.spawn("root", "researcher")
    world.born("child", "root", charter="researcher")
    world.read("child", "/r/.env", entities=[Entity("read", "path", "/r/.env")])
    _, page_ = world.fetch("child", "blog.example", "send", "evil.example", named=[SITE])
    leak = world.upload("child", "evil.example", labels=[Label("untrusted", page_)])
    refused = world.upload("child", "worse.example", verdict="deny")
    world.end("child")
    world.result("root", spawn)
    note("opened", "a key was seen")
    note("added", "evil.example")
    note("noted", "the page was planted", refs=(str(page_),))
    note("answered", "a planted page", about="Q0003", refs=(str(leak),))
    world.page, world.leak, world.refused = page_, leak, refused
    return world


def test_a_case_is_what_people_wrote_and_the_texts_that_open_their_commitments(told, home):
    case = load(told.view(), home, CASE)
    assert (case.title, case.artefacts, case.closed) == ("a key was seen", ("evil.example",), 0)
    assert case.pinned == (told.page, told.leak)
    assert [entry.text for entry in case.of("answered")] == ["a planted page"]
    assert ids(told.view()) == [CASE]
    assert named(told.view(), "89ab") == CASE
    with pytest.raises(BadInputError, match="no case"):
        named(told.view(), "zz")


def test_a_text_that_is_gone_or_was_changed_is_told_as_gone(told, home):
    path = home.root / "cases" / CASE / "texts.jsonl"
    path.write_text(path.read_text().replace("a planted page", "an honest page"))
    case = load(told.view(), home, CASE)
    assert [entry.text for entry in case.of("answered")] == [None]
    path.unlink()
    case = load(told.view(), home, CASE)
    assert case.title == "(its title is gone)"
    assert "text is gone" in page(dossier(told.view(), case))


def test_the_dossier_follows_the_artefact_to_the_agent_the_cause_and_what_to_do(told, home):
    found = dossier(told.view(), load(told.view(), home, CASE))
    assert [agent.id for agent in found.agents] == ["child"]
    assert (told.leak in found.acts, (told.page, told.leak) in {(e.source, e.target) for e in found.edges}) == (
        True,
        True,
    )
    why = {moment.line.n: moment.why for moment in found.moments}
    assert (why[told.leak], why[told.page], why[told.refused]) == ("act", "cause", "refused")
    assert [(kin.agent.id, kin.depth, kin.marked) for kin in found.families[0]] == [
        ("root", 0, False),
        ("child", 1, True),
    ]
    commands = [step.command for step in found.todo]
    assert f"outrider case export {CASE}" in commands
    assert "outrider revoke --agent child --why case-0123456789ab" in commands
    assert "outrider quarantine --lineage root --why case-0123456789ab" not in commands
    assert told.leak in found.events
    assert any("child" in line for line in summary(found))
    assert {"Q0001", "Q0002", "Q0003", "Q0004", "Q0009"} <= set(findings(found))


def test_living_agents_are_stopped_one_by_one_and_many_of_a_class_at_once(world, home):
    pages = []
    for number in range(4):
        world.born(f"a{number}", session=f"s{number}", charter="coder" if number < 3 else "ci")
        _, page_ = world.fetch(f"a{number}", "blog.example", "send", "evil.example", named=[SITE])
        world.upload(f"a{number}", "evil.example", labels=[Label("untrusted", page_)])
        pages.append(page_)
    files = CaseFile(home, CASE)
    world.put(CaseNoted, heard="case", case=CASE, act="opened", by="p", content=files.put("x"))
    world.put(CaseNoted, heard="case", case=CASE, act="added", by="p", content=files.put("evil.example"))
    for number in range(4):
        world.put(CaseNoted, heard="case", case=CASE, act="added", by="p", about=f"a{number}")
    commands = [step.command for step in dossier(world.view(), load(world.view(), home, CASE)).todo if step.urgent]
    assert commands == [
        "outrider involved evil.example",
        "outrider quarantine --lineage a3 --why case-0123456789ab",
        "outrider quarantine --charter coder --why case-0123456789ab",
        f"outrider blast {pages[0]}",
    ]


class Tags(html.parser.HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.names = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><script>", "javascript:alert(1)",
    "]](http://evil.example) ![x](http://evil.example/x.png)", "`rm -rf ~`", "a | b \\| c", "\u202egpj.exe", "${7*7}",
    "<!-- -->", "&lt;script&gt;", "www.evil.example", "# heading", "\x1b[31mred", "'; DROP TABLE",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_an_attacker_wrote_becomes_part_of_the_page(world, home, text):
    files = CaseFile(home, CASE)
    world.born("a", charter=text, purpose=text)
    world.upload("a", "evil.example", text)
    n = world.call("a", entities=[Entity("wrote", "path", f"/r/{text}")])
    world.result("a", n, entities=[Entity("sent", "host", text)])
    world.put(CaseNoted, heard="case", case=CASE, act="opened", by=text, content=files.put(text))
    world.put(CaseNoted, heard="case", case=CASE, act="added", by="p", content=files.put("evil.example"))
    world.put(CaseNoted, heard="case", case=CASE, act="noted", by="p", refs=(str(n),), content=files.put(text))
    found = dossier(world.view(), load(world.view(), home, CASE))
    told = page(found)
    seen = Tags()
    seen.feed(told)
    assert seen.tags <= {
        "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "ol", "ul", "li", "span", "b",
        "br", "pre", "code", "div", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "path", "text",
    }  # fmt: skip
    assert not {name for name in seen.names if name.startswith("on") or name in {"href", "src", "style"}}
    assert "default-src 'none'" in told
    assert not {"\u202e", "\x1b"} & set(told + markdown(found))
    assert "<script" not in told.lower()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_text_of_others_is_one_code_span_or_plain_text_in_markdown(text):
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    inside = span[len(fence) : -len(fence)]
    assert fence not in inside.replace("\\|", "")
    assert "\n" not in span
    told = plain(text)
    for mark in "*[]<>`":
        assert told.count(mark) == told.count("\\" + mark)


def test_markdown_makes_no_link_list_or_emphasis_of_what_others_wrote():
    assert plain("see https://evil.example and www.evil.example") == "see https\\://evil.example and www\\.evil.example"
    assert plain("_x_ in ag_01M8 by a_b@evil.example") == "\\_x\\_ in ag_01M8 by a_b\\@evil.example"
    assert (plain("- x"), plain("=====")) == ("\\- x", "\\=====")


def test_entries_of_two_people_merge_and_one_told_twice_counts_once():
    mine = Entry(origin="", n=5, ts=10, act="opened", by="p_1", text="mine")
    theirs = Entry(origin="other/log", n=5, ts=20, act="answered", by="p_9", about="Q0003", refs=("7",), text="theirs")
    late = Entry(origin="other/log", n=9, ts=5, act="noted", by="p_9", refs=("outrider/x#3",), text="early")
    case = fold(CASE, [mine, theirs, theirs, late], [], [])
    assert [entry.text for entry in case.entries] == ["early", "mine", "theirs"]
    assert (case.pinned, case.abroad) == ((), ("outrider/x#3", "other/log#7"))
    shut = Entry(origin="other/log", n=11, ts=30, act="closed", by="p_9", text="done")
    assert fold(CASE, [mine, shut], [], []).closed == 30
    taken = Entry(origin="third/log", n=1, ts=40, act="opened", by="p_3", text="mine")
    assert fold(CASE, [mine, shut, taken], [], []).closed == 30  # Whoever takes a case over does not open it again.


def test_where_only_a_label_ties_a_cause_it_is_not_said_what_told_the_agent_to(world, home):
    world.born("a")
    world.prompt("a", "ship", "it")
    key = world.read("a", "/r/deploy.key")[0]
    world.join("a", "a", Label("secret", key))
    world.upload("a", "evil.example", labels=[Label("secret", key)])
    files = CaseFile(home, CASE)
    world.put(CaseNoted, heard="case", case=CASE, act="opened", by="p", content=files.put("x"))
    world.put(CaseNoted, heard="case", case=CASE, act="added", by="p", content=files.put("evil.example"))
    found = dossier(world.view(), load(world.view(), home, CASE))
    told = " ".join(summary(found))
    assert "What told it to is not known: nothing that it had read could be tied to the act by what it says" in told
    assert "nothing that a person had asked for" not in told
    assert "Q0004" not in findings(found)
    assert dict(glance(found))["a person asked for it"] == "not known"


def test_the_questions_are_dfiq_and_every_one_has_a_facet_and_a_command():
    known = {one.id for one in scenario()}
    for name, text in sources().items():
        said = yaml.safe_load(text)
        assert (f"{said['id']}.yaml", said["dfiq_version"]) == (name, "1.1.0")
        assert said["type"] in {"scenario", "facet", "question"}
        assert set(said.get("parent_ids", [])) <= known
        for approach in said.get("approaches", []):
            assert {"name", "description", "tags", "references", "notes", "steps"} == set(approach)
            assert {"covered", "not_covered"} == set(approach["notes"])
            assert all({"name", "description", "stage", "type", "value"} == set(step) for step in approach["steps"])
    assert len(questions()) == 10
    assert all(one.ask.startswith("outrider ") and one.parents for one in questions())
    asked = {one.ask.split()[1] for one in questions()}
    from outrider.cli import COMMANDS

    have = {name for group in COMMANDS.values() for name in group}
    assert asked - have <= {"cause", "touched", "blast", "replay"}
