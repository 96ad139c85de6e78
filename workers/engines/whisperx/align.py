"""align: a time for every word, by the language's wav2vec2 model where there is one, else by Whisper."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.errors import InputError, UsageError
from protocol.stages.align import AlignRequest, AlignResult
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.attention import CROSS_ATTENTION, Clockwork, Spoken
from workers.engines.whisperx.models import batch_of, load_aligner, load_whisper, place, warm_up
from workers.engines.whisperx.transcripts import to_segments
from workers.engines.whisperx.trust import Piece, take_apart
from workers.engines.whisperx.wav2vec2 import WAV2VEC2, time_words_of
from workers.speech.sound import Sound
from workers.speech.spans import widen, within
from workers.speech.word_times import TimedWord, settle
from workers.text.transcripts import publish, read, speech_of

__all__ = ["BEFORE_MS", "WhisperAlign", "choose_method", "window_of"]

log = logging.getLogger(__name__)

BEFORE_MS = 120
"""VAD hears speech start late by this (median over the test films: 70 to 250 ms)."""
_WAV2VEC2_SHARE = 0.8
"""Of a call's time, for progress."""
_LEAD_MS = 200
"""So much sound before and after a segment is heard when it is aligned: its first word may start there."""

_Timed = tuple[list[TimedWord], str]


class WhisperAlign:
    """Times words."""

    stage = "align"

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model, the one asr uses, and put some silence through it."""
        if model is not None:
            warm_up(load_whisper(models, model, place("auto", "auto")))

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        """Write `transcript.json`: the segments cut to sentences, every word with its times.

        What wav2vec2 cannot time, or not well, cross-attention does, sentence by sentence. Raises
        `MissingError` where the store lacks the model, `UsageError` for a method there is not, `InputError`
        where the sound or the segments cannot be read, or the wav2vec2 model that was asked for by name.
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
        )


def choose_method(method: str, language: str, models: Models) -> str:
    """Return `wav2vec2` or `cross-attention`; `auto`: the first where the store has its model."""
    if method == "auto":
        return WAV2VEC2 if models.has(f"wav2vec2-{language}") else CROSS_ATTENTION
    if method not in {WAV2VEC2, CROSS_ATTENTION}:
        message = f"{method!r} is not a method of alignment."
        raise UsageError(message, f"Write auto, {WAV2VEC2} or {CROSS_ATTENTION}.")
    return method


def window_of(segment: Segment, others: Sequence[Segment], index: int, limit_ms: int) -> Spoken:
    """Return the segment with some of the pauses around it, never reaching into its neighbours."""
    spans = [Span(start_ms=other.start_ms, end_ms=max(other.end_ms, other.start_ms)) for other in others]
    near = spans[max(0, index - 1) : index + 2]
    wide = widen(near, _LEAD_MS, _LEAD_MS, limit_ms)[min(index, 1)]
    return Spoken(text=segment.text, start_ms=wide.start_ms, end_ms=wide.end_ms)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What is to be timed: pieces of the transcript in order, some with wav2vec2's words."""

    language: str
    pieces: tuple[Piece, ...]
    speech: list[Span]


def _align(request: AlignRequest, context: Context, transcript: Transcript, sound: Sound) -> list[Segment]:
    language = transcript.language
    segments = tuple(segment for segment in transcript.segments if segment.text.strip())
    pieces = tuple(Piece(segment=segment, words=()) for segment in segments)
    if choose_method(request.method, language, context.models) == WAV2VEC2:
        pieces = _by_wav2vec2(request, context, language, segments, sound)
    speech = widen(speech_of(transcript, request.speech), BEFORE_MS, 0, sound.duration_ms)
    task = _Task(language=language, pieces=pieces, speech=speech)
    timed = {index: _settled(piece, speech) for index, piece in enumerate(pieces) if piece.words}
    rest = [index for index in range(len(pieces)) if index not in timed]
    if rest:
        timed.update(_by_attention(request, context, task, sound, rest))
    return [
        cut
        for index, piece in enumerate(pieces)
        for cut in to_segments(piece.segment, *timed[index], language)
    ]


def _settled(piece: Piece, speech: list[Span]) -> _Timed:
    return settle(piece.words, within(speech, piece.segment.start_ms, piece.segment.end_ms)), WAV2VEC2


def _by_wav2vec2(
    request: AlignRequest, context: Context, language: str, segments: Sequence[Segment], sound: Sound
) -> tuple[Piece, ...]:
    """Return the segments in pieces, those without words that wav2vec2 could not time or not well enough."""
    where = place(request.device, "auto")
    model = f"{WAV2VEC2}-{language}"
    try:
        aligner = load_aligner(context.models, model, language, where)
    except InputError as error:
        if request.method == WAV2VEC2:
            raise
        log.warning("%s The words are timed by %s.", error.message, CROSS_ATTENTION)
        return tuple(Piece(segment=segment, words=()) for segment in segments)
    pieces: list[Piece] = []
    for index, segment in enumerate(segments):
        context.progress(index / len(segments) * _WAV2VEC2_SHARE, "aligning")
        words = time_words_of(aligner, sound, segment, where.device)
        pieces.extend(take_apart(segment, words, language, request.min_score))
    return tuple(pieces)


def _by_attention(
    request: AlignRequest, context: Context, task: _Task, sound: Sound, indices: Sequence[int]
) -> dict[int, _Timed]:
    where = place(request.device, request.compute_type)
    segments = [piece.segment for piece in task.pieces]
    windows = [window_of(segments[index], segments, index, sound.duration_ms) for index in indices]
    clockwork = Clockwork(
        model=load_whisper(context.models, request.model, where),
        sound=sound,
        language=task.language,
        batch_size=batch_of(0, where),
    )
    done = 1 - len(indices) / len(segments)
    found = clockwork.time(
        windows, task.speech, lambda share: context.progress(done + share * (1 - done), "aligning")
    )
    return dict(zip(indices, found, strict=True))
