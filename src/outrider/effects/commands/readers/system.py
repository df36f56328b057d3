"""Readers of programs that govern the system, hold keys, or start other agents."""

from __future__ import annotations

import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.guard import guarded, notice
from outrider.effects.commands.readers.outlets import after_word
from outrider.effects.commands.readers.shells import environment
from outrider.effects.shell.state import UNKNOWN, Flow, State
from outrider.effects.shell.tree import Arg


def host_info(run: Invocation) -> Flow:
    """Programs that only tell about the host, and the few of their arguments that change it."""
    words = {word.text for word in run.words}
    if run.name in {"ps", "pgrep", "pidof", "fuser", "pstree"}:
        notice(run)
    changes = {"ip": {"add", "del", "set", "flush", "replace", "change"}, "hostnamectl": {"set-hostname", "hostname"},
               "timedatectl": {"set-time", "set-timezone", "set-ntp"}, "ifconfig": {"up", "down"}, "route": {"add",
                   "del"},
               "nmcli": {"up", "down", "add", "delete", "modify"}}  # fmt: skip
    if words & changes.get(run.name, set()) or (run.name == "fuser" and any(w[:1] == "-" and "k" in w for w in words)):
        run.opaque("changes this host")
    if run.name in {"whoami", "hostname", "uname", "arch", "id", "uuidgen", "nproc", "logname"}:
        return Flow(slashless=True)
    if run.name in {"ps", "pgrep", "pidof", "lsof"}:
        return Flow(slashless=run.name in {"pgrep", "pidof"} or "-t" in words)
    return UNKNOWN


_SECRET_NAME = re.compile(r"(?i).*(secret|token|passw|passphrase|credential|api_?key|access_?key|private_?key|auth).*")


def ip_(run: Invocation) -> Flow:
    """``ip``: ``-batch FILE`` reads, ``netns exec NAME COMMAND`` runs."""
    run.read_options()
    run.apply_options()
    if any(word.text == "exec" for word in run.words):
        return after_word(run)
    return host_info(run)


def printenv(run: Invocation) -> Flow:
    """``printenv``: the whole environment; a named variable counts if its name says that it holds a secret."""
    names = [word.text for word in run.words if word.text[:1] != "-"]
    sought = any(_SECRET_NAME.match(name) for name in names)
    if not names or sought:
        environment(run, sought=sought)
    return Flow(origin="file")


_SERVICE_LOOKS = frozenset({"status", "list-units", "list-unit-files", "is-active", "is-enabled", "is-failed",
    "show", "cat",
                            "list-timers", "list-dependencies", "--version", "list", "print", "help", "list-sockets",
                            "get-default", "--status-all", "list-jobs", "is-system-running", "show-environment",
                            "list-machines", "list-paths", "list-automounts", "--help", "blame", "query", "info",
                            "dumpstate", "print-disabled", "hostinfo"})  # fmt: skip


def service(run: Invocation) -> Flow:
    """``systemctl VERB UNIT``: looking is harmless."""
    run.read_options()
    words = [arg.text for arg in run.rest] or ["status"]
    looks = bool(_SERVICE_LOOKS & set(words[:2])) or any(w.text in _SERVICE_LOOKS for w in run.words)
    if not looks:
        if any("outrider" in word for word in words):
            guarded(run, elsewhere=False)
        run.emit("deploy", "tool", f"{run.name}:{next((w for w in words if w[:1] != '-'), '?')[:40]}", run.at)
        run.opaque("changes what runs on this host")
    return UNKNOWN


_HOST_LOOKS = frozenset({"-L", "-S", "-l", "-s", "--list", "list", "show", "status", "-V", "--version", "--help", "-h",
                         "-a", "-p", "--show",
                         "--display", "ls", "get", "-n", "info", "query", "--query", "-v"})  # fmt: skip
_HOST_ASKS = re.compile(
    r"--?(list|show|get|query|info|status|state|help|version|detail|examine|print|check|test|dry)[\w-]*"
)
_HOST_PLACES = frozenset({"zfs", "zpool", "btrfs", "firewall-cmd", "cryptsetup", "ipset", "tc", "nft", "bpftool"})
"""Programs whose verb is their second word, or whose options come first."""
_HOST_TELLS = frozenset({"iptables-save", "getcap", "rfkill"})


