"""Readers of programs that reach other hosts."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

from outrider.effects.commands.escape import shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.databases import asked_over_http
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES, host_of, net_flags
from outrider.effects.commands.sql_drops import console_drops
from outrider.effects.commands.sql_text import read_sql
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def ssh_host(text: str, port: str = "") -> str:
    """Return ``host`` or ``host:port`` of ``user@host`` or ``ssh://user@host:port``."""
    if _URL.match(text):
        return host_of(text)
    name = text.rpartition("@")[2].lower()
    return f"{name}:{port}" if port and port != "22" else name


def after_host(arg: Arg, *, has_input: bool) -> tuple[str, ...]:
    """Return the flags of a connection that may be given input."""
    return net_flags(arg, is_upload=has_input)


def curl(run: Invocation) -> Flow:
    """``curl``: ``-O`` writes into the directory, ``-d`` and its kin send, ``-G`` puts the data into the URL."""
    run.words = [*run.words, *_configured(run)]
    run.read_options()
    run.apply()
    is_read = not run.rest and not any(role == "url" for role, _ in run.given)
    if is_read and any(word.text in {"-K", "--config"} for word in run.words):
        run.opaque("takes its addresses from a file")
    for _, arg in list(run.hosts):
        if "create" in run.flags:
            name = posixpath.basename(urlsplit_path(arg.text)) or "*"
            _fetched(run, _folder(run, "--output-dir"), Arg(name, arg.start, arg.end, arg.exact, glob=name == "*"))
    if "upload" in run.flags and any(w.text.endswith("@-") or w.text in {"-", "."} for w in run.words):
        run.flags.add("upload")
    if any(role == "write" for role, _ in run.given) and not run.flow:
        run.flow = Flow(origin="network")
    _asked(run)
    for option, socket in zip(run.words, run.words[1:], strict=False):
        if option.text in {"--unix-socket", "--abstract-unix-socket"}:
            run.path("write", socket)
    return run.finish()


def _configured(run: Invocation) -> list[Arg]:
    """Return the options that ``-K FILE`` holds, where the text of that file is known."""
    found: list[Arg] = []
    for option, value in zip(run.words, run.words[1:], strict=False):
        if option.text in {"-K", "--config"} or option.text.startswith("--config="):
            source = part(option, option.text[9:]) if "=" in option.text else value
            is_input = source.text in {"-", "/dev/stdin", "/dev/fd/63"}
            found += _lines(run.stdin.text if is_input else run.runner.drafted(source, run.state), source)
    last = run.words[-1] if run.words else run.at
    if last.text.startswith("--config=") or last.text == "-K-":
        found += _lines(run.stdin.text, last)
    return found


def _lines(text: str | None, at: Arg) -> list[Arg]:
    words: list[Arg] = []
    for line in (text or "")[:4096].splitlines():
        named = re.match(r"\s*-{0,2}([\w-]+)\s*(?:[=:\s]\s*)?\"?([^\"]*)\"?\s*\Z", line)
        if named and not line.lstrip().startswith("#"):
            dashes = "-" if len(named[1]) == 1 else "--"
            words.append(part(at, dashes + named[1]))
            words += [part(at, named[2])] if named[2] else []
    return words


def _asked(run: Invocation) -> None:
    """Note what a request does to a service that keeps data, and whether all of it only looks."""
    method = next((arg.text.upper() for role, arg in run.given if role == "method"), "")
    is_head = any(word.text in {"-I", "--head", "-sI", "-Is", "-sSI", "-IL", "-LI", "-sIL"} for word in run.words)
    method = method or ("HEAD" if is_head else "POST" if "upload" in run.flags and "get" not in run.flags else "GET")
    urls = [*run.rest, *(arg for role, arg in run.given if role == "url")]
    looks = [asked_over_http(run, method, arg.text, arg) or (is_head and _is_bare(arg)) for arg in urls]
    if urls and all(looks) and all(arg.exact and not arg.made for arg in urls):
        run.flags.add("looks")


def _is_bare(arg: Arg) -> bool:
    """Whether a URL is too plain to carry anything out: no query, no user, a short path."""
    host, _, path = (arg.text.partition("://")[2] or arg.text).partition("/")
    return arg.exact and "?" not in path and "@" not in host and len(path) <= _MOST_NAME and _is_plain_name(host)


