"""What the host parser is shown instead of the text, where its grammar has a gap. Same length, so offsets hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import tree_sitter

from outrider.effects.shell.tree import Unread

_QUOTES = frozenset(
    {"raw_string", "string", "string_content", "heredoc_body", "heredoc_content", "comment", "ansi_c_string"}
)
_MASKS: tuple[tuple[re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]], ...] = (
    # The grammar has no here-string behind another redirection; here it is an ordinary input.
    (re.compile(rb"(?<![<\\])<<<(?!<)"), b"<  "),
    (re.compile(rb"(?<![<\\])<>"), b"< "),
    # It takes the # of a length for a comment, and stumbles over ${x:$i:1}.
    (re.compile(rb"\$\{[#!]?\w[^{}`'\"\\()\n]*\}"), lambda found: b"${" + b"_" * (len(found[0]) - 3) + b"}"),
    (re.compile(rb"\$`"), b"_`"),
    # It takes the brace of ``! { a; }`` for a program's name. That the answer is turned round changes no effect.
    (re.compile(rb"!(?=[ \t]+\{[ \t\n])"), b" "),
    # It takes the brace of ``{ls,-l}`` for that of a group, though no blank follows.
    (re.compile(rb"(?<![^\s;|&(])\{((?:[^\s{}`$();|&<>]|\$\w){0,999}?,(?:[^\s{}`$();|&<>]|\$\w){0,999})\}"), rb"_\1_"),
)
_ASCII = bytes(range(128)) + b"%" * 128
"""The grammar's scanner asks ``isalpha`` about whole code points, which reads beyond its table and can end the process.

It is shown a sign for every byte that is not ASCII: one that stands within a word and means nothing there.
"""

STORM = re.compile(rb"[<>]{4,}")
"""More angle brackets than the shell has a meaning for: text where it is quoted, an error where it is not."""
STRANGE = re.compile(
    "[\x00\x0b\x0c\r\x85\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u3000\ufeff\U000e0000-\U000e007f]"
)
"""Characters that no person sees, or takes for a blank, and that the shell does not."""


def masked(source: bytes) -> bytes:
    """Return ``source`` as the grammar can read it; never longer, never shorter, never read for what it says."""
    if not source.isascii():
        source = source.translate(_ASCII)
    if not any(mark in source for mark in (b"<", b">", b"${", b"$`", b"! ", b",")):
        return source
    for pattern, other in _MASKS:
        source = pattern.sub(other, source)
    return STORM.sub(lambda found: b"_" * len(found[0]), source)


MAX_JOINTS = 4000
"""Pipes and opening brackets that a text may hold outside of quoted here-documents."""

_JOINTS = re.compile(rb"[|(]")
_HEREDOC = re.compile(rb"<<-?[ \t]*(['\"])(\w+)\1[^\n]*\n(?:.*\n)*?[\t]*\2(?=\n|\Z)")


def is_intricate(source: bytes) -> bool:
    """Return whether reading ``source`` could take the grammar too long.

    Its recovery from a syntax error is quadratic in what is still open, and cannot be interrupted, so a text that
    could keep very much open is not given to it.
    """
    if source.count(b"|") + source.count(b"(") <= MAX_JOINTS:
        return False
    return len(_JOINTS.findall(_HEREDOC.sub(b"", source))) > MAX_JOINTS


def strange(text: str, source: bytes, root: tree_sitter.Node) -> Unread | None:
    """Return what is wrong if text that the grammar was not shown as it is stands where the shell would act on it."""
    for found in STORM.finditer(source):
        if not _is_quoted(root, found.start()):
            return Unread(found.start(), found.end(), "a syntax error")
    at = before = 0
    for mark in STRANGE.finditer(text):
        at += len(text[before : mark.start()].encode())
        before = mark.start()
        if not _is_quoted(root, at):
            return Unread(at, at + 1, f"an invisible or look-alike character, U+{ord(mark[0]):04X}")
    return None


def _is_quoted(root: tree_sitter.Node, at: int) -> bool:
    node = root.descendant_for_byte_range(at, at + 1)
    while node is not None and node.type not in _QUOTES:
        if node.type in {"command_substitution", "process_substitution"}:
            return False  # What a quoted substitution holds is run, not quoted.
        node = node.parent
    return node is not None
