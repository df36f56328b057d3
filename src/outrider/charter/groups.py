"""What the names with ``@`` stand for. ``@registries`` alone comes from the host (its package managers' set-up)."""

from __future__ import annotations

SYSTEM = (
    "/usr/**", "/bin/**", "/sbin/**", "/lib/**", "/lib32/**", "/lib64/**", "/libx32/**", "/opt/**", "/etc/**",
    "/nix/**", "/snap/**", "/System/**", "/Library/**", "/Applications/**", "/boot/**", "/srv/**",
    "/var/lib/dpkg/**", "/var/lib/apt/**", "/var/lib/rpm/**", "/var/lib/pacman/**", "/var/cache/**",
    "/proc/*", "/proc/self/**", "/proc/thread-self/**", "/proc/sys/**", "/proc/net/**", "/proc/bus/**", "/proc/fs/**",
    "/proc/driver/**", "/proc/irq/**", "/sys/**", "/run/systemd/resolve/**", "/", "/home", "/Users", "/var", "/mnt",
    "/media", "/run", "~",
    "~/.cargo/bin/**", "~/.cargo/env", "~/.cargo/registry/**", "~/.cargo/git/**", "~/.rustup/**", "~/go/**",
    "~/.pyenv/**", "~/.rye/**", "~/.local/bin/**", "~/.local/lib/**", "~/.local/share/uv/**", "~/.local/share/pipx/**",
    "~/.local/share/mise/**", "~/.local/share/pnpm/**", "~/.local/pipx/**", "~/.nvm/**", "~/.fnm/**", "~/.volta/**",
    "~/.npm/**", "~/.node_modules/**", "~/.bun/**", "~/.deno/**", "~/.asdf/**", "~/.sdkman/**", "~/.jabba/**",
    "~/.m2/repository/**", "~/.m2/wrapper/**", "~/.gradle/caches/**", "~/.gradle/wrapper/**", "~/.ivy2/**",
    "~/.rbenv/**", "~/.rvm/**", "~/.gem/specs/**", "~/.gem/ruby/**", "~/.bundle/cache/**", "~/.conda/**",
    "~/miniconda3/**", "~/anaconda3/**", "~/miniforge3/**", "~/.nix-profile/**", "~/.ghcup/**", "~/.cabal/packages/**",
    "~/.dotnet/**", "~/.nuget/packages/**", "~/.composer/cache/**", "~/.cache/**", "~/Library/Caches/**",
    "~/.gitconfig", "~/.config/git/**", "~/.gitignore", "~/.gitignore_global", "~/.editorconfig",
    "/home/linuxbrew/**",
)  # fmt: skip
"""``@system`` of reading: system and toolchain files that every user of the host can read."""

NOT_SYSTEM = (
    "/etc/shadow*", "/etc/gshadow*", "/etc/sudoers", "/etc/sudoers.d/**", "/etc/security/**", "/etc/pam.d/**",
    "/etc/master.passwd", "/etc/audit/**", "/etc/login.defs",
    "/etc/ssh/ssh_host_*", "/etc/ssl/private/**", "/etc/pki/tls/private/**", "/etc/letsencrypt/**",
    "/etc/wireguard/**", "/etc/ipsec.secrets", "/etc/ppp/*-secrets", "/etc/krb5.keytab", "/etc/kubernetes/**",
    "/etc/rancher/**", "/etc/docker/key.json", "/etc/NetworkManager/system-connections/**", "/etc/openvpn/**",
    "/etc/machine-key", "/proc/kcore", "/proc/kmem", "/proc/kallsyms", "/proc/keys", "/proc/key-users",
    "/sys/kernel/kexec*", "/sys/kernel/vmcoreinfo", "/sys/kernel/debug/**", "/sys/kernel/tracing/**",
    "/sys/kernel/security/**",
    "/usr/share/base-passwd/**", "/proc/self/environ", "/proc/thread-self/environ",
    "/proc/self/mem", "/proc/self/task/**", "/proc/self/root/**", "/proc/self/cwd/**", "/proc/self/fd/**",
    "/opt/**/*.pem", "/opt/**/*.key", "/srv/**/*.pem", "/srv/**/*.key", "/**/.git-credentials",
    "~/.config/git/credentials",
)  # fmt: skip
"""What ``@system`` leaves out: password hashes, private keys,
how a host lets people in, the kernel's insides, other processes' memory."""