def urlsplit_path(url: str) -> str:
    """Return the path of a URL, or an empty text."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def wget(run: Invocation) -> Flow:
    """``wget``: writes what it fetches into the directory, unless told where."""
    run.read_options()
    run.apply()
    is_told = any(word.text.startswith(("-O", "--output-document", "-P", "--directory-prefix", "-d", "--dir",
        "--spider"))
                  or (word.text[:1] == "-" and word.text[1:2] != "-"
                      and "O" in word.text) for word in run.words)  # fmt: skip
    if any(word.text == "--spider" for word in run.words):
        run.finish()
        return NOTHING  # It only looks whether the page is there, and prints nothing.
    folder = _folder(run, "-P", "--directory-prefix")
    if not is_told or folder is not None:
        for _, arg in list(run.hosts):
            name = posixpath.basename(urlsplit_path(arg.text)) or "index.html"
            _fetched(run, folder, Arg(name, arg.start, arg.end, arg.exact))
    return run.finish()


def _folder(run: Invocation, *names: str) -> Arg | None:
    """Return the folder that an option says what is fetched goes to."""
    for at, word in enumerate(run.words):
        for name in names:
            if word.text == name and at + 1 < len(run.words):
                return run.words[at + 1]
            if word.text.startswith(name) and len(word.text) > len(name):
                return Arg(word.text[len(name) :].removeprefix("="), word.start, word.end, word.exact)
    return None


def _fetched(run: Invocation, folder: Arg | None, name: Arg) -> None:
    if folder is None:
        run.path("write", name)
        return
    exact = name.exact and folder.exact
    text = f"{folder.text.rstrip('/')}/{name.text}"
    run.path("write", Arg(text, name.start, name.end, exact, name.glob or folder.glob))


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"})


def httpie(run: Invocation) -> Flow:
    """``http [METHOD] URL [ITEM...]``: items are data."""
    run.read_options()
    for role, arg in run.given:
        ROLES[role](run, arg)
    rest = run.rest
    if any(word.text == "--offline" for word in run.words):
        return UNKNOWN
    if rest and rest[0].text.upper() in _METHODS:
        ROLES["method"](run, part(rest[0], rest[0].text.upper()))
        rest = rest[1:]
    if rest:
        url = rest[0].text
        ROLES["url"](run, part(rest[0], "localhost" + url if url.startswith(":") else url))
        if rest is not run.rest:
            asked_over_http(run, run.rest[0].text, url, rest[0])
    for item in rest[1:]:
        if "==" in item.text or re.match(r"[\w-]+:(?!=)", item.text):
            continue
        run.flags.add("upload")
        _, at, path = item.text.partition("@")
        if at:
            run.path("read", part(item, path))
    if run.stdin.some and run.stdin.origin == "file":
        run.flags.add("upload")
    return run.finish()


def netcat(run: Invocation) -> Flow:
    """``nc HOST PORT``: with input it is an upload; ``-e`` hands a program to the other end."""
    run.read_options()
    for place, word in enumerate(run.words):
        name, _, value = word.text.partition("=")
        if name in {"-e", "-c", "--exec", "--sh-exec"} or (
            re.fullmatch(r"-[a-z]*e", name) and run.name != "nc.openbsd"
        ):
            program = part(word, value) if value else run.words[place + 1] if place + 1 < len(run.words) else None
            if (program is not None and name != "-c") or (program is not None and " " in program.text):
                run.runner.text(program.text, program, run.state.fork(), UNKNOWN)
            run.unparsed(word, "hands a program to another host")
    rest = [arg for arg in run.rest if not arg.text.startswith("/bin/")]
    if "listen" in run.flags:
        port = rest[-1].text if rest else ""
        run.emit("connect", "host", f"0.0.0.0:{port}".rstrip(":"), run.at, ("upload",) if run.stdin.some else ())
        return Flow(origin="network")
    if rest:
        host = rest[0]
        port = rest[1].text if len(rest) > 1 else ""
        value = f"{host.text.lower()}:{port}" if port else host.text.lower()
        if re.fullmatch(r"\d+-\d+", port):
            run.emit("connect", "host", value, host, (*net_flags(host), "sweep"))
        elif any(word.text.startswith("-") and "z" in word.text for word in run.words):
            is_knock = host.exact and not run.stdin.some and _is_plain_name(host.text) and port.isdigit()
            run.emit("connect", "host", value, host, KNOCK if is_knock else net_flags(host))
        else:
            run.emit("connect", "host", value, host, net_flags(host, is_upload=run.stdin.some))
    return Flow(origin="network")


def socat(run: Invocation) -> Flow:
    """``socat ADDRESS ADDRESS``."""
    run.read_options()
    for arg in run.rest:
        kind, _, tail = arg.text.partition(":")
        kind = kind.upper()
        if kind.startswith(("EXEC", "SYSTEM", "SHELL")):
            run.runner.text(tail.split(",")[0], arg, run.state.fork(), UNKNOWN)
            run.unparsed(arg, "hands a program to another end")
        elif kind.startswith(("TCP", "UDP", "OPENSSL", "SSL", "SCTP", "PROXY", "SOCKS")):
            is_listen = "LISTEN" in kind
            host = f"0.0.0.0:{tail.split(',')[0]}" if is_listen else tail.split(",")[0].lower()
            run.emit("connect", "host", host, arg, ("upload",))
        elif kind.startswith(("FILE", "OPEN", "CREATE", "GOPEN", "UNIX")):
            run.path("read", part(arg, tail.split(",")[0]))
            run.path("write", part(arg, tail.split(",")[0]))
    return Flow(origin="network")


def talk(run: Invocation) -> Flow:
    """``telnet HOST PORT``, ``ftp HOST``."""
    run.read_options()
    if run.rest:
        host = run.rest[0]
        port = f":{run.rest[1].text}" if len(run.rest) > 1 and run.rest[1].text.isdigit() else ""
        name = host_of(host.text) if _URL.match(host.text) else host.text.rpartition("@")[2].lower() + port
        run.emit("connect", "host", name, host, net_flags(host, is_upload=run.stdin.some))
    return run.finish()


KNOCK = ("looks",)
"""Flags of a connection by which nothing goes out but the name of a host."""
_KNOCKERS = frozenset({"ping", "ping6", "traceroute", "tracepath", "mtr", "arping", "fping"})
_MOST_NAME, _MOST_LABEL = 60, 30
_ALL = frozenset({"-g", "--generate", "-ag", "-gaq", "-asgq", "-aqg", "-agq"})
"""What makes ``fping`` ask every address between two."""


def _is_plain_name(text: str) -> bool:
    """Whether a host's name is short enough to be only that: it can carry data to whoever answers for its domain."""
    name = text.rpartition("@")[2]
    return len(name) <= _MOST_NAME and all(
        len(label) <= _MOST_LABEL and sum(map(str.isdigit, label)) <= 10 for label in name.split(".")
    )


