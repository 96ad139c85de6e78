"""translate: sentences of India's languages, by IndicTrans2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.engines.indictrans2.choices import Pair, model_direction, pair_of, refuse_other_direction
from workers.engines.indictrans2.models import import_libraries, load, read_config
from workers.text.generating import TextTranslation, two_ways
from workers.text.loading import TranslationModel, choose_placement
from workers.text.translating import Ways, translate_transcript

__all__ = ["IndicTransTranslate"]


class IndicTransTranslate:
    """Translates text from and into the 22 scheduled languages of India."""

    stage = "translate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load the model where the spec names one."""
        import_libraries()
        if model is not None:
            load(models, model, choose_placement("auto", "auto"))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write the transcript in the target language.

        Raises `InputError` for a language that IndicTrans2 does not have, `UsageError` for a model of another
        direction or a device that the machine does not have, `MissingError` where the store does not have the
        model or it cannot be used, `ResourceError` where memory runs out.
        """

        def ways_of(asked: TranslateRequest) -> Ways:
            return _ways_of(asked, context)

        return translate_transcript(request, context, "indictrans2", *ways_of(request), ways_of)


def _ways_of(request: TranslateRequest, context: Context) -> Ways:
    pair = pair_of(request)
    config = read_config(context.models.path(request.model), request.model)
    refuse_other_direction(request.model, model_direction(request.model, config), pair)
    where = choose_placement(request.device, request.compute_type)

    def make(beams: int, more: Mapping[str, Any]) -> TextTranslation:
        return _translation(load(context.models, request.model, where), pair, beams, more)

    return two_ways(request, where, context.models, make)


def _translation(
    loaded: TranslationModel, pair: Pair, beams: int, more: Mapping[str, Any]
) -> TextTranslation:
    """Return a translation whose texts go through IndicTransToolkit before and after the model."""
    from IndicTransToolkit.processor import IndicProcessor

    # The processor remembers the numbers and addresses of every text that it prepared, until it has finished
    # as many texts. A cancelled call leaves some behind: so each call has a processor of its own.
    processor, counter = IndicProcessor(inference=True), IndicProcessor(inference=False)

    def prepare(texts: list[str]) -> list[str]:
        found: list[str] = processor.preprocess_batch(texts, src_lang=pair.source, tgt_lang=pair.target)
        return found

    def measure(texts: list[str]) -> list[str]:
        found: list[str] = counter.preprocess_batch(texts, src_lang=pair.source, tgt_lang=pair.target)
        return found

    def finish(texts: list[str]) -> list[str]:
        found: list[str] = processor.postprocess_batch(texts, lang=pair.target)
        return found

    return TextTranslation(
        loaded=loaded,
        beams=beams,
        generating={"use_cache": True, **more},
        decoding={"clean_up_tokenization_spaces": True},
        prepare=prepare,
        measure=measure,
        finish=finish,
    )
