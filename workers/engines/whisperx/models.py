"""The models of this environment: each is loaded once, and its three engines share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.errors import InputError
from workers.engine import Models
from workers.engines.whisperx.encoding import LoadedWhisper, features
from workers.lanes import share_threads, side_by_side
from workers.placement import Placement, ctranslate2_placement
from workers.speech.inference import STEP_PART, infer_side_by_side

__all__ = [
    "batch_size_of",
    "choose_placement",
    "language_token",
    "load_aligner",
    "load_vad",
    "load_whisper",
    "tokenizer",
    "warm_up",
]

_CPU_BATCH, _CUDA_BATCH = 4, 16


def choose_placement(device: str, compute_type: str) -> Placement:
    """Return where to compute; `auto` is cuda with float16 where CTranslate2 finds it, else cpu with int8.

    Raises `UsageError` for a device that the machine does not have, or numbers that the device cannot use.
    """
    import ctranslate2

    usual = {"cuda": "float16", "cpu": "int8"}
    count = ctranslate2.get_cuda_device_count()
    return ctranslate2_placement(ctranslate2, device, compute_type, usual, count)


def load_whisper(models: Models, model: str, where: Placement) -> LoadedWhisper:
    """Return the model; `MissingError` where the store does not have it."""
    folder = models.path(model)

    def load() -> LoadedWhisper:
        from whisperx.asr import WhisperModel

        lanes, threads = share_threads(models.most_threads(), where)
        loaded = WhisperModel(
            str(folder),
            device=where.kind,
            device_index=where.index,
            compute_type=where.compute_type,
            cpu_threads=threads,
            num_workers=lanes,
            local_files_only=True,
        )
        return LoadedWhisper(model=loaded, lanes=lanes, threads=threads, given=models.threads)

    whisper: LoadedWhisper = models.get(where.key("whisper", model), load)
    return whisper


def load_vad(models: Models, where: Placement) -> Any:
    """Return whisperx's pyannote pipeline for voice activity; its checkpoint comes with whisperx."""

    def load() -> Any:
        from whisperx.vads.pyannote import load_vad_model

        vad = load_vad_model(where.device)
        inference = vad._segmentation  # noqa: SLF001 (the pipeline has no other way to them)
        inference.step = STEP_PART * inference.duration
        infer_side_by_side(inference, models)
        return vad

    return models.get(_in_float32(where).key("vad", "whisperx-pyannote"), load)


def load_aligner(models: Models, model: str, language: str, where: Placement) -> tuple[Any, dict[str, Any]]:
    """Return whisperx's wav2vec2 model `model` of the store, and its metadata.

    Raises `MissingError` where the store does not have it, `InputError` where its files cannot be read.
    """
    folder = models.path(model)

    def load() -> Any:
        from whisperx.alignment import load_align_model

        try:
            return load_align_model(language, where.device, model_name=str(folder), model_cache_only=True)
        except ValueError as error:
            # whisperx raises it whatever the cause is, and writes the cause into the log.
            message = f"The model {model} cannot be read from {folder}."
            raise InputError(message, f"cpw models fetch --again {model}") from error

    loaded: tuple[Any, dict[str, Any]] = models.get(_in_float32(where).key("wav2vec2", model), load)
    return loaded


def _in_float32(where: Placement) -> Placement:
    """Return the same device with float32: models of torch are not made smaller here."""
    return Placement(device=where.device, compute_type="float32")


def language_token(model: Any, language: str) -> str:
    """Return the language as Whisper's tokenizer names it; `InputError` for one that the model does not know.

    A model that knows English only takes no other language.
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


def batch_size_of(asked: int, where: Placement) -> int:
    """Return how many chunks go through the model at once; 0 asks for the usual number on the device."""
    return asked or (_CUDA_BATCH if where.kind == "cuda" else _CPU_BATCH)


def warm_up(whisper: LoadedWhisper) -> None:
    """Put silence through every step in every lane, so that the first film is as fast as the second."""
    import numpy as np
    from whisperx.audio import N_SAMPLES

    model = whisper.model
    silence = features(model, [np.zeros(N_SAMPLES, dtype=np.float32)])
    tokens = tokenizer(model, "en", "transcribe")

    def hear_silence(_lane: int, _check: Callable[[], None]) -> None:
        encoded = model.encode(silence)
        model.model.generate(encoded, [model.get_prompt(tokens, [], without_timestamps=True)], max_length=8)
        model.find_alignment(tokens, [tokens.encode(" Hello.")], encoded, 100)

    list(side_by_side(hear_silence, range(whisper.lanes), whisper.lanes, lambda _done: None))
