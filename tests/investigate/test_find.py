from outrider.detect.redact import redact_host
from outrider.investigate.involved import involved

KEY = b"k" * 32
SMUGGLED = "q8zx3k9v7w2m5n1p4r6t0y8u3i7o5a9s2d4f6g8h.leak.example"


def test_a_host_whose_label_was_recorded_as_a_print_is_found_by_its_full_name(world):
    printed = redact_host(SMUGGLED, KEY)
    assert printed != SMUGGLED
    world.born("sender", session="s")
    world.upload("sender", printed)
    world.end("sender")
    with world.view() as view:
        assert involved(view, SMUGGLED, key=KEY).answer == "yes"
        assert involved(view, SMUGGLED).answer != "yes"
        assert involved(view, SMUGGLED.replace("q8zx", "q8zy"), key=KEY).answer != "yes"
