"""Sentences in batches through a model of transformers. torch is imported where it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from protocol.errors import ResourceError, UsageError
from workers.text.batches import by_length
from workers.torch_devices import torch_device

__all__ = ["Generate", "Place", "generate", "in_batches", "most_new_tokens", "settle_place"]

Generate = Callable[[list[str], Callable[[], None]], list[str]]
"""Translates one batch; calls its second argument often, which may raise `CancelledError`."""

_BATCHES = {"cpu": 16, "mps": 16, "cuda": 32}
_COMPUTE_TYPES = {
    "cpu": ("float32", "bfloat16"),
    "mps": ("float32", "float16"),
    "cuda": ("float16", "bfloat16", "float32"),
}
"""What a device computes well with; the first is the usual one."""
_MEMORY_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a model computes, and with what numbers."""

    device: str
    """`cpu`, `mps`, `cuda` or `cuda:<index>`."""
    compute_type: str
    """The name of torch's type: `float16`, `bfloat16` or `float32`."""

    @property
    def kind(self) -> str:
        """Return `cpu`, `mps` or `cuda`."""
        return self.device.partition(":")[0]

    def batch_of(self, asked: int) -> int:
        """Return how many sentences go through the model at once; 0 asks for what suits the device."""
        return asked or _BATCHES[self.kind]


def settle_place(device: str, compute_type: str) -> Place:
    """Settle `auto`: cuda with float16, else mps or cpu with float32.

    Raises `UsageError` for a device that is not here or a compute type that it has not.
    """
    device = torch_device(device)
    possible = _COMPUTE_TYPES[device.partition(":")[0]]
    if compute_type not in ("auto", *possible):
        message = f"Translating on {device} is not done with {compute_type!r}."
        raise UsageError(message, f"Write auto, or one of {', '.join(possible)}.")
    return Place(device=device, compute_type=possible[0] if compute_type == "auto" else compute_type)


def in_batches(
    texts: Sequence[str], batch_size: int, generate_batch: Generate, progress: Callable[[float], None]
) -> list[str]:
    """Return the translation of every text, in their order; texts of about one length go together.

    `progress` is called with 0 to 1 before each batch and, through the batch's own callback, inside it.
    """
    found = [""] * len(texts)
    done = 0
    for batch in by_length(texts, batch_size):
        tick = partial(progress, done / len(texts))
        tick()
        made = generate_batch([texts[index] for index in batch], tick)
        for index, text in zip(batch, made, strict=True):
            found[index] = text
        done += len(batch)
    return found


def most_new_tokens(source_tokens: int, most: int) -> int:
    """Return after how many tokens a translation is cut off: a model that loops would go on to `most`.

    No language needs three times the tokens of another for the same sentence, but a short one may.
    """
    return min(most, 3 * source_tokens + 20)


def generate(
    model: Any, inputs: Mapping[str, Any], tick: Callable[[], None], **wishes: Any
) -> list[list[int]]:
    """Return the tokens that transformers' `generate` makes of a batch; `tick` is called at every token.

    `inputs` are tensors of (sentences, tokens), `wishes` more of `generate`'s own arguments. Raises
    `ResourceError` where memory runs out.
    """
    import torch

    sentences, tokens = inputs["input_ids"].shape
    device = str(model.device)
    here = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    try:
        with torch.inference_mode():
            made = model.generate(**here, logits_processor=[_Ticker(tick)], **wishes)
        found: list[list[int]] = made.tolist()
    except RuntimeError as error:
        if not any(sign in str(error).lower() for sign in _MEMORY_SIGNS):
            raise
        message = f"The memory of {device} is too small for {sentences} sentences of {tokens} tokens at once."
        remedy = "Name a smaller model, or a smaller batch: --set translate.batch_size=1"
        raise ResourceError(message, remedy) from error
    return found


class _Ticker:
    """A logits processor of transformers that changes nothing: the way into its loop over the tokens."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick

    def __call__(self, input_ids: object, scores: object) -> object:
        """Return the scores as they are."""
        del input_ids
        self._tick()
        return scores
