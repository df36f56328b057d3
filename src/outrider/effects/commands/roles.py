"""Roles: what a program does with one argument. The words that the tables are written in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.escape import escaped, is_shell, is_shell_path, shell_opened
from outrider.effects.commands.outlet_roles import OUTLET_ROLES
from outrider.effects.commands.sql_text import read_sql
from outrider.effects.shell.tree import Arg

if TYPE_CHECKING:
    from outrider.effects.commands.invocation import Invocation

_PORTS = {"http": 80, "https": 443, "ftp": 21, "ssh": 22, "git": 9418, "ws": 80, "wss": 443, "postgres": 5432,
          "postgresql": 5432, "redis": 6379, "mysql": 3306, "mongodb": 27017}  # fmt: skip
_SCP = re.compile(r"(?:([^@/:\s]+)@)?(\[[0-9a-fA-F:]+\]|[^/:@\s]+):(.*)\Z", re.DOTALL)
_HOST = re.compile(r"[\w.*-]+\Z")
_PACKAGE = re.compile(r"@?[A-Za-z0-9][\w./-]*")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def net_flags(arg: Arg, *, is_upload: bool = False) -> tuple[str, ...]:
    """Return the flags of a ``connect``."""
    flags = ("upload",) if is_upload else ()
    return flags if arg.exact else ("inexact", *flags)


def host_of(url: str, *, bare: bool = True) -> str:
    """Return ``host`` or ``host:port`` of a URL, lower case, default port dropped; empty if it has none.

    With ``bare``, text without a scheme is taken for ``host[:port]/...`` as ``curl`` does.
    """
    if not _URL.match(url):
        if not bare or url.startswith(("/", ".", "-")):
            return ""
        url = "http://" + url
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        after = url.partition("://")[2]
        return re.split(r"[/?#]", after, maxsplit=1)[0].rpartition("@")[2].lower()
    name = name.rstrip(".")
    if ":" in name:
        name = f"[{name}]"
    scheme = parts.scheme.rpartition("+")[2].lower() if "+" in parts.scheme else parts.scheme.lower()
    return name if port is None or port == _PORTS.get(scheme) else f"{name}:{port}"


def split_remote(text: str) -> tuple[str, str] | None:
    """Return host and path of ``user@host:path`` or a URL with a host; None for a local path."""
    if _URL.match(text):
        host = host_of(text, bare=False)
        return (host, "/" + text.partition("://")[2].partition("/")[2]) if host else None
    found = _SCP.match(text)
    if not found or (len(found[2]) == 1 and found[3].startswith("\\")):
        return None
    return found[2].lower(), found[3]


def _nothing(_run: Invocation, _arg: Arg) -> None:
    """Plain text: nothing happens."""


def _verbs(*verbs: str) -> Callable[[Invocation, Arg], None]:
    def role(run: Invocation, arg: Arg) -> None:
        for verb in verbs:
            run.path(verb, arg)  # type: ignore[arg-type]

    return role


def _tree(run: Invocation, arg: Arg) -> None:
    run.path("read", arg, ("recursive",))


def _names(run: Invocation, arg: Arg) -> None:
    """What is listed, not read; all below it if an option says so."""
    run.path("read", arg, ("names",) if "recursive" in run.flags else ())


def _walk(run: Invocation, arg: Arg) -> None:
    """What is listed with all below it."""
    run.path("read", arg, ("names", "recursive"))


def _move(run: Invocation, arg: Arg) -> None:
    """What is taken away, with all below it, and comes to be elsewhere."""
    run.path("read", arg, ("recursive",))
    run.path("delete", arg, ("moved", "recursive"))


def _rmtree(run: Invocation, arg: Arg) -> None:
    run.path("delete", arg, ("recursive",))


def _url(run: Invocation, arg: Arg) -> None:
    if arg.text.lower().startswith("file://"):
        run.path("read", Arg(arg.text[7:], arg.start, arg.end, arg.exact))
        return
    host = host_of(arg.text)
    if host:
        run.hosts.append((host, arg))
    elif not arg.exact:
        run.hosts.append((arg.text, arg))


def _url_if(run: Invocation, arg: Arg) -> None:
    """An argument that may be a URL: only one with a scheme counts."""
    if _URL.match(arg.text):
        _url(run, arg)


def _page(run: Invocation, arg: Arg) -> None:
    """A URL, or a file to show, which a help browser takes behind the kind of its text."""
    kind, _, path = arg.text.partition(":")
    if kind in {"man", "info", "ghelp", "help", "file"} and path[:1] == "/" and path[:2] != "//":
        run.path("read", Arg(path, arg.start, arg.end, arg.exact, arg.glob))
    elif _URL.match(arg.text):
        _url(run, arg)
    elif "/" in arg.text or arg.text.endswith((".html", ".htm", ".pdf")):
        run.path("read", arg)


def _host(run: Invocation, arg: Arg) -> None:
    text = arg.text.rpartition("@")[2]
    run.hosts.append((host_of(text) if _URL.match(text) else text.lower(), arg))


def _from(run: Invocation, arg: Arg) -> None:
    """A source that may be on another host (scp, rsync)."""
    remote = split_remote(arg.text)
    if remote is None:
        run.path("read", arg)
        return
    run.flags.add("far-source")
    run.hosts.append((remote[0], arg))


def _to(run: Invocation, arg: Arg) -> None:
    """A destination that may be on another host."""
    remote = split_remote(arg.text)
    if remote is None:
        run.path("write", arg)
        return
    run.flags.add("upload")
    run.hosts.append((remote[0], arg))


def _repo_url(run: Invocation, arg: Arg) -> None:
    """What is cloned or fetched: a URL, an scp-like address, or a local path."""
    remote = split_remote(arg.text)
    if remote is not None:
        run.hosts.append((remote[0].rpartition("@")[2], arg))
    elif arg.text.startswith(("/", ".", "~")) or run.name == "clone":
        run.path("read", arg, ("recursive",))


def _data(run: Invocation, arg: Arg) -> None:
    """``curl -d``: text that goes out, or ``@file``."""
    run.flags.add("upload")
    name, at, path = arg.text.partition("@")
    if at and (not name or name.endswith("=") or re.fullmatch(r"[\w.-]+", name)) and path:
        is_query = bool(name) and "=" in name
        if not is_query:
            run.path("read", Arg(path, arg.start, arg.end, arg.exact, arg.glob))


def _form(run: Invocation, arg: Arg) -> None:
    """``curl -F name=@file``."""
    run.flags.add("upload")
    value = arg.text.partition("=")[2]
    if value[:1] in {"@", "<"}:
        run.path("read", Arg(value[1:].split(";")[0].strip('"'), arg.start, arg.end, arg.exact, arg.glob))


def _upload(run: Invocation, arg: Arg) -> None:
    run.flags.add("upload")
    run.path("read", arg)


def _sent(run: Invocation, _arg: Arg) -> None:
    run.flags.add("upload")


def _method(run: Invocation, arg: Arg) -> None:
    if arg.text.upper() not in {"GET", "HEAD", "OPTIONS", "PROPFIND"}:
        run.flags.add("upload")


def _cookie(run: Invocation, arg: Arg) -> None:
    """``curl -b``: a file of cookies, unless it is ``name=value``."""
    if "=" not in arg.text:
        run.path("read", arg)


def _at_file(run: Invocation, arg: Arg) -> None:
    """Text, or the file behind ``@``."""
    if arg.text.startswith("@"):
        run.path("read", Arg(arg.text[1:], arg.start, arg.end, arg.exact))


def _shell(run: Invocation, arg: Arg) -> None:
    """Text that a shell runs."""
    if not arg.exact and arg.made:
        run.unparsed(arg, "runs text that is made while it runs")
    else:
        run.flow = run.runner.text(arg.text, arg, run.state, run.stdin)


def _escape(run: Invocation, arg: Arg) -> None:
    """Shell text that an option runs which honest work does not need."""
    escaped(run.runner, run.name, arg, "an option that runs a command")
    run.runner.text(arg.text.lstrip("!|"), arg, run.state.fork(), run.stdin)


def _library(run: Invocation, arg: Arg) -> None:
    """A library or plug-in that is loaded by an option which honest work does not need."""
    escaped(run.runner, run.name, arg, f"loads {arg.text[:120]}")
    run.path("read", arg)


def _at_list(run: Invocation, arg: Arg) -> None:
    """``@FILE`` holds more arguments; else a file to read."""
    run.path("read", Arg(arg.text.removeprefix("@"), arg.start, arg.end, arg.exact, arg.glob))


def _names_file(run: Invocation, arg: Arg) -> None:
    """A file, if the text looks like a path at all."""
    if "/" in arg.text:
        run.path("read", arg)


def _listen(run: Invocation, arg: Arg) -> None:
    """An address that this host can then be reached at."""
    run.emit("connect", "host", f"0.0.0.0:{arg.text.rpartition(':')[2]}", arg, ("upload",))


def _script(run: Invocation, arg: Arg) -> None:
    """A file that is run."""
    run.path("read", arg)
    run.runner.emit("opaque", "command", run.name, arg, (), f"runs {arg.text[:120]}")
    draft = run.runner.drafted(arg, run.state)
    if draft is not None:
        read_code(run, draft, arg)


def _code(run: Invocation, arg: Arg) -> None:
    """Code in another language, given as text."""
    run.runner.emit("opaque", "command", run.name, arg, (), "runs code given as text")
    read_code(run, arg.text, arg)


def _preload(run: Invocation, arg: Arg) -> None:
    """A library or module that is loaded into the program."""
    if is_shell_path(arg.text):
        shell_opened(run.runner, run.name, arg)
    elif "/" in arg.text:
        run.path("read", arg)
    run.runner.emit("opaque", "command", run.name, arg, (), f"loads {arg.text[:120]}")
    draft = run.runner.drafted(arg, run.state)
    if draft is not None:
        read_code(run, draft, arg)


def _journal(run: Invocation, arg: Arg) -> None:
    """What throws away old entries of the host's log."""
    run.path("delete", Arg("/var/log/journal", arg.start, arg.end), ("recursive",))


