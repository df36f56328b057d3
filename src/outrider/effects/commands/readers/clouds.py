"""Readers of clients of clusters and clouds: looking, copying, and changing what is deployed."""

from __future__ import annotations

import itertools
import re
from itertools import pairwise

from outrider.effects.commands.code_text import read_code
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES, host_of
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

LOOKS = ("looks",)
"""Flag of a connection that only asks what is there: nothing is changed, and nothing but the question goes out."""
_KUBE_LOOKS = frozenset(["get", "describe", "logs", "log", "explain", "version", "cluster-info", "api-resources",
    "api-versions", "top", "config", "diff", "status", "list", "lint", "template", "show", "search", "history",
    "completion", "options", "help", "ls", "env", "--version", "events", "wait", "auth", "whoami", "rollout-status",
    "kustomize", "build", "dep", "dependency", "verify", "repo", "plugin", "analyze", "proxy-status", "profile",
    "images", "can-i", "alpha"])  # fmt: skip
_KUBE_HERE = frozenset({"kustomize", "completion", "options", "help", "lint", "template", "build", "dep", "dependency",
    "package", "create-chart", "verify", "explain", "--version"})  # fmt: skip
"""What needs no cluster."""
_KUBE_CHANGES = frozenset({"uninstall", "delete", "remove", "rm", "undo", "restart", "pause", "set-context", "set",
    "delete-context", "delete-cluster", "delete-user", "unset", "reconcile"})  # fmt: skip
_LOCAL_CLUSTERS = frozenset({"minikube", "kind", "k3d"})
"""Clusters on this host that are made for trying things out."""


def is_help(run: Invocation) -> bool:
    """Whether only the program's own help or version is asked for."""
    return any(word.text in {"--help", "-help", "--version"} for word in run.words) or (
        bool(run.words) and run.words[-1].text == "-h"
    )


_DRY = frozenset({"--dry-run=client", "--dry-run"})


def kubectl(run: Invocation) -> Flow:
    """Kubectl and what else governs a cluster: looking, running there, and changing, which is a deployment."""
    plain = [word for word in run.words if word.text[:1] != "-"]
    texts = [word.text for word in plain]
    command = texts[0] if texts else "help"
    _kube_files(run, plain)
    if command == "exec":
        return _kubectl_exec(run, plain)
    if is_help(run):
        return UNKNOWN
    if command == "cp":
        for verb, arg in zip(("read", "write"), plain[1:3], strict=False):
            if ":" not in arg.text:
                run.path(verb, arg)  # type: ignore[arg-type]
    if run.name in _LOCAL_CLUSTERS:
        return _local_cluster(run, texts)
    if not any(word.text in _DRY for word in run.words):
        _kube_does(run, command, texts)
    return run.finish()


def _kube_files(run: Invocation, plain: list[Arg]) -> None:
    """Note the files that the options name, and the folder that kustomize builds, which may name programs."""
    for name, value in pairwise(run.words):
        if name.text in {"-f", "--filename", "--values", "--kubeconfig", "-k"}:
            ROLES["url" if "://" in value.text else "read"](run, value)
        if name.text == "--post-renderer":
            ROLES["helper"](run, value)
    if run.name == "kustomize":
        for arg in plain[1:]:
            run.path("read", arg, ("recursive",)) if "://" not in arg.text else None


def _kube_does(run: Invocation, command: str, texts: list[str]) -> None:
    if not _kube_looks(run.name, texts):
        forced = ("forced",) if command in {"delete", "drain"} else ()
        run.emit("deploy", "tool", f"{run.name}:{command}", run.at, forced)
    elif command in {"get", "config"} and _shows_secret(run, texts):
        run.emit("use_credential", "credential", f"{run.name}:secret", run.at)
    elif command not in _KUBE_HERE:
        run.emit("connect", "host", "cluster", run.at, LOOKS)


