"""IndicTrans2's models, loaded from the store with the code that they bring."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from workers.engine import Models
from workers.placement import Placement
from workers.text.loading import TranslationModel, cannot_be_loaded, load_translation_model

__all__ = ["import_libraries", "load", "read_config"]

_MODULES = "HF_MODULES_CACHE"


def import_libraries() -> None:
    """Import what a call needs; the code of the models gets a folder of this process alone.

    transformers copies that code out of the model's folder before it runs it. By default it copies it into
    the person's home, where two workers, or an older copy, could disturb each other.
    """
    if _MODULES not in os.environ:
        folder = tempfile.mkdtemp(prefix="cpw-code-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ[_MODULES] = folder
    import IndicTransToolkit.processor  # noqa: F401 (loaded before a call needs it)
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: F401 (as above)
    from transformers.utils import logging

    logging.disable_progress_bar()


def read_config(folder: Path, identity: str) -> dict[str, Any]:
    """Return the model's `config.json`; `MissingError` where it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise cannot_be_loaded(identity, error) from error
    return config if isinstance(config, dict) else {}


def load(models: Models, identity: str, where: Placement) -> TranslationModel:
    """Return the model, loaded once; see `load_translation_model` for what is raised."""

    def read(folder: Path) -> TranslationModel:
        import_libraries()
        return _read(folder, where)

    return load_translation_model(models, identity, where, "indictrans2", read)


def _read(folder: Path, where: Placement) -> TranslationModel:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    # The code comes from the store, whose files have known hashes, and from nowhere else.
    told: dict[str, Any] = {"trust_remote_code": True, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(str(folder), **told)
    dtype = getattr(torch, where.compute_type)
    model = AutoModelForSeq2SeqLM.from_pretrained(str(folder), torch_dtype=dtype, **told).eval()
    # Beam search asks for one vocabulary. The models have two, and write words of the second.
    model.config.vocab_size = model.config.decoder_vocab_size
    return TranslationModel(
        model=model,
        tokenizer=tokenizer,
        most_source_tokens=int(model.config.max_source_positions),
        most_target_tokens=int(model.config.max_target_positions) - 1,
    )
