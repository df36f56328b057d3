"""Readers of programs that govern the system, containers, clusters, clouds, and other agents."""

from __future__ import annotations

import itertools
import re
from itertools import pairwise

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.readers.guard import guarded, notice
from outrider.effects.commands.readers.shells import environment
from outrider.effects.commands.roles import ROLES, package
from outrider.effects.shell.state import UNKNOWN, Flow, State
from outrider.effects.shell.tree import Arg


def host_info(run: Invocation) -> Flow:
    """Programs that only tell about the host, and the few of their arguments that change it."""
    words = {word.text for word in run.words}
    if run.name in {"ps", "pgrep", "pidof", "lsof", "fuser", "pstree"}:
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


def printenv(run: Invocation) -> Flow:
    """``printenv``: the whole environment; a named variable counts if its name says that it holds a secret."""
    names = [word.text for word in run.words if word.text[:1] != "-"]
    if not names or any(_SECRET_NAME.match(name) for name in names):
        environment(run)
    return Flow(origin="file")


_SERVICE_LOOKS = frozenset({"status", "list-units", "list-unit-files", "is-active", "is-enabled", "is-failed",
    "show", "cat",
                            "list-timers", "list-dependencies", "--version", "list", "print", "help", "list-sockets",
                            "get-default", "--status-all", "list-jobs"})  # fmt: skip


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
                         "-a", "-p", "--display", "ls", "get", "-n", "info", "query", "--query", "-v"})  # fmt: skip
_HOST_TELLS = frozenset({"iptables-save", "getcap", "ldconfig", "rfkill"})


def host_change(run: Invocation) -> Flow:
    """What sets this host up or stops it: firewall, kernel modules, disks, power. Looking is harmless."""
    words = [word.text for word in run.words]
    looks = bool(words) and words[0] in _HOST_LOOKS
    if run.name == "sysctl":
        looks = not any("=" in word or word in {"-w", "-p", "--system"} for word in words)
    if not looks and run.name not in _HOST_TELLS:
        run.emit("deploy", "tool", f"{run.name}:{(words or ['?'])[0][:40]}", run.at)
        run.opaque("changes what runs on this host")
    return UNKNOWN


def accounts(run: Invocation) -> Flow:
    """Programs that change accounts write the account files."""
    for name in ("/etc/passwd", "/etc/shadow") if "group" not in run.name else ("/etc/group",):
        run.path("write", Arg(name, run.at.start, run.at.end))
    return UNKNOWN


_DOCKER_VALUES = [
    "-e",
    "--env",
    "--name",
    "-p",
    "--publish",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--network",
    "--net",
    "--entrypoint",
    "-h",
    "--hostname",
    "--env-file",
    "-l",
    "--label",
    "--restart",
    "--memory",
    "-m",
    "--cpus",
    "--gpus",
    "--platform",
    "--add-host",
    "--dns",
    "--log-driver",
    "--log-opt",
    "--ulimit",
    "--shm-size",
    "--tmpfs",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--device",
    "--pid",
    "--ipc",
    "--userns",
    "--pull",
    "--expose",
    "--ip",
    "--link",
    "--runtime",
    "--sysctl",
    "--stop-signal",
    "--health-cmd",
    "-a",
    "--attach",
    "--volumes-from",
    "--cpuset-cpus",
    "--uts",
    "--cgroupns",
    "-f",
    "--filter",
    "--format",
    "-n",
    "--tail",
    "--since",
    "--build-arg",
    "-t",
    "--tag",
    "--target",
    "--cache-from",
    "--progress",
    "--output",
    "-o",
    "--file",
    "--secret",
    "--ssh",
    "--push-by",
    "--cidfile",
    "--detach-keys",
]
_DOCKER_LOOKS = frozenset(["ps", "images", "logs", "inspect", "version", "info", "stats", "top", "port", "diff",
    "history", "search", "events", "--version", "-v", "help", "context", "ls", "list", "df", "wait"])  # fmt: skip
_DOCKER_GROUPS = frozenset(["container", "image", "volume", "network", "system", "builder", "buildx", "compose",
    "context", "manifest", "plugin", "secret", "config", "swarm", "stack", "service", "node", "machine", "pod",
    "kube"])  # fmt: skip


def docker(run: Invocation) -> Flow:
    """docker: ``exec`` and ``run`` run a command whose paths are in the container; mounts reach this host."""
    run.read_options()
    words = run.rest
    if words and words[0].text == "compose":
        return _compose(run, words[1:])
    words = words[words[0].text in _DOCKER_GROUPS :] if words else []
    return _docker_command(run, words[0].text, words[1:]) if words else UNKNOWN


