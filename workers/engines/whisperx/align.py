"""align: when every word is said, by the wav2vec2 model of the language or else by Whisper.

Where speech has no word, Whisper hears again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.errors import InputError, MissingError, UsageError
from protocol.stages.align import AlignRequest, AlignResult
from protocol.timeline import HEARD_AGAIN, Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.attention import SpokenText, WordTimer
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.hearing_again import SecondHearing
from workers.engines.whisperx.models import (
    batch_size_of,
    choose_placement,
    language_token,
    load_aligner,
    load_whisper,
    warm_up,
)
from workers.engines.whisperx.transcripts import TimedPart, put_in
from workers.engines.whisperx.trust import ChunkPart, take_apart
from workers.engines.whisperx.wav2vec2 import WAV2VEC2, time_words_of
from workers.speech.sound import Sound
from workers.speech.spans import heard_around, widen, within
from workers.speech.unheard import Filling, find_gaps, trusted_speech
from workers.speech.word_times import CROSS_ATTENTION, TimedWord, correct_word_times
from workers.text.transcripts import publish, read, speech_of
from workers.torch_devices import use_given_cores

__all__ = ["BEFORE_MS", "WhisperAlign", "choose_method", "window_of"]

log = logging.getLogger(__name__)

BEFORE_MS = 120
"""VAD finds the start of speech too late, by about this time (medians of the test films: 70 to 250 ms)."""
_WAV2VEC2_SHARE = 0.8
"""The part of a call's time that wav2vec2 takes, for progress."""

_Timed = tuple[list[TimedWord], str]


