"""The command line. One file a command; each prints and none decides.

Commands are imported when they are called: ``outrider --help`` must not pay for a policy compiler. Data goes to
stdout, talk to stderr; ``--json`` gives one versioned object; exit codes are those of :data:`outrider.errors.EXIT`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from outrider import __version__
from outrider.errors import EXIT, OutriderError

COMMANDS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "Set Outrider up for the coding agents on this machine.",
        "status": "What is protected, what is not, and why.",
        "doctor": "Look for what is wrong, and say what to do about it.",
        "demo": "Play the flagship story: 500 agents, one leak, one answer.",
    },
    "Watch": {
        "agents": "Agents, living and gone.",
        "lineage": "Where an agent comes from, and what came from it.",
        "log": "The record, filtered; --follow keeps going.",
        "why": "One decision explained.",
        "content": "What is kept of an event's content; reading it is recorded.",
        "assume": "Sentences about the agents that the record holds or breaks.",
        "coverage": "What was covered and what was not, since when, and why.",
        "sigma": "Ask Sigma rules of the record.",
        "involved": "Was an agent involved in this path, domain, commit, ...?",
        "touched": "What did an agent, or all that came from it, touch?",
        "cause": "What made an agent do this?",
        "blast": "What else is affected by an event, an agent or content?",
        "replay": "What would a charter have changed about what was recorded?",
        "import": "Read hosts' own transcripts, so that questions can be asked of them.",
    },
    "Investigate": {
        "case": "An investigation: questions, notes, report, sealed bundle.",
    },
    "Tune": {
        "judge": "What would be said to a call, and why; nothing runs.",
        "scan": "Look for secrets and weaknesses in files, or in a change.",
        "rules": "List, show and test the rules about code.",
        "facts": "What is known of names of packages, and how to know more.",
    },
    "Govern": {
        "charter": "Make, list, show, compare, check, sign and roll charters.",
        "quarantine": "Stop a whole class of agents at once, living and not yet born.",
        "release": "Lift a quarantine or an observation.",
        "revoke": "End agents for good.",
        "observe": "Only watch a class of agents for a stated time.",
        "asks": "Calls that wait for a person.",
        "answer": "Say yes or no to a call that waits.",
        "pause": "Stop enforcing for a while, with a reason.",
        "resume": "Enforce again.",
    },
    "Trust": {
        "verify": "Check the record, or a bundle of it, from its bytes.",
        "export": "Seal events into a bundle that anybody can check.",
        "fsck": "Recompute everything that is kept: what is whole, can be rebuilt, or is lost.",
        "rebuild": "Make the queryable view anew from the record.",
        "compact": "Pack the journal's closed segments; they are read as before.",
        "backup": "Copy record, charters and content, verified, while the daemon runs.",
        "restore": "Put a backup back into an empty home; an older state is refused.",
        "erase": "Make kept content and names unreadable for good.",
        "witness": "Vouch for other people's records by cosigning checkpoints.",
    },
    "Run": {
        "spawn": "Make a child of the agent that runs this: less, never more.",
        "credential": "Short-lived credentials for the agent that runs this.",
        "run": "Start a command as an agent, under a charter, held by the kernel.",
        "sensor": "Hear inside the kernel what agents' processes do; for root, optional.",
        "up": "Start the daemon.",
        "down": "End the daemon.",
        "install": "Set up a whole machine, with a user that owns the record.",
        "uninstall": "Take Outrider out of the agents' configuration.",
    },
}


_MODULES = {"import": "import_transcripts"}
"""The module of a command whose name is a word of Python's."""


class Lazy(click.Group):
    """A group whose commands live in modules of their own name, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return every command, in the order of the help page."""
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"outrider.cli.{_MODULES.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by purpose, without importing any."""
        for title, group in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl(list(group.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="outrider")
def cli() -> None:
    """Security that rides alongside AI agents.

    Every agent gets an identity and a charter at birth; every action is judged and recorded; the record outlives the
    agent, and answers for it.

    \b
    Examples:
      outrider init                      set up this repository (preview first)
      outrider status                    see what is protected
      outrider involved evil.example     was an agent involved?
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


def main(argv: list[str] | None = None) -> None:
    """Run the command line; the process ends with one of :data:`outrider.errors.EXIT`."""
    try:
        code: Any = cli.main(args=argv, prog_name="outrider", standalone_mode=False)
    except OutriderError as error:
        _say(f"outrider: {error}" + (f"\n  {error.fix}" if error.fix else ""))
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show(sys.stderr)
        sys.exit(2)
    except click.Abort:
        _say("outrider: stopped")
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has gone; that is not an error of ours.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _say(text: str) -> None:
    click.echo(text, err=True)
