"""How many workers an environment has, which GPU each sees, and its part of the budgets. Pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from envspecs.spec import MOST_WORKERS, PER_GPU, EnvSpec, Memory
from protocol.errors import UsageError
from protocol.supervisor import child_name

__all__ = ["Place", "part_of", "places_of", "variable_of", "visible_to"]

_PREFIX = "CPW_WORKERS_"
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_ORDER = "CUDA_DEVICE_ORDER"


def variable_of(environment: str) -> str:
    """Return the variable that overrides the number: `CPW_WORKERS_WHISPERX_EXPERIMENTAL`."""
    return _PREFIX + environment.upper().replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of the workers of an environment."""

    name: str
    """What the supervisor calls it."""
    workers: int = 1
    """How many the environment has."""
    gpu: int | None = None
    """The only GPU that it sees, counted as `cpw hardware` does; None: what any process sees."""
    gpu_workers: int = 1
    """How many of the environment's workers see that GPU."""


def places_of(
    spec: EnvSpec, count_gpus: Callable[[], int], environ: Mapping[str, str] | None = None
) -> tuple[Place, ...]:
    """Return the workers of the environment, by its spec or the variable over it.

    `per-gpu` is one for each GPU, at least one. Several workers take turns with the GPUs; a lone one sees all
    of them. `count_gpus` is called where the answer depends on it. Raises `UsageError` for a variable that
    says no number.
    """
    asked = _asked(spec, os.environ if environ is None else environ)
    if asked == 1:
        return (Place(name=spec.name),)
    gpus = count_gpus()
    count = max(1, gpus) if asked == PER_GPU else int(asked)
    return tuple(_place(spec.name, index, count, gpus) for index in range(count))


def _place(environment: str, index: int, count: int, gpus: int) -> Place:
    name = child_name(environment, index + 1)
    if count == 1 or not gpus:
        return Place(name=name, workers=count)
    gpu = index % gpus
    return Place(name=name, workers=count, gpu=gpu, gpu_workers=len(range(gpu, count, gpus)))


def _asked(spec: EnvSpec, environ: Mapping[str, str]) -> str | int:
    variable = variable_of(spec.name)
    word = environ.get(variable, "")
    if not word:
        return spec.workers
    if word == PER_GPU:
        return PER_GPU
    # Words of other scripts' digits, and numbers too long to convert, are no numbers here.
    if word.isascii() and word.isdecimal() and len(word) < 5 and 1 <= int(word) <= MOST_WORKERS:
        return int(word)
    message = f"{variable} is {word!r}, not {PER_GPU} or a number of workers from 1 to {MOST_WORKERS}."
    raise UsageError(message, f"Write for instance: {variable}={PER_GPU}")


def visible_to(place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which the worker sees its GPU alone; none where it sees what any process does.

    Of a list that a person has set, it is the entry of that place.
    """
    if place.gpu is None:
        return {}
    given = environ.get(_VISIBLE)
    if given is not None:
        return {_VISIBLE: given.split(",")[place.gpu].strip()}
    # CUDA puts the fastest first by itself; `nvidia-smi`, and so `cpw hardware`, goes by the bus.
    return {_VISIBLE: str(place.gpu), _ORDER: environ.get(_ORDER, "PCI_BUS_ID")}


def part_of(memory: Memory, place: Place) -> Memory:
    """Return the worker's part of the environment's budgets; a budget of 0, no limit, stays.

    The machine has one RAM, and each worker loads its own models into it: `ram_mb` is shared by all workers.
    `vram_mb` is meant of one GPU: it is shared by the workers on the same GPU.
    """
    return replace(
        memory,
        ram_mb=_part(memory.ram_mb, place.workers),
        vram_mb=_part(memory.vram_mb, place.gpu_workers),
    )


def _part(budget: int, among: int) -> int:
    return max(1, budget // among) if budget else 0
