"""Words: from the text of one word to its parts, by the quoting rules of the shell.

The host parser says where a word and the substitutions in it begin and end; what the word says is read here, from
the text itself. Source of the rules: POSIX.1-2024 XCU 2.2 and 2.6, and the Bash manual 3.1.2.4 (``$'...'``) and 3.5.1
(braces). Text is handled as Latin-1, so that offsets are byte offsets, and made Unicode again at the end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from outrider.effects.shell.tree import Arg, Gap, Lit, Node, Part, Proc, Sub, Var, Word

_PLAIN = re.compile(r"[\w@%+=:,./^-]+\Z", re.ASCII)
_RUN = re.compile(r"[^\\'\"$`<>~*?\[{},]+")
_QUOTED_RUN = re.compile(r"[^\\\"$`]+")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]", re.ASCII)
_BRACED = re.compile(r"\$\{(!?)(#?)([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(\[[^\]]*\])?(.*)\}\Z", re.ASCII | re.DOTALL)
_OPERATOR = re.compile(r":?[-=?+]|##?|%%?|//?|\^\^?|,,?|:|@")
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
_ANSI_SINGLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_RANGE = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?\Z")

MAX_BRACES = 64
"""Alternatives that a word's braces may make before it counts as a pattern."""

MAX_OPERANDS = 16
"""Parameters inside the operand of a parameter that are looked at."""

Inner = Mapping[int, tuple[int, Node, bool]]
"""Substitutions in a text, by start: end, tree, and whether it is a process substitution."""


def unicode(text: str) -> str:
    """Return Latin-1 text as the UTF-8 it was read from."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def read_word(source: str, start: int, end: int, inner: Inner) -> Word:
    """Return the word at ``source[start:end]``, Latin-1."""
    raw = source[start:end]
    if not raw or _PLAIN.match(raw):
        return Word(raw, start, end, arg=Arg(raw, start, end))
    reader = _Reader(source, start, end, inner)
    reader.unquoted()
    parts = reader.parts
    shown = unicode(raw)
    hidden = reader.hidden
    is_tilde = raw[0] == "~" or (raw[:1] != "-" and "=~" in raw)
    alts = _braces(parts) if reader.brace else (tuple(parts),)
    if len(alts) == 1 and not is_tilde and all(type(part) is Lit for part in alts[0]):
        text = "".join(part.text for part in alts[0] if type(part) is Lit)
        glob = reader.glob and any(type(p) is Lit and not p.quoted and has_glob(p.text) for p in alts[0])
        return Word(shown, start, end, arg=Arg(text, start, end, glob=glob, hidden=hidden), hidden=hidden)
    return Word(shown, start, end, alts=alts, hidden=hidden, tilde=is_tilde)


def read_heredoc(source: str, start: int, end: int, inner: Inner, *, literal: bool) -> Word:
    """Return a here-document's body as one quoted word; ``literal`` if its delimiter was quoted."""
    raw = unicode(source[start:end])
    if literal or not any(mark in raw for mark in "$`\\"):
        return Word(raw, start, end, arg=Arg(raw, start, end))
    reader = _Reader(source, start, end, inner)
    reader.quoted(heredoc=True)
    return Word(raw, start, end, alts=(tuple(reader.parts),))


def read_text(text: str) -> tuple[Part, ...]:
    """Return the parts of an operand such as the default in ``${x:-default}``, without substitutions."""
    reader = _Reader(text, 0, len(text), {})
    reader.unquoted()
    return tuple(reader.parts)


def has_glob(text: str) -> bool:
    """Return whether unquoted ``text`` holds a wildcard."""
    return "*" in text or "?" in text or ("[" in text and "]" in text)


