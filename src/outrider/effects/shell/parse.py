"""From a command line to our tree, by way of tree-sitter's grammar of Bash.

The grammar has known gaps. Where one can be lifted by showing it other text of the same length (so that offsets
hold), it is: see :mod:`outrider.effects.shell.masks`. Everything is read from the text itself, never from the mask.
What the grammar cannot read becomes :class:`~outrider.effects.shell.tree.Unread`, beside what could be read.
"""

from __future__ import annotations

import re
from functools import lru_cache

import tree_sitter
import tree_sitter_bash

from outrider.effects.shell.masks import is_intricate, masked, strange
from outrider.effects.shell.tree import (
    Arg,
    Arms,
    Assign,
    Expr,
    For,
    Func,
    Group,
    Item,
    Node,
    Pipe,
    Redirect,
    Seq,
    Simple,
    Unread,
    While,
    Word,
    with_redirects,
)  # fmt: skip
from outrider.effects.shell.words import Inner, read_heredoc, read_word, unicode

MAX_DEPTH = 40
"""Compound commands and substitutions inside one another; what lies deeper is not read."""
MAX_BYTES = 1024 * 1024
"""Longest command line that is read, in bytes."""

_LANGUAGE = tree_sitter.Language(tree_sitter_bash.language())
_SUBSTITUTION = {"command_substitution": False, "process_substitution": True}
_GAP = re.compile(r"(?:[ \t\n]|\\\n)*\Z")


@lru_cache(maxsize=2048)
def parse(text: str) -> Node:
    """Return the tree of a command line. Never raises for any text.

    The cache is pure and bounded; long lines go to :func:`parse_uncached`.
    """
    return parse_uncached(text)


def parse_uncached(text: str) -> Node:
    """Return the tree of a command line; see :func:`parse`."""
    try:
        source = text.encode()
    except UnicodeEncodeError:
        return Unread(0, len(text), "the text is not Unicode")
    if len(source) > MAX_BYTES or is_intricate(source):
        return Unread(0, len(source), "the text is too long, or has too many pipes and brackets, to be read in time")
    tree = tree_sitter.Parser(_LANGUAGE).parse(masked(source))
    reader = _TreeReader(source.decode("latin-1"))
    node = reader.statements(tree.root_node, 0)
    wrong = strange(text, source, tree.root_node)
    if wrong is None and tree.root_node.has_error and not reader.unreads:
        wrong = Unread(0, len(source), "a syntax error")
    return Seq((Item(";", wrong), Item(";", node))) if wrong else node


def _is_list(node: tree_sitter.Node) -> bool:
    """Return whether the last command of ``node`` is what a redirection or pipe behind it belongs to."""
    while node.type == "redirected_statement":
        body = node.child_by_field_name("body")
        if body is None:
            return False
        node = body
    return node.type in {"list", "pipeline", "negated_command"}


