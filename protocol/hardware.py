"""A machine as far as it decides where models compute, and how much of it a worker is given."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cores", "CudaDevice", "Hardware"]


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


@dataclass(frozen=True, kw_only=True)
class Cores:
    """A message of the coordinator: so many cores the worker's call may keep busy from now on."""

    count: int
