"""A machine as far as it decides where models compute, and the memory that a model takes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["CudaDevice", "Hardware", "model_factor"]


@dataclass(frozen=True, kw_only=True)
class CudaDevice:
    """An NVIDIA GPU that workers can see."""

    index: int
    """Its number for the libraries: `cuda:<index>`, counted in `CUDA_VISIBLE_DEVICES` where that is set."""
    name: str
    memory_bytes: int
    """0 where the driver does not say."""


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What was found on this machine."""

    platform: str
    """`Linux`, `Darwin` ..."""
    machine: str
    """`x86_64`, `aarch64`, `arm64` ..."""
    cpu: str = ""
    """The processor's model, empty where the system does not say."""
    cores: int = 1
    """Those that this process may use."""
    ram_bytes: int = 0
    """What the machine has, or the control group's limit where that is less."""
    cuda: tuple[CudaDevice, ...] = ()
    mps: bool = False
    """Whether torch can compute on Apple's GPU."""
    mlx: str = ""
    """What MLX computes on: `metal` on Apple's processors, `cpu` where its environment is built elsewhere."""


# For the ending of a model's file: how much the process grows at most while it loads the file, over its
# size. Measured with whisper-base and tiny.en, float16 on disk, by CTranslate2: 1.5 where the numbers become
# int8, 2.2 where they become float32; the loaded models use 0.7 and 2.1. The others are estimates: pickled
# weights are read whole and then copied, safetensors are mapped. Small files (vocabularies, settings) become
# many objects of Python.
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
    """Return how much the process grows while it loads a file of a model, over the size of the file."""
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 (a name, no path)
    if ending == ".bin":
        return _QUANTISED if compute_type.startswith("int8") else _WHOLE
    return _FACTORS.get(ending, _SMALL_FILES)
