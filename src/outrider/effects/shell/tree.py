"""The tree of a command line, host parser forgotten: what the walker walks.

Everything here is frozen and holds no place, no variable and no file, so that one tree can be cached by its text and
walked in any number of places. Offsets are byte offsets into the command line.
"""

from __future__ import annotations

import msgspec


class Arg(msgspec.Struct, frozen=True):
    r"""One field after expansion: what a program would be given.

    Attributes:
        text: The field; where part of it is not known, that part as it is written.
        start: Byte offset of the evidence.
        end: Byte offset behind the evidence.
        exact: False if part of ``text`` is not known.
        glob: True if ``text`` holds wildcards that stand for unknown names.
        hidden: True if quoting hides what is plainly meant (``r''m``, ``$'\\x72m'``).
        made: True if the unknown part is a program's output.
    """

    text: str
    start: int = 0
    end: int = 0
    exact: bool = True
    glob: bool = False
    hidden: bool = False
    made: bool = False


class Lit(msgspec.Struct, frozen=True):
    """Plain text; ``quoted`` text is not split and its wildcards stand for themselves."""

    text: str
    quoted: bool = False


class Var(msgspec.Struct, frozen=True):
    """A parameter: ``$name`` or ``${name op word}``."""

    name: str
    raw: str
    quoted: bool = False
    op: str = ""
    word: str = ""


class Sub(msgspec.Struct, frozen=True):
    """A command substitution."""

    body: Node
    raw: str
    quoted: bool = False


class Proc(msgspec.Struct, frozen=True):
    """A process substitution: a path that stands for another command's input or output."""

    body: Node
    raw: str


class Gap(msgspec.Struct, frozen=True):
    """Text that cannot be known; ``slashless`` if it can hold no ``/`` (a number, say)."""

    raw: str
    slashless: bool = False
    subs: tuple[Node, ...] = ()


Part = Lit | Var | Sub | Proc | Gap


class Word(msgspec.Struct, frozen=True):
    """One word of a command line.

    Attributes:
        raw: As written.
        alts: Its parts, once for each brace alternative.
        arg: The field itself where nothing has to be expanded.
        hidden: See :class:`Arg`.
        tilde: True if it starts with an unquoted ``~``.
    """

    raw: str
    start: int
    end: int
    alts: tuple[tuple[Part, ...], ...] = ()
    arg: Arg | None = None
    hidden: bool = False
    tilde: bool = False


class Redirect(msgspec.Struct, frozen=True):
    """A redirection. ``op`` is ``<``, ``>``, ``>>``, ``<>``, ``&>``, ``>|``, ``<<`` (here-document), ``<<<``, ..."""

    op: str
    fd: str
    target: Word
    start: int
    end: int


class Assign(msgspec.Struct, frozen=True):
    """``name=value``; more than one word for an array."""

    name: str
    words: tuple[Word, ...]
    append: bool = False
    array: bool = False


class Simple(msgspec.Struct, frozen=True):
    """A simple command: assignments, words, redirections."""

    assigns: tuple[Assign, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    start: int
    end: int


class Item(msgspec.Struct, frozen=True):
    """A member of a list. ``op`` joins it to what stands before it."""

    op: str
    node: Node
    background: bool = False


class Seq(msgspec.Struct, frozen=True):
    """A list: commands joined by ``;``, newline, ``&&``, ``||``, ``&``."""

    items: tuple[Item, ...]


class Pipe(msgspec.Struct, frozen=True):
    """A pipeline of two or more stages."""

    stages: tuple[Node, ...]


class Group(msgspec.Struct, frozen=True):
    """``{ ...; }`` or ``( ... )``, or any compound command with redirections."""

    body: Node
    redirects: tuple[Redirect, ...] = ()
    subshell: bool = False


class Arms(msgspec.Struct, frozen=True):
    """``if`` or ``case``: one of ``arms`` runs, after those of its words and tests that stand before it."""

    tests: tuple[Node, ...]
    arms: tuple[Node, ...]
    words: tuple[Word, ...] = ()


class For(msgspec.Struct, frozen=True):
    """``for name in words``; ``words`` is None for the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Node


class While(msgspec.Struct, frozen=True):
    """``while``, ``until`` and C-style ``for``."""

    test: Node
    body: Node


class Func(msgspec.Struct, frozen=True):
    """A function definition."""

    name: str
    body: Node


class Expr(msgspec.Struct, frozen=True):
    """``[[ ... ]]``, ``[ ... ]`` or ``(( ... ))``: nothing but the substitutions in it does anything."""

    subs: tuple[Node, ...]


class Unread(msgspec.Struct, frozen=True):
    """Text that could not be read."""

    start: int
    end: int
    why: str


Node = Simple | Seq | Pipe | Group | Arms | For | While | Func | Expr | Unread


def with_redirects(node: Node, redirects: tuple[Redirect, ...], words: tuple[Word, ...]) -> Node:
    """Return ``node`` with redirections: a list hands them to its last command, as the shell's grammar does."""
    if type(node) is Simple:
        mine = node.words
        if mine and redirects and mine[-1].end == redirects[0].start and mine[-1].raw.isdigit():
            # The grammar takes the number of ``0<&1`` for a word.
            first = redirects[0]
            mine = mine[:-1]
            redirects = (Redirect(first.op, node.words[-1].raw, first.target, first.start, first.end), *redirects[1:])
        return Simple(node.assigns, mine + words, node.redirects + redirects, node.start, node.end)
    if type(node) is Pipe:
        return Pipe((*node.stages[:-1], with_redirects(node.stages[-1], redirects, words)))
    if type(node) is Seq and node.items:
        last = node.items[-1]
        return Seq((*node.items[:-1], Item(last.op, with_redirects(last.node, redirects, words), last.background)))
    if type(node) is Seq and redirects:
        return Simple((), (), redirects, redirects[0].start, redirects[-1].end)
    return Group(node, redirects) if redirects else node