def ping(run: Invocation) -> Flow:
    """Programs that only knock."""
    run.read_options()
    is_one = run.name in _KNOCKERS
    for arg in run.rest:
        if not arg.text.isdigit():
            is_knock = is_one and arg.exact and _is_plain_name(arg.text)
            flags = KNOCK if is_knock else net_flags(arg)
            if is_range(arg.text) or (run.name == "fping" and any(word.text in _ALL for word in run.words)):
                flags = (*net_flags(arg), "sweep")
            run.emit("connect", "host", host_of(arg.text) or arg.text.lower(), arg, flags)
    for role, arg in run.given:
        if role in {"read", "write"}:
            run.path("read" if role == "read" else "write", arg)
    return UNKNOWN


def nmap(run: Invocation) -> Flow:
    """``nmap``: ``-oG=FILE`` writes, ``--script FILE`` runs, ``--interactive`` is a console."""
    for word in run.words:
        found = re.match(r"-o[NXGAS]=?(.+)|-iL=?(.+)", word.text)
        if found:
            run.path("write" if found[1] else "read", part(word, found[1] or found[2]))
    run.read_options()
    if "listen" in run.flags:
        shell_opened(run.runner, run.name, run.at)
    for role, arg in run.given:
        if role == "nse":
            ROLES["nse"](run, arg)
        elif role in {"read", "write"}:
            run.path("read" if role == "read" else "write", arg)
    is_list = any(word.text.startswith(("-iL", "-iR")) for word in run.words)
    for arg in run.rest:
        flags = (*net_flags(arg), "sweep") if is_range(arg.text) or len(run.rest) > 4 else net_flags(arg)
        run.emit("connect", "host", host_of(arg.text) or arg.text.lower(), arg, flags)
    if is_list:
        run.emit("connect", "host", "?", run.at, ("sweep",))
    return UNKNOWN


