"""translate: Whisper's own translation of speech into English, timed by its cross-attention."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.errors import InputError, MissingError
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.align import BEFORE_MS
from workers.engines.whisperx.attention import Clockwork, Spoken
from workers.engines.whisperx.models import batch_of, load_whisper, place, warm_up
from workers.engines.whisperx.recognising import WINDOW_MS, Listener, Wishes
from workers.engines.whisperx.transcripts import to_segments
from workers.speech.judging import Guess, same_words
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack, widen, within
from workers.text.transcripts import publish, read, speech_of

__all__ = ["WhisperTranslate", "chunks_of", "refuse_untranslatable"]

_ENGLISH = "en"
_BEAMS = 5
_RECOGNISED_SHARE = 0.8
"""Of a call's time, for progress."""
_SAME_FROM_WORDS = 4
"""A text so long that comes back as it was is no translation; a shorter one may be a name."""


class WhisperTranslate:
    """Translates speech into English."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model, the one asr uses, and put some silence through it."""
        if model is not None:
            warm_up(load_whisper(models, model, place("auto", "auto")))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.en.json`: English sentences with words, inside the film's speech.

        Raises `InputError` where the target is not English, the source is, or the model only repeats the
        source; `MissingError` where the store has no model that translates.
        """
        refuse_untranslatable(request)
        where = place(request.device, request.compute_type)
        model = load_whisper(context.models, request.model, where)
        if not model.model.is_multilingual:
            message = f"The model {request.model} knows English only and cannot translate."
            raise MissingError(message, "Name a multilingual model, such as whisper-base.")
        source = read(context, request.transcript)
        segments: list[Segment] = []
        if source.segments:
            with Sound(context.input(request.audio)) as sound:
                listener = Listener(model, sound, batch_of(request.batch_size, where))
                segments = _translate(request, context, listener, source)
        translated = Transcript(
            language=_ENGLISH,
            segments=tuple(segments),
            translated_from=request.source_language,
            engine="whisper",
            model=request.model,
        )
        return TranslateResult(
            transcript=publish(context, "transcript.en.json", translated),
            segment_count=len(segments),
            model=request.model,
            engine="whisper",
        )


def refuse_untranslatable(request: TranslateRequest) -> None:
    """Raise `InputError` for languages, `MissingError` for models that Whisper does not translate with."""
    if request.target_language != _ENGLISH:
        message = f"Whisper translates into English only, not into {request.target_language!r}."
        raise InputError(message, "Translate with another environment, or into en.")
    if request.source_language == _ENGLISH:
        message = "The film is in English: there is nothing to translate."
        raise InputError(message)
    if "turbo" in request.model or request.model.endswith(".en"):
        message = f"The model {request.model} was not trained to translate."
        raise MissingError(message, "Name another one, such as whisper-base or whisper-large-v3.")


def chunks_of(source: Transcript, speech: Sequence[Span], whole: Span) -> list[Chunk]:
    """Return the sentences of the source joined to chunks of up to 30 s of speech: context translates better.

    Speech in which the source has no sentence is left out; `whole` is the film.
    """
    spoken = [
        span for segment in source.segments for span in within(speech, segment.start_ms, segment.end_ms)
    ] or [Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in source.segments]
    fitting = [span for span in spoken if 0 < span.end_ms - span.start_ms <= WINDOW_MS]
    return pack(sorted(fitting, key=lambda span: span.start_ms), WINDOW_MS, whole)


def _translate(
    request: TranslateRequest, context: Context, listener: Listener, source: Transcript
) -> list[Segment]:
    heard = speech_of(source, request.speech)
    speech = widen(heard, BEFORE_MS, 0, listener.sound.duration_ms)
    wishes = Wishes(language=request.source_language, task="translate", beam_size=request.beam_size or _BEAMS)

    def recognised(share: float) -> None:
        context.progress(share * _RECOGNISED_SHARE, "translating")

    guesses = listener.recognise(chunks_of(source, speech, listener.sound.whole), wishes, recognised)
    said = [(chunk, guess) for chunk, guess in guesses if guess.text]
    _refuse_repetition(source, [guess for _, guess in said])
    clockwork = Clockwork(
        model=listener.model,
        sound=listener.sound,
        language=request.source_language,
        task="translate",
        batch_size=listener.batch_size,
    )

    def timed_so_far(share: float) -> None:
        context.progress(_RECOGNISED_SHARE + share * (1 - _RECOGNISED_SHARE), "timing the translation")

    texts = [Spoken(text=guess.text, start_ms=chunk.start_ms, end_ms=chunk.end_ms) for chunk, guess in said]
    timed = clockwork.time(texts, speech, timed_so_far)
    segments = []
    for (chunk, guess), (words, timed_by) in zip(said, timed, strict=True):
        whole = Segment(
            start_ms=chunk.start_ms,
            end_ms=chunk.end_ms,
            text=guess.text,
            avg_logprob=round(guess.avg_logprob, 4),
        )
        segments.extend(to_segments(whole, words, timed_by, _ENGLISH))
    return segments


def _refuse_repetition(source: Transcript, guesses: Sequence[Guess]) -> None:
    text = " ".join(guess.text for guess in guesses)
    original = " ".join(segment.text for segment in source.segments)
    if len(text.split()) >= _SAME_FROM_WORDS and same_words(text, original):
        message = "The model gave the source text back instead of a translation."
        raise InputError(message, "Name a larger model.")
