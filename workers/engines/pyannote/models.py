"""The models of this environment: each is loaded once."""

from __future__ import annotations

from typing import Any

from protocol.errors import InputError
from workers.engine import Models
from workers.engines.pyannote.campplus import Campplus, names_of_weights
from workers.engines.pyannote.checkpoints import (
    CHECKPOINT,
    NETWORK_ERRORS,
    network_in,
    pipeline_in,
    refuse_changed,
    unreadable,
    weights_in,
)
from workers.engines.pyannote.windows import VoiceNetworks
from workers.placement import Placement
from workers.speech.inference import STEP_PART, infer_side_by_side

__all__ = ["SILERO", "is_pipeline", "load_networks", "load_pipeline", "load_segmentation", "load_silero"]

SILERO = "silero"
"""The package `silero-vad` brings it; it is not in the model store."""
_VOICES = "campplus_cn_en_common.pt"
_PIPELINE = "config.yaml"


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

        network = network_in(folder / CHECKPOINT, model)
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


def _loudest(scores: Any) -> Any:
    """Return the highest of the speakers' scores, float32 (windows, frames, 1)."""
    return scores.max(axis=-1, keepdims=True)


def _anybody(log_probabilities: Any) -> Any:
    """Return how probable it is that anybody speaks, float32 (windows, frames, 1).

    Of a powerset's classes the first is nobody (`pyannote.audio.utils.powerset.Powerset`).
    """
    import numpy as np

    return 1 - np.exp(log_probabilities[..., :1])


def is_pipeline(models: Models, model: str) -> bool:
    """Return whether the model is one of pyannote.audio's own pipelines, not the networks of `load_networks`.

    Raises `MissingError` where the store does not have the model.
    """
    return (models.path(model) / _PIPELINE).is_file()


def load_networks(models: Models, model: str, device: str) -> VoiceNetworks:
    """Return the networks that tell voices apart.

    Raises `MissingError` where the store does not have the model, `InputError` where a file has changed or is
    not what it should be.
    """
    where = Placement(device=device, compute_type="float32")
    folder = models.path(model)

    def load() -> VoiceNetworks:
        import torch
        from pyannote.audio.utils.powerset import Powerset

        if not (folder / _VOICES).is_file():
            message = f"The model {model} cannot tell voices apart: it has no file {_VOICES}."
            raise InputError(message, "cpw models list")
        network = network_in(folder / CHECKPOINT, model).eval().to(device)
        sets = network.specifications
        if not sets.powerset:
            raise unreadable(model, "its segmentation does not tell sets of speakers")
        refuse_changed(folder / _VOICES)
        weights = weights_in(folder / _VOICES, model)
        if weights.keys() != names_of_weights():
            raise unreadable(model, f"{_VOICES} has other layers than CAM++")
        to_speakers = Powerset(len(sets.classes), sets.powerset_max_classes).to(device)
        voices = Campplus(weights={name: value.to(device) for name, value in weights.items()}, device=device)
        try:
            voices.embed(torch.ones(100, 80))
        except RuntimeError as error:
            raise unreadable(model, str(error)) from error
        return VoiceNetworks(segmentation=network, to_speakers=to_speakers, embedding=voices, device=device)

    networks: VoiceNetworks = models.get(where.key("speakers", model), load)
    return networks


def load_pipeline(models: Models, model: str, device: str) -> Any:
    """Return a `pyannote.audio.Pipeline` that tells speakers apart; raises what `load_networks` does."""
    where = Placement(device=device, compute_type="float32")
    folder = models.path(model)

    def load() -> Any:
        import torch

        try:
            return pipeline_in(folder, model).to(torch.device(device))
        except NETWORK_ERRORS as error:
            raise unreadable(model, str(error)) from error

    return models.get(where.key("pipeline", model), load)


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