def _kube_looks(name: str, texts: list[str]) -> bool:
    command, second = [*texts, "help", ""][:2]
    if command == "rollout":
        return second in {"status", "history"}
    if command in {"config", "auth", "repo", "plugin", "app", "apps", "stack", "alpha", "cluster", "cert", "token"}:
        return second not in _KUBE_CHANGES and (
            command in _KUBE_LOOKS or second in _KUBE_LOOKS or second in {"view", "current-context", "get-contexts"}
        )
    return command in _KUBE_LOOKS or (name in {"helm", "k3s", "kubeadm", "flux", "argocd"} and second in _KUBE_LOOKS)


def _shows_secret(run: Invocation, texts: list[str]) -> bool:
    """Whether ``kubectl get secret -o ...`` or ``kubectl config view --raw`` prints what is secret."""
    options = [word.text for word in run.words if word.text[:1] == "-"]
    if texts[0] == "config":
        return "--raw" in options
    kinds = {kind.partition("/")[0] for text in texts[1:3] for kind in text.lower().split(",")}
    return bool(kinds & {"secret", "secrets"}) and any(
        one.startswith(("-o", "--output", "--template")) for one in options
    )


def _local_cluster(run: Invocation, texts: list[str]) -> Flow:
    """``minikube``, ``kind``, ``k3d``: what is deleted is a cluster of this host's own."""
    if {"delete", "rm"} & set(texts[:2]):
        run.emit("deploy", "tool", f"{run.name}:delete", run.at, ("forced",))
    run.opaque("sets up a cluster on this host")
    return UNKNOWN


def _kubectl_exec(run: Invocation, plain: list[Arg]) -> Flow:
    """``kubectl exec POD -- COMMAND``: its paths are in the pod."""
    at = next((k for k, word in enumerate(run.words) if word.text == "--"), -1)
    rest = run.words[at + 1 :] if at >= 0 else plain[2:]
    if rest:
        state = run.state.fork()
        state.cwd = None
        run.runner.with_flag("remote").program(rest, state, run.stdin)
    return Flow(origin="network")


_CLOUD_TAKES = re.compile(
    r"(?:.*[:.])?(?:batch-)?(delete|del|remove|rm|rb|destroy|terminate|purge|drop|reset|disable|deactivate|revoke|"
    r"deregister|release|detach|stop|cancel|wipe|unset|rollback|schedule-key-deletion|empty|undeploy|teardown|suspend|"
    r"restore|rotate|failover|reboot|deallocate|modify|update|put|create|set|add|attach|enable|apply|publish|deploy)"
    r"(?:[-:].*)?"
)
"""Words of a client of a cloud that change something there, whatever stands beside them."""
_CLOUD_LOOKS = re.compile(
    r"(?:.*:)?(?:batch-)?(describe|list|get|show|ls|head|lookup|search|filter|view|info|status|wait|help|version|"
    r"whoami|check|receive|test|simulate|validate|query|scan|tail|estimate|preview|diff|browse|print|read)(?:[-:].*)?"
)
_CLOUD_THINGS = frozenset({"logs", "ps", "releases", "apps", "addons", "projects", "regions", "sizes", "plans"})
"""Things that are listed where no verb stands beside them."""
_CLOUD_REVEALS = re.compile(
    r".*\b(secretsmanager (batch-)?get-secret-value|ssm get-parameters?(-by-path)? .*--with-decryption|kms decrypt|"
    r"sts (assume-role|get-session-token|get-federation-token)\S*|ecr get-login-password|eks get-token|"
    r"ec2 get-password-data|configure (get|export-credentials)|auth print-\S+|secrets versions access|"
    r"account get-access-token|keyvault (secret|key) (show|download)|keys list|list-keys|credential list|"
    r"auth:token|config:get|env pull|tokens create|config vars)\b"
)
"""What prints a key, a token or a secret."""
_CLOUD_LOCAL = frozenset({"dev", "init", "build", "emulators", "serve", "local", "synth", "synthesize", "offline",
    "package", "mock", "start", "types", "generate", "gen", "components", "completion", "link", "new", "doctor",
    "acknowledge", "ls-stacks", "functions:shell", "emulators:start", "emulators:exec"})  # fmt: skip
