"""TOML to charter: every error names the line, what is wrong, and what was probably meant. Nothing is ignored."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NoReturn, get_args

import msgspec

from outrider.charter.cedar import ACTIONS, check_cedar
from outrider.charter.examples import EXPECTED
from outrider.charter.examples import fault as fault_of_examples
from outrider.charter.lines import Lines
from outrider.charter.model import (
    KINDS,
    UNSAID,
    AskBy,
    Budget,
    Charter,
    Code,
    Comments,
    Flow,
    Keep,
    Mode,
    Opaque,
    Persona,
    Rules,
    Sponsor,
    Tool,
    Treatment,
    Undecided,
    Unsure,
    micros,
    seconds,
)
from outrider.charter.patterns import check, fits
from outrider.charter.treatment import CLASS, RULE
from outrider.errors import CharterError
from outrider.events.sequence import Sequence, fault

MAX_TEXT = 256 * 1024
"""Largest charter in bytes."""

MAX_PATTERNS = 5000
"""Most patterns in one charter."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_AT = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")

CHARTER_KEYS = ("name", "extends", "description", "contact", "sponsor", "ttl", "budget", "undecided", "mode", "grant")
MAX_CONTACT = 200
"""Most characters of whom to ask."""
SECTIONS = (
    "charter", "may", "delegate", "ask", "never", "flow", "tools", "sequences", "code", "keep", "cedar", "examples",
)  # fmt: skip
COUNTS = ("calls", "spawns", "spawn_depth", "tokens")
BUDGET_KEYS = (*COUNTS, "cost")
_TIMES = ("minutes", "hours", "time", "wall_time", "duration", "ttl")
MAX_COUNT = 2**31
ASK_KEYS = ("by", "within", "approvers")
APPROVER = re.compile(r"(?:group:)?[A-Za-z_][A-Za-z0-9._-]{0,63}")
FLOW_KEYS = ("not_to", "with", "except", "verdict")
TOOL_KEYS = ("looks", "control")
SEVERITIES = ("high", "medium", "low")
KEEP_KEYS = ("what", "max", "sample", "age")
MAX_KEPT = 4 * 1024 * 1024
"""Most bytes of one content that a charter can have kept."""
CODE_KEYS = (*SEVERITIES, "unsure", "persona", "comments", "rules")

CHOICES: dict[str, tuple[str, ...]] = {
    "sponsor": get_args(Sponsor),
    "undecided": get_args(Undecided),
    "mode": get_args(Mode),
    "opaque": get_args(Opaque),
    "by": get_args(AskBy),
    "code": get_args(Treatment),
    "unsure": get_args(Unsure),
    "persona": get_args(Persona),
    "comments": get_args(Comments),
}
"""Setting to the words that it takes."""


def parse(text: str, *, source: str = "") -> Charter:
    """Return the charter that a TOML text says.

    Args:
        text: The text.
        source: Name of the file, for errors.

    Raises:
        CharterError: The text is not TOML, holds a key that is not known, or a value that means nothing; with the line.
    """
    if len(text) > MAX_TEXT:
        raise CharterError(f"the charter is larger than {MAX_TEXT} bytes", source=source)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        line = int(at[1]) if at and at[1] else len(text.splitlines()) if at else 0
        raise CharterError(f"not TOML: {_AT.sub('', str(error)).strip()}", source=source, line=line) from error
    except RecursionError as error:
        raise CharterError("not TOML: nested too deeply", source=source) from error
    return _Reader(Lines(text), source).charter(data)


