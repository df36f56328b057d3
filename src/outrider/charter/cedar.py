"""A charter as Cedar: the text that is evaluated, and the schema that it is validated against.

Pattern membership is decided by our matcher and shown to Cedar as ``resource in Pattern::"coder.may.read.0"``. What
Cedar has no word for stands in annotations: ``@verdict("ask")`` softens a forbid to a question, ``@advice`` is shown to
the agent. Read by any other Cedar engine, a question is a deny: the text never says less than it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cedarpy

from outrider.charter.model import Charter, Rules
from outrider.charter.patterns import Declared, fits
from outrider.errors import CharterError
from outrider.events.call import VERBS, ResourceKind

KINDS: dict[str, str] = {
    "path": "Path", "host": "Host", "command": "Command", "package": "Package", "tool": "Tool", "repo": "Repo",
    "credential": "Credential", "charter": "Charter", "text": "Text", "agent": "Program",
}  # fmt: skip
"""Resource kind to Cedar entity type."""
assert set(KINDS) == set(ResourceKind.__args__)  # type: ignore[attr-defined]

ACTIONS = tuple(verb for verb in VERBS if verb not in {"unparsed", "opaque"})

SCHEMA = (
    "entity Pattern;\n"
    "entity Charter in [Charter, Pattern] { value: String };\n"
    "entity Agent in [Charter];\n"
    + "".join(f"entity {kind} in [Pattern] {{ value: String }};\n" for kind in KINDS.values() if kind != "Charter")
    + """type Counters = { calls: Long, spawns: Long, depth: Long };
type Time = { epoch: Long, hour: Long, minute: Long, weekday: Long };
type Context = {
  labels: Set<String>,
  findings: Set<String>,
  severities: Set<String>,
  flags: Set<String>,
  counters: Counters,
  time: Time,
  confined: Bool
};
"""
    + "action "
    + ", ".join(f'"{verb}"' for verb in ACTIONS)
    + " appliesTo {\n  principal: [Agent],\n  resource: ["
    + ", ".join(KINDS.values())
    + "],\n  context: Context\n};\n"
)
"""The Cedar schema. ``weekday`` is 0 for Monday; hour and minute are UTC; ``epoch`` is seconds since 1970 UTC."""


class Clause(NamedTuple):
    """One generated policy, or a pair of them for a question.

    Attributes:
        id: Rule id.
        section: ``may``, ``delegate``, ``ask``, ``never`` or ``flow``.
        verb: The action.
        text: The pattern as written, or the label for flow.
        condition: Cedar text behind the scope.
        scoped: True if the resource must be in ``Pattern::id``.
        forbid: True for forbid.
        asks: True for a forbid that is a question.
    """

    id: str
    section: str
    verb: str
    text: str
    condition: str
    scoped: bool
    forbid: bool
    asks: bool = False

    def cedar(self) -> str:
        """Return the policy's text."""
        body = self._body(self.id)
        if self.section == "ask":
            yes = f"{self.id}.yes"
            return f'@id("{yes}")\npermit {self._body(yes)}@id("{self.id}")\n@verdict("ask")\nforbid {body}'
        verdict = '@verdict("ask")\n' if self.asks else ""
        return f'@id("{self.id}")\n{verdict}{"forbid" if self.forbid else "permit"} {body}'

    def _body(self, pattern: str) -> str:
        scope = f'resource in Pattern::"{pattern}"' if self.scoped else "resource"
        return f'(principal, action == Action::"{self.verb}", {scope}){self.condition};\n'


def spread(rules: Rules) -> Rules:
    """Return the rules of a section with ``delete`` spelt out: where it is not written, ``write`` holds for it."""
    if "write" in rules and "delete" not in rules:
        return {**rules, "delete": rules["write"]}
    return rules


def clauses(charter: Charter, *, ceiling: bool) -> Iterator[tuple[Clause, tuple[Declared, ...]]]:
    """Yield a charter's generated policies, each with the patterns that it needs."""
    name = charter.name
    sections = [("may", charter.may), ("ask", charter.ask), ("never", charter.never)]
    if ceiling:
        sections.insert(1, ("delegate", charter.delegate))
    for section, written in sections:
        for verb, patterns in spread(written).items():
            for at, text in enumerate(patterns):
                rule = f"{name}.{section}.{verb}.{at}"
                never = section == "never"
                clause = Clause(rule, section, verb, text, "", scoped=True, forbid=never)
                declared = Declared(rule, verb, text, strict=never)
                if section == "ask":
                    # What is asked about is as wide as a refusal; what a yes permits is not.
                    declared = declared._replace(strict=True)
                    yield clause, (declared, Declared(f"{rule}.yes", verb, text, strict=False))
                else:
                    yield clause, (declared,)
    for label, flow in charter.flow.items():
        for verb in flow.not_to:
            rule = f"{name}.flow.{label}.{verb}"
            fitting = [text for text in flow.but if fits(verb, text)]
            but = tuple(Declared(f"{rule}.{at}", verb, text, strict=False) for at, text in enumerate(fitting))
            condition = f' when {{ context.labels.contains("{label}")'
            condition += f' && context.labels.contains("{flow.also}") }}' if flow.also else " }"
            if but:
                condition += " unless { " + " || ".join(f'resource in Pattern::"{one.id}"' for one in but) + " }"
            asks = flow.verdict == "ask"
            yield Clause(rule, "flow", verb, label, condition, scoped=False, forbid=True, asks=asks), but


def to_cedar(charter: Charter, *, ceiling: bool = False) -> str:
    """Return the Cedar text of a charter: what is evaluated for it.

    Args:
        charter: The charter.
        ceiling: True for the text that bounds its agents' children, which adds ``[delegate]``.
    """
    head = f"// charter {charter.name}\n"
    body = "".join(clause.cedar() for clause, _ in clauses(charter, ceiling=ceiling))
    return head + body + (f"// written in Cedar\n{charter.cedar.strip()}\n" if charter.cedar else "")


def check_cedar(text: str, *, name: str, source: str, line: int = 0) -> None:
    """Refuse Cedar text that does not parse, does not fit the schema, or takes the name of a generated policy.

    Raises:
        CharterError: Why, in Cedar's own words.
    """
    try:
        parsed = cedarpy.policies_to_pst(text)
    except ValueError as error:
        raise CharterError(f"[cedar] policies: {error}", source=source, line=line) from error
    if parsed.templates:
        raise CharterError("[cedar] policies hold a template; nothing links it", source=source, line=line)
    taken: set[str] = set()
    for policy in parsed.static_policies.values():
        rule = policy.annotations.get("id", "")
        if rule.startswith(name + ".") or (rule and rule in taken):
            raise CharterError(f'[cedar] policies: @id("{rule}") is taken', source=source, line=line)
        taken.add(rule)
        verdict = policy.annotations.get("verdict", "deny" if policy.effect == "forbid" else "")
        if verdict not in ({"ask", "deny"} if policy.effect == "forbid" else {""}):
            raise CharterError(
                f'[cedar] policies: @verdict("{verdict}") on a {policy.effect}',
                source=source,
                line=line,
                fix='Only a forbid takes @verdict, and only "ask" or "deny".',
            )
    _check_schema(text, source, line)


def _check_schema(text: str, source: str, line: int) -> None:
    result = cedarpy.validate_policies(text, SCHEMA)
    if not result.validation_passed:
        raise CharterError(f"[cedar] policies: {result.errors[0].error}", source=source, line=line)
