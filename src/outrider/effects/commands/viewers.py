"""What prints, converts or checks a file that it is given, by an argument or by an odd option. Sources: the manuals."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_TEX = (
    "-interaction,-output-format,-jobname,-progname,-src-specials,-default-translate-file=text -output-directory=write "
    "-fmt,-translate-file,-cnf-line=text -shell-escape,--shell-escape,-enable-write18=:upload"
)
_MSG = "-o,--output-file=write -f,--files-from,-P,--properties-input,-C,--compendium=read -t,-w,--width,-p,-D=text"

TABLE = (
    # Text.
    spec("pr", "read*", "-h,--header,-D,--date-format,-o,--indent,-w,--width,-W,-l,--length,-N,-S,--sep-string=text"),
    spec("ptx", "read*", "-w,--width,-g,--gap-size,-F,-M,-S,-W,-A=text -i,--ignore-file,-o,--only-file,-b=read",
         out="file"),
    spec("ul colcrt colrm col hd ascii85 basenc base58 basez hexyl uuencode uudecode detex untex "
         "highlight source-highlight "
         "pygmentize redcarpet markdown mdcat glow kramdown asciidoctor rst2html html2ps aha ansifilter soelim "
         "zsoelim tbl "
         "eqn "
         "neqn refer chem grap mandoc ascii-xfr atobm bmtoa xmodmap "
         "flite "
         "festival "
         "zathura evince okular mupdf xpdf feh eog xpad imv sxiv mpv mplayer vlc ffplay", "read*",
         "-f=path-if -w,--wrap,-l,-O,-F,-P,-T,-m,-r,-d,-o=text -i=read", out="file"),
    spec("pic gpic troff gtroff nroff groff gnroff", "read*", "-m,-M,-F,-f,-r,-d,-n,-o,-P,-T,-w,-W,-L,-I=text",
         special="macros", out="file"),
    spec("yelp", "page*"),
    spec("espeak espeak-ng", "text*", "-f=read -w,-o=write -v,-s,-p,-a,-g,-k,-l,-t=text"),
    spec("enscript a2ps", "read*", "-o,-p,--output=write -I,--filter=escape -F,-f,-b,-M,-q,-P=text"),
    spec("ispell", "read*", "-d,-p,-w=text -f=write"),
    spec("dialog whiptail zenity kdialog "
         "Xdialog", "path-if*", "--textbox,--tailbox,--tailboxbg,--editbox,--fselect=read "
         "--file,--rc-file,--rcfile=read", style="long"),
    spec("dvips", "read*", "-o=write -f,-p,-l,-n,-t,-T,-D=text", special="dvips"),
    spec("tex pdftex luatex xetex latex pdflatex lualatex xelatex etex ptex uplatex luahbtex", "text*", _TEX,
         style="long", special="tex"),
    spec("latexmk", "text*", "-e=code -r=script -latex,-pdflatex,-lualatex,-xelatex=escape -outdir,-auxdir=write",
         style="long", opaque="runs what its build file says"),
    spec("m4", "read*", "-D,-U,-I,-d,-l=text -o=write", special="m4"),
    spec("msgattrib msgcat msgconv msguniq msgen msgcomm msgmerge msgfmt msgunfmt msgcmp", "read*", _MSG),
    spec("msgfilter msgexec", "program", "-i,--input=read -o,--output-file=write -P,--properties-input=:keep",
         style="posix"),
    spec("nasm yasm", "at-list*", "-@,-p,-P,-l,-L=read -o,-M,-MF=write -f,-F,-g,-D,-d,-I,-i,-O,-w=text",
         style="gnu"),
    spec("xmlstarlet xml", "path-if*",
         "-v,-m,-c,-u,-d,-s,-i,-a,-r,-x,-n,-N,-o,--value-of,--match,--copy-of,--update=quoted"),
    spec("xsltproc saxon", "path-if*", "-o,--output=write"),
    spec("apt-file", "text*"),
    # Files of the system and of other programs.
    spec("lastb utmpdump", "text*", "-f,--file=read -n,-t=text"),
    spec("exiftool", "path-if*", "-o=write -if,-p=code "
         "-tagsFromFile,-@,-config=read", style="long", special="exiftool"),
    spec("clamscan clamdscan", "read*", "-d,--database,-f,--file-list=read -l,--log=write --move,--copy=write"),
    spec("hashcat john", "path-if*", "-m,-a,-w,-O,--potfile-path=text -o,--outfile=write -r,--rules-file=read"),
    spec("zic", "read*", "-d=write -l,-p,-y,-L,-b=text"),
    spec("tic infocmp", "read*", "-o=write -e,-v,-w=text"),
    spec("cupsfilter", "read", "-i,-m,-o,-t,-n,-p,-P,-e,-u,-d=text"),
    spec("lp lpr", "path-if*", "-h,-H=host -d,-P,-n,-o,-t,-U,-q,-i,-#=text", special="printer"),
    spec("cancel lpstat lprm lpq", "text*", "-h=host -u,-U,-P=text", special="printer"),
    spec("xorriso osirrox", "text*", style="none", special="xorriso"),
    spec("genisoimage mkisofs", "path-if*", "-o,-output=write "
         "-sort,-path-list,-m,-graft-points,-i,-exclude-list,"
         "-b,-c=read "
         "-V,-A,-p,-P=text", style="long"),
    spec("unsquashfs mksquashfs", "path-if*", "-d,-dest=write -ef=read", style="long"),
    spec("pax", "path-if*", "-f=write -s,-o,-x,-b=text -w,-r,-v=:keep"),
    spec("arj rar unrar lha zoo unarj", style="none", special="arj"),
    spec("qpdf", "path-if*", style="long"),
    spec("csvtool", "text*", special="csvtool"),
    spec("csvkit csvlook csvcut csvgrep csvstat in2csv mlr xsv qsv", "path-if*", "-c,-d,-m,-r=text"),
    spec("dosbox", "path-if*", "-c=dos-text -conf=read", style="long", special="dosbox"),
    spec("gcore", "text*", "-o=write", opaque="copies another program's memory"),
    spec("wireshark", "path-if*", "-r=read -X=lua-option -w=write -i,-f,-Y,-k=text"),
    spec("check_cups check_memory check_raid check_statusfile check_log check_ssl_cert check_procs check_disk "
         "check_http", "path-if*", "--extra-opts,-F,--logfile=at-list "
         "--curl-bin,--grep-bin,--openssl,--file-bin,--nmap-bin,--date,--python-bin,--bc,--dig-bin=library "
         "-O,--oldlog=write "
         "-H,-p,-w,-c,-q=text"),
    spec("varnishncsa varnishlog", "text*", "-w=write -F,-g,-q,-n=text"),
    spec("volatility vol vol.py", "text*", "-f,--file=read --plugins,--plugin-dirs=library", opaque="looks into a "
         "memory image"),
    spec("scrot maim gnome-screenshot", "write", "-e,--exec=escape -d,-q,-t=text -f,--file=write",
         special="watch-screen"),
    spec("xdg-user-dir", "text*", special="xdg"),
    spec("yt-dlp youtube-dl", "url*", "-o,--output,-P,--paths=write --exec,--exec-before-download=escape "
         "--config-location,--config-locations,-a,--batch-file,--cookies,--load-info-json=read --downloader=path-if "
         "-f,--format,--proxy,-r,-u,-p=text", special="wget", out="network"),
    spec("trufflehog", "text*", default="tree"),
)  # fmt: skip
