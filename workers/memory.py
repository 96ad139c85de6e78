"""How much memory this process uses, and when that is too much."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import inspect
import logging
import os
import resource
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.hardware import model_factor

__all__ = [
    "MEGABYTE",
    "OVER",
    "Budget",
    "Meter",
    "Need",
    "is_worn_out",
    "model_factor",
    "over_ram",
    "over_vram",
]

MEGABYTE = 1_000_000
OVER = 1.1
"""A process without any model is replaced where it uses more than its budget times this."""

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the worker's process may use. 0 means: no limit."""

    ram_bytes: int = 0
    """Resident memory."""
    vram_bytes: int = 0
    """Memory of the GPU."""
    idle_s: float = 0.0
    """A model that nobody used for so long is unloaded."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """The memory that loading a model needs: an estimate, or what it needed the last time."""

    ram_bytes: int = 0
    vram_bytes: int = 0


def over_ram(budget: Budget, resident: int, coming: int) -> str:
    """Return why models must be unloaded from RAM; empty where `resident` and `coming` fit. Pure."""
    return _over(budget.ram_bytes, resident, coming, "resident")


def over_vram(budget: Budget, used: int, coming: int) -> str:
    """Return the same for the memory of the GPU."""
    return _over(budget.vram_bytes, used, coming, "on the GPU")


def _over(budget: int, used: int, coming: int, where: str) -> str:
    if not budget or used + coming <= budget:
        return ""
    more = f" and {_mb(coming)} to come" if coming else ""
    return f"{_mb(used)} {where}{more}, the budget is {_mb(budget)}"


def _mb(amount: int) -> str:
    return f"{amount / MEGABYTE:.0f} MB"


def is_worn_out(budget: Budget, resident: int, libraries: int) -> bool:
    """Return whether a process that holds no model must be replaced. Pure.

    It must where it uses a tenth more than its budget, and a tenth more than its `libraries` used when it was
    ready: where the libraries alone are over the budget, a new process would use no less.
    """
    limit = budget.ram_bytes
    return bool(limit) and resident > OVER * limit and resident > OVER * libraries


class Meter:
    """Measures the memory of this process, and returns freed memory to the system."""

    def resident(self) -> int:
        """Return the bytes of RAM in use, as the kernel counts them, with shared libraries."""
        statm = Path("/proc/self/statm")
        if statm.exists():
            return int(statm.read_text().split()[1]) * resource.getpagesize()
        if sys.platform == "darwin":
            return _resident_on_darwin()
        return _peak_of_life()

    def peak(self) -> int:
        """Return the most bytes in use since `forget_peak`, where the kernel tells it (Linux)."""
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return self.resident()
        found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(next(found, "0")) * 1024 or self.resident()

    def forget_peak(self) -> None:
        """Start to measure a new peak."""
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            log.debug("the peak cannot be reset on this machine")

    def device(self) -> int:
        """Return the bytes that torch uses on the GPUs, without those of other libraries."""
        torch = _cuda()
        if torch is None:
            return 0
        return sum(int(torch.cuda.memory_reserved(number)) for number in range(torch.cuda.device_count()))

    def forget_frames(self) -> None:
        """Drop the variables of functions that have ended.

        A library may keep an error, such as that of an import that it does not need, and with it all frames
        above: an engine that imports such a library in a call would keep the call's model for ever.
        """
        for candidate in gc.get_objects():
            # A generator that waits has not ended: to clear its frame would close it.
            if isinstance(candidate, types.FrameType) and not candidate.f_code.co_flags & _GENERATORS:
                with contextlib.suppress(RuntimeError):  # it is running
                    candidate.clear()

    def give_back(self) -> None:
        """Collect garbage, and let the allocators return free memory to the system."""
        gc.collect()
        torch = _cuda()
        if torch is not None:
            torch.cuda.empty_cache()
        mps = getattr(sys.modules.get("torch"), "mps", None)
        if mps is not None and sys.platform == "darwin":
            mps.empty_cache()
        metal = sys.modules.get("mlx.core")
        if metal is not None:
            metal.clear_cache()
        _trim()


def _cuda() -> Any:
    """Return torch if an engine already computes on a GPU with it: to ask must not start CUDA."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # None while another thread still imports it
    return torch if cuda is not None and cuda.is_initialized() else None


def _trim() -> None:
    """Let the C library return free pages: a freed model would stay in its arenas."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # glibc
        library.malloc_trim(0)
    elif hasattr(library, "malloc_zone_pressure_relief"):  # macOS
        library.malloc_zone_pressure_relief(None, ctypes.c_size_t(0))


def _peak_of_life() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _RusageInfo(ctypes.Structure):
    """`struct rusage_info_v0` of macOS's <sys/resource.h>, as far as it is needed."""

    _fields_ = [
        ("uuid", ctypes.c_uint8 * 16),
        ("times_and_faults", ctypes.c_uint64 * 5),
        ("wired_size", ctypes.c_uint64),
        ("resident_size", ctypes.c_uint64),
        ("phys_footprint", ctypes.c_uint64),
        ("life", ctypes.c_uint64 * 2),
    ]


def _resident_on_darwin() -> int:
    info = _RusageInfo()
    ask = getattr(ctypes.CDLL(None), "proc_pid_rusage", None)
    if ask is None or ask(os.getpid(), 0, ctypes.byref(info)) != 0:
        return _peak_of_life()
    return int(info.resident_size)
