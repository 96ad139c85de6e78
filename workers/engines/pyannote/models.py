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
        from pyannote.audio import Inference, Model

        _refuse_changed(folder / _CHECKPOINT)
        try:
            network = Model.from_pretrained(folder)
        except (OSError, ValueError, LookupError, AttributeError, RuntimeError) as error:
            message = f"pyannote.audio cannot read the model {model}: {error}."
            raise InputError(message, f"cpw models fetch --again {model}") from error
        # It does not matter who speaks, only that somebody does.
        # Source: pyannote.audio.pipelines.VoiceActivityDetection.
        inference = Inference(network, device=torch.device(device), pre_aggregation_hook=_loudest)
        inference.step = STEP_PART * inference.duration
        infer_side_by_side(inference, models)
        return inference

    return models.get(where.key("pyannote", model), load)


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
