"""NLLB's models, loaded from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocol.errors import MissingError
from workers.engine import Models
from workers.placement import Placement
from workers.text.loading import TranslationModel, load_translation_model

__all__ = ["import_libraries", "load"]

_TRAINED_WITH = 512
"""Tokens of the longest sentences that NLLB was trained with (fairseq, branch nllb)."""
_UNUSED = 64
"""A model may know so many tokens more than its tokenizer; NLLB-200 knows two more."""


def import_libraries() -> None:
    """Import what a call needs."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: F401 (loaded before a call needs it)
    from transformers.utils import logging

    logging.disable_progress_bar()


def load(models: Models, identity: str, where: Placement) -> TranslationModel:
    """Return the model, loaded once; see `load_translation_model` for what is raised."""

    def read(folder: Path) -> TranslationModel:
        import_libraries()
        return _read(folder, identity, where)

    return load_translation_model(models, identity, where, "nllb", read)


def _read(folder: Path, identity: str, where: Placement) -> TranslationModel:
    """Return an `M2M100ForConditionalGeneration` and its tokenizer."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    dtype = getattr(torch, where.compute_type)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    model = AutoModelForSeq2SeqLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True).eval()
    _refuse_other_tokenizer(tokenizer, model, identity)
    # `</s>` in a text would end the sentence there: nothing that is said may become a special token.
    tokenizer.split_special_tokens = True
    # The engine itself says how many tokens it wants at most.
    model.generation_config.max_length = None
    most_tokens = min(_TRAINED_WITH, int(model.config.max_position_embeddings))
    return TranslationModel(
        model=model, tokenizer=tokenizer, most_source_tokens=most_tokens, most_target_tokens=most_tokens - 1
    )


def _refuse_other_tokenizer(tokenizer: Any, model: Any, identity: str) -> None:
    """Raise `MissingError` where the tokenizer is not the model's.

    Where its file is missing, transformers makes an empty tokenizer and says nothing.
    """
    known, wanted = len(tokenizer), int(model.config.vocab_size)
    if not wanted - _UNUSED <= known <= wanted:
        message = f"The tokenizer of the model {identity} has {known} tokens, the model {wanted}."
        raise MissingError(message, f"cpw models fetch --again {identity}")
