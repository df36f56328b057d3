"""git and its hosts' own clients. Sources: git's manual pages; gh and glab manuals.

The keys of git's configuration that run something (:data:`EXECUTING`) are the ones that make ``git config`` a way to
run code in everybody's next git command; https://git-scm.com/docs/git-config says which.
"""

from __future__ import annotations

import re

from outrider.effects.commands.spec import spec

EXECUTING = re.compile(
    r"""(?ix)
    core\.(hookspath|fsmonitor|sshcommand|pager|editor|askpass|gitproxy|alternaterefscommand|attributesfile|worktree)
    | filter\..*\.(clean|smudge|process) | alias\..* | diff\.external | diff\..*\.(command|textconv)
    | credential(\..*)?\.helper | merge\..*\.driver | mergetool\..*\.(cmd|path) | difftool\..*\.(cmd|path)
    | gpg(\..*)?\.program | gpg\.ssh\.defaultkeycommand | sequence\.editor | pager\..* | man\..*\.(cmd|path)
    | browser\..*\.(cmd|path) | remote\..*\.(uploadpack|receivepack|vcs|proxy) | uploadpack\.packobjectshook
    | interactive\.difffilter
    | sendemail\.(sendmailcmd|smtpserver|tocmd|cccmd|headercmd) | instaweb\.httpd | web\.browser
    | trailer\..*\.(command|cmd)
    | submodule\..*\.update | init\.templatedir | include(if\..*)?\.path | url\..*\.(insteadof|pushinsteadof)
    | protocol\..*\.allow | guitool\..*\.cmd | tar\..*\.command | imap\.tunnel | receive\.procreceiverefs
    | log\.showsignature | safe\.directory | extensions\..* | hook\..*\.command
    """
)
"""Keys of git's configuration that name, or lead to, something that runs."""

HARMLESS = re.compile(r"(?i)(alias\.[^=]*|safe\.directory|log\.showsignature|extensions\..*|url\..*)\Z")
"""Of those, the ones whose value decides: an alias runs something only if it begins with ``!``."""

_FETCH = (
    "--depth,-j,--jobs,--shallow-since,--refmap,--filter,-o,--server-option,--negotiation-tip,-s,-X,--strategy=text "
    "--upload-pack=shell"
)
_COMMIT = ("-m,--message,--author,--date,-C,-c,--reuse-message,--fixup,--squash,--trailer,--cleanup,-S,"
    "--gpg-sign,-u=text "
           "-F,--file,-t,--template,--pathspec-from-file=read "
           "-a,--all,--amend,-n,--no-verify,-q,-v,-s=:keep")  # fmt: skip
_LOOK = (
    "-n,--max-count,--since,--until,--after,--before,--author,--grep,--format,--pretty,-S,-G,-L,-U,--unified,--diff-filter,"
    "--date,--color,--stat,--word-diff,-O,--relative,--contains,--merged,--sort,--points-at,--count,-C,-M,-e,-A,-B,-m,"
    "--exclude,-x,--abbrev,--decorate,--glob,--skip,--inter-hunk-context=text --ignore-revs-file,--contents=read "
    "-o,--output=write"
)

