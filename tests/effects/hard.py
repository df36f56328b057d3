"""Text that is hard to read: data for ``test_hard_text.py`` and for the fuzz target."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

_VECTORS = Path(__file__).parents[2] / "vectors" / "hard"


def _texts(name: str) -> list[str]:
    return [json.loads(line)["text"] for line in (_VECTORS / f"{name}.jsonl").read_text().splitlines()]


SNIPPETS = _texts("shell")
"""Pieces of shell text, whole and broken."""
BROKEN = _texts("broken")
"""Text in which Bash finds a syntax error."""
GLUE = [" ", "", "\n", ";", "|", "&&", "\r\n", " $(", "'", '"', "\\"]
SIGNS = [*"'\"`$(){}[]<>|&;!#\\*?~=\n\r\t \0", "\ud800", "\u202e", "é", "<<", "$((", "${", ";;"]

GROWING: dict[str, Callable[[int], str]] = {
    "commands in a list": lambda n: "true; " * n,
    "programs that are known": lambda n: "cp a b; " * n,
    "programs that are not known": lambda n: "foo /etc/x --a=b; " * n,
    "arguments": lambda n: "rm " + "a " * n,
    "long word": lambda n: "echo " + "a" * (20 * n),
    "pipes": lambda n: "cat x" + " | grep y" * n,
    "both arms": lambda n: "a && b || c; " * n,
    "assignments": lambda n: "x=1; " * n,
    "names": lambda n: " ".join(f"x{at}=1;" for at in range(n)),
    "a name that grows": lambda n: "x=a; " + "x=$x; " * n,
    "quotes": lambda n: "echo " + "'a'\"b\"" * n,
    "escapes": lambda n: "echo " + "\\a" * n,
    "redirections": lambda n: "a " + "> b " * n,
    "here-documents": lambda n: "cat <<E\nx\nE\n" * n,
    "one long here-document": lambda n: "cat <<E\n" + "a $x b\n" * n + "E\n",
    "substitutions": lambda n: "echo " + "$(a) " * n,
    "expansions": lambda n: "echo " + "${x:-a} " * n,
    "loops": lambda n: "for i in a b; do c; done; " * n,
    "conditions": lambda n: "if a; then b; fi; " * n,
    "functions": lambda n: "".join(f"f{at}() {{ a; }}; f{at}; " for at in range(n)),
    "one function called": lambda n: "f() { a; }; " + "f; " * n,
    "subshells": lambda n: "(a); " * n,
    "shells in shells": lambda n: "sh -c 'a'; " * n,
    "files written and run": lambda n: "".join(f"echo a > x{at}; sh x{at}; " for at in range(n)),
    "one file appended to": lambda n: "echo a >> x; " * n,
    "links": lambda n: "".join(f"ln -s a x{at}; " for at in range(n)),
    "Python": lambda n: "python3 -c 'x=1\n" + "x.y(1)\n" * n + "'",
    "Python that opens": lambda n: "python3 -c '" + 'open("a")\n' * n + "'",
    "Python that adds": lambda n: "python3 -c 'x = " + '"a" + ' * n + "1'",
    "Python of names": lambda n: "python3 -c 'a0 = 1\n" + "".join(f"a{at + 1} = a{at}\n" for at in range(n)) + "'",
    "perl": lambda n: "perl -e '" + 'open("a");' * n + "'",
    "awk": lambda n: "awk '" + "{ print $1 }" * n + "'",
    "sed": lambda n: "sed '" + "s/a/b/;" * n + "'",
    "SQL": lambda n: "psql -c '" + "select 1; " * n + "'",
    "an editor's commands": lambda n: "vim" + " -c s/a/b/" * n,
    "find": lambda n: "find . " + "-name a -o " * n + "-name b",
    "xargs": lambda n: "echo " + "a " * n + "| xargs rm",
    "unreadable": lambda n: "a ) " * n,
}  # fmt: skip
"""Text by how much of it there is."""