"""What works on this host, on the project's own files."""
_CLOUD_HOSTS = {"aws": "amazonaws.com", "gcloud": "googleapis.com", "az": "management.azure.com"}
_CLOUD_FILES = frozenset({"--template-file", "--body", "--source", "--env-file", "--policy-file", "--zip-file",
                          "--from-file"})  # fmt: skip


def cloud(run: Invocation) -> Flow:
    """Clients of clouds: looking, copying up or down, and changing, which is a deployment."""
    words = list(run.words)
    plain = [word for word in words if word.text[:1] != "-"]
    texts = [word.text for word in plain]
    if not texts or is_help(run):
        return UNKNOWN
    verbs = {"cp", "mv", "sync", "rsync", "copy", "scp", "upload", "download"}
    at = next((place for place, text in enumerate(texts[:3]) if text in verbs), -1)
    paths = plain[at + 1 : at + 3] if at >= 0 and run.name != "az" else []  # There every file stands behind an option.
    if len(paths) == 2:
        if any(word.text == "--delete" for word in words):
            run.emit("deploy", "tool", f"{run.name}:sync-delete", run.at, ("forced",))
        _copy(run, paths[-2], paths[-1], takes_away="mv" in texts[:3])
        return UNKNOWN
    _cloud_files(run)
    here = _endpoint(run)
    if here is not None:
        run.emit("connect", "host", host_of(here.text), here)
        return Flow(origin="network")
    host = _CLOUD_HOSTS.get(run.name, run.name)
    if _CLOUD_REVEALS.match(" ".join(word.text for word in words[:24])):
        run.emit("use_credential", "credential", f"{run.name}:{':'.join(texts[:2])}", run.at)
    elif (texts[0] in _CLOUD_LOCAL or texts[1:2] == ["local"]) and not _CLOUD_TAKES.fullmatch(texts[0]):
        run.opaque("works on the project's own files")
    elif _cloud_looks(texts):
        run.emit("connect", "host", host, run.at, LOOKS)
    else:
        run.emit("deploy", "tool", f"{run.name}:{':'.join(texts[:2])}", run.at)
    return Flow(origin="network")


def _cloud_files(run: Invocation) -> None:
    for name, value in itertools.pairwise(run.words):
        text = value.text
        if text.startswith(("file://", "fileb://")):
            run.path("read", part(value, text.partition("://")[2]))
        elif name.text in _CLOUD_FILES and "/" in text:
            run.path("read", value)


def _endpoint(run: Invocation) -> Arg | None:
    """Return the address on this host that stands in for the cloud (``--endpoint-url http://localhost:4566``)."""
    for name, value in itertools.pairwise([*run.words, Arg("")]):
        option, equals, text = name.text.partition("=")
        if option in {"--endpoint-url", "--endpoint", "--api-endpoint"}:
            given = part(name, text) if equals else value
            host = host_of(given.text).partition(":")[0]
            return given if given.exact and host in {"localhost", "127.0.0.1", "0.0.0.0"} else None  # noqa: S104
    return None


def _cloud_looks(texts: list[str]) -> bool:
    """Whether a command line of a cloud's client only looks: a word that changes something outweighs one that looks.

    A client's groups come before its verb, so words are asked from the first on and the first that says something
    decides; the name of a thing stands behind the verb.
    """
    if texts[0] in {"configure", "config", "auth", "login", "logout", "account", "sts"}:
        return texts[1:2] != ["clear"]
    for text in texts[:5]:
        if _CLOUD_TAKES.fullmatch(text):
            return False
        if _CLOUD_LOOKS.fullmatch(text):
            return True
    return texts[0] in _CLOUD_THINGS


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


_INFRA_LOOKS = frozenset(["plan", "show", "validate", "fmt", "hclfmt", "output", "version", "providers", "graph",
    "console", "get", "list", "status", "inspect", "init", "--version", "preview", "config", "login", "logout", "help",
    "ssh-config", "about", "whoami", "org", "gen-completion", "completion", "logs", "new", "plugin", "schema", "hcl",
    "members", "catalog", "monitor", "info", "node-status", "metadata", "test", "global-status", "box", "path-help",
    "ls", "history", "select", "export", "pull", "snapshot-list", "view", "agent-info"])  # fmt: skip