def _secret_keys(run: Invocation, arg: Arg) -> None:
    """``gpg --export-secret-keys``: private keys are printed."""
    run.emit("use_credential", "credential", "gpg:secret-keys", arg)


def _volume(run: Invocation, arg: Arg) -> None:
    """``docker -v host:inside[:ro]``: what is in it can be read and, unless ``ro``, written."""
    host, _, inside = arg.text.partition(":")
    if host.startswith(("/", ".", "~", "$")):
        path = Arg(host, arg.start, arg.end, arg.exact)
        run.path("read", path, ("recursive",))
        if not inside.endswith(":ro"):
            run.path("write", path, ("recursive",))


def _mount(run: Invocation, arg: Arg) -> None:
    """``docker --mount type=bind,source=...``."""
    fields = dict(part.partition("=")[::2] for part in arg.text.split(","))
    source = fields.get("source") or fields.get("src") or ""
    if source.startswith("/"):
        flags = "" if "readonly" in fields or "ro" in fields else ":rw"
        _volume(run, Arg(f"{source}:{'ro' if not flags else ''}", arg.start, arg.end, arg.exact))


def package(ecosystem: str, text: str) -> str:
    """Return ``ecosystem:name`` without version, extras or marker; ``:?`` if the text names no package."""
    if ecosystem in {"go", "docker"}:
        name = text.partition("@")[0]
    else:
        found = _PACKAGE.match(text)
        name = found[0] if found else ""
        if ecosystem == "pypi":
            name = re.sub(r"[-_.]+", "-", name.split("/")[0]).lower()
    return f"{ecosystem}:{name or '?'}"