class _Reader:
    """Reads one document; knows where in the text it is."""

    def __init__(self, lines: Lines, source: str) -> None:
        self.lines = lines
        self.source = source
        self.patterns = 0

    def fail(self, message: str, path: Iterable[str], *, item: str = "", fix: str = "") -> NoReturn:
        where = tuple(path)
        raise CharterError(message, source=self.source, line=self.lines.of(where, item), fix=fix)

    def charter(self, data: Mapping[str, Any]) -> Charter:
        self.keys(data, SECTIONS, (), "section")
        head = data.get("charter")
        if not isinstance(head, dict):
            raise CharterError(
                "there is no [charter] section",
                source=self.source,
                line=1,
                fix='Begin with [charter] and name = "...".',
            )
        self.keys(head, CHARTER_KEYS, ("charter",), "key of [charter]")
        name = self.name(head, "name")
        if not name:
            self.fail("[charter] has no name", ("charter",), fix='Write name = "my-charter".')
        extends = self.name(head, "extends")
        if extends == name:
            self.fail(f'charter "{name}" extends itself', ("charter", "extends"))
        may = dict(self.table(data, "may"))
        opaque = self.choice(may.pop("opaque", None), "opaque", ("may", "opaque"))
        ask = dict(self.table(data, "ask"))
        by = self.choice(ask.pop("by", None), "by", ("ask", "by"))
        charter = Charter(
            name=name,
            extends=extends,
            description=self.string(head, "description"),
            contact=self.contact(head),
            sponsor=self.choice(head.get("sponsor"), "sponsor", ("charter", "sponsor")),  # type: ignore[arg-type]
            ttl=self.duration(head, "charter", "ttl"),
            budget=self.budget(head),
            undecided=self.choice(head.get("undecided"), "undecided", ("charter", "undecided")),  # type: ignore[arg-type]
            mode=self.choice(head.get("mode"), "mode", ("charter", "mode")),  # type: ignore[arg-type]
            grant=self.flag(head, "grant"),
            opaque=opaque,  # type: ignore[arg-type]
            may=self.rules(may, "may", ("opaque",)),
            delegate=self.rules(self.table(data, "delegate"), "delegate"),
            ask_by=by,  # type: ignore[arg-type]
            ask_within=self.duration(ask, "ask", "within"),
            ask_approvers=self.approvers(ask),
            ask=self.rules({key: one for key, one in ask.items() if key not in ASK_KEYS}, "ask", ASK_KEYS),
            never=self.rules(self.table(data, "never"), "never"),
            flow=self.flow(self.table(data, "flow")),
            tools=self.tools(self.table(data, "tools")),
            sequences=self.sequences(self.table(data, "sequences"), name),
            code=self.code(self.table(data, "code")),
            keep=self.keep(self.table(data, "keep")),
            cedar=self.cedar(self.table(data, "cedar"), name),
        )
        self.examples(self.table(data, "examples"))
        if self.patterns > MAX_PATTERNS:
            raise CharterError(f"the charter holds more than {MAX_PATTERNS} patterns", source=self.source)
        return charter

    def keys(self, data: Mapping[str, Any], known: Iterable[str], path: tuple[str, ...], what: str) -> None:
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(key, list(known), 1, 0.5)
                fix = f'Did you mean "{near[0]}"?' if near else "Known are " + ", ".join(known) + "."
                self.fail(f'"{key}" is not a {what}', (*path, key), fix=fix)

    def table(self, data: Mapping[str, Any], section: str) -> dict[str, Any]:
        value = data.get(section, {})
        if not isinstance(value, dict):
            self.fail(f"{section} is not a section", (section,), fix=f"Write [{section}] on a line of its own.")
        return value

    def string(self, data: Mapping[str, Any], key: str, section: str = "charter") -> str:
        value = data.get(key, "")
        if not isinstance(value, str):
            self.fail(f"{key} is not text", (section, key), fix=f'Write {key} = "...".')
        return value

    def contact(self, head: Mapping[str, Any]) -> str:
        value = self.string(head, "contact").strip()
        if len(value) > MAX_CONTACT or not value.isprintable():
            fix = 'Write a name and an address, such as contact = "Platform security <security@shipyard.example>".'
            self.fail(f"contact is not one line of at most {MAX_CONTACT} characters", ("charter", "contact"), fix=fix)
        return value

    def flag(self, data: Mapping[str, Any], key: str) -> bool:
        value = data.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"{key} is neither true nor false", ("charter", key), fix=f"Write {key} = true, without quotes.")
        return value

    def name(self, head: Mapping[str, Any], key: str) -> str:
        value = self.string(head, key)
        if value == "floor" or (value and not NAME.fullmatch(value)):
            self.fail(
                f'"{value}" is not a name for a charter',
                ("charter", key),
                fix='Use lower-case letters, digits and hyphens, a letter first; "floor" is taken.',
            )
        return value

    def choice(self, value: Any, setting: str, path: tuple[str, ...]) -> str | None:
        if value is None:
            return None
        words = CHOICES[setting]
        if value not in words:
            near = difflib.get_close_matches(str(value), words, 1, 0.5)
            fix = f'Did you mean "{near[0]}"?' if near else "It takes " + ", ".join(words) + "."
            self.fail(f'{path[-1]} = "{value}" means nothing', path, fix=fix)
        return str(value)

    def duration(self, table: Mapping[str, Any], section: str, key: str) -> str:
        value = self.string(table, key, section)
        if value:
            self.within(lambda: seconds(value), (section, key))
        return value

    def approvers(self, ask: Mapping[str, Any]) -> tuple[str, ...]:
        value, path = ask.get("approvers", []), ("ask", "approvers")
        if not isinstance(value, list) or ("approvers" in ask and not value):
            self.fail("approvers is not a list of who may answer", path, fix='Write approvers = ["group:release"].')
        for one in value:
            if not isinstance(one, str) or not APPROVER.fullmatch(one):
                fix = 'Write a login name of this host, or "group:" and the name of one of its groups.'
                self.fail(f'"{one}" is nobody who could answer', path, item=str(one), fix=fix)
        return tuple(dict.fromkeys(value))

    def within(self, call: Callable[[], object], path: tuple[str, ...], item: str = "") -> None:
        """Run a check and give its error a line."""
        try:
            call()
        except CharterError as error:
            self.fail(str(error), path, item=item, fix=error.fix)

    def budget(self, head: Mapping[str, Any]) -> Budget:
        value = head.get("budget", {})
        path = ("charter", "budget")
        if not isinstance(value, dict):
            self.fail("budget is not a table", path, fix="Write budget = { calls = 5000 }.")
        for key in value:
            if key in _TIMES:
                fix = 'Time is its life: write ttl = "30m" in [charter].'
                self.fail(f'"{key}" is not a key of budget', (*path, key), fix=fix)
        self.keys(value, BUDGET_KEYS, path, "key of budget")
        limits = dict(value)
        for key, number in value.items():
            if key == "cost":
                limits[key] = self.cost(number, (*path, key))
            elif isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MAX_COUNT:
                self.fail(f"{key} = {number!r} is not a count", (*path, key), item=key, fix=f"Write {key} = 100.")
        return Budget(**limits)

    def cost(self, value: Any, path: tuple[str, ...]) -> int:
        if not isinstance(value, str):
            amount = value if isinstance(value, int | float) and not isinstance(value, bool) else 5
            self.fail(f"cost = {value!r} has no currency", path, item="cost", fix=f'Write cost = "{amount} USD".')
        self.within(lambda: micros(value), path)
        return micros(value)

    def rules(self, data: Mapping[str, Any], section: str, also: tuple[str, ...] = ()) -> Rules:
        self.keys(data, (*ACTIONS, *also), (section,), "verb")
        return {verb: self.list_of(value, verb, (section, verb)) for verb, value in data.items()}

    def list_of(self, value: Any, verb: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fail(f"{path[-1]} is not a list of patterns", path, fix=f'Write {path[-1]} = ["..."].')
        for text in value:
            self.within(lambda text=text: check(verb, text), path, text)  # type: ignore[misc]
        if len(set(value)) < len(value):
            twice = next(one for one in value if value.count(one) > 1)
            self.fail(f'"{twice}" stands twice', path, item=twice)
        self.patterns += len(value)
        return tuple(value)

    def flow(self, data: Mapping[str, Any]) -> dict[str, Flow]:
        out = {}
        for label, value in data.items():
            path = ("flow", label)
            if not LABEL.fullmatch(label):
                self.fail(f'"{label}" is not a label', path, fix="Use lower-case letters, digits, - and _.")
            if not isinstance(value, dict):
                self.fail(f"{label} is not a table", path, fix=f'Write {label} = {{ not_to = ["connect"] }}.')
            self.keys(value, FLOW_KEYS, path, "key of a flow rule")
            out[label] = self.flow_rule(value, path)
        return out

    def flow_rule(self, value: Mapping[str, Any], path: tuple[str, ...]) -> Flow:
        verbs = value.get("not_to")
        if not isinstance(verbs, list) or not verbs:
            self.fail("the rule does not say what is refused", path, fix='Write not_to = ["connect"].')
        for verb in verbs:
            if verb not in ACTIONS:
                near = difflib.get_close_matches(str(verb), ACTIONS, 1, 0.5)
                fix = f'Did you mean "{near[0]}"?' if near else "Verbs are " + ", ".join(ACTIONS) + "."
                self.fail(f'"{verb}" is not a verb', path, item=str(verb), fix=fix)
        also = self.string(value, "with", path[0])
        if also and not LABEL.fullmatch(also):
            self.fail(f'"{also}" is not a label', path, item=also)
        but = value.get("except", [])
        if not isinstance(but, list) or not all(isinstance(one, str) for one in but):
            self.fail("except is not a list of patterns", path, fix='Write except = ["..."].')
        for text in but:
            if not any(fits(verb, text) for verb in verbs):
                self.within(lambda text=text: check(verbs[0], text), path, text)  # type: ignore[misc]
        self.patterns += len(but) * len(verbs)
        verdict = value.get("verdict", "deny")
        if verdict not in ("ask", "deny"):
            self.fail(f'verdict = "{verdict}" means nothing', path, item=str(verdict), fix='It takes "ask" or "deny".')
        asks: Literal["ask"] | None = "ask" if verdict == "ask" else None
        return Flow(not_to=tuple(dict.fromkeys(verbs)), also=also, but=tuple(but), verdict=asks)

    def tools(self, data: Mapping[str, Any]) -> dict[str, Tool]:
        out = {}
        for pattern, value in data.items():
            path = ("tools", pattern)
            self.within(lambda pattern=pattern: check("call", pattern), path, pattern)  # type: ignore[misc]
            if not isinstance(value, dict):
                self.fail(f"{pattern} is not a table", path, fix=f'Write "{pattern}" = {{ control = ["to"] }}.')
            self.keys(value, TOOL_KEYS, path, "key of a tool")
            looks, control = value.get("looks"), value.get("control")
            if looks is not None and not isinstance(looks, bool):
                self.fail("looks is neither true nor false", path, fix="Write looks = true, without quotes.")
            if control is not None and not (isinstance(control, list) and all(isinstance(one, str) for one in control)):
                self.fail("control is not a list of arguments", path, fix='Write control = ["to"].')
            out[pattern] = Tool(looks=looks, control=None if control is None else tuple(control))
        self.patterns += len(out)
        return out

    def sequences(self, data: Mapping[str, Any], name: str) -> dict[str, Sequence]:
        out = {}
        for key, value in data.items():
            path = ("sequences", key)
            if not NAME.fullmatch(key):
                self.fail(f'"{key}" is not a name for a sequence', path, fix="Use lower-case letters, digits, hyphens.")
            try:
                one = msgspec.convert(value, Sequence)
            except msgspec.ValidationError as error:
                self.fail(f"sequence {key}: {error}", path, fix="See the section on sequences in docs/charters.md.")
            if why := fault(one):
                self.fail(f"sequence {key}: {why}", path)
            out[f"{name}.{key}"] = one
        return out

    def code(self, data: Mapping[str, Any]) -> Code:
        self.keys(data, CODE_KEYS, ("code",), "key of [code]")
        words = {
            key: self.choice(value, "code" if key in SEVERITIES else key, ("code", key))
            for key, value in data.items()
            if key != "rules"
        }
        rules = data.get("rules", {})
        if not isinstance(rules, dict):
            self.fail("rules is not a table", ("code", "rules"), fix="Write [code.rules] on a line of its own.")
        treatments = {key: self.treatment(key, value) for key, value in rules.items()}
        self.patterns += len(treatments)
        return Code(**words, rules=treatments)  # type: ignore[arg-type]

    def treatment(self, key: str, value: Any) -> str:
        path = ("code", "rules", key)
        if not RULE.fullmatch(key) and not CLASS.fullmatch(key):
            fix = 'Write a rule such as "code.python-sql-from-string", a pattern such as "secret.*", or "CWE-89".'
            self.fail(f'"{key}" is neither a rule nor a class of weaknesses', path, fix=fix)
        if isinstance(value, dict):
            self.fail(f"{key} is a table", path, fix=f'Write the key in quotes: "{key}...." = "tell".')
        return str(self.choice(value, "code", path))

    def keep(self, data: Mapping[str, Any]) -> Keep:
        if not data:
            return UNSAID
        self.keys(data, KEEP_KEYS, ("keep",), "key of [keep]")
        what = data.get("what")
        if what is not None and (not isinstance(what, list) or not all(one in KINDS for one in what)):
            fix = f"Write a list of some of {', '.join(KINDS)}; an empty one keeps nothing."
            self.fail("what is not a list of kinds of content", ("keep", "what"), fix=fix)
        for key, most, example in (("max", MAX_KEPT, "65536"), ("sample", 100, "100")):
            number = data.get(key, 1)
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
                fix = f"Write {key} = {example}, a whole number from 1 to {most}."
                self.fail(f"{key} = {number!r} means nothing", ("keep", key), fix=fix)
        return Keep(
            what=None if what is None else tuple(one for one in KINDS if one in what),
            max=data.get("max"),
            sample=data.get("sample"),
            age=self.duration(data, "keep", "age"),
        )

    def examples(self, data: Mapping[str, Any]) -> None:
        self.keys(data, EXPECTED, ("examples",), "key of [examples]")
        key, why = fault_of_examples(data)
        if why:
            fix = 'Write a command line, or { tool = "Read", input = { file_path = "repo/.env" } }.'
            self.fail(why, ("examples", key) if key else ("examples",), fix=fix)

    def cedar(self, data: Mapping[str, Any], name: str) -> str:
        self.keys(data, ("policies",), ("cedar",), "key of [cedar]")
        text = self.string(data, "policies", "cedar")
        if text:
            check_cedar(text, source=self.source, line=self.lines.of(("cedar", "policies")), name=name)
        return text
