"""What this machine has: processor, memory, GPUs. Detected once a day and start, kept in the state directory.

A bare Python runs it: what the system itself says is read, and nothing is imported or started on a GPU.
"""

from __future__ import annotations

import contextlib
import csv
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from envspecs.builds.installed import build_state
from envspecs.layout import specs_directory, state_directory
from envspecs.spec import EnvSpec, read_all
from protocol.artefacts import read_json_as, write_json
from protocol.clock import now_iso, since_iso_ms
from protocol.errors import CpwError, SchemaError
from protocol.hardware import CudaDevice, Hardware
from protocol.schema import to_plain

__all__ = ["ASK_S", "CACHE", "Machine", "detect", "known", "output_of", "ram_bytes", "usable_cores"]

CACHE = "hardware.json"
_VERSION = 1
_STALE_MS = 24 * 3_600_000
ASK_S = 10.0
"""nvidia-smi takes seconds where the driver sleeps, and for ever where it is broken."""
_UNLIMITED = 1 << 60
"""cgroup v1 says `no limit` by a number near 2^63."""
_MEBIBYTE = 1 << 20
_LINES = re.MULTILINE

Run = Callable[[Sequence[str]], str]


def output_of(command: Sequence[str]) -> str:
    """Return what the command writes; empty where it is not there, fails, or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, timeout=ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What detection asks, so that a test can play another machine."""

    root: Path = Path("/")
    """Above `proc` and `sys`."""
    system: str = platform.system()
    machine: str = platform.machine()
    host: str = platform.node()
    run: Run = output_of
    cores: int = 0
    """0: ask the system."""
    visible: str | None = field(default_factory=lambda: os.environ.get("CUDA_VISIBLE_DEVICES"))


@dataclass(frozen=True, kw_only=True)
class _Cache:
    """The file; one of another version, boot, host or choice of GPUs is not believed."""

    version: int
    host: str
    boot: str
    visible: str | None
    at: str
    hardware: Hardware


def known(
    *, refresh: bool = False, state: Path | None = None, root: Path | None = None, here: Machine | None = None
) -> Hardware:
    """Return the machine's hardware: out of the file where that is fresh, else detected and written there.

    A file that is missing, damaged or stale is made anew; a folder that cannot be written is no error.
    """
    here = here or Machine()
    path = (state or state_directory(root)) / CACHE
    cache = None if refresh else _read(path)
    if cache is None or not _is_fresh(cache, here):
        cache = _Cache(
            version=_VERSION,
            host=here.host,
            boot=_boot(here),
            visible=here.visible,
            at=now_iso(),
            hardware=detect(here),
        )
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, to_plain(cache))
    # An environment can be built at any time, and the next start can have other cores: this is asked anew.
    return replace(cache.hardware, mlx=_mlx(cache.hardware, root), cores=usable_cores(here))


def _read(path: Path) -> _Cache | None:
    try:
        cache = read_json_as(_Cache, path)
        since_iso_ms(cache.at)
    except (OSError, ValueError, OverflowError, SchemaError):
        return None
    return cache


def _is_fresh(cache: _Cache, here: Machine) -> bool:
    same = (cache.version, cache.host, cache.boot, cache.visible) == (
        _VERSION,
        here.host,
        _boot(here),
        here.visible,
    )
    # A clock that was set back makes the file seem new; the boot and the host are still compared.
    return same and since_iso_ms(cache.at) < _STALE_MS


def _boot(here: Machine) -> str:
    if here.system == "Darwin":
        return here.run(["sysctl", "-n", "kern.boottime"]).strip()
    return _text(here.root / "proc/sys/kernel/random/boot_id").strip()


def detect(here: Machine | None = None) -> Hardware:
    """Return what the machine has; what it does not say is left empty, never an error."""
    here = here or Machine()
    apple = here.system == "Darwin" and here.machine == "arm64"
    return Hardware(
        platform=here.system,
        machine=here.machine,
        cpu=_cpu(here),
        cores=usable_cores(here),
        ram_bytes=ram_bytes(here),
        cuda=_cuda(here),
        mps=apple,
    )


