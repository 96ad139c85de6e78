"""The models of this environment: which, on what device, loaded once and shared by its three engines."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from protocol.errors import InputError, UsageError
from workers.engine import ModelKey, Models

__all__ = [
    "Place",
    "batch_of",
    "language_token",
    "load_aligner",
    "load_vad",
    "load_whisper",
    "place",
    "tokenizer",
    "warm_up",
]

_CPU_BATCH, _CUDA_BATCH = 4, 16
_MOST_THREADS = 16
"""More do not help one CTranslate2 model."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a model computes, and with what numbers."""

    device: str
    """`cpu`, `cuda` or `cuda:<index>`."""
    compute_type: str

    @property
    def kind(self) -> str:
        """Return `cpu` or `cuda`."""
        return self.device.partition(":")[0]

    @property
    def index(self) -> int:
        """Return the number of the cuda device."""
        return int(self.device.partition(":")[2] or 0)


def place(device: str, compute_type: str) -> Place:
    """Settle `auto`: cuda where CTranslate2 finds a device, with float16; else cpu, with int8.

    Raises `UsageError` for a device that is not here or a compute type the device cannot do.
    """
    import ctranslate2

    count = ctranslate2.get_cuda_device_count()
    if device == "auto":
        device = "cuda" if count else "cpu"
    kind, _, index = device.partition(":")
    if kind not in {"cpu", "cuda"} or (index and not index.isdigit()):
        message = f"{device!r} is not a device."
        raise UsageError(message, "Write auto, cpu, cuda or cuda:<number>.")
    if kind == "cuda" and int(index or 0) >= count:
        message = f"The device {device} is not here: {count} cuda devices are."
        raise UsageError(message, "Write auto or cpu.")
    if compute_type == "auto":
        compute_type = "float16" if kind == "cuda" else "int8"
    possible = ctranslate2.get_supported_compute_types(kind, int(index or 0))
    if compute_type not in possible:
        message = f"The device {device} cannot compute with {compute_type!r}."
        raise UsageError(message, f"Write auto, or some of {', '.join(sorted(possible))}.")
    return Place(device=device, compute_type=compute_type)


def load_whisper(models: Models, model: str, where: Place) -> Any:
    """Return the `whisperx.asr.WhisperModel`; `MissingError` where the store has no such model."""
    key = ModelKey(kind="whisper", model=model, device=where.device, compute_type=where.compute_type)
    folder = models.path(model)

    def load() -> Any:
        from whisperx.asr import WhisperModel

        return WhisperModel(
            str(folder),
            device=where.kind,
            device_index=where.index,
            compute_type=where.compute_type,
            cpu_threads=_threads(),
            local_files_only=True,
        )

    return models.get(key, load)


def _threads() -> int:
    """Return how many cores this process may use; `os.cpu_count` counts those of the whole machine."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(allowed, _MOST_THREADS)


def load_vad(models: Models, where: Place) -> Any:
    """Return whisperx's pyannote pipeline for voice activity; its checkpoint ships in whisperx's wheel."""
    key = ModelKey(kind="vad", model="whisperx-pyannote", device=where.device, compute_type="float32")

    def load() -> Any:
        from whisperx.vads.pyannote import load_vad_model

        return load_vad_model(where.device)

    return models.get(key, load)


def load_aligner(models: Models, model: str, language: str, where: Place) -> tuple[Any, dict[str, Any]]:
    """Return whisperx's wav2vec2 model and its metadata, from the store's folder of the id `model`.

    Raises `MissingError` where the store lacks it, `InputError` where its files cannot be read.
    """
    key = ModelKey(kind="wav2vec2", model=model, device=where.device, compute_type="float32")
    folder = models.path(model)

    def load() -> Any:
        from whisperx.alignment import load_align_model

        try:
            return load_align_model(language, where.device, model_name=str(folder), model_cache_only=True)
        except ValueError as error:
            # whisperx raises it for whatever went wrong, and prints the cause into the log.
            message = f"The model {model} cannot be read from {folder}."
            raise InputError(message, f"cpw models fetch --again {model}") from error

    loaded: tuple[Any, dict[str, Any]] = models.get(key, load)
    return loaded


def language_token(model: Any, language: str) -> str:
    """Return the language as Whisper's tokenizer names it; `InputError` for one it does not know.

    A model that is English only takes no other.
    """
    if language not in model.supported_languages:
        message = f"This Whisper model does not know the language {language!r}."
        raise InputError(message, "Name another model or another language.")
    return language


def tokenizer(model: Any, language: str, task: str) -> Any:
    """Return a `faster_whisper.tokenizer.Tokenizer` for `transcribe` or `translate`; see `language_token`."""
    from faster_whisper.tokenizer import Tokenizer

    return Tokenizer(
        model.hf_tokenizer, model.model.is_multilingual, task=task, language=language_token(model, language)
    )


def batch_of(asked: int, where: Place) -> int:
    """Return how many chunks go through the model at once; 0 asks for what suits the device."""
    return asked or (_CUDA_BATCH if where.kind == "cuda" else _CPU_BATCH)


def warm_up(model: Any) -> None:
    """Put silence through every step, so that the first film is as fast as the second."""
    import numpy as np
    from whisperx.audio import N_SAMPLES, log_mel_spectrogram

    mels = model.feat_kwargs.get("feature_size") or 80
    silence = log_mel_spectrogram(np.zeros(N_SAMPLES, dtype=np.float32), mels).numpy()
    encoded = model.encode(silence)
    tokens = tokenizer(model, "en", "transcribe")
    model.model.generate(encoded, [model.get_prompt(tokens, [], without_timestamps=True)], max_length=8)
    model.find_alignment(tokens, [tokens.encode(" Hello.")], encoded, 100)