class _Reader:
    def __init__(self, source: str, start: int, end: int, inner: Inner) -> None:
        self.source, self.at, self.end, self.inner = source, start, end, inner
        self.parts: list[Part] = []
        self.brace = self.glob = self.hidden = False

    def lit(self, text: str, *, quoted: bool = False) -> None:
        text = unicode(text)
        last = self.parts[-1] if self.parts else None
        if type(last) is Lit and last.quoted == quoted:
            self.parts[-1] = Lit(last.text + text, quoted)
        else:
            self.parts.append(Lit(text, quoted))

    def unquoted(self) -> None:
        source, end = self.source, self.end
        first = self.at
        while self.at < end:
            found = _RUN.match(source, self.at, end)
            if found:
                self.lit(found[0])
                self.at = found.end()
                continue
            mark = source[self.at]
            if mark == "\\":
                self.escape()
            elif mark == "'":
                close = source.find("'", self.at + 1, end)
                close = end if close < 0 else close
                self.hidden = self.hidden or not (self.at == first and close == end - 1)
                self.lit(source[self.at + 1 : close], quoted=True)
                self.at = close + 1
            elif mark == '"':
                self.at += 1
                self.quoted()
                self.at += 1
            elif mark in "$`" or source[self.at : self.at + 2] in {"<(", ">("}:
                self.dollar(quoted=False)
            else:
                self.brace = self.brace or mark == "{"
                self.glob = self.glob or mark in "*?["
                self.lit(mark)
                self.at += 1

    def escape(self) -> None:
        follows = self.source[self.at + 1 : min(self.at + 2, self.end)]
        if follows != "\n":
            self.hidden = self.hidden or (follows.isalnum() and follows.isascii())
            self.lit(follows, quoted=True)
        else:
            self.hidden = True
        self.at += 2

    def quoted(self, *, heredoc: bool = False) -> None:
        source, end = self.source, self.end
        self.lit("", quoted=True)
        while self.at < end:
            found = _QUOTED_RUN.match(source, self.at, end)
            if found:
                self.lit(found[0], quoted=True)
                self.at = found.end()
                continue
            mark = source[self.at]
            if mark == '"' and not heredoc:
                return
            if mark == "\\":
                follows = source[self.at + 1 : self.at + 2]
                if follows != "\n":
                    keep = follows not in ("$", "`", "\\") and (heredoc or follows != '"')
                    self.lit("\\" + follows if keep else follows, quoted=True)
                self.at += 2
            elif mark in "$`":
                self.dollar(quoted=True)
            else:
                self.lit(mark, quoted=True)
                self.at += 1

    def dollar(self, *, quoted: bool) -> None:
        source, at, end = self.source, self.at, self.end
        found = self.inner.get(at)
        if found:
            stop, body, is_process = found
            raw = unicode(source[at:stop])
            self.parts.append(Proc(body, raw) if is_process else Sub(body, raw, quoted))
            self.at = stop
            return
        follows = source[at + 1 : at + 2] if at + 1 < end else ""
        if follows == "{":
            self.braced(quoted=quoted)
        elif follows == "(" and source[at + 2 : at + 3] == "(":
            self.arithmetic()
        elif follows == "'" and not quoted:
            self.ansi()
        elif follows == '"' and not quoted:
            self.at += 1
        elif follows in {"(", "`"} or source[at] != "$":
            self.parts.append(Gap(unicode(source[at:end])))
            self.at = end
        else:
            name = _NAME.match(source, at + 1, end)
            if name:
                self.parts.append(Var(name[0], name[0].join(("$", "")), quoted))
                self.at = name.end()
            else:
                self.lit("$", quoted=True)
                self.at += 1

    def braced(self, *, quoted: bool) -> None:
        source, at = self.source, self.at
        stop = _closing(source, at + 1, self.end, self.inner)
        raw = source[at:stop]
        self.at = stop
        subs = tuple(node for where, (_, node, _p) in sorted(self.inner.items()) if at < where < stop)
        found = _BRACED.match(raw)
        if not found or subs or raw.count("${") > MAX_OPERANDS:
            self.parts.append(Gap(unicode(raw), subs=subs))
            return
        indirect, length, name, index, tail = found.groups()
        if length:
            self.parts.append(Gap(raw, slashless=True))
            return
        operator = _OPERATOR.match(tail)
        if indirect or (tail and not operator):
            self.parts.append(Gap(unicode(raw)))
            return
        op = operator[0] if operator else ""
        key = name if not index else name + ("[@]" if index in {"[@]", "[*]"} else index)
        self.parts.append(Var(key, unicode(raw), quoted, op, unicode(tail[len(op) :])))

    def arithmetic(self) -> None:
        depth, at = 0, self.at + 1
        while at < self.end:
            depth += {"(": 1, ")": -1}.get(self.source[at], 0)
            at += 1
            if depth == 0:
                break
        subs = tuple(node for where, (_, node, _p) in sorted(self.inner.items()) if self.at < where < at)
        self.parts.append(Gap(unicode(self.source[self.at : at]), slashless=True, subs=subs))
        self.at = at

    def ansi(self) -> None:
        at = self.at + 2
        while at < self.end and self.source[at] != "'":
            at += 2 if self.source[at] == "\\" else 1
        body = self.source[self.at + 2 : at]
        plain = ansi_c(body)
        self.hidden = self.hidden or any(mark in body for mark in ("\\x", "\\u", "\\U", "\\0", "\\1"))
        self.lit(plain, quoted=True)
        self.at = at + 1


