"""Readers of text programs: grep, sed, awk, echo, base64 and their kin."""

from __future__ import annotations

import itertools
import re

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import MAX_CODE, escaped
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part, under
from outrider.effects.commands.readers.filters import openssl_decoded, substituted
from outrider.effects.commands.readers.guard import notice
from outrider.effects.commands.readers.shells import SECRET_NAME, environment
from outrider.effects.commands.roles import ROLES
from outrider.effects.shell.state import NOTHING, Flow
from outrider.effects.shell.tree import Arg

_SED_FILE = re.compile(r"(?:^|[;{}\n]|[0-9$/,!])\s*([wWrR])\s+([^\s;}]+)|/[gpiIM0-9]*w\s+([^\s;}]+)")
_SED_RUN = re.compile(
    r"(?:^|[;{}\n]|[0-9$/])\s*e(?:\s|$|;)|(?:^|[;{}\n\s])s(.)(?:(?!\1).)*\1(?:(?!\1).)*\1[gpiIM0-9]*e"
)
_AWK_RUN = re.compile(r"\bsystem\s*\(|\|\s*&?\s*getline|\|\s*&?\s*[\"'(a-zA-Z]|@load|@include")
_AWK_PIPE = re.compile(r'\|\s*&?\s*"([^"]+)"|"([^"]+)"\s*\|\s*&?\s*getline')
_SED_TEXT = re.compile(r"(?:^|[;{}\n]|[0-9$/])\s*e\s+([^\n]+)")
_AWK_BOOLEAN = re.compile(r"\|\|")
_AWK_WRITE = re.compile(r"(?<![<>=!])>>?\s*\"([^\"]+)\"")
_AWK_READ = re.compile(r"getline[^<;}]{0,200}<\s*\"([^\"]+)\"")
_ESCAPES = re.compile(r"\\(?:0?([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_SINGLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "'": "'",
}
_TYPED = re.compile(r"%%|%-?[0-9]*(?:\.[0-9]+)?[sbqdcixX]")


def grep(run: Invocation) -> Flow:
    """Grep and rg: a recursive one without files reads the directory; ``-l`` prints paths."""
    run.read_options()
    notice(run)
    is_list = "list" in run.flags or "files" in run.flags
    is_walker = run.name in {"rg", "ag", "ack", "ugrep"}
    if "files" in run.flags:
        roots = run.rest
    else:
        has_pattern = any(role in {"pattern", "patterns"} for role, _ in run.given)
        roots = run.rest if has_pattern else run.rest[1:]
    run.apply_options()
    if not roots and (is_walker or "recursive" in run.flags) and (is_walker is False or not run.stdin.some):
        roots = [Arg(".", run.at.start, run.at.end)]
    if is_walker:
        run.flags.add("recursive")
    for root in roots:
        run.path("read", root)
    if is_list:
        return Flow(paths=tuple(under(root) if "recursive" in run.flags else root for root in roots))
    if "number" in run.flags:
        return Flow(slashless=True)
    if not roots and "o" not in {letter for word in run.words if word.text[:1] == "-" for letter in word.text[1:]}:
        return Flow(paths=run.stdin.paths, origin=run.stdin.origin)
    return Flow(origin="file")


def sed(run: Invocation) -> Flow:
    """sed: its script may read, write or run as well."""
    run.read_options()
    has_script = any(role in {"sed", "sed-file"} for role, _ in run.given)
    scripts = [arg for role, arg in run.given if role == "sed"] or ([] if has_script else run.rest[:1])
    for script in scripts:
        for command, first, second in _SED_FILE.findall(script.text):
            if command and not re.search(r"[/\w.]", first):
                continue
            run.path("read" if command in {"r", "R"} else "write", part(script, first or second))
        if _SED_RUN.search(script.text):
            run.opaque("its script runs a command")
            for text in _SED_TEXT.findall(script.text):
                run.runner.text(text, script, run.state.fork(), NOTHING)
            replaced = re.search(r"s(.)(?:(?!\1).)*\1((?:(?!\1).)*)\1[gpiIM0-9]*e", script.text)
            if run.stdin.text is not None and not (replaced and replaced[2].strip()):
                run.runner.text(run.stdin.text, script, run.state.fork(), NOTHING)
            elif replaced and replaced[2].strip():
                run.runner.text(replaced[2], script, run.state.fork(), NOTHING)
    run.apply()
    if run.stdin.text is not None and len(scripts) == 1 and not run.given and len(run.rest) == 1:
        changed = substituted(scripts[0].text, run.stdin.text)
        return Flow(origin="decoded") if changed is None else Flow(text=changed)
    return Flow(origin=run.stdin.origin if not run.rest[1:] else "file")