SUBCOMMANDS = (
    spec("status diff show log shortlog reflog blame annotate describe rev-parse rev-list ls-files ls-tree cat-file "
         "show-ref for-each-ref name-rev merge-base cherry count-objects fsck grep whatchanged range-diff diff-tree "
         "diff-index diff-files var help version check-ignore check-attr check-ref-format shortlog "
         "symbolic-ref "
         "verify-commit verify-tag ls-remote-local get-tar-commit-id bugreport diagnose column stripspace "
         "interpret-trailers patch-id show-branch request-pull merge-tree --version --help --exec-path fmt-merge-msg "
         "hash-object rerere rev-parse", "text*", _LOOK, special="git-look"),
    spec("clone", "repo-url text", "-b,--branch,--depth,-o,--origin,-c,--config,--filter,-j,--jobs,--shallow-since,"
         "--recurse-submodules=text --reference,--template=read --separate-git-dir=write -u,--upload-pack=shell",
         special="git-clone"),
    spec("fetch pull ls-remote", "repo-url text*", _FETCH, special="git-fetch"),
    spec("push", "text*", "-o,--push-option,--repo,--signed,--recurse-submodules=text --receive-pack,--exec=shell "
         "-f,--force,--mirror=:forced --force-with-lease,--force-if-includes=:keep "
         "-d,--delete=:delete --all,--tags=:keep", special="git-push"),
    spec("commit", "text*", _COMMIT, special="git-commit"),
    spec("merge rebase cherry-pick revert am", "text*", "-m,-s,-X,--strategy,--strategy-option,-F,--onto,-S=text "
         "-x,--exec=shell --abort,--quit,--continue,--skip=:keep", special="git-commit"),
    spec("add stage", "read*", "--chmod,--pathspec-from-file=text -A,--all,-u,-p,-f,-N,-v=:keep", special="git-index"),
    spec("rm", "delete*", "-r=:recursive -f,--force=:forced --cached=:dry", special="git-rm"),
    spec("mv", "move+ write", "-f,--force=:forced", special="copy"),
    spec("checkout switch", "text*", "-b,-B,-c,-C,--orphan,--conflict=text -f,--force=:forced", special="git-checkout"),
    spec("restore", "text*", "-s,--source=text -S,--staged=:dry -W,--worktree=:keep", special="git-restore"),
    spec("reset", "text*", "--hard=:hard --merge,--keep=:forced", special="git-reset"),
    spec("clean", "text*", "-e,--exclude=text -f,--force=:forced -n,--dry-run=:dry -d,-x,-X=:recursive",
         special="git-clean"),
    spec("stash", "text*", "-m,--message=text", special="git-stash"),
    spec("branch tag notes replace", "text*", "-m,-u,--message,--set-upstream-to,--contains,--format,--sort,"
        "-n=text -F=read "
         "-d,-D,--delete=:delete", special="git-own"),
    spec("config", "text*", "-f,--file=git-file --blob,--type,--default,--comment,--value=text --global=:global "
        "--system=:system "
         "--unset,--unset-all,--remove-section,--rename-section=:delete --add,--replace-all=:write "
         "--get,--get-all,--get-regexp,--list,-l,--get-urlmatch,--show-origin=:list --edit,-e=:edit --local,--worktree,"
         "--bool,--int,--path=:keep", special="git-config"),
    spec("remote", "text text text", "-t,-m=text", special="git-remote"),
    spec("init", "write", "-b,--initial-branch,--object-format,--shared=text --template=read --separate-git-dir=write",
         default="write"),
    spec("apply", "read*", "--directory,--exclude,--include,-p,-C,--whitespace=text --check,--stat,--numstat=:dry",
         special="git-apply"),
    spec("worktree", "text*", "-b,-B=text -f,--force=:forced", special="git-worktree"),
    spec("submodule subtree", "text*", "-b,--branch,--name,--reference,--depth=text", special="git-submodule"),
    spec("bisect", "text*", special="git-bisect"),
    spec("format-patch archive bundle", "text*", "-o,--output,--output-directory=write --exec=shell --remote=repo-url "
        "--format,--prefix=text"),
    spec("fetch-pack upload-pack receive-pack send-pack upload-archive", "repo-url text*",
         "--exec,--upload-pack,--receive-pack=shell"),
    spec("daemon", "tree*", "--base-path,--interpolated-path=tree --listen,--port=listen", special="git-daemon"),
    spec("send-email", "read*", "--smtp-server,--sendmail-cmd,--tocmd,--cccmd=mailer "
         "--to,--cc,--bcc,--from,--subject=text",
         special="git-mail"),
    spec("difftool", "text*", _LOOK.replace(",-x,", ",") + " -x,--extcmd=shell", special="git-look"),
    spec("credential", "text*", special="credentials"),
    spec("gc prune repack pack-refs update-index update-ref maintenance sparse-checkout write-tree commit-tree "
        "read-tree "
         "mktag mktree fast-import fast-export lfs filter-branch filter-repo flow svn p4 rerere "
         "instaweb gui citool quiltimport unpack-objects index-pack pack-objects commit-graph multi-pack-index",
         "text*", "-i,-m=text", special="git-own"),
)  # fmt: skip

TABLE = (
    spec("git", style="posix", options="-C=chdir -c,--config-env=git-key "
        "--git-dir,--work-tree,--namespace,--super-prefix=text "
         "--exec-path=library -p,-P,--no-pager,--paginate,--bare=:keep", subs=SUBCOMMANDS, special="git"),
    spec("gh glab hub", "text*", special="forge"),
    spec("svn bzr jj fossil darcs pijul", "text*", "-m,--message=text", opaque="another version control system"),
    spec("pre-commit husky lefthook", "text*", opaque="runs the project's checks"),
)  # fmt: skip