_INFRA_GROUPS = frozenset({"state", "workspace", "stack", "policy", "job", "node", "kv", "operator", "namespace",
    "secrets", "auth", "audit", "token", "lease", "cert", "node-pool", "alloc", "acl", "snapshot"})  # fmt: skip
"""Words whose next word is the verb."""
_INFRA_READS = frozenset({"terraform", "tofu", "terragrunt", "pulumi", "packer"})


def infrastructure(run: Invocation) -> Flow:
    """Terraform and its kin: what is not a look changes what is deployed."""
    run.read_options()
    run.chdirs()
    run.apply_options()
    if is_help(run):
        return UNKNOWN
    command = run.rest[0].text if run.rest else ("run" if run.name.startswith("ansible") else "help")
    if run.name.startswith("ansible") and run.name != "ansible-vault":
        for arg in run.rest:
            if arg.text.endswith((".yml", ".yaml")):
                run.path("read", arg)
        run.opaque("runs what its file says")
        if not any(
            word.text in {"--check", "--syntax-check", "--list-tasks", "--list-hosts", "--list-tags", "--version"}
            for word in run.words
        ):
            run.emit("deploy", "tool", f"{run.name}:run", run.at)
        return UNKNOWN
    second = run.rest[1].text if len(run.rest) > 1 else "list"
    looks = second in _INFRA_LOOKS if command in _INFRA_GROUPS else command in _INFRA_LOOKS
    if not looks:
        is_told = any(word.text in {"-auto-approve", "--yes", "-force", "--force"} for word in run.words)
        what = f"{command}-{second}" if command in _INFRA_GROUPS else command
        run.emit("deploy", "tool", f"{run.name}:{what}", run.at, ("forced",) if is_told or "dest" in command else ())
    elif run.name in _INFRA_READS:
        if command == "console" and run.stdin.text is not None:
            read_code(run, run.stdin.text, run.at)
        run.path("read", Arg(".", run.at.start, run.at.end), ("recursive",))
        if command in {"init", "plan", "preview"}:
            run.opaque("runs providers that its files name")
    else:
        run.emit("connect", "host", run.name, run.at, LOOKS)
    return UNKNOWN


_VAULT_LOOKS = frozenset({"list", "lookup", "status", "version", "path-help", "help", "capabilities", "list-peers",
                          "--version", "members", "key-status"})  # fmt: skip
_VAULT_REVEALS = frozenset({"read", "unwrap", "login", "print", "create", "get", "issue", "sign", "export"})


def vault(run: Invocation) -> Flow:
    """Vault: what lists only looks; what prints a secret or a token is a use of one; the rest changes the store."""
    words = [word.text for word in run.words if word.text[:1] != "-"]
    if not words or is_help(run):
        return UNKNOWN
    groups = {"kv", "policy", "auth", "secrets", "audit", "token", "lease", "operator", "plugin", "namespace", "pki"}
    verb = words[1] if words[0] in groups and len(words) > 1 else words[0]
    if words[:2] == ["kv", "metadata"] and len(words) > 2:
        verb = "list" if words[2] == "get" else words[2]
    if verb in _VAULT_LOOKS or words[:2] in (["policy", "read"], ["policy", "fmt"], ["plugin", "info"]):
        run.emit("connect", "host", "vault", run.at, LOOKS)
    elif verb in _VAULT_REVEALS and words[0] not in {"policy", "plugin", "namespace"}:
        run.emit("use_credential", "credential", f"vault:{words[-1][:80]}", run.at)
    else:
        run.emit("deploy", "tool", f"vault:{words[0]}-{verb}" if verb != words[0] else f"vault:{verb}", run.at)
    return Flow(origin="network")


READERS = {"kubectl": kubectl, "cloud": cloud, "infrastructure": infrastructure, "vault": vault}
