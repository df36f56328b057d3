"""Readers of container engines: what runs inside, what of this host it reaches, and what is thrown away."""

from __future__ import annotations

import itertools
import re
from itertools import pairwise

from outrider.effects.commands.escape import ESCAPE, shell_opened
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES, package
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

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
    _socket(run)
    if words and words[0].text == "compose":
        return _compose(run, words[1:])
    group = words[0].text if words and words[0].text in _DOCKER_GROUPS else ""
    words = words[bool(group) :]
    if not words:
        return UNKNOWN
    _thrown_away(run, group, words[0].text, words[1:])
    return _docker_command(run, words[0].text, words[1:])


def _socket(run: Invocation) -> None:
    """``-H unix:///var/run/docker.sock``: who names the engine's socket gets past what is set up for the user."""
    for name, value in pairwise(run.words):
        text = value.text
        if name.text in {"-H", "--host", "--url"} and text.startswith("unix://"):
            run.path("write", part(value, text.removeprefix("unix://")))
        elif name.text in {"-H", "--host"} and text.startswith(("tcp://", "ssh://", "http")):
            ROLES["url"](run, value)
    for host, at in run.hosts:
        run.emit("connect", "host", host, at, ("upload",))


_STARTS = re.compile(
    r"\b(?:docker|podman|nerdctl)(?:[ -]compose\b[^;|&\n]*\s(?:up|run)\b|\s(?:run|create)\b([^;|&\n]*))"
)
"""What makes containers: all that a file of compose names, or one by its name."""


def _comes_back(run: Invocation, plain: list[Arg], options: set[str]) -> bool:
    """Whether the containers that are removed are made again by the same call; what they kept in volumes stays."""
    if not plain or options & {"-v", "--volumes", "-fv", "-vf"} or any(not w.exact or w.glob for w in plain):
        return False
    made = list(_STARTS.finditer(run.runner.behind(plain[-1])))
    names = " ".join(one[1] for one in made if one[1])
    return any(one[1] is None for one in made) or all(
        re.search(rf"--name[ =]{re.escape(word.text)}(?!\S)", names) for word in plain
    )


_KEPT = frozenset({"volume", "network", "system", "image", "container", "builder", "buildx", "swarm", "stack",
                   "service", "secret", "config", "node", "plugin", "pod"})  # fmt: skip
_FORCED = frozenset({"-f", "--force", "-fv", "-vf", "-v", "--volumes", "-a", "--all", "-af", "-fa"})


def _thrown_away(run: Invocation, group: str, command: str, words: list[Arg]) -> None:
    """Note what takes away data or what others use: volumes, everything that is unused, a container that runs."""
    options = {word.text for word in words if word.text[:1] == "-"}
    plain = [word for word in words if word.text[:1] != "-"]
    what = ""
    if command == "prune" or (group in {"swarm", "node"} and command in {"leave", "rm", "demote"}):
        what = f"{group or command}-{command}"
    elif command in {"rm", "remove"} and group in _KEPT - {"container", "image"}:
        what = f"{group}-rm"
    elif command in {"rm", "remove"} and group in {"", "container"} and _comes_back(run, plain, options):
        return
    elif command in {"rm", "rmi", "remove"} and (options & _FORCED or any(not word.exact for word in plain)):
        what = f"{command}-forced"
    elif command in {"stop", "kill", "restart", "pause"} and any(not word.exact for word in plain):
        what = f"{command}-found"
    if what:
        run.emit("deploy", "tool", f"{run.program}:{what}", run.at, ("forced",))


def _docker_command(run: Invocation, command: str, words: list[Arg]) -> Flow:
    plain = [word for word in words if word.text[:1] != "-"]
    if command == "unshare":
        if words:
            return run.runner.program(words, run.state.fork(), run.stdin)
        shell_opened(run.runner, run.name, run.at)
    if command in {"exec", "run", "create"}:
        return _docker_run(run, command, words)
    if command in {"pull", "import"}:
        for arg in plain[:1]:
            run.emit("install", "package", package("docker", arg.text), arg)
    elif command == "push":
        run.emit("connect", "host", _image_host(words), run.at, ("published", "upload"))
    elif command in {"build", "bake"}:
        run.path("read", Arg(".", run.at.start, run.at.end), ("recursive",))
        run.opaque("runs what its build file says")
        _pushed(run, words)
    elif command in {"cp", "save", "export"}:
        _docker_files(run, words, plain if command == "cp" else [])
    elif command not in _DOCKER_LOOKS:
        run.opaque(f"docker {command[:20]}: changes containers")
    return UNKNOWN


