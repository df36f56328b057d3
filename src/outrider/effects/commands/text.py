"""Text filters, and what prints. Sources: POSIX XCU, GNU grep, sed, gawk, coreutils, ripgrep and jq manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_GREP = (
    "-e,--regexp=pattern -f,--file=patterns -A,-B,-C,-m,--after-context,--before-context,--context,--max-count,-d,-D,"
    "--include,--exclude,--exclude-dir,--label,--binary-files,--color,--colour,--directories=text "
    "--exclude-from=read -r,-R,--recursive,--dereference-recursive=:recursive -l,-L,--files-with-matches=:list "
    "-c,--count=:number"
)
_RG = (
    "--pager=shell -e,--regexp=pattern -f,--file=patterns "
    "-A,-B,-C,-m,-g,--glob,--iglob,-t,--type,-T,--type-not,-j,--threads,"
    "-E,--encoding,--color,--colors,--sort,--sortr,-r,--replace,--max-depth,--maxdepth,-d,--max-filesize,-M,"
    "--max-count,--context,--type-add=text --ignore-file=read --pre=helper -l,--files-with-matches=:list "
    "--files=:files"
)

TABLE = (
    spec("grep egrep fgrep zgrep", "pattern read*", _GREP, special="grep", out="pass"),
    spec("rg ag ack ugrep", "pattern list*", _RG, special="grep", default="tree"),
    spec("git-grep", "pattern text*", _GREP, out="paths"),
    spec("sed gsed", "sed read*", "-e,--expression=sed -f,--file=sed-file -i,--in-place=:edit -l,--line-length=text "
         "-n,--quiet,-E,-r,-s,-z=:keep", special="sed"),
    spec("awk gawk mawk nawk", "awk read*", "-f,--file=awk-file -i,--include=awk-file -E,--exec=awk-file "
         "-l,--load=library -v,--assign=assign -F,--field-separator=text",
         special="awk"),
    spec("sort", "read*", "-o,--output=write -k,--key,-t,--field-separator,-S,--buffer-size,--parallel=text "
         "-T,--temporary-directory=write --files0-from=read --compress-program=helper", out="pass"),
    spec("uniq", "read write", "-f,-s,-w,--skip-fields,--skip-chars,--check-chars=text", out="pass"),
    spec("cut tr", "text*", "", special="cut"),
    spec("shuf", "read*", "-n,--head-count=text -e,--echo,-i=:noargs -o,--output=write", out="pass"),
    spec("seq nproc hostid getconf tput expr factor numfmt", "text*", "", out="number"),
    spec("bc", "read*", "-l,-q,-s,-i=:keep", out="number"),
    spec("dc", "read*", "-e,--expression=order -f,--file=read", special="orders"),
    spec("date gdate cal ncal", "text*", "-d,--date,-s,--set,-I,-D,-j,-v=text -r,--reference=read -f,--file=path-if",
         special="date"),
    spec("xxd", "read write", "-l,-c,-g,-s,-o,-len,-seek=text -d,-r=:decode -p,-ps,-i,-b,-u,-e=:keep",
         special="encoding"),
    spec("od hexdump strings base64 base32 b64", "read*", "-w,-A,-t,-N,-n,-s,-j,--wrap,-e=text "
         "-d,-D,--decode,-r=:decode -o=write -i=read", special="encoding"),
    spec("iconv", "read*", "-f,-t,--from-code,--to-code=text -o,--output=write", out="pass"),
    spec("dos2unix unix2dos", "edit*"),
    spec("jq gojq jaq", "pattern read*", "-f,--from-file=patterns --indent,-L=text --arg=text --argjson=text "
         "--slurpfile,--rawfile=text", special="jq"),
    spec("yq", "pattern read*", "-i,--inplace=:edit -o,-p,--output-format,--input-format=text"),
    spec("xmllint", "read*", "--xpath=text --output,-o=write --schema=read"),
    spec("html2text pandoc", "read*", "-o,--output=write -f,-t,--from,--to,-w,-r,--standalone=text --filter,"
         "-L,-F,--lua-filter=preload --template,--defaults,-d,-H,-A,-B,--bibliography=read"),
    spec("openssl", style="long", special="openssl"),
    spec("gpg gpg2", "read*", "--export-secret-keys,--export-secret-subkeys=secret-keys "
         "-o,--output=write -r,--recipient,-u,--local-user,--keyserver,--passphrase,--batch,"
         "--search-keys,--recv-keys=text --passphrase-file,--homedir=read --import,-d,--decrypt,"
         "--verify,--sign,-s,-e,-c=:keep"),
    spec("echo", style="none", special="echo"),
    spec("printf", style="none", special="printf"),
    spec("yes", "text*"),
    spec("vi vim nvim ex view rvim rview vimdiff gvim mvim vimx", "edit*", "-c,--cmd=ex -S,-u,-U,-i=path-if "
         "-w,-W=write -T,--servername,--remote-send=text", special="editor"),
    spec("ed red edit", "edit*", "-p=text", special="editor"),
    spec("nano pico rnano", "edit*", "-s,--speller=escape -T,-r,-o,--tabsize=text", special="editor"),
    spec("emacs emacsclient zile mg jove", "edit*", "--eval,--execute=code -l,--load,--script=script "
         "-f,-T,-d,-fn=text --insert,--file,--visit=read -nw,-Q,-q,"
         "--batch,-batch=:keep", special="editor"),
    spec("code subl micro helix hx joe jed ne gedit kate mousepad xed geany", "edit*", "-c=text -g,--goto=text",
         special="editor"),
    spec("kak", "edit*", "-e,-E=kak -f=text -n,-ro,-q=:keep", special="editor"),
    spec("look spell aspell hunspell", "text* read"),
    spec("clang-format", "read*", "-i=:edit -style,--style=text"),
    spec("envsubst", "text*", out=""),
    spec("tsort rename", "text edit*", opaque="renames by a program of its own"),
)  # fmt: skip
