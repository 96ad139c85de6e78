"""Demucs models from the store. A file of weights is data: nothing in it is run."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import InputError
from workers.engine import Models
from workers.placement import Placement
from workers.separation.pieces import SAMPLE_RATE

__all__ = ["Separator", "load_separator"]

_CLASS = "demucs.htdemucs.HTDemucs"
_VOICES = "vocals"


@dataclass(frozen=True, kw_only=True)
class Separator:
    """A model on its device."""

    model: Any
    """`demucs.htdemucs.HTDemucs`, in evaluation mode."""
    device: str
    voices: int
    """The index of the voices among the sources that the model returns."""
    segment: int
    """The length of the sound that it was trained with, in samples."""


def load_separator(models: Models, model: str, device: str) -> Separator:
    """Return the model; `MissingError` where the store does not have it, `InputError` for a wrong file.

    The folder holds one file of weights: `.safetensors` as the hub has them (`demucs.hf`), or `.th` as
    demucs' own server has them (`demucs.states`).
    """
    folder = models.path(model)
    where = Placement(device=device, compute_type="float32")

    def load() -> Separator:
        file = _weights_file(folder)
        package = _read_safetensors(file) if file.suffix == ".safetensors" else _read_checkpoint(file)
        return _prepare(_build(file, package), file, device)

    separator: Separator = models.get(where.key("demucs", model), load)
    return separator


def _weights_file(folder: Path) -> Path:
    for suffix in (".safetensors", ".th"):
        found = sorted(path for path in folder.iterdir() if path.suffix == suffix)
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            message = f"{folder} has {names}: a model of several files cannot be read."
            raise InputError(message, "Keep one of them, or name another model.")
        if found:
            return found[0]
    message = f"{folder} has no weights of demucs: neither .safetensors nor .th."
    raise InputError(message, _remedy(folder))


def _read_safetensors(file: Path) -> dict[str, Any]:
    """Return class, arguments and state; demucs' own reader would import any class that the file names."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="pt") as opened:
            about = opened.metadata() or {}
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no mapping)
        arguments = json.loads(about["args"]), json.loads(about["kwargs"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise _no_model(file, str(error)) from error
    if about.get("klass") != _CLASS or "structure" in about:
        raise _no_model(file, f"it holds a {about.get('klass')}, not a {_CLASS}")
    return {"args": _decode(arguments[0]), "kwargs": _decode(arguments[1]), "state": state}


def _decode(value: Any) -> Any:
    """Return a value of JSON with its fractions as `Fraction` (`demucs.hf._decode_json`)."""
    from fractions import Fraction

    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {name: _decode(part) for name, part in value.items()}
    return [_decode(part) for part in value] if isinstance(value, list) else value


def _read_checkpoint(file: Path) -> dict[str, Any]:
    """Return what `demucs.states.serialize_model` wrote: a pickle, read with known classes only."""
    from pickle import UnpicklingError  # noqa: TID251 (the name of torch's refusal, nothing is unpickled)

    import torch
    from demucs.htdemucs import HTDemucs

    try:
        with torch.serialization.safe_globals(_harmless()):
            package = torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        # torch's own message advises to load it without this protection.
        raise _no_model(file, "it holds more than weights, or is damaged; nothing in it was run") from error
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise _no_model(file, str(error)) from error
    if not isinstance(package, dict) or package.get("klass") is not HTDemucs:
        raise _no_model(file, f"it holds no {_CLASS}")
    if not {"args", "kwargs", "state"} <= set(package):
        raise _no_model(file, "its arguments or its weights are missing")
    return package


def _harmless() -> list[Any]:
    """Return what demucs' checkpoints hold besides tensors: numbers of numpy tell how they were trained."""
    from fractions import Fraction

    import numpy as np
    from demucs.htdemucs import HTDemucs

    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "bool")}
    # numpy 2 renamed its module; files have the old name.
    named = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [HTDemucs, Fraction, np.dtype, *kinds, *named]


def _build(file: Path, package: dict[str, Any]) -> Any:
    """Return the model with its weights, made as in `demucs.states.load_model`."""
    from demucs.htdemucs import HTDemucs

    try:
        # Files have arguments of older versions.
        known = inspect.signature(HTDemucs).parameters
        arguments = {name: kwarg for name, kwarg in package["kwargs"].items() if name in known}
        model = HTDemucs(*package["args"], **arguments)
        model.load_state_dict(package["state"])
    except (RuntimeError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise _no_model(file, str(error).splitlines()[0] if str(error) else "") from error
    return model


def _prepare(model: Any, file: Path, device: str) -> Separator:
    form = (model.samplerate, model.audio_channels, _VOICES in model.sources)
    if form != (SAMPLE_RATE, 2, True):
        raise _no_model(file, "it does not return the voices of 44.1 kHz stereo sound")
    model.eval().requires_grad_(False).to(device)  # noqa: FBT003 (torch's own signature)
    return Separator(
        model=model,
        device=device,
        voices=list(model.sources).index(_VOICES),
        segment=int(model.segment * SAMPLE_RATE),
    )


def _no_model(file: Path, reason: str) -> InputError:
    message = f"{file} is no model of demucs: {reason or 'it cannot be read'}."
    return InputError(message, _remedy(file.parent))


def _remedy(folder: Path) -> str:
    return f"Fetch it again: python3 -m envspecs models fetch --again {folder.name}"
