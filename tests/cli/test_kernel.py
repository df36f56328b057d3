"""What ``outrider doctor`` says of this host's kernel."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Run

from outrider.cli.kernel import findings
from outrider.cli.sensor import look


@pytest.mark.parametrize(
    ("said", "levels"),
    [
        ("landlock=7 namespaces=1 seccomp=1 seen=1\n", ["ok", "ok", "ok", "ok"]),
        ("landlock=4 namespaces=0 seccomp=1 seen=0\n", ["warn", "warn", "ok", "warn"]),
        ("landlock=0 namespaces=1 seccomp=0\n", ["warn", "ok", "warn", "warn"]),
        ("", ["warn", "warn", "warn", "warn"]),
        ("landlock=x", ["warn", "warn", "warn", "warn"]),
    ],
)
def test_what_the_kernel_lacks_is_a_warning_with_its_fix(said: str, levels: list[str]) -> None:
    found = findings(said)
    assert [one.level for one in found] == levels
    assert all(one.fix for one in found if one.level == "warn")


def test_doctor_says_what_run_can_hold_here(outrider: Run) -> None:
    found = outrider("doctor", "--json").data["findings"]["Confinement"]
    assert found
    assert all("outrider run" in one["what"] for one in found)


def test_doctor_says_whether_the_sensor_is_in_use_can_be_or_cannot() -> None:
    used = look({"sensor": {"since": 1_790_000_000_000_000, "agents": 2}})
    assert used.level == "ok"
    assert "2 agents" in used.what
    unused = look(None)
    assert unused.what.startswith(("eBPF can be used, and is not", "eBPF cannot be used: "))
    assert "outrider sensor" in unused.fix or "cannot" in unused.what
