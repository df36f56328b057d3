"""Code in other languages given as text: what its plain calls on literal texts would do; the rest stays opaque."""

from __future__ import annotations

import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.shell.state import UNKNOWN
from outrider.effects.shell.tree import Arg
from outrider.events.call import Verb

_TEXT = r"""(?:r|b|f|%q)?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)"""
_WRITES = (
    r"writeFileSync|writeFile|appendFileSync|appendFile|createWriteStream|File\.write|IO\.write|write_file|"
    r"file_put_contents|fputs|mkdirSync|truncateSync|chmodSync|copyFileSync|renameSync"
)
_READS = (
    r"readFileSync|readFile|createReadStream|File\.read|IO\.read|readlines|file_get_contents|slurp|readdirSync|"
    r"File\.readlines"
)
_KINDS: tuple[tuple[str, tuple[Verb, ...], tuple[str, ...]], ...] = (
    (r"system|exec|execSync|popen|shell_exec|passthru|spawnSync|proc_open|qx|os\.execute|io\.popen", (), ()),
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
_TICKS = re.compile(r"(?:%x\{([^}]*)\}|`([^`]*)`)")
_TICKED = frozenset({"ruby", "perl", "php", "irb", "jruby"})
_LIMIT = 64


def read_code(run: Invocation, text: str, at: Arg) -> None:
    """Note what calls on literal texts in ``text`` would do. What is not a plain call is not seen: it stays opaque."""
    count = 0
    for pattern, verbs, flags in _CALLS:
        for found in pattern.finditer(text):
            count += 1
            if count > _LIMIT:
                return
            value = next((group for group in found.groups() if group is not None), "")
            if not verbs:
                run.runner.text(value, at, run.state.fork(), UNKNOWN)
            elif value:
                for verb in verbs:
                    run.path(verb, Arg(value, at.start, at.end, "${" not in value), flags)
    if run.name in _TICKED:
        for found in _TICKS.finditer(text):
            run.runner.text(found[1] or found[2] or "", at, run.state.fork(), UNKNOWN)
