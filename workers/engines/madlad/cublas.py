"""Whether a GPU can be computed on, in an environment without torch."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path

__all__ = ["cuda_devices", "open_cublas"]

_CUBLAS = ("libcublasLt.so.12", "libcublas.so.12")
"""In this order: the second needs the first."""


def cuda_devices() -> int:
    """Return how many CUDA devices CTranslate2 can use.

    It finds a device by the driver alone, opens cuBLAS when it first computes there, and fails where there is
    none. torch brings cuBLAS; without it, it is the package nvidia-cublas-cu12 or the system's own.
    """
    import ctranslate2

    count = int(ctranslate2.get_cuda_device_count())
    return count if count and open_cublas() else 0


@cache
def open_cublas() -> bool:
    """Open cuBLAS for this process, and return whether there is one: CTranslate2 finds what is open."""
    found = importlib.util.find_spec("nvidia")
    places = found.submodule_search_locations if found else None
    packages = [Path(place) / "cublas" / "lib" for place in places or ()]
    try:
        for name in _CUBLAS:
            inside = next((folder / name for folder in packages if (folder / name).is_file()), None)
            ctypes.CDLL(str(inside or name), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True
