"""What names, texts and paths in Python source stand for, as far as that can be told without running it.

Imports under other names are followed, plain assignments are remembered unless a name is given two values, and a
variable of the environment that the command line sets counts as the text that it holds.
"""

from __future__ import annotations

import ast
import base64
import binascii
import posixpath
from collections.abc import Callable, Mapping

MAX_TEXT = 64 * 1024
"""Longest text that is put together, in characters."""
_MAX_DEPTH = 24
_PATHS = frozenset({"pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath"})
_HOMES = frozenset({"pathlib.Path.home", "pathlib.Path.expanduser", "os.path.expanduser", "os.path.abspath",
                    "os.path.realpath", "os.fspath", "str", "bytes", "os.path.expandvars"})  # fmt: skip


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of a plain name or attribute, or an empty text."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    names.append(node.id)
    return ".".join(reversed(names))


class Values:
    """The names of one source.

    Attributes:
        env: Texts of the variables that the command line sets.
        args: Arguments of the program, the first of them its own name.
    """

    def __init__(self, tree: ast.Module, env: Mapping[str, str], args: tuple[str, ...], home: str) -> None:
        self.env, self.args, self.home = env, args, home
        self.imports: dict[str, str] = {}
        self.names: dict[str, ast.expr | None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports |= {alias.asname or alias.name: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                self.imports |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.hold(node.targets[0].id, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
                self.hold(node.target.id, node.value)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self.names[node.target.id] = None

    def hold(self, name: str, value: ast.expr | None) -> None:
        """Remember what a name stands for; a second value makes it unknown."""
        self.names[name] = None if name in self.names else value

    def name(self, node: ast.AST) -> str:
        """Return the full dotted name of what is called, imports followed: ``o.system`` is ``os.system``."""
        if isinstance(node, ast.Attribute):
            base = self.name(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name):
            held = self.names.get(node.id)
            if isinstance(held, ast.Attribute) or (isinstance(held, ast.Call) and self.module(held)):
                return self.name(held)
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Call):
            return self.module(node)
        return ""

    def module(self, node: ast.Call) -> str:
        """Return the name behind ``__import__("os")``, ``import_module("os")`` and ``getattr(os, "system")``."""
        called = dotted(node.func)
        if called in {"__import__", "importlib.import_module", "import_module"} and node.args:
            return self.text(node.args[0]) or ""
        if called == "getattr" and len(node.args) > 1:
            base, attribute = self.name(node.args[0]), self.text(node.args[1])
            return f"{base}.{attribute}" if base and attribute else ""
        return ""

    def text(self, node: ast.AST | None, depth: int = 0) -> str | None:
        """Return the text that an expression stands for, a path as text too; None if that cannot be told."""
        if node is None or depth > _MAX_DEPTH:
            return None
        known = _TEXTS.get(type(node))
        made = known(self, node, depth + 1) if known else None
        return made if made is None or len(made) <= MAX_TEXT else None

    def texts(self, node: ast.AST | None) -> list[str | None] | None:
        """Return the texts of a list or tuple, or None if it is neither."""
        if isinstance(node, ast.Name):
            node = self.names.get(node.id)
        if isinstance(node, ast.List | ast.Tuple):
            return [self.text(item) for item in node.elts]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            whole = self.text(node.func.value)
            return None if whole is None or node.args else list(whole.split())
        return None


def _constant(_values: Values, node: ast.AST, _depth: int) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _name(values: Values, node: ast.AST, depth: int) -> str | None:
    return values.text(values.names.get(node.id), depth) if isinstance(node, ast.Name) else None


def _joined(values: Values, node: ast.AST, depth: int) -> str | None:
    parts = [values.text(part, depth) for part in node.values] if isinstance(node, ast.JoinedStr) else [None]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _formatted(values: Values, node: ast.AST, depth: int) -> str | None:
    is_plain = isinstance(node, ast.FormattedValue) and node.format_spec is None
    return values.text(node.value, depth) if isinstance(node, ast.FormattedValue) and is_plain else None


def _binary(values: Values, node: ast.AST, depth: int) -> str | None:
    if not isinstance(node, ast.BinOp):
        return None
    left = values.text(node.left, depth)
    if left is None:
        return None
    if isinstance(node.op, ast.Mod):
        given = values.texts(node.right) or [values.text(node.right, depth)]
        if None in given or left.count("%s") != len(given) or left.count("%") != len(given):
            return None
        return left % tuple(given)
    right = values.text(node.right, depth)
    if right is None:
        return None
    if isinstance(node.op, ast.Div):
        return posixpath.join(left, right)
    return left + right if isinstance(node.op, ast.Add) else None


def _subscript(values: Values, node: ast.AST, depth: int) -> str | None:
    if not isinstance(node, ast.Subscript):
        return None
    base = values.name(node.value)
    if base == "os.environ":
        return values.env.get(values.text(node.slice, depth) or "")
    if base == "sys.argv" and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        return values.args[node.slice.value] if 0 <= node.slice.value < len(values.args) else None
    cut = node.slice
    if isinstance(cut, ast.Slice) and cut.lower is None and cut.upper is None and isinstance(cut.step, ast.UnaryOp):
        text = values.text(node.value, depth)
        return text[::-1] if text is not None else None
    return None


def _call(values: Values, node: ast.AST, depth: int) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    name = values.name(node.func)
    args = [values.text(arg, depth) for arg in node.args]
    first = args[0] if args else None
    if name in {"os.environ.get", "os.getenv"}:
        return values.env.get(first or "", args[1] if len(args) > 1 else None)
    if name == "pathlib.Path.home":
        return values.home
    if name in _PATHS or name in {"Path", "os.path.join"}:
        known = [arg for arg in args if arg is not None]
        return posixpath.join(*known) if known and len(known) == len(args) else None
    if name in _HOMES or name in {"int", "open"}:
        return first
    decoder = _DECODERS.get(name)
    if decoder is not None:
        return _decoded(decoder, first)
    return _method(values, node, args, depth)


def _method(values: Values, node: ast.Call, args: list[str | None], depth: int) -> str | None:
    """Return what a method of a text makes of it."""
    if not isinstance(node.func, ast.Attribute):
        return None
    attribute = node.func.attr
    if attribute == "join" and node.args:
        parts = values.texts(node.args[0])
        glue = values.text(node.func.value, depth)
        known = [part for part in parts or () if part is not None]
        return glue.join(known) if glue is not None and parts and len(known) == len(parts) else None
    base = values.text(node.func.value, depth)
    if base is None:
        return None
    if attribute in {"decode", "encode", "strip", "expanduser", "resolve", "absolute", "as_posix", "lower", "rstrip"}:
        return base.lower() if attribute == "lower" else base
    if attribute == "joinpath":
        known = [arg for arg in args if arg is not None]
        return posixpath.join(base, *known) if len(known) == len(args) else None
    if attribute == "replace" and len(args) == 2 and args[0] and args[1] is not None:
        return base.replace(args[0], args[1])
    if attribute == "format" and None not in args and base.count("{}") == len(args) == base.count("{"):
        pieces = base.split("{}")
        return "".join(piece + (args[at] or "" if at < len(args) else "") for at, piece in enumerate(pieces))
    return None


def _decoded(decoder: Callable[[str], bytes], text: str | None) -> str | None:
    try:
        return decoder(text).decode("latin-1") if text is not None else None
    except (binascii.Error, ValueError):
        return None


_DECODERS: dict[str, Callable[[str], bytes]] = {
    "base64.b64decode": lambda text: base64.b64decode(text.encode("latin-1", "replace")),
    "base64.standard_b64decode": lambda text: base64.b64decode(text.encode("latin-1", "replace")),
    "base64.urlsafe_b64decode": lambda text: base64.urlsafe_b64decode(text.encode("latin-1", "replace")),
    "base64.b32decode": lambda text: base64.b32decode(text.encode("latin-1", "replace")),
    "base64.b16decode": bytes.fromhex,
    "bytes.fromhex": bytes.fromhex,
    "binascii.unhexlify": bytes.fromhex,
    "binascii.a2b_base64": lambda text: base64.b64decode(text.encode("latin-1", "replace")),
}
_TEXTS: dict[type[ast.AST], Callable[[Values, ast.AST, int], str | None]] = {
    ast.Constant: _constant, ast.Name: _name, ast.JoinedStr: _joined, ast.FormattedValue: _formatted,
    ast.BinOp: _binary, ast.Subscript: _subscript, ast.Call: _call,
}  # fmt: skip