def awk(run: Invocation) -> Flow:
    """awk: its program may read, write or run as well."""
    run.read_options()
    notice(run)
    has_file = any(role == "awk-file" for role, _ in run.given)
    for script in [] if has_file else run.rest[:1]:
        text = _AWK_BOOLEAN.sub("  ", script.text[:MAX_CODE])
        for name in _AWK_WRITE.findall(text):
            run.path("write", part(script, name))
        for name in _AWK_READ.findall(text):
            run.path("read", part(script, name))
        if _AWK_RUN.search(re.sub(r"/(?:[^/\\\n]|\\.)*/", "//", text)):
            run.opaque("its program runs a command")
        for command in _AWK_PIPE.findall(text)[:64]:
            run.runner.text(next(filter(None, command)), part(script, ""), run.state.fork(), NOTHING)
        for name, _, value in [arg.text.partition("=") for role, arg in run.given if role == "assign"]:
            text = re.sub(rf"\"\s*{re.escape(name)}\b\s*\"?", value.replace("\\", ""), text) if name else text
            if name.isidentifier() and '"' not in value:
                text = re.sub(rf"(?<![\w$\"]){name}\b(?!\s*[=(\w\"])", '"' + value.replace("\\", "") + '"', text)
        read_code(run, text, script)
        if re.search(r"/inet[46]?/(?:tcp|udp|raw)", text):
            run.opaque("its program opens a connection")
            escaped(run.runner, run.name, script, "its program opens a connection")
            if not re.search(r"/inet[46]?/\w+/\d+/[\w.-]+/\d", text):
                run.emit("connect", "host", "?", script, ("inexact", "upload"))
    run.rest = [arg for place, arg in enumerate(run.rest) if (place == 0 and not has_file) or "=" not in arg.text]
    run.apply()
    return Flow(origin=run.stdin.origin if len(run.rest) <= 1 else "file")


def date(run: Invocation) -> Flow:
    """``date``: prints no ``/`` unless its format asks for one."""
    run.read_options()
    run.apply_options()
    formats = [word.text for word in run.words if word.text[:1] == "+"]
    return Flow(slashless=not any("/" in text or "%D" in text or "%x" in text for text in formats) and bool(formats))


def jq(run: Invocation) -> Flow:
    """``jq``: ``--arg`` and its kin take two values."""
    words, kept, at = run.words, [], 0
    while at < len(words):
        text = words[at].text
        if text in {"--arg", "--argjson"}:
            at += 3
        elif text in {"--slurpfile", "--rawfile"} and at + 2 < len(words):
            run.path("read", words[at + 2])
            at += 3
        elif text in {"--args", "--jsonargs"}:
            break
        else:
            kept.append(words[at])
            at += 1
    run.words = kept
    run.read_options()
    run.apply()
    if any(re.search(r"(?:\benv\b|\$ENV\b)(?!\s*\.\w|\w)", word.text) for word in run.rest[:1]):
        environment(run)
    return Flow(origin=run.stdin.origin)


def unescape(text: str) -> str:
    """Return ``text`` with the escapes of ``printf`` and ``echo -e`` replaced."""

    def one(found: re.Match[str]) -> str:
        octal, byte, code, single = found.groups()
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if byte or code:
            return chr(int(byte or code, 16))
        return _SINGLE.get(single, "\\" + single)

    return _ESCAPES.sub(one, text) if "\\" in text else text


_PRINTED = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def _printed_secret(run: Invocation) -> None:
    """Note a variable that holds a secret by its name and is printed for all to see, not handed on."""
    names = [one or two for word in run.words for one, two in _PRINTED.findall(word.text)]
    if not any(SECRET_NAME.search(name) and name.isupper() and name not in run.state.vars for name in names):
        return
    behind = run.runner.behind(run.words[-1]).lstrip(" \t\"'")
    if behind[:1] not in {"|", ">", ")", "`", "<"}:
        run.path("read", Arg("/proc/self/environ", run.at.start, run.at.end))


