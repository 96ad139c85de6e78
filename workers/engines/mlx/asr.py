"""asr: the speech that the stage vad heard, or else the whole sound, Whisper writes with MLX."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import UNDETERMINED, Segment, Span, Transcript, Word
from workers.engine import Context, Models
from workers.engines.mlx.models import batch_of, language_token, load_whisper, place, using
from workers.engines.mlx.recognising import LONGEST_MS, WINDOW_MS, Heard, Listener, Wishes, warm_up
from workers.speech.fitting import fit
from workers.speech.judging import is_silence, vote
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack, spread
from workers.speech.word_times import TimedWord
from workers.text.transcripts import publish

__all__ = ["CROSS_ATTENTION", "MlxAsr", "language_of", "segment_of", "stretches"]

CROSS_ATTENTION = "cross-attention"
_WINDOWS = 5
"""So many windows over the film vote on its language."""
_QUIET = 0.001
"""-60 dB of full scale: where nothing is louder there is no speech, and Whisper would invent some."""
_PAUSE_MS = 500
"""Without VAD words that stand further apart are two stretches of speech."""


class MlxAsr:
    """Recognises speech.

    mlx-whisper decodes greedily and samples what is doubtful: it has no beam search, so `beam_size` changes
    nothing, and no hot words, so they go into the prompt. It has no VAD either: `vad_onset` and `vad_offset`
    are those of others. Without the stage vad the whole sound is heard, cut where it is quietest.
    """

    stage = "asr"

    def warm(self, models: Models, model: str | None) -> None:
        """Import the library, load the model, and put some silence through every step."""
        where = place("auto", "auto")
        import mlx_whisper.timing  # noqa: F401 (its imports are half of the start)

        if model is not None:
            loaded = load_whisper(models, model, where)
            with using(where):
                warm_up(loaded)

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Write `segments.json`: one segment a chunk of speech, its words timed by cross-attention.

        No speech gives no segment and the language `und`. Raises `InputError` where the sound cannot be
        read or the model does not know the language, `MissingError` where the store lacks the model,
        `UsageError` for a device or numbers that MLX has not here, `ResourceError` where memory ends.
        """
        where = place(request.device, request.compute_type)
        with using(where), Sound(context.input(request.audio)) as sound:
            model = load_whisper(context.models, request.model, where)
            listener = Listener(model, sound, batch_of(request.batch_size))
            transcript, speech = _listen(request, context, listener)
        return AsrResult(
            segments=publish(context, "segments.json", transcript),
            language=transcript.language,
            language_probability=transcript.language_probability,
            segment_count=len(transcript.segments),
            speech=speech,
            device=where.device,
            compute_type=where.compute_type,
            model=request.model,
        )


def _listen(request: AsrRequest, context: Context, listener: Listener) -> tuple[Transcript, tuple[Span, ...]]:
    """Return what is said, and the stretches in which it is."""
    known = request.speech is not None
    chunks = pack(_spoken(request, listener.sound), min(request.chunk_ms, WINDOW_MS), listener.sound.whole)
    language, probability = language_of(
        request, listener, chunks, lambda: context.progress(0.0, "hearing the language")
    )
    segments: list[Segment] = []
    speech: list[Span] = []
    if chunks:
        wishes = Wishes.of(language, request.initial_prompt, request.hotwords)

        def progress(share: float) -> None:
            context.progress(share, "recognising")

        for heard in listener.recognise(chunks, wishes, progress):
            peak = max(span.peak for span in heard.chunk.spans) if known else None
            if is_silence(heard.guess, peak):
                continue
            words = listener.words(heard, heard.chunk.spans if known else (), language)
            speech.extend(heard.chunk.spans if known else stretches(words))
            segments.append(segment_of(heard, words, known=known))
    if not segments:
        language, probability = UNDETERMINED, None
    transcript = Transcript(
        language=language,
        segments=tuple(segments),
        language_probability=probability,
        engine="mlx",
        model=request.model,
    )
    return transcript, tuple(speech)


def _spoken(request: AsrRequest, sound: Sound) -> tuple[Span, ...]:
    """Return the stretches that the stage vad heard; where there was none of that stage, all that is loud."""
    limit_ms = min(request.chunk_ms, LONGEST_MS)
    if request.speech is not None:
        return fit(request.speech, sound, limit_ms)
    return tuple(span for span in fit([sound.whole], sound, limit_ms) if _is_loud(sound, span))


def _is_loud(sound: Sound, span: Span) -> bool:
    import numpy as np

    return float(np.abs(sound.between(span.start_ms, span.end_ms)).max(initial=0.0)) > _QUIET


def language_of(
    request: AsrRequest, listener: Listener, chunks: Sequence[Chunk], progress: Callable[[], None]
) -> tuple[str, float | None]:
    """Return the language said or, by a vote over the film, detected; an English-only model hears English."""
    if request.language is not None:
        return language_token(listener.model, request.language), None
    if not chunks:
        return UNDETERMINED, None
    if not listener.model.is_multilingual:
        return "en", None
    language, probability = vote(listener.languages(spread(chunks, _WINDOWS), progress))
    return language, round(probability, 4)


def segment_of(heard: Heard, words: Sequence[TimedWord], *, known: bool) -> Segment:
    """Return the chunk's text; where nobody said when somebody speaks, its words do."""
    start_ms, end_ms = heard.chunk.start_ms, heard.chunk.end_ms
    if words and not known:
        start_ms, end_ms = words[0].start_ms, words[-1].end_ms
    return Segment(
        start_ms=start_ms,
        end_ms=end_ms,
        text=heard.guess.text,
        words=tuple(
            Word(
                text=word.text,
                start_ms=word.start_ms,
                end_ms=word.end_ms,
                probability=word.probability,
                timed_by=CROSS_ATTENTION,
            )
            for word in words
        ),
        avg_logprob=round(heard.guess.avg_logprob, 4),
        no_speech=round(heard.guess.no_speech, 4),
    )


def stretches(words: Sequence[TimedWord]) -> list[Span]:
    """Return where the words are: those with hardly a pause between them are one stretch of speech."""
    found: list[Span] = []
    for word in words:
        if found and word.start_ms - found[-1].end_ms <= _PAUSE_MS:
            found[-1] = Span(start_ms=found[-1].start_ms, end_ms=max(found[-1].end_ms, word.end_ms))
        else:
            found.append(Span(start_ms=word.start_ms, end_ms=word.end_ms))
    return found
