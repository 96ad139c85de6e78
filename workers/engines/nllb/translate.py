"""translate: sentences of any of two hundred languages, by NLLB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocol.errors import MissingError
from protocol.languages import UNSPACED
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.engines.nllb.models import import_libraries, load
from workers.text.flores import nllb_tag, tags_of
from workers.text.generating import TextTranslation, two_ways
from workers.text.loading import TranslationModel, choose_placement
from workers.text.translating import Ways, translate_transcript

__all__ = ["NllbTranslate"]


class NllbTranslate:
    """Translates text between the languages of NLLB-200."""

    stage = "translate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load the model where the spec names one."""
        import_libraries()
        if model is not None:
            load(models, model, choose_placement("auto", "auto"))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write the transcript in the target language.

        Raises `InputError` for a language that NLLB does not have, `UsageError` for a script that it does not
        write or a device that the machine does not have, `MissingError` where the store does not have the
        model or it cannot be used, `ResourceError` where memory runs out.
        """

        def ways_of(asked: TranslateRequest) -> Ways:
            return _ways_of(asked, context)

        return translate_transcript(request, context, "nllb", *ways_of(request), ways_of)


def _ways_of(request: TranslateRequest, context: Context) -> Ways:
    source, target = tags_of(request, nllb_tag)
    context.models.path(request.model)
    where = choose_placement(request.device, request.compute_type)

    def make(beams: int, more: Mapping[str, Any]) -> TextTranslation:
        loaded = load(context.models, request.model, where)
        return TextTranslation(
            loaded=loaded,
            beams=beams,
            generating={"forced_bos_token_id": _set_languages(loaded, source, target), **more},
            space="" if request.target_language in UNSPACED else " ",
        )

    return two_ways(request, where, context.models, make)


def _set_languages(loaded: TranslationModel, source: str, target: str) -> int:
    """Let the tokenizer mark texts as `source`; return the token that makes the model write `target`."""
    tokenizer = loaded.tokenizer
    unknown = tokenizer.unk_token_id
    for tag in (source, target):
        if tokenizer.convert_tokens_to_ids(tag) in (None, unknown):
            message = f"The model {tokenizer.name_or_path} does not have the language {tag}."
            raise MissingError(message, "Name another model of NLLB-200.")
    tokenizer.src_lang = source
    return int(tokenizer.convert_tokens_to_ids(target))