def echo(run: Invocation) -> Flow:
    """``echo``: prints its arguments; it does nothing with them, but a secret of the environment is then seen."""
    if any(not word.exact and "$" in word.text for word in run.words):
        _printed_secret(run)
    words = run.words
    is_escaped, newline = False, "\n"
    while words and re.fullmatch(r"-[neE]+", words[0].text):
        is_escaped = is_escaped or "e" in words[0].text
        newline = "" if "n" in words[0].text else newline
        words = words[1:]
    if any(not word.exact or word.glob for word in words):
        return Flow(origin="decoded" if any(word.made for word in words) else "unknown")
    text = " ".join(word.text for word in words)
    return Flow(text=(unescape(text) if is_escaped else text) + newline)


def printf(run: Invocation) -> Flow:
    """``printf``: prints; what, where format and arguments are plain."""
    words = run.words
    if words and words[0].text == "-v" and len(words) > 1:
        made = _formatted(words[2:])
        plain = Arg(made.text) if made.text is not None else Arg("$" + words[1].text, exact=False, made=True)
        run.state.vars[words[1].text] = (plain,)
        return NOTHING
    return _formatted(words)


def _formatted(words: list[Arg]) -> Flow:
    """Return what ``printf`` prints."""
    if words and words[0].text == "--":
        words = words[1:]
    if not words or any(not word.exact or word.glob for word in words):
        return Flow(origin="decoded" if any(word.made for word in words) else "unknown")
    shape, values = words[0].text, [word.text for word in words[1:]]
    count = sum(1 for found in _TYPED.findall(shape) if found != "%%")
    rounds = max(1, -(-len(values) // count)) if count else 1
    queue = iter(values)

    def one(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = next(queue, "")
        return unescape(value) if found[0][-1] == "b" else value[:1] if found[0][-1] == "c" else value

    return Flow(text="".join(_TYPED.sub(one, unescape(shape)) for _ in range(min(rounds, 1000))))


def _openssl_serves(run: Invocation) -> None:
    """``openssl s_server``: ``-WWW`` hands out the files of the directory."""
    words = run.words
    port = next((two.text for one, two in itertools.pairwise(words) if one.text in {"-port", "-accept"}), "4433")
    run.emit("connect", "host", f"0.0.0.0:{port.rpartition(':')[2]}", words[0], ("upload",))
    if {"-WWW", "-HTTP", "-www"} & {word.text for word in words}:
        run.path("read", Arg(".", run.at.start, run.at.end), ("recursive",))


def openssl(run: Invocation) -> Flow:
    """``openssl``: files behind ``-in``, ``-out`` and their kin, hosts behind ``-connect``."""
    words = run.words
    reads = {
        "-in",
        "-inkey",
        "-key",
        "-CAfile",
        "-cert",
        "-certfile",
        "-config",
        "-signkey",
        "-CA",
        "-CAkey",
        "-kfile",
        "-extfile",
    }
    is_decoded = any(word.text in {"-d", "-decrypt"} for word in words)
    if words and words[0].text == "s_server":
        _openssl_serves(run)
    for name, value in itertools.pairwise(words):
        if name.text in reads:
            run.path("read", value)
        elif name.text in {"-engine", "-provider-path", "-provider"} and "/" in value.text:
            ROLES["library"](run, value)
        elif name.text in {"-out", "-keyout", "-CAserial"}:
            run.path("write", value)
        elif name.text == "-connect":
            run.emit(
                "connect", "host", value.text.lower().removesuffix(":443"), value, ("upload",) if run.stdin.some else ()
            )
        elif name.text in {"-pass", "-passin", "-passout"} and value.text.startswith("file:"):
            run.path("read", part(value, value.text[5:]))
    plain = openssl_decoded(run)
    if plain is not None:
        return plain
    return Flow(origin="network" if any(w.text == "-connect" for w in words) else "decoded" if is_decoded else "file")


READERS = {
    "grep": grep, "sed": sed, "awk": awk, "date": date, "jq": jq, "echo": echo,
    "printf": printf, "openssl": openssl,
}  # fmt: skip