def _docker_command(run: Invocation, command: str, words: list[Arg]) -> Flow:
    plain = [word for word in words if word.text[:1] != "-"]
    if command in {"exec", "run", "create"}:
        return _docker_run(run, command, words)
    if command in {"pull", "import"}:
        for arg in plain[:1]:
            run.emit("install", "package", package("docker", arg.text), arg)
    elif command == "push":
        run.emit("connect", "host", _image_host(words), run.at, ("upload",))
    elif command in {"build", "bake"}:
        run.path("read", Arg(".", run.at.start, run.at.end), ("recursive",))
        run.opaque("runs what its build file says")
    elif command in {"cp", "save", "export"}:
        _docker_files(run, words, plain if command == "cp" else [])
    elif command not in _DOCKER_LOOKS:
        run.opaque(f"docker {command[:20]}: changes containers")
    return UNKNOWN


def _docker_files(run: Invocation, words: list[Arg], ends: list[Arg]) -> None:
    """``docker cp FROM TO``, ``docker save -o FILE``."""
    for verb, arg in zip(("read", "write"), ends[:2], strict=False):
        if ":" not in arg.text or arg.text.startswith(("/", ".")):
            run.path(verb, arg, ("recursive",))  # type: ignore[arg-type]
    for name, value in pairwise(words):
        if name.text in {"-o", "--output"}:
            run.path("write", value)


def _image_host(words: list[Arg]) -> str:
    name = next((w.text for w in words if w.text[:1] != "-"), "")
    head = name.partition("/")[0]
    return head.lower() if "." in head or ":" in head else "docker.io"


def _docker_run(run: Invocation, command: str, words: list[Arg]) -> Flow:
    at = 0
    while at < len(words) and words[at].text[:1] == "-":
        name, equals, value = words[at].text.partition("=")
        given = part(words[at], value) if equals else words[at + 1] if at + 1 < len(words) else None
        if given is not None and name in {"-v", "--volume"}:
            ROLES["volume"](run, given)
        elif given is not None and name == "--mount":
            ROLES["mount"](run, given)
        elif name == "--privileged" or (
            name in {"--pid", "--net", "--network", "--ipc"} and given and given.text == "host"
        ):
            run.opaque("runs with the host's own rights", ("elevated",))
        at += 1 if equals or name not in {*_DOCKER_VALUES, "-v", "--volume", "--mount"} else 2
    rest = words[at:]
    if not rest:
        return UNKNOWN
    if command in {"run", "create"} and not rest[0].text.startswith("-"):
        run.emit("install", "package", package("docker", rest[0].text), rest[0])
    if len(rest) > 1:
        state = run.state.fork()
        state.cwd = None
        return run.runner.with_flag("remote").program(rest[1:], state, run.stdin)
    run.opaque("runs what the image says", ("remote",))
    return UNKNOWN


def _compose(run: Invocation, words: list[Arg]) -> Flow:
    for name, value in itertools.pairwise(words):
        if name.text in {"-f", "--file", "--env-file"}:
            run.path("read", value)
    names = [w.text for w in words if w.text[:1] != "-"]
    if not names or names[0] not in _DOCKER_LOOKS:
        run.opaque("runs what its file says")
    return UNKNOWN


_KUBE_LOOKS = frozenset(["get", "describe", "logs", "explain", "version", "cluster-info", "api-resources",
    "api-versions", "top", "config", "diff", "status", "list", "lint", "template", "show", "search", "history",
    "completion", "options", "help", "ls", "env", "--version"])  # fmt: skip


def kubectl(run: Invocation) -> Flow:
    """Kubectl and what else governs a cluster: looking, running there, and changing, which is a deployment."""
    words = run.words
    plain = [word for word in words if word.text[:1] != "-"]
    command = plain[0].text if plain else "help"
    for name, value in pairwise(words):
        if name.text in {"-f", "--filename", "--values", "--kubeconfig", "-k"}:
            ROLES["url" if "://" in value.text else "read"](run, value)
    if command == "exec":
        return _kubectl_exec(run, plain)
    if command == "cp":
        for verb, arg in zip(("read", "write"), plain[1:3], strict=False):
            if ":" not in arg.text:
                run.path(verb, arg)  # type: ignore[arg-type]
    looks = command in _KUBE_LOOKS or (run.name == "helm" and any(w.text in _KUBE_LOOKS for w in plain[1:2]))
    if looks:
        run.emit("connect", "host", "cluster", run.at)
    else:
        forced = ("forced",) if command in {"delete", "drain"} else ()
        run.emit("deploy", "tool", f"{run.name}:{command}", run.at, forced)
    return run.finish()


