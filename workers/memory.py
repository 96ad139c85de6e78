"""How much memory this process takes, measured with the standard library alone; and when it is too much."""

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
"""A process without any model may be over its budget by this much before it is replaced."""

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the worker's process may take. 0 means: without limit."""

    ram_bytes: int = 0
    """Resident memory."""
    vram_bytes: int = 0
    """Memory of the GPU."""
    idle_s: float = 0.0
    """A model that was not used for so long is let go of."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What loading a model takes: the estimate of it, or what it took the last time."""

    ram_bytes: int = 0
    vram_bytes: int = 0


def over_ram(budget: Budget, resident: int, coming: int) -> str:
    """Return why models must go for RAM's sake; empty where what is and what is to come fit. Pure."""
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
    """Tell whether a process that holds no model must be replaced. Pure.

    It must where it stays over its budget and a tenth, and takes a tenth more than its `libraries` took when
    it was ready: where they alone are over the budget, a new process would be no better.
    """
    limit = budget.ram_bytes
    return bool(limit) and resident > OVER * limit and resident > OVER * libraries


# By the ending of a model's files: how much the process grows at most while it loads them, over their size.
# Measured with whisper-base and tiny.en, float16 on disk, by CTranslate2: 1.5 where they are made int8, 2.2
# where float32; loaded they take 0.7 and 2.1. The others are estimates: pickled weights are read whole and
# then copied, safetensors are mapped. Small files (vocabularies, settings) become trees of Python objects.
_FACTORS = {
    ".safetensors": 1.2,
    ".npz": 1.2,
    ".onnx": 1.5,
    ".pt": 2.0,
    ".pth": 2.0,
    ".th": 2.0,
    ".ckpt": 2.0,
}
_QUANTISED, _WHOLE = 1.5, 2.2
_SMALL_FILES = 10.0


def model_factor(name: str, compute_type: str) -> float:
    """Return by how many times its size a file of a model makes the process grow."""
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 (a name, no path)
    if ending == ".bin":
        return _QUANTISED if compute_type.startswith("int8") else _WHOLE
    return _FACTORS.get(ending, _SMALL_FILES)


class Meter:
    """Measures this process, and gives back to the system what it has freed."""

    def resident(self) -> int:
        """Return the bytes of RAM in use: as the kernel counts them, shared libraries included."""
        statm = Path("/proc/self/statm")
        if statm.exists():
            return int(statm.read_text().split()[1]) * resource.getpagesize()
        if sys.platform == "darwin":
            return _resident_on_darwin()
        return _peak_of_life()

    def peak(self) -> int:
        """Return the most that was resident since `forget_peak`, as far as the kernel tells (Linux)."""
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return self.resident()
        found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(next(found, "0")) * 1024 or self.resident()

    def forget_peak(self) -> None:
        """Begin a new peak."""
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            log.debug("the peak cannot be reset here")

    def device(self) -> int:
        """Return the bytes that torch holds of the GPUs. What another library holds is not in it."""
        torch = _cuda()
        if torch is None:
            return 0
        return sum(int(torch.cuda.memory_reserved(number)) for number in range(torch.cuda.device_count()))

    def forget_frames(self) -> None:
        """Let go of the variables of functions that have ended.

        A library that keeps an error, as of an import that it can do without, keeps all frames above it: an
        engine that imports it inside a call would hold that call's model for ever.
        """
        for candidate in gc.get_objects():
            # Those of a generator that waits to go on are not over; to clear one would close it.
            if isinstance(candidate, types.FrameType) and not candidate.f_code.co_flags & _GENERATORS:
                with contextlib.suppress(RuntimeError):  # it runs
                    candidate.clear()

    def give_back(self) -> None:
        """Collect garbage and let the allocators return to the system what is free in them."""
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
    """Return torch where an engine computes on a GPU with it already: asking must not start CUDA."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # None while another thread is still importing it
    return torch if cuda is not None and cuda.is_initialized() else None


def _trim() -> None:
    """Let the C library return free pages: a freed model stays resident in its arenas otherwise."""
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
