"""align: when every word is said, by the wav2vec2 model of the language or else by Whisper.

Where speech has no word, Whisper hears again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
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
from workers.text.transcripts import publish, read, runs_of, speech_of
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

    transcript: Transcript
    """Tells the language of a part."""
    parts: tuple[ChunkPart, ...]
    speech: list[Span]


def _align(request: AlignRequest, context: Context, transcript: Transcript, sound: Sound) -> list[Segment]:
    written = tuple(segment for segment in transcript.segments if segment.text.strip())
    parts = _in_parts(request, context, replace(transcript, segments=written), sound)
    speech = widen(speech_of(transcript, request.speech), BEFORE_MS, 0, sound.duration_ms)
    alignment = _Alignment(transcript=transcript, parts=parts, speech=speech)
    timed = {
        index: _corrected(part, speech, transcript.language_of(part.segment))
        for index, part in enumerate(parts)
        if part.words
    }
    rest = [index for index in range(len(parts)) if index not in timed]
    if rest:
        timed.update(_by_attention(request, context, alignment, sound, rest))
    done = [
        TimedPart(segment=part.segment, words=timed[index][0], timed_by=timed[index][1])
        for index, part in enumerate(parts)
    ]
    fillings = _heard_again(request, context, transcript, sound, done)
    return put_in(done, fillings, transcript.language)


def _heard_again(
    request: AlignRequest, context: Context, transcript: Transcript, sound: Sound, parts: Sequence[TimedPart]
) -> list[Filling]:
    """Return what is said in speech that has no word; nothing where Whisper is not there to hear it."""
    words = sorted((word for part in parts for word in part.words), key=lambda word: word.start_ms)
    speech = speech_of(transcript, request.speech)
    by_language = {
        language: trusted_speech(
            [segment for segment in transcript.segments if transcript.language_of(segment) == language],
            speech,
        )
        for language in dict.fromkeys(map(transcript.language_of, transcript.segments))
    }
    by_language = {language: mine for language, mine in by_language.items() if find_gaps(words, mine)}
    if not by_language:
        return []
    where = choose_placement(request.device, request.compute_type)
    try:
        whisper = load_whisper(context.models, request.model, where)
        for language in by_language:
            language_token(whisper.model, language)
    except (InputError, MissingError) as error:
        log.warning("%s Speech that has no word is not heard again.", error.message)
        return []
    film, size = EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256), batch_size_of(0, where)
    found: list[Filling] = []
    for language, mine in by_language.items():
        hearing = SecondHearing(film=film, language=language, batch_size=size)
        found += hearing.fillings(words, mine, lambda: context.progress(1.0, "hearing again"))
    return sorted(found, key=lambda filling: filling.words[0].start_ms)


def _notes(segments: Sequence[Segment]) -> tuple[str, ...]:
    again = [segment for segment in segments if HEARD_AGAIN in segment.marks]
    if not again:
        return ()
    sentences = "1 sentence was" if len(again) == 1 else f"{len(again)} sentences were"
    return (f"{sentences} heard only when speech without words was heard again",)


def _corrected(part: ChunkPart, speech: list[Span], language: str) -> _Timed:
    room = within(speech, part.segment.start_ms, part.segment.end_ms)
    return correct_word_times(part.words, room, language), WAV2VEC2


def _in_parts(
    request: AlignRequest, context: Context, transcript: Transcript, sound: Sound
) -> tuple[ChunkPart, ...]:
    """Return the segments in parts; wav2vec2 has timed words where it is the method of their language."""
    parts: list[ChunkPart] = []
    done, count = 0, len(transcript.segments)
    for language, segments in runs_of(transcript):
        if choose_method(request.method, language, context.models) == WAV2VEC2:

            def progress(share: float, run: tuple[int, int] = (done, len(segments))) -> None:
                context.progress((run[0] + share * run[1]) / count * _WAV2VEC2_SHARE, "aligning")

            parts += _by_wav2vec2(request, context, (language, segments), sound, progress)
        else:
            parts += [ChunkPart(segment=segment, words=()) for segment in segments]
        done += len(segments)
    return tuple(parts)


def _by_wav2vec2(
    request: AlignRequest,
    context: Context,
    run: tuple[str, Sequence[Segment]],
    sound: Sound,
    progress: Callable[[float], None],
) -> tuple[ChunkPart, ...]:
    """Return segments of one language in parts; a part that wav2vec2 cannot time well has no words."""
    language, segments = run
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
        progress(index / len(segments))
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
    film = EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256)
    languages = [alignment.transcript.language_of(segments[index]) for index in indices]
    timed: dict[int, _Timed] = {}
    for language in dict.fromkeys(languages):
        mine = [place for place, own in enumerate(languages) if own == language]
        done = 1 - (len(indices) - len(timed)) / len(segments)

        def progress(share: float, done: float = done, part: float = len(mine) / len(segments)) -> None:
            context.progress(done + share * part, "aligning")

        timer = WordTimer(film=film, language=language, batch_size=batch_size_of(0, where))
        found = timer.time([windows[place] for place in mine], alignment.speech, progress)
        timed.update(zip((indices[place] for place in mine), found, strict=True))
    return timed
