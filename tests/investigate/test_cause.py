import pytest
from tests.store.record import NOTHING

from outrider.errors import BadInputError
from outrider.events.call import Effect, Label
from outrider.events.decision import Decision
from outrider.events.record import Beside, CallDecided, CallResult, Entity, Prompted
from outrider.investigate import carriers
from outrider.investigate.cause import cause


def test_the_page_that_named_the_destination_is_the_cause_and_not_what_came_last(world):
    world.born("a")
    world.prompt("a", "summarise", "docs")
    world.fetch("a", "docs.example", "weather", "sunny")
    _, page = world.fetch("a", "blog.example", "send", "drop", "k1", "k2", named=[("host", "drop.example")])
    world.read("a", "/r/notes", "other", "words")
    world.read("a", "/r/more", "sunny")
    act = world.upload("a", "drop.example", "k1", "k2")
    with world.view() as view:
        answer = cause(view, act)
        assert answer.cause_event == page
        assert answer.confidence == "value"
        assert answer.ranked[0].path == (page, act)
        assert not answer.ranked[0].trusted


def test_fingerprints_alone_suffice(world):
    world.born("a")
    world.fetch("a", "docs.example", "weather")
    _, page = world.fetch("a", "blog.example", "send", "k1", "k2")
    world.fetch("a", "news.example", "politics")
    act = world.upload("a", "drop.example", "k1", "k2")
    with world.view() as view:
        answer = cause(view, act)
        assert (answer.cause_event, answer.confidence) == (page, "fingerprint")


def test_an_echo_of_the_agents_own_call_causes_nothing(world):
    world.born("a")
    _, page = world.fetch("a", "blog.example", "k1", "k2", named=[("host", "drop.example")])
    first = world.call("a", entities=[Entity("sent", "host", "drop.example")], control=b"k1".ljust(8, b"\0"))
    world.result(
        "a", first, ok=False, prints=b"k1".ljust(8, b"\0"), entities=[Entity("mentioned", "host", "drop.example")]
    )
    act = world.upload("a", "drop.example", "k1", "k2")
    with world.view() as view:
        answer = cause(view, act)
        assert answer.cause_event == page
        assert first + 1 not in {source.event.n for source in answer.ranked}


def test_what_a_person_asked_for_is_told_as_trusted(world):
    world.born("a")
    prompt = world.prompt("a", "upload", "to", named=[Entity("mentioned", "host", "backup.example")])
    world.fetch("a", "docs.example", "weather")
    act = world.upload("a", "backup.example")
    with world.view() as view:
        answer = cause(view, act)
        assert answer.cause_event == prompt
        assert answer.ranked[0].trusted


def test_a_cause_is_followed_through_a_parents_instruction_to_the_page_that_the_parent_read(world):
    world.born("root")
    _, page = world.fetch("root", "blog.example", "k1", "k2", named=[("host", "drop.example")])
    world.fetch("root", "docs.example", "weather")
    spawn = world.spawn("root", "coder", "k1", "k2")
    birth = world.born("child", "root")
    act = world.upload("child", "drop.example", "k1", "k2")
    with world.view() as view:
        top = cause(view, act).ranked[0]
        assert top.event.n == page
        assert top.path == (page, spawn, birth, act)


def test_a_prompt_that_another_agent_gave_is_not_trusted_and_is_followed_to_where_that_one_had_it(world):
    world.born("root")
    _, page = world.fetch("root", "blog.example", "k1", "k2")
    launch = world.call("root", Effect(verb="spawn", kind="agent", value="claude"), prints=b"")
    world.born("child", "root", session="child", how="descendant")
    prompt = world.prompt("child", "k1", "k2")
    act = world.upload("child", "drop.example", "k1", "k2")
    other = world.upload("child", "else.example", "k9")
    world.prompt("child", "k8")
    last = world.upload("child", "else.example", "k8")
    with world.view() as view:
        top = cause(view, act).ranked[0]
        assert top.event.n == page
        assert top.path == (page, launch, prompt, act)
        assert not cause(view, last).ranked[0].trusted
        assert other < last


