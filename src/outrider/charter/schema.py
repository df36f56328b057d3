"""The JSON Schema of a charter's TOML, for editors: published as ``charters/charter.schema.json``.

It says what keys there are and what words they take. What only :func:`outrider.charter.parse.parse` can judge (whether
a pattern says where it starts, whether Cedar validates) it leaves to that.
"""

from __future__ import annotations

from typing import Any

from outrider.charter.cedar import ACTIONS
from outrider.charter.examples import EXPECTED
from outrider.charter.model import KINDS
from outrider.charter.parse import APPROVER, CHOICES, LABEL, MAX_CONTACT, MAX_KEPT, NAME
from outrider.charter.treatment import CLASS, RULE
from outrider.events.call import VERBS
from outrider.events.sequence import MAX_WITHIN

_ABOUT = {
    "exec": "Programs, by name. A command is judged by its effects as well.",
    "read": "Paths: repo/..., ~/..., /..., **/..., @system, @tmp, @caches, @keys, @credentials, @host, @root.",
    "write": "Paths. Holds for delete too, where delete is not written.",
    "delete": "Paths.",
    "connect": "Hosts: example.com, *.example.com, example.com:8080, 10.0.0.0/8, @registries, @loopback.",
    "call": "Tools: mcp:server/tool.",
    "spawn": "Charters or kinds of sub-agent, by name; agent:claude for a program started by the shell.",
    "install": "Packages: pypi:requests, npm:known, pypi:listed.",
    "commit": "Work trees, as paths.",
    "push": "remote/branch.",
    "deploy": "Targets, by name.",
    "use_credential": "Credentials, by name.",
    "prompt": "Texts put to a person or a model.",
}


def _patterns(about: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True, "description": about}


def _words(setting: str, about: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(CHOICES[setting]), "description": about}


def _section(about: str, **more: Any) -> dict[str, Any]:
    verbs = {verb: _patterns(_ABOUT[verb]) for verb in ACTIONS}
    return {"type": "object", "additionalProperties": False, "description": about, "properties": {**verbs, **more}}


def _table(about: str, properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    table = {"type": "object", "additionalProperties": False, "description": about, "properties": properties}
    return {**table, "required": list(required)} if required else table


def _head() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0, "maximum": 2**31}
    return _table(
        "What the charter is.",
        {
            "name": {"type": "string", "pattern": f"^{NAME.pattern}$", "description": "The agent class."},
            "extends": {"type": "string", "pattern": f"^{NAME.pattern}$", "description": "Its ceiling."},
            "description": {"type": "string", "description": "One sentence."},
            "contact": {"type": "string", "maxLength": MAX_CONTACT, "description": "Whom to ask about its agents."},
            "sponsor": _words("sponsor", "Whether somebody must answer for every instance."),
            "ttl": {"type": "string", "pattern": "^[1-9][0-9]{0,8}[smhd]$", "description": "An instance's life: 8h."},
            "budget": _table(
                "Counted limits of one instance.",
                {
                    "calls": {**count, "description": "Calls that it may make."},
                    "spawns": {**count, "description": "Children that it may start."},
                    "spawn_depth": {**count, "description": "Generations below a root."},
                    "tokens": {**count, "description": "Tokens of its model, where its host tells them."},
                    "cost": {
                        "type": "string",
                        "pattern": "^[0-9]{1,7}(\\.[0-9]{1,6})? USD$",
                        "description": "What its session may cost, where its host tells it: 2.50 USD.",
                    },
                },
            ),
            "undecided": _words("undecided", "What an error means for this class."),
            "mode": _words("mode", "Whether this charter's own refusals are enforced or only observed."),
            "grant": {"type": "boolean", "description": "Whether the host is told an affirmative allow."},
        },
        ("name",),
    )


def _sequence() -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    step = _table(
        "A call with an effect that is all of what is said here.",
        {
            "verbs": {"type": "array", "items": {"enum": list(VERBS)}, "minItems": 1},
            "values": {**texts, "description": "Patterns of its resource: * within a name, ** across."},
            "flags": {**texts, "description": "Flags that it has."},
            "beside": {"type": "array", "items": {"enum": list(VERBS)}, "description": "Verbs of the same call."},
            "brings": {**texts, "description": "Labels of which the call brings one."},
            "stores": {"type": "boolean", "description": "Its resource is a store of secrets."},
            "tied": {"type": "boolean", "description": "Its resource is that of the step before."},
            "count": {"type": "integer", "minimum": 1, "description": "Different resources; of the last step."},
            "repeated": {"type": "boolean", "description": "The same resource counts each time."},
            "refused": {"type": "boolean", "description": "A refused call counts, too."},
        },
        ("verbs",),
    )
    level = {"type": "string", "enum": ["high", "medium", "low"]}
    return _table(
        "Steps over several calls.",
        {
            "message": {"type": "string", "description": "What was seen, one sentence."},
            "advice": {"type": "string", "description": "What to do instead, one sentence."},
            "severity": {**level, "description": "What [code] then does with it."},
            "confidence": {**level, "description": "A low one counts one severity less."},
            "within": {"type": "integer", "minimum": 1, "maximum": MAX_WITHIN, "description": "Calls that it spans."},
            "steps": {"type": "array", "items": step, "minItems": 1},
        },
        ("message", "advice", "severity", "within", "steps"),
    )


