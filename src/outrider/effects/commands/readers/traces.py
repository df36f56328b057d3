"""What covers tracks, ends the host's own services, or hunts for keys: seen in what a call does as a whole."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from outrider.effects.commands.invocation import Invocation
from outrider.effects.shell.tree import Arg

if TYPE_CHECKING:
    from outrider.effects.shell.state import Runner, State

_HISTORY = re.compile(r"HISTFILE|HISTSIZE|HISTFILESIZE|SAVEHIST|fish_history|LESSHISTFILE|MYSQL_HISTFILE|PSQL_HISTORY")
_OFF = re.compile(r"|0|/dev/null|/dev/zero|''|\"\"")


def history_set(runner: Runner, name: str, values: tuple[Arg, ...], at: Arg, state: State) -> None:
    """Note that a shell is told to keep no history: as good as emptying its file.

    A process of its own, which nobody types to, keeps none anyway.
    """
    if state.is_child:
        return
    if name[:1] in "HSLPMf" and _HISTORY.fullmatch(name) and all(_OFF.fullmatch(one.text) for one in values):
        if name in {"LESSHISTFILE", "MYSQL_HISTFILE", "PSQL_HISTORY"}:
            return
        forgotten(runner, at, state)


def history_unset(runner: Runner, words: list[Arg], state: State) -> None:
    """``unset HISTFILE``: see :func:`history_set`."""
    if state.is_child or any(word.text[:1] == "-" and word.text not in {"-v", "--"} for word in words):
        return  # A function is meant, or nothing that the shell knows.
    for word in words:
        if word.text in {"HISTFILE", "SAVEHIST"}:
            forgotten(runner, word, state)


def forgotten(runner: Runner, at: Arg, state: State) -> None:
    """Note that the shell's history is switched off or emptied."""
    path = Arg(f"{runner.place.home}/.bash_history", at.start, at.end)
    runner.path("write", path, state, (), "what was done would leave no trace in the shell's history")


_SERVICE = re.compile(
    r"(?<![\w.-])(?<!\w/)(systemd(?:-\w+)?|init|sshd|dbus-daemon|dbus-broker|networkmanager|wpa_supplicant|rsyslogd|syslog-ng|"
    r"systemd-journald|auditd|crond?|atd|anacron|cupsd|avahi-daemon|bluetoothd|chronyd|ntpd|firewalld|ufw|fail2ban|"
    r"sssd|polkitd|udevd|gdm3?|lightdm|sddm|xorg|xwayland|gnome-shell|plasmashell|wayland|dockerd|docker-proxy|"
    r"docker-containerd\S*|containerd(?:-shim\S*)?|runc|kubelet|kube-\w+|etcd|libvirtd|httpd|apache2?|nginx|haproxy|"
    r"mysqld?|mariadbd?|postgres(?:ql)?|mongod|redis-server|memcached|rabbitmq\S*|elasticsearch|named|bind9|dnsmasq|"
    r"postfix|dovecot|sendmail|exim4?|smbd|nmbd|nfsd|rpcbind|vsftpd|clamd|freshclam|falco|osqueryd|wazuh\S*|"
    r"crowdstrike|falcon-sensor|mdatp|snort|suricata|zeek|ossec\S*|filebeat|auditbeat|telegraf|node_exporter|"
    r"rampart|defenseclaw)(?![\w-]|/\w|\.(?:py|js|ts|rb|go|sh|conf|log|pid|sock))",
    re.IGNORECASE,
)
"""Programs that keep a host running, keep its data, or watch over it."""
_FILTERS = re.compile(
    r"\b(?:e?grep|rg|ag)\s+(?!-\w*v)|awk\s+[^|;\n]*/\w|[=!]=|=~|\bpgrep\b|\bcase\b|\bps\s[^|;\n]*-(?:C|p|u|q)\b"
)
LOOKED = "processes"
"""Where :attr:`State.disk` says that this call listed processes."""


def ended(run: Invocation) -> str:
    """Return which of the host's own services ``kill``, ``pkill`` or ``killall`` is aimed at; ``every`` for all.

    A process that is found by name is known by the name alone, wherever in the call that stands.
    """
    words = [word for word in run.words if word.text[:1] != "-"]
    if run.name != "kill":
        found = next((hit for word in words if (hit := _SERVICE.fullmatch(word.text.strip("^$")))), None)
        return found[1].lower() if found else ""
    if LOOKED not in run.state.disk or all(word.exact and not word.glob for word in words):
        return ""
    text = run.runner.source
    found = _SERVICE.search(text)
    if found:
        return found[1].lower()
    return "" if _FILTERS.search(text) else "every"


_KEYS = re.compile(
    r"(?i)\*?(id_(?:rsa|dsa|ecdsa|ed25519)\*?|\.?netrc|\.pgpass|\.my\.cnf|\.git-credentials|credentials(?:\.\w+)?|"
    r"shadow|\.htpasswd|wallet\.dat|\*?\.(?:kdbx?|pem|pfx|p12|key|ppk|jks|keystore|ovpn|gpg|pgp|asc|p7b|cer|crt)|"
    r"\.aws|\.ssh|authorized_keys|\*?pass(?:word|wd)s?\*?(?:\.\w+)?|\*?secrets?\*?(?:\.\w+)?|\.env\*?|"
    r"unattend\.xml|sysprep\.\*|login\.keychain\S*|key4\.db|logins\.json|\.docker|config\.json|\*?token\*?|"
    r"access_?tokens?\.\w+|msal_token_cache\.\w+)"
)


_HUNT = re.compile(
    r"(?i)\*?(id_(?:rsa|dsa|ecdsa|ed25519)\*?|\.?netrc|\.pgpass|\.my\.cnf|\.git-credentials|credentials(?:\.\w+)?|shadow|"
    r"\.htpasswd|wallet\.dat|\*?\.(?:kdbx?|pem|pfx|p12|key|ppk|jks|keystore|ovpn)|\.aws|\.ssh|authorized_keys|"
    r"\*?pass(?:word|wd)s?\*?(?:\.\w+)?|\*?secrets?\*?(?:\.\w+)?|\.env\*?|unattend\.xml|login\.keychain\S*|key4\.db|"
    r"logins\.json|token|access_?tokens?\.\w+|msal_token_cache\.\w+)"
)
"""Names of :data:`_KEYS` that little else has."""
_NOT_FAR = ("/tmp/", "/var/tmp/", "/usr/")  # noqa: S108 - names to match, not files to make.


def hunted(run: Invocation, roots: list[Arg], words: list[Arg]) -> None:
    """Note that files are looked for by a name that only keys have, outside of the repository."""
    if not any(option.text in {"-name", "-iname", "-path", "-wholename"} for option in words):
        return
    here = run.runner.place.repo
    for option, value in itertools.pairwise(words):
        name = value.text.rpartition("/")[2]
        if option.text not in {"-name", "-iname", "-path", "-wholename"} or not _KEYS.fullmatch(name):
            continue
        for root in roots:
            is_far = root.text.startswith(("/", "~")) and not f"{root.text}/".startswith((f"{here}/", *_NOT_FAR))
            if is_far and root.exact:
                text = f"{root.text.rstrip('/')}/**/{name}"
                flags = ("hunts",) if _HUNT.fullmatch(name) else ()
                run.path("read", Arg(text, value.start, value.end, glob=True), flags)
