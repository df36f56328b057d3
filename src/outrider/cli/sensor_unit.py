"""The sensor as a service of a whole machine: beside the daemon's, with other rights, and not needed by it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from outrider.cli.system import HOME, USER, Step, environment, quoted
from outrider.confine.sensor import PLACE

UNIT: Final = Path("/etc/systemd/system/outrider-sensor.service")
CAPABILITIES: Final = ("CAP_BPF", "CAP_PERFMON", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE")
"""What it starts with: to put programs for tracing into the kernel, and to read which file a program's name leads to.
The second is not needed any more once it listens, and let go of."""

_OUTRIDER: Final = (sys.executable, "-P", "-m", "outrider", "sensor")


def steps(users: tuple[str, ...]) -> tuple[Step, ...]:
    """Return what installing the sensor adds, in order."""
    return (
        Step(does="run", command=(*_OUTRIDER, "build"), why="the sensor is compiled, and put where only root writes"),
        Step(does="file", path=str(UNIT), mode=0o644, text=unit(users), why="the sensor as a service"),
        Step(does="run", command=("systemctl", "daemon-reload"), why="systemd reads the unit"),
        Step(does="run", command=("systemctl", "enable", "--now", UNIT.name), why="it listens now and at every boot"),
    )


def undoing() -> tuple[Step, ...]:
    """Return what takes it away again; nothing where it was never installed."""
    if not UNIT.exists():
        return (Step(does="remove", path=str(PLACE), why="no sensor, if there was one"),)
    return (
        Step(does="run", command=("systemctl", "disable", "--now", UNIT.name), why="the sensor ends"),
        Step(does="remove", path=str(UNIT), why="no service any more"),
        Step(does="remove", path=str(PLACE), why="nothing starts it any more"),
    )


def command(users: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that start it."""
    return (*_OUTRIDER, "run", *(word for name in users for word in ("--user", name)))


def unit(users: tuple[str, ...]) -> str:
    """Return the service: systemd.service(5), systemd.exec(5), capabilities(7)."""
    start = " ".join(quoted(word) for word in command(users))
    env = "".join(f"Environment={quoted(f'{name}={value}')}\n" for name, value in environment().items())
    return f"""# Written by `outrider install --system --sensor`.
[Unit]
Description=Outrider's sensor: tells the daemon what agents' processes do
After=outrider.service
PartOf=outrider.service

[Service]
Type=exec
ExecStart={start}
User={USER}
Group={USER}
{env}UMask=0077
Restart=always
RestartSec=5
LimitMEMLOCK=infinity

# It puts its own programs into the kernel and reads; it writes nowhere and refuses nothing.
AmbientCapabilities={" ".join(CAPABILITIES)}
CapabilityBoundingSet={" ".join(CAPABILITIES)}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={HOME.run}
ProtectHome=read-only
PrivateDevices=yes
PrivateNetwork=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service bpf perf_event_open

[Install]
WantedBy=multi-user.target
"""
