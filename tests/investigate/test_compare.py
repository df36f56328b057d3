from tests.investigate.test_replay import BASE, CODER, KEY, READ, SEND, Host

from outrider.charter.model import Charter
from outrider.investigate.compare import compare

NARROW = Charter(name="coder", extends="base", may={"read": ("repo/**",), "exec": ("*",)}, ask={"exec": ("git",)})


def test_calls_of_the_class_are_examples_of_what_would_be_refused_and_alike_ones_are_named_once(world):
    host = Host(world)
    host.born("a")
    for effects in ([READ], [KEY], [KEY], [SEND]):
        host.call("a", *effects)
    with world.view() as view:
        told = compare(view, (CODER, BASE), (NARROW, BASE))
    assert told.judged == 4
    assert told.counts == {"allowed": 0, "asked": 0, "denied": 3}
    assert [(one.was, one.now) for one in told.denied] == [("allow", "deny")] * 2
    assert "does not let this agent" in told.denied[0].reason


def test_what_becomes_allowed_names_the_rule_that_refused_it(world):
    host = Host(world)
    host.born("a", charter=NARROW)
    refused = host.call("a", SEND)
    host.call("a", ("exec", "command", "git"))
    with world.view() as view:
        told = compare(view, (NARROW, BASE), (CODER, BASE))
    assert told.counts == {"allowed": 2, "asked": 0, "denied": 0}
    assert told.allowed[0].n == refused
    assert told.allowed[0].rules == ("coder.may.connect",)


def test_calls_of_other_classes_are_no_examples_and_erased_places_are_counted(world):
    host = Host(world)
    host.born("a", charter=BASE)
    host.born("b", home="")
    for agent in "ab":
        host.call(agent, KEY)
    with world.view() as view:
        told = compare(view, (CODER, BASE), (NARROW, BASE))
    assert (told.judged, told.not_decidable) == (0, 1)
