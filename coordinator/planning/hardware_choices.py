"""Where a stage computes, with what numbers, how much at once: from machine and spec. Pure.

An engine is told only what it would not choose as well by itself. The reasons are given in either case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envspecs.computing import ByMemory, Computing
from envspecs.spec import EnvSpec
from protocol.hardware import CudaDevice, Hardware
from protocol.stages import STAGES
from protocol.wording import size

__all__ = ["HARDWARE_FIELDS", "Choices", "choose"]

HARDWARE_FIELDS = ("device", "compute_type", "batch_size")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Values for fields of the stage's request. What a person has set is not in it."""

    values: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    """A line for each field, decided, left to the engine, or set: `device cuda: NVIDIA H100, 80.0 GB`."""


def choose(
    stage: str,
    environment: EnvSpec,
    hardware: Hardware,
    asked: Mapping[str, Any],
    versions: Mapping[str, str] | None = None,
) -> Choices:
    """Return what the stage is given in this environment on this machine.

    `asked` holds what a person has set for the stage: it stays, and the other fields follow from it.
    `versions` are those of the environment's build (its marker): a torch that was built without CUDA finds no
    GPU. A stage that the environment does not do, or that has no such fields, is given nothing.
    """
    fields = [name for name in HARDWARE_FIELDS if STAGES[stage].takes(name)]
    if stage not in environment.stages or not fields:
        return Choices()
    asking = _Asking(
        stage=stage,
        environment=environment.name,
        computing=environment.computing_of(stage),
        hardware=hardware,
        torch=(versions or {}).get("torch", ""),
        asked=asked,
    )
    device, why = _device(asking)
    decided = {
        "device": (device, why),
        "compute_type": _compute_type(asking, device),
        "batch_size": _batch_size(asking, device),
    }
    values: dict[str, Any] = {}
    reasons = []
    for name in fields:
        value, reason = decided[name]
        if name in asked:
            reasons.append(f"{name} {asked[name]}: asked for")
            continue
        reasons.append(reason)
        if not _engines_own(asking, name, value, device):
            values[name] = value
    return Choices(values=values, reasons=tuple(reasons))


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """What the decisions are made from."""

    stage: str
    environment: str
    computing: Computing
    hardware: Hardware
    torch: str
    asked: Mapping[str, Any]

    def memory(self, device: str) -> int:
        """Return the bytes that bounds on this device speak of: the NVIDIA GPU's or the RAM; 0: not known."""
        if not _is_cuda(device):
            return self.hardware.ram_bytes
        number = device.partition(":")[2]
        index = int(number) if number.isdecimal() else 0
        cards = self.hardware.cuda
        return cards[index].memory_bytes if index < len(cards) else 0

    def rows(self, device: str) -> list[ByMemory]:
        """Return the spec's rows for so much memory as there is."""
        memory = self.memory(device)
        return [
            row for row in self.computing.by_memory if row.of_gpu == _is_cuda(device) and row.fits(memory)
        ]


def _is_cuda(device: str) -> bool:
    return device.startswith("cuda")


def _device(asking: _Asking) -> tuple[str, str]:
    """Return the device that the other fields follow from, and why it is that one."""
    if "device" in asking.asked:
        return str(asking.asked["device"]), ""
    hardware, name, devices = asking.hardware, asking.environment, asking.computing.devices
    if "mlx" in devices:
        return "auto", f"device auto: {name} chooses by itself ({hardware.mlx or 'not built here'})"
    if "own" in devices:
        return "auto", f"device auto: {name} chooses by itself"
    for device in devices:
        if device == "cpu":
            return "cpu", f"device cpu: {_why_no_gpu(asking)}"
        if device == "cuda" and hardware.cuda and not _lacks_cuda(asking):
            return "cuda", f"device cuda: {_card(hardware.cuda[0])}"
        if device == "mps" and hardware.mps:
            return "mps", "device mps: Apple's GPU"
    # Its engine refuses the call, and says what it looked for.
    return "auto", f"device auto: {_why_no_gpu(asking)}, and {name} does not compute on the processor"


def _lacks_cuda(asking: _Asking) -> bool:
    return asking.torch.endswith("+cpu")


def _why_no_gpu(asking: _Asking) -> str:
    hardware, name, devices = asking.hardware, asking.environment, asking.computing.devices
    if devices[0] == "cpu":
        return f"{name} computes on the processor"
    if hardware.cuda and "cuda" in devices:
        return f"the environment's torch {asking.torch} was built without CUDA"
    if hardware.cuda:
        return f"{name} does not compute on an NVIDIA GPU"
    if hardware.mps:
        return f"{name} does not compute on Apple's GPU"
    return "no GPU was found"


def _card(card: CudaDevice) -> str:
    return f"{card.name}, {size(card.memory_bytes)}" if card.memory_bytes else card.name


def _compute_type(asking: _Asking, device: str) -> tuple[str, str]:
    for row in asking.rows(device):
        if row.compute_type:
            return row.compute_type, f"compute_type {row.compute_type}: {_why_row(asking, row, device)}"
    plain = _plain_compute_type(asking.computing, device)
    if plain == "auto":
        return plain, "compute_type auto: the engine's own for its device"
    why = "the quickest on a processor" if device == "cpu" else "the GPU's own"
    return plain, f"compute_type {plain}: {why}"


def _plain_compute_type(computing: Computing, device: str) -> str:
    """Return what the device computes with, whatever memory there is."""
    return computing.compute_types.get("cuda" if _is_cuda(device) else device, "auto")


def _why_row(asking: _Asking, row: ByMemory, device: str) -> str:
    if row.of_gpu and row.below_bytes:
        return f"the GPU has less than {size(row.below_bytes)}"
    return f"the {'GPU' if row.of_gpu else 'machine'} has {size(asking.memory(device))} of memory"


def _batch_size(asking: _Asking, device: str) -> tuple[int, str]:
    memory = size(asking.memory(device))
    for row in asking.rows(device):
        if number := row.batch_sizes.get(asking.stage, 0):
            why = f"for a GPU with {memory}" if row.of_gpu else f"the machine has {memory} of memory"
            return number, f"batch_size {number}: {why}"
    return 0, "batch_size 0: the engine's own for its device"


def _engines_own(asking: _Asking, name: str, value: Any, device: str) -> bool:
    """Return whether the engine comes to the same by itself: it is not told then, and keys of steps stay."""
    if value in ("auto", 0):
        return True
    if asking.hardware.cuda or name == "batch_size":
        return False
    alike = asking.computing.chooses_the_same
    if name == "device":
        # Without a GPU there is one device. A library that sees Apple's GPU would take it, unless it is told.
        return alike or not asking.hardware.mps
    return alike and value == _plain_compute_type(asking.computing, device)
