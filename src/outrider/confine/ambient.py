"""What an agent's environment may hold: ambient secrets are taken out, names are all that is ever told of them. Pure.

A variable goes if its name says that it is a secret or the way to one (an agent's socket, a file of credentials), or
if its value is found to hold one. It stays where the charter says so (``use_credential = ["env:NAME"]``, in the
agent's own charter and permitted by every one above it), where the person who starts the command lends it, or where
the command is an agent host that needs it to reach its own model: what is lent is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from outrider.charter.model import Charter
from outrider.charter.names import parse_name
from outrider.charter.patterns import UNIVERSAL

_SECRET = re.compile(
    r"(?:^|_)(?:TOKEN|TOKENS|SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|PWD_FILE|APIKEY|API_KEY|ACCESS_KEY|ACCESS_KEY_ID"
    r"|PRIVATE_KEY|SIGNING_KEY|ENCRYPTION_KEY|AUTH|AUTHORIZATION|CREDENTIAL|CREDENTIALS|COOKIE|DSN|PAT|JWT|WEBHOOK_URL"
    r"|CONNECTION_STRING|CONN_STR)(?:$|_[A-Z0-9]{1,12}$)|PASSWORD$|_KEY$|TOKEN$|SECRET$"
)
_WAYS = frozenset({
    "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_ASKPASS", "GPG_AGENT_INFO", "GNOME_KEYRING_CONTROL",
    "DBUS_SESSION_BUS_ADDRESS", "DBUS_STARTER_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST", "KUBECONFIG", "VAULT_ADDR",
    "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR", "MYSQL_PWD", "PGPASSFILE", "PGSERVICEFILE", "NETRC", "TMUX", "STY",
    "VSCODE_IPC_HOOK_CLI", "VSCODE_GIT_IPC_HANDLE", "WAYLAND_DISPLAY", "DISPLAY", "XAUTHORITY", "I3SOCK", "SWAYSOCK",
    "NVIM", "EMACS_SERVER_FILE", "KRB5CCNAME",
})  # fmt: skip
"""Names of ways to more than the agent was given: sockets of agents and desktops, files of credentials."""

_CODE = frozenset({"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH"})
"""What runs other people's code in every program. Not secrets; listed because a person may wonder."""

_NOT = frozenset({"GIT_AUTHOR_DATE", "NO_COLOR", "COLORTERM", "PWD", "OLDPWD", "XDG_SESSION_COOKIE"})

_HOSTS: Mapping[str, tuple[str, ...]] = {
    "claude": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    "codex": ("OPENAI_API_KEY", "CODEX_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "qwen": ("DASHSCOPE_API_KEY", "OPENAI_API_KEY"),
    "copilot": ("COPILOT_GITHUB_TOKEN", "COPILOT_PROVIDER_API_KEY"),
}
"""Agent hosts, and the variables by which a person hands each the key to its own model."""


def keys_of(command: str) -> tuple[str, ...]:
    """Return the variables by which a command, if it is a known agent host, is handed the key to its own model."""
    return _HOSTS.get(command, ())


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of an environment. Names only.

    Attributes:
        scrubbed: Variables that are taken out.
        kept: Secrets that stay because the charter says so.
        lent: Secrets that stay because a person lends them, or because the command is an agent host that needs them
            for its own model.
    """

    scrubbed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()


def scrub(
    environment: Iterable[tuple[str, str]],
    line: Sequence[Charter],
    program: str,
    holds_secret: Callable[[str, str], bool],
    lent: Sequence[str] = (),
) -> Environment:
    """Return what is to be taken out of an environment.

    Args:
        environment: Names and values.
        line: The agent's charters, its own first.
        program: Base name of the command.
        holds_secret: Whether a variable's value (name, value) is found to hold a secret.
        lent: Names of variables that a person lends.
    """
    needed = (*lent, *_HOSTS.get(program, ()))
    scrubbed: list[str] = []
    kept: list[str] = []
    given: list[str] = []
    for name, value in environment:
        if is_secret_name(name) or name in _CODE or (value and name not in _NOT and holds_secret(name, value)):
            if _keeps(line, name):
                kept.append(name)
            elif name in needed and not never(line, name):
                given.append(name)
            else:
                scrubbed.append(name)
    return Environment(scrubbed=tuple(sorted(scrubbed)), kept=tuple(sorted(kept)), lent=tuple(sorted(given)))


def is_secret_name(name: str) -> bool:
    """Return whether a variable's name says that it is a secret or the way to one."""
    upper = name.upper()
    return upper not in _NOT and (upper in _WAYS or _SECRET.search(upper) is not None)


def never(line: Sequence[Charter], name: str) -> bool:
    """Return whether a charter of a line refuses a variable whatever else it says."""
    return any(
        parse_name(text).fullmatch(f"env:{name}") is not None
        for charter in line
        for text in charter.never.get("use_credential", ())
    )


def _keeps(line: Sequence[Charter], name: str) -> bool:
    """Whether the charters let a variable stay: the agent's own must name it; ``*`` is no name."""
    wanted = f"env:{name}"

    def says(charter: Charter, *, wide: bool) -> bool:
        return any(
            (wide and text in UNIVERSAL) or (text.startswith("env:") and parse_name(text).fullmatch(wanted) is not None)
            for text in charter.may.get("use_credential", ())
        )

    return (
        bool(line)
        and not never(line, name)
        and says(line[0], wide=False)
        and all(says(one, wide=True) for one in line[1:])
    )
