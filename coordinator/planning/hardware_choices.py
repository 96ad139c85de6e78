"""Where a stage computes, with what numbers, how much at once: decided from the machine's hardware. Pure.

Only what an engine would not choose as well by itself is given it; the reasons are said in either case.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envspecs.spec import EnvSpec
from protocol.hardware import CudaDevice, Hardware
from protocol.stages import STAGES
from protocol.wording import size

__all__ = ["Choices", "choose"]

_GIBIBYTE = 1 << 30
_SMALL_GPU = 6 * _GIBIBYTE
_MIDDLE_GPU = 12 * _GIBIBYTE
_LARGE_GPU = 40 * _GIBIBYTE
_SMALL_RAM = 4 * _GIBIBYTE
_FIELDS = ("device", "compute_type", "batch_size")
_ON_MPS = frozenset({"demucs", "nllb", "indictrans2"})
"""Engines that compute on Apple's GPU by torch. The others' layers or libraries cannot, or gain nothing."""
_ON_CPU = frozenset({"bergamot"})
_OF_THEIR_OWN = frozenset({"mlx"})
_CTRANSLATE2 = frozenset({"whisperx"})

# Estimates, not measured: Whisper large takes 3.1 GB in float16, and each chunk of a batch some hundred MB
# with beam 5. Text and htdemucs take what their engines choose, but for small cards.
_BATCHES: dict[str, dict[str, int]] = {
    "asr": {"small": 4, "middle": 8, "large": 32},
    "translate": {"small": 4, "middle": 8},
    "separate": {"small": 1},
}
_BATCHES_IN_LITTLE_RAM = {"asr": 1, "translate": 2, "vad": 8}


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Fields of the stage's request with the values they are to have; those a person set are not in it."""

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
    """Return what the stage is to be given in this environment on this machine.

    `asked` holds what a person has set for the stage: it wins, and the rest follows it. `versions` are those
    of the environment's build (its marker): a torch that was built without CUDA finds no GPU. A stage that
    the environment does not serve, or without such fields, is given nothing.
    """
    known = {parameter.name for parameter in dataclasses.fields(STAGES[stage].request)}
    fields = [name for name in _FIELDS if name in known]
    served = environment.stages.get(stage)
    if served is None or not fields:
        return Choices()
    # Of `workers.engines.whisperx.asr:WhisperxAsr`; a copy of an environment has its engines.
    family = served.engine.partition(":")[0].split(".")[2:3]
    asking = _Asking(
        stage=stage,
        family=family[0] if family else "",
        hardware=hardware,
        torch=(versions or {}).get("torch", ""),
        asked=asked,
    )
    values: dict[str, Any] = {}
    reasons = []
    device, why = _device(asking)
    decided = {
        "device": (device, why),
        "compute_type": _compute_type(asking, device),
        "batch_size": _batch_size(asking, device),
    }
    for name in fields:
        value, reason = decided[name]
        if name in asked:
            reasons.append(f"{name} {asked[name]}: asked for")
            continue
        reasons.append(reason)
        if not _engines_own(asking, name, value):
            values[name] = value
    return Choices(values=values, reasons=tuple(reasons))


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """What the decisions are made from."""

    stage: str
    family: str
    hardware: Hardware
    torch: str
    asked: Mapping[str, Any]


def _device(asking: _Asking) -> tuple[str, str]:
    """Return the device that the rest follows, and why it is that one."""
    if "device" in asking.asked:
        return str(asking.asked["device"]), ""
    hardware, family = asking.hardware, asking.family
    if family in _OF_THEIR_OWN:
        return "auto", f"device auto: {family} chooses by itself ({hardware.mlx or 'not built here'})"
    if family in _ON_CPU:
        return "cpu", f"device cpu: {family} computes on the processor"
    if hardware.cuda and asking.torch.endswith("+cpu"):
        return "cpu", f"device cpu: the environment's torch {asking.torch} was built without CUDA"
    if hardware.cuda:
        return "cuda", f"device cuda: {_card(hardware.cuda[0])}"
    if hardware.mps and family in _ON_MPS:
        return "mps", "device mps: Apple's GPU"
    if hardware.mps:
        return "cpu", f"device cpu: {family} does not compute on Apple's GPU"
    return "cpu", "device cpu: no GPU was found"


def _card(card: CudaDevice) -> str:
    return f"{card.name}, {size(card.memory_bytes)}" if card.memory_bytes else card.name


def _compute_type(asking: _Asking, device: str) -> tuple[str, str]:
    if asking.family not in _CTRANSLATE2:
        return "auto", "compute_type auto: the engine's own for its device"
    if device == "cpu":
        return "int8", "compute_type int8: the quickest on a processor"
    if _grade(asking, device) == "small":
        return "int8_float16", f"compute_type int8_float16: the GPU has less than {size(_SMALL_GPU)}"
    if device.startswith("cuda"):
        return "float16", "compute_type float16: the GPU's own"
    return "auto", "compute_type auto: the engine's own for its device"


def _batch_size(asking: _Asking, device: str) -> tuple[int, str]:
    ram = asking.hardware.ram_bytes
    if device.startswith("cuda"):
        grade = _grade(asking, device)
        number = _BATCHES.get(asking.stage, {}).get(grade, 0)
        if number:
            return number, f"batch_size {number}: for a GPU with {size(_memory(asking, device))}"
    elif 0 < ram < _SMALL_RAM and asking.stage in _BATCHES_IN_LITTLE_RAM:
        number = _BATCHES_IN_LITTLE_RAM[asking.stage]
        return number, f"batch_size {number}: the machine has {size(ram)} of memory"
    return 0, "batch_size 0: the engine's own for its device"


def _memory(asking: _Asking, device: str) -> int:
    """Return the bytes of the GPU that is meant; 0 where it is not known."""
    number = device.partition(":")[2]
    index = int(number) if number.isdecimal() else 0
    cards = asking.hardware.cuda if device.startswith("cuda") else ()
    return cards[index].memory_bytes if index < len(cards) else 0


def _grade(asking: _Asking, device: str) -> str:
    """Return `small`, `middle` or `large` for a GPU, empty for one between the last two, or not known."""
    memory = _memory(asking, device)
    if not memory:
        return ""
    if memory < _SMALL_GPU:
        return "small"
    if memory < _MIDDLE_GPU:
        return "middle"
    return "large" if memory >= _LARGE_GPU else ""


def _engines_own(asking: _Asking, name: str, value: Any) -> bool:
    """Tell whether the engine comes to the same by itself, and is left to: a job's keys stay as they were."""
    if value in ("auto", 0):
        return True
    if asking.hardware.cuda:
        return False
    # Where torch finds Apple's GPU by itself, an engine that cannot use it must be told.
    told = name == "device" and asking.hardware.mps and asking.family not in _CTRANSLATE2 | _ON_CPU
    return not told and name != "batch_size"
