"""asr: Whisper, through MLX, writes the speech that the stage vad finds, or the whole sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import Segment, Span
from workers.engine import Context, Models
from workers.engines.mlx.models import batch_size_of, choose_placement, load_whisper, using
from workers.engines.mlx.recognising import MlxRecogniser, warm_up
from workers.speech.fitting import fit
from workers.speech.recognising import publish_film, recognise_film, segment_of, telling
from workers.speech.sound import Sound
from workers.speech.whisper import LONGEST_MS, Heard
from workers.speech.word_times import CROSS_ATTENTION, TimedWord, to_words

__all__ = ["MlxAsr", "describe", "stretches_of"]

_QUIET = 0.001
"""-60 dB of full scale. Where nothing is louder nobody speaks, and Whisper would invent something."""
_PAUSE_MS = 500
"""Without VAD, words with a longer pause between them are two stretches of speech."""


class MlxAsr:
    """Recognises speech.

    mlx-whisper takes the likeliest token at every step, and samples what is doubtful. It has no beam search,
    so `beam_size` changes nothing. It takes no hot words, so they go into the prompt. It has no VAD, so
    `vad_onset` and `vad_offset` change nothing: without the stage vad it hears the whole sound, cut where it
    is quietest.
    """

    stage = "asr"

    def warm(self, models: Models, model: str | None) -> None:
        """Import the library, load the model, and put some silence through every step."""
        where = choose_placement("auto", "auto")
        import mlx_whisper.timing  # noqa: F401 (its imports are half of the start)

        if model is not None:
            loaded = load_whisper(models, model, where)
            with using(where):
                warm_up(loaded)

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Write `segments.json`: one segment for each chunk of speech, its words timed by cross-attention.

        Without speech there is no segment, and the language is `und`. Raises `InputError` where the sound
        cannot be read or the model does not know the language, `MissingError` where the store does not have
        the model, `UsageError` for a device or numbers that MLX does not have here, `ResourceError` where
        memory runs out.
        """
        where = choose_placement(request.device, request.compute_type)
        has_vad = request.speech is not None
        with using(where), Sound(context.input(request.audio)) as sound:
            model = load_whisper(context.models, request.model, where)
            recogniser = MlxRecogniser(model, sound, batch_size_of(request.batch_size))

            def describe_chunk(heard: Heard, language: str) -> tuple[Segment, Iterable[Span]]:
                words = recogniser.words(heard, heard.chunk.spans if has_vad else (), language)
                return describe(heard, words, has_vad=has_vad)

            spoken = _spoken(request, sound)
            with telling(context, describe_chunk) as telling_chunk:
                film = recognise_film(
                    request, recogniser, spoken, telling_chunk, context.progress, has_peaks=has_vad
                )
        return publish_film(request, context, "mlx", where, film)


def _spoken(request: AsrRequest, sound: Sound) -> tuple[Span, ...]:
    """Return the stretches that the stage vad found; in a job without that stage, all that is loud."""
    limit_ms = min(request.chunk_ms, LONGEST_MS)
    if request.speech is not None:
        return fit(request.speech, sound, limit_ms)
    return tuple(span for span in fit([sound.whole], sound, limit_ms) if _is_loud(sound, span))


def _is_loud(sound: Sound, span: Span) -> bool:
    import numpy as np

    return float(np.abs(sound.between(span.start_ms, span.end_ms)).max(initial=0.0)) > _QUIET


def describe(heard: Heard, words: Sequence[TimedWord], *, has_vad: bool) -> tuple[Segment, Iterable[Span]]:
    """Return the chunk as a segment, and its stretches of speech; without VAD the words tell both times."""
    segment = replace(segment_of(heard), words=to_words(words, CROSS_ATTENTION))
    if has_vad:
        return segment, heard.chunk.spans
    if words:
        segment = replace(segment, start_ms=words[0].start_ms, end_ms=words[-1].end_ms)
    return segment, stretches_of(words)


def stretches_of(words: Sequence[TimedWord]) -> list[Span]:
    """Return when somebody speaks: words without a long pause between them are one stretch."""
    found: list[Span] = []
    for word in words:
        if found and word.start_ms - found[-1].end_ms <= _PAUSE_MS:
            found[-1] = Span(start_ms=found[-1].start_ms, end_ms=max(found[-1].end_ms, word.end_ms))
        else:
            found.append(Span(start_ms=word.start_ms, end_ms=word.end_ms))
    return found
