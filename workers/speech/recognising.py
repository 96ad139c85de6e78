"""The stage asr with a Whisper model: from the stretches of speech in a film to its segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import UNDETERMINED, Segment, Span, Transcript
from workers.engine import Context
from workers.placement import Placement
from workers.speech.judging import is_silence, vote
from workers.speech.spans import Chunk, pack, spread
from workers.speech.whisper import WINDOW_MS, Heard, Recogniser, RecognitionOptions, recognise
from workers.text.transcripts import publish

__all__ = ["RecognisedFilm", "language_of", "publish_film", "recognise_film", "segment_of"]

_VOTES = 5
"""So many chunks from all over the film vote on its language."""

Describe = Callable[[Heard, str], tuple[Segment, Iterable[Span]]]
"""A chunk and the film's language to its segment, and to the stretches of speech in it."""


@dataclass(frozen=True, kw_only=True)
class RecognisedFilm:
    """What is said in a film, and where."""

    language: str
    """ISO 639-1; `UNDETERMINED` where nothing is said and the request names none."""
    language_probability: float | None
    """None where the request names the language, or the model knows no other."""
    segments: tuple[Segment, ...]
    speech: tuple[Span, ...]


def recognise_film(
    request: AsrRequest,
    recogniser: Recogniser,
    spoken: Sequence[Span],
    describe: Describe,
    progress: Callable[[float, str], None],
    *,
    has_peaks: bool,
) -> RecognisedFilm:
    """Return what is said in the stretches `spoken`: one segment for each chunk, none for silence.

    `has_peaks`: a voice activity detection gave the stretches their peaks. `progress` is called with 0 to 1
    and what is being done. Raises `InputError` for a language that the model does not know.
    """
    chunks = pack(spoken, min(request.chunk_ms, WINDOW_MS), recogniser.sound.whole)
    language, probability = language_of(
        request, recogniser, chunks, lambda: progress(0.0, "hearing the language")
    )
    options = RecognitionOptions(
        language=language,
        beam_size=request.beam_size,
        initial_prompt=request.initial_prompt,
        hotwords=request.hotwords,
    )
    segments: list[Segment] = []
    speech: list[Span] = []
    for heard in recognise(recogniser, chunks, options, lambda share: progress(share, "recognising")):
        peak = max(span.peak for span in heard.chunk.spans) if has_peaks else None
        if is_silence(heard.guess, peak):
            continue
        segment, stretches = describe(heard, language)
        segments.append(segment)
        speech.extend(stretches)
    if not segments and request.language is None:
        # What somebody wrote of the film holds even where nothing is said; what was heard does not.
        language, probability = UNDETERMINED, None
    return RecognisedFilm(
        language=language, language_probability=probability, segments=tuple(segments), speech=tuple(speech)
    )


def language_of(
    request: AsrRequest, recogniser: Recogniser, chunks: Sequence[Chunk], tick: Callable[[], None]
) -> tuple[str, float | None]:
    """Return the film's language, and how probable it is where the model was asked.

    The request may name it. Else chunks from all over the film vote on it, and a model that knows English
    only hears English.
    """
    if request.language is not None:
        return recogniser.language_token(request.language), None
    if not chunks:
        return UNDETERMINED, None
    if not recogniser.is_multilingual:
        return "en", None
    language, probability = vote(recogniser.languages(spread(chunks, _VOTES), tick))
    return language, round(probability, 4)


def segment_of(heard: Heard) -> Segment:
    """Return the chunk's text as a segment without words."""
    return Segment(
        start_ms=heard.chunk.start_ms,
        end_ms=heard.chunk.end_ms,
        text=heard.guess.text,
        avg_logprob=round(heard.guess.avg_logprob, 4),
        no_speech=round(heard.guess.no_speech, 4),
    )


def publish_film(
    request: AsrRequest, context: Context, engine: str, where: Placement, film: RecognisedFilm
) -> AsrResult:
    """Write `segments.json` and return the result of the call."""
    transcript = Transcript(
        language=film.language,
        segments=film.segments,
        language_probability=film.language_probability,
        engine=engine,
        model=request.model,
    )
    return AsrResult(
        segments=publish(context, "segments.json", transcript),
        language=film.language,
        language_probability=film.language_probability,
        segment_count=len(film.segments),
        speech=film.speech,
        device=where.device,
        compute_type=where.compute_type,
        model=request.model,
    )