class WhisperAlign:
    """Times words."""

    stage = "align"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model, which the stage asr uses too, and put some silence through it."""
        if model is not None:
            warm_up(load_whisper(models, model, choose_placement("auto", "auto")))

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        """Write `transcript.json`: the segments cut to sentences, every word with its times.

        Cross-attention times the sentences that wav2vec2 cannot time well. Raises `MissingError` where the
        store does not have the model, `UsageError` for an unknown method, `InputError` where the sound or the
        segments cannot be read, or the wav2vec2 model that the request names.
        """
        transcript = read(context, request.segments)
        segments: list[Segment] = []
        if any(segment.text.strip() for segment in transcript.segments):
            with Sound(context.input(request.audio)) as sound:
                segments = _align(request, context, transcript, sound)
        timed = replace(transcript, segments=tuple(segments))
        counts = Counter(word.timed_by for word in timed.words())
        return AlignResult(
            transcript=publish(context, "transcript.json", timed),
            word_count=len(timed.words()),
            timed_by=dict(counts),
            notes=_notes(timed.segments),
        )


def choose_method(method: str, language: str, models: Models) -> str:
    """Return `wav2vec2` or `cross-attention`; `auto` is the first where the store has its model."""
    if method == "auto":
        return WAV2VEC2 if models.has(f"wav2vec2-{language}") else CROSS_ATTENTION
    if method not in {WAV2VEC2, CROSS_ATTENTION}:
        message = f"{method!r} is not a method of alignment."
        raise UsageError(message, f"Write auto, {WAV2VEC2} or {CROSS_ATTENTION}.")
    return method


def window_of(segment: Segment, others: Sequence[Segment], index: int, limit_ms: int) -> SpokenText:
    """Return the segment with what the recogniser heard of the pauses around it.

    For the same stretch of sound the encoder's work is not done again.
    """
    spans = [Span(start_ms=other.start_ms, end_ms=max(other.end_ms, other.start_ms)) for other in others]
    near = spans[max(0, index - 1) : index + 2]
    return SpokenText(text=segment.text, heard=heard_around(near, limit_ms)[min(index, 1)])


@dataclass(frozen=True, kw_only=True)
class _Alignment:
    """The parts of a transcript in order; wav2vec2 has timed the words of some."""

    language: str
    parts: tuple[ChunkPart, ...]
    speech: list[Span]


def _align(request: AlignRequest, context: Context, transcript: Transcript, sound: Sound) -> list[Segment]:
    language = transcript.language
    segments = tuple(segment for segment in transcript.segments if segment.text.strip())
    parts = tuple(ChunkPart(segment=segment, words=()) for segment in segments)
    if choose_method(request.method, language, context.models) == WAV2VEC2:
        parts = _by_wav2vec2(request, context, language, segments, sound)
    speech = widen(speech_of(transcript, request.speech), BEFORE_MS, 0, sound.duration_ms)
    alignment = _Alignment(language=language, parts=parts, speech=speech)
    timed = {index: _corrected(part, speech, language) for index, part in enumerate(parts) if part.words}
    rest = [index for index in range(len(parts)) if index not in timed]
    if rest:
        timed.update(_by_attention(request, context, alignment, sound, rest))
    done = [
        TimedPart(segment=part.segment, words=timed[index][0], timed_by=timed[index][1])
        for index, part in enumerate(parts)
    ]
    fillings = _heard_again(request, context, transcript, sound, done)
    return put_in(done, fillings, language)


def _heard_again(
    request: AlignRequest, context: Context, transcript: Transcript, sound: Sound, parts: Sequence[TimedPart]
) -> list[Filling]:
    """Return what is said in speech that has no word; nothing where Whisper is not there to hear it."""
    words = sorted((word for part in parts for word in part.words), key=lambda word: word.start_ms)
    speech = trusted_speech(transcript.segments, speech_of(transcript, request.speech))
    if not find_gaps(words, speech):
        return []
    where = choose_placement(request.device, request.compute_type)
    try:
        whisper = load_whisper(context.models, request.model, where)
        language_token(whisper.model, transcript.language)
    except (InputError, MissingError) as error:
        log.warning("%s Speech that has no word is not heard again.", error.message)
        return []
    hearing = SecondHearing(
        film=EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256),
        language=transcript.language,
        batch_size=batch_size_of(0, where),
    )
    return hearing.fillings(words, speech, lambda: context.progress(1.0, "hearing again"))


def _notes(segments: Sequence[Segment]) -> tuple[str, ...]:
    again = [segment for segment in segments if HEARD_AGAIN in segment.marks]
    if not again:
        return ()
    sentences = "1 sentence was" if len(again) == 1 else f"{len(again)} sentences were"
    return (f"{sentences} heard only when speech without words was heard again",)


def _corrected(part: ChunkPart, speech: list[Span], language: str) -> _Timed:
    room = within(speech, part.segment.start_ms, part.segment.end_ms)
    return correct_word_times(part.words, room, language), WAV2VEC2


def _by_wav2vec2(
    request: AlignRequest, context: Context, language: str, segments: Sequence[Segment], sound: Sound
) -> tuple[ChunkPart, ...]:
    """Return the segments in parts; a part that wav2vec2 cannot time well has no words."""
    where = choose_placement(request.device, "auto")
    model = f"{WAV2VEC2}-{language}"
    try:
        aligner = load_aligner(context.models, model, language, where)
    except (InputError, MissingError) as error:
        if request.method == WAV2VEC2:
            raise
        log.warning("%s The words are timed by %s.", error.message, CROSS_ATTENTION)
        return tuple(ChunkPart(segment=segment, words=()) for segment in segments)
    parts: list[ChunkPart] = []
    for index, segment in enumerate(segments):
        context.progress(index / len(segments) * _WAV2VEC2_SHARE, "aligning")
        use_given_cores(context.models)
        words = time_words_of(aligner, sound, segment, where.device)
        parts.extend(take_apart(segment, words, language, request.min_score))
    return tuple(parts)


def _by_attention(
    request: AlignRequest, context: Context, alignment: _Alignment, sound: Sound, indices: Sequence[int]
) -> dict[int, _Timed]:
    """Return the words of the parts with these indices, and the method that timed them."""
    where = choose_placement(request.device, request.compute_type)
    segments = [part.segment for part in alignment.parts]
    windows = [window_of(segments[index], segments, index, sound.duration_ms) for index in indices]
    whisper = load_whisper(context.models, request.model, where)
    timer = WordTimer(
        film=EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256),
        language=alignment.language,
        batch_size=batch_size_of(0, where),
    )
    done = 1 - len(indices) / len(segments)
    found = timer.time(
        windows, alignment.speech, lambda share: context.progress(done + share * (1 - done), "aligning")
    )
    return dict(zip(indices, found, strict=True))
