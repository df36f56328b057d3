"""The walk: a command line's tree, followed command by command for what it would do.

Nothing is run. Directory, variables, functions and aliases are followed as a shell would; both arms of a condition
are walked; what cannot be followed is named (``unparsed``, ``opaque``, or the ``inexact`` flag), never left out.
Depth and the number of steps are bounded, so that no command line makes the walk long.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from outrider.effects.commands.escape import is_shell_in, shell_opened, strange
from outrider.effects.commands.git import EXECUTING
from outrider.effects.commands.loading import loads
from outrider.effects.commands.readers.system import is_host_unhooked
from outrider.effects.commands.readers.traces import history_set
from outrider.effects.commands.table import DANGEROUS_ENV, RUN_ENV, SYSTEM_DIRS, TABLE, invoke
from outrider.effects.place import normal
from outrider.effects.shell.expand import MAX_TEXT, Expander
from outrider.effects.shell.noting import Noting
from outrider.effects.shell.parse import parse, parse_uncached
from outrider.effects.shell.state import NOTHING, UNKNOWN, Flow, State
from outrider.effects.shell.tree import (
    Arg,
    Arms,
    Assign,
    Expr,
    For,
    Func,
    Group,
    Node,
    Pipe,
    Proc,
    Redirect,
    Seq,
    Simple,
    Unread,
    While,
)  # fmt: skip

MAX_STEPS = 4000
"""Commands that one call may come to, loops unrolled; what is beyond is not read."""
MAX_NESTING = 12
"""Shells, evals and functions inside one another that are followed."""
MAX_WRAPPED = 40
"""Programs that run programs (``sudo env nice ...``), functions and shells inside one another, all told."""
UNROLLED = 16
"""Rounds of a loop that are walked one by one; a longer loop is walked once, its variable not known."""
_CACHED = 4096

_DECLARING = frozenset({"export", "declare", "local", "typeset", "readonly", "unset"})
_CMDLET = re.compile(r"(?!Get-|Test-|Write-|Select-|Format-|Measure-)[A-Z][a-z]+-[A-Z][A-Za-z]+|IEX|iex|IWR|iwr")
"""Commands that only PowerShell has, but for those that look."""
_RESERVED = frozenset(
    {
        "{",
        "}",
        "!",
        "",
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "for",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "select",
    }
)


class Walk(Noting):
    """Walks one command line; what it comes upon is noted."""

    # What readers of commands may ask for beside noting (see Runner).

    def text(self, text: str, at: Arg, state: State, stdin: Flow) -> Flow:
        """Walk shell text found at ``at``, such as the argument of ``sh -c``."""
        if self.depth >= MAX_NESTING:
            self.emit("unparsed", "text", text[:80], at, (), "shells are nested too deep")
            return UNKNOWN
        other = copy.copy(self)
        other.depth += 1
        other.inside = self.inside or at
        if not at.exact:
            self.emit("opaque", "command", "sh", at, ("inexact",), "part of the text that is run is not known")
        node = parse(text) if len(text) <= _CACHED else parse_uncached(text)
        return other.run(node, state, stdin)

    def program(self, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk one command given as its fields."""
        sink = self.sink
        sink.steps += 1
        if sink.wrapped >= MAX_WRAPPED:
            why = "programs that run programs are nested too deep"
            self.emit("unparsed", "text", args[0].text[:80], args[0], (), why)
            return UNKNOWN
        if args[0].text.rpartition("/")[2] not in TABLE and is_host_unhooked(args, state):
            self.emit("spawn", "agent", args[0].text, args[0], ("hooks_off",))
        sink.wrapped += 1
        try:
            return self.dispatch(args, state, stdin)
        finally:
            sink.wrapped -= 1

    def dispatch(self, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a command by what its first field is: a function, a file, a name."""
        first, name = args[0], args[0].text
        if not first.exact or first.glob:
            return self.unknown_program(args, state, stdin)
        if name in state.funcs or name in state.aliases:
            return self.defined(name, args, state, stdin)
        if "/" in name:
            return self.file_program(args, state, stdin)
        return self.named(name, args, state, stdin)

    def named(self, name: str, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a program that is found by name."""
        found = TABLE.get(name)
        if found is None:
            if name in _RESERVED:
                if name not in {"{", "}", "!", ""}:
                    self.emit(
                        "unparsed", "text", name, args[0], (), "a word of the shell's grammar where it was not seen"
                    )
                return self.program(args[1:], state, stdin) if len(args) > 1 else UNKNOWN
            hidden = ("invisible",) if args[0].hidden else ()
            if _CMDLET.fullmatch(name):
                self.emit("unparsed", "text", name, args[0], (), "a command of PowerShell, whose text is not read")
            self.emit("exec", "command", name, args[0], hidden)
            self.emit("opaque", "command", name, args[0], hidden, "a program that is not known here")
            strange(self, args, state, stdin)
            return UNKNOWN
        if not found.quiet:
            self.emit("exec", "command", name, args[0], ("invisible",) if args[0].hidden else ())
        return invoke(found, args, self, state, stdin)

    def file_program(self, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a program that is given by its path."""
        first = args[0]
        head, _, base = first.text.rpartition("/")
        if head in SYSTEM_DIRS and base:
            # A command of the shell's own that is named by a path is a program: it changes itself alone.
            inner = state.fork() if base in TABLE and TABLE[base].quiet else state
            return self.named(base, [Arg(base, first.start, first.end, hidden=first.hidden), *args[1:]], inner, stdin)
        if first.text[0] == "/":
            value = normal(first.text)
        else:
            value = normal(f"{state.cwd}/{first.text}") if state.cwd is not None else first.text
        self.emit("exec", "command", value, first)
        self.path("read", first, state)
        self.emit("opaque", "command", value, first, (), "runs a file")
        draft = self.drafted(first, state)
        if draft is not None:
            return self.run_draft(draft, args, state, stdin)
        found = TABLE.get(base)
        if found is None:
            return UNKNOWN
        return invoke(found, [Arg(base, first.start, first.end), *args[1:]], self, state, stdin)

    def run_draft(self, draft: str, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a file that the call itself wrote and then runs: by the program that its first line names."""
        first = args[0]
        named = draft.partition("\n")[0][2:].split() if draft.startswith("#!") else ["sh"]
        name = next((word.rpartition("/")[2] for word in named if word.rpartition("/")[2] != "env"), "sh")
        found = TABLE.get(name)
        if found is None or found.special == "shell" or self.depth >= MAX_NESTING:
            return self.text(draft, first, state.fork(), stdin)
        return invoke(found, [Arg(name, first.start, first.end), first], self, state.fork(), stdin)

    def unknown_program(self, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a command whose program is not known; a known last part of its path still says what it is."""
        first = args[0]
        base = first.text.rpartition("/")[2]
        if "/" in first.text and base in TABLE and not first.glob:
            self.emit("opaque", "command", first.text, first, ("inexact",), "runs a file")
            return invoke(TABLE[base], [Arg(base, first.start, first.end), *args[1:]], self, state, stdin)
        if first.glob and first.text.rpartition("/")[0] in SYSTEM_DIRS:
            self.emit("unparsed", "text", first.text[:80], first, (), "a pattern stands for the program to run")
            return UNKNOWN
        if first.made and ("/" not in first.text or not base.isidentifier()):
            self.emit("unparsed", "text", first.text[:80], first, (), "the program to run is made while it runs")
            return UNKNOWN
        flags = ("pattern",) if first.glob else ("inexact",)
        self.emit("exec", "command", first.text, first, flags)
        self.emit("opaque", "command", first.text, first, flags, "which program is run is not known")
        return UNKNOWN

    def defined(self, name: str, args: list[Arg], state: State, stdin: Flow) -> Flow:
        """Walk a call of a function or alias that this command line defines."""
        if self.depth >= MAX_NESTING:
            return UNKNOWN  # A function that calls itself does again what it did.
        other = copy.copy(self)
        other.depth += 1
        body = state.funcs.get(name)
        if body is None:
            rest = " ".join(_quote(arg.text) for arg in args[1:])
            inner = state.aside()
            expansion = inner.aliases.pop(name)
            return other.text(f"{expansion} {rest}", args[0], inner, stdin)
        kept = {key: state.vars.get(key) for key in ("@", "*", *map(str, range(1, 10)))}
        _positional(state, tuple(args[1:]))
        flow = other.run(body, state, stdin)
        _put_back(state, kept)
        return flow

    # The tree.

    def run(self, node: Node, state: State, stdin: Flow) -> Flow:
        """Walk a tree and say what it prints."""
        if self.sink.steps > MAX_STEPS:
            self.emit("unparsed", "text", "", Arg(""), (), f"more than {MAX_STEPS} commands")
            return UNKNOWN
        return _RUN[type(node)](self, node, state, stdin)

    def capture(self, node: Node, state: State) -> Flow:
        """Walk a substitution, in a process of its own."""
        self.sink.steps += 1
        return self.run(node, state.fork(), NOTHING)

    def run_simple(self, node: Simple, state: State, stdin: Flow) -> Flow:
        """Walk a simple command: assignments, redirections, then the program."""
        self.sink.steps += 1
        expander = Expander(self.place, state, self.capture)
        args = expander.words(node.words)
        while args and not args[0].text and args[0].exact and node.words[0].raw[:1] not in "'\"":
            args = args[1:]
        is_kept = not args or args[0].text in _DECLARING
        own = () if is_kept else tuple(assign.name.partition("[")[0] for assign in node.assigns)
        kept = {name: state.vars.get(name) for name in own}
        for assign in node.assigns:
            self.assign(assign.name, expander, node, assign)
        flow_in = self.redirect(node.redirects, expander, state, stdin) if node.redirects else stdin
        for word in node.words:
            if word.alts and any(type(part) is Proc for parts in word.alts for part in parts):
                flow_in = self.process_flow(word.alts, state, flow_in)
        if not args or (is_kept and node.assigns and all(arg.text[:1] == "-" for arg in args[1:])):
            return flow_in if node.redirects else NOTHING
        flow = self.program(args, state, flow_in)
        _put_back(state, kept)
        if not node.redirects or not _is_diverted(node.redirects):
            return flow
        if flow.text is not None:
            target = next(one.target for one in reversed(node.redirects) if _is_diverting(one))
            self.note_written(expander.one(target), flow, state)
        return Flow(some=False)

    def process_flow(self, alts: tuple[tuple[object, ...], ...], state: State, flow: Flow) -> Flow:
        """Say what comes out of the ``<(...)`` that a program is given in the place of a file."""
        for parts in alts:
            for part in parts:
                if type(part) is Proc:
                    made = self.run(part.body, state.fork(), NOTHING)
                    if made.text is not None or made.origin:
                        return Flow(text=made.text if flow.text is None else flow.text, origin=made.origin)
        return flow

    def assign(self, name: str, expander: Expander, node: Simple, assign: Assign) -> None:
        """Set a variable, and note what a dangerous one does."""
        state = expander.state
        words = assign.words
        is_one = not assign.array
        values = (expander.one(words[0]) if words else Arg(""),) if is_one else tuple(expander.words(words))
        if assign.append:
            before = state.vars.get(name)
            if assign.array:
                values = (before or ()) + values
            elif before and len(before) == 1:
                one, two = before[0], values[0]
                values = (Arg(one.text + two.text, exact=one.exact and two.exact, glob=one.glob or two.glob),)
            else:
                values = (Arg(values[0].text, exact=False),)
        if name.partition("[")[0] != name:
            name, values = name.partition("[")[0], (*state.vars.get(name.partition("[")[0], ()), *values)
        state.vars[name] = values
        at = Arg(name, node.start, node.end)
        history_set(self, name, values, at, state)
        if (name in RUN_ENV or name.endswith(("PAGER", "EDITOR"))) and values and values[0].text and node.words:
            self.text(values[0].text.lstrip("|-!:"), at, state.aside(), NOTHING)
        elif name.startswith("GIT_CONFIG_KEY_") and any(
            not one.exact or EXECUTING.fullmatch(one.text) for one in values
        ):
            self.emit("exec", "command", "git", at, ("git-exec",), "this key of git's configuration runs a program")
        elif name in DANGEROUS_ENV or name.startswith(("GIT_CONFIG_KEY_", "DYLD_INSERT")):
            loads(self, name, values, at, state)
        elif node.words and values and is_shell_in(name, values[0].text):
            shell_opened(self, name, at)

    def redirect(  # noqa: C901 - one kind of redirection a branch
        self, redirects: tuple[Redirect, ...], expander: Expander, state: State, stdin: Flow
    ) -> Flow:
        """Note what redirections read and write, and say what comes in."""
        for one in redirects:
            op = one.op
            if op in {"<<", "<<<"}:
                arg = expander.one(one.target)
                stdin = Flow(text=arg.text + ("\n" if op == "<<<" else "")) if arg.exact else Flow(origin="unknown")
                if not arg.exact and arg.made:
                    stdin = Flow(origin="decoded")
                continue
            arg = expander.one(one.target)
            if arg.text.isdigit() and (one.fd == "0" or (op == "<&" and not one.fd)):
                stdin = NOTHING  # Another open file, and nothing that is known.
            if op in {">&", "<&"} and (arg.text.rstrip("-").isdigit() or arg.text == "-" or not arg.text):
                continue
            at = Arg(arg.text, one.start, one.end, arg.exact, arg.glob, arg.hidden, arg.made)
            if op == "<>":
                self.path("read", at, state)
                self.path("write", at, state)
            elif op[0] == "<":
                self.path("read", at, state)
                if (not one.fd or one.fd == "0") and (arg.text == "/dev/tty" or arg.text.startswith("$(tty)")):
                    stdin = NOTHING
                elif not one.fd or one.fd == "0":
                    draft = self.drafted(at, state) if at.exact and not at.glob else None
                    origin = "network" if arg.text.startswith("/dev/tcp/") else "file"
                    stdin = Flow(text=draft) if draft is not None else Flow(origin=origin)
                    if one.target.alts and type(one.target.alts[0][0]) is Proc:
                        stdin = self.process_flow(one.target.alts, state, Flow(origin="unknown"))
            else:
                self.path("write", at, state)
        return stdin

    def run_seq(self, node: Seq, state: State, stdin: Flow) -> Flow:
        """Walk a list; what stands behind ``||`` or before ``&`` is in a process of its own."""
        texts: list[str] = []
        length = 0
        flow = NOTHING
        is_text = True
        for item in node.items:
            if item.background or item.op == "||":
                aside = state.fork() if item.background else state.aside()
                walk = self if not item.background or _is_awaited(node) else self.with_flag("detached")
                flow = walk.run(item.node, aside, stdin)
                if item.op == "||":
                    state.funcs.update(aside.funcs)
            else:
                flow = self.run(item.node, state, stdin)
            if flow.text is not None:
                length += len(flow.text)
                texts.append(flow.text if length <= MAX_TEXT else "")
            elif flow.some:
                is_text = False
        if len(node.items) == 1 or (not is_text and not flow.some):
            return flow
        if not is_text or length > MAX_TEXT:
            return UNKNOWN
        return Flow(text="".join(texts), some=bool(texts))

    def run_pipe(self, node: Pipe, state: State, stdin: Flow) -> Flow:
        """Walk a pipeline: every stage in a process of its own, fed by the one before it."""
        flow = stdin
        for stage in node.stages:
            flow = self.run(stage, state.fork(), flow)
        return flow

    def run_group(self, node: Group, state: State, stdin: Flow) -> Flow:
        """Walk ``{ }``, ``( )`` and other compound commands with redirections."""
        inner = state.fork() if node.subshell else state
        flow_in = stdin
        if node.redirects:
            flow_in = self.redirect(node.redirects, Expander(self.place, state, self.capture), state, stdin)
        flow = self.run(node.body, inner, flow_in)
        return NOTHING if _is_diverted(node.redirects) else flow

    def run_arms(self, node: Arms, state: State, stdin: Flow) -> Flow:
        """Walk ``if`` and ``case``: one arm runs, so all are walked."""
        Expander(self.place, state, self.capture).words(node.words)
        for test in node.tests:
            self.run(test, state, stdin)
        ends = [state.aside()] if len(node.arms) < 2 else []
        for arm in node.arms:
            other = state.aside()
            self.run(arm, other, stdin)
            ends.append(other)
        state.join(ends)
        return UNKNOWN

    def run_for(self, node: For, state: State, stdin: Flow) -> Flow:
        """Walk ``for``, round by round if there are few."""
        if node.words is None:
            values = list(state.vars.get("@", ()))
        else:
            values = Expander(self.place, state, self.capture).words(node.words)
        if len(values) > UNROLLED:
            values = [Arg(f"${node.name}", exact=False)]
        start = state.aside()
        for value in values:
            state.vars[node.name] = (value,)
            self.run(node.body, state, stdin)
        if len(values) != 1:
            state.join([start, state.aside()])
        return UNKNOWN

    def run_while(self, node: While, state: State, stdin: Flow) -> Flow:
        """Walk a loop's body, a second time if it changes what it uses."""
        self.run(node.test, state, stdin)
        start = state.aside()
        self.run(node.body, state, stdin)
        changed = [name for name, value in state.vars.items() if start.vars.get(name) != value]
        if changed and state.cwd == start.cwd:
            for name in changed:
                state.vars[name] = (Arg(f"${name}", exact=False),)
            self.run(node.body, state, stdin)
        state.join([start, state.aside()])
        return UNKNOWN

    def run_func(self, node: Func, state: State, _stdin: Flow) -> Flow:
        """Remember a function; it does nothing until it is called."""
        state.funcs[node.name] = node.body
        return NOTHING

    def run_expr(self, node: Expr, state: State, _stdin: Flow) -> Flow:
        """Walk the substitutions in a test or an arithmetic expression."""
        for sub in node.subs:
            self.run(sub, state.fork(), NOTHING)
        return NOTHING

    def run_unread(self, node: Unread, _state: State, _stdin: Flow) -> Flow:
        """Note text that could not be read."""
        snippet = ""
        if self.inside is None:
            snippet = self.sink.snippet.encode(errors="replace")[node.start : node.end].decode(errors="replace")[:80]
        self.emit("unparsed", "text", snippet, Arg("", node.start, node.end), (), node.why)
        return UNKNOWN


def _put_back(state: State, kept: dict[str, tuple[Arg, ...] | None]) -> None:
    """Give variables the values again that they had."""
    for name, value in kept.items():
        if value is None:
            state.vars.pop(name, None)
        else:
            state.vars[name] = value


def _positional(state: State, args: tuple[Arg, ...]) -> None:
    """Set ``$1``, ``$2``, ..., ``$@``."""
    for at in range(1, 10):
        state.vars.pop(str(at), None)
    for at, arg in enumerate(args[:9], 1):
        state.vars[str(at)] = (arg,)
    state.vars["@"] = state.vars["*"] = args


def _is_awaited(node: Seq) -> bool:
    """Whether the list waits for what it starts in the background: then it is a child like any other."""
    return any(
        type(item.node) is Simple and item.node.words[:1] and item.node.words[0].raw == "wait" for item in node.items
    )


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _is_diverted(redirects: tuple[Redirect, ...]) -> bool:
    """Return whether standard output goes into a file, not down the pipe."""
    return any(map(_is_diverting, redirects))


def _is_diverting(one: Redirect) -> bool:
    return one.op in {">", ">>", ">|", "&>", "&>>"} and one.fd in {"", "1"}


_RUN: dict[type[Node], Callable[[Walk, Any, State, Flow], Flow]] = {
    Simple: Walk.run_simple,
    Seq: Walk.run_seq,
    Pipe: Walk.run_pipe,
    Group: Walk.run_group,
    Arms: Walk.run_arms,
    For: Walk.run_for,
    While: Walk.run_while,
    Func: Walk.run_func,
    Expr: Walk.run_expr,
    Unread: Walk.run_unread,
}