def _tool() -> dict[str, Any]:
    return _table(
        "What is said about the tools that the pattern names.",
        {
            "looks": {"type": "boolean", "description": "Whether they only look. If not written: by their names."},
            "control": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Arguments that say where a call goes or what it touches. Else by their names.",
            },
        },
    )


def _code() -> dict[str, Any]:
    return {
        "unsure": _words("unsure", "What a finding of low confidence comes to: its severity, one less, or a note."),
        "persona": _words("persona", "Whose rules about code are asked."),
        "comments": _words("comments", "Whether comments in the code, and lists in the repository, let findings be."),
        "rules": {
            "type": "object",
            "description": 'What happens to findings of a rule, of rules like "secret.*", or of "CWE-89".',
            "propertyNames": {"pattern": f"^(?:{RULE.pattern}|{CLASS.pattern})$"},
            "additionalProperties": _words("code", "What happens to them."),
        },
    }


def _example_list(key: str) -> dict[str, Any]:
    call = {
        "type": "object",
        "properties": {"tool": {"type": "string"}, "input": {"type": "object"}},
        "required": ["tool", "input"],
        "additionalProperties": False,
    }
    told = f"Calls of which {key} must come: command lines, or tools with their input."
    return {"type": "array", "description": told, "items": {"anyOf": [{"type": "string"}, call]}}


def _ask() -> dict[str, Any]:
    return _section(
        "What a person decides; no answer is a deny.",
        by=_words("by", "Who asks: the host at its own prompt, or Outrider, which refuses until it is answered."),
        within={
            "type": "string",
            "pattern": "^[1-9][0-9]{0,8}[smhd]$",
            "description": "How long a question waits: 1h. Then it is a no.",
        },
        approvers={
            "type": "array",
            "items": {"type": "string", "pattern": f"^{APPROVER.pattern}$"},
            "minItems": 1,
            "description": "Who may answer: users of this host, and group:NAME. Then Outrider asks, not the host.",
        },
    )


def _keep() -> dict[str, Any]:
    what = {"type": "array", "items": {"enum": list(KINDS)}, "description": "Kinds of content; none keeps nothing."}
    return _table(
        "What is kept of content, encrypted, beside the record.",
        {
            "what": what,
            "max": {"type": "integer", "minimum": 1, "maximum": MAX_KEPT, "description": "Bytes of one content."},
            "sample": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Percent of contents."},
            "age": {"type": "string", "pattern": "^[1-9][0-9]{0,8}[smhd]$", "description": "How long: 30d."},
        },
    )


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema draft 2020-12) of a charter file."""
    flow = _table(
        "What a context that carries the label may no longer do.",
        {
            "not_to": {"type": "array", "items": {"enum": list(ACTIONS)}, "minItems": 1},
            "with": {"type": "string", "pattern": f"^{LABEL.pattern}$", "description": "A second label needed."},
            "except": _patterns("Resources for which the rule does not hold."),
            "verdict": {"type": "string", "enum": ["ask", "deny"], "description": "Whether a person decides."},
        },
        ("not_to",),
    )
    code = {key: _words("code", f"What happens to findings of {key} severity.") for key in ("high", "medium", "low")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Outrider charter",
        **_table(
            "What the agents of one class may do.",
            {
                "charter": _head(),
                "may": _section(
                    "What is permitted; everything else is denied.",
                    opaque=_words("opaque", "Programs whose inner effects are not seen."),
                ),
                "delegate": _section("What it may hand on to children without having it itself."),
                "ask": _ask(),
                "never": _section("What is refused whatever else says, in every child too."),
                "flow": {
                    "type": "object",
                    "description": "Information-flow rules: label to rule.",
                    "propertyNames": {"pattern": f"^{LABEL.pattern}$"},
                    "additionalProperties": flow,
                },
                "tools": {
                    "type": "object",
                    "description": "Tools, by pattern (mcp:server/tool): which of their arguments steer them.",
                    "additionalProperties": _tool(),
                },
                "sequences": {
                    "type": "object",
                    "description": "Steps over several calls which together bring a finding, by name.",
                    "propertyNames": {"pattern": f"^{NAME.pattern}$"},
                    "additionalProperties": _sequence(),
                },
                "code": _table("What happens to findings in what it writes or sends.", {**code, **_code()}),
                "keep": _keep(),
                "cedar": _table(
                    "What TOML cannot say.", {"policies": {"type": "string", "description": "Cedar policies."}}
                ),
                "examples": _table(
                    "Calls that the charter must let through, ask about and refuse; charter check tries them.",
                    {key: _example_list(key) for key in EXPECTED},
                ),
            },
            ("charter",),
        ),
    }
