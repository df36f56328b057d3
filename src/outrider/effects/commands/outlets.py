"""Programs that run another, and programs with a console or language of their own. Sources: the programs' manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

TABLE = (
    # They run the program that they are given.
    spec("aa-exec aoss choom distcc ccache sccache grc multitime pexec softlimit setlock setuidgid "
         "envdir "
         "envuidgid "
         "pgrphack fghack chpst setpriv prlimit eatmydata fakeroot fakechroot padsp primusrun optirun "
         "vglrun chronic ifne "
         "hyperfine gnome-session-inhibit systemd-inhibit systemd-cat cgexec linux32 linux64 "
         "run0 "
         "sem stap-run heaptrack ftrace uftrace dtruss",
         "program", "-p,-n,-l,-e,-c,-g,-u,-a,-b,-r,-t,-m,-s,-f=text", style="posix"),
    spec("cpulimit", "program", "-l,-p,-e,--limit,--pid,--exe=text -f,-i,-z=:keep", style="posix"),
    spec("genie", "program", "-c,-s,-l=:keep", style="posix"),
    spec("bwrap", "text*", style="none", special="bwrap"),
    spec("mcview mcedit", "path-if*", "-v,--view,-e,--edit=read", special="orders"),
    spec("logsave", "write program", "-a,-s,-v=:keep", style="posix"),
    spec("setarch i386 x86_64", "arch program", "-B,-F,-L,-R,-S,-T,-X,-Z,-v=:keep", style="posix", special="setarch"),
    spec("ld.so ld-linux.so ld-linux-x86-64.so.2 ld-linux.so.2 ld-linux-aarch64.so.1", "program",
         "--library-path,--preload,--audit,--argv0,--inhibit-rpath=text", style="posix"),
    spec("start-stop-daemon", "text*", "-x,--exec,-a,--startas=start "
         "-p,--pidfile,-n,--name,-u,-c,-g,-r,-d,-N,-I,-k=text "
         "-S,--start=:keep", special="start-daemon"),
    spec("run-parts", "text*", "--regex,-a,--arg,-u,--umask=text", special="run-parts"),
    spec("openvt", "program", "-c,-e,-s,-l,-f,-u,-w=:keep", style="posix"),
    spec("agetty getty", "text*", "-l,--login-program=escape"),
    spec("sg newgrp", "text text", "-c=shell", special="group-shell"),
    spec("ksu", "text*", "-e=escape -a=text", special="group-shell", flags="forced"),
    spec("capsh", "text*", style="none", special="capsh"),
    spec("csh tcsh yash posh sash elvish oksh lksh", "text*", "-c=text", style="posix", special="shell"),
    spec("rc es nu osh ysh murex ion", "text*", "-c=code", style="posix", special="shell"),
    spec("xonsh", "text*", "-c=code", style="posix", special="interpreter"),
    spec("watchexec reflex entr-watch when-changed", "program",
         "-w,--watch,-e,--exts,-f,--filter,-i,--ignore,-r,-g,-R,-d,"
         "--debounce,-s,-G,--shell,--delay-run=text -c,--clear,--restart,--no-vcs-ignore=:keep", style="posix",
         opaque="runs a command when files change"),
    spec("chokidar onchange", "text*", "-c,--command=shell -d,-t,-i=text", opaque="runs a command when files change"),
    spec("pee", "shell*"),
    spec("singularity apptainer", "text*", "-B,--bind=volume", special="opens-inside", opaque="runs a container"),
    spec("chef-apply", "read*", "-e,--execute=code", opaque="runs what its set-up says"),
    spec("pidstat", "text*", "-e=rest -p,-u,-C,-G,-T=text", special="rest-runs"),
    spec("xdotool", "text*", style="none", special="after-word"),
    spec("dmsetup", "text*", "--exec=escape -c,-o=text"),
    spec("ansible-test", "text*", style="none", special="subshell"),
    spec("bee", "text code text*", style="gnu"),
    spec("cdist", "text*", "-s,--shell=escape -i,-c=read", special="subshell"),
    spec("fail2ban-client", "text*", style="none", special="fail2ban"),
    spec("busctl", "text*", "-H,-M,--address=bus"),
    spec("tmate", "text*", "-c=escape -S,-f=text", opaque="opens this host to the outside"),
    spec("check_by_ssh", "text*", "-o=proxy -H=host -C=text"),
    spec("sshfs", "from write", "-o=proxy -p=text"),
    spec("scanmem gameconqueror", "text*", "-c,--command=order -p=text", special="orders"),
    # Consoles.
    spec("bconsole", "text*", "-c=read", special="orders"),
    spec("crash", "path-if*", "-i,-s=path-if", special="orders"),
    spec("debugfs", "path-if*", "-R=order -f=script", special="orders"),
    spec("tdbtool", "path-if*", special="orders"),
    spec("ranger", "path-if*", "--cmd=order --choosefile,--choosedir=write", special="orders"),
    spec("tasksh ginsh iftop ncdu minicom nvtop msfconsole psftp jtag runscript ",
         "path-if*", "-i,-f,-F,-r,-x,-S,-C,-D=text", special="orders"),
    spec("smbclient", "host text", "-c=order -U,-N,-L,-I,-p,-W,-A=text", special="talk"),
    spec("lftp", "url-if*", "-c,-e=order -f=script -u,-p=text", special="orders"),
    spec("clickhouse clickhouse-client clickhouse-local osqueryi trino presto usql", "sql*",
         "-q,--query,-c,--execute=sql --queries-file,-f=read -h,--host=host --port,-u,--user,--password=text"),
    spec("sqlcmd osql isql", "text*", "-Q,-q=sql -i=read -o=write -S=host -U,-P,-d=text", special="database"),
    spec("fzf sk peco", "text*", "--bind,--preview,--execute=fzf -q,--query,-f,--filter,--prompt,--height,-d,-n=text"),
    # Languages of their own.
    spec("erl werl", "text*", "-eval=code -s,-run,-name,-sname,-pa,-pz=text", style="long", special="interpreter"),
    spec("rake", "text*", "-p,-e,-E,--execute,--execute-print,--execute-continue=code -f,--rakefile=read -r=preload",
         special="migrations"),
    spec("bpftrace stap dtrace", "path-if*", "-e,-n=code -s=script -c=escape -p,-o,-f,-B=text "
         "--unsafe=:keep", special="interpreter"),
    spec("clisp ecl gcl ccl abcl", "text*", "-x,-e,--eval=code -i,-l,--load=script", special="interpreter"),
    spec("ghc", "read*", "-e=code -o=write"),
    spec("slsh jrunscript jjs jshell octave-cli gjs qjs rhino janet fennel picolisp newlisp gforth gosh chibi-scheme "
         "csi scheme mit-scheme "
         "ocaml utop ocamlfind fsi pry byebug pdb ipdb pdb3 rdbg ", "text*",
         "-e,--eval,-c=code -f=script", style="posix", special="interpreter"),
    spec("gimp gimp-2.10 gimp-console", "path-if*", "-b,--batch=code --batch-interpreter,-g=text -i,-d,-f=:keep"),
    spec("fontforge", "path-if*", "-c=code -lang,--lang=text -script=script", style="long"),
    spec("knife", "text*", "-E,--exec=code -c,--config=read", opaque="runs what its set-up says"),
    spec("perlbug perlthanks", "text*", "-e=escape -f=read -s,-r,-c,-b,-t=text -a=host"),
    spec("bashbug", "text*", opaque="opens an editor"),
    spec("rpm rpmquery rpmdb rpmverify rpmkeys rpmsign rpmbuild", "text*",
         "-E,--eval=rpm-macro --pipe=escape -D,--define=rpm-macro "
         "--root,--dbpath,--rcfile,--macros,--qf,--queryformat=text", special="rpm-own"),
    spec("cpan cpanm cpanp", "text*", "-M,-j=text", special="orders", opaque="installing runs code of the packages"),
    spec("easy_install", "pypi-package*", opaque="installing runs code of the packages"),
    spec("cowsay cowthink", "text*", "-f=cow -e,-T,-W=text"),
    spec("facter", "text*", "--custom-dir,--external-dir=script -c,--config=read",
         opaque="runs the facts that its set-up names"),
    spec("gtester", "script*", "-o=write -k,-q=:keep", opaque="runs what it is given"),
    spec("cobc", "read*", "-o=write -x,-F,-j=:keep", opaque="compiles, and with -j runs"),
    spec("cabal", "text*", special="after-word", opaque="runs what its build file says"),
    spec("forge cast anvil", "text*", "--use=escape --build-info-path=write",
         opaque="runs what its build file says"),
    spec("snapcraft opkg ipkg pkg plymouth dstat lxd", "text*", opaque="changes this host"),
    spec("lxc incus", "text*", special="lxc"),
    spec("ctr", "text*", "--mount,--rootfs=mount", opaque="runs a container"),
    spec("certbot", "text*", "--pre-hook,--post-hook,--deploy-hook,--renew-hook,--manual-auth-hook,"
         "--manual-cleanup-hook=escape --config-dir,--work-dir,--logs-dir=write -d,-m,-n=text",
         opaque="reaches an authority"),
    spec("needrestart", "text*", "-c=script -l,-m,-n,-r,-u=text"),
    spec("procmail", "text*", "-m=script", style="posix"),
    spec("run-mailcap see view-mailcap print-mailcap compose-mailcap edit-mailcap", "path-if*", "--action=text"),
    spec("rtorrent transmission-cli", "text*", "-O,-o=execute -i,-p=text -n=:keep", opaque="opens connections"),
    spec("virsh", "text*", "-c,--connect=text", special="virsh"),
    spec("vigr", special="accounts"),
    # What listens, and what sends.
    spec("ab httperf wrk hey siege", "url*", "-p,-u,-T-file=upload -n,-c,-t,-T,-H,-C,-A,-v,-d,-m,-i=text "
         "-o,-g,-e=write"),
    spec("apache2 httpd apache2ctl apachectl", "text*", "-f=server-conf -c,-C=apache -d,-D,-k,-e,-E=text",
         opaque="runs what its set-up says"),
    spec("nginx", "text*", "-c=server-conf -p,-e=write -g,-s=text", opaque="runs what its set-up says"),
    spec("mosquitto dnsmasq rsyslogd haproxy squid lighttpd caddy unbound named", "text*",
         "-c,-C,-f,--config=read --conf-script=escape -p,-d,-n=text",
         opaque="runs what its set-up says"),
    spec("dhclient udhcpc", "text*", "-sf,-s=escape -cf=read -lf,-pf=write", style="long"),
    spec("openvpn", "text*", "--config,--secret,--ca,--cert,--key,--auth-user-pass,--tls-auth,--askpass=read "
         "--up,--down,--ipchange,--route-up,--tls-verify,--client-connect=escape --plugin=library "
         "--dev,--script-security,--remote-cert-tls,--proto=text --remote=host", style="long"),
    spec("lwp-download lwp-request lwp-mirror GET POST HEAD", "url*", "-m=text -o=write", out="network"),
    spec("alpine pine elm", "text*", "-F,-f,-p,-I=path-if"),
    spec("ntpdate", "host*", "-k=read -a,-e,-p,-t,-o=text"),
    spec("rlogin rsh rexec", "host text*", "-l=sent -p=text", special="talk"),
    spec("socket", "host text", "-p=escape -s,-v,-q,-l,-b,-c,-f,-r=:keep", special="socket"),
    spec("efax fax", "path-if*", "-d=read"),
    spec("tailscale zerotier-cli", "text*", special="sends", opaque="opens this host to the outside"),
    spec("urlget fetch lwp", "url*", "-o=write", out="network"),
    spec("bridge", "text*", "-b,-batch=read -c,-o=text", style="long"),
    spec("dotnet", "text*", "--use,--load=script -o,--output=write", special="dotnet", opaque="runs code of the "
         "project"),
    spec("rustdoc", "read*", "-o,--out-dir=write --edition,--emit=text"),
    spec("systemd-resolve", "text*"),
    spec("ksshell", "text*", "-i=read -o=write"),
    spec("xdg-mime xdg-settings", "text*"),
    spec("ansible-console", "text*", special="opens"),
    spec("buildah", style="none", special="buildah"),
    spec("cmake cmake3", style="none", special="cmake"),
    spec("cvs", "text*", "-d=cvs-root -e=escape -z,-m,-r=text"),
    spec("dpkg-deb", style="none", special="dpkg-deb"),
    spec("gs ghostscript gsc gsbj", "read*", "-c=order -f=:keep", special="ghostscript"),
    spec("htpasswd htdigest", "write text*", "-n=:noargs -C,-s=text -b,-c,-i,-m,-B,-d,-p,-D,-v=:keep"),
    spec("pssh parallel-ssh pscp prsync pslurp pnuke", "text*", "-H,--host=host -h,--hosts=read -x,-X,-O,-l,-p,-t=text "
         "-o,-e,--outdir,--errdir=write", flags="upload"),
    spec("hg", "text*", "--config=hg-config -m,--message,-r,--rev,-u,--user,-b,-d=text "
         "-R,--repository,--cwd=chdir -l=read",
         opaque="another version control system"),
)  # fmt: skip
