import pytest

from outrider.charter.bound import Bindings, bind
from outrider.charter.cedar import SCHEMA
from outrider.charter.floor import HOST_FILES, floor, to_cedar
from outrider.charter.model import Charter
from outrider.charter.ruling import Context, rule
from outrider.events.call import Effect

HOME, REPO = "/home/u", "/home/u/r"
BINDINGS = Bindings(home=HOME, repo=REPO, protected=(f"{HOME}/.outrider", "/opt/outrider/bin/outrider-hook"))
VERBS = ("exec", "read", "write", "delete", "connect", "call", "spawn", "install", "commit", "push", "deploy")
LAWLESS = Charter(
    name="lawless", may=dict.fromkeys(VERBS, ("*",)), opaque="allow", undecided="allow", grant=True, mode="observe"
)
CHAIN = [floor(BINDINGS), bind(LAWLESS, BINDINGS)]


def ruled(verb, value, *flags, kind="path", resolved=""):
    effect = Effect(verb=verb, kind=kind, value=value, flags=tuple(sorted(flags)), resolved=resolved)
    return rule(CHAIN, [effect], Context(mode="observe"))


FILES = [
    f"{REPO}/.claude/settings.json", f"{REPO}/.claude/settings.local.json", f"{HOME}/.claude/settings.json",
    f"{REPO}/sub/dir/.claude/settings.json", f"{HOME}/.claude.json", f"{REPO}/.mcp.json", f"{REPO}/.codex/hooks.json",
    f"{HOME}/.codex/config.toml", f"{REPO}/.gemini/settings.json", f"{HOME}/.gemini/settings.json",
    f"{REPO}/.qwen/settings.json", f"{REPO}/.github/copilot/settings.json", f"{REPO}/.github/hooks/gate.json",
    f"{REPO}/.clinerules/hooks/PreToolUse", f"{REPO}/.cursor/hooks.json", f"{REPO}/.cursor/mcp.json",
    f"{REPO}/opencode.json",
    f"{HOME}/.config/opencode/plugins/x.js", "/etc/claude-code/managed-settings.json", "/etc/codex/requirements.toml",
    f"{REPO}/.git/hooks/pre-commit", f"{REPO}/.git/config", f"{HOME}/.gitconfig", f"{HOME}/.config/git/config",
    f"{REPO}/.git/modules/lib/hooks/post-checkout", f"{REPO}/.vscode/mcp.json", f"{REPO}/.windsurf/hooks.json",
    f"{REPO}/.factory/hooks.json", f"{HOME}/.outrider/record/journal", "/opt/outrider/bin/outrider-hook",
]  # fmt: skip


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("verb", ["write", "delete"])
def test_no_charter_lets_an_agent_change_what_governs_it(verb, path):
    ruling = ruled(verb, path)
    assert (ruling.verdict, ruling.enforced) == ("deny", "deny")
    hit = ruling.hits[0]
    assert hit.charter == "floor"
    assert hit.rule.startswith("floor.")
    assert hit.reason
    assert hit.advice
    assert "outside an agent" in hit.unlock


@pytest.mark.parametrize("path", FILES[:-2])
def test_reading_them_stays_free(path):
    assert ruled("read", path).verdict == "allow"


@pytest.mark.parametrize(
    "path",
    [f"{REPO}/.claude/commands/x.md", f"{REPO}/.claude/skills/a/SKILL.md", f"{REPO}/.claude/agents/r.md",
     f"{REPO}/CLAUDE.md",
     f"{REPO}/src/settings.json", f"{REPO}/.github/workflows/ci.yml", f"{REPO}/.git/index.lock",
     f"{REPO}/.vscode/settings.json",
     f"{REPO}/hooks/pre-commit", f"{REPO}/config.toml", f"{HOME}/.outriderx", f"{REPO}/.gitignore"],
)  # fmt: skip
def test_honest_work_beside_them_stays_free(path):
    assert ruled("write", path).verdict == "allow"
    assert ruled("delete", path).verdict == "allow"


