"""Readers of package managers."""

from __future__ import annotations

import itertools
import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers.files import part
from outrider.effects.commands.roles import ROLES, package
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg


def npm_install(run: Invocation) -> Flow:
    """``npm install``: without names, what the project's own manifest says."""
    run.read_options()
    run.chdirs()
    run.apply()
    if "named" not in run.flags:
        run.emit("install", "package", "npm:.", run.at)
    return run.finish()


_AGENTS = {
    "@anthropic-ai/claude-code": "claude", "@openai/codex": "codex", "@google/gemini-cli": "gemini",
    "opencode-ai": "opencode", "@qwen-code/qwen-code": "qwen", "@github/copilot": "copilot", "cline": "cline",
    "@sourcegraph/amp": "amp", "@charmland/crush": "crush", "@augmentcode/auggie": "auggie",
    "@kilocode/cli": "kilocode",
}  # fmt: skip
"""Packages whose program is an agent's host."""


def npx(run: Invocation) -> Flow:
    """``npx PROGRAM``: installs it if it is not there, and runs it. An agent's host is read as one."""
    run.read_options()
    run.apply()
    if run.rest:
        name = run.rest[0].text
        plain = name[0] + name[1:].partition("@")[0] if name else name
        program = _AGENTS.get(plain, plain)
        if program in _AGENTS.values():
            return run.runner.program([part(run.rest[0], program), *run.rest[1:]], run.state, UNKNOWN)
    return UNKNOWN


def npm_create(run: Invocation) -> Flow:
    """``npm create NAME``: installs ``create-NAME`` and runs it; ``npm init`` alone only writes a manifest."""
    run.read_options()
    if run.rest:
        name = run.rest[0].text
        run.emit("install", "package", package("npm", name if name.startswith("@") else f"create-{name}"), run.rest[0])
        run.opaque("runs what it installs")
    else:
        run.path("write", Arg("package.json", run.at.start, run.at.end))
    return UNKNOWN


def publish_npm(run: Invocation) -> Flow:
    """``npm publish``: the folder goes out."""
    run.read_options()
    run.path("read", run.rest[0] if run.rest else Arg(".", run.at.start, run.at.end), ("recursive",))
    for role, arg in run.given:
        ROLES[role](run, arg)
    if any(word.text == "--dry-run" for word in run.words):
        return UNKNOWN
    run.flags.add("upload")
    if not run.hosts:
        run.hosts.append(("registry", run.at))
    run.opaque("publishing runs scripts of the project")
    return run.finish()


_SECRET_KEY = re.compile(r"(?i)_|auth|token|passw|secret|otp|^//")


def npm_config(run: Invocation) -> Flow:
    """``npm config set``: writes the user's file. It prints what is secret there only if it is asked for that."""
    if any(word.text == "set" for word in run.words) or run.name == "set":
        run.path("write", Arg(run.runner.place.home + "/.npmrc", run.at.start, run.at.end))
    elif any(_SECRET_KEY.search(word.text) for word in run.words):
        run.path("read", Arg(run.runner.place.home + "/.npmrc", run.at.start, run.at.end))
    return UNKNOWN


def yarn(run: Invocation) -> Flow:
    """``yarn`` alone is ``yarn install``; an unknown word is a script of the project."""
    run.read_options()
    run.chdirs()
    if not run.rest:
        run.emit("install", "package", "npm:.", run.at)
        run.opaque("installing runs scripts of the packages")
        return UNKNOWN
    if run.rest[0].text == "npm" and [word.text for word in run.rest[1:2]] == ["publish"]:
        run.rest = run.rest[1:]
    return run.sub()


def pip_install(run: Invocation) -> Flow:
    """``pip install``: ``--dry-run`` installs nothing."""
    run.read_options()
    run.apply()
    return run.finish()


def uv_run(run: Invocation) -> Flow:
    """``uv run [--with PACKAGE] COMMAND``: the command, in the project's environment."""
    run.read_options()
    run.chdirs()
    run.apply_options()
    words = run.words
    for name, value in itertools.pairwise(words):
        if name.text in {"-m", "--module", "-s", "--script"}:
            run.opaque(f"runs {value.text[:80]}")
            return UNKNOWN
    if not run.rest:
        return UNKNOWN
    if run.rest[0].text.endswith(".py"):
        ROLES["script"](run, run.rest[0])
        return UNKNOWN
    return run.runner.program(run.rest, run.state.fork(), run.stdin)