def host_change(run: Invocation) -> Flow:
    """What sets this host up or stops it: firewall, kernel modules, disks, power. Looking is harmless."""
    words = [word.text for word in run.words]
    looks = bool(words) and (words[0] in _HOST_LOOKS or _HOST_ASKS.fullmatch(words[0]) is not None)
    if run.name == "auditctl":
        looks = words[:1] in (["-s"], ["-l"], ["-v"], ["-h"])
    elif run.name in _HOST_PLACES:
        looks = looks or (len(words) > 1 and _HOST_ASKS.fullmatch("--" + words[1].lstrip("-")) is not None)
    elif run.name == "ldconfig":
        looks = not words or bool({"-p", "--print-cache", "--version", "-V", "--help"} & set(words))
    elif run.name == "pfctl":
        looks = "-s" in words or any(word.startswith("-s") for word in words)
    elif run.name in {"swapon", "swapoff", "mdadm"}:
        looks = words[:1] != ["-a"] and looks
    elif run.name in {"shutdown", "reboot", "poweroff", "halt", "init", "telinit"}:
        looks = words[:1] in (["--help"], ["--version"], ["--show"], ["-c"])
    if run.name == "sysctl":
        looks = not any("=" in word or word in {"-w", "-p", "--system"} for word in words)
    if not looks and run.name not in _HOST_TELLS:
        run.emit("deploy", "tool", f"{run.name}:{(words or ['?'])[0][:40]}", run.at)
        run.opaque("changes what runs on this host")
    return UNKNOWN


_ACCOUNT_LOOKS = frozenset({"-l", "--list", "-S", "--status", "--list-shells", "-c", "--check", "--help", "-h", "-V",
                            "--version", "-list", "-read", "-search", "list", "discover"})  # fmt: skip


_POWER = frozenset({"sudo", "wheel", "admin", "root", "adm", "docker", "podman", "lxd", "lxc", "incus", "incus-admin",
                    "libvirt", "kvm", "disk", "shadow", "kmem", "mem", "tty", "input", "operator", "sys", "bin",
                    "daemon", "staff", "systemd-journal", "sudoers", "polkitd", "wireshark", "video", "vboxusers",
                    "ssh", "sshusers", "google-sudoers", "0", "4", "27", "10"})  # fmt: skip
"""Groups whose members can become root, or see what others do."""


def _joined(name: str, words: list[Arg]) -> list[str]:
    """Return the groups that an account is added to where that is all that happens; none where it is not."""
    texts = [word.text for word in words]
    plain = [text for text in texts if text[:1] != "-"]
    if name == "usermod" and len(texts) == 3 and texts[0] in {"-aG", "-a -G", "-Ga"}:
        return texts[1].split(",")
    if name == "usermod" and len(texts) == 4 and set(texts[:2]) == {"-a", "-G"}:
        return texts[2].split(",")
    if name == "gpasswd" and len(texts) == 3 and texts[0] in {"-a", "--add"}:
        return [texts[2]]
    if name in {"adduser", "addgroup"} and len(plain) == len(texts) == 2:
        return [texts[1]]
    if name == "groupmems" and len(texts) == 4 and {"-g", "-a"} <= set(texts):
        return [texts[texts.index("-g") + 1]]
    return []


def accounts(run: Invocation) -> Flow:
    """Programs that change accounts write the account files; asking them writes nothing."""
    if run.words and run.words[0].text in _ACCOUNT_LOOKS and len(run.words) < 4:
        return UNKNOWN
    groups = _joined(run.name, [word for word in run.words if word.exact])
    if groups and not _POWER & set(groups):
        for group in groups:
            run.emit("deploy", "tool", f"group:{group[:40]}", run.at)
        return UNKNOWN
    for name in ("/etc/passwd", "/etc/shadow") if "group" not in run.name else ("/etc/group",):
        run.path("write", Arg(name, run.at.start, run.at.end))
    return UNKNOWN


def credentials(run: Invocation) -> Flow:
    """Key stores: what is asked of them is a credential."""
    name = next((word.text for word in reversed(run.words) if word.text[:1] != "-"), run.name)
    run.emit("use_credential", "credential", f"{run.name}:{name}", run.at)
    return Flow(origin="file")


_HOOKS_OFF_ENV = frozenset({"CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SAFE_MODE", "CLAUDE_CONFIG_DIR",
    "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
                            "COPILOT_HOME", "CODEX_HOME", "OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", "HOME",
                                "XDG_CONFIG_HOME",
                            "QWEN_CODE_SYSTEM_SETTINGS_PATH", "OPENCODE_PURE"})  # fmt: skip
_UNHOOKING = ("CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SAFE_MODE")
_HOOKS_OFF_WORDS = frozenset({"--bare", "--safe-mode", "--pure", "--ignore-user-config", "--no-hooks"})
_AGENT_LOOKS = frozenset({"--version", "-v", "--help", "-h", "doctor", "update", "mcp", "config", "login",
    "logout", "plugin",
                          "auth", "models", "completion", "upgrade", "install", "--list-models"})  # fmt: skip


