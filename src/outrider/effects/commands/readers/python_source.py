"""A reading of Python given as text: what its calls on known values do; everything else stays opaque."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable

from outrider.effects.commands.code_text import note_decoded
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.python_values import Values
from outrider.effects.commands.roles import host_of
from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg

MAX_SOURCE = 64 * 1024
"""Longest source that is read, in characters."""
MAX_NESTED = 4
"""Sources inside one another (``exec(...)``) that are read."""

_READS = frozenset({"os.listdir", "os.scandir", "os.walk", "os.stat", "shutil.copy", "shutil.copyfile",
    "shutil.copytree",
                    "runpy.run_path", "glob.glob", "linecache.getlines", "shutil.copy2"})  # fmt: skip
_DELETES = frozenset({"os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree", "shutil.move",
    "os.rename",
                      "os.replace"})  # fmt: skip
_WRITES = frozenset({"os.mkdir", "os.makedirs", "os.truncate", "os.chmod", "os.chown", "os.mkfifo"})
_SECOND = frozenset({"shutil.copy", "shutil.copyfile", "shutil.copytree", "shutil.copy2", "shutil.move", "os.rename",
                     "os.replace", "os.symlink", "os.link"})  # fmt: skip
_SHELLS = frozenset(
    {
        "os.system",
        "os.popen",
        "asyncio.create_subprocess_shell",
        "posix.system",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "commands.getoutput",
    }
)
_PROGRAMS = frozenset(
    {
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
        "sh.Command",
    }
)
_MIGHTY = frozenset(
    {"os", "subprocess", "shutil", "socket", "ctypes", "importlib", "pty", "asyncio", "multiprocessing"}
)
_NET = frozenset(
    {"urllib.request.urlopen", "urllib.request.urlretrieve", "urlopen", "urlretrieve", "urllib.request.Request"}
)
_NET_HEADS = frozenset({"requests", "httpx", "urllib3", "aiohttp"})
_NET_TAILS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"})
_PATH_METHODS = {"read_text": "read", "read_bytes": "read", "write_text": "write", "write_bytes": "write",
                 "unlink": "delete", "rmdir": "delete", "mkdir": "write", "touch": "write", "iterdir": "read",
                 "exists": "read"}  # fmt: skip
_CONNECTS = frozenset({"connect", "connect_ex", "create_connection", "open_connection", "HTTPConnection",
    "HTTPSConnection", "FTP", "SMTP", "SMTP_SSL", "sendto"})  # fmt: skip
_QUIET = frozenset({"print", "len", "str", "int", "repr", "sorted", "list", "dict", "set", "range", "sum", "min", "max",
                    "json.loads", "json.dumps", "json.load", "json.dump", "sys.exit", "enumerate", "zip", "map", "type",
                    "isinstance", "float", "abs", "round", "any", "all", "dir", "help", "id", "hash"})  # fmt: skip
_QUIET_MODULES = frozenset({"sys", "json", "math", "re", "datetime", "itertools", "collections", "textwrap",
    "string", "os",
                            "os.path", "pathlib", "shutil", "subprocess", "time", "base64", "hashlib", "platform",
                            "random", "statistics", "functools", "operator", "csv", "urllib.request", "urllib",
                            "urllib.parse", "glob", "tomllib", "uuid", "decimal", "fractions", "struct"})  # fmt: skip


def read_source(run: Invocation, source: str, at: Arg, args: tuple[str, ...] = ("-c",)) -> None:
    """Note what the calls in Python ``source`` do; ``opaque`` unless everything in it is plainly harmless.

    ``args`` are the program's own arguments, its name first.
    """
    if run.name.startswith("ipython"):
        for line in source.splitlines():
            if line.lstrip().startswith(("!", "%sx ", "%%bash", "%%sh")):
                run.runner.text(line.lstrip(" !%").removeprefix("sx "), at, run.state.fork(), NOTHING)
    if not _Source(run, at, args).read(source, 0):
        run.runner.emit("opaque", "command", run.name, at, (), "runs code given as text")
        note_decoded(run, source[:MAX_SOURCE], at)


def _parse(source: str) -> ast.Module | None:
    if len(source) > MAX_SOURCE or source.count("(") + source.count("[") > 2000:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Source:
    """One reading of Python source.

    Attributes:
        run: The interpreter's run.
        at: Where the source stands.
        args: The program's own arguments.
        values: What its names stand for.
        fetches: Whether it asks another host for something.
    """

    def __init__(self, run: Invocation, at: Arg, args: tuple[str, ...]) -> None:
        self.run, self.at, self.args = run, at, args
        self.values = Values(ast.Module([], []), {}, args, run.runner.place.home)
        self.fetches = False

    def read(self, source: str, depth: int) -> bool:
        """Note what the source does; return whether that is all that it can do."""
        tree = _parse(source)
        if tree is None:
            return False
        held = self.run.state.vars.items()
        env = {name: value[0].text for name, value in held if len(value) == 1 and value[0].exact}
        outer, self.values = self.values, Values(tree, env, self.args, self.run.runner.place.home)
        is_plain = True
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        self.fetches = self.fetches or any(_is_net(self.values.name(node.func)) for node in calls)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                is_plain = is_plain and all(name in _QUIET_MODULES for name in names)
            elif isinstance(node, ast.Call):
                is_plain = self.call(node, depth) and is_plain
        self.values = outer
        return is_plain

    def call(self, node: ast.Call, depth: int) -> bool:
        """Note what one call does; return whether that is all it can do."""
        values = self.values
        name = values.name(node.func)
        text = values.text(node.args[0]) if node.args else None
        for known, reader in _READERS:
            if known(name):
                return reader(self, node, name, text)
        if name in {"exec", "eval", "builtins.exec", "runpy.run_string"} and node.args:
            inner = node.args[0]
            if isinstance(inner, ast.Call) and values.name(inner.func) == "compile" and inner.args:
                text = values.text(inner.args[0])
            self.fetched(text)
            return text is not None and depth < MAX_NESTED and self.read(text, depth + 1)
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func, name)
        return name in _QUIET or name in {"open", "Path", "pathlib.Path", "compile"} or _is_made_here(name)

    def fetched(self, text: str | None) -> None:
        """Note that a source which fetches something runs text that is not known."""
        if text is None and self.fetches:
            self.run.unparsed(self.at, "runs what it may have downloaded")

    def method(self, node: ast.Call, func: ast.Attribute, name: str) -> bool:
        """Note what a method of a path or a connection does."""
        verb = _PATH_METHODS.get(func.attr)
        base = self.values.text(func.value)
        if verb and self.is_path(func.value):
            self.path(verb, base)
            return True
        if func.attr in {"rename", "replace", "symlink_to", "hardlink_to"} and self.is_path(func.value):
            if func.attr in {"rename", "replace"}:
                self.path("delete", base)
            self.path("write", self.values.text(node.args[0]) if node.args else None)
            return True
        if func.attr == "open" and self.is_path(func.value):
            return _open(self, ast.Call(func, [func.value, *node.args], node.keywords), name, base)
        host = self.peer(node)
        if host:
            self.run.runner.emit("connect", "host", host, self.at, ("upload",))
        return not name or name.split(".", maxsplit=1)[0] not in _MIGHTY

    def is_path(self, node: ast.AST) -> bool:
        """Return whether an expression is a ``Path``."""
        if isinstance(node, ast.Name):
            held = self.values.names.get(node.id)
            return held is not None and not isinstance(held, ast.Name) and self.is_path(held)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Div) and self.is_path(node.left)
        if isinstance(node, ast.Attribute):
            return node.attr == "parent" and self.is_path(node.value)
        if isinstance(node, ast.Call):
            is_made = self.values.name(node.func).startswith(("pathlib.Path", "Path", "pathlib.PosixPath"))
            return is_made or (isinstance(node.func, ast.Attribute) and self.is_path(node.func.value))
        return False

    def peer(self, node: ast.Call) -> str:
        """Return where ``socket.connect((HOST, PORT))`` and its kin lead, or an empty text."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in _CONNECTS or not node.args:
            return ""
        first = node.args[0]
        parts = first.elts if isinstance(first, ast.Tuple) else node.args[:2]
        host = self.values.text(parts[0]) if parts else None
        if not host:
            return "?" if node.func.attr in {"connect", "connect_ex", "create_connection"} else ""
        number = self.values.text(parts[1]) if len(parts) > 1 else None
        return f"{host.lower()}:{number}" if number and number.isdigit() else host.lower()

    def path(self, verb: str, text: str | None) -> None:
        """Note an effect on a path; one that is not known is said to be so."""
        arg = Arg(text if text is not None else "?", self.at.start, self.at.end, exact=text is not None)
        self.run.runner.path(verb, arg, self.run.state)  # type: ignore[arg-type]

    def program(self, words: list[str | None]) -> bool:
        """Run a program given as a list of words."""
        at = self.at
        args = [Arg(word if word is not None else "?", at.start, at.end, exact=word is not None) for word in words]
        if args:
            self.run.runner.program(args, self.run.state.fork(), NOTHING)
        return bool(args)


