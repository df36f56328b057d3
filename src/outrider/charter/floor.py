"""The floor: what no charter can permit, because it would take the rider off the horse.

A coding agent's host reads its hooks from files that the agent can write, and some hosts read them again at once: one
write switches every judgement off. So no agent, under any charter, writes or deletes a host's hook, settings or MCP
files at any level, git's hooks or the keys of git's configuration that run programs, or Outrider's own files; and none
starts an agent host with its hooks switched off. Reading them stays free, but for Outrider's keys. A person changes
these things outside an agent.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from outrider.charter.bound import Bindings, Bound, Compiled, Info, scene
from outrider.charter.cedar import SCHEMA
from outrider.charter.paths import normal
from outrider.charter.patterns import Declared, Index
from outrider.charter.program import Program

NAME = "floor"


class FloorRule(NamedTuple):
    """One rule of the floor.

    Attributes:
        id: What follows ``floor.`` in its rule id.
        verbs: Verbs that are refused.
        patterns: Paths, or empty for a rule about flags.
        when: Cedar condition, or empty.
        reason: One sentence.
        advice: What the agent can do instead.
    """

    id: str
    verbs: tuple[str, ...]
    patterns: tuple[str, ...]
    when: str
    reason: str
    advice: str


_CHANGE = ("write", "delete")
_ASK_A_PERSON = "Leave the file as it is and ask your user to change it."

HOST_FILES = (
    # Claude Code, which Copilot, VS Code and Cursor read too
    "**/.claude/settings*.json", "**/.claude/hooks/**", "**/.claude/managed-settings*.json", "**/.mcp.json",
    "~/.claude.json", "**/.claude.json", "/etc/claude-code/**", "/Library/Application Support/ClaudeCode/**",
    "~/.claude/plugins/**", "**/.claude-plugin/**",
    # Codex
    "**/.codex/hooks.json", "**/.codex/hooks/**", "**/.codex/config.toml", "/etc/codex/**",
    # Gemini, Antigravity
    "**/.gemini/settings.json", "**/.gemini/config/**", "**/.gemini/hooks/**", "**/.gemini/extensions/**",
    "**/.agents/hooks.json", "/etc/gemini-cli/**", "/Library/Application Support/GeminiCli/**",
    # Qwen
    "**/.qwen/settings.json", "**/.qwen/hooks/**", "/etc/qwen-code/**",
    # opencode
    "**/opencode.json", "**/opencode.jsonc", "**/.opencode/plugin/**", "**/.opencode/plugins/**",
    "~/.config/opencode/**", "/etc/opencode/**", "/Library/Application Support/opencode/**",
    # GitHub Copilot, VS Code
    "**/.github/hooks/**", "**/.github/copilot/settings*.json", "~/.copilot/hooks/**", "~/.copilot/settings.json",
    "~/.copilot/config.json", "~/.copilot/mcp-config.json", "/etc/github-copilot/**", "**/.vscode/mcp.json",
    # Cursor
    "**/.cursor/hooks.json", "**/.cursor/hooks/**", "**/.cursor/mcp.json", "/etc/cursor/**",
    "/Library/Application Support/Cursor/hooks.json",
    # Cline
    "**/.clinerules/hooks/**", "~/.cline/hooks/**", "~/Documents/Cline/Hooks/**", "**/cline_mcp_settings.json",
    # Windsurf, Devin, Kiro, Factory, Amp, Kimi
    "**/.windsurf/hooks.json", "~/.codeium/windsurf/hooks.json", "~/.codeium/windsurf/mcp_config.json",
    "/etc/windsurf/**", "**/.devin/hooks*.json", "**/.kiro/hooks/**", "**/.kiro/settings/mcp.json",
    "**/.factory/hooks.json", "**/.factory/settings*.json", "**/.factory/mcp.json", "~/.config/amp/settings.json",
    "**/.amp/settings.json", "~/.kimi-code/config.toml",
)  # fmt: skip
"""Files in which an agent host keeps its hooks, settings, plugins and MCP servers; its commands, skills and agents
are not among them."""

GIT_CONFIG = ("**/.git/config", "**/.git/config.worktree", "**/.git/modules/**/config", "~/.gitconfig",
              "~/.config/git/config", "/etc/gitconfig")  # fmt: skip

_NOT_GIT = '!context.flags.contains("git-own")'
"""Git's own writing below ``.git`` (a fetch, a branch) changes no hook and sets no key."""

