"""Package managers: what they install, and what they run. Sources: the managers' manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import Spec, spec

_PIP_INSTALL = (
    "-r,--requirement=pypi-file -c,--constraint=read -e,--editable=pypi-local -t,--target,--prefix,--root,--src,"
    "--report,--log,--cache-dir=write -i,--index-url,--extra-index-url,--trusted-host,--proxy=host "
    "-f,--find-links=url-if "
    "--python,--platform,--python-version,--implementation,--abi,--only-binary,--no-binary,--config-settings,--progress-bar,"
    "--timeout,--retries,--upgrade-strategy,--exists-action,--cert,--client-cert,--global-option,-C,--extra,--group,"
    "--index,--default-index,--prerelease,--resolution,--link-mode,--index-strategy,--keyring-provider,-p,"
    "--no-build-isolation-package=text "
    "--dry-run=:dry -U,--upgrade,--user,--pre,-q,--system=:keep"
)
_UV_ADD = (
    "-r,--requirements=pypi-file --index,--default-index,--index-url,--extra-index-url=host "
    "--group,--optional,--extra,-p,"
    "--python,--script,--package,--tag,--branch,--rev,--marker,--bounds,-c=text --editable,--dev=:keep "
    "--directory=chdir"
)
_RUN_UV = (
    "--with=pypi-package --with-requirements=pypi-file --with-editable=pypi-local "
    "-p,--python,--group,--extra,--package,"
    "--env-file,--only-group,--no-group,--from,--isolated,--no-project,--index=text -m,--module,-s=text "
    "--directory,--project=chdir"
)
_NPM_INSTALL = (
    "-w,--workspace,--tag,--omit,--include,--loglevel,--install-strategy,--cpu,--os,-C,--filter,--cwd,"
    "--network-timeout=text "
    "--prefix=chdir --registry=host "
    "-g,--global,-D,--save-dev,-S,--save,-E,-O,-f,--force,--production,--legacy-peer-deps=:keep"
)
_RUNS = "runs what the project's manifest says"


def _js(extra: tuple[Spec, ...] = ()) -> tuple[Spec, ...]:
    """The subcommands that npm and those that follow it have in common."""
    return (
        spec("install i add in update up upgrade ci clean-install link ln isntall", "npm-package*", _NPM_INSTALL,
             special="npm-install", opaque="installing runs scripts of the packages"),
        spec("uninstall remove rm un unlink prune dedupe", "text*"),
        spec("run run-script test t tst start stop restart build dev lint serve", "text*", opaque=_RUNS),
        spec("exec x dlx", "npm-run", "-p,--package=npm-package -c,--call=shell -y,--yes=:keep", style="posix",
             special="npx"),
        spec("create init innit", "text*", "-y=:keep", special="npm-create"),
        spec("publish", "tree", "--registry=host --tag,--access,--otp=text", special="publish-npm"),
        spec("login logout adduser whoami token", "text*", "--registry=host", remote="registry"),
        spec("unpublish deprecate owner access team dist-tag", "text*", "--registry=host", special="unpublishes"),
        spec("view info show search outdated audit ping", "text*", "--registry=host", remote="registry"),
        spec("config c set get", "text*", special="npm-config"),
        spec("ls list ll la root prefix bin version help explain why docs repo bugs home fund doctor pkg completion "
             "cache store query rebuild workspaces workspace --version -v env", "text*"),
        spec("pack", "text*"),
        *extra,
    )  # fmt: skip


_PIP = (
    spec("install", "pypi-package*", _PIP_INSTALL, special="pip-install", opaque="installing runs code of the "
        "packages"),
    spec("download wheel", "pypi-package*", _PIP_INSTALL + " -d,--dest,-w,--wheel-dir=write"),
    spec("uninstall", "text*", "-r,--requirement=read -y=:keep"),
    spec("sync", "pypi-file*", "-i,--index-url=host", opaque="installing runs code of the packages"),
    spec("compile", "read*", "-o,--output-file=write -c,--constraint=read --extra,--python-version,-p=text"),
    spec("list freeze show check tree inspect debug help hash index search cache completion --version "
        "-V", "text*"),
    spec("config", "text*", "--editor=escape"),
)  # fmt: skip

TABLE = (
    spec("pip pip3 pipx-pip", style="posix", options="--python,--proxy,--log,--cache-dir,--timeout,-q=text", subs=_PIP),
    spec("pipx", style="posix", subs=(
        spec("install upgrade inject reinstall", "pypi-package*", _PIP_INSTALL, opaque="installing runs code of "
            "the packages"),
        spec("run", "pypi-run text*", "--spec=pypi-package --python=text", style="posix"),
        spec("list uninstall ensurepath uninstall-all upgrade-all environment", "text*"),
    )),
    spec("uv", style="posix", options="--directory,--project=chdir -q,--offline=:keep --config-file=read "
         "--python,-p,--color=text", subs=(
        spec("pip", style="posix", subs=_PIP),
        spec("add", "pypi-package*", _UV_ADD, opaque="installing runs code of the packages"),
        spec("sync lock", "text*", "--group,--extra,-p,--python,--package,--only-group=text "
            "--index,--default-index=host",
             special="own-pypi"),
        spec("remove export tree init version python cache self venv help auth --version", "text*", "-p,"
            "--python=text -o=write"),
        spec("run", "program", _RUN_UV, style="posix", special="uv-run"),
        spec("tool", style="posix", subs=(
            spec("run", "pypi-run text*", "--from,--with=pypi-package -p,--python=text", style="posix"),
            spec("install upgrade", "pypi-package*", _PIP_INSTALL, opaque="installing runs code of the packages"),
            spec("list uninstall dir update-shell", "text*"),
        )),
        spec("build", "text*", opaque="runs the project's build"),
        spec("publish", "upload*", "--publish-url,--index=host -t,--token,-u,-p=text", flags="upload",
            remote="registry"),
    )),
    spec("uvx", "pypi-run text*", "--from,--with=pypi-package -p,--python,--index=text", style="posix"),
    spec("poetry pdm hatch pipenv rye", style="posix", options="-C,--directory,-P=chdir -p,-q=:keep", subs=(
        spec("add", "pypi-package*", "-G,--group,--extras,-E,--source,--python=text --dev,-D=:keep",
             opaque="installing runs code of the packages"),
        spec("install sync update lock", "text*", "--with,--without,--only,-E,--extras,-G=text -r=pypi-file",
             special="own-pypi"),
        spec("run", "program", style="posix"),
        spec("remove show list info init new env check config version export shell search about self cache tree "
             "--version", "text*"),
        spec("build", "text*", opaque="runs the project's build"),
        spec("publish", "text*", "-r,--repository,-u,-p=text", flags="upload", remote="registry"),
    )),
    spec("conda mamba micromamba", style="posix", subs=(
        spec("install update upgrade create", "conda-package*", "-n,--name,-c,--channel,-p,--prefix=text "
            "-f,--file=conda-file"),
        spec("run", "program", "-n,--name,-p=text", style="posix"),
        spec("activate deactivate list env info search remove clean config init shell shell.bash export", "text*"),
    )),
    spec("twine", "text upload*", "-r,--repository,-u,-p,--repository-url=text", special="twine"),
    spec("npm pnpm bun cnpm", style="posix", options="-C,--prefix,--dir,--cwd=chdir --registry=host "
        "-w,--workspace,--filter,-F,--loglevel=text -e,--eval=code",
         subs=_js(), opaque=_RUNS),
    spec("yarn", style="posix", options="--cwd=chdir --registry=host", subs=_js((
        spec("global", style="posix", subs=_js()),
    )), special="yarn", opaque=_RUNS),
    spec("npx bunx pnpx", "npm-run text*", "-p,--package=npm-package -c,--call=shell -y,--yes,-q=:keep", style="posix",
         special="npx"),
    spec("corepack nvm fnm volta n asdf mise rtx pyenv rbenv sdk", "text*", special="toolchain"),
    spec("cargo", style="posix", options="-C=chdir --config=cargo-config --color,-Z=text", subs=(
        spec("install", "cargo-package*", "--git=cargo-git --path=cargo-local "
            "--version,--branch,--tag,--rev,--features,-F,--root,"
             "--registry,--index,-j,--target,--bin=text", opaque="installing runs build scripts of the packages"),
        spec("add", "cargo-package*", "--git=cargo-git "
            "--path,--features,-F,--branch,--tag,--rev,--rename,-p,--package=text"),
        spec("build b run r test t bench check c clippy doc d fix nextest miri expand bloat flamegraph watch tauri",
             "text*", opaque="runs build scripts and code of the project"),
        spec("fmt clean tree metadata search update new init remove rm version help locate-project pkgid vendor "
            "generate-lockfile "
             "fetch audit deny outdated login logout --version -V --list", "text*"),
        spec("yank owner", "text*", "--registry,--vers,--version=text", special="unpublishes"),
        spec("package", "text*", "-p,--registry=text", opaque="runs build scripts and code of the project"),
        spec("publish", "text*", "-n,--dry-run=:dry -p,--token,--registry,--index=text", flags="upload",
             remote="registry"),
    ), opaque="runs code of the project"),
    spec("rustup rustc rustfmt", "read*", "-o,--out-dir=write "
        "--edition,--crate-type,--target,-C,-L,--emit,--crate-name,--component,--toolchain=text"),
    spec("go", style="posix", options="-C=chdir", subs=(
        spec("get install", "go-package*", "-tags,-ldflags,-mod,-modfile,-gcflags=text", style="long",
            special="go-install"),
        spec("mod", "text*", special="go-mod"),
        spec("run", "text*", "-exec,-toolexec=escape -tags,-ldflags,-mod=text", style="long", opaque="runs code "
             "of the project"),
        spec("build vet list doc fmt version env clean tool help work bug fix telemetry", "text*",
             "-o=write -vettool,-toolexec=shell -tags,-ldflags,-mod,-gcflags,-f,-buildmode=text "
             "-w,-u=:keep", style="long", special="go-env"),
        spec("test generate", "text*", "-exec,-toolexec=escape "
             "-run,-bench,-timeout,-count,-tags,-coverprofile,-o=text", style="long",
             opaque="runs code of the project"),
    )),
    spec("gem", style="posix", subs=(
        spec("install i update fetch", "gem-package*", "-v,--version,-i,--install-dir,-P,-n,--source,-s=text "
            "-g,--file=gem-file"),
        spec("open", "text*", "-e,--editor=escape -v=text"),
        spec("exec", "text*", opaque="runs code of a package"),
        spec("list search info environment env uninstall cleanup query which contents sources help build "
            "spec", "text*"),
        spec("push", "upload", "--host=host -k,--key=text", flags="upload", remote="registry"),
        spec("yank owner", "text*", "-v,--version,-a,-r,-k=text", special="unpublishes"),
    )),
    spec("bundle bundler", style="posix", subs=(
        spec("exec", "program", style="posix"),
        spec("install update", "text*", "--gemfile=read --path,--jobs=text", special="own-gem"),
        spec("add", "gem-package*", "--version,-v,--group=text"),
        spec("config list show info outdated check init lock clean open version", "text*"),
        spec("console", opaque="an interactive interpreter"),
    )),
    spec("composer", style="posix", options="-d=chdir", subs=(
        spec("require", "composer-package*", "--dev=:keep"),
        spec("install update", "text*", special="own-composer"),
        spec("show dump-autoload validate remove config search outdated init about", "text*"),
    ), opaque=_RUNS),
    spec("apt apt-get aptitude", style="posix", options="-o,--option=apt-option -c,--config-file=script -t=text "
         "-y,-q,-qq=:keep", subs=(
        spec("install reinstall build-dep", "deb-package*", "-o,--option=apt-option -c,--config-file=script "
             "-t,--target-release=text"),
        spec("upgrade dist-upgrade full-upgrade", "text*", special="own-deb"),
        spec("remove purge autoremove autopurge", "text*", "-o=text", special="uninstalls"),
        spec("update clean autoclean list search show policy download source "
             "changelog edit-sources check depends moo", "text*", "-o,--option=apt-option -c,--config-file=script"),
    )),
    spec("dpkg", "text*", "-i,--install=deb-local -r,-P,--purge,--remove=:delete -l,-L,-S,-s=text",
         special="uninstalls"),
    spec("apk", style="posix", subs=(
        spec("add", "apk-package*", "-t,-X,--repository,--virtual=text"),
        spec("del", "text*", special="uninstalls"),
        spec("update upgrade search info list fix cache", "text*"),
    )),
    spec("yum dnf microdnf zypper pacman", "text*", "-c,--config=library "
         "--enablerepo,--disablerepo,-x,--releasever=text",
         special="rpm"),
    spec("brew port", style="posix", subs=(
        spec("install reinstall upgrade", "brew-package*", "--cask,--HEAD,-q=:keep", opaque="installing runs "
            "code of the packages"),
        spec("uninstall remove autoremove", "text*", special="uninstalls"),
        spec("list search info update cleanup doctor services tap untap outdated deps uses config "
             "shellenv --prefix link unlink pin", "text*"),
        spec("bundle", "text*", "--file=brew-file"),
    )),
    spec("snap flatpak", style="posix", subs=(
        spec("install", "snap-package*", "--channel=text"),
        spec("remove uninstall", "text*", special="uninstalls"),
        spec("run", "text*", "--command=shell -d,--branch,--filesystem,--arch=text --shell=:login"),
        spec("list find search info refresh update", "text*"),
    )),
    spec("nix nix-env nix-shell nix-build guix", "text*", "-p,-f,-A,-I=text --run,--command=shell -iA=nix-package",
         special="nix", opaque="builds and runs what its files say"),
)  # fmt: skip