def _mlx(hardware: Hardware, root: Path | None) -> str:
    if hardware.mps:
        return "metal"
    try:
        computing = [spec for spec in read_all(specs_directory(root)) if _computes_by_mlx(spec)]
        built = any(build_state(spec, root) != "missing" for spec in computing)
    except CpwError:
        return ""
    return "cpu" if built else ""


def _computes_by_mlx(spec: EnvSpec) -> bool:
    return any("mlx" in spec.computing_of(stage).devices for stage in spec.stages)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cpu(here: Machine) -> str:
    if here.system == "Darwin":
        return here.run(["sysctl", "-n", "machdep.cpu.brand_string"]).strip()
    found = re.search(
        r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", _text(here.root / "proc/cpuinfo"), _LINES
    )
    return " ".join(found[1].split()) if found else ""


def usable_cores(here: Machine | None = None) -> int:
    """Return how many cores this process may keep busy: its affinity, and the control group's quota."""
    here = here or Machine()
    if here.cores:
        return here.cores
    if here.system == "Linux" and hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min([allowed, *_quotas(here)]))


def _quotas(here: Machine) -> list[int]:
    found = []
    for folder in _groups(here, "cpu"):
        quota, period = (*_text(folder / "cpu.max").split(), "", "")[:2]
        if not quota:
            quota, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us")
        with contextlib.suppress(ValueError, ZeroDivisionError):
            if int(quota) > 0:
                found.append(-(-int(quota) // int(period)))
    return found


def ram_bytes(here: Machine | None = None) -> int:
    """Return the machine's RAM, or the control group's limit where that is less; 0 where nobody says."""
    here = here or Machine()
    if here.system == "Darwin":
        return _number(here.run(["sysctl", "-n", "hw.memsize"]))
    found = re.search(r"^MemTotal:\s*(\d+) kB", _text(here.root / "proc/meminfo"), _LINES)
    amounts = [int(found[1]) * 1024] if found else []
    for folder in _groups(here, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(_text(folder / name))
            if 0 < limit < _UNLIMITED:
                amounts.append(limit)
    return min(amounts, default=0)


def _number(word: str) -> int:
    word = word.strip()
    return int(word) if word.isdecimal() else 0


def _groups(here: Machine, controller: str) -> list[Path]:
    """Return the folders of this process's control groups, of version 2 and 1, with all above them."""
    mount = here.root / "sys/fs/cgroup"
    found: list[Path] = []
    for line in _text(here.root / "proc/self/cgroup").splitlines():
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if controllers and controller not in controllers.split(","):
            continue
        base = mount / controllers if controllers else mount
        if not base.is_dir():
            base = mount / controller
        # In a container the group's own folder is often mounted as the root.
        folder = base / place.lstrip("/")
        found += [
            ancestor
            for ancestor in (folder, *folder.parents)
            if ancestor.is_relative_to(base) and ancestor.is_dir()
        ]
    return found


def _cuda(here: Machine) -> tuple[CudaDevice, ...]:
    """Return the NVIDIA GPUs that workers can see, as `nvidia-smi` tells; none where there is none of it."""
    ask = ["nvidia-smi", "--query-gpu=uuid,memory.total,name", "--format=csv,noheader,nounits"]
    rows = [[word.strip() for word in row] for row in csv.reader(here.run(ask).splitlines())]
    rows = [row for row in rows if len(row) >= 3 and row[0].startswith("GPU-")]
    return tuple(
        CudaDevice(index=index, name=", ".join(row[2:]), memory_bytes=_number(row[1]) * _MEBIBYTE)
        for index, row in enumerate(_visible(rows, here.visible))
    )


def _visible(rows: list[list[str]], visible: str | None) -> list[list[str]]:
    """Return the GPUs that `CUDA_VISIBLE_DEVICES` leaves, in its order, up to the first unknown word.

    nvidia-smi counts by the bus, as CUDA does with `CUDA_DEVICE_ORDER=PCI_BUS_ID`; GPUs of several kinds in
    one machine may be counted otherwise without it.
    """
    if visible is None:
        return rows
    left = []
    for word in (part.strip() for part in visible.split(",")):
        if word.isdecimal() and int(word) < len(rows):
            left.append(rows[int(word)])
            continue
        named = [row for row in rows if word.startswith("GPU-") and row[0].startswith(word)]
        if len(named) != 1:
            break
        left += named
    return left
