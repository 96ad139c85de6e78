"""NLLB's models, loaded from the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import MissingError
from workers.engine import ModelKey, Models
from workers.text.generating import Place
from workers.text.positions import wrong_positions

__all__ = ["Translator", "import_libraries", "load"]

_TRAINED_WITH = 512
"""Tokens of the longest sentences that NLLB was trained with (fairseq, branch nllb)."""
_UNUSED = 64
"""Tokens that a model may have beyond its tokenizer's; NLLB-200 has two."""


@dataclass(frozen=True, kw_only=True)
class Translator:
    """A loaded model and its tokenizer."""

    model: Any
    """A `M2M100ForConditionalGeneration`."""
    tokenizer: Any

    @property
    def most_tokens(self) -> int:
        """Return how many tokens of a text the model reads and writes, tag and end included."""
        return min(_TRAINED_WITH, int(self.model.config.max_position_embeddings))


def import_libraries() -> None:
    """Import what a call needs."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: F401 (loaded before a call needs it)
    from transformers.utils import logging

    logging.disable_progress_bar()


def load(models: Models, identity: str, where: Place) -> Translator:
    """Return the model, loaded once; `MissingError` where the store lacks it or it cannot be used."""
    key = ModelKey(kind="nllb", model=identity, device=where.device, compute_type=where.compute_type)
    folder = models.path(identity)

    def make() -> Translator:
        import_libraries()
        try:
            tokenizer, model = _read(folder, where)
        except (OSError, ValueError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            message = f"The model {identity} cannot be loaded: {why}"
            raise MissingError(message, f"cpw models fetch --again {identity}") from error
        _refuse_other_tokenizer(tokenizer, model, identity)
        # `</s>` in a text would end the sentence there: nothing that is said may become a special token.
        tokenizer.split_special_tokens = True
        # The engine says itself how many tokens it wants at most.
        model.generation_config.max_length = None
        if wrong := wrong_positions(model):
            message = f"The model {identity} was loaded with a wrong table of positions: {wrong}."
            raise MissingError(f"{message} It would translate into nonsense.", "cpw envs build nllb")
        return Translator(model=model.to(where.device), tokenizer=tokenizer)

    translator: Translator = models.get(key, make)
    return translator


def _refuse_other_tokenizer(tokenizer: Any, model: Any, identity: str) -> None:
    """Raise `MissingError` where the tokenizer is not the model's: without its file one is made, empty."""
    known, wanted = len(tokenizer), int(model.config.vocab_size)
    if not wanted - _UNUSED <= known <= wanted:
        message = f"The tokenizer of the model {identity} has {known} tokens, the model {wanted}."
        raise MissingError(message, f"cpw models fetch --again {identity}")


def _read(folder: Path, where: Place) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    dtype = getattr(torch, where.compute_type)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    model = AutoModelForSeq2SeqLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
    return tokenizer, model.eval()
