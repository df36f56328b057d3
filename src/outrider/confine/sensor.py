"""The optional sensor for root: whether it can be had here, and how it is compiled.

It is no part of an installation: nothing needs it, and it is built where clang and libbpf are. What it is made of lies
beside this file: ``sensor.bpf.c`` for the kernel, ``sensor.c`` for what puts it there.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Final

from outrider.errors import RefusedError, UnavailableError

PLACE: Final = Path("/usr/local/libexec/outrider/outrider-sensor")
"""Where it is looked for: only root writes there."""

BTF: Final = Path("/sys/kernel/btf/vmlinux")
HAVE_IT: Final = "apt-get install clang libbpf-dev (Debian), dnf install clang libbpf-devel (Fedora)"
_HERE = Path(__file__).parent
_TARGETS = {"x86_64": "x86", "aarch64": "arm64"}
_PROBE_S = 20


def cannot() -> str:
    """Return why this machine's kernel takes no sensor, as far as that shows without trying; empty if it may."""
    if platform.system() != "Linux":
        return "this is not Linux"
    if platform.machine() not in _TARGETS:
        return f"the sensor knows {' and '.join(_TARGETS)}, and this is {platform.machine()}"
    if not BTF.exists():
        return f"this kernel does not describe itself ({BTF} is not there)"
    try:
        inside = not Path("/proc/self/ns/pid").readlink().name.endswith("[4026531836]")
    except OSError:
        inside = False
    return "this is a process namespace of its own: the kernel's ids are others" if inside else ""


def lacking() -> str:
    """Return what the machine lacks to compile the sensor; empty if nothing that shows beforehand."""
    if _clang() is None:
        return "clang is not there"
    if (compiler := _compiler()) is None:
        return "there is no C compiler"
    header = [compiler, "-E", "-include", "bpf/libbpf.h", "-x", "c", os.devnull]
    if subprocess.run(header, capture_output=True, check=False).returncode:
        return "libbpf's headers are not there"
    return ""


def build(target: Path) -> None:
    """Compile the sensor into one program.

    Raises:
        UnavailableError: Something is missing, or does not compile; says what to install.
    """
    if why := (cannot() if platform.machine() not in _TARGETS else "") or lacking():
        raise UnavailableError(f"the sensor cannot be compiled here: {why}", fix=f"Install it: {HAVE_IT}.")
    with tempfile.TemporaryDirectory(prefix="outrider-sensor-") as name:
        made = Path(name)
        inside, header, program = made / "sensor.bpf.o", made / "sensor.object.h", made / "outrider-sensor"
        machine = f"-D__TARGET_ARCH_{_TARGETS[platform.machine()]}"
        _run(
            [str(_clang()), "-O2", "-g", "-target", "bpf", machine, *_includes(), "-c", _source("bpf.c"), "-o", inside]
        )
        values = ",".join(map(str, inside.read_bytes()))
        header.write_text(f"static const unsigned char sensor_object[] __attribute__((aligned(8))) = {{{values}}};\n")
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{made}", f"-I{_HERE}"]
        _run([str(_compiler()), *flags, _source("c"), "-lbpf", "-lelf", "-lz", "-o", program])
        try:
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            shutil.copyfile(program, part)
            part.chmod(0o755)
            part.replace(target)  # In one step: it may be running.
        except OSError as error:
            fix = "Run it as root, or say another place: --to FILE."
            raise UnavailableError(f"{target} cannot be written: {error.strerror}", fix=fix) from error


def probe(program: Path) -> str:
    """Put a compiled sensor into the kernel and take it out again; return why that failed, empty if it did not."""
    try:
        done = subprocess.run([program, "--probe"], capture_output=True, text=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    said = " ".join(done.stderr.split())
    return (said or f"it ended with status {done.returncode}")[:300] if done.returncode else ""


def trusted(program: Path) -> None:
    """Refuse a program that somebody other than root and whoever runs this could put another in the place of.

    Raises:
        UnavailableError: It is not there.
        RefusedError: It, or a directory above it, is another's or can be written by everybody.
    """
    if not os.access(program, os.X_OK):
        raise UnavailableError(f"there is no sensor at {program}", fix="Compile it: `sudo outrider sensor build`.")
    real = program.resolve()
    for path in (real, *real.parents):
        facts = path.stat()
        sticky = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
        if facts.st_uid not in {0, os.geteuid()} or (facts.st_mode & 0o022 and not sticky):
            fix = f"Keep it where only root writes: `sudo outrider sensor build` puts it into {PLACE}."
            raise RefusedError(f"others could replace the sensor: they can write {path}", fix=fix)


def _clang() -> str | None:
    versions = (f"clang-{number}" for number in range(22, 10, -1))
    return next((found for name in ("clang", *versions) if (found := shutil.which(name))), None)


def _compiler() -> str | None:
    return next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)


def _includes() -> list[str]:
    """Return where a system keeps ``asm/types.h`` if that depends on its machine: Debian's directories do."""
    name = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    return [f"-I/usr/include/{name}"] if Path(f"/usr/include/{name}").is_dir() else []


def _source(kind: str) -> Path:
    return _HERE / f"sensor.{kind}"


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        wrong = next((line for line in done.stderr.splitlines() if "error" in line or "cannot find" in line), "failed")
        raise UnavailableError(f"the sensor does not compile here: {wrong[:300]}", fix=f"Install it: {HAVE_IT}.")
