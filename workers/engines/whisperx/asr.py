"""asr: the speech that vad or whisperx's own VAD hears, Whisper writes, in batches."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import UNDETERMINED, Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.models import (
    Place,
    batch_of,
    language_token,
    load_vad,
    load_whisper,
    place,
    warm_up,
)
from workers.engines.whisperx.recognising import LONGEST_MS, WINDOW_MS, Listener, Wishes
from workers.engines.whisperx.voice import hear
from workers.speech.fitting import fit
from workers.speech.judging import is_silence, vote
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack, spread
from workers.speech.voice_activity import Rule
from workers.text.transcripts import publish

__all__ = ["WhisperxAsr"]

_WINDOWS = 5
"""So many windows over the film vote on its language."""
_VAD_SHARE = 0.15
"""Of a call's time, for progress."""


class WhisperxAsr:
    """Recognises speech."""

    stage = "asr"

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, load the model and put some silence through it.

        Not VAD: where the stage vad listens nobody needs it, and it is loaded within half a second.
        """
        if model is not None:
            warm_up(load_whisper(models, model, place("auto", "auto")))

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Write `segments.json`: one segment a chunk of speech, without words.

        No speech gives no segment and the language `und`. Raises `InputError` where the sound cannot be
        read or the model does not know the language, `MissingError` where the store lacks the model.
        """
        where = place(request.device, request.compute_type)
        model = load_whisper(context.models, request.model, where)
        with Sound(context.input(request.audio)) as sound:
            spoken = _spoken(request, context, sound, where)
            listener = Listener(model, sound, batch_of(request.batch_size, where))
            transcript, speech = _listen(request, context, listener, spoken)
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


def _spoken(request: AsrRequest, context: Context, sound: Sound, where: Place) -> tuple[Span, ...]:
    """Return the speech that the stage vad heard; where there was none of that stage, listen for it."""
    limit_ms = min(request.chunk_ms, LONGEST_MS)
    if request.speech is not None:
        return fit(request.speech, sound, limit_ms)
    rule = Rule(onset=request.vad_onset, offset=request.vad_offset, max_speech_ms=limit_ms)
    return hear(
        load_vad(context.models, where),
        sound,
        rule,
        lambda share: context.progress(share * _VAD_SHARE, "finding speech"),
    )


def _listen(
    request: AsrRequest, context: Context, listener: Listener, spoken: Sequence[Span]
) -> tuple[Transcript, tuple[Span, ...]]:
    """Return what is said, and the stretches in which it is."""
    chunks = pack(spoken, min(request.chunk_ms, WINDOW_MS), listener.sound.whole)
    language, probability = _language(request, listener, chunks)
    segments: list[Segment] = []
    speech: list[Span] = []
    if chunks:
        wishes = Wishes(
            language=language,
            beam_size=request.beam_size,
            initial_prompt=request.initial_prompt,
            hotwords=request.hotwords,
        )

        def progress(share: float) -> None:
            context.progress(_VAD_SHARE + share * (1 - _VAD_SHARE), "recognising")

        for chunk, guess in listener.recognise(chunks, wishes, progress):
            if is_silence(guess, max(span.peak for span in chunk.spans)):
                continue
            speech.extend(chunk.spans)
            segments.append(
                Segment(
                    start_ms=chunk.start_ms,
                    end_ms=chunk.end_ms,
                    text=guess.text,
                    avg_logprob=round(guess.avg_logprob, 4),
                    no_speech=round(guess.no_speech, 4),
                )
            )
    if not segments:
        language, probability = UNDETERMINED, None
    transcript = Transcript(
        language=language,
        segments=tuple(segments),
        language_probability=probability,
        engine="whisperx",
        model=request.model,
    )
    return transcript, tuple(speech)


def _language(request: AsrRequest, listener: Listener, chunks: Sequence[Chunk]) -> tuple[str, float | None]:
    """Return the language said or, by a vote over the film, detected; an English-only model hears English."""
    if request.language is not None:
        return language_token(listener.model, request.language), None
    if not chunks:
        return UNDETERMINED, None
    if not listener.model.model.is_multilingual:
        return "en", None
    language, probability = vote(listener.languages(spread(chunks, _WINDOWS)))
    return language, round(probability, 4)
