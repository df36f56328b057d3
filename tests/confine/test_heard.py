"""What a launcher tells of its tree, read from its frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.confine import told
from outrider.confine.heard import Dialled, Lost, Started, heard
from outrider.errors import BadInputError

word = st.text(st.characters(codec="utf-8", exclude_characters="\0\t"), max_size=30)


def test_deeds_come_in_the_order_of_time_and_losses_before_them():
    fields = {
        "connect": ["7\t4.2\t\t192.0.2.1:443"],
        "exec": ["9\t5.1\t4.2,3.3\t/bin/sh\t/bin/dash\t-c\tls", "3\t4.2\t\t/bin/ls\t"],
        "lost-exec": ["2"],
        "lost-connect": ["1"],
    }
    lost, first, second, third = heard(fields)
    assert lost == Lost(count=3)
    assert first == Started(ts=3, process="4.2", above=(), path="/bin/ls", real="", words=())
    assert second == Dialled(ts=7, process="4.2", above=(), peer="192.0.2.1:443")
    assert third == Started(
        ts=9, process="5.1", above=("4.2", "3.3"), path="/bin/sh", real="/bin/dash", words=("-c", "ls")
    )
    assert (first.program, third.program) == ("/bin/ls", "/bin/dash")


def test_a_frame_of_the_sensor_names_its_tree_and_all_that_was_lost_of_it():
    fields = told.unpack(told.pack(told.SEEN, [("tree", "4.2"), ("lost", "3"), ("connect", "7\t4.2\t\t[::1]:9")]))
    assert fields["tree"] == ["4.2"]
    assert list(heard(fields)) == [Lost(count=3), Dialled(ts=7, process="4.2", above=(), peer="[::1]:9")]


@given(word, word, st.lists(word, max_size=6))
def test_whatever_a_program_is_called_comes_through_a_frame(path, real, words):
    text = "\t".join(["1", "2.3", "", path, real, *words])
    (one,) = heard(told.unpack(told.pack(told.SEEN, [("exec", text)])))
    assert isinstance(one, Started)
    assert (one.path, one.real, one.words) == (path, real, tuple(words))


@given(st.sampled_from(["exec", "connect", "lost-exec", "lost-connect", "lost"]), st.text(max_size=40))
def test_what_has_not_the_form_is_refused_with_an_error_of_ours(key, text):
    try:
        found = list(heard({key: [text]}))
    except BadInputError:
        return
    assert all(isinstance(one, Started | Dialled | Lost) for one in found)


def test_a_field_that_is_cut_short_is_refused():
    with pytest.raises(BadInputError):
        list(heard({"exec": ["1\t2.3"]}))