CACHES = (
    "~/.cache/**", "~/Library/Caches/**", "~/.npm/**", "~/.pnpm-store/**", "~/.yarn/berry/cache/**",
    "~/.local/share/pnpm/**", "~/.local/share/uv/**", "~/.cargo/registry/**", "~/.cargo/git/**",
    "~/.cargo/.package-cache*", "~/go/pkg/**", "~/.m2/repository/**", "~/.gradle/**", "~/.ivy2/**", "~/.sbt/**",
    "~/.nuget/packages/**", "~/.bun/install/cache/**", "~/.deno/**", "~/.composer/cache/**", "~/.bundle/cache/**",
    "~/.gem/specs/**", "~/.conda/pkgs/**", "~/.node-gyp/**", "~/.electron/**", "~/.terraform.d/plugin-cache/**",
    "~/.local/state/**",
)  # fmt: skip
"""``@caches``: what package managers, compilers and test runners write on their own behalf."""

DEVICES = (
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/stdin", "/dev/stdout",
    "/dev/stderr", "/dev/fd/**", "/dev/ptmx", "/dev/pts/**",
)  # fmt: skip
"""Part of ``@tmp``: devices that keep nothing and reach nothing."""

KEYS = (
    "~/.ssh/id_*", "~/.ssh/*.pem", "~/.ssh/*.key", "~/.ssh/*.ppk", "~/.ssh/identity",
    "~/.gnupg/private-keys-v1.d/**", "~/.gnupg/secring.gpg", "~/.password-store/**", "~/.local/share/keyrings/**",
    "~/.local/share/kwalletd/**", "~/Library/Keychains/**", "~/.config/op/**", "~/.config/Bitwarden*/**",
    "~/.config/keepassxc/**", "~/.mozilla/firefox/**", "~/.thunderbird/**", "~/.config/google-chrome/**",
    "~/.config/chromium/**", "~/.config/BraveSoftware/**", "~/.config/microsoft-edge/**", "~/.config/vivaldi/**",
    "~/.config/opera/**", "~/snap/firefox/common/.mozilla/**", "~/snap/chromium/common/chromium/**",
    "~/Library/Application Support/Firefox/**", "~/Library/Application Support/Google/Chrome/**",
    "~/Library/Cookies/**", "~/.bitcoin/**", "~/.ethereum/keystore/**", "~/.electrum/wallets/**", "~/.litecoin/**",
    "~/.config/solana/id.json", "~/.claude/.credentials.json", "~/.codex/auth.json", "~/.gemini/oauth_creds.json",
    "~/.local/share/opencode/auth.json",
    # Windows below WSL
    "/mnt/?/Windows/System32/config/**", "/mnt/?/Windows/NTDS/**", "/mnt/?/Windows/Panther/**",
    "/mnt/?/Users/*/AppData/**/User Data/**", "/mnt/?/Users/*/AppData/**/Microsoft/Credentials/**",
    "/mnt/?/Users/*/AppData/**/Microsoft/Protect/**", "/mnt/?/Users/*/AppData/**/Microsoft/Vault/**",
    "/mnt/?/Users/*/AppData/**/Microsoft/Crypto/**", "/mnt/?/Users/*/AppData/Roaming/Mozilla/**",
    "/mnt/?/Users/*/AppData/Roaming/Thunderbird/**", "/mnt/?/Users/*/AppData/Roaming/Bitcoin/**",
    "/mnt/?/Users/*/.ssh/id_*",
)  # fmt: skip
"""``@keys``: private keys, keyrings, browsers' stores, wallets, agents' own logins: what no agent ever needs."""

CREDENTIALS = (
    "~/.ssh/**", "~/.gnupg/**", "~/.aws/**", "~/.azure/**", "~/.config/gcloud/**", "~/.oci/**", "~/.kube/**",
    "~/.docker/config.json", "~/.config/containers/auth.json", "~/.netrc", "~/_netrc", "~/.npmrc", "~/.yarnrc.yml",
    "~/.pypirc", "~/.git-credentials", "~/.config/git/credentials", "~/.config/gh/**", "~/.config/hub",
    "~/.config/glab-cli/**", "~/.cargo/credentials*", "~/.gem/credentials", "~/.m2/settings*.xml",
    "~/.gradle/gradle.properties", "~/.nuget/NuGet/NuGet.Config", "~/.composer/auth.json",
    "~/.config/composer/auth.json",
    "~/.config/pip/pip.conf", "~/.pip/pip.conf", "~/.vault-token", "~/.terraform.d/credentials.tfrc.json",
    "~/.terraformrc", "~/.pulumi/credentials.json", "~/.pgpass", "~/.my.cnf", "~/.mylogin.cnf", "~/.s3cfg", "~/.boto",
    "~/.config/rclone/**", "~/.config/doctl/**", "~/.config/heroku/**", "~/.fly/config.yml", "~/.netlify/config.json",
    "~/.config/netlify/config.json", "~/.databrickscfg", "~/.snowsql/config", "~/.huggingface/token",
    "~/.cache/huggingface/token", "~/.config/anthropic/**", "~/.config/openai/**", "~/.config/stripe/config.toml",
    "~/.config/sops/age/**", "~/.age/**", "~/.rampart/token", "/run/secrets/**", "/var/run/secrets/**",
    "/mnt/?/Users/*/.ssh/**", "/mnt/?/Users/*/.aws/**", "/mnt/?/Users/*/.azure/**", "/mnt/?/Users/*/.kube/**",
    "/mnt/?/Users/*/.docker/config.json", "/mnt/?/Users/*/.npmrc", "/mnt/?/Users/*/.git-credentials",
    "/mnt/?/Users/*/.pypirc", "/mnt/?/Users/*/_netrc",
)  # fmt: skip
"""``@credentials``: where programs keep what lets them in elsewhere. ``@keys`` are apart."""

