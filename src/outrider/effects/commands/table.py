"""The table of all programs that are known here, and the way from an entry to its effects."""

from __future__ import annotations

from collections.abc import Callable

from outrider.effects.commands import (
    files,
    git,
    languages,
    network,
    outlets,
    packages,
    security,
    shells,
    system,
    text,
    viewers,
    windows,
)
from outrider.effects.commands.escape import handed
from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.readers import archives as read_archives
from outrider.effects.commands.readers import builds as read_builds
from outrider.effects.commands.readers import clouds as read_clouds
from outrider.effects.commands.readers import consoles as read_consoles
from outrider.effects.commands.readers import containers as read_containers
from outrider.effects.commands.readers import databases as read_databases
from outrider.effects.commands.readers import defences as read_defences
from outrider.effects.commands.readers import editors as read_editors
from outrider.effects.commands.readers import files as read_files
from outrider.effects.commands.readers import filters as read_filters
from outrider.effects.commands.readers import git as read_git
from outrider.effects.commands.readers import guard as read_guard
from outrider.effects.commands.readers import languages as read_languages
from outrider.effects.commands.readers import network as read_network
from outrider.effects.commands.readers import outlets as read_outlets
from outrider.effects.commands.readers import packages as read_packages
from outrider.effects.commands.readers import shells as read_shells
from outrider.effects.commands.readers import system as read_system
from outrider.effects.commands.readers import text as read_text
from outrider.effects.commands.readers import typesetting as read_typesetting
from outrider.effects.commands.readers import wrappers as read_wrappers
from outrider.effects.commands.spec import Spec
from outrider.effects.shell.state import UNKNOWN, Flow, Runner, State
from outrider.effects.shell.tree import Arg

FAMILIES: dict[str, tuple[Spec, ...]] = {
    "files": files.TABLE, "text": text.TABLE, "shells": shells.TABLE, "network": network.TABLE, "git": git.TABLE,
    "packages": packages.TABLE, "languages": languages.TABLE, "system": system.TABLE,
    "viewers": viewers.TABLE, "outlets": outlets.TABLE, "security": security.TABLE,
    "windows": windows.TABLE,
}  # fmt: skip
"""Every entry, by family."""

READERS: dict[str, Callable[[Invocation], Flow]] = {
    **read_files.READERS, **read_text.READERS, **read_shells.READERS, **read_wrappers.READERS,
    **read_network.READERS, **read_git.READERS,
    **read_packages.READERS, **read_languages.READERS, **read_system.READERS,
    **read_archives.READERS, **read_filters.READERS, **read_editors.READERS, **read_outlets.READERS,
    **read_guard.READERS, **read_consoles.READERS, **read_clouds.READERS, **read_containers.READERS,
    **read_databases.READERS, **read_defences.READERS,
    **read_builds.READERS, **read_typesetting.READERS,
}  # fmt: skip
"""Every special reader, by the name that entries call it by."""

TABLE: dict[str, Spec] = {name: spec for family in FAMILIES.values() for spec in family for name in spec.names}
"""Every entry, by the program's name."""

SYSTEM_DIRS = frozenset(
    {"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin", "/snap/bin"}
)
"""Directories whose programs are what their names say: an agent cannot write there without a rule that lets it."""

RUN_ENV = frozenset(
    {"GIT_SSH_COMMAND", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_PAGER", "PAGER", "MANPAGER", "EDITOR", "VISUAL",
     "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "SSH_ASKPASS", "LESSOPEN", "LESSCLOSE", "PROMPT_COMMAND", "BROWSER", "GIT_SSH",
     "RSYNC_RSH", "GIT_PROXY_COMMAND", "SUDO_ASKPASS", "RESTIC_PASSWORD_COMMAND", "RCLONE_PASSWORD_COMMAND", "BORG_RSH",
     "BORG_PASSCOMMAND", "RSYNC_CONNECT_PROG", "CVS_RSH", "SVN_SSH", "BZR_SSH", "WGET_ASKPASS", "FZF_DEFAULT_COMMAND",
     "KUBECTL_EXTERNAL_DIFF", "NPM_CONFIG_SCRIPT_SHELL", "npm_config_script_shell", "PERL5SHELL", "MAKESHELL", "FCEDIT",
     "TEXEDIT", "LESSEDIT", "VIMINIT", "EXINIT", "GVIMINIT", "NEXINIT", "ANSIBLE_VAULT_PASSWORD_FILE"}
)  # fmt: skip
"""Variables whose value other programs run."""

DANGEROUS_ENV = frozenset(
    {"LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "PYTHONSTARTUP", "PERL5OPT", "PERL5DB", "RUBYOPT", "PATH", "GCONV_PATH",
     "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_PARAMETERS",
         "BASH_FUNC"}
)  # fmt: skip
"""Variables that change which code the programs that see them run."""


_ASKS = frozenset({"--version", "--help"})
"""Arguments by which every program here, given nothing else, only says what it is."""


_HAND_ON = frozenset({"console", "toolchain", "infrastructure", "migrations"})
"""Readers of programs that may run what they are given behind ``--`` or ``exec``."""


def invoke(spec: Spec, args: list[Arg], runner: Runner, state: State, stdin: Flow, program: str = "") -> Flow:
    """Run a known program: by its special reader if its entry names one, else by the entry alone."""
    run = Invocation(runner, state, spec, args, stdin)
    run.invoke = invoke
    run.program = program or run.name
    if len(args) == 2 and args[1].text in _ASKS and spec.special != "attack":
        return UNKNOWN
    if spec.opaque or spec.special in _HAND_ON:
        handed(runner, run.words, state, stdin)
    if spec.special:
        return READERS[spec.special](run)
    if spec.subs:
        run.read_options()
        run.chdirs()
        return run.sub()
    return run.run()