class _TreeReader:
    """Turns one syntax tree into ours. ``source`` is Latin-1, so that its offsets are byte offsets."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.unreads = 0

    def unread(self, node: tree_sitter.Node, why: str = "a syntax error") -> Unread:
        self.unreads += 1
        return Unread(node.start_byte, node.end_byte, why)

    def statements(self, node: tree_sitter.Node, depth: int, skip: int = 0) -> Node:
        """Read the statements among the children of ``node``, from the ``skip``-th child on."""
        if depth > MAX_DEPTH:
            return self.unread(node, "commands are nested too deep")
        items: list[Item] = []
        for child in node.children[skip:]:
            kind = child.type
            if child.is_missing or kind == "ERROR":
                items.append(Item(";", self.unread(child)))
                if kind == "ERROR":
                    items.extend(Item(";", one) for one in self.salvage(child, depth + 1))
            elif kind == "&" and items:
                items[-1] = Item(items[-1].op, items[-1].node, background=True)
            elif child.is_named and kind not in {"comment", "heredoc_body", "heredoc_end"}:
                items.append(Item(";", self.statement(child, depth)))
        if len(items) == 1 and not items[0].background:
            return items[0].node
        return Seq(tuple(items))

    def salvage(self, node: tree_sitter.Node, depth: int) -> list[Node]:
        """Read the commands inside a syntax error: what is certain to stand there is not lost."""
        if depth > MAX_DEPTH:
            return []
        known = {"command", "redirected_statement", "pipeline", "list", "subshell", "compound_statement"}
        return [self.statement(child, depth) for child in node.children if child.type in known]

    def statement(self, node: tree_sitter.Node, depth: int) -> Node:
        """Read one statement. Lists lean to the left without bound, so their spine is walked, not recursed."""
        if node.type not in {"list", "redirected_statement", "pipeline", "negated_command"}:
            return self.compound(node, depth)
        pending: list[tuple[str, tree_sitter.Node | None]] = []
        behind: list[tree_sitter.Node] = []
        while True:
            children = node.children
            if node.type == "list" and len(children) >= 3:
                right = next((c for c in reversed(children) if c.is_named and c.type not in {"comment", "ERROR"}), None)
                op = next((c.type for c in children if c.type in {"&&", "||"}), ";")
                pending.extend((";", child) for child in children[1:] if child.type == "ERROR")
                pending.append((op, right))
                pending.extend(("!", hold) for hold in behind)
                behind = []
                node = children[0]
            elif node.type in {"redirected_statement", "pipeline"} and children and _is_list(children[0]):
                behind.append(node)
                node = children[0]
            elif node.type == "negated_command" and len(children) == 2:
                node = children[1]
            else:
                break
        return self.unwind(node, pending, behind, depth)

    def unwind(
        self, first: tree_sitter.Node, pending: list[tuple[str, tree_sitter.Node | None]],
        behind: list[tree_sitter.Node], depth: int,
    ) -> Node:  # fmt: skip
        """Put a list together from its first command and what was set aside on the way to it."""
        node = self.compound(first, depth)
        for outer in reversed(behind):
            node = self.attach(node, outer, depth)
        items = [Item(";", node)]
        held: list[tree_sitter.Node] = []
        # ``pending`` holds each right side, followed by what stands behind it, outermost last.
        queue = list(reversed(pending))
        for op, right in queue:
            if op == "!":
                if right is not None:
                    held.append(right)
                continue
            if right is None:
                continue
            made = self.statement(right, depth + 1)
            for outer in held:
                made = self.attach(made, outer, depth)
            held = []
            items.append(Item(op, made))
        return items[0].node if len(items) == 1 else Seq(tuple(items))

    def attach(self, node: Node, outer: tree_sitter.Node, depth: int) -> Node:
        """Give ``node`` the redirections, or the later pipeline stages, that ``outer`` has behind it."""
        if outer.type == "pipeline":
            return self.pipeline(node, outer.children[1:], depth)
        return self.redirected(node, outer.children[1:], depth)

    def pipeline(self, first: Node, rest: list[tree_sitter.Node], depth: int) -> Node:
        stages = [first]
        for child in rest:
            if child.type == "ERROR" or child.is_missing:
                stages.append(self.unread(child))
            elif child.is_named and child.type != "comment":
                stages.append(self.statement(child, depth + 1))
        flat: list[Node] = []
        for stage in stages:
            flat.extend(stage.stages if type(stage) is Pipe else (stage,))
        return Pipe(tuple(flat))

    def redirected(self, node: Node, children: list[tree_sitter.Node], depth: int) -> Node:
        """Return ``node`` with redirections, and with what a here-document's first line goes on with."""
        redirects: list[Redirect] = []
        words: list[Word] = []
        after: list[tuple[str, tree_sitter.Node]] = []
        unread: list[Unread] = []
        for child in children:
            if child.type == "ERROR" or child.is_missing:
                unread.append(self.unread(child))
            elif child.type == "heredoc_redirect":
                self.heredoc(child, redirects, words, after, unread, depth)
            elif child.type in {"file_redirect", "herestring_redirect"}:
                self.redirect(child, redirects, words, unread, depth)
        node = with_redirects(node, tuple(redirects), tuple(words))
        for op, child in after:
            if op == "|":
                node = self.continued(node, child, depth)
            else:
                node = Seq((Item(";", node), Item(op, self.statement(child, depth + 1))))
        if unread:
            node = Seq((*(Item(";", one) for one in unread), Item(";", node)))
        return node

    def continued(self, node: Node, pipeline: tree_sitter.Node, depth: int) -> Node:
        """Join ``node | first && second``: the grammar hangs the whole list behind the pipe of a here-document."""
        stages: list[Node] = [node]
        rest: tuple[Item, ...] = ()
        for child in pipeline.children:
            if child.is_named and child.type != "comment":
                made = self.statement(child, depth + 1)
                if type(made) is Seq and made.items:
                    stages.append(made.items[0].node)
                    rest = made.items[1:]
                else:
                    stages.append(made)
        joined = Pipe(tuple(stages))
        return Seq((Item(";", joined), *rest)) if rest else joined

    def heredoc(
        self, node: tree_sitter.Node, redirects: list[Redirect], words: list[Word],
        after: list[tuple[str, tree_sitter.Node]], unread: list[Unread], depth: int,
    ) -> None:  # fmt: skip
        literal, body, op = False, None, ""
        for child in node.children:
            kind = child.type
            if kind == "heredoc_start":
                literal = any(mark in self.source[child.start_byte : child.end_byte] for mark in "'\"\\")
            elif kind == "heredoc_body":
                body = child
            elif kind == "file_redirect":
                self.redirect(child, redirects, words, unread, depth)
            elif kind == "pipeline":
                after.append(("|", child))
            elif kind in {"&&", "||"}:
                op = kind
            elif kind == "ERROR" or (child.is_missing and kind != "heredoc_end"):
                unread.append(self.unread(child))
            elif child.is_named and kind not in {"heredoc_end", "file_descriptor", "comment"}:
                if op:
                    after.append((op, child))
                    op = ""
                else:
                    words.append(self.word(child.start_byte, child.end_byte, [child], depth))
        start, end = (body.start_byte, body.end_byte) if body else (node.end_byte, node.end_byte)
        inner = self.inner([body], depth) if body and not literal else {}
        word = read_heredoc(self.source, start, end, inner, literal=literal)
        redirects.append(Redirect("<<", "", word, node.start_byte, end))

    def redirect(
        self, node: tree_sitter.Node, redirects: list[Redirect], words: list[Word], unread: list[Unread], depth: int
    ) -> None:
        """Read one redirection; the grammar hangs words that follow it on the redirection as well."""
        fd, op = "", ""
        targets: list[tree_sitter.Node] = []
        for child in node.children:
            if child.type == "file_descriptor":
                fd = self.source[child.start_byte : child.end_byte]
            elif child.type == "ERROR" or child.is_missing:
                unread.append(self.unread(child))
            elif not child.is_named and not targets:
                op = child.type
                written = self.source[child.start_byte : child.start_byte + 3]
                op = "<<<" if written == "<<<" else "<>" if written[:2] == "<>" else op
            else:
                targets.append(child)
        if not fd and words and words[-1].raw.isdigit() and words[-1].end == node.start_byte:
            fd = words.pop().raw  # What stands right before the sign is the file that is meant: ``2>``.
        if not op:  # The grammar's own repair of text that is no redirection.
            unread.append(self.unread(node))
            return
        spans = self.merge(targets)
        made = [self.word(start, end, nodes, depth) for start, end, nodes in spans]
        target = made[0] if made else Word("", node.start_byte, node.end_byte)
        redirects.append(Redirect(op, fd, target, node.start_byte, made[0].end if made else node.end_byte))
        words.extend(made[1:])

    def merge(self, nodes: list[tree_sitter.Node]) -> list[tuple[int, int, list[tree_sitter.Node]]]:
        r"""Return word spans; nodes that touch, or have nothing but ``\\`` and newline between them, are one word."""
        spans: list[tuple[int, int, list[tree_sitter.Node]]] = []
        for node in nodes:
            start, end = node.start_byte, node.end_byte
            if spans and not self.source[spans[-1][1] : start].replace("\\\n", ""):
                first, _, held = spans[-1]
                spans[-1] = (first, end, [*held, node])
            else:
                spans.append((start, end, [node]))
        return spans

    def word(self, start: int, end: int, nodes: list[tree_sitter.Node], depth: int) -> Word:
        text = self.source[start:end]
        inner = self.inner(nodes, depth) if "$(" in text or "`" in text or "<(" in text or ">(" in text else {}
        return read_word(self.source, start, end, inner)

    def inner(self, nodes: list[tree_sitter.Node], depth: int) -> Inner:
        """Find the outermost substitutions in ``nodes``."""
        found: dict[int, tuple[int, Node, bool]] = {}
        queue = list(nodes)
        while queue:
            node = queue.pop()
            is_process = _SUBSTITUTION.get(node.type)
            if is_process is None:
                queue.extend(node.children)
            else:
                body = self.substitution(node, depth + 1)
                found[node.start_byte] = (node.end_byte, body, is_process)
        return found

    def substitution(self, node: tree_sitter.Node, depth: int) -> Node:
        redirects: list[Redirect] = []
        unread: list[Unread] = []
        for child in node.children:
            if child.type == "file_redirect":
                self.redirect(child, redirects, [], unread, depth)
        if redirects:  # $(<file) reads the file
            name = Word("cat", node.start_byte, node.end_byte, arg=Arg("cat", node.start_byte, node.end_byte))
            return Simple((), (name,), tuple(redirects), node.start_byte, node.end_byte)
        return self.statements(node, depth)

    def compound(self, node: tree_sitter.Node, depth: int) -> Node:
        """Read a statement that is not a list."""
        if depth > MAX_DEPTH:
            return self.unread(node, "commands are nested too deep")
        kind = node.type
        if kind == "command":
            return self.command(node, depth)
        read = _COMPOUND.get(kind)
        if read is not None:
            return read(self, node, depth + 1)
        return self.expression(node, depth + 1) if node.is_named else self.unread(node)

    def command(self, node: tree_sitter.Node, depth: int) -> Node:
        assigns: list[Assign] = []
        nodes: list[tree_sitter.Node] = []
        redirects: list[Redirect] = []
        unread: list[Unread] = []
        extra: list[Word] = []
        nested: list[Node] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment" and not nodes:
                assigns.append(self.assign(child, depth))
            elif kind in {"file_redirect", "herestring_redirect"}:
                self.redirect(child, redirects, extra, unread, depth)
            elif kind == "ERROR" or child.is_missing:
                unread.append(self.unread(child))
            elif kind == "subshell":  # ``a (b)`` is no command of Bash's, but behind ``time``.
                if not nodes or self.source[nodes[0].start_byte : nodes[0].end_byte] not in {"time", "coproc"}:
                    unread.append(self.unread(child))
                nested.append(self.statement(child, depth + 1))
            elif kind != "comment":
                nodes.append(child)
        words = [self.word(start, end, held, depth) for start, end, held in self.merge(nodes)]
        words = sorted([*words, *extra], key=lambda word: word.start) if extra else words
        made = Simple(tuple(assigns), tuple(words), tuple(redirects), node.start_byte, node.end_byte)
        if unread or nested:
            return Seq(tuple(Item(";", one) for one in (*unread, made, *nested)))
        return made

    def assign(self, node: tree_sitter.Node, depth: int) -> Assign:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        label = self.source[name.start_byte : name.end_byte] if name else ""
        append = any(child.type == "+=" for child in node.children)
        if value is None:
            return Assign(label, (), append)
        if value.type == "array":
            spans = self.merge([child for child in value.children if child.is_named and child.type != "comment"])
            return Assign(label, tuple(self.word(*span, depth) for span in spans), append, array=True)
        return Assign(label, (self.word(value.start_byte, node.end_byte, [value], depth),), append)

    def assignments(self, node: tree_sitter.Node, depth: int) -> Node:
        """``a=1``, ``a=1 b=2``, ``export a=1 b``, ``unset a``: a command whose assignments last."""
        if node.type == "variable_assignment":
            return Simple((self.assign(node, depth),), (), (), node.start_byte, node.end_byte)
        assigns = tuple(self.assign(c, depth) for c in node.children if c.type == "variable_assignment")
        words: list[Word] = []
        if node.type != "variable_assignments":
            others = [c for c in node.children if c.type not in {"variable_assignment", "ERROR"}]
            words = [self.word(start, end, held, depth) for start, end, held in self.merge(others)]
        made = Simple(assigns, tuple(words), (), node.start_byte, node.end_byte)
        wrong = [Item(";", self.unread(child)) for child in node.children if child.type == "ERROR"]
        return Seq((*wrong, Item(";", made))) if wrong else made

    def joined(self, node: tree_sitter.Node, depth: int) -> Node:
        """A pipeline, or a command with redirections, that does not begin with a list."""
        children = node.children
        if node.type == "list":
            return self.statements(node, depth)
        is_bare = node.type == "redirected_statement" and node.child_by_field_name("body") is None
        first = Seq(()) if is_bare else self.statement(children[0], depth)
        rest = children if is_bare else children[1:]
        if node.type == "pipeline":
            return self.pipeline(first, rest, depth)
        return self.redirected(first, rest, depth)

    def group(self, node: tree_sitter.Node, depth: int) -> Node:
        if node.children and node.children[0].type == "((":
            return self.expression(node, depth)
        return Group(self.statements(node, depth), subshell=node.type == "subshell")

    def arms(self, node: tree_sitter.Node, depth: int) -> Node:
        """``if`` with its ``elif`` and ``else``."""
        tests: list[Node] = []
        bodies: list[Node] = []
        part: list[Item] = []
        for child in node.children:
            kind = child.type
            if kind == "then":
                tests.append(Seq(tuple(part)))
                part = []
            elif kind in {"elif_clause", "else_clause"}:
                made = self.arms(child, depth + 1) if kind == "elif_clause" else self.statements(child, depth)
                bodies.append(made)
            elif kind == "ERROR" or child.is_missing:
                part.append(Item(";", self.unread(child)))
            elif child.is_named and kind != "comment":
                part.append(Item(";", self.statement(child, depth)))
        bodies.insert(0, Seq(tuple(part)))
        return Arms(tuple(tests), tuple(bodies))

    def case(self, node: tree_sitter.Node, depth: int) -> Node:
        words: list[Word] = []
        arms: list[Node] = []
        for child in node.children:
            if child.type == "case_item":
                skip = next((at for at, c in enumerate(child.children) if c.type == ")"), -1) + 1
                arms.append(self.statements(child, depth, skip))
            elif child.type == "ERROR" or child.is_missing:
                arms.append(self.unread(child))
            elif child.is_named and child.type != "comment":
                words.append(self.word(child.start_byte, child.end_byte, [child], depth))
        return Arms((), tuple(arms), tuple(words))

    def loop(self, node: tree_sitter.Node, depth: int) -> Node:
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        values = [c for c in node.children_by_field_name("value") if c.is_named]
        has_in = any(child.type == "in" for child in node.children)
        name = self.source[variable.start_byte : variable.end_byte] if variable else ""
        words = tuple(self.word(start, end, held, depth) for start, end, held in self.merge(values))
        made = For(name, words if has_in else None, self.statements(body, depth) if body else Seq(()))
        return self.with_errors(node, made)

    def while_loop(self, node: tree_sitter.Node, depth: int) -> Node:
        body = node.child_by_field_name("body")
        tests = [child for child in node.children_by_field_name("condition") if child.is_named]
        test = Seq(tuple(Item(";", self.statement(child, depth)) for child in tests))
        made = While(test, self.statements(body, depth) if body else Seq(()))
        return self.with_errors(node, made)

    def with_errors(self, node: tree_sitter.Node, made: Node) -> Node:
        wrong = [child for child in node.children if child.type == "ERROR" or child.is_missing]
        return Seq((*(Item(";", self.unread(child)) for child in wrong), Item(";", made))) if wrong else made

    def function(self, node: tree_sitter.Node, depth: int) -> Node:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        made: Node = self.statement(body, depth) if body else Seq(())
        redirects = node.children_by_field_name("redirect")
        if redirects:
            made = self.redirected(made, redirects, depth)
        return Func(unicode(self.source[name.start_byte : name.end_byte]) if name else "", made)

    def expression(self, node: tree_sitter.Node, depth: int) -> Node:
        """``[[ ]]``, ``(( ))``, ``[ ]``: only the substitutions in it do anything."""
        inner = self.inner([node], depth) if depth <= MAX_DEPTH else {}
        subs = [body for _, (_, body, _p) in sorted(inner.items())]
        if node.has_error:
            subs.append(self.unread(node))
        return Expr(tuple(subs))


_COMPOUND = {
    "compound_statement": _TreeReader.group,
    "subshell": _TreeReader.group,
    "pipeline": _TreeReader.joined,
    "redirected_statement": _TreeReader.joined,
    "list": _TreeReader.joined,
    "negated_command": _TreeReader.statements,
    "if_statement": _TreeReader.arms,
    "case_statement": _TreeReader.case,
    "for_statement": _TreeReader.loop,
    "c_style_for_statement": _TreeReader.while_loop,
    "while_statement": _TreeReader.while_loop,
    "function_definition": _TreeReader.function,
    "variable_assignment": _TreeReader.assignments,
    "variable_assignments": _TreeReader.assignments,
    "declaration_command": _TreeReader.assignments,
    "unset_command": _TreeReader.assignments,
}
