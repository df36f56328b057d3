"""The form of a command's entry in the tables.

An entry says which arguments and options a program reads, writes, deletes, reaches, installs or runs; the words for
that are the roles of :mod:`outrider.effects.commands.roles`. ``docs/effects.md`` has the recipe for adding one.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Style = Literal["gnu", "posix", "long", "none"]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What one program, or one of its subcommands, does with its arguments.

    Attributes:
        names: Its names.
        args: Roles of its positional arguments. One of them may end in ``*`` (any number) or ``+`` (at least one).
        options: Role by option, for options that take a value; ``:flag`` for those that take none and set a flag.
        style: ``gnu`` (options anywhere, ``-ab`` is two of them), ``posix`` (options end at the first argument),
            ``long`` (``-name`` is one option), ``none`` (nothing is an option).
        default: Role of the working directory where no positional argument is given, such as ``list`` for ``ls``.
        subs: Subcommands, by name.
        special: Name of the reader in :mod:`outrider.effects.commands.readers` that takes over, or empty.
        out: What it prints: ``text`` (its arguments), ``paths`` (its roots), ``pass`` (some lines of its input),
            ``decoded``, ``network``, ``file``, ``number`` (no ``/``), or empty.
        opaque: Why its inner effects are not seen, or empty if its arguments tell all.
        quiet: True for what only changes or asks the shell itself: no ``exec`` effect.
        remote: Host that it talks to without being told, such as ``github.com``.
        flags: Flags that its effects always carry.
    """

    names: tuple[str, ...]
    args: tuple[str, ...] = ()
    options: dict[str, str] = {}
    style: Style = "gnu"
    default: str = ""
    subs: dict[str, Spec] = {}
    special: str = ""
    out: str = ""
    opaque: str = ""
    quiet: bool = False
    remote: str = ""
    flags: tuple[str, ...] = ()


def spec(  # noqa: PLR0913 - one keyword a field, so that a table reads as a table.
    names: str,
    args: str = "",
    options: str = "",
    *,
    style: Style = "gnu",
    default: str = "",
    subs: tuple[Spec, ...] = (),
    special: str = "",
    out: str = "",
    opaque: str = "",
    quiet: bool = False,
    remote: str = "",
    flags: str = "",
) -> Spec:
    """Return an entry from its short form.

    ``names``, ``args`` and ``flags`` are words; ``options`` are words like ``-o,--output=write`` (with a value) or
    ``-r,-R=:recursive`` (without).

    Raises:
        ValueError: An option is written wrong or stands twice.
    """
    table: dict[str, str] = {}
    for word in options.split():
        left, equals, role = word.partition("=")
        if not equals or not role:
            raise ValueError(f"{names}: option {word!r} has no role")
        for name in left.split(","):
            if name in table or not name.startswith(("-", "+")):
                raise ValueError(f"{names}: option {name!r} stands twice or is not an option")
            table[name] = role
    return Spec(
        names=tuple(names.split()), args=tuple(args.split()), options=table, style=style, default=default,
        subs={name: sub for sub in subs for name in sub.names}, special=special, out=out, opaque=opaque, quiet=quiet,
        remote=remote, flags=tuple(flags.split()),
    )  # fmt: skip
