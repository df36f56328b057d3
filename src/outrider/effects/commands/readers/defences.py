"""Readers of what watches people, breaks in, mines, or changes Windows."""

from __future__ import annotations

import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.shell.state import UNKNOWN, Flow
from outrider.effects.shell.tree import Arg

_DEVICES = {"watch-screen": "/dev/fb0", "watch-keys": "/dev/input", "watch-sound": "/dev/snd",
            "watch-camera": "/dev/video0", "watch-traffic": "/dev/bpf"}  # fmt: skip
_ASKS = frozenset({"--help", "-h", "--version", "-V", "-D", "--list-devices", "list", "list-devices", "--list"})


def watching(run: Invocation) -> Flow:
    """Programs that take in what a person shows, types, says or sends: they read the device that it comes from."""
    run.read_options()
    run.apply()
    words = [word.text for word in run.words]
    is_file = run.spec.special == "watch-traffic" and any(role == "read" for role, _ in run.given)
    if not is_file and not (words and len(words) == 1 and words[0] in _ASKS):
        run.path("read", Arg(_DEVICES[run.spec.special], run.at.start, run.at.end))
    return UNKNOWN


def attack(run: Invocation) -> Flow:
    """Programs made to break in, to guess passwords, to mine: running one is a deployment against somebody."""
    words = [word.text for word in run.words]
    if words[:1] not in (["--help"], ["--version"], ["-h"], ["-V"]) or run.name.startswith("xmr"):
        run.emit("deploy", "tool", f"attack:{run.name}", run.at)
    run.opaque("a tool of attackers")
    return UNKNOWN


_DIRECTORY_CHANGES = frozenset({"ldapadd", "ldapmodify", "ldapdelete", "ldappasswd", "ldapmodrdn"})


def directory(run: Invocation) -> Flow:
    """Clients of directories and file servers: the host behind ``-H ldap://...`` or ``//host/share``."""
    run.read_options()
    for role, arg in run.given:
        if role == "host":
            _reach(run, arg)
        elif role == "read":
            run.path("read", arg)
    if run.name[:4] != "ldap":
        for arg in run.rest[:1]:
            _reach(run, arg)
    if not run.hosts and run.name[:4] == "ldap":
        run.emit("connect", "host", "directory", run.at)
    if run.name in _DIRECTORY_CHANGES:
        run.emit("deploy", "tool", f"directory:{run.name.removeprefix('ldap')}", run.at)
    return Flow(origin="network")


def _reach(run: Invocation, arg: Arg) -> None:
    text = arg.text.partition("://")[2] or arg.text.lstrip("/\\")
    host = re.split(r"[/\\?]", text, maxsplit=1)[0].rpartition("@")[2].lower()
    if host and host[:1] != "-":
        run.hosts.append((host, arg))
        run.emit("connect", "host", host, arg)


def ciphers(run: Invocation) -> Flow:
    """Programs that put a cipher in a file's place."""
    run.read_options()
    for arg in run.rest:
        run.path("read", arg)
        run.path("write", arg)
    return UNKNOWN


_WINDOWS_LOOKS = re.compile(
    r"(?i)(/?query|/?q|list|/list|get|/get|show|view|/\?|-\?|help|/help|enum|/enum|el|gl|qe|statistics|accounts|config|"
    r"user|group|localgroup|localgroups|share|session|time|status|/status|/v|/fo|dump|--list|-l|--help|info|"
    r"queryjournal|volumeinfo|driveinfo)\Z"
)
_WINDOWS_CHANGES = re.compile(
    r"(?i)(/?(?:create|delete|del|add|change|remove|set|resize|disable|enable|save|copy|restore|load|unload|import|"
    r"export|start|stop|config|call|clear|cl|sl|grant|deny|reset|off|on|im|pid|format|clean|boot|run|end|"
    r"deletejournal|failure|use|domain_trusts|quickconfig|apply|active|f|r|t|w:.*|s|p|passwd)(?:[:=].*)?)\Z"
)


def windows_change(run: Invocation) -> Flow:
    """``reg``, ``schtasks``, ``net``, ``sc`` and their kin: what is not a look changes Windows."""
    words = [word.text for word in run.words]
    name = run.name.removesuffix(".exe")
    first = words[0] if words else "/?"
    is_changed = any(_WINDOWS_CHANGES.match(word) for word in words[:6])
    if name in {"net", "net1"}:
        options = [word.lower() for word in words[1:]]
        is_changed = first.lower() in {"start", "stop", "use", "accounts"} or any(
            word.startswith(("/add", "/delete", "/active", "/domain")) for word in options
        ) or (first.lower() == "user" and len(options) > 1)  # fmt: skip
    looks = not words or (_WINDOWS_LOOKS.match(first) is not None and not is_changed)
    if not looks:
        run.emit("deploy", "tool", f"windows:{name}-{first.strip('/-').lower()[:40]}", run.at)
    run.opaque("acts on Windows")
    return UNKNOWN


def windows_loader(run: Invocation) -> Flow:
    """``mshta``, ``rundll32``, ``certutil`` and their kin: code that is loaded past what a shell shows."""
    if run.words and run.words[0].text.lower() not in {"/?", "-?", "--help", "-hashfile", "/help"}:
        run.unparsed(run.at, "hands code to a loader of Windows")
    return UNKNOWN


def trust(run: Invocation) -> Flow:
    """Programs that make this host trust whoever signs with a certificate."""
    words = [word.text for word in run.words]
    asks = {"list", "--help", "-h", "--version", "extract", "dump", "blacklisted", "-CAROOT"}
    if run.name != "mkcert" or "-install" in words:
        if not words or words[0] not in asks:
            run.path("write", Arg("/etc/ssl/certs", run.at.start, run.at.end))
    else:
        run.path("write", Arg(".", run.at.start, run.at.end))
    return UNKNOWN


READERS = {
    **dict.fromkeys(_DEVICES, watching),
    "trust": trust, "attack": attack, "directory": directory, "ciphers": ciphers,
    "windows-change": windows_change, "windows-loader": windows_loader,
}  # fmt: skip
