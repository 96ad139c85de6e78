"""IndicTrans2's models: loaded from the store with the code that they bring, held against their formula."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import MissingError
from workers.engine import ModelKey, Models
from workers.text.generating import Place
from workers.text.positions import wrong_positions

__all__ = ["Translator", "import_libraries", "load", "read_config"]

_MODULES = "HF_MODULES_CACHE"


@dataclass(frozen=True, kw_only=True)
class Translator:
    """A loaded model and its tokenizer."""

    model: Any
    """A `PreTrainedModel` that generates."""
    tokenizer: Any

    @property
    def most_source_tokens(self) -> int:
        """Return how many tokens of a text the model reads, tags and end included."""
        return int(self.model.config.max_source_positions)

    @property
    def most_target_tokens(self) -> int:
        """Return how many tokens of a translation the model writes, behind the one that starts it."""
        return int(self.model.config.max_target_positions) - 1


def import_libraries() -> None:
    """Import what a call needs; the code of the models is kept in a folder of this process alone.

    transformers copies that code out of the model's folder before it runs it, by default into the person's
    home, where two workers, or an older copy, could get in each other's way.
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
    """Return the model's `config.json`; `MissingError` where it has none that can be read."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise _broken(identity, error) from error
    return config if isinstance(config, dict) else {}


def load(models: Models, identity: str, where: Place) -> Translator:
    """Return the model, loaded once; `MissingError` where the store lacks it or it cannot be used."""
    key = ModelKey(kind="indictrans2", model=identity, device=where.device, compute_type=where.compute_type)
    folder = models.path(identity)

    def make() -> Translator:
        import_libraries()
        try:
            tokenizer, model = _read(folder, where)
        except (OSError, ValueError) as error:
            raise _broken(identity, error) from error
        # Beam search asks for one vocabulary; the models have two, and write words of the second.
        model.config.vocab_size = model.config.decoder_vocab_size
        if wrong := wrong_positions(model):
            message = f"The model {identity} was loaded with a wrong table of positions: {wrong}."
            remedy = f"cpw envs build indictrans2; if that does not help: cpw models fetch --again {identity}"
            raise MissingError(f"{message} It would translate into nonsense.", remedy)
        return Translator(model=model.to(where.device), tokenizer=tokenizer)

    translator: Translator = models.get(key, make)
    return translator


def _read(folder: Path, where: Place) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    # The code comes out of the store, whose files are held to their hashes, never from elsewhere.
    told: dict[str, Any] = {"trust_remote_code": True, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(str(folder), **told)
    dtype = getattr(torch, where.compute_type)
    return tokenizer, AutoModelForSeq2SeqLM.from_pretrained(str(folder), torch_dtype=dtype, **told).eval()


def _broken(identity: str, error: Exception) -> MissingError:
    why = (str(error).splitlines() or [type(error).__name__])[0]
    message = f"The model {identity} cannot be loaded: {why}"
    return MissingError(message, f"cpw models fetch --again {identity}")
