"""Whether packages for an NVIDIA GPU are worth installing here."""

from __future__ import annotations

import shutil
import subprocess

__all__ = ["finds_nvidia_gpu"]

_ASK_S = 10.0
"""nvidia-smi takes seconds where the driver sleeps, and for ever where it is broken."""


def finds_nvidia_gpu() -> bool:
    """Return whether the driver's own program lists a GPU; whichever of them workers may use."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        told = subprocess.run([program, "-L"], capture_output=True, timeout=_ASK_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return told.startswith(b"GPU ")
