"""Expansion: from a word to the fields a program would be given, as far as that can be known without running anything.

Source: POSIX.1-2024 XCU 2.6; Bash manual 3.5. What is not known stays as it is written, and the field says so.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from outrider.effects.place import Place, tilde
from outrider.effects.shell.state import Flow, State
from outrider.effects.shell.tree import Arg, Gap, Lit, Node, Part, Proc, Sub, Var, Word
from outrider.effects.shell.words import has_glob, read_text

MAX_FIELDS = 256
"""Fields that one word may make; what is beyond is not looked at one by one."""

MAX_WORDS = 1024
"""Fields that all words of a command may make before the rest counts as not known."""
MAX_TEXT = 64 * 1024
"""Characters that one field may grow to before it counts as not known."""

_SLASHLESS = frozenset({"?", "$", "#", "!", "RANDOM", "SECONDS", "LINENO", "PPID", "UID", "EUID", "HOSTNAME", "BASHPID",
                        "EPOCHSECONDS", "HOSTTYPE", "OSTYPE", "COLUMNS", "LINES", "-"})  # fmt: skip
_BLANK = " \t\n"
_MAX_IFS = 16

Capture = Callable[[Node, State], Flow]


class _Field:
    """One field being put together."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.exact = True
        self.glob = self.made = self.open = False

    def add(self, arg: Arg) -> None:
        self.pieces.append(arg.text)
        self.exact = self.exact and arg.exact
        self.glob = self.glob or arg.glob
        self.made = self.made or arg.made
        self.open = True


