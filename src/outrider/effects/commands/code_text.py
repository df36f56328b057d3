"""Code in other languages given as text: what its plain calls on literal texts would do; the rest stays opaque.

No language is parsed: calls are told by name, in whatever language has them, and a variable of the environment that
the command line sets counts as the literal that it holds.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from outrider.effects.commands.escape import MAX_CODE, is_line, opens_shell, shell_opened
from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg
from outrider.events.call import Verb

if TYPE_CHECKING:
    from outrider.effects.commands.invocation import Invocation

_TEXT = r"""(?:r|b|f|%q)?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)"""
_WRITES = (
    r"writeFileSync|writeFile|appendFileSync|appendFile|createWriteStream|File\.write|IO\.write|write_file|"
    r"file_put_contents|fputs|mkdirSync|truncateSync|chmodSync|copyFileSync|renameSync|writeLines|openout\s*\w*=?|"
    r"IO\.binwrite|Path\.write"
)
_READS = (
    r"readFileSync|readFile|createReadStream|File\.read|IO\.read|readlines|readLines|file_get_contents|slurp|readdirSync|"
    r"File\.readlines|File\.open|fopen|open|io\.open|io\.lines|readfile|highlight_file|show_source|file|dofile|loadfile|"
    r"include|require_once|include_once|IO\.binread|File\.foreach|opendir|scandir|cat|insert-file-contents|find-file|"
    r"source|readFile\s+|read_file|Path\.read"
)
_RUNS = (
    r"system|exec|execSync|popen|shell_exec|passthru|spawnSync|proc_open|qx|os\.execute|io\.popen|callCommand|"
    r"shell-command|run-shell-command|shell-command-to-string|os:cmd|Sys\.command|shell|esyscmd|syscmd|system\*|"
    r"staticExec|execCmd|execCmdEx|execShellCmd|execProcess|execl|execlp|execv|execvp|spawnl|spawnlp|spawnv|posix_spawn|"
    r"Command::new|exec\.Command|Process\.run|Process\.Start|Process\.spawn|shellout|call-process-shell-command|execute"
)
_KINDS: tuple[tuple[str, tuple[Verb, ...], tuple[str, ...]], ...] = (
    (
        _RUNS,
        (),
        (),
    ),
    (
        r"rm_rf|rm_r|remove_entry_secure|remove_dir|rmtree|remove_tree|rmSync|rmdirSync|rimraf(?:\.sync)?",
        ("delete",),
        ("recursive",),
    ),
    (r"unlink|unlinkSync|rmdir|File\.delete|os\.remove|fs\.rm|rm", ("delete",), ()),
    (_WRITES, ("write",), ()),
    (_READS, ("read",), ()),
)
_CALLS = tuple((re.compile(rf"(?<![\w$])(?:{names})\s*\(?\s*{_TEXT}"), verbs, flags) for names, verbs, flags in _KINDS)
_MODE = re.compile(r"""\s*,\s*["'][^"']*[wa+]""")
_PERL_OPEN = re.compile(r"""\bopen\s*\(?\s*(?:my\s+)?[$\w]+\s*,\s*["']([<>+|]*)\s*["']?\s*,?\s*["']?([^"']+)["']""")
_TICKS = re.compile(r"(?:%x\{([^}]*)\}|`([^`]*)`)")
_TICKED = frozenset({"ruby", "perl", "php", "irb", "jruby", "rake", "pry"})
_SHELLED = re.compile(rf"""["'](?:/bin/)?(?:ba|da|z|k)?sh["']\s*,?\s*[\[(]?\s*["']-l?c["']\s*,?\s*{_TEXT}""")
"""``"sh", ["-c", TEXT]``, however the list is written."""
_XONSH = re.compile(r"[$!][(\[]([^()\[\]]*)[)\]]")
_ENVIRONMENT = re.compile(
    r"""(?x) (?: \$?\bENV\s*[\[{(]\s*["']?(\w+)["']?\s*[\]})] | \bENV\.fetch\(\s*["'](\w+)["']\s*\)
        | \b(?:os\.)?getenv\s*\(\s*["'](\w+)["']\s*\) | \bprocess\.env\.(\w+) | \bprocess\.env\[["'](\w+)["']\]
        | \bos\.environ\[["'](\w+)["']\] | \bSys\.getenv\(["'](\w+)["']\) | \bENVIRON\[["'](\w+)["']\] )"""
)
_ADDRESS = re.compile(
    r"""(?x) (?: TCPSocket|TCPSocket\.(?:new|open)|fsockopen|pfsockopen|Socket\.tcp|new\s+Socket|socket\.connect|
        create_connection|socket_connect|:connect|gen_tcp:connect|connect|PeerAddr|PeerHost|stream_socket_client)
        \s* (?:\(|=>|=)? \s* (?:[\w.$]+\s*,\s*)? ["'](?:\w+://)?([\w.-]+(?::\d+)?)["'] (?:\s*,\s*["']?(\d{1,5})\b)? """
)
_TCL_SOCKET = re.compile(r"\bsocket\s+(?:-\w+\s+)*([A-Za-z][\w-]*(?:\.[\w-]+)+|\d+(?:\.\d+){3})\s+(\d{1,5})\b")
_NET_CONNECT = re.compile(r"""\bconnect\s*\(\s*["']?(\d{1,5})["']?\s*,\s*["']([\w.-]+)["']""")
_AWK_NET = re.compile(r"/inet[46]?/\w+/(\d+)/([\w.-]+)/(\d+)")
_URL = re.compile(r"""["'`]((?:https?|ftp)://([\w.-]+(?::\d+)?)[^"'`\s]*)["'`]""")
_SENDS = re.compile(r"(?i)\b(post|put|upload|send|write|copyto|postform)\w*\b|method\W+(post|put)")
_PLACE = re.compile(r"""["'](/(?:etc|root|home|proc|var|dev|sys|boot)/[\w./*@+-]+|~/[\w./*@+-]+)["']""")
_RUNS_FETCHED = re.compile(
    r"""(?x) (?<![\w.]) (?:exec|eval|execfile|runpy\.run_path|marshal\.loads|pickle\.loads|Function|instance_eval|
        class_eval|vm\.run\w+|loadstring|load|assert) \s* \(? [^;\n]* (?: urlopen | urlretrieve |
        \b(?:requests|httpx|urllib3|aiohttp|axios)\.\w+ | \bfetch\s*\( | Net::HTTP | URI\.open | LWP:: |
        \bget\s*\(\s*["']https? | file_get_contents\s*\(\s*["']https? | http\.request )"""
)
"""Code that runs what it fetches, in one expression."""
_RUNS_UNKNOWN = re.compile(
    r"(?<![\w$.])(?:IO\.)?(?:popen|exec|execSync|system|spawn|eval|shell_exec|passthru|proc_open|os\.execute|io\.popen)"
    r"\s*\(?\s*(?![\s\"'`)])[\w$@%]"
)
"""Code that runs a text which does not stand in it."""
_SHELL_FETCHES = re.compile(r"(?:\$\(|`)\s*(?:curl|wget|fetch|http|https|xh|aria2c)\s")
"""A shell's substitution that fetches the code itself, or a part of it."""
_RUNS_DECODED = re.compile(
    r"""(?xs) (?: b64decode | decode_base64 | base64_decode | fromhex | unhexlify | \batob\s*\( | \bunpack\b |
        ["'](?:base64|hex)["']\s*\) | gzinflate | decompress\s*\( ) .{0,600}?
        (?<![\w$.]) (?: (?: exec | eval | system | os\.(?:system|popen) | execSync | child_process["')]*\.\w+ |
        shell_exec | passthru ) \s* \(? \s* (?![rbf]{0,2}["']) [A-Za-z_$@] |
        subprocess\.\w+ \s* \( \s* [A-Za-z_]\w* \s* , [^)]* shell \s* = \s* True )"""
)
"""Code that decodes a text and runs what does not stand in it."""
_LIMIT = 64


def note_decoded(run: Invocation, text: str, at: Arg) -> None:
    """Note code that decodes a text which nobody has seen, and may run it."""
    if _RUNS_DECODED.search(text):
        run.unparsed(at, "may run text that it decodes")


def _unseen(run: Invocation, text: str, at: Arg) -> None:
    """Note code that runs what comes from another host."""
    if _RUNS_FETCHED.search(text) or (not at.exact and _SHELL_FETCHES.search(text)):
        run.unparsed(at, "runs what it downloads")
    elif _RUNS_UNKNOWN.search(text) and _ADDRESS.search(text):
        run.unparsed(at, "may run what another host tells it")
    note_decoded(run, text, at)


def read_code(run: Invocation, text: str, at: Arg) -> None:
    """Note what calls on literal texts in ``text`` would do. What is not a plain call is not seen: it stays opaque."""
    text = text[:MAX_CODE]
    if "env" in text.lower():
        text = _ENVIRONMENT.sub(lambda found: _held(run, found), text)
    if opens_shell(text):
        shell_opened(run.runner, run.name, at)
    _unseen(run, text, at)
    _calls(run, text, at)
    for mode, name in _PERL_OPEN.findall(text)[:_LIMIT]:
        if "|" in mode:
            run.runner.text(name, at, run.state.fork(), NOTHING)
        elif name:
            run.path("write" if ">" in mode else "read", Arg(name.strip(), at.start, at.end))
    _reach(run, text, at)
    for name in _PLACE.findall(text)[:_LIMIT]:
        run.path("read", Arg(name, at.start, at.end, glob="*" in name))
    _shell_texts(run, text, at)


def _shell_texts(run: Invocation, text: str, at: Arg) -> None:
    """Note what shells do that the code starts with a text, or in a language's own quotes for that."""
    for found in itertools.islice(_SHELLED.finditer(text), _LIMIT):
        run.runner.text(found[1] or found[2] or found[3] or "", at, run.state.fork(), NOTHING)
    if run.name == "xonsh":
        for inner in [text] if is_line(text) else _XONSH.findall(text)[:_LIMIT]:
            run.runner.text(inner, at, run.state.fork(), NOTHING)
    if run.name in _TICKED:
        for found in itertools.islice(_TICKS.finditer(text), _LIMIT):
            run.runner.text(found[1] or found[2] or "", at, run.state.fork(), NOTHING)


def _calls(run: Invocation, text: str, at: Arg) -> None:
    """Note what the calls on literal texts do, up to a number of them."""
    every = ((found, verbs, flags) for pattern, verbs, flags in _CALLS for found in pattern.finditer(text))
    for found, verbs, flags in itertools.islice(every, _LIMIT):
        value = next((group for group in found.groups() if group is not None), "")
        if not verbs:
            run.runner.text(value, at, run.state.fork(), NOTHING)
        elif value and "://" not in value:
            is_written = verbs == ("read",) and _MODE.match(text, found.end()) is not None
            for verb in ("write",) if is_written else verbs:
                run.path(verb, Arg(value, at.start, at.end, "${" not in value), flags)


def _held(run: Invocation, found: re.Match[str]) -> str:
    """Return the literal of a variable that the command line sets, or what stood there."""
    name = next(group for group in found.groups() if group)
    held = run.state.vars.get(name)
    if held and len(held) == 1 and held[0].exact:
        return '"' + held[0].text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return found[0]


def _reach(run: Invocation, text: str, at: Arg) -> None:
    """Note the hosts that the code reaches by plain addresses."""
    for host, port in _ADDRESS.findall(text)[:_LIMIT]:
        if "." in host or host == "localhost" or port or ":" in host:
            run.runner.emit("connect", "host", f"{host.lower()}:{port}" if port else host.lower(), at, ("upload",))
    for host, port in _TCL_SOCKET.findall(text)[:_LIMIT]:
        run.runner.emit("connect", "host", f"{host.lower()}:{port}", at, ("upload",))
    for port, host in _NET_CONNECT.findall(text):
        run.runner.emit("connect", "host", f"{host.lower()}:{port}", at, ("upload",))
    for here, host, port in _AWK_NET.findall(text):
        run.runner.emit("connect", "host", f"0.0.0.0:{here}" if here != "0" else f"{host}:{port}", at, ("upload",))
    flags = ("upload",) if _SENDS.search(text) else ()
    for _, host in _URL.findall(text)[:16]:
        run.runner.emit("connect", "host", host.lower(), at, flags)