PUBLIC = (
    "/mnt/?/Users/*/.ssh/*.pub",
    "~/.ssh/*.pub", "~/.ssh/known_hosts*", "~/.ssh/config", "~/.ssh/config.d/**", "~/.ssh", "~/.gnupg/gpg.conf",
    "~/.gnupg/gpg-agent.conf", "~/.gnupg/pubring.*", "~/.aws/config", "~/.kube/cache/**",
    "/run/secrets/**/namespace", "/run/secrets/**/ca.crt", "/var/run/secrets/**/namespace",
    "/var/run/secrets/**/ca.crt",
)  # fmt: skip
"""What ``@keys`` and ``@credentials`` leave out: the public halves, and settings that let nobody in."""

ROOT = ("/root/**", "/var/root/**")
"""``@root``: the home of root, where that is somebody else's."""

HOST = (
    "/etc/**", "/usr/**", "/bin/**", "/sbin/**", "/lib/**", "/lib32/**", "/lib64/**", "/libx32/**", "/boot/**",
    "/var/**", "/run/**", "/root/**", "/sys/**", "/proc/**", "/dev/**", "/snap/**", "/nix/store/**", "/System/**",
    "/Library/**", "/Applications/**", "/private/etc/**", "/private/var/**", "/opt", "/srv", "/mnt", "/media", "/home",
    "/Users", "/",
)  # fmt: skip
"""``@host``: what this host is made of, for rules about changing it."""

NOT_HOST = (
    "/usr/local/**", "/usr/src/**", "/var/folders/**", "/var/www/**", "/private/var/folders/**", "/run/user/**", "~/**",
    "repo/**", *DEVICES,
)  # fmt: skip
"""What ``@host`` leaves out: what people put on a host themselves, their homes and repositories among it;
temporary directories as well."""

LOOPBACK = ("localhost", "*.localhost", "127.0.0.0/8", "::1", "0.0.0.0", "ip6-localhost")  # noqa: S104 - a name to match.
"""``@loopback``: this host itself."""

PATHS: dict[str, tuple[str, ...]] = {
    "@system": SYSTEM, "@tmp": DEVICES, "@caches": CACHES, "@keys": KEYS, "@credentials": CREDENTIALS, "@host": HOST,
    "@root": ROOT,
}  # fmt: skip
"""Members of the groups of paths; the directories of ``@tmp`` come with the agent."""
LEFT_OUT = {"@keys": PUBLIC, "@credentials": PUBLIC, "@host": NOT_HOST, "@root": ("~/**", "repo/**")}
"""What a refusal that names a group does not mean."""
PATH_GROUPS = tuple(PATHS)
HOST_GROUPS = ("@registries", "@loopback")
ECOSYSTEMS = (
    "pypi", "npm", "cargo", "go", "gem", "maven", "composer", "nuget", "luarocks", "conda", "deb", "rpm", "apk", "brew",
    "docker", "snap", "nix", "vscode", "helm",
)  # fmt: skip
"""Where packages come from: the part before the colon."""

KNOWN = tuple(f"{name}:known" for name in ECOSYSTEMS)
"""Groups of packages. A host's list is ``Bindings.groups["pypi:known"]``; where there is none, ``known`` means that
the package is named, comes from its own registry rather than from an address, a file or a repository, and that nothing
speaks against its name (the effect's flag ``suspect``). The project itself (``pypi:.``) is known."""

LISTED = tuple(f"{name}:listed" for name in ECOSYSTEMS)
"""Groups of packages that a list of names holds (the effect's flag ``listed``), and of the project itself."""