def _package(ecosystem: str) -> Callable[[Invocation, Arg], None]:
    def role(run: Invocation, arg: Arg) -> None:
        text = arg.text
        doubt = () if arg.exact else ("inexact",)
        address = text.partition("git+")[2] or text.rpartition("@ ")[2]
        if _URL.match(address) or text.startswith("git@"):
            _repo_url(run, Arg(address if _URL.match(address) else text, arg.start, arg.end, arg.exact))
            where = address if _URL.match(address) else text
            run.emit("install", "package", f"{ecosystem}:{where}" if arg.exact else f"{ecosystem}:?", arg, doubt)
        elif text.startswith((".", "/", "~")) or text.endswith((".whl", ".tgz", ".tar.gz", ".deb", ".rpm", ".zip")):
            plain = text.partition("[")[0]
            run.path("read", Arg(plain, arg.start, arg.end, arg.exact, arg.glob))
            run.emit("install", "package", f"{ecosystem}:.", arg)
        elif not arg.exact or arg.glob:
            run.emit("install", "package", f"{ecosystem}:?", arg, ("inexact",))
        else:
            run.emit("install", "package", package(ecosystem, text), arg)
        run.flags.add("named")

    return role


def _cargo_git(run: Invocation, arg: Arg) -> None:
    """``cargo install --git URL``: a package that comes from a repository, not from a registry."""
    _repo_url(run, arg)
    run.emit(
        "install", "package", f"cargo:{arg.text}" if arg.exact else "cargo:?", arg, () if arg.exact else ("inexact",)
    )


def _requirements(ecosystem: str) -> Callable[[Invocation, Arg], None]:
    def role(run: Invocation, arg: Arg) -> None:
        if _URL.match(arg.text):
            _url(run, arg)
        else:
            run.path("read", arg)
        run.emit("install", "package", f"{ecosystem}:?", arg, ("inexact",))
        run.flags.add("named")

    return role


def _local_package(ecosystem: str) -> Callable[[Invocation, Arg], None]:
    """``pip install -e PATH``."""
    packaged = _package(ecosystem)

    def role(run: Invocation, arg: Arg) -> None:
        text = arg.text.partition("[")[0] or "."
        packaged(run, Arg(text if "/" in text or text == "." else f"./{text}", arg.start, arg.end, arg.exact))

    return role


