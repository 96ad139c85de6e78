"""translate: Whisper's own translation of speech into English, timed by its cross-attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from protocol.errors import InputError, MissingError
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.align import BEFORE_MS
from workers.engines.whisperx.attention import SpokenText, WordTimer
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.models import batch_size_of, choose_placement, load_whisper, warm_up
from workers.engines.whisperx.recognising import WhisperxRecogniser
from workers.engines.whisperx.transcripts import to_segments
from workers.speech.judging import Guess, same_words
from workers.speech.recognising import segment_of
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack, widen, within
from workers.speech.whisper import WINDOW_MS, Heard, RecognitionOptions, recognise
from workers.text.transcripts import publish, read, speech_of

__all__ = ["WhisperTranslate", "chunks_of", "refuse_untranslatable"]

_ENGLISH = "en"
_BEAMS = 5
_RECOGNISED_SHARE = 0.8
"""The part of a call's time that recognising takes, for progress."""
_SAME_FROM_WORDS = 4
"""A text of this many words that comes back unchanged is no translation; a shorter one may be a name."""


class WhisperTranslate:
    """Translates speech into English."""

    stage = "translate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model, which the stage asr uses too, and put some silence through it."""
        if model is not None:
            warm_up(load_whisper(models, model, choose_placement("auto", "auto")))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.en.json`: English sentences with words, inside the film's speech.

        Raises `InputError` where the target is not English, where the source is English, and where the model
        only repeats the source; `MissingError` where the store does not have the model, or it cannot
        translate.
        """
        refuse_untranslatable(request)
        where = choose_placement(request.device, request.compute_type)
        whisper = load_whisper(context.models, request.model, where)
        if not whisper.model.model.is_multilingual:
            message = f"The model {request.model} knows English only and cannot translate."
            raise MissingError(message, "Name a multilingual model, such as whisper-base.")
        source = read(context, request.transcript)
        segments: list[Segment] = []
        if source.segments:
            with Sound(context.input(request.audio)) as sound:
                film = EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256)
                recogniser = WhisperxRecogniser(
                    film=film, batch_size=batch_size_of(request.batch_size, where)
                )
                segments = _translate(request, context, recogniser, source)
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
    """Raise `InputError` for languages and `MissingError` for models with which Whisper cannot translate."""
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
    """Return the sentences of the source as chunks of up to 30 s: with context Whisper translates better.

    Speech in which the source has no sentence is left out. `whole` is the time of the whole film.
    """
    spoken = [
        span for segment in source.segments for span in within(speech, segment.start_ms, segment.end_ms)
    ] or [Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in source.segments]
    fitting = [span for span in spoken if 0 < span.end_ms - span.start_ms <= WINDOW_MS]
    return pack(sorted(fitting, key=lambda span: span.start_ms), WINDOW_MS, whole)


def _translate(
    request: TranslateRequest, context: Context, recogniser: WhisperxRecogniser, source: Transcript
) -> list[Segment]:
    found = speech_of(source, request.speech)
    speech = widen(found, BEFORE_MS, 0, recogniser.sound.duration_ms)
    options = RecognitionOptions(
        language=request.source_language, task="translate", beam_size=request.beam_size or _BEAMS
    )

    def recognised(share: float) -> None:
        context.progress(share * _RECOGNISED_SHARE, "translating")

    def timed_so_far(share: float) -> None:
        context.progress(_RECOGNISED_SHARE + share * (1 - _RECOGNISED_SHARE), "timing the translation")

    chunks = chunks_of(source, speech, recogniser.sound.whole)
    said = [heard for heard in recognise(recogniser, chunks, options, recognised) if heard.guess.text]
    _refuse_repetition(source, [heard.guess for heard in said])
    timer = WordTimer(
        film=recogniser.film,
        language=request.source_language,
        task="translate",
        batch_size=recogniser.batch_size,
    )
    texts = [SpokenText(text=heard.guess.text, heard=heard.chunk.heard) for heard in said]
    timed = timer.time(texts, speech, timed_so_far)
    return [
        sentence
        for heard, (words, timed_by) in zip(said, timed, strict=True)
        for sentence in to_segments(_translated(heard), words, timed_by, _ENGLISH)
    ]


def _translated(heard: Heard) -> Segment:
    """Return the chunk as a segment; how probable silence is says nothing about a translation."""
    return replace(segment_of(heard), no_speech=None)


def _refuse_repetition(source: Transcript, guesses: Sequence[Guess]) -> None:
    text = " ".join(guess.text for guess in guesses)
    original = " ".join(segment.text for segment in source.segments)
    if len(text.split()) >= _SAME_FROM_WORDS and same_words(text, original):
        message = "The model gave the source text back instead of a translation."
        raise InputError(message, "Name a larger model.")
