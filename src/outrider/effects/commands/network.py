"""What reaches other hosts. Sources: the manuals of curl, wget, OpenSSH, netcat, dig and their kin."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_CURL = (
    "-d,--data,--data-ascii,--data-binary=data --data-urlencode,--json=data --data-raw=sent -F,--form=form "
    "--form-string=sent "
    "-T,--upload-file=upload -X,--request=method -o,--output=write -D,--dump-header,-c,--cookie-jar,--trace,--stderr,"
    "--trace-ascii,--etag-save,--libcurl,--hsts,--alt-svc=write --output-dir=write -b,--cookie=cookie -K,--config=read "
    "-E,--cert,--key,--cacert,--netrc-file,--etag-compare,--crlfile=read --capath=read --url=url "
    "--engine=library -x,--proxy,--preproxy,--socks5,--socks5-hostname,--socks4,--doh-url=host "
    "-H,--header,--proxy-header=at-file -e,-A,-u,-m,-w,-r,-C,-y,-Y,-z,-Q,-P,-t,"
    "--user,--user-agent,--referer,--max-time,--connect-timeout,--retry,--retry-delay,--retry-max-time,--write-out,"
    "--range,--limit-rate,--interface,--resolve,--connect-to,--ciphers,--tls-max,--max-redirs,--max-filesize,"
    "--proxy-user,--oauth2-bearer,--aws-sigv4,--unix-socket,--abstract-unix-socket,--noproxy,--cert-type,--key-type,"
    "--pass,--quote,--dns-servers,--local-port,--keepalive-time,--continue-at,--time-cond,--request-target,"
    "--mail-from,--mail-rcpt,--delegation,--pinnedpubkey,--rate,--proto,--proto-default,--proto-redir,--expect100-timeout,"
    "--happy-eyeballs-timeout-ms,--parallel-max,--create-file-mode,--variable,--expand-url=text "
    "-O,--remote-name,--remote-name-all,-J=:create -G,--get,-I,--head=:get"
)
_WGET = (
    "-O,--output-document=write -o,--output-file,-a,--append-output=write -P,--directory-prefix=write "
    "-i,--input-file=read "
    "--use-askpass=escape --post-data,--body-data=sent --post-file,--body-file=upload --method=method "
    "--load-cookies,--ca-certificate,"
    "--certificate,--private-key,--config=read --save-cookies,--warc-file=write "
    "-e,--execute,-t,--tries,-T,--timeout,-w,"
    "--wait,-U,--user-agent,--header,--user,--password,--http-user,--http-password,--referer,-l,--level,-A,-R,-D,-I,-X,"
    "--accept,--reject,--domains,--exclude-domains,--include-directories,--exclude-directories,--limit-rate,-Q,--quota,"
    "--bind-address,--cut-dirs,--progress,--max-redirect,--dns-timeout,--connect-timeout,--read-timeout,--waitretry,"
    "--accept-regex,--reject-regex,--restrict-file-names,-B,--base,--default-page,--local-encoding,"
    "--secure-protocol=text "
    "-q,-nv,-c,-N,-S,-r,-p,-k,-m,-b,-v,-x,-E,-H,-L=:keep"
)

TABLE = (
    spec("curl curlie", "url*", _CURL, special="curl", out="network"),
    spec("wget wget2", "url*", _WGET, special="wget", out="network"),
    spec("aria2c axel", "url*", "-d,--dir=write -o,--out=write -i,--input-file=read -x,-s,-j,-k,--header,-n=text "
         "--on-download-complete,"
         "--on-download-error,--on-download-start,--on-download-stop,--on-download-pause,--on-bt-download-complete=escape",
         special="wget"),
    spec("http https xh xhs httpie", "text*", "-o,--output=write -a,--auth,--timeout,-s,-p,--print,-A,--session=text "
         "-d,--download=:create -f,--form,-j,-b,-h,-v=:keep", special="httpie", out="network"),
    spec("lynx links w3m elinks", "page*", "-width,-cfg,-cols,-T=text", style="long", out="network"),
    spec("scp", "from+ to", "-S=escape -o=proxy -P,-l,-c,-J,-X,-D=text -i,-F=read -r=:recursive"),
    spec("sftp", "host", "-b=script -S=escape -o=proxy -P,-l,-c,-J,-R,-B,-s=text -i,-F=read", opaque="takes its "
         "orders later"),
    spec("ftp pftp", "host text", "-N=read -o=write -P,-r,-s,-T,-u,-q=text "
         "-n,-i,-v,-p,-g,-A,-a,-4,-6=:keep", special="talk",
         opaque="takes its orders later"),
    spec("tftp ncftp telnet", "host text", "-c,-e=text -u,-p,-P=text -n=write", special="talk",
         opaque="takes its orders later"),
    spec("nc ncat netcat nc.openbsd nc.traditional", "host text", "-p,-s,-w,-q,-X,-x,-i,-T,-I,-O,-P,-V,-m,-W=text "
         "-e,--exec,-c,--sh-exec=text -l,--listen=:listen -k,-n,-u,-v,-z,-4,-6,-N,-d,-C=:keep", special="netcat"),
    spec("socat", "text text", "-t,-T,-b,-L,-l=text", special="socat"),
    spec("openssl-s_client", "text*"),
    spec("masscan zmap zgrab zgrab2 arp-scan netdiscover unicornscan sn0int fscan naabu", "host*",
         "-p,--ports,--rate,-i,-e,-B,-r,-n,-w,-l,-I,-c=text -iL,-f,--file,--excludefile=read "
         "-oG,-oX,-oJ,-oL,-oB,-o,--output-file=write", style="long", special="sweeper"),
    spec("ping ping6 traceroute tracepath arping iperf iperf3 nikto", "host*",
         "-c,-i,-w,-W,-s,-I,-t,-p,-m,-n,-l,--top-ports,--script,-f,-q,-T,-M=text -oN,-oX,-oG,-oA=write -iL=read",
         special="ping"),
    spec("nmap zenmap", "host*", "-iL,--excludefile,--datadir=read -oN,-oX,-oG,-oA,-oS=write --script,-script=nse "
         "--interactive=:listen -p,-e,-S,-g,-D,-T,-sI,--top-ports,--script-args,--exclude,--max-rate,--min-rate=text",
         style="long", special="nmap"),
    spec("hping3", "host*", "--file,-E=upload --sign,-e,-d,--data,-c,-i,-p,-s,-I=text", special="ping"),
    spec("fping", "host*", "-f,--file=read -c,-C,-i,-p,-t,-b,-B,-r=text", special="ping"),
    spec("mtr", "host*", "-F,--filename=read -c,-i,-m,-f,-P,-s,-o=text", special="ping"),
    spec("whois", "text*", "-h,--host=host -p,--port,-t,-i=text", special="lookup"),
    spec("dig host nslookup drill delv kdig dog", "text*", "-f=read -t,-p,-c,-q,-x,-b,-y,-k=text", special="lookup"),
    spec("ssh-copy-id", "host", "-i=read -o=proxy -p=text", flags="upload", special="copy-id"),
    spec("ssh-keyscan", "host*", "-t,-p,-T=text -f=read"),
    spec("ssh-keygen", "", "-f=write -t,-b,-C,-N,-P,-m,-R,-F,-E,-I,-n,-V,-O=text "
         "-D=library -l,-y,-B,-e,-i=:keep", special="keygen"),
    spec("ssh-add", "read*", "-s=library -t,-e=text -D,-d,-l,-L=:keep"),
    spec("ssh-agent", "program", "-a,-t,-E=text -s,-k,-c=:keep", style="posix"),
    spec("mosquitto_pub kcat kafkacat-pub", "text*", "-h,--host=host -f,--file=upload -m,--message=sent "
         "-t,--topic,-p,--port,-i,-q,-u,-P,-L=text -l,-s,-r,-d=:keep"),
    spec("b2 ffsend transfer-sh asciinema", "text*", "-c,--command=shell -t,-i,--title=text", special="uploads",
         opaque="talks to a service of its own"),
    spec("rclone", "text from to", "--config=read", special="rclone"),
    spec("s3cmd mc gsutil azcopy", "text from* to", "-m,-r,-R=:recursive -c=read", special="rclone"),
    spec("mail mailx sendmail mutt msmtp swaks", "text*", "--exec=escape -f,--file=path-if "
         "-s,-c,-b,-r,-S,-t,--to,--from,--server=text -a,-A,-q,"
         "-i=read --attach,--body,--data=at-list", special="mail"),
    spec("ngrok cloudflared frpc localtunnel lt bore chisel", "text*", flags="upload", special="tunnel"),
    spec("tcpdump tshark dumpcap", "text*", "-w=write -r=read -z=stats -X=lua-option "
         "-i,-c,-s,-f,-Y,-G,-W,-C,-e,-T,-B=text", special="capture"),
    spec("psql pg_dump pg_restore pg_dumpall createdb dropdb vacuumdb", "text*", "-h,--host=host -f,--file=sql-file "
         "-o,--output=write -L,--log-file=write -c,--command=sql "
         "--pager=escape -p,-U,-d,-v,-F,-R,-T,--dbname,--username,--port,-t,-n,-j=text",
         special="database"),
    spec("mysql mariadb mysqldump mariadb-dump mysqladmin", "text*", "-h,--host=host -e,--execute=sql -u,-P,-D,--user,"
         "--port,--database,-S=text --pager=escape "
         "-T,--tab=write --default-auth,--plugin-dir=library --init-command=sql -r,--result-file=write "
         "--defaults-file,--defaults-extra-file=read "
         "-p,--password=:keep",
         special="database"),
    spec("sqlite3 duckdb", "edit sql*", "-separator,-nullvalue,-newline=text -init=path-if -c,-cmd=sql -readonly=:list",
         style="long", special="sqlite"),
    spec("redis-cli valkey-cli", "text*", "--eval=read -h=host -u=url -p,-a,-n,--user,--pass=text", special="database"),
    spec("mongo mongosh mongodump mongorestore mongoexport mongoimport", "url-if text*", "--host,-h=host --uri=url "
         "-o,--out=write --file=read --eval=code --port,-u,-p,-d,-c,--db,--collection=text -f=read",
             special="database"),
)  # fmt: skip
