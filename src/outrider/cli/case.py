"""``outrider case``: an investigation, kept in the record."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "new": "Open a case.",
    "list": "List the cases of this record.",
    "show": "What a case amounts to: who, why, what else, what to do; or its report.",
    "add": "Add an artefact, an agent or events.",
    "note": "Write something down.",
    "question": "Show the questions, or write down a conclusion.",
    "close": "Close a case.",
    "export": "Seal a case into a bundle that anybody can check.",
    "import": "Take over what somebody else's bundle of a case holds, once it verifies.",
}


class Cases(click.Group):
    """The commands of cases, in modules of their own, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return every command, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = "case_bundle" if cmd_name in {"export", "import"} else "case_work"
        found = getattr(import_module(f"outrider.cli.{module}"), f"{cmd_name}_command")
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("case", cls=Cases)
def command() -> None:
    """Investigate: questions, notes and evidence, kept in the record, told as a report, sealed as a bundle.

    What you do in a case is an event itself. Everything else is computed from the record: the time line, the lineage,
    the cause, what else is affected, and which levers to pull.

    \b
    Examples:
      outrider case new "key seen at evil.example" --artefact evil.example
      outrider case show 7f3a91c2d401 --html report.html
      outrider case question 7f3a91c2d401 Q0003 "a planted page did" --event 41
      outrider case export 7f3a91c2d401
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
