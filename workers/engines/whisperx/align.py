"""align: a time for every word, by the language's wav2vec2 model where there is one, else by Whisper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.errors import UsageError
from protocol.stages.align import AlignRequest, AlignResult
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.attention import CROSS_ATTENTION, Clockwork, Spoken
from workers.engines.whisperx.models import batch_of, load_aligner, load_whisper, place, warm_up
from workers.engines.whisperx.settling import TimedWord
from workers.engines.whisperx.sound import Sound
from workers.engines.whisperx.spans import widen
from workers.engines.whisperx.transcripts import to_segments
from workers.engines.whisperx.wav2vec2 import WAV2VEC2, time_words_of
from workers.text.transcripts import publish, read, speech_of

__all__ = ["BEFORE_MS", "WhisperAlign", "choose_method", "window_of"]

BEFORE_MS = 120
"""VAD hears speech start late by this (median over the test films: 70 to 250 ms)."""
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

        Raises `MissingError` where the store lacks the model, `UsageError` for a method there is not,
        `InputError` where the sound or the segments cannot be read.
        """
        transcript = read(context, request.segments)
        segments: list[Segment] = []
        if any(each.text.strip() for each in transcript.segments):
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
    spans = [Span(start_ms=each.start_ms, end_ms=max(each.end_ms, each.start_ms)) for each in others]
    near = spans[max(0, index - 1) : index + 2]
    wide = widen(near, _LEAD_MS, _LEAD_MS, limit_ms)[min(index, 1)]
    return Spoken(text=segment.text, start_ms=wide.start_ms, end_ms=wide.end_ms)


@dataclass(frozen=True, kw_only=True)
class _Task:
    transcript: Transcript
    segments: tuple[Segment, ...]
    speech: list[Span]


def _align(request: AlignRequest, context: Context, transcript: Transcript, sound: Sound) -> list[Segment]:
    speech = widen(speech_of(transcript, request.speech), BEFORE_MS, 0, sound.duration_ms)
    task = _Task(
        transcript=transcript,
        segments=tuple(each for each in transcript.segments if each.text.strip()),
        speech=speech,
    )
    timed: dict[int, _Timed] = {}
    if choose_method(request.method, transcript.language, context.models) == WAV2VEC2:
        timed = _by_wav2vec2(request, context, task, sound)
    rest = [index for index in range(len(task.segments)) if index not in timed]
    if rest:
        timed.update(_by_attention(request, context, task, sound, rest))
    return [
        cut
        for index, segment in enumerate(task.segments)
        for cut in to_segments(segment, *timed[index], transcript.language)
    ]


def _by_wav2vec2(request: AlignRequest, context: Context, task: _Task, sound: Sound) -> dict[int, _Timed]:
    where = place(request.device, "auto")
    language = task.transcript.language
    aligner = load_aligner(context.models, f"wav2vec2-{language}", language, where)
    timed: dict[int, _Timed] = {}
    for index, segment in enumerate(task.segments):
        context.progress(index / len(task.segments), "aligning")
        if words := time_words_of(aligner, sound, segment, task.speech, where.device):
            timed[index] = (words, WAV2VEC2)
    return timed


def _by_attention(
    request: AlignRequest, context: Context, task: _Task, sound: Sound, indices: Sequence[int]
) -> dict[int, _Timed]:
    where = place(request.device, request.compute_type)
    windows = [window_of(task.segments[each], task.segments, each, sound.duration_ms) for each in indices]
    clockwork = Clockwork(
        model=load_whisper(context.models, request.model, where),
        sound=sound,
        language=task.transcript.language,
        batch_size=batch_of(0, where),
    )
    found = clockwork.time(windows, task.speech, lambda share: context.progress(share, "aligning"))
    return dict(zip(indices, found, strict=True))