@pytest.mark.parametrize(
    ("verb", "path", "flags"),
    [
        ("write", f"{REPO}/.Claude/Settings.JSON", ()),
        ("write", f"{REPO}/x/../.claude/settings.json", ()),
        ("write", f"{REPO}/.claude//settings.json", ()),
        ("write", f"{REPO}/.claude/sett\u200dings.json", ()),
        ("write", f"{REPO}/.claude/*.json", ("pattern",)),
        ("write", f"{REPO}/.c*/settings.json", ("pattern",)),
        ("delete", f"{REPO}/.claude", ("recursive",)),
        ("delete", f"{REPO}/.git", ("recursive",)),
        ("delete", HOME, ("recursive",)),
        ("write", "$D/.claude/settings.json", ("inexact",)),
        ("write", "/srv/app/.claude/settings.json", ("remote",)),
    ],
)
def test_tricks_with_names_do_not_get_past_it(verb, path, flags):
    assert ruled(verb, path, *flags).enforced == "deny"


def test_a_link_is_judged_where_it_leads():
    ruling = ruled("write", f"{REPO}/notes.txt", resolved=f"{REPO}/.claude/settings.json")
    assert ruling.enforced == "deny"
    assert "leads to" in ruling.hits[0].reason


def test_removing_a_build_directory_is_not_removing_hooks():
    assert ruled("delete", f"{REPO}/build", "recursive").verdict == "allow"


@pytest.mark.parametrize("path", [f"{REPO}/*.json", "/tmp/*", f"{REPO}/*", f"{REPO}/src/*"])
def test_a_wide_glob_over_plain_files_is_not_a_change_of_settings(path):
    assert ruled("delete", path, "pattern").verdict == "allow"
    assert ruled("delete", path, "pattern", "recursive").verdict == "allow"
    assert ruled("delete", f"{REPO}/open*", "pattern").enforced == "deny"


def test_git_config_of_a_harmless_key_is_not_an_edit_of_the_file():
    assert ruled("write", f"{REPO}/.git/config", "git-safe").verdict == "allow"
    ruling = ruled("write", f"{REPO}/.git/config", "git-exec")
    assert ruling.enforced == "deny"
    assert {hit.rule for hit in ruling.hits if hit.verdict == "deny"} <= {"floor.git-exec", "floor.git-config"}


def test_git_itself_may_write_below_its_own_folder():
    assert ruled("write", f"{REPO}/.git", "recursive", "git-own").verdict == "allow"
    assert ruled("write", f"{REPO}/.git", "recursive").enforced == "deny"


def test_a_settings_change_that_names_no_file_is_refused():
    assert ruled("call", "host:ConfigChange/project_settings", kind="tool").enforced == "deny"
    assert ruled("call", "host:TodoWrite", kind="tool").verdict == "allow"


def test_an_agent_host_with_its_hooks_off_is_not_started():
    assert ruled("spawn", "claude", "hooks_off", kind="agent").enforced == "deny"
    assert ruled("spawn", "claude", kind="agent").verdict == "allow"


def test_outriders_keys_are_not_read_and_its_other_files_are():
    assert ruled("read", f"{HOME}/.outrider/keys/log.key").enforced == "deny"
    assert ruled("read", f"{HOME}/.outrider/keys", "recursive").enforced == "deny"
    assert ruled("read", f"{HOME}/.outrider/charters/mine.toml").verdict == "allow"


def test_the_floor_is_cedar_that_validates():
    import cedarpy

    assert cedarpy.validate_policies(to_cedar(), SCHEMA).validation_passed


def test_the_files_of_the_floor_name_no_commands_and_no_skills():
    assert not [path for path in HOST_FILES if "commands" in path or "skills" in path or "/agents/" in path]


def test_the_floor_has_one_digest_for_the_same_places():
    assert floor(BINDINGS).digest == floor(BINDINGS).digest
    assert floor(BINDINGS).digest != floor(Bindings(home=HOME, repo=REPO)).digest


def test_an_agent_is_not_started_out_of_sight():
    ruling = ruled("spawn", "claude", "detached", kind="agent")
    assert ruling.verdict == ruling.enforced == "deny"
    assert ruling.hits[0].rule == "floor.detached"
    assert "foreground" in ruling.hits[0].advice
    assert ruled("spawn", "claude", kind="agent").verdict == "allow"
