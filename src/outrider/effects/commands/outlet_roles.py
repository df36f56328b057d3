"""Roles of options that hold a command or a path inside a small language of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import escaped, shell_opened, stray
from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg

if TYPE_CHECKING:
    from outrider.effects.commands.invocation import Invocation

_PROXY = re.compile(r"(?is)\s*(?:proxycommand|localcommand|knownhostscommand|ssh_command|smtpserver)\s*[= ]\s*;?(.*)")
_FZF = re.compile(
    r"(?:execute(?:-silent|-multi)?|become|reload|transform\w*)\s*[(\[{:+~!@#%^&*;/|](.*?)[)\]}]?\Z", re.DOTALL
)
_SYSTEM = ("/usr/", "/bin/", "/opt/")
_LONG = 4096
_MACRO = re.compile(r"%\(((?:[^()]|\([^()]*\))*)\)")


def run_text(run: Invocation, text: str, at: Arg, why: str) -> None:
    """Note shell text that an option holds, and that the way is a way round."""
    escaped(run.runner, run.name, at, why)
    run.runner.text(text, at, run.state.fork(), run.stdin)


def _proxy(run: Invocation, arg: Arg) -> None:
    """``-o ProxyCommand=TEXT`` of OpenSSH: honest where it jumps over a host, so it is judged by what it runs."""
    found = _PROXY.match(arg.text)
    if found:
        run.runner.text(found[1], arg, run.state.fork(), NOTHING)


def _fzf(run: Invocation, arg: Arg) -> None:
    """``--bind KEY:execute(TEXT)``, ``--preview TEXT``."""
    found = _FZF.search(arg.text[:_LONG])
    if found:
        run.runner.text(found[1], arg, run.state.fork(), NOTHING)
    elif ":" not in arg.text:
        run.runner.text(arg.text.replace("{}", "*"), arg, run.state.fork(), NOTHING)


def _macro(run: Invocation, arg: Arg) -> None:
    """A macro of rpm: ``%(TEXT)`` is run by a shell, ``%{lua:...}`` by Lua."""
    for text in _MACRO.findall(arg.text[:_LONG]):
        run_text(run, text, arg, "a macro that runs a command")
    if "%{lua:" in arg.text:
        escaped(run.runner, run.name, arg, "a macro that runs code")
        read_code(run, arg.text, arg)
    for name in re.findall(r"%\{(?:load|include|uncompress):\s*([^}]+)\}", arg.text):
        run.path("read", Arg(name, arg.start, arg.end))


def _bus(run: Invocation, arg: Arg) -> None:
    """``unixexec:path=PROGRAM,argv1=...``: an address of D-Bus that is a program."""
    if "unixexec:" in arg.text:
        words = re.findall(r"(?:path|argv[1-9])=([^,]*)", arg.text)
        escaped(run.runner, run.name, arg, "an address that is a program")
        if words:
            run.runner.program(
                [Arg(word.replace("%20", " "), arg.start, arg.end) for word in words], run.state, NOTHING
            )


def _lua_option(run: Invocation, arg: Arg) -> None:
    """``-X lua_script:FILE``."""
    name, _, path = arg.text.partition(":")
    if name.startswith("lua_script") and path:
        escaped(run.runner, run.name, arg, f"runs {path[:80]}")
        run.path("read", Arg(path, arg.start, arg.end, arg.exact, arg.glob))


def _nse(run: Invocation, arg: Arg) -> None:
    """``nmap --script``: names of scripts that come with it, or files."""
    if "/" in arg.text or not arg.exact or arg.text.endswith(".nse"):
        escaped(run.runner, run.name, arg, f"runs {arg.text[:80]}")
        run.path("read", arg)


def _apache(run: Invocation, arg: Arg) -> None:
    """``-c 'Include FILE'``: directives."""
    for verb, name in re.findall(
        r"(?i)\b(Include(?:Optional)?|LoadModule\s+\S+|LoadFile|ErrorLog|CustomLog)\s+(\S+)", arg.text
    ):
        run.path("write" if "log" in verb.lower() else "read", Arg(name.strip("\"'"), arg.start, arg.end))
        if verb.lower().startswith("load"):
            escaped(run.runner, run.name, arg, "loads a module")


def _apt(run: Invocation, arg: Arg) -> None:
    """``-o NAME=VALUE`` of apt: names with ``Invoke`` and their kin hold commands."""
    name, _, value = arg.text.partition("=")
    if re.search(r"(?i)invoke|hooks?|::run|post-install|pre-install|pager", name) and value:
        run_text(run, value, arg, "a hook that runs a command")
    elif re.search(r"(?i)options::|dir::bin|methods", name):
        escaped(run.runner, run.name, arg, "changes which programs it runs")


def _path_script(run: Invocation, arg: Arg) -> None:
    """A file of code, if the text looks like a path."""
    if "/" in arg.text or not arg.exact:
        run.path("read", arg)
        run.runner.emit("opaque", "command", run.name, arg, (), f"runs {arg.text[:120]}")


def _open_shell(run: Invocation, arg: Arg) -> None:
    shell_opened(run.runner, run.name, arg)


def _execute(run: Invocation, arg: Arg) -> None:
    """``-o execute=PROGRAM``: settings with that word in their names run one."""
    name, _, value = arg.text.partition("=")
    if "execute" in name or "execute" in value:
        run_text(run, value.replace(",", " "), arg, "a setting that runs a command")


def _cow(run: Invocation, arg: Arg) -> None:
    """A picture of cowsay is a program of perl."""
    if "/" in arg.text or run.runner.drafted(arg, run.state) is not None:
        run.path("read", arg)
        run.runner.emit("opaque", "command", run.name, arg, (), f"runs {arg.text[:120]}")
        read_code(run, run.runner.drafted(arg, run.state) or "", arg)


def _php_ini(run: Invocation, arg: Arg) -> None:
    """``php -d NAME=VALUE``: some settings name a file that is run or loaded."""
    name, _, value = arg.text.partition("=")
    if re.fullmatch(r"(?:auto_(?:prepend|append)_file|(?:zend_)?extension(?:_dir)?|opcache\.preload|error_log)", name):
        run.path("read", Arg(value.strip("'\""), arg.start, arg.end, arg.exact))
    elif name == "sendmail_path":
        run_text(run, value, arg, "a setting that runs a command")


_CARGO_RUNS = re.compile(r"alias\.|wrapper|\brunner|linker|\brustc\b|rustdoc\b|credential|paths?\b")


def _cargo_config(run: Invocation, arg: Arg) -> None:
    """``cargo --config NAME=VALUE`` or ``--config FILE``: some settings name a program."""
    name, equals, value = arg.text.partition("=")
    if not equals:
        run.path("read", arg)
    elif _CARGO_RUNS.search(name):
        run_text(run, value.strip(" '\"[]!").replace('", "', " "), arg, "a setting that runs a command")


_HG_RUNS = re.compile(
    r"alias\.|hooks\.|ui\.(?:editor|ssh|merge|askusername)|pager|extdiff|merge-tools|cmd\.|sendmail|diff-?tools"
)


def _hg_config(run: Invocation, arg: Arg) -> None:
    """``hg --config NAME=VALUE``: some settings name a program or code that is loaded."""
    name, _, value = arg.text.partition("=")
    if name.startswith("extensions.") and "/" in value:
        escaped(run.runner, run.name, arg, f"loads {value[:80]}")
        run.path("read", Arg(value, arg.start, arg.end, arg.exact))
    elif _HG_RUNS.match(name) and (value[:1] == "!" or not name.startswith("alias.")):
        run_text(run, value.lstrip("!"), arg, "a setting that runs a command")


def _cvs_root(run: Invocation, arg: Arg) -> None:
    """``cvs -d :ext:USER@HOST:/PLACE``."""
    found = re.match(r":(?:ext|pserver|server|gserver|kserver|fork)[^:]*:(?:[^@:]*@)?([\w.-]+):", arg.text)
    if found:
        run.hosts.append((found[1].lower(), arg))


def _server_conf(run: Invocation, arg: Arg) -> None:
    """What a web server is set up by: the folders that it hands out, and what it loads."""
    run.path("read", arg)
    text = run.runner.drafted(arg, run.state) or ""
    for name in re.findall(r"(?i)\b(?:root|alias|documentroot)\s+[\"']?(/[^\s;\"']*)", text[:_LONG]):
        run.path("read", Arg(name, arg.start, arg.end), ("recursive",))
    for name in re.findall(r"(?i)\b(?:load_module|loadmodule\s+\S+|loadfile)\s+[\"']?([^\s;\"']+)", text[:_LONG]):
        run.path("read", Arg(name, arg.start, arg.end))


def _mailer(run: Invocation, arg: Arg) -> None:
    """A program of one's own that is given the mail; a name without a slash is a host."""
    if "/" in arg.text or " " in arg.text:
        run_text(run, arg.text, arg, "an option that runs a command")


