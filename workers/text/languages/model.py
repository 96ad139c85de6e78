"""The model that judges the language of a text: fastText's lid.176, quantised."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any

from protocol.errors import InputError
from workers.engine import ModelKey, Models
from workers.text.languages.telling import Judge

__all__ = ["LANGUAGE_MODEL", "has_library", "judge_at", "judge_of"]

LANGUAGE_MODEL = "lid-176"
_FILE = "lid.176.ftz"
_LABEL = "__label__"
_MOST = 5
"""So many languages are asked for: one of them is written in the script of the text."""

log = logging.getLogger(__name__)


def judge_of(models: Models) -> Judge | None:
    """Return the model of the store, loaded once; None, with a line in the log, where that cannot be."""
    if not models.has(LANGUAGE_MODEL):
        log.info(
            "the language of the text is not checked: cpw models fetch %s brings the model", LANGUAGE_MODEL
        )
        return None
    if not has_library():
        log.info("the language of the text is not checked: fasttext-predict is not in this environment")
        return None
    folder = models.path(LANGUAGE_MODEL)
    key = ModelKey(kind="language", model=LANGUAGE_MODEL, device="cpu", compute_type="quantised")
    judge: Judge = models.get(key, lambda: judge_at(folder))
    return judge


def has_library() -> bool:
    """Return whether this environment can ask the model: the library has no wheel for every Python."""
    return importlib.util.find_spec("fasttext") is not None


def judge_at(folder: Path) -> Judge:
    """Return the model whose file lies in the folder; `InputError` where it cannot be read."""
    import fasttext

    try:
        model: Any = fasttext.load_model(str(folder / _FILE))
    except (OSError, ValueError, RuntimeError) as error:
        message = f"{folder / _FILE} is not a model of fastText: {error}."
        raise InputError(message, f"cpw models fetch --again {LANGUAGE_MODEL}") from error

    def judge(text: str) -> list[tuple[str, float]]:
        labels, probabilities = model.predict(text, k=_MOST)
        return [
            (label.removeprefix(_LABEL), float(probability))
            for label, probability in zip(labels, probabilities, strict=True)
        ]

    return judge
