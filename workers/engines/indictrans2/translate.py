"""translate: sentences of India's languages, by IndicTrans2."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.engines.indictrans2.choices import Pair, model_direction, pair_of, refuse_other_way
from workers.engines.indictrans2.models import Translator, import_libraries, load, read_config
from workers.text.cutting import cut_to_fit, join_pieces
from workers.text.generating import generate, in_batches, most_new_tokens, settle_place
from workers.text.translating import translate_transcript

__all__ = ["IndicTransTranslate"]

_BEAMS = 4


class IndicTransTranslate:
    """Translates text from and into the 22 scheduled languages of India."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load the model where the spec names one."""
        import_libraries()
        if model is not None:
            load(models, model, settle_place("auto", "auto"))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write the transcript in the target language.

        Raises `InputError` for a language that IndicTrans2 does not have, `UsageError` for a model that goes
        another way or a device that is not here, `MissingError` where the store lacks the model or it cannot
        be used, `ResourceError` where memory runs out.
        """
        pair = pair_of(request)
        config = read_config(context.models.path(request.model), request.model)
        refuse_other_way(request.model, model_direction(request.model, config), pair)
        where = settle_place(request.device, request.compute_type)

        def translate(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
            translator = load(context.models, request.model, where)
            task = _Task(translator, pair, request.beam_size or _BEAMS)
            return task.translate(texts, where.batch_of(request.batch_size), progress)

        return translate_transcript(request, context, "indictrans2", translate)


class _Task:
    """One call's sentences, one pair of languages."""

    def __init__(self, translator: Translator, pair: Pair, beams: int) -> None:
        from IndicTransToolkit.processor import IndicProcessor

        self._translator = translator
        self._pair = pair
        self._beams = beams
        # It remembers the numbers and addresses of every sentence that it prepared until it has finished
        # as many. A call that is cancelled leaves some behind, so that each call has its own.
        self._processor = IndicProcessor(inference=True)
        self._counter = IndicProcessor(inference=False)

    def translate(
        self, texts: Sequence[str], batch_size: int, progress: Callable[[float], None]
    ) -> list[str]:
        """Return the translations, in order; a text that is too long for the model goes in pieces."""
        pieces = cut_to_fit(texts, self._count, self._translator.most_source_tokens)
        prepared = self._processor.preprocess_batch(
            [piece.text for piece in pieces], src_lang=self._pair.source, tgt_lang=self._pair.target
        )
        made = in_batches(prepared, batch_size, self._generate, progress)
        finished = self._processor.postprocess_batch(made, lang=self._pair.target)
        return join_pieces(pieces, finished, " ")

    def _count(self, texts: Sequence[str]) -> list[int]:
        prepared = self._counter.preprocess_batch(
            list(texts), src_lang=self._pair.source, tgt_lang=self._pair.target
        )
        return [len(id_) for id_ in self._translator.tokenizer(prepared)["input_ids"]]

    def _generate(self, batch: list[str], tick: Callable[[], None]) -> list[str]:
        tokenizer = self._translator.tokenizer
        inputs = tokenizer(batch, padding="longest", return_tensors="pt", return_attention_mask=True)
        made = generate(
            self._translator.model,
            inputs,
            tick,
            num_beams=self._beams,
            # As fairseq searches, with which the model was made and measured.
            early_stopping=self._beams > 1,
            use_cache=True,
            max_new_tokens=most_new_tokens(inputs["input_ids"].shape[1], self._translator.most_target_tokens),
        )
        found: list[str] = tokenizer.batch_decode(
            made, skip_special_tokens=True, clean_up_tokenization_spaces=True
        )
        return found
