"""Which models this machine should have: the first row of `sets.toml` that fits, or what is pinned. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from envspecs.computing import GIBIBYTE
from envspecs.models.registry import Model
from envspecs.setup.pins import Pins, pins_file
from envspecs.spec import read_toml
from protocol.errors import SchemaError, UsageError
from protocol.hardware import Hardware
from protocol.jobs.quality import Grade
from protocol.schema import from_plain
from protocol.stages import asr, translate

__all__ = ["Chosen", "ModelSet", "choose", "is_hard", "read_sets"]

_TABLE = Path(__file__).with_name("sets.toml")
Kind = Literal["cuda", "apple", "cpu"]


@dataclass(frozen=True, kw_only=True)
class ModelSet:
    """A row of the table: the models for machines with so much memory and so many cores."""

    name: Grade
    device: Kind
    recogniser: str
    """Id of the registry; an environment takes the model of the same family that it can load."""
    hard: str = ""
    """Recogniser for languages of which Whisper has heard little; empty: the same."""
    into_english: str = ""
    """What translates speech into English; empty: the recogniser."""
    memory_gib: float = 0.0
    """Of the GPU for cuda, else of the machine: it has so much at least."""
    cores: int = 0

    def fits(self, hardware: Hardware) -> bool:
        """Return whether the machine has that memory and those cores. A GPU that does not say its memory has
        little."""
        return (
            _memory_bytes(self.device, hardware) >= self.memory_gib * GIBIBYTE
            and hardware.cores >= self.cores
        )


@dataclass(frozen=True, kw_only=True)
class _Table:
    sets: tuple[ModelSet, ...]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What was chosen for this machine."""

    name: Grade
    recogniser: str
    into_english: str
    fits: bool = True
    """Whether the machine has the memory and the cores; a person may have asked for more than it has."""
    pinned: bool = False
    """Whether a person has said something about it."""


@lru_cache(maxsize=4)
def read_sets(path: Path = _TABLE) -> tuple[ModelSet, ...]:
    """Return the rows of the table; `SchemaError` where one is wrong."""
    rows = from_plain(_Table, read_toml(path), path=path.name, strict=True).sets
    if not any(row.device == "cpu" and not row.memory_gib and not row.cores for row in rows):
        raise SchemaError(f"{path.name}.sets", "has no row that fits every machine")
    return rows


def choose(hardware: Hardware, pins: Pins, registry: Mapping[str, Model]) -> Chosen:
    """Return the models for this machine; `UsageError` for a pinned model that there is not."""
    row = _row(hardware, pins)
    hard = any(is_hard(language, registry) for language in pins.languages)
    recogniser = _pinned(pins, asr.STAGE.name, registry) or (hard and row.hard) or row.recogniser
    into_english = _pinned(pins, translate.STAGE.name, registry) or row.into_english or row.recogniser
    return Chosen(
        name=row.name,
        recogniser=recogniser,
        into_english=into_english,
        fits=row.fits(hardware),
        pinned=bool(pins.models) or pins.set != "auto",
    )


def is_hard(language: str, registry: Mapping[str, Model]) -> bool:
    """Return whether Whisper has heard little of the language: the small ones hear nothing usable then."""
    small = registry.get("whisper-small")
    return small is not None and small.grade(language) == "draft"


def _row(hardware: Hardware, pins: Pins) -> ModelSet:
    rows = [row for row in read_sets() if row.device in (_kind(hardware), "cpu")]
    fitting = [row for row in rows if row.fits(hardware)]
    if pins.set == "auto":
        return fitting[0]
    named = [row for row in rows if row.name == pins.set]
    # The one that fits, else the least of the best kind of device: the person has been told.
    return next((row for row in fitting if row.name == pins.set), None) or _least(named)


def _least(named: Sequence[ModelSet]) -> ModelSet:
    of_device = [row for row in named if row.device == named[0].device]
    return min(of_device, key=lambda row: (row.memory_gib, row.cores))


def _kind(hardware: Hardware) -> Kind:
    if hardware.cuda:
        return "cuda"
    return "apple" if hardware.mps else "cpu"


def _memory_bytes(device: Kind, hardware: Hardware) -> int:
    if device != "cuda":
        return hardware.ram_bytes
    return hardware.cuda[0].memory_bytes if hardware.cuda else 0


def _pinned(pins: Pins, stage: str, registry: Mapping[str, Model]) -> str:
    model = pins.models.get(stage, "")
    if model and model not in registry:
        message = f"{pins_file()} pins the model {model!r} for {stage}, and there is none of that name."
        raise UsageError(message, "cpw models list")
    if model and not _does(registry[model], stage):
        message = f"{pins_file()} pins the model {model!r} for {stage}, which it cannot do."
        raise UsageError(message, "cpw models list")
    return model


def _does(model: Model, stage: str) -> bool:
    if stage == translate.STAGE.name:
        return bool(model.translates_to)
    return model.id.startswith(asr.STAGE.model_prefix)