_RANGE = re.compile(r"[\d.:a-fA-F]+/(\d{1,3})\Z|(?:[\d*,-]+\.){1,3}[\d*,-]+\Z|[\w.-]+/(\d{1,3})\Z")


def is_range(text: str) -> bool:
    """Whether an address names more than one host: ``10.0.0.0/24``, ``10.0.0.1-99``, ``10.0.0.*``."""
    found = _RANGE.match(text)
    if found is None:
        return False
    length = found[1] or found[2]
    if length:
        return int(length) < (126 if ":" in text else 30)
    return any(sign in text for sign in "*,-")


def sweeper(run: Invocation) -> Flow:
    """Programs whose whole work is to ask every host of a network."""
    run.read_options()
    for role, arg in run.given:
        if role in {"read", "write"}:
            run.path("read" if role == "read" else "write", arg)
    for arg in run.rest or [run.at]:
        one = re.fullmatch(r"[\d.]+(?:/32)?|\[?[\da-f:]+\]?(?:/128)?|[\w-]+(?:\.[\w-]+)+", arg.text) is not None
        flags = net_flags(arg) if one else (*net_flags(arg), "sweep")
        run.emit("connect", "host", host_of(arg.text) or arg.text.lower(), arg, flags)
    return UNKNOWN


def capture(run: Invocation) -> Flow:
    """``tcpdump -z COMMAND``, ``tshark -X lua_script:FILE``."""
    run.read_options()
    for role, arg in run.given:
        if role == "stats":
            if run.name == "tcpdump":
                ROLES["escape"](run, arg)
        else:
            ROLES[role](run, arg)
    if not any(role == "read" for role, _ in run.given) and not any(
        w.text in {"-D", "--version", "-v", "-h", "-L", "-G"} for w in run.words
    ):
        run.path("read", Arg("/dev/bpf", run.at.start, run.at.end))  # Where the traffic comes from, as BSD names it.
    return UNKNOWN


def lookup(run: Invocation) -> Flow:
    """Name look-ups: the name itself goes out, so a made one is an upload."""
    run.read_options()
    for role, arg in run.given:
        if role == "read":
            run.path("read", arg)
        elif role == "host":
            run.emit("connect", "host", arg.text.lower(), arg, ("upload",))
    for arg in run.rest:
        text = arg.text
        if text.startswith("@"):
            is_knock = arg.exact and all(one.exact for one in run.rest)
            run.emit("connect", "host", text[1:].lower(), arg, KNOCK if is_knock else ())
        elif "." in text or not arg.exact:
            flags = ("covert", "inexact", "upload") if arg.made else net_flags(arg)
            if arg.glob:
                flags = ("covert", "inexact", "upload")  # Made by another command, if only a name or a number.
            elif arg.exact and _is_plain_name(text) and " " not in text:
                flags = KNOCK
            run.emit("connect", "host", text.lower().rstrip("."), arg, flags)
    return UNKNOWN


def keygen(run: Invocation) -> Flow:
    """``ssh-keygen``: ``-f`` is written when a key is made, read when one is looked at."""
    run.read_options()
    looks = any(re.match(r"-[a-zA-Z]*[lyFBe]", word.text) and word.text[1:2] != "-" for word in run.words)
    target = next((arg for role, arg in run.given if role == "write"), None)
    if target is not None:
        run.path("read" if looks else "write", target)
    elif not looks:
        run.path("write", Arg(run.runner.place.home + "/.ssh/", run.at.start, run.at.end))
    return UNKNOWN


def copy_id(run: Invocation) -> Flow:
    """``ssh-copy-id``: from now on whoever has the key is let in there."""
    run.read_options()
    run.apply()
    run.emit("deploy", "tool", "ssh:copy-id", run.at)
    return run.finish()