def _is_made_here(name: str) -> bool:
    return name[:1].isupper() and name.endswith(("Error", "Exception"))


def _open(source: _Source, node: ast.Call, _name: str, text: str | None) -> bool:
    mode = source.values.text(node.args[1]) if len(node.args) > 1 else None
    for keyword in node.keywords:
        if keyword.arg == "mode":
            mode = source.values.text(keyword.value) or "w"
    if len(node.args) > 1 and mode is None:
        mode = "r+"
    mode = mode or "r"
    if "r" in mode or "+" in mode:
        source.path("read", text)
    if set(mode) & set("wax+"):
        source.path("write", text)
    return True


def _files(source: _Source, node: ast.Call, name: str, text: str | None) -> bool:
    if name in _READS:
        source.path("read", text)
    if name in _WRITES:
        source.path("write", text)
    if name in _DELETES:
        source.path("delete", text)
    if name in _SECOND and len(node.args) > 1:
        source.path("write", source.values.text(node.args[1]))
    return text is not None


def _shell(source: _Source, _node: ast.Call, _name: str, text: str | None) -> bool:
    source.fetched(text)
    if text is None:
        return False
    source.run.runner.text(text, source.at, source.run.state.fork(), NOTHING)
    return True


def _program(source: _Source, node: ast.Call, _name: str, text: str | None) -> bool:
    first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "args"), None)
    words = source.values.texts(first)
    if words is not None:
        return source.program(words)
    if text is None:
        text = source.values.text(first)
    if text is None:
        return False
    has_shell = any(keyword.arg == "shell" for keyword in node.keywords)
    source.run.runner.text(text if has_shell else shlex.quote(text), source.at, source.run.state.fork(), NOTHING)
    return True