def _own(ecosystem: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a reader
    def reader(run: Invocation) -> Flow:
        """Install what the project's own manifest says."""
        run.read_options()
        run.apply_options()
        run.emit("install", "package", f"{ecosystem}:.", run.at)
        run.opaque("installing runs code of the packages")
        return UNKNOWN

    return reader


def go_install(run: Invocation) -> Flow:
    """``go get``, ``go install``: a path of this module is not a package from elsewhere."""
    run.read_options()
    for arg in run.rest:
        if arg.text.startswith(".") or "." not in arg.text.partition("/")[0]:
            run.opaque("builds code of the project")
        else:
            run.emit("install", "package", package("go", arg.text), arg)
    return UNKNOWN


def go_mod(run: Invocation) -> Flow:
    """``go mod download``, ``tidy``."""
    if any(word.text in {"download", "tidy", "vendor"} for word in run.words):
        run.emit("install", "package", "go:.", run.at)
    run.path("write", Arg("go.mod", run.at.start, run.at.end))
    return UNKNOWN


def go_env(run: Invocation) -> Flow:
    """``go build`` and the looking commands."""
    run.read_options()
    run.apply_options()
    if run.name == "fmt":
        run.path("write", Arg(".", run.at.start, run.at.end), ("recursive",))
    return UNKNOWN


def rpm(run: Invocation) -> Flow:
    """``yum install``, ``dnf install``, ``zypper in``, ``pacman -S``."""
    run.read_options()
    if run.name != "pacman":
        run.apply_options()
    words = list(run.rest)
    is_pacman = run.name == "pacman" and any(
        w.text.startswith(("-S", "-U")) and not set(w.text) & set("sci") for w in run.words
    )
    if is_pacman or (words and words[0].text in {"install", "in", "localinstall", "reinstall", "groupinstall"}):
        for arg in words if is_pacman else words[1:]:
            ROLES["rpm-package"](run, arg)
    takes = {"remove", "erase", "autoremove", "rm", "groupremove", "downgrade"}
    if (words and words[0].text in takes) or any(word.text.startswith("-R") for word in run.words):
        run.emit("deploy", "tool", "dnf:remove", run.at)
    return UNKNOWN


_MANAGERS = {"apt-get": "apt", "aptitude": "apt", "dpkg": "apt", "flatpak": "snap", "port": "brew", "yum": "dnf",
             "microdnf": "dnf", "zypper": "dnf", "pacman": "dnf"}  # fmt: skip


def uninstalls(run: Invocation) -> Flow:
    """``apt remove``, ``brew uninstall``: what is taken away, others on this host may use."""
    run.read_options()
    if run.program == "dpkg":
        run.apply_options()
    is_dry = any(word.text in {"-s", "--dry-run", "--simulate", "--just-print"} for word in run.words)
    if not is_dry and (run.program != "dpkg" or "delete" in run.flags):
        run.emit("deploy", "tool", f"{_MANAGERS.get(run.program, run.program)}:remove", run.at)
    return UNKNOWN


def unpublishes(run: Invocation) -> Flow:
    """``npm unpublish``, ``cargo yank``: what others install is taken from them, or given to somebody else."""
    words = [word.text for word in run.words if word.text[:1] != "-"]
    if words[:1] in (["ls"], ["list"]) or (run.name in {"owner", "access", "team", "dist-tag"} and not words):
        run.emit("connect", "host", "registry", run.at)
    else:
        run.emit("deploy", "tool", f"{run.program}:{run.name}", run.at, ("forced",))
    return UNKNOWN


def toolchain(run: Invocation) -> Flow:
    """Version managers: they fetch and switch tools of the user's own."""
    words = [word.text for word in run.words if word.text[:1] != "-"]
    if words[:1] and words[0] in {"install", "use", "i", "add", "global", "enable", "prepare", "up", "upgrade"}:
        run.opaque("fetches or switches a tool")
    return UNKNOWN


def twine(run: Invocation) -> Flow:
    """``twine upload FILES``."""
    run.read_options()
    if run.rest and run.rest[0].text == "upload":
        for arg in run.rest[1:]:
            run.path("read", arg)
        run.emit("connect", "host", "registry", run.at, ("upload",))
    return UNKNOWN


READERS = {
    "npm-install": npm_install, "npx": npx, "npm-create": npm_create, "publish-npm": publish_npm,
        "npm-config": npm_config,
    "yarn": yarn, "pip-install": pip_install, "uv-run": uv_run, "own-pypi": _own("pypi"), "own-gem": _own("gem"),
    "own-composer": _own("composer"), "own-deb": _own("deb"), "go-install": go_install, "go-mod": go_mod,
    "go-env": go_env, "rpm": rpm, "uninstalls": uninstalls, "unpublishes": unpublishes,
    "toolchain": toolchain, "twine": twine,
}  # fmt: skip