def _kubectl_exec(run: Invocation, plain: list[Arg]) -> Flow:
    """``kubectl exec POD -- COMMAND``: its paths are in the pod."""
    at = next((k for k, word in enumerate(run.words) if word.text == "--"), -1)
    rest = run.words[at + 1 :] if at >= 0 else plain[2:]
    if rest:
        state = run.state.fork()
        state.cwd = None
        run.runner.with_flag("remote").program(rest, state, run.stdin)
    return Flow(origin="network")


_CLOUD_LOOKS = re.compile(
    r"(describe|list|get|show|ls|head|lookup|search|filter|view|info|status|wait|help|version|whoami|check)"
)


def cloud(run: Invocation) -> Flow:
    """Clients of clouds: looking, copying up or down, and changing, which is a deployment."""
    words = list(run.words)
    plain = [word for word in words if word.text[:1] != "-"]
    texts = [word.text for word in plain]
    host = {"aws": "amazonaws.com", "gcloud": "googleapis.com", "az": "management.azure.com"}.get(run.name, run.name)
    verbs = {"cp", "mv", "sync", "rsync", "copy", "scp", "upload", "download"}
    at = next((place for place, text in enumerate(texts[:3]) if text in verbs), -1)
    paths = plain[at + 1 : at + 3] if at >= 0 else []
    if len(paths) == 2:
        _copy(run, paths[-2], paths[-1], takes_away="mv" in texts[:3])
        return UNKNOWN
    for name, value in itertools.pairwise(words):
        text = value.text
        if text.startswith(("file://", "fileb://")):
            run.path("read", part(value, text.partition("://")[2]))
        elif (
            name.text
            in {"--template-file", "--body", "--source", "--env-file", "--policy-file", "--zip-file", "--from-file"}
            and "/" in text
        ):
            run.path("read", value)
    action = next((t for t in reversed(texts[:3]) if t), "help")
    looks = (
        not texts
        or any(_CLOUD_LOOKS.match(text) for text in texts[:4])
        or texts[0] in {"configure", "config", "auth", "login", "sts"}
    )
    if looks:
        run.emit("connect", "host", host, run.at)
    else:
        run.emit("deploy", "tool", f"{run.name}:{':'.join(texts[:2]) or action}", run.at)
    return Flow(origin="network")


def _copy(run: Invocation, source: Arg, target: Arg, *, takes_away: bool) -> None:
    for arg, verb in ((source, "read"), (target, "write")):
        if "://" in arg.text:
            host = arg.text.partition("://")[2].partition("/")[0].lower()
            scheme = arg.text.partition("://")[0]
            flags = ("upload",) if verb == "write" else ()
            run.emit("connect", "host", f"{host}.{scheme}" if scheme in {"s3", "gs"} else host, arg, flags)
        else:
            run.path(verb, arg, ("recursive",))  # type: ignore[arg-type]
            if takes_away and verb == "read":
                run.path("delete", arg, ("recursive",))


_INFRA_LOOKS = frozenset(["plan", "show", "validate", "fmt", "output", "version", "providers", "graph", "state",
    "console", "get", "workspace", "list", "status", "inspect", "init", "--version", "preview", "config", "login",
    "logout", "help", "ssh-config"])  # fmt: skip


def infrastructure(run: Invocation) -> Flow:
    """Terraform and its kin: what is not a look changes what is deployed."""
    run.read_options()
    run.chdirs()
    run.apply_options()
    command = run.rest[0].text if run.rest else ("run" if run.name.startswith("ansible") else "help")
    if run.name.startswith("ansible") and run.name != "ansible-vault":
        for arg in run.rest:
            if arg.text.endswith((".yml", ".yaml")):
                run.path("read", arg)
        run.opaque("runs what its file says")
        if not any(word.text in {"--check", "--syntax-check", "--list-tasks", "--version"} for word in run.words):
            run.emit("deploy", "tool", f"{run.name}:run", run.at)
        return UNKNOWN
    if command in _INFRA_LOOKS:
        run.path("read", Arg(".", run.at.start, run.at.end), ("recursive",))
        if command in {"init", "plan", "preview"}:
            run.opaque("runs providers that its files name")
    else:
        forced = (
            any(word.text in {"-auto-approve", "--yes", "-force", "--force"} for word in run.words)
            or command == "destroy"
        )
        run.emit("deploy", "tool", f"{run.name}:{command}", run.at, ("forced",) if forced else ())
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
    run.runner.emit("spawn", "agent", run.name, run.at, ("hooks_off",) if is_off else ())
    return UNKNOWN


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
    "host-info": host_info, "service": service, "accounts": accounts, "docker": docker, "kubectl": kubectl,
        "cloud": cloud,
    "infrastructure": infrastructure, "credentials": credentials, "agent": agent,
}  # fmt: skip
