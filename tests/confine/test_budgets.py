"""What nobody measures about a command is said at its birth."""

from __future__ import annotations


def test_a_limit_that_no_host_has_told_yet_is_said_to_be_not_measured(cell):
    (cell.home.charters / "thrifty.toml").write_text(
        '[charter]\nname = "thrifty"\nextends = "coder"\nbudget = { tokens = 90000, calls = 9 }\n'
        '[may]\nread = ["**"]\nexec = ["*"]\nopaque = "allow"\n'
    )
    assert cell.control(do="charters")["charters"]["thrifty"]["in_force"]
    said = cell.sh("true", charter="thrifty", options=["--verbose"])
    assert said.code == 0, said
    assert "limited but not measured until a host tells: tokens" in said.err
    assert cell.births()[0].unmeasured == ("tokens",)
