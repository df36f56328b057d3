"""Files and folders: look, copy, move, delete, pack. Sources: POSIX XCU, GNU coreutils, findutils and tar manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_RECURSIVE = "-r,-R,--recursive=:recursive"
_COPY = (
    "-t,--target-directory=target -r,-R,-a,--recursive,--archive=:recursive -f,--force=:forced -S,--suffix=text "
    "--backup=:keep --preserve=:keep --no-preserve=text -T,--no-target-directory=:keep"
)

TABLE = (
    spec("rev tac", "read*", "-s=text -b,-r=:keep", special="turned", out="pass"),
    spec("cat nl expand unexpand fmt fold", "read*", "-w,-s,-t,-v,-i,-l,-b,-n=:keep", out="pass"),
    spec("bat batcat", "read*", "--pager=shell -l,--language,--style,--theme,-r,--line-range,-H=text", out="file"),
    spec("head tail", "read*", "-n,--lines,-c,--bytes,--pid,-s,--sleep-interval=text", out="pass"),
    spec("less more most pg zless zmore xmore lesspipe bzmore bzless xzless xzmore", "read*", "-p,-P,-t,-x,-j=text "
         "-o,-O,--log-file=write -k,--lesskey-file,--lesskey-src=read", out="pass", special="pager"),
    spec("zcat gzcat bzcat xzcat zstdcat lzcat", "read*", out="decoded"),
    spec("ls dir vdir exa eza lsd", "names*", "-I,--ignore,-w,--width,-T,--tabsize,--block-size,--time-style,--color,"
         "--sort,--time,--format,--hide,--level,-L=text -R,--recursive=:recursive", default="names", out="paths"),
    spec("tree", "walk*", "-L,-P,-I,-H,--filelimit,--charset,--gitfile=text -o=write", default="walk", out="paths"),
    spec("du", "walk*", "-d,--max-depth,-B,--block-size,-t,--threshold,--exclude,--time-style=text "
         "-X,--exclude-from,--files0-from=read", default="walk", out=""),
    spec("df", "text*", "-B,--block-size,-t,--type,-x,--exclude-type,--output=text"),
    spec("file", "read*", "-f,--files-from,-m,--magic-file=read -F,--separator,-P,-e=text"),
    spec("cksum sum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum b3sum md5 shasum", "read*",
         "-a,--algorithm=text -c,--check=:keep"),
    spec("stat wc",
         "read*", "-c,--format,--printf,-a,--algorithm=text -f=text -F,-m=text --files0-from=read", out=""),
    spec("readlink realpath", "text*", "--relative-to,--relative-base=text", special="realpath"),
    spec("dirname basename", "text*", "-s,--suffix=text", special="dirname"),
    spec("cp gcp", "read+ write", f"{_COPY} -s,-l,--symbolic-link,--link=:link", special="copy"),
    spec("mv gmv", "move+ write", _COPY, special="copy"),
    spec("install ginstall", "read+ write", "-t,--target-directory=target -m,--mode,-o,--owner,-g,--group,-S=text "
         "-d,--directory=:create", special="install"),
    spec("ln link", "read+ write", "-t,--target-directory=target -f,--force=:forced -S,--suffix=text "
         "-s,--symbolic=:link", special="ln"),
    spec("rm grm", "delete*", "-r,-R,--recursive=:recursive -f,--force=:forced -d,--dir=:keep"),
    spec("rmdir", "delete*", "-p,--parents=:keep"),
    spec("unlink", "delete"),
    spec("shred srm wipe", "delete*", "-n,--iterations,-s,--size,--random-source=text -u,--remove,-f=:forced"),
    spec("trash trash-put gio-trash rimraf del-cli", "delete*", "-r,-R=:recursive"),
    spec("mkdir gmkdir", "write*", "-m,--mode,-Z,--context=text -p,--parents=:keep"),
    spec("touch", "write*", "-d,--date,-t,--time=text -r,--reference=read"),
    spec("truncate", "write*", "-s,--size=text -r,--reference=read"),
    spec("fallocate", "write*", "-l,--length,-o,--offset=text"),
    spec("mkfifo mknod", "write text*", "-m,--mode=text"),
    spec("chmod", "text write*", _RECURSIVE + " -f,--silent=:keep --reference=read", special="chmod"),
    spec("chattr", "text write*", "-R=:recursive", special="chmod"),
    spec("chown chgrp chcon", "text write*", _RECURSIVE + " --reference=read"),
    spec("setfacl", "write*", _RECURSIVE + " -m,-x,--modify,--remove,--set=text -M,-X,--restore=read -b,-k=:keep"),
    spec("lsattr getfacl namei", "read*", _RECURSIVE),
    spec("sponge", "write", "-a=:keep"),
    spec("tee", "write*", "-a,--append=:keep", out="pass"),
    spec("dd", style="none", special="dd"),
    spec("find gfind", style="none", special="find", out="paths"),
    spec("fd fdfind", "pattern list*", "-e,--extension,-t,--type,-d,--max-depth,-E,--exclude,-S,--size,-c,--color,"
         "--changed-within,-j=text -x,--exec,-X,--exec-batch=text", default="list", special="fd", out="paths"),
    spec("locate plocate mlocate", "text*", "-d,--database=read -n,-l,--limit=text"),
    spec("updatedb which whereis type", "text*", "-n,-l=text", special="which"),
    spec("tar gtar bsdtar", style="none", special="tar"),
    spec("zip", "write tree*", "-x,-i,-P,-b,-n,--exclude=text -d=:delete -m=:move -r=:recursive", special="zip"),
    spec("unzip", "read text*", "-d=target -x,-P=text -l,-t,-Z,-v,-p=:list", special="unzip"),
    spec("7z 7za 7zz", style="none", special="seven"),
    spec("gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 pigz compress uncompress",
         "replace*", "-S,--suffix,-T,-b=text -c,--stdout,-k,--keep=:stdout -d=:keep -r=:recursive -o=write "
         "-l,-t,--test,--list=:stdout", special="gzip"),
    spec("ar", "text write at-list*"),
    spec("cpio", "", "-D=chdir -F,-O=write -i,--extract=:keep -I=read "
         "--rsh-command=escape", special="cpio", opaque="packs what it is given"),
    spec("split "
         "csplit", "read text*", "-l,-b,-n,-a,-C,--lines,--bytes,--suffix-length,--additional-suffix,-t=text "
         "--filter=filter -f=prefix",
         special="split"),
    spec("rsync", "from+ to", "-e,--rsh=shell --exclude,--include,--filter,-f,--bwlimit,--timeout,--port,--chmod,"
         "--info,--out-format,-M,--rsync-path,-B,--max-size,--min-size=text --exclude-from,--include-from,"
         "--files-from,--password-file=read --log-file,--backup-dir,-T,--temp-dir=write --delete,--delete-before,"
         "--delete-after,--delete-during,--delete-excluded,--del,--remove-source-files=:delete "
         "-r,-a,--archive,--recursive=:recursive", special="rsync"),
    spec("mktemp", "text", "-p,--tmpdir,--suffix=text -d,--directory=:create", special="mktemp"),
    spec("sync", "text*"),
    spec("mount", "text write", "-t,-o,-L,-U=text -B,-R,--bind,--rbind,-M,--move=:recursive",
         opaque="changes what is mounted", flags="recursive"),
    spec("umount", "text*", opaque="changes what is mounted"),
    spec("mkfs mkfs.ext4 mkfs.ext3 mkfs.xfs mkfs.btrfs mkfs.vfat mkswap wipefs fdisk sfdisk parted sgdisk cfdisk",
         "write*", "-t,-L,-N,-F,-o,-n,-b=text", flags="forced"),
    spec("patch", "edit read", "-i,--input=read -o,--output=write -d,--directory=chdir -p,--strip,-F=text "
         "-r,--reject-file=write", special="patch"),
    spec("diff cmp comm colordiff sdiff diff3", "read*", "-U,-C,-W,-I,-x,--exclude,--label,-L,--color=text "
         "-o=write -X=read"),
    spec("column", "read*", "-s,-o,-c,-N,-R,-H,-E,-T,-W,-O,-n,-p,-r,-i,--separator,--table-columns=text "
         "-t,-x,-J=:keep"),
    spec("join paste", "read*", "-t,-d,-o,-s,-c,-1,-2,-j,-e,-a,-v,-N,-R=text"),
)  # fmt: skip
