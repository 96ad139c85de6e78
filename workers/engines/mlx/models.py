"""The models of this environment: each is loaded once for a device and a type of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from protocol.errors import InputError, MissingError, ResourceError, UsageError
from workers.engine import Models
from workers.engines.mlx.blas import borrow_matrix_product
from workers.placement import Placement

__all__ = ["batch_size_of", "choose_placement", "language_token", "load_whisper", "tokenizer", "using"]

_BATCH = 4
"""More chunks at once are no faster on the GPU, and large models take 0.4 GB for each."""
_COMPUTE_TYPES = ("float16", "float32")
_MEMORY_SIGNS = ("malloc", "memory")


def choose_placement(device: str, compute_type: str) -> Placement:
    """Return where to compute; `auto` is the GPU that this MLX has, with float16, else cpu with float32.

    `mps` is Apple's GPU; MLX calls both `mps` and `cuda` its gpu. A processor has no matrix product for
    float16. Raises `UsageError` for a device that the machine does not have, or numbers that mlx-whisper
    cannot compute with.
    """
    gpu = _gpu()
    asked = device.removesuffix(":0")
    if asked not in {"auto", "cpu", "mps", "cuda"}:
        message = f"{device!r} is not a device of MLX."
        raise UsageError(message, "Write auto, cpu, mps or cuda.")
    if asked not in {"auto", "cpu", gpu}:
        message = f"MLX cannot use the device {device} on this machine: it computes on {gpu or 'cpu'}."
        raise UsageError(message, "Write auto or cpu.")
    found = (gpu or "cpu") if asked == "auto" else asked
    if compute_type == "auto":
        compute_type = "float32" if found == "cpu" else "float16"
    if compute_type not in _COMPUTE_TYPES:
        message = f"mlx-whisper cannot compute with {compute_type!r}."
        raise UsageError(message, f"Write auto, or one of {', '.join(_COMPUTE_TYPES)}.")
    return Placement(device=found, compute_type=compute_type)


def _gpu() -> str:
    """Return the name of the GPU that this build of MLX computes on; empty where it has none."""
    mx = _mlx()
    if mx.metal.is_available():
        return "mps"
    cuda = getattr(mx, "cuda", None)
    return "cuda" if cuda is not None and cuda.is_available() else ""


def _mlx() -> Any:
    borrow_matrix_product()
    import mlx.core as mx

    return mx


@contextmanager
def using(where: Placement) -> Iterator[None]:
    """Compute there, and give back afterwards the memory that MLX keeps.

    Raises `ResourceError` where memory runs out.
    """
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


def load_whisper(models: Models, model: str, where: Placement) -> Any:
    """Return the `mlx_whisper.whisper.Whisper`; all its numbers have the placement's type.

    Raises `MissingError` where the store does not have the model, or mlx-whisper cannot load it.
    """
    folder = models.path(model)

    def load() -> Any:
        try:
            return _load(folder, where)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            message = f"mlx-whisper cannot load {model} from the model store: {error}"
            raise MissingError(message, f"cpw models fetch {model}") from error

    return models.get(where.key("whisper-mlx", model), load)


def _load(folder: Path, where: Placement) -> Any:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_whisper.load_models import load_model

    dtype = getattr(mx, where.compute_type)
    model = load_model(str(folder), dtype=dtype)
    # mlx-whisper leaves numbers that the file does not have as they were made: random.
    file = next(
        path for path in map(folder.joinpath, ("weights.safetensors", "weights.npz")) if path.is_file()
    )
    missing = {name for name, _ in tree_flatten(model.parameters())} - set(mx.load(str(file)))
    missing.discard("alignment_heads")
    if missing:
        message = f"{file.name} has no {min(missing)} ({len(missing)} are missing)"
        raise ValueError(message)
    model.set_dtype(dtype)
    mx.eval(model.parameters())
    return model


def batch_size_of(asked: int) -> int:
    """Return how many chunks go through the model at once; 0 asks for the usual number."""
    return asked or _BATCH


def language_token(model: Any, language: str) -> str:
    """Return the language as Whisper names it; `InputError` for one that the model does not know."""
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