def rclone(run: Invocation) -> Flow:
    """``rclone copy SOURCE DEST``: ``remote:path`` or ``s3://bucket/path`` is elsewhere."""
    run.read_options()
    command = run.rest[0].text if run.rest else ""
    paths = run.rest[1:]
    if command in {"rm", "rb", "del", "delete", "deletefile", "purge", "rmdirs", "cleanup", "remove"}:
        run.emit("deploy", "tool", f"{run.name}:{command}", run.at, ("forced",))
    for place, arg in enumerate(paths):
        is_far = ":" in arg.text and not arg.text.startswith(("/", "."))
        is_last = place == len(paths) - 1 and len(paths) > 1
        if is_far:
            host = arg.text.partition("://")[2].partition("/")[0] or arg.text.partition(":")[0]
            run.emit("connect", "host", host.lower() or "?", arg, net_flags(arg, is_upload=is_last))
        elif command in {"copy", "sync", "move", "cp", "mv", "rsync", "mirror", "put", "get", "copyto"}:
            run.path("write" if is_last else "read", arg)
    return UNKNOWN


def mail(run: Invocation) -> Flow:
    """Mail leaves this host."""
    run.read_options()
    for role, arg in run.given:
        ROLES[role](run, arg)
    for arg in run.rest:
        host = arg.text.rpartition("@")[2] if "@" in arg.text else ""
        run.emit("connect", "host", host.lower() or "mail", arg, net_flags(arg, is_upload=True))
    return UNKNOWN


def tunnel(run: Invocation) -> Flow:
    """Programs that open this host to the outside."""
    words = [word.text for word in run.words]
    if words[:1] in (["--version"], ["version"], ["--help"], ["help"], ["config"], ["login"]):
        return UNKNOWN
    run.emit("connect", "host", run.name, run.at, ("tunnel", "upload"))
    run.opaque("opens this host to the outside")
    return UNKNOWN


def database(run: Invocation) -> Flow:
    """Clients of databases: where they connect, and what in their SQL touches files."""
    run.read_options()
    for role, arg in run.given:
        ROLES[role](run, arg)
    console_drops(run)
    for arg in run.rest:
        if _URL.match(arg.text):
            ROLES["url"](run, arg)
        elif "host=" in arg.text:
            found = re.search(r"\bhost=([^\s]+)", arg.text)
            if found and not found[1].startswith("/"):
                run.hosts.append((found[1].lower(), arg))
    if not run.hosts:
        run.hosts.append(("localhost", run.at))
    if run.stdin.text is not None:
        read_sql(run, run.stdin.text, run.at)
    if run.stdin.some or any(role in {"sql", "sql-file"} for role, _ in run.given):
        run.flags.add("upload")
    return run.finish()


def sqlite(run: Invocation) -> Flow:
    """``sqlite3 FILE SQL``: dot commands can write files and run a shell."""
    run.read_options()
    if run.rest:
        run.path("read", run.rest[0])
        texts = list(run.rest[1:])
        is_look = bool(texts) and all(
            re.match(r"(?is)\s*(select|explain|pragma|with|\.(tables|schema|dump|headers|mode))", a.text) for a in texts
        )
        if "list" not in run.flags and not is_look:
            run.path("write", run.rest[0])
        for arg in texts:
            if re.search(
                r"(?im)^\s*\.(shell|system|load|excel|once|output|read|import|backup|save|archive)\b|load_extension|writefile",
                arg.text,
            ):
                run.opaque("its text may write files or run commands")
            read_sql(run, arg.text, arg)
    for role, arg in run.given:
        if role == "path-if":
            run.path("read", arg)
        elif role == "sql":
            read_sql(run, arg.text, arg)
    if run.stdin.text is not None:
        read_sql(run, run.stdin.text, run.at)
    return UNKNOWN


READERS = {
    "curl": curl, "wget": wget, "httpie": httpie, "netcat": netcat, "socat": socat, "talk": talk, "ping": ping,
    "lookup": lookup, "keygen": keygen, "rclone": rclone, "mail": mail, "tunnel": tunnel, "database": database,
    "sqlite": sqlite, "nmap": nmap, "sweeper": sweeper, "copy-id": copy_id, "capture": capture,
}  # fmt: skip