class Expander:
    """Expands words in one state. ``capture`` runs a substitution and says what it prints."""

    def __init__(self, place: Place, state: State, capture: Capture) -> None:
        self.place, self.state, self.capture = place, state, capture

    def words(self, words: tuple[Word, ...]) -> list[Arg]:
        """Return the fields of several words."""
        fields: list[Arg] = []
        for word in words:
            if word.arg is not None:
                fields.append(word.arg)
            elif len(fields) <= MAX_WORDS:
                fields.extend(self.fields(word))
            else:
                fields.append(Arg(word.raw[:200], word.start, word.end, exact=False))
        return fields

    def one(self, word: Word) -> Arg:
        """Return a word as one field, as an assignment, a here-string or a redirection takes it."""
        if word.arg is not None:
            return word.arg
        fields = self.fields(word, split=False)
        if len(fields) == 1:
            return fields[0]
        text = " ".join(field.text for field in fields)
        exact = all(field.exact for field in fields)
        return Arg(text, word.start, word.end, exact, any(f.glob for f in fields), made=any(f.made for f in fields))

    def fields(self, word: Word, *, split: bool = True) -> list[Arg]:
        """Return the fields of one word."""
        made: list[_Field] = []
        for parts in word.alts:
            self.alternative(parts, made, is_tilde=word.tilde, split=split)
        fields = [self.field(one, word) for one in made[:MAX_FIELDS]]
        if len(made) > MAX_FIELDS:
            fields.append(Arg(word.raw[:200], word.start, word.end, exact=False))
        return fields

    @staticmethod
    def field(one: _Field, word: Word) -> Arg:
        """Put one field together; one that is too long counts as not known."""
        if sum(map(len, one.pieces)) > MAX_TEXT:
            return Arg(word.raw[:200], word.start, word.end, exact=False)
        return Arg("".join(one.pieces), word.start, word.end, one.exact, one.glob, word.hidden, one.made)

    def alternative(self, parts: tuple[Part, ...], made: list[_Field], *, is_tilde: bool, split: bool) -> None:
        """Expand one brace alternative into fields."""
        current = _Field()
        for at, part in enumerate(parts):
            if type(part) is Lit:
                text = self.tilde(part, first=at == 0) if is_tilde and not part.quoted else part.text
                current.add(Arg(text, glob=not part.quoted and has_glob(text)))
                continue
            values, is_list = self.values(part)
            if part.quoted if type(part) in {Var, Sub} else True:  # type: ignore[union-attr]
                self.append_quoted(values, is_list=is_list, current=current)
                if is_list and len(values) > 1:
                    made.append(current)
                    made.extend(self.singles(values[1:-1]))
                    current = _Field()
                    current.add(values[-1])
            else:
                current = self.append_split(values, current, made, split=split)
        if current.open:
            made.append(current)

    @staticmethod
    def singles(values: tuple[Arg, ...]) -> list[_Field]:
        """Return one field for each value."""
        fields = []
        for value in values:
            field = _Field()
            field.add(value)
            fields.append(field)
        return fields

    @staticmethod
    def append_quoted(values: tuple[Arg, ...], *, is_list: bool, current: _Field) -> None:
        """Add quoted values: they are not split."""
        if is_list:
            if values:
                current.add(values[0])
            return
        for at, value in enumerate(values):
            current.add(value if not at else Arg(" " + value.text, exact=value.exact, glob=value.glob, made=value.made))
        current.open = True

    def separators(self) -> str:
        """Return the characters that an unquoted value is split at: those of ``IFS`` where the call sets it."""
        given = self.state.vars.get("IFS")
        return given[0].text[:_MAX_IFS] if given and given[0].exact else _BLANK

    def append_split(self, values: tuple[Arg, ...], current: _Field, made: list[_Field], *, split: bool) -> _Field:
        """Add unquoted values: they are split at blanks, and several values are several fields."""
        for at, value in enumerate(values):
            if at and current.open:
                made.append(current)
                current = _Field()
            text = value.text
            blanks = self.separators() if split and value.exact else ""
            if not blanks or not any(blank in text for blank in blanks):
                if text:
                    current.add(value if not value.exact else Arg(text, glob=value.glob or has_glob(text)))
                continue
            if text[0] in blanks and current.open:
                made.append(current)
                current = _Field()
            is_ended = text[-1] in blanks
            pieces = split_at(text, blanks)
            for index, piece in enumerate(pieces):
                if index:
                    made.append(current)
                    current = _Field()
                current.add(Arg(piece, glob=value.glob or has_glob(piece)))
            if is_ended and current.open:
                made.append(current)
                current = _Field()
        return current

    def tilde(self, part: Lit, *, first: bool) -> str:
        """Expand a leading ``~``, and one behind the ``=`` of an argument that looks like an assignment."""
        text = part.text
        if first and text.startswith("~"):
            return self.home(text)
        head, mark, tail = text.partition("=~")
        return f"{head}={self.home('~' + tail)}" if mark and first and not text.startswith("-") else text

    def home(self, text: str) -> str:
        """Return text that begins with ``~`` with a directory in its place."""
        if text.startswith("~+"):
            return (self.state.cwd or "~+") + text[2:]
        return tilde(text, self.place)

    def values(self, part: Part) -> tuple[tuple[Arg, ...], bool]:
        """Return what a part stands for, and whether it is a list such as ``$@``."""
        if type(part) is Var:
            is_list = part.name == "@" or part.name.endswith("[@]")
            return self.variable(part), is_list
        if type(part) is Sub:
            return self.substitution(part), False
        if type(part) is Proc:
            self.capture(part.body, self.state)
            return (Arg("/dev/fd/63"),), False
        assert type(part) is Gap
        for node in part.subs:
            self.capture(node, self.state)
        return ((Arg("*", glob=True) if part.slashless else Arg(part.raw, exact=False, made=bool(part.subs))),), False

    def substitution(self, part: Sub) -> tuple[Arg, ...]:
        """Return what a command substitution stands for."""
        flow = self.capture(part.body, self.state)
        if flow.text is not None:
            return (Arg(flow.text.rstrip("\n")),)
        if flow.paths is not None:
            return flow.paths
        if flow.slashless:
            return (Arg("*", glob=True),)
        return (Arg(part.raw, exact=False, made=True),)

    def known(self, name: str) -> tuple[Arg, ...] | None:  # noqa: C901, PLR0911 - one kind of name, one return
        """Return a variable's value, or None if it is not known."""
        found = self.state.vars.get(name)
        if found is not None:
            return found
        if name.endswith("[@]"):
            return self.state.vars.get(name[:-3])
        if name.endswith("]"):
            return self.element(name)
        if name in _SLASHLESS:
            return (Arg("*", glob=True),)
        place = self.place
        if name == "HOME":
            return (Arg(place.home),)
        if name == "PWD":
            return (Arg(self.state.cwd),) if self.state.cwd is not None else None
        fixed = _FIXED.get(name)
        if fixed is not None:
            return (Arg(fixed),)
        if name in {"USER", "LOGNAME"}:
            return (Arg(place.user),)
        if name in {"CLAUDE_PROJECT_DIR", "GITHUB_WORKSPACE"}:
            return (Arg(place.repo),)
        if name in {"@", "*"} or name.isdigit():
            return ()
        return None

    def element(self, name: str) -> tuple[Arg, ...] | None:
        """Return what ``a[1]`` holds, or None if it is not known."""
        base, _, index = name[:-1].partition("[")
        listed = self.state.vars.get(base)
        if listed is None or not index.isdigit() or not all(one.exact and not one.glob for one in listed):
            return None
        return listed[int(index[:6]) : int(index[:6]) + 1]

    def variable(self, part: Var) -> tuple[Arg, ...]:
        """Return what a parameter, with its operator, stands for."""
        values = self.known(part.name)
        op = part.op
        if not op:
            return values if values is not None else (Arg(part.raw, exact=False),)
        if op in {":-", "-", ":=", "=", ":?", "?"}:
            if values:
                return values
            default = self.operand(part.word) if op[-1] in "-=" else Arg(part.raw, exact=False)
            return (Arg(default.text, exact=default.exact and values is not None, glob=default.glob),)
        if op in {":+", "+"}:
            other = self.operand(part.word)
            return (other,) if values else (Arg(other.text, exact=values is not None or not other.text),)
        if values is None or len(values) != 1 or not values[0].exact:
            return (Arg(part.raw, exact=False),)
        return (_edited(values[0], op, self.operand(part.word), part.raw),)

    def operand(self, text: str) -> Arg:
        """Return the word behind a parameter's operator, expanded."""
        if not any(mark in text for mark in "$`\\'\"~*?["):
            return Arg(text)
        word = Word(text, 0, 0, alts=(read_text(text.encode().decode("latin-1")),), tilde=text.startswith("~"))
        return self.one(word)