RULES = (
    FloorRule(
        "host-settings", _CHANGE, HOST_FILES, "",
        "This file sets up an agent host's hooks, permissions or MCP servers, and no agent may change it.",
        _ASK_A_PERSON,
    ),
    FloorRule(
        "suppressions", _CHANGE, ("**/.outrider.toml",), "",
        "This file says which findings a person lets be, and no agent may change it.",
        "Correct what was found, or tell your user why it should be let be.",
    ),
    FloorRule(
        "git-hooks", _CHANGE, ("**/.git/hooks/**", "**/.git/modules/**/hooks/**"), _NOT_GIT,
        "Git runs these files by itself, and no agent may put programs there.",
        "Run the check yourself, or add it to a script in the repository that people can review.",
    ),
    FloorRule(
        "git-config", _CHANGE, GIT_CONFIG, '!context.flags.contains("git-safe") && ' + _NOT_GIT,
        "Git's configuration can name programs that git runs, and no agent may edit it as a file.",
        'Set harmless keys with the command "git config KEY VALUE"; leave keys that run programs to a person.',
    ),
    FloorRule(
        "git-exec", (*_CHANGE, "exec"), (), 'context.flags.contains("git-exec")',
        "This key of git's configuration makes git run a program, and no agent may set it.",
        "Run the program itself, so that it is judged as what it is.",
    ),
    FloorRule(
        "host-config", ("call",), ("host:ConfigChange", "host:ConfigChange/*"), "",
        "The host is about to take over changed settings, which could switch its hooks off.",
        "Leave the settings as they are; a person changes them outside a session.",
    ),
    FloorRule(
        "detached", ("spawn",), (), 'context.flags.contains("detached")',
        "This starts an agent where nobody could tell whose child it is.",
        "Start it in the foreground, or wait for it in the same command.",
    ),
    FloorRule(
        "hooks-off", ("spawn", "exec"), (), 'context.flags.contains("hooks_off")',
        "This starts an agent host with its hooks switched off, so nobody could say what it does.",
        "Start it without the option or variable that switches hooks off.",
    ),
    FloorRule(
        "guard-off", ("exec",), (), 'context.flags.contains("guard_off")',
        "This pauses, ends or takes out Outrider, and no agent may do that.",
        "Tell your user what is in the way; a person can do it in a terminal of their own.",
    ),
)  # fmt: skip
"""The rules that hold on every host; those for Outrider's own files are made from the bindings."""


def _own(bindings: Bindings) -> tuple[FloorRule, ...]:
    places = tuple(sorted({normal(path) for path in bindings.protected if path.startswith("/")}))
    if not places:
        return ()
    advice = "Leave Outrider's files alone; a person changes them with the outrider command."
    return (
        FloorRule("outrider", _CHANGE, tuple(f"{_plain(path)}/**" for path in places), "",
                  "These files are Outrider's own, and no agent may change them.", advice),
        FloorRule("outrider-keys", ("read",), tuple(f"{_plain(path)}/keys/**" for path in places), "",
                  "These are Outrider's keys, and no agent may read them.", advice),
    )  # fmt: skip


def _plain(path: str) -> str:
    """A ``*`` in a real path matches itself and more, which errs on the side of refusing."""
    return "/".join("*" if "*" in part else part for part in path.split("/"))


def to_cedar(rules: tuple[FloorRule, ...] = RULES) -> str:
    """Return the floor as Cedar text."""
    out = ['@id("floor.ground")\npermit (principal, action, resource);\n']
    for rule in rules:
        for verb in rule.verbs:
            scopes = [f'resource in Pattern::"floor.{rule.id}.{verb}"'] if rule.patterns else ["resource"]
            condition = f" when {{ {rule.when} }}" if rule.when else ""
            out += [
                f'@id("floor.{rule.id}.{verb}")\nforbid (principal, action == Action::"{verb}", {scope}){condition};\n'
                for scope in scopes
            ]
    return "".join(out)


def _compile(rules: tuple[FloorRule, ...]) -> Compiled:
    text = to_cedar(rules)
    program = Program(text, schema=SCHEMA, source=NAME)
    declared = [
        Declared(f"floor.{rule.id}.{verb}", verb, pattern, strict=True)
        for rule in rules
        for verb in rule.verbs
        for pattern in rule.patterns
    ]
    known = {f"floor.{rule.id}.{verb}": rule for rule in rules for verb in rule.verbs}
    infos = []
    for policy in program.policies:
        rule = known.get(policy.id)
        if rule is None:
            infos.append(Info(policy.id, "may", "", "*", ask=False, advice="", reason=""))
        else:
            infos.append(Info(f"floor.{rule.id}", "floor", "", "", ask=False, advice=rule.advice, reason=rule.reason))
    told = text + "".join(f"{one.id} {one.verb} {one.text}\n" for one in declared)
    digest = "sha256:" + hashlib.sha256(told.encode()).hexdigest()
    return Compiled(NAME, digest, None, program, Index(declared), tuple(infos))


_COMPILED: dict[tuple[str, ...], Compiled] = {}


def floor(bindings: Bindings) -> Bound:
    """Return the floor for one agent: a policy set like any other, first in every chain.

    Args:
        bindings: The agent's, with Outrider's own places in ``protected``.
    """
    mark = tuple(sorted(bindings.protected))
    compiled = _COMPILED.get(mark)
    if compiled is None:
        if len(_COMPILED) > 16:
            _COMPILED.clear()
        compiled = _COMPILED[mark] = _compile((*RULES, *_own(bindings)))
    return Bound(compiled, scene(bindings), ceiling=False)