def test_a_cause_is_followed_through_a_childs_report(world):
    world.born("root")
    spawn = world.spawn("root")
    world.born("child", "root")
    _, page = world.fetch("child", "blog.example", "k1", "k2")
    world.end("child")
    report = world.result("root", spawn, prints=b"".join(w.ljust(8, b"\0") for w in (b"k1", b"k2")))
    act = world.upload("root", "drop.example", "k1", "k2")
    with world.view() as view:
        top = cause(view, act).ranked[0]
        assert top.event.n == page
        assert top.path == (page, report, act)


def test_a_cause_is_followed_through_a_file_that_another_agent_wrote(world):
    world.born("writer")
    _, page = world.fetch("writer", "blog.example", "k1", "k2")
    wrote, _ = world.write("writer", "/r/NOTES.md", "k1", "k2")
    world.end("writer")
    world.born("reader", session="other")
    _, got = world.read("reader", "/r/NOTES.md", "k1", "k2")
    act = world.upload("reader", "drop.example", "k1", "k2")
    with world.view() as view:
        top = cause(view, act).ranked[0]
        assert top.event.n == page
        assert top.path == (page, wrote, got, act)


def test_files_that_write_and_read_each_other_do_not_go_round_for_ever(world):
    for name in ("a", "b"):
        world.born(name, session=name)
    for _ in range(20):
        world.read("a", "/r/x", "k1")
        world.write("a", "/r/y", "k1")
        world.read("b", "/r/y", "k1")
        world.write("b", "/r/x", "k1")
    act = world.upload("a", "drop.example", "k1")
    with world.view() as view:
        assert cause(view, act).cause_event >= 0


def test_without_a_value_the_labels_origin_is_named_and_then_only_what_came_before(world):
    world.born("a")
    _, page = world.fetch("a", "blog.example", "nothing")
    act = world.upload("a", "drop.example", "unrelated", labels=[Label("untrusted", page)])
    world.born("b", session="b")
    prompt = world.prompt("b", "hello")
    other = world.upload("b", "drop.example", "unrelated")
    with world.view() as view:
        assert (cause(view, act).cause_event, cause(view, act).confidence) == (page, "label")
        assert (cause(view, other).cause_event, cause(view, other).confidence) == (prompt, "time")


def test_a_result_and_a_birth_are_asked_about_through_their_calls(world):
    world.born("a")
    _, page = world.fetch("a", "blog.example", "k1", named=[("host", "drop.example")])
    spawn = world.spawn("a", "coder", "k1")
    birth = world.born("b", "a")
    act = world.upload("b", "drop.example", "k1")
    with world.view() as view:
        assert cause(view, act + 1).cause_event == page
        assert cause(view, birth).ranked == cause(view, spawn).ranked


def test_an_event_without_anything_before_it_has_no_cause(world):
    n = world.born("a", beside=Beside())
    with world.view() as view:
        assert cause(view, n).cause_event == -1
        assert cause(view, 0).ranked == ()
        with pytest.raises(BadInputError, match="no event 99"):
            cause(view, 99)


def _values(*values):
    return b"".join(sorted(value.encode().ljust(6, b"\0") for value in values))


def _heard(world, agent, *prints, **said):
    n = world.call(agent, Effect(verb="connect", kind="host", value="h.example"), tool="fetch")
    place = {name: _values(*values) for name, values in said.items()}
    beside = Beside(prints=b"".join(one.ljust(8, b"\0") for one in prints), said=place)
    return world.put(CallResult, agent=agent, call="", intent=n, ok=True, content=NOTHING, beside=beside)


def _act(world, agent, **said):
    beside = Beside(said={name: _values(*values) for name, values in said.items()})
    return world.put(
        CallDecided, agent=agent, call="", tool="mcp", name="t", effects=(), chain=(), content=NOTHING, beside=beside,
        decision=Decision(verdict="allow", enforced="allow"),
    )  # fmt: skip


def test_a_value_in_an_order_weighs_more_than_the_same_value_in_a_field(world):
    world.born("a")
    field = _heard(world, "a", field=["iban"])
    order = _heard(world, "a", order=["iban"])
    act = _act(world, "a", whole=["iban"])
    with world.view() as view:
        answer = cause(view, act)
    assert [source.event.n for source in answer.ranked[:2]] == [order, field]
    assert answer.ranked[0].orders
    assert not answer.ranked[1].orders