_FETCHED = re.compile(
    r"(outrider|aider|opencode|codex|gemini|qwen|claude|cline|goose|crush|droid|kilocode|prisma|sequelize-cli|sequelize|knex|typeorm|drizzle-kit|wrangler|vercel|netlify|firebase|supabase|"
    r"serverless|sls|cdk|railway|amplify)(?:@[\w.^~-]+)?\Z"
)
"""Packages whose program goes by their name, and does what can be told from its arguments."""


def _runner_of(ecosystem: str) -> Callable[[Invocation, Arg], None]:
    """``npx PROGRAM``, ``uvx PROGRAM``: installed if it is not there, then run."""

    def role(run: Invocation, arg: Arg) -> None:
        if "named" not in run.flags:
            _package(ecosystem)(run, arg)
        if is_shell(arg.text):
            shell_opened(run.runner, run.name, arg)
        run.runner.emit("opaque", "command", arg.text, arg, (), "runs what it installs")
        known = _FETCHED.match(arg.text)
        if known:
            rest = run.rest[run.rest.index(arg) + 1 :] if arg in run.rest else []
            run.runner.program([Arg(known[1], arg.start, arg.end), *rest], run.state, run.stdin)

    return role


def _script_file(run: Invocation, arg: Arg) -> None:
    """A file of sed's or awk's own language: it may read, write and run."""
    run.path("read", arg)
    run.runner.emit("opaque", "command", run.name, arg, (), f"runs {arg.text[:120]}")


def _sql(run: Invocation, arg: Arg) -> None:
    r"""SQL text: ``\\!``, ``COPY ... PROGRAM`` and their kin run programs."""
    if re.search(
        r"(?i)\\!|\bprogram\b|\binto\s+(outfile|dumpfile)\b|load_file\s*\(|pg_read_file|lo_import|\\o\b|\\copy",
        arg.text,
    ):
        run.runner.emit("opaque", "command", run.name, arg, (), "its text may touch files or run programs")
    read_sql(run, arg.text, arg)


_ECOSYSTEMS = ("pypi", "npm", "cargo", "go", "gem", "deb", "rpm", "apk", "brew", "docker", "composer", "snap", "nix",
               "vscode", "conda", "helm", "nuget", "luarocks")  # fmt: skip

ROLES: dict[str, Callable[[Invocation, Arg], None]] = {
    "text": _nothing,
    "pattern": _nothing,
    "patterns": _verbs("read"),
    "sed": _nothing,
    "awk": _nothing,
    "read": _verbs("read"),
    "list": _verbs("read"),
    "names": _names,
    "walk": _walk,
    "write": _verbs("write"),
    "edit": _verbs("read", "write"),
    "delete": _verbs("delete"),
    "move": _move,
    "replace": _verbs("read", "write", "delete"),
    "tree": _tree,
    "rmtree": _rmtree,
    "url": _url,
    "url-if": _url_if,
    "host": _host,
    "from": _from,
    "to": _to,
    "repo-url": _repo_url,
    "data": _data,
    "form": _form,
    "upload": _upload,
    "sent": _sent,
    "method": _method,
    "cookie": _cookie,
    "at-file": _at_file,
    "shell": _shell,
    "script": _script,
    "code": _code,
    "preload": _preload,
    "escape": _escape,
    "library": _library,
    "page": _page,
    "at-list": _at_list,
    "assign": _nothing,
    "ex": _nothing,
    "path-if": _names_file,
    "listen": _listen,
    "sed-file": _script_file,
    "awk-file": _script_file,
    "sql": _sql,
    "sql-file": _upload,
    "git-file": _nothing,
    "git-key": _nothing,
    "cargo-git": _cargo_git,
    "npm-run": _runner_of("npm"),
    "pypi-run": _runner_of("pypi"),
    **OUTLET_ROLES,
    "journal": _journal,
    "secret-keys": _secret_keys,
    "volume": _volume,
    "mount": _mount,
    **{f"{name}-package": _package(name) for name in _ECOSYSTEMS},
    **{f"{name}-file": _requirements(name) for name in _ECOSYSTEMS},
    **{f"{name}-local": _local_package(name) for name in _ECOSYSTEMS},
}
"""Every role by its word. ``program``, ``target`` and ``chdir`` beside these are the invocation's own."""

OWN_ROLES = frozenset({"program", "target", "chdir"})
FLAG_ROLES = frozenset(
    [
        "create",
        "decode",
        "delete",
        "dry",
        "edit",
        "files",
        "forced",
        "get",
        "global",
        "hard",
        "keep",
        "link",
        "list",
        "listen",
        "login",
        "move",
        "noargs",
        "number",
        "recursive",
        "stdin",
        "stdout",
        "system",
        "upload",
        "write",
    ]
)
"""What an option without a value may set."""
