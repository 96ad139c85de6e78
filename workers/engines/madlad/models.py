"""MADLAD-400 in CTranslate2's format, loaded from the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import MissingError, ResourceError
from workers.engine import Models
from workers.engines.madlad.cublas import cuda_devices
from workers.lanes import share_threads
from workers.placement import Placement, ctranslate2_placement
from workers.text.loading import cannot_be_loaded
from workers.torch_devices import is_out_of_memory

__all__ = ["SMALLER", "MadladModel", "choose_placement", "load"]

SMALLER = "Name a smaller model, or a smaller batch: --set translate.batch_size=1"
_USUAL = {"cuda": "int8_float16", "cpu": "int8"}
"""The weights are stored in int8: larger numbers would take more memory and know no more."""
_TOKENIZERS = ("spiece.model", "sentencepiece.model")
"""Conversions have the same file under either name."""


@dataclass(frozen=True, kw_only=True)
class MadladModel:
    """A loaded model and its tokenizer."""

    translator: Any
    """A `ctranslate2.Translator`."""
    tokenizer: Any
    """A `sentencepiece.SentencePieceProcessor`."""
    ending: tuple[str, ...]
    """What a text has to end with; empty where CTranslate2 itself writes it there."""
    lanes: int
    threads: int
    """Of each lane."""
    given: Callable[[], int]
    """Tells how many cores the call may keep busy now."""

    def refuse_unknown(self, tag: str) -> None:
        """Raise `MissingError` where the model does not have the language."""
        if self.tokenizer.piece_to_id(tag) == self.tokenizer.unk_id():
            message = f"The model does not have the language {tag}."
            raise MissingError(message, "Name another model of MADLAD-400: cpw models list.")


def choose_placement(device: str, compute_type: str) -> Placement:
    """Return where to compute; see `ctranslate2_placement`."""
    import ctranslate2

    return ctranslate2_placement(ctranslate2, device, compute_type, _USUAL, cuda_devices())


def load(models: Models, identity: str, where: Placement) -> MadladModel:
    """Return the model, loaded once.

    Raises `MissingError` where the store does not have it or it cannot be used, `ResourceError` where memory
    runs out.
    """
    folder = models.path(identity)

    def read() -> MadladModel:
        try:
            return _read(folder, where, models)
        except RuntimeError as error:
            if is_out_of_memory(error):
                message = f"The memory of {where.device} is too small for the model {identity}."
                raise ResourceError(message, SMALLER) from error
            raise cannot_be_loaded(identity, error) from error
        except (OSError, ValueError) as error:
            raise cannot_be_loaded(identity, error) from error

    found: MadladModel = models.get(where.key("madlad", identity), read)
    return found


def _read(folder: Path, where: Placement, models: Models) -> MadladModel:
    import ctranslate2
    import sentencepiece

    file = next((folder / name for name in _TOKENIZERS if (folder / name).is_file()), None)
    if file is None:
        message = f"{folder} has no {' or '.join(_TOKENIZERS)}"
        raise ValueError(message)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    lanes, threads = share_threads(models.most_threads(), where)
    return MadladModel(
        translator=ctranslate2.Translator(
            str(folder),
            device=where.kind,
            device_index=where.index,
            compute_type=where.compute_type,
            inter_threads=lanes,
            intra_threads=threads,
        ),
        tokenizer=sentencepiece.SentencePieceProcessor(model_file=str(file)),
        ending=() if settings.get("add_source_eos") else (settings.get("eos_token", "</s>"),),
        lanes=lanes,
        threads=threads,
        given=models.threads,
    )