def split_at(text: str, blanks: str = _BLANK, most: int = MAX_FIELDS) -> list[str]:
    """Return the fields that the characters of ``IFS`` split a text into, the rest of it in the last."""
    if blanks == _BLANK:
        return text.split(maxsplit=most)
    if not blanks:
        return [text]
    pattern = f"[{re.escape(blanks)}]" + ("+" if not blanks.strip(_BLANK) else "")
    return re.split(pattern, text.removesuffix(text[-1:] if text[-1:] in blanks else ""), maxsplit=most)


_FIXED = {"TMPDIR": "/tmp", "SHELL": "/bin/bash", "IFS": " ", "0": "bash", "BASH": "/bin/bash", "TMP": "/tmp"}  # noqa: S108


def _edited(value: Arg, op: str, operand: Arg, raw: str) -> Arg:  # noqa: PLR0911 - one operator a return
    """Apply ``#``, ``%``, ``/``, ``:`` or a case change to a known value."""
    text, pattern = value.text, operand.text
    if not operand.exact:
        return Arg(raw, exact=False)
    if op[0] in "#%":
        if value.glob:
            return Arg(_shorter_pattern(text, op, pattern), glob=True)
        return Arg(_trimmed(text, op, pattern))
    if op in {"/", "//"}:
        old, _, new = pattern.partition("/")
        if has_glob(old) or value.glob:
            return Arg(raw, exact=False)
        return Arg(text.replace(old, new, -1 if op == "//" else 1) if old else text)
    if op == ":":
        numbers = re.fullmatch(r"\s*(\d+)(?::(\d+))?", pattern)
        if not numbers or value.glob:
            return Arg(raw, exact=False)
        start = int(numbers[1])
        return Arg(text[start : start + int(numbers[2])] if numbers[2] else text[start:])
    if op == "^^":
        return Arg(text.upper(), glob=value.glob)
    if op == ",,":
        return Arg(text.lower(), glob=value.glob)
    return Arg(raw, exact=False)


def _shorter_pattern(text: str, op: str, pattern: str) -> str:
    """Trim a pattern: its directory is kept where only the last name can be touched."""
    head = posixpath.dirname(text)
    if op == "%" and pattern == "/*":
        return head or "*"
    if op == "##" and pattern == "*/":
        return posixpath.basename(text)
    if op[0] == "%" and "/" not in pattern:
        return f"{head}/*" if head else "*"
    return "**"


def _trimmed(text: str, op: str, pattern: str) -> str:
    longest = len(op) == 2
    cuts = range(len(text) + 1)
    if op[0] == "#":
        order = reversed(cuts) if longest else cuts
        return next((text[cut:] for cut in order if fnmatchcase(text[:cut], pattern)), text)
    order = cuts if longest else reversed(cuts)
    return next((text[:cut] for cut in order if fnmatchcase(text[cut:], pattern)), text)