def _pushed(run: Invocation, words: list[Arg]) -> None:
    """``docker build --push``: what is built goes out at once."""
    if any(word.text == "--push" for word in words):
        tag = next((value for name, value in pairwise(words) if name.text in {"-t", "--tag"}), run.at)
        run.emit("connect", "host", _image_host([tag]), run.at, ("published", "upload"))


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


_MINES = re.compile(r"(?i)(?:^|/|-)(xmrig|cpuminer|minerd|cgminer|bfgminer|ethminer|nbminer|lolminer|monero-?miner|"
                    r"coin-?miner|crypto-?miner|xmr-stak|t-rex-miner)(?:[:@]|\Z)")  # fmt: skip
"""Images whose name says that they mine."""


_RIGHTS = re.compile(
    r"(?i)(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO|SYS_BOOT|DAC_READ_SEARCH|BPF|MAC_ADMIN)\Z|"
    r"(?:seccomp|apparmor|systempaths)[=:]unconfined|label[=:]disable"
)
"""Rights with which what runs in a container gets out of it."""
_DISK = re.compile(r"/dev/(?:sd|nvme|vd|xvd|hd|mmcblk|dm-|mapper|mem|kmem)")


def _rights(run: Invocation, option: Arg, given: Arg | None, name: str) -> None:
    """Note an option that gives what runs inside the rights of this host."""
    value = given.text if given is not None else ""
    if name == "--privileged" or (name in {"--pid", "--net", "--network", "--ipc"} and value == "host"):
        run.opaque("runs with the host's own rights", ("elevated",))
        if any(word.text in {"nsenter", "chroot"} for word in run.words):
            run.emit("exec", "command", "nsenter", run.at, (ESCAPE,))
    is_host = (name == "--privileged" and option.text != "--privileged=false") or (name == "--pid" and value == "host")
    if is_host or (name in {"--cap-add", "--security-opt"} and _RIGHTS.search(value)):
        run.emit("deploy", "tool", f"{run.program}:privileged", option)
    elif name == "--device" and given is not None and _DISK.match(value):
        run.path("write", part(given, value.partition(":")[0]))


def _docker_run(run: Invocation, command: str, words: list[Arg]) -> Flow:
    at = 0
    while at < len(words) and words[at].text[:1] == "-":
        name, equals, value = words[at].text.partition("=")
        given = part(words[at], value) if equals else words[at + 1] if at + 1 < len(words) else None
        if given is not None and name in {"-v", "--volume"}:
            ROLES["volume"](run, given)
        elif given is not None and name == "--mount":
            ROLES["mount"](run, given)
        else:
            _rights(run, words[at], given, name)
        at += 1 if equals or name not in {*_DOCKER_VALUES, "-v", "--volume", "--mount"} else 2
    rest = words[at:]
    if not rest:
        return UNKNOWN
    if _MINES.search(rest[0].text):
        run.emit("deploy", "tool", f"attack:{rest[0].text.rpartition('/')[2].partition(':')[0]}", rest[0])
    if command in {"run", "create"} and not rest[0].text.startswith("-"):
        run.emit("install", "package", package("docker", rest[0].text), rest[0])
    if len(rest) > 1:
        state = run.state.fork()
        state.cwd = None
        return run.runner.with_flag("remote").program(rest[1:], state, run.stdin)
    run.opaque("runs what the image says", ("remote",))
    return UNKNOWN


def compose(run: Invocation) -> Flow:
    """``docker-compose`` and ``podman-compose``: compose as a program of its own."""
    return _compose(run, run.words)


def _compose(run: Invocation, words: list[Arg]) -> Flow:
    for name, value in itertools.pairwise(words):
        if name.text in {"-f", "--file", "--env-file"}:
            run.path("read", value)
    values = {"-f", "--file", "--env-file", "-p", "--project-name", "--profile", "--project-directory"}
    before = [Arg(""), *words]
    names = [
        w.text for b, w in zip(before, words, strict=False) if w.text[:1] != "-" and b.text not in values
    ]  # fmt: skip
    options = {word.text for word in words}
    takes = names[:1] == ["down"] and options & {"-v", "--volumes", "--rmi"}
    if takes or (names[:1] == ["rm"] and options & {"-v", "-fv", "-sfv", "-fsv", "-svf"}):
        run.emit("deploy", "tool", f"{run.program}:{names[0]}-volumes", run.at, ("forced",))
    if not names or names[0] not in _DOCKER_LOOKS:
        run.opaque("runs what its file says")
    return UNKNOWN


READERS = {"docker": docker, "docker-compose": compose}
