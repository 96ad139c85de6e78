"""translate: sentences of any of two hundred languages, by NLLB."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.errors import InputError, MissingError
from protocol.languages import UNSPACED, language_name
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.engines.nllb.models import Translator, import_libraries, load
from workers.text.cutting import cut_to_fit, join_pieces
from workers.text.flores import nllb_tag
from workers.text.generating import generate, in_batches, most_new_tokens, settle_place
from workers.text.translating import translate_transcript

__all__ = ["NllbTranslate"]

_BEAMS = 4


class NllbTranslate:
    """Translates text between the languages of NLLB-200."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load the model where the spec names one."""
        import_libraries()
        if model is not None:
            load(models, model, settle_place("auto", "auto"))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write the transcript in the target language.

        Raises `InputError` for a language that NLLB does not have, `UsageError` for a script or a device
        that is not here, `MissingError` where the store lacks the model or it cannot be used,
        `ResourceError` where memory runs out.
        """
        source = nllb_tag(request.source_language, request.source_script)
        target = nllb_tag(request.target_language, request.target_script)
        if source == target:
            message = (
                f"The film is in {language_name(request.source_language)}: there is nothing to translate."
            )
            raise InputError(message)
        context.models.path(request.model)
        where = settle_place(request.device, request.compute_type)
        space = "" if request.target_language in UNSPACED else " "

        def translate(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
            translator = load(context.models, request.model, where)
            task = _Task(translator, request.beam_size or _BEAMS, _set_languages(translator, source, target))
            pieces = cut_to_fit(texts, task.count, translator.most_tokens)
            batch_size = where.batch_of(request.batch_size)
            made = in_batches([piece.text for piece in pieces], batch_size, task.generate, progress)
            return join_pieces(pieces, made, space)

        return translate_transcript(request, context, "nllb", translate)


def _set_languages(translator: Translator, source: str, target: str) -> int:
    """Let the tokenizer mark texts as `source`; return the token that makes the model write `target`."""
    tokenizer = translator.tokenizer
    unknown = tokenizer.unk_token_id
    for tag in (source, target):
        if tokenizer.convert_tokens_to_ids(tag) in (None, unknown):
            message = f"The model {tokenizer.name_or_path} has no language {tag}."
            raise MissingError(message, "Name another model of NLLB-200.")
    tokenizer.src_lang = source
    return int(tokenizer.convert_tokens_to_ids(target))


class _Task:
    """One call's sentences."""

    def __init__(self, translator: Translator, beams: int, target: int) -> None:
        self._translator = translator
        self._beams = beams
        self._target = target

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is, its tag and its end included."""
        return [len(id_) for id_ in self._translator.tokenizer(list(texts))["input_ids"]]

    def generate(self, batch: list[str], tick: Callable[[], None]) -> list[str]:
        """Return the translations of a batch."""
        tokenizer = self._translator.tokenizer
        inputs = tokenizer(batch, padding="longest", return_tensors="pt")
        made = generate(
            self._translator.model,
            inputs,
            tick,
            num_beams=self._beams,
            # As fairseq searches, with which the model was made and measured.
            early_stopping=self._beams > 1,
            forced_bos_token_id=self._target,
            max_new_tokens=most_new_tokens(inputs["input_ids"].shape[1], self._translator.most_tokens - 1),
        )
        found: list[str] = tokenizer.batch_decode(made, skip_special_tokens=True)
        return found
