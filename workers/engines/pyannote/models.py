"""The models of this environment, loaded once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from protocol.artefacts import describe_file
from protocol.errors import InputError
from workers.engine import ModelKey, Models

__all__ = ["SILERO", "load_segmentation", "load_silero"]

SILERO = "silero"
"""It ships in the package `silero-vad`; the model store has none."""
_CHECKPOINT = "pytorch_model.bin"


def load_segmentation(models: Models, model: str, device: str) -> Any:
    """Return a `pyannote.audio.Inference` whose scores are those of speech, whoever speaks.

    Raises `MissingError` where the store has no such model, `InputError` where its file has changed or is
    none of pyannote's.
    """
    key = ModelKey(kind="pyannote", model=model, device=device, compute_type="float32")
    folder = models.path(model)

    def load() -> Any:
        import torch
        from pyannote.audio import Inference, Model

        _refuse_changed(folder / _CHECKPOINT)
        try:
            network = Model.from_pretrained(folder)
        except (OSError, ValueError, LookupError, AttributeError, RuntimeError) as error:
            message = f"The model {model} is none that pyannote.audio can read: {error}."
            raise InputError(message, f"cpw models fetch --again {model}") from error
        # What each speaker's score is does not matter, only that somebody's is high.
        # Source: pyannote.audio.pipelines.VoiceActivityDetection.
        return Inference(network, device=torch.device(device), pre_aggregation_hook=_loudest)

    return models.get(key, load)


def _refuse_changed(checkpoint: Path) -> None:
    """Raise `InputError` where the file is not the one that was fetched: reading a checkpoint runs it."""
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
    """Return silero's TorchScript model; it computes on the CPU, one window after the other."""
    key = ModelKey(kind=SILERO, model=SILERO, device="cpu", compute_type="float32")

    def load() -> Any:
        import torch

        threads = torch.get_num_threads()
        import silero_vad

        # Importing it leaves one thread to everything else in the process.
        torch.set_num_threads(threads)
        return silero_vad.load_silero_vad()

    return models.get(key, load)
