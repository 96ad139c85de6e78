"""The models of this environment: each is loaded once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from protocol.artefacts import describe_file
from protocol.errors import InputError
from workers.engine import Models
from workers.placement import Placement
from workers.speech.inference import STEP_PART, infer_side_by_side

__all__ = ["SILERO", "load_segmentation", "load_silero"]

SILERO = "silero"
"""The package `silero-vad` brings it; it is not in the model store."""
_CHECKPOINT = "pytorch_model.bin"


def load_segmentation(models: Models, model: str, device: str) -> Any:
    """Return a `pyannote.audio.Inference` that scores speech, whoever speaks.

    Raises `MissingError` where the store does not have the model, `InputError` where its file has changed or
    is not pyannote's.
    """
    where = Placement(device=device, compute_type="float32")
    folder = models.path(model)

    def load() -> Any:
        import torch
        from pyannote.audio import Inference

        network = _network(folder / _CHECKPOINT, model)
        # It does not matter who speaks, only that somebody does. pyannote would make yes or no of a
        # probability of sets of speakers: what is doubtful would be as sure as anything.
        powerset = network.specifications.powerset
        inference = Inference(
            network,
            device=torch.device(device),
            skip_conversion=powerset,
            pre_aggregation_hook=_anybody if powerset else _loudest,
        )
        inference.step = STEP_PART * inference.duration
        infer_side_by_side(inference, models)
        return inference

    return models.get(where.key("pyannote", model), load)


def _network(checkpoint: Path, model: str) -> Any:
    """Return the network in the file.

    Raises `InputError` where the file has changed since it was fetched, would run code of its own, or is not
    pyannote's.
    """
    from pickle import UnpicklingError  # noqa: TID251 (the name of torch's refusal, nothing is unpickled)

    import torch
    from pyannote.audio import Model

    _refuse_changed(checkpoint)
    try:
        # `from_pretrained` runs whatever the file names; this refuses what is not a plain value.
        with torch.serialization.safe_globals(_plain_values()):
            torch.load(checkpoint, map_location="cpu", weights_only=True)
        return Model.from_pretrained(checkpoint.parent)
    except (OSError, ValueError, LookupError, AttributeError, RuntimeError, UnpicklingError) as error:
        message = f"pyannote.audio cannot read the model {model}: {error}."
        raise InputError(message, f"cpw models fetch --again {model}") from error


def _plain_values() -> list[Any]:
    """Return what the checkpoints of pyannote's segmentation hold beside tensors: values, and no function."""
    from collections import defaultdict

    from omegaconf.base import ContainerMetadata, Metadata
    from omegaconf.listconfig import ListConfig
    from omegaconf.nodes import AnyNode
    from pyannote.audio.core.model import Introspection
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.torch_version import TorchVersion

    found = [Specifications, Problem, Resolution, Introspection, TorchVersion]
    # The older one was written with settings of omegaconf.
    return [*found, ListConfig, AnyNode, ContainerMetadata, Metadata, defaultdict, Any, dict, list, int]


def _refuse_changed(checkpoint: Path) -> None:
    """Raise `InputError` where the file has changed since it was fetched: to read it is to run it."""
    folder = checkpoint.parent
    try:
        expected = json.loads((folder / "manifest.json").read_bytes())["files"][checkpoint.name]["sha256"]
        found = describe_file(checkpoint, checkpoint.name).sha256
    except (OSError, ValueError, LookupError, TypeError) as error:
        message = f"The file {checkpoint} cannot be checked: {error}."
        raise InputError(message, f"cpw models fetch --again {folder.name}") from error
    if found != expected:
        message = f"The file {checkpoint} has changed since it was fetched."
        raise InputError(message, f"cpw models fetch --again {folder.name}")


def _loudest(scores: Any) -> Any:
    """Return the highest of the speakers' scores, float32 (windows, frames, 1)."""
    return scores.max(axis=-1, keepdims=True)


def _anybody(log_probabilities: Any) -> Any:
    """Return how probable it is that anybody speaks, float32 (windows, frames, 1).

    Of a powerset's classes the first is nobody (`pyannote.audio.utils.powerset.Powerset`).
    """
    import numpy as np

    return 1 - np.exp(log_probabilities[..., :1])


def load_silero(models: Models) -> Any:
    """Return silero's TorchScript model; it computes on the processor, one window after the other."""
    where = Placement(device="cpu", compute_type="float32")

    def load() -> Any:
        import torch

        threads = torch.get_num_threads()
        import silero_vad

        # The import leaves one thread to everything else in the process.
        torch.set_num_threads(threads)
        return silero_vad.load_silero_vad()

    return models.get(where.key(SILERO, SILERO), load)