def ansi_c(body: str) -> str:
    """Return the text that ``$'body'`` stands for; Latin-1 in, Latin-1 out."""

    def one(found: re.Match[str]) -> str:
        byte, short, long, octal, control, single = found.groups()
        if byte:
            return chr(int(byte, 16))
        if short or long:
            code = int(short or long, 16)
            return chr(code).encode("utf-8", "replace").decode("latin-1") if code < 0x110000 else "?"
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if control:
            return chr(ord(control) & 0x1F)
        return _ANSI_SINGLE.get(single, single if single in "\\'\"?" else "\\" + single)

    return _ANSI.sub(one, body) if "\\" in body else body


def _closing(source: str, at: int, end: int, inner: Inner) -> int:
    """Return the offset behind the ``}`` that closes the ``{`` at ``at``."""
    depth, quote = 0, ""
    while at < end:
        if at in inner:
            at = inner[at][0]
            continue
        mark = source[at]
        if mark == "\\":
            at += 1
        elif quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return end


def _braces(parts: list[Part]) -> tuple[tuple[Part, ...], ...]:
    """Return the brace alternatives of a word, or the word itself where there are none or too many."""
    atoms: list[Part | str] = []
    for part in parts:
        if type(part) is Lit and not part.quoted:
            atoms.extend(piece for piece in re.split(r"([{},])", part.text) if piece)
        else:
            atoms.append(part)
    done = _alternatives(atoms, 0)
    if len(done) > MAX_BRACES:
        return ((Gap("".join(_raw(part) for part in parts)),),)
    return tuple(tuple(Lit(a) if isinstance(a, str) else a for a in alt) for alt in done)


def _raw(part: Part) -> str:
    return part.text if type(part) is Lit else part.raw  # type: ignore[union-attr]


def _alternatives(atoms: list[Part | str], depth: int) -> list[list[Part | str]]:
    """Expand the first brace pair of ``atoms`` and then what it makes."""
    opened = _first_pair(atoms)
    if opened is None or depth > 6:
        return [atoms]
    start, stop, commas = opened
    head, tail = atoms[:start], atoms[stop + 1 :]
    if commas:
        edges = [start, *commas, stop]
        choices = [atoms[a + 1 : b] for a, b in itertools.pairwise(edges)]
    else:
        inside = atoms[start + 1 : stop]
        made = _range(inside[0]) if len(inside) == 1 and isinstance(inside[0], str) else None
        if made is None:
            literal: list[Part | str] = [Lit("{"), *inside, Lit("}")]
            return [[*head, *literal, *rest] for rest in _alternatives(tail, depth + 1)]
        choices = [[one] for one in made]
    made_all: list[list[Part | str]] = []
    for choice in choices:
        made_all.extend(_alternatives([*head, *choice, *tail], depth + 1))
        if len(made_all) > MAX_BRACES:
            break
    return made_all


def _first_pair(atoms: list[Part | str]) -> tuple[int, int, list[int]] | None:
    """Return the first brace pair that closes: its offsets and those of its own commas."""
    stack: list[tuple[int, list[int]]] = []
    best: tuple[int, int, list[int]] | None = None
    for at, atom in enumerate(atoms):
        if atom == "{":
            stack.append((at, []))
        elif atom == "," and stack:
            stack[-1][1].append(at)
        elif atom == "}" and stack:
            start, commas = stack.pop()
            best = (start, at, commas)
            if not stack:
                return best
    return best


def _range(text: str) -> list[str] | None:
    found = _RANGE.match(text)
    if not found:
        return None
    low, high, step = found.groups()
    if low.lstrip("-").isdigit() != high.lstrip("-").isdigit():
        return None
    by = abs(int(step or "1")) or 1
    if low.lstrip("-").isdigit():
        first, last = int(low), int(high)
        if abs(last - first) // by > MAX_BRACES:
            return ["*"]
        order = range(first, last + 1, by) if first <= last else range(first, last - 1, -by)
        return [str(number).zfill(len(low) if low.startswith("0") else 0) for number in order]
    first, last = ord(low), ord(high)
    order = range(first, last + 1, by) if first <= last else range(first, last - 1, -by)
    return [chr(number) for number in order]
