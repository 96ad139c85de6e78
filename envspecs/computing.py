"""What the engines of an environment compute on, and with what numbers: the part of a spec that says it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from protocol.errors import SchemaError
from protocol.stages import STAGES

__all__ = ["GIBIBYTE", "ByMemory", "Computing", "Device", "check_computing"]

GIBIBYTE = 1 << 30

Device = Literal["cuda", "mps", "cpu", "mlx", "own"]
"""An NVIDIA GPU, Apple's GPU by torch, the processor; what MLX takes; what the engine itself takes."""
_DECIDE_BY_THEMSELVES = frozenset({"mlx", "own"})


@dataclass(frozen=True, kw_only=True)
class ByMemory:
    """What is given where there is so much memory, in GiB: of the NVIDIA GPU in use, elsewhere of the RAM.

    A bound of 0 is none. Memory of unknown size fits no row.
    """

    gpu_from_gib: float = 0.0
    gpu_below_gib: float = 0.0
    ram_from_gib: float = 0.0
    ram_below_gib: float = 0.0
    compute_type: str = ""
    batch_sizes: dict[str, int] = field(default_factory=dict)
    """By stage."""

    @property
    def of_gpu(self) -> bool:
        """Return whether the bounds are those of a GPU's memory."""
        return bool(self.gpu_from_gib or self.gpu_below_gib)

    @property
    def below_bytes(self) -> int:
        """Return the upper bound; 0: none."""
        return round((self.gpu_below_gib or self.ram_below_gib) * GIBIBYTE)

    def fits(self, memory_bytes: int) -> bool:
        """Return whether so much memory, of the GPU or the RAM, is in the bounds; 0: it is not known."""
        least = (self.gpu_from_gib or self.ram_from_gib) * GIBIBYTE
        return 0 < memory_bytes >= least and not (self.below_bytes and memory_bytes >= self.below_bytes)


@dataclass(frozen=True, kw_only=True)
class Computing:
    """What engines compute on. Nothing said: on the processor alone, with the numbers that they choose."""

    devices: tuple[Device, ...] = ("cpu",)
    """Those that they can compute on, the best first; `mlx` and `own` stand alone."""
    compute_types: dict[str, str] = field(default_factory=dict)
    """By device, the numbers that they compute with; a device that is not named: what they choose."""
    by_memory: tuple[ByMemory, ...] = ()
    """What goes before that, and sizes of batches: the first row that fits and says it."""
    chooses_the_same: bool = False
    """Told nothing, they choose these devices and compute types by themselves where there is no NVIDIA GPU.

    They are told nothing there then, and the keys of finished steps stay as they are.
    """
    threads: int = 0
    """Threads that they gain from, at most; 0: as many as there are cores. A worker's stages share them."""


def check_computing(computing: Computing, path: str, stages: Collection[str]) -> None:
    """Raise `SchemaError`, with the key's path, for what cannot be; `stages` are those it is said of."""
    devices = computing.devices
    if len(set(devices)) != len(devices) or not devices:
        raise SchemaError(f"{path}.devices", "names each device once, and at least one")
    alone = _DECIDE_BY_THEMSELVES.intersection(devices)
    if alone and len(devices) > 1:
        raise SchemaError(f"{path}.devices", f"{min(alone)!r} stands alone: its engine decides by itself")
    for device, name in computing.compute_types.items():
        if device in alone or device not in devices or not name:
            raise SchemaError(f"{path}.compute_types.{device}", "is not a device of it with a compute type")
    if computing.compute_types:
        _check_taken("compute_type", stages, f"{path}.compute_types")
    if computing.threads < 0:
        raise SchemaError(f"{path}.threads", "is not 0 or more")
    for index, row in enumerate(computing.by_memory):
        _check_row(row, computing, f"{path}.by_memory[{index}]", stages)


def _check_row(row: ByMemory, computing: Computing, path: str, stages: Collection[str]) -> None:
    if row.of_gpu == bool(row.ram_from_gib or row.ram_below_gib):
        raise SchemaError(path, "needs bounds of either the GPU's memory or the RAM: gpu_below_gib = 6")
    if row.of_gpu and "cuda" not in computing.devices:
        raise SchemaError(path, "speaks of an NVIDIA GPU, and cuda is none of its devices")
    _check_bounds(row, path)
    if not row.compute_type and not row.batch_sizes:
        raise SchemaError(path, "gives nothing: neither compute_type nor batch_sizes")
    if row.compute_type:
        _check_taken("compute_type", stages, f"{path}.compute_type")
    for stage, number in row.batch_sizes.items():
        if stage not in stages:
            raise SchemaError(f"{path}.batch_sizes.{stage}", f"is not one of {', '.join(stages)}")
        _check_taken("batch_size", [stage], f"{path}.batch_sizes.{stage}")
        if number < 1:
            raise SchemaError(f"{path}.batch_sizes.{stage}", f"{number} is not 1 or more")


def _check_bounds(row: ByMemory, path: str) -> None:
    for kind in ("gpu", "ram"):
        least, below = (f"{kind}_{bound}_gib" for bound in ("from", "below"))
        for name in (least, below):
            if not 0 <= getattr(row, name) < math.inf:
                raise SchemaError(f"{path}.{name}", "is not a number of GiB, 0 or more")
        if 0 < getattr(row, below) <= getattr(row, least):
            raise SchemaError(f"{path}.{below}", f"is not more than {least}")


def _check_taken(name: str, stages: Iterable[str], path: str) -> None:
    """Refuse what no stage of these is ever given."""
    if not any(STAGES[stage].takes(name) for stage in stages):
        raise SchemaError(path, f"no stage of it takes a {name}")
