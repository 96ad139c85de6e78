"""translate: sentences of any of a hundred languages, by MADLAD-400."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from protocol.languages import UNSPACED
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models
from workers.engines.madlad.generating import MadladTranslation
from workers.engines.madlad.languages import madlad_tag
from workers.engines.madlad.models import choose_placement, load
from workers.text.flores import tags_of
from workers.text.generating import first_and_again
from workers.text.translating import Ways, translate_transcript

__all__ = ["MadladTranslate"]


class MadladTranslate:
    """Translates text between the languages of MADLAD-400."""

    stage = "translate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load the model where the spec names one."""
        where = choose_placement("auto", "auto")
        if model is not None:
            load(models, model, where)

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write the transcript in the target language.

        Raises `InputError` for a language that MADLAD-400 does not have, `UsageError` for a script that it
        does not write or a device that the machine does not have, `MissingError` where the store does not
        have the model or it cannot be used, `ResourceError` where memory runs out.
        """

        def ways_of(asked: TranslateRequest) -> Ways:
            return _ways_of(asked, context)

        return translate_transcript(request, context, "madlad", *ways_of(request), ways_of)


def _ways_of(request: TranslateRequest, context: Context) -> Ways:
    _, target = tags_of(request, madlad_tag)
    context.models.path(request.model)
    where = choose_placement(request.device, request.compute_type)

    def generate_texts(
        beams: int,
        options: Mapping[str, Any],
        texts: Sequence[str],
        batch_size: int,
        progress: Callable[[float], None],
    ) -> list[str]:
        loaded = load(context.models, request.model, where)
        loaded.refuse_unknown(target)
        translation = MadladTranslation(
            loaded=loaded,
            tag=target,
            beams=beams,
            options=options,
            # Batches of one are what little memory gives.
            one_lane=request.batch_size == 1,
            space="" if request.target_language in UNSPACED else " ",
        )
        return translation.translate(texts, batch_size, progress)

    return first_and_again(request, where, generate_texts)