def _replaced(source: _Source, node: ast.Call, name: str, text: str | None) -> bool:
    """``os.execl(PATH, NAME, ...)``, ``os.execv(PATH, [NAME, ...])``, ``os.spawnl(MODE, PATH, NAME, ...)``."""
    args = node.args[1:] if ".spawn" in name else node.args
    text = source.values.text(args[0]) if args else text
    rest = [source.values.text(arg) for arg in args[1:]]
    listed = source.values.texts(args[1]) if len(args) > 1 else None
    return source.program([text, *(listed if listed is not None else rest)[1:]])


def _terminal(source: _Source, node: ast.Call, _name: str, text: str | None) -> bool:
    """``pty.spawn(PROGRAM)``: somebody at a terminal is meant."""
    words = source.values.texts(node.args[0]) if node.args else None
    return source.program(words or [text])


def _net(source: _Source, node: ast.Call, name: str, text: str | None) -> bool:
    if name.endswith(".request") and len(node.args) > 1:
        text = source.values.text(node.args[1])
    sends = {"post", "put", "patch", "delete", "request"} & set(name.split(".")[-1:])
    is_upload = (
        bool(sends) or any(k.arg in {"data", "json", "files", "content"} for k in node.keywords) or len(node.args) > 1
    )
    host = host_of(text) if text else ""
    flags = (("upload",) if is_upload else ()) + (() if host else ("inexact",))
    source.run.runner.emit("connect", "host", host or "?", source.at, flags)
    if name.endswith("urlretrieve") and len(node.args) > 1:
        source.path("write", source.values.text(node.args[1]))
    return bool(host)


def _is_net(name: str) -> bool:
    return name in _NET or (name.partition(".")[0] in _NET_HEADS and name.rpartition(".")[2] in _NET_TAILS)


_Reader = Callable[[_Source, ast.Call, str, "str | None"], bool]
_READERS: tuple[tuple[Callable[[str], bool], _Reader], ...] = (
    (lambda name: name in {"open", "io.open", "os.open", "codecs.open"}, _open),
    (lambda name: name in _READS or name in _WRITES or name in _DELETES or name in _SECOND, _files),
    (lambda name: name in _SHELLS, _shell),
    (lambda name: name.startswith(("os.exec", "os.spawn", "os.posix_spawn")), _replaced),
    (lambda name: name == "pty.spawn", _terminal),
    (lambda name: name in _PROGRAMS, _program),
    (_is_net, _net),
)
