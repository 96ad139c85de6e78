"""The models of this environment: loaded once, by the device's numbers; where they compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import InputError, MissingError, ResourceError, UsageError
from workers.engine import ModelKey, Models
from workers.engines.mlx.blas import quicken

__all__ = ["Place", "batch_of", "language_token", "load_whisper", "place", "tokenizer", "using"]

_BATCH = 4
"""So many chunks at once: on the GPU more do not pay, and large models take 0.4 GB a chunk."""
_NUMBERS = ("float16", "float32")
_MEMORY_SIGNS = ("malloc", "memory")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a model computes, and with what numbers."""

    device: str
    """`cpu`, `mps` or `cuda`; MLX calls both of the latter its gpu. `mps` is Apple's, here and everywhere."""
    compute_type: str
    """`float16` or `float32`; a processor has no matrix product for the former."""


def place(device: str, compute_type: str) -> Place:
    """Settle `auto`: the GPU that this MLX has, with float16; else cpu, with float32.

    Raises `UsageError` for a device that is not here or numbers that mlx-whisper does not decode with.
    """
    gpu = _gpu()
    asked = device.removesuffix(":0")
    if asked not in {"auto", "cpu", "mps", "cuda"}:
        message = f"{device!r} is not a device of MLX."
        raise UsageError(message, "Write auto, cpu, mps or cuda.")
    if asked not in {"auto", "cpu", gpu}:
        message = f"The device {device} is not here: MLX computes on {gpu or 'cpu'} on this machine."
        raise UsageError(message, "Write auto or cpu.")
    found = (gpu or "cpu") if asked == "auto" else asked
    if compute_type == "auto":
        compute_type = "float32" if found == "cpu" else "float16"
    if compute_type not in _NUMBERS:
        message = f"mlx-whisper cannot compute with {compute_type!r}."
        raise UsageError(message, f"Write auto, or one of {', '.join(_NUMBERS)}.")
    return Place(device=found, compute_type=compute_type)


def _gpu() -> str:
    """Return the name of the GPU that this build of MLX computes on; empty where it has none."""
    mx = _mlx()
    if mx.metal.is_available():
        return "mps"
    cuda = getattr(mx, "cuda", None)
    return "cuda" if cuda is not None and cuda.is_available() else ""


def _mlx() -> Any:
    quicken()
    import mlx.core as mx

    return mx


@contextmanager
def using(where: Place) -> Iterator[None]:
    """Compute there; afterwards give back what MLX keeps of memory. Too little of it is a `ResourceError`."""
    mx = _mlx()
    mx.set_default_device(mx.cpu if where.device == "cpu" else mx.gpu)
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _MEMORY_SIGNS):
            message = f"MLX ran out of memory on {where.device}: {error}"
            raise ResourceError(message, "Use a smaller model.") from error
        raise
    finally:
        mx.clear_cache()


def load_whisper(models: Models, model: str, where: Place) -> Any:
    """Return the `mlx_whisper.whisper.Whisper` with all its numbers of the wanted type.

    Raises `MissingError` where the store has no such model, or one that mlx-whisper cannot load.
    """
    key = ModelKey(kind="whisper-mlx", model=model, device=where.device, compute_type=where.compute_type)
    folder = models.path(model)

    def load() -> Any:
        try:
            return _load(folder, where)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            message = f"{model} in the model store cannot be loaded by mlx-whisper: {error}"
            raise MissingError(message, f"cpw models fetch {model}") from error

    return models.get(key, load)


def _load(folder: Path, where: Place) -> Any:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_whisper.load_models import load_model

    dtype = getattr(mx, where.compute_type)
    model = load_model(str(folder), dtype=dtype)
    # What a file has not, mlx-whisper leaves as it was made: at random.
    file = next(
        path for path in map(folder.joinpath, ("weights.safetensors", "weights.npz")) if path.is_file()
    )
    lacking = {name for name, _ in tree_flatten(model.parameters())} - set(mx.load(str(file)))
    lacking.discard("alignment_heads")
    if lacking:
        message = f"{file.name} has no {min(lacking)} ({len(lacking)} are missing)"
        raise ValueError(message)
    model.set_dtype(dtype)
    mx.eval(model.parameters())
    return model


def batch_of(asked: int) -> int:
    """Return how many chunks go through the model at once; 0 asks for what suits."""
    return asked or _BATCH


def language_token(model: Any, language: str) -> str:
    """Return the language as Whisper names it; `InputError` for one the model does not know."""
    from mlx_whisper.tokenizer import LANGUAGES

    known = tuple(LANGUAGES)[: model.num_languages] if model.is_multilingual else ("en",)
    if language not in known:
        message = f"This Whisper model does not know the language {language!r}."
        raise InputError(message, "Name another model or another language.")
    return language


def tokenizer(model: Any, language: str) -> Any:
    """Return the `mlx_whisper.tokenizer.Tokenizer` that transcribes the language."""
    from mlx_whisper.tokenizer import get_tokenizer

    return get_tokenizer(
        model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
    )
