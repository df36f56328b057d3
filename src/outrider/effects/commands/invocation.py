"""One run of a known program: its options read by its table entry, its arguments handed to their roles."""

from __future__ import annotations

from collections.abc import Callable

from outrider.effects.commands.escape import opens_shell, shell_opened, stray
from outrider.effects.commands.roles import OWN_ROLES, ROLES, net_flags
from outrider.effects.commands.spec import Spec
from outrider.effects.place import normal
from outrider.effects.shell.state import UNKNOWN, Flow, Runner, State
from outrider.effects.shell.tree import Arg
from outrider.events.call import ResourceKind, Verb

Invoke = Callable[[Spec, list[Arg], Runner, State, Flow, str], Flow]
_FLAGS = frozenset({"recursive", "forced"})
_FILES = frozenset({"read", "path-if", "list", "at-list"})
_BEHIND = frozenset({"pattern", "sed", "awk"})
_INSTEAD = frozenset({"pattern", "patterns", "sed", "sed-file", "awk-file"})


class Invocation:
    """One run of a program.

    Attributes:
        runner: Takes the effects.
        state: The shell that it runs in.
        spec: Its entry.
        name: Its name as called, or its subcommand's.
        program: Its name as called.
        at: Where it stands in the text.
        stdin: What it is given on standard input.
        flags: Flags that its options set.
        words: Its arguments, as given.
        rest: Positional arguments.
        given: Options met, role and value.
    """

    def __init__(self, runner: Runner, state: State, spec: Spec, args: list[Arg], stdin: Flow) -> None:
        self.runner, self.state, self.spec, self.stdin = runner, state, spec, stdin
        self.at = args[0]
        self.name = args[0].text
        self.program = self.name
        self.words = args[1:]
        self.flags: set[str] = set(spec.flags)
        self.rest: list[Arg] = []
        self.given: list[tuple[str, Arg]] = []
        self.hosts: list[tuple[str, Arg]] = []
        self.flow: Flow | None = None
        self.invoke: Invoke | None = None

    def emit(self, verb: Verb, kind: ResourceKind, value: str, at: Arg, flags: tuple[str, ...] = ()) -> None:
        """Note an effect."""
        self.runner.emit(verb, kind, value, at, flags)

    def opaque(self, why: str, flags: tuple[str, ...] = ()) -> None:
        """Note that the program's inner effects are not seen."""
        self.runner.emit("opaque", "command", self.program, self.at, flags, why)

    def unparsed(self, at: Arg, why: str) -> None:
        """Note that text which is run could not be read."""
        self.runner.emit("unparsed", "text", at.text[:200], at, (), why)

    def path(self, verb: Verb, arg: Arg, extra: tuple[str, ...] = ()) -> None:
        """Note an effect on a path, with the flags that the options set."""
        if "/.outrider" in arg.text:
            self.state.disk["outrider"] = arg.text  # What a ``kill`` behind it is given may come from there.
        flags = tuple(flag for flag in self.flags if flag in _FLAGS) + extra if self.flags or extra else ()
        self.runner.path(verb, arg, self.state, flags)

    def read_options(self) -> None:
        """Split the words into options and positional arguments."""
        style = self.spec.style
        if style == "none":
            self.rest = self.words
            return
        words, at, count = self.words, 0, len(self.words)
        while at < count:
            word = words[at]
            at += 1
            text = word.text
            if len(text) < 2 or (text[0] != "-" and not (text[0] == "+" and text in self.spec.options)):
                if style == "posix":
                    self.rest = words[at - 1 :]
                    return
                self.rest.append(word)
            elif text == "--":
                self.rest.extend(words[at:])
                return
            elif text[1] == "-" or style == "long":
                at = self.long(word, at)
            else:
                at = self.short(word, at)

    def long(self, word: Arg, at: int) -> int:
        """Read ``--name``, ``--name=value`` or, in the long style, ``-name``."""
        name, equals, value = word.text.partition("=")
        role = self.spec.options.get(name)
        if role is None and not name.startswith("--"):
            role = self.spec.options.get("-" + name)
        if role is None and name.startswith("--") and self.spec.style != "long":
            near = {r for n, r in self.spec.options.items() if n.startswith(name)} if len(name) > 4 else set()
            role = near.pop() if len(near) == 1 else None
        if role is None:
            if equals:
                loose = Arg(value, word.start, word.end, word.exact, word.glob)
                stray(self.runner, self.name, loose, self.state, is_run=bool(self.spec.opaque))
            return at
        if role[0] == ":":
            self.flags.add(role[1:])
            if equals and role == ":edit":
                return at
        elif equals:
            self.given.append((role, Arg(value, word.start, word.end, word.exact, word.glob, word.hidden, word.made)))
        elif at < len(self.words):
            self.given.append((role, self.words[at]))
            at += 1
        return at

    def short(self, word: Arg, at: int) -> int:
        """Read ``-abc`` or ``-ovalue``."""
        text, options = word.text, self.spec.options
        for place in range(1, len(text)):
            role = options.get("-" + text[place])
            if role is None:
                if text[place + 1 : place + 2] in {"/", "~"}:
                    loose = Arg(text[place + 1 :], word.start, word.end, word.exact, word.glob)
                    stray(self.runner, self.name, loose, self.state)
                    break
                continue
            if role[0] == ":":
                self.flags.add(role[1:])
                if role == ":edit":  # -i takes a suffix that hangs on it
                    break
                continue
            value = text[place + 1 :]
            if value:
                value = value.removeprefix("=")
                self.given.append((role, Arg(value, word.start, word.end, word.exact, word.glob)))
            elif at < len(self.words):
                self.given.append((role, self.words[at]))
                at += 1
            break
        return at

    def apply(self) -> None:
        """Hand every option and argument to its role."""
        args = self.spec.args
        for role, arg in self.given:
            if role == "chdir":
                self.chdir(arg)
        for role, arg in self.given:
            if role in _INSTEAD:
                args = tuple(one for one in args if one not in _BEHIND)
            if role == "target":
                args = args[:-1]
                ROLES["write"](self, arg)
            elif role != "chdir":
                ROLES[role](self, arg)
        if not self.rest:
            if self.spec.default and not any(role in _INSTEAD for role, _ in self.given):
                ROLES[self.spec.default](self, Arg(".", self.at.start, self.at.end))
            return
        self.positional(args)

    def positional(self, args: tuple[str, ...]) -> None:
        """Hand the positional arguments to their roles, the repeated one taking what the others leave."""
        rest = self.rest
        many = next((at for at, role in enumerate(args) if role[-1] in "*+"), -1)
        if many < 0:
            pairs = list(zip(args, rest, strict=False))
        else:
            behind = len(args) - many - 1
            least = 1 if args[many][-1] == "+" else 0
            behind = max(0, min(behind, len(rest) - many - least))
            stop = len(rest) - behind
            pairs = list(zip(args[:many], rest[:many], strict=False))
            pairs.extend((args[many][:-1], arg) for arg in rest[many:stop])
            pairs.extend(zip(args[many + 1 :], rest[stop:], strict=False))
        is_edit = "edit" in self.flags
        for role, arg in pairs:
            if role == "program":
                self.flow = self.runner.program(rest[rest.index(arg) :], self.state, self.stdin)
                return
            if role == "text" or (" " in arg.text and role in _FILES):
                stray(self.runner, self.name, arg, self.state, is_run=bool(self.spec.opaque))
            else:
                ROLES["edit" if is_edit and role == "read" else role](self, arg)

    def apply_options(self) -> None:
        """Hand the options alone to their roles."""
        for role, arg in self.given:
            if role == "target":
                ROLES["write"](self, arg)
            elif role != "chdir":
                ROLES[role](self, arg)

    def chdirs(self) -> None:
        """Follow the options that change the directory."""
        for role, arg in self.given:
            if role == "chdir":
                self.chdir(arg)

    def sub(self) -> Flow:
        """Run the subcommand that the first positional argument names."""
        for role, arg in self.given:
            if role not in OWN_ROLES:
                ROLES[role](self, arg)
        if not self.rest:
            return UNKNOWN
        name = self.rest[0]
        entry = self.spec.subs.get(name.text)
        if entry is None or self.invoke is None:
            if self.spec.opaque or not name.exact or name.text[:1] != "-":
                self.own_drafts()
                self.opaque(self.spec.opaque or f"{self.name} {name.text[:40]}: not known here")
            return UNKNOWN
        for host, at in self.hosts:
            self.runner.emit("connect", "host", host, at, net_flags(at))
        return self.invoke(entry, self.rest, self.runner, self.state, self.stdin, self.program)

    def chdir(self, arg: Arg) -> None:
        """Change the directory for this program alone."""
        self.state = self.state.fork()
        change_directory(self.state, arg)

    def finish(self) -> Flow:
        """Note the hosts reached, now that it is known whether data goes out, and say what is printed."""
        if self.spec.remote and not self.hosts and "dry" not in self.flags:
            self.hosts.append((self.spec.remote, self.at))
        for host, at in self.hosts:
            flags = ("looks",) if "looks" in self.flags else net_flags(at, is_upload="upload" in self.flags)
            self.runner.emit("connect", "host", host, at, flags)
        if self.spec.opaque:
            self.opaque(self.spec.opaque)
            self.own_drafts()
        return self.flow if self.flow is not None else self.printed()

    def own_drafts(self) -> None:
        """Note a shell that is opened by what the call itself wrote, such as a build file, and this program may run."""
        if any(opens_shell(text) for text in self.runner.drafts_of(self.words, self.state)):
            shell_opened(self.runner, self.name, self.at)

    def text_in(self) -> str | None:
        """Return the text that is worked on where it is known: that of files that the call itself wrote, or stdin's."""
        files = [arg for arg in self.rest if arg.text != "-"]
        if not files:
            return self.stdin.text
        drafts = [self.runner.drafted(arg, self.state) for arg in files]
        return "".join(draft for draft in drafts if draft is not None) if None not in drafts else None

    def printed(self) -> Flow:
        """Say what the program prints."""
        out = self.spec.out
        if not out:
            return UNKNOWN
        if out == "pass" and self.name == "tee":
            return self.stdin
        if out == "paths":
            names = (Arg("*", self.at.start, self.at.end, glob=True),)
            return Flow(paths=names + tuple(arg for arg in self.rest if arg.glob) if self.rest else names)
        if out == "pass":
            text = self.text_in() if self.rest and self.name == "cat" else None
            if text is None and (not self.stdin.some or self.rest):
                return Flow(origin="file")
            if self.name == "cat":
                return self.stdin if text is None else Flow(text=text)
            return Flow(paths=self.stdin.paths, origin=self.stdin.origin, slashless=self.stdin.slashless)
        if out == "number":
            return Flow(slashless=True)
        if out in {"network", "decoded", "file"}:
            return Flow(origin=out)
        return UNKNOWN

    def run(self) -> Flow:
        """Read the options, hand out the arguments, and say what is printed."""
        self.read_options()
        self.apply()
        return self.finish()


def change_directory(state: State, arg: Arg) -> None:
    """Make ``arg`` the state's directory; an unknown one makes it unknown."""
    if not arg.exact or arg.glob:
        state.cwd = None
        return
    located = resolve_against(state.cwd, arg.text)
    state.cwd = located if located.startswith("/") else None


def resolve_against(cwd: str | None, text: str) -> str:
    """Return ``text`` as an absolute normal path if the directory is known, else as it is."""
    if text.startswith("/"):
        return normal(text)
    return normal(f"{cwd}/{text}") if cwd is not None else text