def agent(run: Invocation) -> Flow:
    """Another agent's host. ``hooks_off`` if its hooks are switched off: by flag, by settings or by its environment."""
    words = [word.text for word in run.words]
    if len(words) > 1 and words[0] in {"mcp", "config", "plugin"} and words[1] not in {"list", "get", "ls", "--help"}:
        file = {"codex": ".codex/config.toml", "gemini": ".gemini/settings.json", "qwen": ".qwen/settings.json"}
        name = file.get(run.name, ".claude.json")
        run.path("write", Arg(f"{run.runner.place.home}/{name}", run.at.start, run.at.end))
        return UNKNOWN
    if words and words[0] in _AGENT_LOOKS - {"mcp", "config", "plugin"}:
        return UNKNOWN
    is_off = bool(_HOOKS_OFF_WORDS & {word.partition("=")[0] for word in words})
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        follows = value if equals else words[place + 1] if place + 1 < len(words) else ""
        if name == "--setting-sources" and "user" not in follows:
            is_off = True
        elif name == "--settings":
            is_off = is_off or _settings_off(run, follows, run.words[min(place + 1, len(words) - 1)])
        elif name == "--disable" and "hook" in follows:
            is_off = True
        elif name in {"-c", "--config"} and run.name == "codex":
            setting = (
                word.removeprefix("--config=")
                if equals and name == "--config"
                else words[place + 1]
                if place + 1 < len(words)
                else ""
            )
            is_off = is_off or bool(
                re.match(
                    r"\s*(features\.(codex_)?hooks\s*=\s*(false|0)|features\s*=.*hooks\s*=\s*false|hooks)", setting
                )
            )
    place_home = run.runner.place.home
    for name in _HOOKS_OFF_ENV:
        held = run.state.vars.get(name)
        if held and held[0].text not in {"", "0", "false"} and not (name == "HOME" and held[0].text == place_home):
            is_off = True
    flags = ("hooks_off",) if is_off else ()
    run.runner.emit("spawn", "agent", run.name, run.at, (*flags, "unasked") if _is_unasked(run.name, words) else flags)
    return UNKNOWN


_UNASKED = frozenset({
    "--dangerously-skip-permissions", "--allow-dangerously-skip-permissions", "--yolo",
    "--dangerously-bypass-approvals-and-sandbox", "--dangerously-auto-approve-everything", "--full-access",
    "--allow-all-tools", "--allow-all", "--allow-all-paths", "--allow-all-urls", "--trust-all-tools", "--yes-always",
    "--dangerously-allow-all", "--skip-permissions-unsafe", "--auto-approve", "--no-approval", "--no-confirm",
    "--no-sandbox",
})  # fmt: skip
_UNASKED_VALUES = {
    "--permission-mode": {"bypassPermissions"}, "--approval-mode": {"yolo", "auto_edit", "auto-edit"},
    "--sandbox": {"danger-full-access"}, "-s": {"danger-full-access"}, "--ask-for-approval": {"never"}, "-a": {"never"},
    "--auto": {"high"}, "--skip-permissions": {"true"},
}  # fmt: skip
_UNASKED_SHORT = {"gemini": "-y", "qwen": "-y", "cursor-agent": "-f", "cline": "-y", "crush": "-y"}


def _is_unasked(name: str, words: list[str]) -> bool:
    """Tell whether an agent's host is told to ask nobody, or to leave its own sandbox."""
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        follows = value if equals else words[place + 1] if place + 1 < len(words) else ""
        if option in _UNASKED or word == _UNASKED_SHORT.get(name) or follows in _UNASKED_VALUES.get(option, ()):
            return True
        if name == "codex" and re.search(r"approval_policy\W+never|sandbox_mode\W+danger-full-access", word):
            return True
    return False


def is_host_unhooked(args: list[Arg], state: State) -> bool:
    """Tell whether a program of no known name is given what only an agent's host takes to run without its hooks.

    A host can be copied, linked or named by a variable; its words can not be.
    """
    if any(held and held[0].text not in {"", "0", "false"} for held in map(state.vars.get, _UNHOOKING)):
        return True
    words = [arg.text for arg in args[1:]]
    if not {"-p", "--print"}.intersection(words):
        return False
    names = {word.partition("=")[0] for word in words}
    return bool(names & {"--bare", "--safe-mode", "--setting-sources"}) or any("disableAllHooks" in w for w in words)


def _settings_off(run: Invocation, text: str, at: Arg) -> bool:
    """Return whether ``--settings`` switches hooks off; a file of settings is read, and not known to keep them on."""
    if "{" in text:
        return bool(re.search(r"disableAllHooks\W+true", text))
    run.path("read", part(at, text))
    return True


READERS = {
    "host-change": host_change,
    "printenv": printenv,
    "host-info": host_info, "ip": ip_, "service": service, "accounts": accounts,
    "credentials": credentials, "agent": agent,
}  # fmt: skip
