"""The shell's own commands, and programs that run other programs. Sources: Bash manual 4; the programs' manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_SHELL = "-c=text -o,-O,+o,+O,--rcfile,--init-file=text -s=:stdin -l,--login,-i=:keep"

TABLE = (
    # State of the shell itself.
    spec("cd chdir pushd", "text", "-L,-P,-e,-n=:keep", special="cd", quiet=True),
    spec("popd", special="popd", quiet=True),
    spec("pwd", special="pwd", quiet=True),
    spec("export declare local typeset readonly", style="none", special="declare", quiet=True),
    spec("unset", style="none", special="unset", quiet=True),
    spec("set", style="none", special="set", quiet=True),
    spec("shift", style="none", special="shift", quiet=True),
    spec("true false : test [ [[ return exit break continue wait jobs umask hash shopt let getopts times ulimit "
         "bg fg disown dirs unalias bind complete compgen logout suspend enable caller help",
         style="none", quiet=True),
    spec("read mapfile readarray", style="none", special="read", quiet=True),
    spec("history", style="none", special="history", quiet=True),
    spec("alias", style="none", special="alias", quiet=True),
    spec("trap", "shell text*", style="posix", quiet=True),
    spec("eval", style="none", special="eval", quiet=True),
    spec("source .", style="none", special="source", quiet=True),
    # Shells.
    spec("sh bash dash zsh ksh ash mksh rbash fish", "text*", _SHELL, style="posix", special="shell"),
    spec("pwsh powershell cmd", style="none", special="foreign-shell"),
    # Programs that run a program.
    spec("command builtin", "program", "-v,-V=:list -p=:keep", style="posix", special="command", quiet=True),
    spec("exec", "program", "-a=text -c,-l=:keep", style="posix", quiet=True),
    spec("coproc", "program", style="posix", quiet=True),
    spec("time", "program", "-f,--format=text -o,--output=write -p,-v,-a=:keep", style="posix", quiet=True),
    spec("sudo doas", "program", "-u,--user,-g,--group,-h,--host,-p,--prompt,-C,-r,-t,-T,-U,-R=text -D=chdir "
         "-s,-i,--shell,--login=:login -e,--edit=:edit -l,-v,-k,-K=:list", style="posix", special="sudo"),
    spec("pkexec gosu su-exec", "program", "--user=text", style="posix", special="sudo"),
    spec("su runuser", "text", "-c,--command=text -s,--shell,-g,-G=text -l,-,--login=:login -u=text", special="su"),
    spec("env", "program", style="posix", special="env"),
    spec("setsid", "program", "-f,--fork,-c,--ctty,-w,--wait=:keep", style="posix", special="detached"),
    spec("systemd-run", "program", "-p,-u,--unit,--uid,--slice,-M,-H,-E,--property,--description,--on-active,"
         "--on-calendar,--on-boot,--setenv,--working-directory,--gid,--nice=text "
         "-t,-P,-S,-G,-d,-r,-q=:keep", style="posix",
         special="detached"),
    spec("daemonize dtach abduco", "program", "-t,-p,--unit,-u,--uid,--slice,-S,-G,-M,-E,--property,"
         "--description,--on-active,--on-calendar,-a,-e,-o,-l,-c,-A,-n,-N=text", style="posix", special="detached"),
    spec("nohup unbuffer catchsegv dbus-run-session xvfb-run caffeinate proxychains proxychains4 torify "
        "torsocks "
         "tsocks", "program",
         "-e,-f,-s,-o,-p,-n,-a,--server-args,-S=text", style="posix"),
    spec("rlwrap", "program", "-l,--logfile=write -H,--history-filename=edit -f,--file,--complete-filenames=read "
         "-z,--filter=shell -b,-C,-D,-e,-g,-h,-m,-O,-p,-q,-s,-S,-t,-w,-W=text "
         "-a,-A,-c,-i,-I,-M,-n,-N,-o,-P,-r,-R,-u,-U,-v,"
         "-x,-X=:keep", style="posix"),
    spec("timeout gtimeout", "text program", "-s,--signal,-k,--kill-after=text", style="posix"),
    spec("nice", "program", "-n,--adjustment=text", style="posix"),
    spec("ionice", "program", "-c,-n,-p,--class,--classdata=text", style="posix"),
    spec("chrt", "text program", "-T,-P,-D=text", style="posix"),
    spec("taskset", "text program", "-c,--cpu-list,-p=:keep", style="posix"),
    spec("stdbuf", "program", "-i,-o,-e,--input,--output,--error=text", style="posix"),
    spec("numactl", "program", "-N,-m,-C,-i,-p=text", style="posix"),
    spec("strace ltrace", "program", "-l,-A,-n,-x,-e,-s,-p,-u,-E,-a,-P,-b,-I,-O,-S,-X=text -o=write", style="posix",
         special="traced"),
    spec("perf", style="posix", subs=(
        spec("stat record trace", "program", "-e,-F,-c,-p,-t,-r,-C,-m=text -o,--output=write", style="posix"),
        spec("report annotate script diff list top bench sched test --version", "text*", "-i=read"),
    ), opaque="measures a program"),
    spec("gdb", "text*", "-ex,-iex,-eval-command,--eval-command,-init-eval-command=gdb-text "
         "-x,-command,--command,-ix=script -p,-pid,-c,-core,-d,-cd=text --args,-batch,-nx,-q=:keep", style="long",
         special="gdb"),
    spec("lldb", "text*", "-o,-O,-k,-K,--one-line,--one-line-before-file,--one-line-on-crash=gdb-text "
         "-s,-S,--source=script -f,--file,-c,--core=read -n,-p,-a,-P=text -b,--batch=:keep", special="gdb"),
    spec("valgrind rr", "program", "--log-file=write -o,-p,--tool,--suppressions=text", style="posix",
         opaque="runs a program under its control"),
    spec("watch entr", "", "-n,--interval,-q,--equexit=text", style="posix", special="watch"),
    spec("flock", "write program", "-w,-E,--timeout=text -c=shell", style="posix", special="flock"),
    spec("chroot", "text program", "--userspec,--groups=text", style="posix", special="remote-program"),
    spec("unshare nsenter firejail", "program", "-t,-S,-G,--target,--setuid,--setgid,--wd=text", style="posix",
         special="enter"),
    spec("script scriptlive", "write", "-c,--command=shell -q,-a,-e,-f=:keep", special="script-log"),
    spec("xargs gxargs", "program", "-I,-n,-P,-L,-d,-s,-E,--max-args,--max-procs,--delimiter,--replace,-R,-S,-J=text "
         "-a,--arg-file=read -0,-r,-t,-p,-x,-i=:keep", style="posix", special="xargs"),
    spec("parallel rush", "program", "-j,--jobs,-N,-n,-I,--delay,--timeout,--colsep,-C,-P,-L,-S,--sshlogin=text "
         "-a,--arg-file=read --joblog,--results=write", style="posix", special="parallel"),
    spec("busybox toybox", "program", style="posix", special="busybox"),
    spec("ssh autossh mosh", "host text*", "--ssh,--server=shell "
         "-o=proxy -p,-l,-L,-R,-D,-b,-c,-m,-e,-J,-W,-B,-O,-Q,-S,-w,-M=text -i,-F,-I=read "
         "-E=write -N,-f,-T,-t,-n,-q,-v,-A,-X,-Y,-C,-4,-6,-g,-k,-K,-a,-x=:keep", style="posix", special="ssh"),
    spec("sshpass", "program", "-p,-d,-e=text -f=read", style="posix"),
    spec("at batch", "text*", "-f=script -q,-t=text", special="at"),
    spec("crontab", "text", "-u=text -l,-i=:keep -e=:edit -r=:delete", special="crontab"),
    spec("tmux screen zellij byobu", style="none", special="tmux"),
    spec("make gmake", "text*", "-C,--directory=chdir -f,--file,--makefile=read --eval,-E=make-text "
         "-j,-l,-o,-W,-D,-I=text", style="gnu", special="make", opaque="runs what its build file says"),
    spec("bazel bazelisk buck2", "text*", "--run_under=escape -c,--config,--jobs,-j,-k=text", style="gnu",
         opaque="runs what its build file says"),
    spec("ninja meson ant scons just task tox nox",
         "text*", "-C,--directory=chdir -f,--file,--makefile=read -j,-l,-o,-W,-D,-G,--build,-B,-S,-e=text",
         style="posix", opaque="runs what its build file says"),
    spec("mvn mvnw gradle gradlew sbt lein msbuild xcodebuild swift", "text*", opaque="runs what its build file says"),
    spec("expect autoexpect", "script", "-c=code -f=script", style="posix", opaque="drives another program"),
    spec("kill killall pkill", "text*", style="none", special="kill"),
    spec("outrider", style="none", special="outrider"),
    spec("outrider-hook outrider-daemon", style="none", special="outrider-client"),
)  # fmt: skip
