"""Readers of what sets type and makes pictures: the languages of TeX, troff, m4 and PostScript can run programs.

Sources: the programs' manuals.
"""

from __future__ import annotations

import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import MAX_CODE, escaped
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_LIMIT = 64
_TEX_RUN = re.compile(r"""\\(?:immediate\s*\\?)?write18\s*\{([^}]*)\}|\\input\s*\{?\s*\|\s*"?([^"}]*)""")
_TEX_READ = re.compile(
    r"\\(?:verbatiminput|lstinputlisting|input|include|usepackage|openin\s*\S*?=)\s*\{?([\w./~-]+)\}?"
)
_TEX_WRITE = re.compile(r"\\openout\s*\S*?=\s*\{?([\w./~-]+)\}?")
_ROFF_RUN = re.compile(r"(?m)^[.'](?:sy|pso|pi|shell)\s+(.+)$|\bsh\s+(\w)(.+?)\2|^[.']\s*so\s+(\S+)$")
_PIPE = re.compile(r"%pipe%\s*([^)\"]*)")
_OF_FILE = re.compile(r"\(((?:/|~/)[\w./-]+)\)\s*\(?[rw]?\)?\s*(?:file|run|deletefile|\(w\))")
_KIND = re.compile(r"(?:[A-Za-z][\w-]*:)?@?((?:/|~/|\./)?[^\s:]+)\Z")
_RUNS = frozenset({"msl", "ephemeral", "mvg", "mpr", "https", "http", "url", "epi", "eps", "ps"})


def tex(run: Invocation) -> Flow:
    r"""TeX: text in ``\write18`` is run, ``\input`` and its kin read, ``\openout`` writes."""
    run.read_options()
    run.apply_options()
    for arg in run.rest:
        if "\\" not in arg.text:
            run.path("read", arg)
            continue
        read_code(run, arg.text, arg)
        for first, second in _TEX_RUN.findall(arg.text[:MAX_CODE])[:_LIMIT]:
            escaped(run.runner, run.name, arg, "TeX that runs a command")
            run.runner.text(first or second, arg, run.state.fork(), run.stdin)
        for name in _TEX_READ.findall(arg.text[:MAX_CODE])[:_LIMIT]:
            if "/" in name or "." in name:
                run.path("read", part(arg, name))
        for name in _TEX_WRITE.findall(arg.text[:MAX_CODE])[:_LIMIT]:
            run.path("write", part(arg, name))
    run.path("write", Arg("*", run.at.start, run.at.end, glob=True))
    return UNKNOWN


def dvips(run: Invocation) -> Flow:
    """``dvips -R0`` lets the file run commands."""
    run.read_options()
    run.apply()
    if any(word.text == "-R0" for word in run.words):
        escaped(run.runner, run.name, run.at, "lets a file run commands")
    return UNKNOWN


def macros(run: Invocation) -> Flow:
    """``m4``: ``esyscmd`` in what comes in is run."""
    run.read_options()
    run.apply()
    if run.stdin.text is not None:
        for text in re.findall(r"e?syscmd\(\s*`?([^')]*)", run.stdin.text):
            run.runner.text(text, run.at, run.state.fork(), NOTHING)
    return UNKNOWN


def typeset(run: Invocation) -> Flow:
    """Troff and pic: ``-U`` lets their text run commands, and some versions need no option for it."""
    run.read_options()
    run.apply()
    if any(re.match(r"-[A-Za-z]*U", word.text) for word in run.words):
        escaped(run.runner, run.name, run.at, "an option that lets a text run commands")
    for command, _, text, _name in _ROFF_RUN.findall((run.text_in() or "")[:MAX_CODE])[:_LIMIT]:
        if command or text:
            run.runner.text((command or text).strip(), run.at, run.state.fork(), NOTHING)
    return run.finish()


def ghostscript(run: Invocation) -> Flow:
    """Ghostscript: ``-dNOSAFER`` lets its text run programs and touch files; ``-c`` holds text."""
    words = [word.text for word in run.words]
    if any(text in {"-dNOSAFER", "-dDELAYSAFER"} for text in words):
        escaped(run.runner, run.name, run.at, "an option that lets a text run commands")
    at = next((k for k, text in enumerate(words) if text == "-c"), len(words))
    for word in run.words[at + 1 :]:
        for command in _PIPE.findall(word.text[:MAX_CODE])[:_LIMIT]:
            escaped(run.runner, run.name, word, "a text that runs a command")
            run.runner.text(command, word, run.state.fork(), NOTHING)
        for name in _OF_FILE.findall(word.text[:MAX_CODE])[:_LIMIT]:
            run.path("read", part(word, name))
    for word in run.words[:at]:
        name, equals, value = word.text.partition("=")
        if name == "-sOutputFile" or (word.text.startswith("-o") and len(word.text) > 2):
            target = value if equals else word.text[2:]
            if target.startswith(("%pipe%", "|")):
                run.runner.text(target.removeprefix("%pipe%").lstrip("|"), word, run.state.fork(), NOTHING)
            else:
                run.path("write", part(word, target))
        elif word.text[:1] != "-":
            run.path("read", word)
    return UNKNOWN


def pictures(run: Invocation) -> Flow:
    """ImageMagick: a picture's name may begin with a kind, and ``@`` stands before a file of text."""
    words = [word for word in run.words if word.text[:1] not in {"-", "+"}]
    for place, word in enumerate(words):
        kind, colon, _ = word.text.partition(":")
        found = _KIND.match(word.text)
        is_last = place == len(words) - 1 and place > 0 and run.name in {"convert", "magick", "montage", "import"}
        if colon and kind.lower() in {"msl", "ephemeral", "mvg"}:
            escaped(run.runner, run.name, word, "a kind of picture that is a program, or is deleted when it is read")
        if found and ("." in found[1] or "/" in found[1]):
            writes = is_last or run.name == "mogrify"
            run.path("write" if writes else "read", part(word, found[1]))
    return UNKNOWN


READERS = {
    "tex": tex, "dvips": dvips, "m4": macros, "macros": typeset, "ghostscript": ghostscript, "pictures": pictures,
}  # fmt: skip
