"""A light reading of Python given as text: what its literal calls plainly do; everything else stays opaque."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterator

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.roles import host_of
from outrider.effects.shell.state import NOTHING
from outrider.effects.shell.tree import Arg

MAX_SOURCE = 64 * 1024
"""Longest source that is read, in characters."""

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
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput"}
)
_PROGRAMS = frozenset(
    {"subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen"}
)
_NET = frozenset({"urllib.request.urlopen", "urllib.request.urlretrieve", "urlopen", "urlretrieve"})
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


def read_source(run: Invocation, source: str, at: Arg) -> None:
    """Note what the literal calls in Python ``source`` do; ``opaque`` unless everything in it is plainly harmless."""
    tree = _parse(source)
    if tree is None:
        run.runner.emit("opaque", "command", run.name, at, (), "runs code given as text")
        return
    is_plain = True
    for node in _walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            is_plain = is_plain and all(name in _QUIET_MODULES for name in names)
        elif isinstance(node, ast.Call):
            is_plain = _call(run, node, at) and is_plain
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.With | ast.Lambda):
            continue
    if not is_plain:
        run.runner.emit("opaque", "command", run.name, at, (), "runs code given as text")


def _parse(source: str) -> ast.Module | None:
    if len(source) > MAX_SOURCE or source.count("(") + source.count("[") > 2000:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    yield from ast.walk(tree)


def _dotted(node: ast.AST) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    names.append(node.id)
    return ".".join(reversed(names))


def _literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _call(run: Invocation, node: ast.Call, at: Arg) -> bool:
    """Note what one call does; return whether that is all it can do."""
    name = _dotted(node.func)
    first = node.args[0] if node.args else None
    text = _literal(first)
    for known, reader in _READERS:
        if known(name):
            return reader(run, node, name, text, at)
    if isinstance(node.func, ast.Attribute):
        verb = _PATH_METHODS.get(node.func.attr)
        inner = node.func.value
        if verb and isinstance(inner, ast.Call) and _dotted(inner.func) in {"Path", "pathlib.Path"} and inner.args:
            _path(run, verb, _literal(inner.args[0]), at)
            return True
        host = _peer(node)
        if host:
            run.runner.emit("connect", "host", host, at, ("upload",))
        return not name or name.split(".")[0] not in {
            "os",
            "subprocess",
            "shutil",
            "socket",
            "ctypes",
            "importlib",
            "pty",
        }
    return name in _QUIET or name in {"open", "Path", "pathlib.Path"} or _is_made_here(name)


def _peer(node: ast.Call) -> str:
    """Return where ``socket.connect((HOST, PORT))`` and its kin lead, or an empty text."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _CONNECTS or not node.args:
        return ""
    first = node.args[0]
    parts = first.elts if isinstance(first, ast.Tuple) else node.args[:2]
    host = _literal(parts[0]) if parts else None
    if not host:
        return ""
    port = parts[1] if len(parts) > 1 else None
    number = port.value if isinstance(port, ast.Constant) and isinstance(port.value, int) else 0
    return f"{host.lower()}:{number}" if number else host.lower()


def _is_made_here(name: str) -> bool:
    return name[:1].isupper() and name.endswith(("Error", "Exception"))


def _path(run: Invocation, verb: str, text: str | None, at: Arg) -> None:
    arg = Arg(text if text is not None else "?", at.start, at.end, exact=text is not None)
    run.runner.path(verb, arg, run.state)  # type: ignore[arg-type]


def _open(run: Invocation, node: ast.Call, _name: str, text: str | None, at: Arg) -> bool:
    mode = _literal(node.args[1]) if len(node.args) > 1 else None
    for keyword in node.keywords:
        if keyword.arg == "mode":
            mode = _literal(keyword.value) or "w"
    if len(node.args) > 1 and mode is None:
        mode = "r+"
    mode = mode or "r"
    if "r" in mode or "+" in mode:
        _path(run, "read", text, at)
    if set(mode) & set("wax+"):
        _path(run, "write", text, at)
    return True


def _files(run: Invocation, node: ast.Call, name: str, text: str | None, at: Arg) -> bool:
    if name in _READS:
        _path(run, "read", text, at)
    if name in _WRITES:
        _path(run, "write", text, at)
    if name in _DELETES:
        _path(run, "delete", text, at)
    if name in _SECOND and len(node.args) > 1:
        _path(run, "write", _literal(node.args[1]), at)
    return text is not None


def _shell(run: Invocation, _node: ast.Call, _name: str, text: str | None, at: Arg) -> bool:
    if text is None:
        return False
    run.runner.text(text, at, run.state.fork(), NOTHING)
    return True


def _program(run: Invocation, node: ast.Call, _name: str, text: str | None, at: Arg) -> bool:
    first = node.args[0] if node.args else None
    if isinstance(first, ast.List | ast.Tuple):
        words = [_literal(item) for item in first.elts]
        args = [Arg(word if word is not None else "?", at.start, at.end, exact=word is not None) for word in words]
        if args:
            run.runner.program(args, run.state.fork(), NOTHING)
        return bool(args)
    if text is None:
        return False
    has_shell = any(keyword.arg == "shell" for keyword in node.keywords)
    run.runner.text(text if has_shell else shlex.quote(text), at, run.state.fork(), NOTHING)
    return True


def _net(run: Invocation, node: ast.Call, name: str, text: str | None, at: Arg) -> bool:
    if name.endswith(".request") and len(node.args) > 1:
        text = _literal(node.args[1])
    sends = {"post", "put", "patch", "delete", "request"} & set(name.split(".")[-1:])
    is_upload = (
        bool(sends) or any(k.arg in {"data", "json", "files", "content"} for k in node.keywords) or len(node.args) > 1
    )
    host = host_of(text) if text else ""
    flags = (("upload",) if is_upload else ()) + (() if host else ("inexact",))
    run.runner.emit("connect", "host", host or "?", at, flags)
    return bool(host)


_Reader = Callable[[Invocation, ast.Call, str, "str | None", Arg], bool]
_READERS: tuple[tuple[Callable[[str], bool], _Reader], ...] = (
    (lambda name: name in {"open", "io.open", "os.open", "codecs.open"}, _open),
    (lambda name: name in _READS or name in _WRITES or name in _DELETES or name in _SECOND, _files),
    (lambda name: name in _SHELLS, _shell),
    (lambda name: name in _PROGRAMS, _program),
    (lambda name: name in _NET or (name.split(".")[0] in _NET_HEADS and name.split(".")[-1] in _NET_TAILS), _net),
)