def _quoted(run: Invocation, arg: Arg) -> None:
    """An expression of a language in which a place can be quoted, such as XPath."""
    if not arg.text.startswith("//"):
        stray(run.runner, run.name, arg, run.state, is_run=True)


def _helper(run: Invocation, arg: Arg) -> None:
    """A program that works on what is read: the system's own and the repository's are honest, others a way round."""
    name = arg.text.partition(" ")[0]
    place = run.runner.place
    if name[:1] in {"/", "~"} and not name.startswith((*_SYSTEM, f"{place.repo}/")):
        escaped(run.runner, run.name, arg, f"runs {name[:80]}")
    run.runner.text(arg.text, arg, run.state.fork(), NOTHING)


def _kak(run: Invocation, arg: Arg) -> None:
    """``kak -e TEXT``: ``%sh{TEXT}`` is run by a shell, ``write FILE`` and ``edit FILE`` are what they say."""
    for text in re.findall(r"%sh\{([^}]*)\}", arg.text[:_LONG]):
        run_text(run, text, arg, "an expansion that runs a command")
    for verb, name in re.findall(r"\b(write|edit|source)(?:-all)?!?\s+(?:-\w+\s+)*([^\s;]+)", arg.text[:_LONG]):
        run.path("write" if verb == "write" else "read", Arg(name, arg.start, arg.end, arg.exact))


def _nothing(_run: Invocation, _arg: Arg) -> None:
    """Read by the program's own reader."""


OUTLET_ROLES: dict[str, Callable[[Invocation, Arg], None]] = {
    "proxy": _proxy, "fzf": _fzf, "rpm-macro": _macro, "bus": _bus, "lua-option": _lua_option, "nse": _nse,
    "apache": _apache, "apt-option": _apt, "path-script": _path_script, "opens-shell": _open_shell,
    "execute": _execute, "php-ini": _php_ini, "cargo-config": _cargo_config, "hg-config": _hg_config,
    "cvs-root": _cvs_root, "mailer": _mailer, "server-conf": _server_conf, "cow": _cow,
    "kak": _kak, "quoted": _quoted, "helper": _helper,
    "order": _nothing, "make-text": _nothing, "gdb-text": _nothing, "dos-text": _nothing,
    "start": _nothing,
    "rest": _nothing, "filter": _nothing, "prefix": _nothing, "stats": _nothing, "arch": _nothing,
}  # fmt: skip
"""The roles, by their words."""