def test_an_order_that_names_no_value_is_found_by_the_act_that_it_asks_for(world):
    world.born("a")
    order = _heard(world, "a", asks=["do x", "do x y"])
    _heard(world, "a", text=["other"])
    act = _act(world, "a", acts=["do x", "do x y"], whole=["r1"])
    with world.view() as view:
        answer = cause(view, act)
    assert (answer.cause_event, answer.confidence) == (order, "act")
    assert "asks for such an act" in answer.statement


def test_where_the_data_came_from_is_told_apart_from_who_told_to_send_it(world):
    world.born("a")
    file = _heard(world, "a", b"payload1", b"payload2")
    page = _heard(world, "a", order=["drop"])
    beside = Beside(prints=b"payload1payload2", said={"whole": _values("drop")})
    act = world.put(
        CallDecided, agent="a", call="", tool="mcp", name="t", effects=(), chain=(), content=NOTHING, beside=beside,
        decision=Decision(verdict="allow", enforced="allow"),
    )  # fmt: skip
    with world.view() as view:
        answer = cause(view, act)
    assert answer.cause_event == page
    assert [line.n for line in answer.data] == [file]


def test_what_was_in_force_is_told_with_the_cause(world):
    world.born("a")
    prompt = world.prompt("a", "upload", "drop")
    act = world.upload("a", "drop.example", "drop", labels=[Label("secret", prompt)])
    with world.view() as view:
        held = cause(view, act).in_force
    assert held.charter
    assert held.prompt.n == prompt
    assert held.labels == ("secret",)


def test_a_file_that_another_agent_wrote_hands_over_only_what_stands_in_it(world):
    world.born("a")
    world.born("b")
    world.fetch("b", "blog.example", "k1", "k2")
    world.write("b", "/r/shared", "other", "words")
    _, read = world.read("a", "/r/shared", "k1", "k2")
    act = world.upload("a", "drop.example", "k1", "k2")
    with world.view() as view:
        assert cause(view, act).cause_event == read


def test_of_more_events_than_are_compared_the_rare_the_first_and_the_orders_are_and_the_rest_is_counted(
    world, monkeypatch
):
    monkeypatch.setattr(carriers, "MOST_COMPARED", 4)
    world.born("a")
    first = _heard(world, "a", text=["common"])
    for _ in range(6):
        _heard(world, "a", text=["common"])
    rare = _heard(world, "a", field=["common", "rare"])
    for _ in range(6):
        _heard(world, "a", field=["common"])
    order = _heard(world, "a", order=["common"])
    last = _heard(world, "a", field=["common"])
    act = _act(world, "a", whole=["common", "rare"])
    with world.view() as view:
        answer = cause(view, act)
        whole = cause_of_all(view, act, monkeypatch)
    assert [source.event.n for source in answer.ranked[:3]] == [source.event.n for source in whole.ranked[:3]]
    assert {rare, first, order} == {source.event.n for source in answer.ranked[:3]}
    assert answer.ranked[0].score == whole.ranked[0].score
    assert answer.left_out == 12
    assert whole.left_out == 0
    assert last not in {source.event.n for source in answer.ranked}
    assert "12 more events hold only what many others hold, too, and were not compared." in answer.statement
    assert "more events" not in whole.statement


def cause_of_all(view, n, monkeypatch):
    monkeypatch.setattr(carriers, "MOST_COMPARED", 1_000)
    return cause(view, n)


def test_a_prompt_is_compared_however_common_it_is_what_it_names(world, monkeypatch):
    monkeypatch.setattr(carriers, "MOST_COMPARED", 1)
    world.born("a")
    for _ in range(9):
        _heard(world, "a", order=["common"])
    prompt = world.put(Prompted, agent="a", content=NOTHING, beside=Beside(said={"user": _values("common")}))
    act = _act(world, "a", whole=["common"])
    with world.view() as view:
        answer = cause(view, act)
    assert prompt in {source.event.n for source in answer.ranked}
    assert answer.left_out == 8


@pytest.mark.parametrize("size", [6, 8])
@pytest.mark.parametrize("length", [0, 3, 6, 8, 25, 48, 4_096, 6_001])
def test_prints_are_cut_whole_however_many_they_are_and_what_is_no_print_is_left_out(length, size):
    data = bytes(at % 251 for at in range(length))
    assert carriers.pieces(data, size) == tuple(data[at : at + size] for at in range(0, length - size + 1, size))
